/* SPDX-License-Identifier: BSD-3-Clause */
/* Do sums come out the same however the sessions are split over tables? */
#include "et_peer.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct et_session session(uint8_t client, uint8_t server)
{
	struct et_session s = { .service = ET_SERVICE_SMTP,
		.mode = ET_MODE_STARTTLS,
		.handshake_ns = -1,
		.alert_from = -1,
		.alert_code = -1 };

	s.addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ 198, 51, 100, client });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, server });
	return s;
}

/* Everything that a table tells, as text in an order of its own. */
static int line_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What a cell counts, in words that do not depend on the table's own numbers. */
static void dump_cell(
	char out[static 96], struct et_peer_table *table, const struct et_peer_cell *cell)
{
	unsigned long long key = cell->key;
	struct et_peer_failure failure;
	struct et_peer_accept accept;
	struct et_view code = { 0 };

	switch ((enum et_peer_kind)cell->kind) {
	case ET_PEER_CAUSES:
		key = 0;
		code = et_peer_cause(table, cell);
		break;
	case ET_PEER_FAILURES:
		failure = et_peer_failure(table, cell);
		key = (unsigned long long)failure.confidence << 32 | failure.hello;
		code = failure.code;
		break;
	case ET_PEER_ACCEPTS:
		accept = et_peer_accept(table, cell);
		snprintf(out, 96, "%d %x %x %u %u %u %u", (int)cell->kind, accept.version,
			accept.cipher, accept.group, accept.hello, accept.chain, cell->count);
		return;
	default: break;
	}
	snprintf(out, 96, "%d %llu %.*s %u", (int)cell->kind, key, (int)code.n,
		code.n ? (const char *)code.p : "", cell->count);
}

static void dump(char *out, size_t cap, struct et_peer_table *table)
{
	size_t at = 0;

	et_peer_sort(table);
	for (uint32_t i = 0; i < et_peer_cnt(table); i++) {
		const struct et_peer *peer = et_peer_at(table, i);
		char lines[768][96];
		size_t cnt = 0;

		at += (size_t)snprintf(out + at, cap - at, "%d %d %d\n",
			peer->addr[ET_CLIENT].b[15], peer->addr[ET_SERVER].b[15], peer->service);
		for (size_t c = 0; c < ET_PEER_COUNT_MAX; c++)
			at += (size_t)snprintf(out + at, cap - at, "%u ", peer->counts[c]);
		for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
			cell = et_peer_next(table, peer, cell)) {
			CU_ASSERT_FATAL(cnt < 768);
			dump_cell(lines[cnt++], table, cell);
		}
		qsort(lines, cnt, sizeof(*lines), line_cmp);
		for (size_t c = 0; c < cnt; c++)
			at += (size_t)snprintf(out + at, cap - at, "%s\n", lines[c]);
		CU_ASSERT_FATAL(at < cap);
	}
}

/* Which counters each fact of a session raises. */
static void test_rules(void)
{
	struct et_session rows_of[] = { session(1, 1), session(1, 1), session(1, 1), session(1, 1),
		session(1, 1), session(1, 1), session(1, 1) };
	uint32_t expect[7][ET_PEER_COUNT_MAX] = { 0 };

	rows_of[1].outcome = ET_OUTCOME_ESTABLISHED;
	rows_of[1].tls.resumed = rows_of[1].tls.hello_retry = true;
	expect[1][ET_PEER_TLS_ESTABLISHED] = expect[1][ET_PEER_RESUMED] = 1;
	expect[1][ET_PEER_HELLO_RETRY] = 1;
	rows_of[2].outcome = ET_OUTCOME_FAILED;
	rows_of[2].mail.offered = ET_YES;
	rows_of[2].mail.requested = true;
	rows_of[2].mail.reply = 220;
	expect[2][ET_PEER_TLS_FAILED] = expect[2][ET_PEER_STARTTLS_OFFERED] = 1;
	expect[2][ET_PEER_STARTTLS_REQUESTED] = 1;
	rows_of[3].outcome = ET_OUTCOME_NONE;
	rows_of[3].mail.requested = true;
	rows_of[3].mail.reply = 454;
	rows_of[3].mail.clear_mail = 3;
	expect[3][ET_PEER_STARTTLS_REQUESTED] = expect[3][ET_PEER_STARTTLS_REFUSED] = 1;
	expect[3][ET_PEER_CLEAR_MAIL] = 3;
	expect[3][ET_PEER_CLEAR_SESSIONS] = 1;
	rows_of[4].outcome = ET_OUTCOME_BROKEN;
	rows_of[4].mail.offered = ET_NO;
	rows_of[4].mail.masked = true;
	expect[4][ET_PEER_TLS_BROKEN] = expect[4][ET_PEER_STARTTLS_NOT_OFFERED] = 1;
	expect[4][ET_PEER_STARTTLS_MASKED] = 1;
	rows_of[5].outcome = ET_OUTCOME_INCOMPLETE;
	rows_of[5].mail.reply_injected = rows_of[5].mail.auth_clear = true;
	expect[5][ET_PEER_TLS_INCOMPLETE] = expect[5][ET_PEER_INJECTED] = 1;
	expect[5][ET_PEER_AUTH_CLEAR] = 1;
	rows_of[6].outcome = ET_OUTCOME_UNKNOWN;
	rows_of[6].mail.injected = true;
	expect[6][ET_PEER_TLS_UNKNOWN] = expect[6][ET_PEER_INJECTED] = 1;
	expect[6][ET_PEER_FALLBACKS] = 1;

	for (size_t i = 0; i < 7; i++) {
		struct et_peer_table *table = et_peer_table_new(8, 64);

		CU_ASSERT_PTR_NOT_NULL_FATAL(table);
		expect[i][ET_PEER_SESSIONS] = 1;
		et_peer_add(table, &rows_of[i], NULL, i == 6);
		for (size_t c = 0; c < ET_PEER_COUNT_MAX; c++)
			CU_ASSERT_EQUAL(et_peer_at(table, 0)->counts[c], expect[i][c]);
		et_peer_table_free(table);
	}
}

