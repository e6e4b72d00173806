/* SPDX-License-Identifier: BSD-3-Clause */
/* Do the facts say what a real TLS stack says of the same handshake, however it was cut? */
#define OPENSSL_SUPPRESS_DEPRECATED /* the primes of RFC 5114 */
#include "tls_test.h"

#include <openssl/bn.h>
#include <openssl/dh.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define V10 ET_TLSV1_0
#define V11 ET_TLSV1_1
#define V12 ET_TLSV1_2
#define V13 ET_TLSV1_3

const struct peers_case cases[] = {
	{ .name = "1.3", .sni = "mx.example.net" },
	{ .name = "1.3 P-521", .client_groups = "P-521", .ecdsa = true },
	{ .name = "1.3 ffdhe2048", .client_groups = "ffdhe2048" },
	{ .name = "1.3 retry", .client_groups = "P-256:P-384", .server_groups = "P-384" },
	{ .name = "1.3 client certificate", .ask_cert = true, .client_cert = true },
	{ .name = "1.3 resumed", .resume = true },
	{ .name = "1.3 retry resumed",
		.client_groups = "P-256:P-384",
		.server_groups = "P-384",
		.resume = true },
	{ .name = "1.3 alpn", .alpn_clash = true },
	{ .name = "1.3 distrust", .distrust = true },
	{ .name = "1.2 offered with 1.3", .server_max = V12 },
	{ .name = "1.2 offered with 1.3, resumed", .server_max = V12, .resume = true },
	{ .name = "1.2 ecdhe rsa", .client_max = V12, .ciphers = "ECDHE-RSA-AES256-GCM-SHA384" },
	{ .name = "1.2 ecdhe ecdsa", .client_max = V12, .ecdsa = true },
	{ .name = "1.2 dhe", .client_max = V12, .ciphers = "DHE-RSA-AES128-SHA" },
	{ .name = "1.2 rsa", .client_max = V12, .ciphers = "AES128-SHA" },
	{ .name = "1.2 null", .client_max = V12, .ciphers = "NULL-SHA:@SECLEVEL=0" },
	{ .name = "1.2 adh", .client_max = V12, .ciphers = "ADH-AES256-GCM-SHA384:@SECLEVEL=0" },
	{ .name = "1.2 aecdh", .client_max = V12, .ciphers = "AECDH-AES128-SHA:@SECLEVEL=0" },
	{ .name = "1.2 psk", .client_max = V12, .ciphers = "PSK-AES128-CBC-SHA", .psk = true },
	{ .name = "1.2 dhe psk",
		.client_max = V12,
		.ciphers = "DHE-PSK-AES128-CBC-SHA",
		.psk = true },
	{ .name = "1.2 ecdhe psk",
		.client_max = V12,
		.ciphers = "ECDHE-PSK-AES128-CBC-SHA",
		.psk = true },
	{ .name = "1.2 ticket", .client_max = V12, .resume = true },
	{ .name = "1.2 session id", .client_max = V12, .resume = true, .no_ticket = true },
	{ .name = "1.2 adh resumed",
		.client_max = V12,
		.resume = true,
		.ciphers = "ADH-AES256-GCM-SHA384:@SECLEVEL=0" },
	{ .name = "1.2 client certificate",
		.client_max = V12,
		.ask_cert = true,
		.client_cert = true },
	{ .name = "1.2 no client certificate", .client_max = V12, .ask_cert = true },
	{ .name = "1.2 distrust", .client_max = V12, .distrust = true },
	{ .name = "1.2 no shared cipher",
		.client_max = V12,
		.ciphers = "AES128-SHA",
		.server_ciphers = "AES256-SHA" },
	{ .name = "1.1", .client_max = V11, .ciphers = "ALL:@SECLEVEL=0" },
	{ .name = "1.0", .client_max = V10, .ciphers = "ALL:@SECLEVEL=0" },
	{ .name = "1.0 dhe", .client_max = V10, .ciphers = "DHE-RSA-AES128-SHA:@SECLEVEL=0" },
	{ .name = "version clash", .client_min = V13, .server_max = V12 },
};
const size_t cases_cnt = sizeof(cases) / sizeof(cases[0]);
struct peers runs[sizeof(cases) / sizeof(cases[0])];

