/* SPDX-License-Identifier: BSD-3-Clause */
/* Damaged handshakes, the same ones every run: nothing may crash, hang or leak. */
#include "tls_test.h"

#include <stdlib.h>
#include <string.h>

static uint64_t state = 20261122;

static uint32_t draw(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

static void damage(struct peers_flight *flight)
{
	for (uint32_t n = draw(4); n > 0; n--) {
		static const uint8_t values[] = { 0, 1, 2, 0x16, 0x7f, 0x80, 0xff };
		uint32_t at = draw((uint32_t)flight->n);

		if (draw(2))
			flight->p[at] ^= (uint8_t)(1 << draw(8));
		else
			flight->p[at] = values[draw(sizeof(values))];
	}
}

static void feed_damaged(struct et_tls *tls, const struct peers_flight *flight)
{
	size_t at = 0;

	while (at < flight->n) {
		size_t n = draw(4) ? 1 + draw(600) : flight->n;
		enum et_dir dir = draw(50) ? flight->dir : et_dir_other(flight->dir);

		if (n > flight->n - at)
			n = flight->n - at;
		if (draw(20)) {
			struct et_view bytes = { flight->p + at, n };

			CU_ASSERT_TRUE(et_tls_feed(tls, &env, dir, bytes, 1) <= n);
		} else {
			et_tls_gap(tls, &env, dir, n);
		}
		at += n;
	}
}

static void damaged(void)
{
	struct et_tls_env shared = env;

	env.pool = et_tls_pool_new(20000); /* empty now and then */
	for (int round = 0; round < 20000; round++) {
		const struct peers *run = &runs[draw((uint32_t)cases_cnt)];
		struct et_tls tls;

		et_tls_init(&tls);
		for (size_t i = 0; i < run->cnt; i++) {
			struct peers_flight copy = run->flights[i];

			copy.p = malloc(copy.n);
			memcpy(copy.p, run->flights[i].p, copy.n);
			damage(&copy);
			feed_damaged(&tls, &copy);
			free(copy.p);
		}
		et_tls_done(&tls, &env);
	}
	et_tls_pool_free(env.pool);
	env = shared;
}

CU_TestInfo fuzz_tests[] = {
	{ "damaged handshakes", damaged },
	CU_TEST_INFO_NULL,
};