static uint32_t cell_count(const struct et_peer_table *table, enum et_peer_kind kind, uint64_t key)
{
	const struct et_peer_cell *cell = NULL;

	while ((cell = et_peer_next(table, et_peer_at(table, 0), cell)))
		if (cell->kind == (uint64_t)kind && cell->key == key)
			return cell->count;
	return 0;
}

static void test_maps(void)
{
	static const struct {
		int64_t ns;
		unsigned bucket;
	} times[] = { { 0, 0 }, { 100000, 0 }, { 100001, 1 }, { 1000000, 3 }, { 60000000000, 17 },
		{ 60000000001, 18 }, { INT64_MAX, 18 } };
	struct et_peer_table *table = et_peer_table_new(8, 64);
	struct et_session s = session(1, 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	s.tls.version = ET_TLSV1_2;
	s.tls.cipher = 0xc030;
	s.tls.group = 0x17;
	s.outcome = ET_OUTCOME_FAILED; /* what was negotiated counts when it was established */
	s.alert_from = ET_SERVER;
	s.alert_code = 40;
	s.tls.hello = 5;
	s.tls.chain[ET_SERVER] = 6;
	et_peer_add(table, &s, &(struct et_cause){ .code = "no_shared_cipher" }, false);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_VERSIONS, ET_TLSV1_2), 0);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_ALERTS, ET_SERVER << 16 | 40), 1);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_HELLOS, 5), 1);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_CHAINS, 6), 1);
	s.outcome = ET_OUTCOME_ESTABLISHED;
	s.alert_code = -1;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		uint32_t before = cell_count(table, ET_PEER_HANDSHAKE_MS, times[i].bucket);

		s.handshake_ns = times[i].ns;
		et_peer_add(table, &s, NULL, false);
		CU_ASSERT_EQUAL(
			cell_count(table, ET_PEER_HANDSHAKE_MS, times[i].bucket), before + 1);
	}
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_VERSIONS, ET_TLSV1_2), 7);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_CIPHERS, 0xc030), 7);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_GROUPS, 0x17), 7);
	CU_ASSERT_EQUAL(
		cell_count(table, ET_PEER_VERSION_CIPHERS, et_peer_cipher_key(ET_TLSV1_2, 0xc030)),
		7);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_ALERTS, ET_SERVER << 16 | ET_PEER_NO_CODE), 7);
	et_peer_table_free(table);
}

static uint32_t trait_count(
	const struct et_peer_table *table, enum et_peer_trait trait, uint32_t hello)
{
	return cell_count(table, ET_PEER_TRAITS, et_peer_trait_key(trait, hello));
}