bool make_runs(void)
{
	bool ok = true;

	for (size_t i = 0; i < cases_cnt; i++)
		ok &= peers_run(&runs[i], &cases[i]);
	return ok;
}

void free_runs(void)
{
	for (size_t i = 0; i < cases_cnt; i++)
		peers_free(&runs[i]);
}

static void check_established(
	const struct peers_case *how, const struct peers *run, const struct et_tls_facts *facts)
{
	bool tls13 = run->version == V13;
	uint32_t ends = ET_TLS_SAW_CCS | ET_TLS_SAW_FINISHED;

	CU_ASSERT_EQUAL(facts->version, run->version);
	CU_ASSERT_EQUAL(facts->cipher, run->cipher);
	CU_ASSERT_EQUAL(facts->resumed, run->reused);
	CU_ASSERT_EQUAL(facts->resumed, how->resume);
	if (tls13 || (!run->reused && !facts->dh_bits))
		CU_ASSERT_EQUAL(facts->group, run->group);
	CU_ASSERT_EQUAL(
		facts->hello_retry, how->server_groups && strcmp(how->server_groups, "P-384") == 0);
	CU_ASSERT_EQUAL(facts->dh_bits != 0, !run->reused && how->ciphers &&
						     (strncmp(how->ciphers, "DHE", 3) == 0 ||
							     strncmp(how->ciphers, "ADH", 3) == 0));
	for (int dir = 0; dir < 2; dir++) {
		const struct et_tls_side_facts *side = &facts->side[dir];

		if (!tls13) {
			CU_ASSERT_EQUAL(side->seen & ends, ends);
			CU_ASSERT_TRUE(side->alert.seen && side->alert.encrypted);
			/* OpenSSL puts an empty record before each in TLS 1.0, against BEAST */
			CU_ASSERT_EQUAL(side->app_records, run->version == V10 ? 4 : 2);
			CU_ASSERT_EQUAL(side->finished_ns, 1);
		}
		CU_ASSERT_EQUAL(!!(side->seen & ET_TLS_SAW_FINISHED), !tls13);
		CU_ASSERT_FALSE(side->lost);
		CU_ASSERT_FALSE(side->cut_message);
		CU_ASSERT_EQUAL(side->app_last_is_end, tls13);
	}
}

static void check_certificates(
	const struct peers_case *how, const struct peers *run, const struct et_tls_facts *facts)
{
	bool plain = run->version < V13 && !run->reused;
	bool anonymous =
		how->psk || (how->ciphers && (strncmp(how->ciphers, "ADH", 3) == 0 ||
						     strncmp(how->ciphers, "AECDH", 5) == 0));

	CU_ASSERT_EQUAL(facts->chain[ET_SERVER] != 0, plain && !anonymous);
	CU_ASSERT_EQUAL(facts->chain[ET_CLIENT] != 0, plain && how->client_cert);
	CU_ASSERT_EQUAL(
		facts->certificate_empty[ET_CLIENT], plain && how->ask_cert && !how->client_cert);
	CU_ASSERT_EQUAL(
		!!(facts->side[1].seen & ET_TLS_SAW_CERTIFICATE_REQUEST), plain && how->ask_cert);
	CU_ASSERT_EQUAL(
		!!(facts->side[0].seen & ET_TLS_SAW_CERTIFICATE_VERIFY), plain && how->client_cert);
}

