/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_test.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

struct et_tls_env env;
uint64_t drops[ET_DROP_MAX];

size_t unhex(uint8_t *out, size_t cap, const char *hex)
{
	size_t n = 0;
	unsigned value;

	for (; *hex && n < cap; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (sscanf(hex, "%2x", &value) != 1)
			break;
		out[n++] = (uint8_t)value;
	}
	return n;
}

struct et_tls_facts facts_of(const struct peers_flight *flights, size_t cnt, enum cut cut)
{
	struct et_tls tls;

	et_tls_init(&tls);
	for (size_t i = 0; i < cnt; i++) {
		size_t step = cut == CUT_BYTES ? 1 : flights[i].n;

		for (size_t at = 0; at < flights[i].n; at += step) {
			struct et_view bytes = { flights[i].p + at, step };

			if (et_tls_feed(&tls, &env, flights[i].dir, bytes, 1) != step)
				break;
		}
	}
	et_tls_done(&tls, &env);
	return tls.facts;
}

static void print_facts(const struct et_tls_facts *f)
{
	fprintf(stderr,
		"    version %04x cipher %04x hello %u server %u group %u dh %u sigalg %04x"
		" chain %u/%u resumed %d retry %d\n",
		f->version, f->cipher, f->hello, f->server_hello, f->group, f->dh_bits,
		f->ske_sigalg, f->chain[0], f->chain[1], f->resumed, f->hello_retry);
	for (int dir = 0; dir < 2; dir++) {
		const struct et_tls_side_facts *s = &f->side[dir];

		fprintf(stderr,
			"    %d: seen %x alert %d%d %u/%u records %u app %u/%u lost %d cut %d\n",
			dir, s->seen, s->alert.seen, s->alert.encrypted, s->alert.level,
			s->alert.code, s->records, s->app_records, s->talk.replies, s->lost,
			s->cut_message);
	}
}

bool facts_equal(const char *name, const struct et_tls_facts *a, const struct et_tls_facts *b)
{
	if (memcmp(a, b, sizeof(*a)) == 0)
		return true;
	fprintf(stderr, "\n  %s: facts differ\n", name);
	print_facts(a);
	print_facts(b);
	return false;
}

static int open_env(void)
{
	env = (struct et_tls_env){
		.hellos = et_dict_new(1 << 20, 64 << 20),
		.server_hellos = et_dict_new(1 << 20, 64 << 20),
		.chains = et_dict_new(1 << 20, 64 << 20),
		.names = et_dict_new(1 << 20, 64 << 20),
		.pool = et_tls_pool_new(1 << 20),
		.drops = drops,
	};
	return make_runs() ? 0 : 1;
}

static int close_env(void)
{
	free_runs();
	et_dict_free(env.hellos);
	et_dict_free(env.server_hellos);
	et_dict_free(env.chains);
	et_dict_free(env.names);
	et_tls_pool_free(env.pool);
	return 0;
}

int main(void)
{
	CU_SuiteInfo suites[] = {
		{ "tls messages", open_env, close_env, NULL, NULL, message_tests },
		{ "tls sslv2", open_env, close_env, NULL, NULL, sslv2_tests },
		{ "tls handshakes", open_env, close_env, NULL, NULL, handshake_tests },
		{ "tls fuzz", open_env, close_env, NULL, NULL, fuzz_tests },
		CU_SUITE_INFO_NULL,
	};

	return unit_run_suites(suites);
}