/* Each trait, and what it takes. */
static void test_traits(void)
{
	static const struct {
		enum et_peer_trait trait;
		uint16_t version;
		uint32_t hello;
		bool ems, renegotiation;
		uint8_t compression, downgrade;
		uint32_t cipher;
		uint32_t expect;
	} rows[] = {
		{ ET_PEER_TRAIT_COMPRESSION, ET_TLSV1_0, 5, 0, 0, 1, 0, 5, 1 },
		{ ET_PEER_TRAIT_COMPRESSION, ET_TLSV1_0, 5, 0, 0, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_COMPRESSION, ET_SSLV2, 5, 0, 0, 1, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_EMS, ET_TLSV1_2, 5, 0, 0, 0, 0, 5, 1 },
		{ ET_PEER_TRAIT_NO_EMS, ET_TLSV1_2, 5, 1, 0, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_EMS, ET_TLSV1_2, 0, 0, 0, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_EMS, ET_TLSV1_3, 5, 0, 0, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_EMS, ET_SSLV3, 5, 0, 0, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_RENEGOTIATION, ET_SSLV3, 5, 0, 0, 0, 0, 5, 1 },
		{ ET_PEER_TRAIT_NO_RENEGOTIATION, ET_TLSV1_2, 5, 0, 1, 0, 0, 5, 0 },
		{ ET_PEER_TRAIT_NO_RENEGOTIATION, 0, 5, 0, 0, 0, 0, 0, 0 },
		{ ET_PEER_TRAIT_ANONYMOUS, ET_TLSV1_2, 5, 0, 0, 0, 0, 0xa7, 1 },
		{ ET_PEER_TRAIT_ANONYMOUS, ET_TLSV1_2, 5, 0, 0, 0, 0, 0xc02f, 0 },
		{ ET_PEER_TRAIT_ANONYMOUS, ET_SSLV2, 5, 0, 0, 0, 0, 0xa7, 0 },
		{ ET_PEER_TRAIT_DOWNGRADE_FROM_12, ET_TLSV1_1, 5, 0, 0, 0, 1, 5, 1 },
		{ ET_PEER_TRAIT_DOWNGRADE_FROM_13, ET_TLSV1_2, 5, 0, 0, 0, 2, 5, 1 },
		{ ET_PEER_TRAIT_DOWNGRADE_FROM_13, ET_TLSV1_3, 5, 0, 0, 0, 2, 5, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_peer_table *table = et_peer_table_new(8, 64);
		struct et_session s = session(1, 1);
		bool of_hello = rows[i].trait == ET_PEER_TRAIT_NO_EMS ||
				rows[i].trait == ET_PEER_TRAIT_NO_RENEGOTIATION;

		CU_ASSERT_PTR_NOT_NULL_FATAL(table);
		s.tls.version = rows[i].version;
		s.tls.hello = rows[i].hello;
		s.tls.ems = rows[i].ems;
		s.tls.secure_renegotiation = rows[i].renegotiation;
		s.tls.compression = rows[i].compression;
		s.tls.downgrade = rows[i].downgrade;
		s.tls.cipher = rows[i].cipher;
		et_peer_add(table, &s, NULL, false);
		CU_ASSERT_EQUAL(trait_count(table, rows[i].trait, of_hello ? rows[i].hello : 0),
			rows[i].expect);
		et_peer_table_free(table);
	}
}

/* What went with what; tables of sums leave it out. */
static void test_more(void)
{
	static const struct et_cause cause = { .code = "a/b", .confidence = ET_LIKELY };

	for (unsigned fixed = 0; fixed < 2; fixed++) {
		struct et_peer_table *table =
			fixed ? et_peer_table_new_fixed(8, 64) : et_peer_table_new(8, 64);
		struct et_session s = session(1, 1);
		const struct et_peer_cell *cell = NULL;
		unsigned failures = 0, accepts = 0;

		s.outcome = ET_OUTCOME_FAILED;
		s.mail.requested = true;
		s.mail.reply = 454;
		s.tls.hello = 7;
		s.tls.dh_bits = 1024;
		s.tls.ske_sigalg = 0x0201;
		s.tls.early_data = true;
		s.tls.side[ET_SERVER].seen = ET_TLS_SAW_CERTIFICATE_REQUEST;
		s.tls.side[ET_CLIENT].seen = ET_TLS_SAW_CERTIFICATE;
		et_peer_add(table, &s, &cause, false);
		s.outcome = ET_OUTCOME_ESTABLISHED;
		s.mail.reply = 220;
		s.tls.version = ET_TLSV1_2;
		s.tls.cipher = 0xc02c;
		s.tls.group = 0x18;
		s.tls.chain[ET_SERVER] = 9;
		s.tls.certificate_empty[ET_CLIENT] = true;
		et_peer_add(table, &s, NULL, false);
		while ((cell = et_peer_next(table, et_peer_at(table, 0), cell))) {
			struct et_peer_failure failure;
			struct et_peer_accept accept;

			if (cell->kind == ET_PEER_FAILURES) {
				failure = et_peer_failure(table, cell);
				CU_ASSERT_TRUE(
					failure.confidence == ET_LIKELY && failure.hello == 7);
				CU_ASSERT_EQUAL(failure.code.n, 3);
				failures += cell->count;
			} else if (cell->kind == ET_PEER_ACCEPTS) {
				accept = et_peer_accept(table, cell);
				CU_ASSERT_TRUE(accept.version == ET_TLSV1_2 &&
					       accept.cipher == 0xc02c && accept.group == 0x18 &&
					       accept.hello == 7 && accept.chain == 9);
				accepts += cell->count;
			}
		}
		CU_ASSERT_EQUAL(failures, !fixed);
		CU_ASSERT_EQUAL(accepts, !fixed);
		CU_ASSERT_EQUAL(cell_count(table, ET_PEER_DH_BITS, 1024), fixed ? 0 : 2);
		CU_ASSERT_EQUAL(cell_count(table, ET_PEER_SIGNATURES, 0x0201), fixed ? 0 : 2);
		CU_ASSERT_EQUAL(cell_count(table, ET_PEER_STARTTLS_REPLIES, 454), !fixed);
		CU_ASSERT_EQUAL(cell_count(table, ET_PEER_STARTTLS_REPLIES, 220), 0);
		CU_ASSERT_EQUAL(trait_count(table, ET_PEER_TRAIT_EARLY_DATA, 0), fixed ? 0 : 2);
		CU_ASSERT_EQUAL(
			trait_count(table, ET_PEER_TRAIT_CLIENT_CERT_REQUESTED, 0), fixed ? 0 : 2);
		CU_ASSERT_EQUAL(trait_count(table, ET_PEER_TRAIT_CLIENT_CERT_SENT, 0), !fixed);
		et_peer_table_free(table);
	}
}

#define MANY 3000

static struct et_session varied(unsigned i)
{
	struct et_session s = session((uint8_t)(i % 7), (uint8_t)(i % 3));

	s.service = (uint8_t)(1 + i % 2);
	s.outcome = (uint8_t)(i % ET_OUTCOME_MAX);
	s.tls.version = (uint16_t)(ET_TLSV1_0 + i % 4);
	s.tls.cipher = i % 11;
	s.tls.hello = 1 + i % 13;
	s.tls.chain[ET_SERVER] = i % 3;
	s.tls.ems = i % 2;
	s.handshake_ns = (int64_t)i * 100000;
	s.mail.clear_mail = i % 2;
	s.name[ET_CLIENT] = 1 + i % 3;
	return s;
}

/* Split over tables in several ways and merged in several orders: the same as one table. */
static void test_merge(void)
{
	static const struct et_cause causes[] = { { .code = "" },
		{ .code = "a", .confidence = ET_POSSIBLE }, { .code = "b/c" },
		{ .code = "d", .confidence = ET_LIKELY } };
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
	struct et_peer_table *one = et_peer_table_new(1000, 100000);
	size_t cap = 1 << 20;
	char *expect = calloc(1, cap), *got = calloc(1, cap);

	for (unsigned i = 0; i < MANY; i++) {
		struct et_session s = varied(i);

		et_peer_add(one, &s, &causes[i % 4], i % 5 == 0);
	}
	dump(expect, cap, one);
	CU_ASSERT_EQUAL(et_peer_cnt(one), 42);
	for (size_t o = 0; o < 3; o++) {
		struct et_peer_table *parts[3], *sum = et_peer_table_new(1000, 100000);

		for (size_t p = 0; p < 3; p++)
			parts[p] = et_peer_table_new(1000, 100000);
		for (unsigned n = 0; n < MANY; n++) {
			unsigned i = o == 1 ? MANY - 1 - n : n;
			struct et_session s = varied(i);

			et_peer_add(parts[o == 2 ? n * 3 / MANY : i % 3], &s, &causes[i % 4],
				i % 5 == 0);
		}
		for (size_t p = 0; p < 3; p++)
			et_peer_merge(sum, parts[orders[o][p]]);
		memset(got, 0, cap);
		dump(got, cap, sum);
		CU_ASSERT_STRING_EQUAL(got, expect);
		CU_ASSERT_EQUAL(et_peer_refused(sum), 0);
		for (size_t p = 0; p < 3; p++)
			et_peer_table_free(parts[p]);
		et_peer_table_free(sum);
	}
	et_peer_table_free(one);
	free(expect);
	free(got);
}

/* Full tables count what they leave out and keep what they have. */
static void test_bounds(void)
{
	struct et_peer_table *table = et_peer_table_new(3, 10);

	for (unsigned i = 0; i < 100; i++) {
		struct et_session s = session((uint8_t)i, 1);

		s.tls.hello = 1 + i;
		et_peer_add(table, &s, NULL, false);
	}
	CU_ASSERT_EQUAL(et_peer_cnt(table), 3);
	CU_ASSERT_EQUAL(et_peer_refused(table), 97);
	for (unsigned i = 0; i < 100; i++) {
		struct et_session s = session(0, 1);

		s.tls.hello = 1000 + i;
		et_peer_add(table, &s, NULL, false);
	}
	CU_ASSERT_EQUAL(et_peer_refused(table), 97 + 93);
	et_peer_sort(table);
	CU_ASSERT_EQUAL(et_peer_at(table, 0)->counts[ET_PEER_SESSIONS], 101);
	et_peer_clear(table);
	CU_ASSERT_EQUAL(et_peer_cnt(table), 0);
	CU_ASSERT_EQUAL(et_peer_refused(table), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct et_session s = session(0, 1);

		s.mail.clear_mail = UINT32_MAX - 1;
		et_peer_add(table, &s, NULL, false);
	}
	CU_ASSERT_EQUAL(et_peer_at(table, 0)->counts[ET_PEER_CLEAR_MAIL], UINT32_MAX);
	et_peer_table_free(table);
}

static void test_names(void)
{
	struct et_dict *names = et_dict_new(100, 1000);
	struct et_peer_table *table = et_peer_table_new(3, 100);
	static const char *const given[] = { "b", "c", "a", "b", "ab", "a" };

	for (size_t i = 0; i < 6; i++) {
		struct et_session s = session(1, 1);

		s.name[ET_CLIENT] = et_dict_put(names, NULL,
			(struct et_view){ (const uint8_t *)given[i], strlen(given[i]) });
		et_peer_add(table, &s, NULL, false);
	}
	/* a and b twice each: the first by its bytes */
	CU_ASSERT_EQUAL(et_peer_name(table, et_peer_at(table, 0), ET_CLIENT, names), 3);
	CU_ASSERT_EQUAL(et_peer_name(table, et_peer_at(table, 0), ET_SERVER, names), ET_DICT_NONE);
	et_peer_table_free(table);
	et_dict_free(names);
}

static void test_nets(void)
{
	static const struct {
		const char *text;
		int rc;
		bool holds; /* 192.0.2.25 */
	} rows[] = { { "192.0.2.25", 0, true }, { "192.0.2.0/24", 0, true },
		{ "192.0.2.24/31", 0, true }, { "192.0.2.26/31", 0, false },
		{ "0.0.0.0/0", 0, true }, { "::/0", 0, false }, { "2001:db8::/32", 0, false },
		{ "192.0.2.0/33", -EINVAL, false }, { "192.0.2.0/", -EINVAL, false },
		{ "192.0.2.0/+1", -EINVAL, false }, { "192.0.2", -EINVAL, false },
		{ "", -EINVAL, false }, { "::/129", -EINVAL, false },
		{ "mx.example.net", -EINVAL, false }, { "192.0.2.0/0000024", -EINVAL, false } };
	struct et_session s = session(7, 25);
	struct et_peer_net net;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT_EQUAL(et_peer_net_parse(&net, rows[i].text), rows[i].rc);
		if (rows[i].rc == 0 && strcmp(rows[i].text, "0.0.0.0/0") != 0)
			CU_ASSERT_EQUAL(et_peer_direction(&net, 1, &s.addr[0], &s.addr[1]),
				rows[i].holds ? ET_DIRECTION_IN : ET_DIRECTION_TRANSIT);
	}
	et_peer_net_parse(&net, "198.51.100.0/24");
	CU_ASSERT_EQUAL(et_peer_direction(&net, 1, &s.addr[0], &s.addr[1]), ET_DIRECTION_OUT);
	CU_ASSERT_EQUAL(et_peer_direction(&net, 0, &s.addr[0], &s.addr[1]), ET_DIRECTION_NONE);
	et_peer_net_parse(&net, "0.0.0.0/0");
	CU_ASSERT_EQUAL(et_peer_direction(&net, 1, &s.addr[0], &s.addr[1]), ET_DIRECTION_TRANSIT);
}

int main(void)
{
	CU_TestInfo tests[] = { { "rules", test_rules }, { "maps", test_maps },
		{ "traits", test_traits }, { "more", test_more }, { "merge", test_merge },
		{ "bounds", test_bounds }, { "names", test_names }, { "nets", test_nets },
		CU_TEST_INFO_NULL };

	return unit_run("peer", tests);
}