static void as_openssl_says(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		struct et_tls_facts facts = facts_of(runs[i].flights, runs[i].cnt, CUT_NONE);
		struct et_view name = et_dict_get(env.names, facts.sni);
		unsigned before = CU_get_number_of_failures();

		if (runs[i].done) {
			check_established(&cases[i], &runs[i], &facts);
			check_certificates(&cases[i], &runs[i], &facts);
		}
		CU_ASSERT_EQUAL(name.n, cases[i].sni ? strlen(cases[i].sni) : 0);
		CU_ASSERT(facts.hello != 0);
		CU_ASSERT_EQUAL(facts.ske_sigalg != 0, facts.version == V12 &&
							       (facts.group || facts.dh_bits) &&
							       facts.chain[ET_SERVER]);
		if (CU_get_number_of_failures() != before)
			fprintf(stderr, "\n  in %s\n", cases[i].name);
	}
}

static void failures(void)
{
	static const struct {
		const char *name;
		enum et_dir from;
		uint8_t code;
	} table[] = {
		{ "1.3 alpn", ET_SERVER, 120 },
		{ "1.3 distrust", ET_CLIENT, 48 },
		{ "1.2 distrust", ET_CLIENT, 48 },
		{ "1.2 no shared cipher", ET_SERVER, 40 },
		{ "version clash", ET_SERVER, 70 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t run = 0;
		struct et_tls_facts facts;
		const struct et_tls_alert *alert;

		while (strcmp(cases[run].name, table[i].name) != 0)
			run++;
		facts = facts_of(runs[run].flights, runs[run].cnt, CUT_NONE);
		alert = &facts.side[table[i].from].alert;
		CU_ASSERT_FALSE(runs[run].done);
		CU_ASSERT_TRUE(alert->seen);
		if (!alert->encrypted) {
			CU_ASSERT_EQUAL(alert->level, 2);
			CU_ASSERT_EQUAL(alert->code, table[i].code);
		}
		if (alert->encrypted || alert->code != table[i].code)
			fprintf(stderr, "\n  in %s\n", table[i].name);
		CU_ASSERT_FALSE(alert->encrypted);
	}
}

static void split_at_every_byte(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		struct et_tls_facts whole = facts_of(runs[i].flights, runs[i].cnt, CUT_NONE);
		struct et_tls_facts other = facts_of(runs[i].flights, runs[i].cnt, CUT_BYTES);
		struct peers_flight flights[PEERS_FLIGHTS + 1];

		CU_ASSERT_TRUE(facts_equal(cases[i].name, &whole, &other));
		for (size_t f = 0; f < runs[i].cnt; f++) {
			memcpy(flights, runs[i].flights, (f + 1) * sizeof(flights[0]));
			memcpy(flights + f + 1, runs[i].flights + f,
				(runs[i].cnt - f) * sizeof(flights[0]));
			for (size_t at = 1; at < runs[i].flights[f].n; at++) {
				flights[f].n = at;
				flights[f + 1].p = runs[i].flights[f].p + at;
				flights[f + 1].n = runs[i].flights[f].n - at;
				other = facts_of(flights, runs[i].cnt + 1, CUT_NONE);
				if (!facts_equal(cases[i].name, &whole, &other)) {
					CU_FAIL("split");
					break;
				}
			}
		}
	}
}

/* Which direction comes first must not matter; talk is about order, and is left out. */
static void either_direction_first(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		struct et_tls_facts mixed = facts_of(runs[i].flights, runs[i].cnt, CUT_NONE);

		for (int first = 0; first < 2; first++) {
			struct peers_flight flights[PEERS_FLIGHTS];
			struct et_tls_facts sorted;
			size_t n = 0;

			for (int turn = 0; turn < 2; turn++) {
				for (size_t f = 0; f < runs[i].cnt; f++) {
					if ((int)runs[i].flights[f].dir ==
						(turn ? 1 - first : first))
						flights[n++] = runs[i].flights[f];
				}
			}
			sorted = facts_of(flights, n, CUT_NONE);
			for (int dir = 0; dir < 2; dir++)
				sorted.side[dir].talk = mixed.side[dir].talk;
			CU_ASSERT_TRUE(facts_equal(cases[i].name, &mixed, &sorted));
		}
	}
}

