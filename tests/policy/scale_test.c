/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANY 200000
/* Far above what it takes, far below what anything quadratic would. */
#define MANY_S 30

static uint64_t state = 1;

static uint32_t any(void)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 33);
}

/* Does any combination of numbers in the records, sensible or not, give a cause or none? */
void test_any_numbers(void)
{
	static const struct cert_spec specs[] = { { .key = "P-384" }, { .key = "RSA" },
		{ .key = "ED25519", .self_signed = true } };
	const struct hello_spec *hellos[] = { &exchange, &modern_12, &modern_13 };
	static const uint16_t versions[] = { 0, ET_SSLV2, ET_SSLV3, ET_TLSV1_0, ET_TLSV1_2,
		ET_TLSV1_3, 0xffff };
	struct et_session *sessions = calloc(20000, sizeof(*sessions));
	uint32_t chains[3], hello_ids[3];
	struct world w;

	world_init(&w);
	for (unsigned i = 0; i < 3; i++) {
		chains[i] = world_chain(&w, &specs[i]);
		hello_ids[i] = world_hello(&w, hellos[i]);
	}
	for (size_t i = 0; i < 20000; i++) {
		struct et_session *s = &sessions[i];
		uint8_t *p = (uint8_t *)&s->mail;

		w.cnt = 0;
		*s = *world_session(&w, (uint8_t)any());
		s->service = (uint8_t)any();
		s->mode = (uint8_t)(any() % 6);
		s->outcome = (uint8_t)(any() % 8);
		s->end = (uint8_t)(any() % 7);
		s->partial = any() % 4 ? 0 : (uint8_t)any();
		s->alert_from = (int8_t)(any() % 3) - 1;
		s->alert_code = (int16_t)(any() % 300 - 1);
		s->alert_level = (uint8_t)(any() % 4);
		s->inferred = (uint8_t)any();
		for (size_t k = 0; k < sizeof(s->mail) && any() % 2; k++)
			p[k] = any() % 4 == 0;
		s->mail.reply = (uint16_t)(any() % 3 ? 220 : any());
		s->tls.version = versions[any() % 7];
		s->tls.cipher = any() % 2 ? any() : 0xc02b;
		s->tls.group = (uint16_t)any();
		s->tls.hello = any() % 8 ? hello_ids[any() % 3] : 77;
		s->tls.chain[any() % 2] = any() % 8 ? chains[any() % 3] : 77;
		s->tls.sni = any() % 8;
		for (unsigned dir = 0; dir < 2; dir++) {
			s->tls.side[dir].seen = any() & any() & 0x3fff;
			s->tls.side[dir].app_records = any() % 3;
		}
	}
	w.policy = et_policy_new(&w.books, sessions, 20000);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.policy);
	for (size_t i = 0; i < 20000; i++) {
		const struct et_cause *cause = et_policy_cause(w.policy, i);

		CU_ASSERT(memchr(cause->why, '\0', ET_CAUSE_WHY) != NULL);
		CU_ASSERT_EQUAL(cause->code[0] != '\0', cause->why[0] != '\0');
		if (sessions[i].outcome == ET_OUTCOME_ESTABLISHED)
			CU_ASSERT_STRING_EQUAL(cause->code, "");
	}
	world_free(&w);
	free(sessions);
}

/* Does the work grow with the number of sessions only? Every second one fails; each client and server is its own. */
void test_many(void)
{
	static const struct cert_spec p384 = { .key = "P-384" };
	struct et_session *sessions = calloc(MANY, sizeof(*sessions));
	const struct et_cause *cause;
	struct et_session ok, failed;
	struct timespec a, b;
	struct world w;

	CU_ASSERT_PTR_NOT_NULL_FATAL(sessions);
	world_init(&w);
	ok = *world_established(&w, ET_TLSV1_2, 0xc02c, 0x18, &p384);
	failed = *world_refused(&w, &exchange, 40);
	for (uint32_t i = 0; i < MANY; i++) {
		sessions[i] = i % 2 ? failed : ok;
		sessions[i].index = i;
		sessions[i].start_ns = WORLD_START + (int64_t)i * 1000;
		memcpy(sessions[i].addr[ET_CLIENT].b + 12, &i, 4);
		for (unsigned k = 0; k < 2; k++) /* four sessions a server, ok and failed mixed */
			sessions[i].addr[ET_SERVER].b[14 + k] = (uint8_t)(i / 4 >> 8 * k);
		sessions[i].addr[ET_SERVER].b[13] = (uint8_t)(i / 4 >> 16);
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	w.policy = et_policy_new(&w.books, sessions, MANY);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CU_ASSERT_PTR_NOT_NULL_FATAL(w.policy);
	CU_ASSERT(b.tv_sec - a.tv_sec < MANY_S);
	if (getenv("EHLOTAP_SHOW"))
		printf("\n  %d sessions: %.2f s\n", MANY,
			(double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	cause = et_policy_cause(w.policy, MANY - 1);
	CU_ASSERT_STRING_EQUAL(cause->code, "no_shared_cipher/certificate_curve");
	world_free(&w);
	free(sessions);
}