/* The flight with its clear handshake records cut into records of `len` bytes, or joined. */
static struct peers_flight reframe(
	const struct peers_flight *in, size_t len, bool *keys, bool tls13)
{
	struct peers_flight out = { .dir = in->dir, .p = malloc(in->n * 6 + 16) };
	struct et_cur cur = et_cur(in->p, in->n);
	uint8_t *open = NULL; /* header of the record that takes more */

	while (cur.n > 0) {
		struct et_view head = et_take(&cur, 5);
		struct et_view body = et_take(&cur, (size_t)(head.p[3] << 8 | head.p[4]));
		bool clear = head.p[0] == ET_TLS_HANDSHAKE && !keys[in->dir];

		if (head.p[0] == ET_TLS_CCS && !tls13)
			keys[in->dir] = true;
		for (size_t at = 0; at < body.n; at++) {
			size_t n = open ? (size_t)(open[3] << 8 | open[4]) : 0;

			if (!open || (clear ? n == len : at == 0)) {
				open = out.p + out.n;
				memcpy(open, head.p, 3);
				out.n += 5;
				n = 0;
			}
			out.p[out.n++] = body.p[at];
			open[3] = (uint8_t)((n + 1) >> 8);
			open[4] = (uint8_t)(n + 1);
		}
		if (!clear)
			open = NULL;
	}
	return out;
}

/* A message is not a record: one byte a record, some, or many messages in one. */
static void records_cut_and_joined(void)
{
	static const size_t lens[] = { 1, 2, 3, 5, 7, 100, 16384 };

	for (size_t i = 0; i < cases_cnt * sizeof(lens) / sizeof(lens[0]); i++) {
		const struct peers *run = &runs[i % cases_cnt];
		struct et_tls_facts whole = facts_of(run->flights, run->cnt, CUT_NONE), other;
		struct peers_flight flights[PEERS_FLIGHTS];
		bool keys[2] = { false, false };

		for (size_t f = 0; f < run->cnt; f++)
			flights[f] = reframe(
				&run->flights[f], lens[i / cases_cnt], keys, whole.version == V13);
		for (int cut = CUT_NONE; cut <= CUT_BYTES; cut++) {
			other = facts_of(flights, run->cnt, (enum cut)cut);
			for (int dir = 0; dir < 2; dir++)
				other.side[dir].records = whole.side[dir].records;
			CU_ASSERT_TRUE(facts_equal(cases[i % cases_cnt].name, &whole, &other));
		}
		for (size_t f = 0; f < run->cnt; f++)
			free(flights[f].p);
	}
}

/* The facts of the handshake, without what counts records. */
static struct et_tls_facts readable(struct et_tls_facts facts)
{
	for (int dir = 0; dir < 2; dir++) {
		struct et_tls_side_facts *side = &facts.side[dir];

		*side = (struct et_tls_side_facts){ .seen = side->seen, .lost = side->lost };
	}
	return facts;
}

/* With a hole of len bytes at `at` of flight f. */
static struct et_tls_facts with_hole(
	const struct peers *run, size_t f, size_t at, size_t len, enum cut cut)
{
	struct et_tls tls;

	et_tls_init(&tls);
	for (size_t i = 0; i < run->cnt; i++) {
		const struct peers_flight *flight = &run->flights[i];
		size_t step = cut == CUT_BYTES ? 1 : 1448, end = i == f ? at : flight->n;

		for (size_t p = 0; p < end; p += step)
			et_tls_feed(&tls, &env, flight->dir,
				(struct et_view){ flight->p + p, end - p < step ? end - p : step },
				1);
		if (i != f)
			continue;
		et_tls_gap(&tls, &env, flight->dir, len);
		for (size_t p = at + len; p < flight->n; p += step)
			et_tls_feed(&tls, &env, flight->dir,
				(struct et_view){ flight->p + p,
					flight->n - p < step ? flight->n - p : step },
				1);
	}
	et_tls_done(&tls, &env);
	return tls.facts;
}

/* Nothing is made up from what a hole left: a fact is as without the hole, or not known. */
static bool not_made_up(const struct et_tls_facts *whole, const struct et_tls_facts *holed)
{
	bool ok = !holed->resumed || whole->resumed;

	/* with a retry, the second hello is read where the first is missing */
	ok &= !holed->hello || holed->hello == whole->hello || whole->hello_retry;
	ok &= !holed->server_hello || holed->server_hello == whole->server_hello;
	ok &= !holed->version || holed->version == whole->version;
	ok &= !holed->group || holed->group == whole->group;
	ok &= !holed->dh_bits || holed->dh_bits == whole->dh_bits;
	ok &= !holed->ske_sigalg || holed->ske_sigalg == whole->ske_sigalg;
	for (int dir = 0; dir < 2; dir++)
		ok &= !holed->chain[dir] || holed->chain[dir] == whole->chain[dir];
	return ok;
}

/* Wherever bytes are missing, either nothing was to be read there, or the facts say `lost`. */
static void holes(void)
{
	static const size_t lens[] = { 1, 5, 100, 1448 };

	for (size_t i = 0; i < cases_cnt; i++) {
		struct et_tls_facts whole =
			readable(facts_of(runs[i].flights, runs[i].cnt, CUT_NONE));

		for (size_t f = 0; f < runs[i].cnt; f++) {
			const struct peers_flight *flight = &runs[i].flights[f];

			for (size_t n = 0; n < 2 * flight->n; n++) {
				size_t at = n / 2, len = lens[n % 4];
				struct et_tls_facts other;

				if (len > flight->n - at)
					len = flight->n - at;
				other = with_hole(
					&runs[i], f, at, len, n % 3 ? CUT_NONE : CUT_BYTES);
				if (other.side[flight->dir].lost) {
					CU_ASSERT_TRUE(not_made_up(&whole, &other));
					continue;
				}
				other = readable(other);
				if (!facts_equal(cases[i].name, &whole, &other)) {
					fprintf(stderr, "    flight %zu hole at %zu of %zu\n", f,
						at, len);
					CU_FAIL("hole");
				}
			}
		}
	}
}

/* The primes as OpenSSL has them: of those that are shared, the short ones are to be known. */
static void well_known_primes(void)
{
	DH *dh = DH_get_1024_160();
	const struct {
		BIGNUM *prime;
		bool known;
	} rows[] = { { BN_get_rfc2409_prime_768(NULL), true },
		{ BN_get_rfc2409_prime_1024(NULL), true },
		{ BN_get_rfc3526_prime_1536(NULL), true },
		{ BN_get_rfc3526_prime_2048(NULL), false }, { BN_dup(DH_get0_p(dh)), true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t bytes[257] = { 0 };
		int n = BN_num_bytes(rows[i].prime);

		BN_bn2bin(rows[i].prime, bytes + 1);
		CU_ASSERT_EQUAL(
			et_tls_prime_is_well_known((struct et_view){ bytes + 1, (size_t)n }),
			rows[i].known);
		CU_ASSERT_EQUAL(
			et_tls_prime_is_well_known((struct et_view){ bytes, (size_t)n + 1 }),
			rows[i].known);
		bytes[n / 2] ^= 1;
		CU_ASSERT_FALSE(
			et_tls_prime_is_well_known((struct et_view){ bytes + 1, (size_t)n }));
		BN_free(rows[i].prime);
	}
	CU_ASSERT_FALSE(et_tls_prime_is_well_known((struct et_view){ NULL, 0 }));
	DH_free(dh);
}

CU_TestInfo handshake_tests[] = {
	{ "well-known primes", well_known_primes },
	{ "facts are what OpenSSL says", as_openssl_says },
	{ "failures give their alert", failures },
	{ "split at every byte", split_at_every_byte },
	{ "either direction first", either_direction_first },
	{ "records cut and joined", records_cut_and_joined },
	{ "holes", holes },
	CU_TEST_INFO_NULL,
};
