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

static void dump(char *out, size_t cap, struct et_peer_table *table)
{
	size_t at = 0;

	et_peer_sort(table);
	for (uint32_t i = 0; i < et_peer_cnt(table); i++) {
		const struct et_peer *peer = et_peer_at(table, i);
		char lines[256][64];
		size_t cnt = 0;

		at += (size_t)snprintf(out + at, cap - at, "%d %d %d\n",
			peer->addr[ET_CLIENT].b[15], peer->addr[ET_SERVER].b[15], peer->service);
		for (size_t c = 0; c < ET_PEER_COUNT_MAX; c++)
			at += (size_t)snprintf(out + at, cap - at, "%u ", peer->counts[c]);
		for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
			cell = et_peer_next(table, peer, cell)) {
			struct et_view code = { 0 };

			if (cell->kind == ET_PEER_CAUSES)
				code = et_peer_cause(table, cell);
			CU_ASSERT_FATAL(cnt < 256);
			snprintf(lines[cnt++], 64, "%d %llu %.*s %u", (int)cell->kind,
				cell->kind == ET_PEER_CAUSES ? 0ULL : (unsigned long long)cell->key,
				(int)code.n, code.n ? (const char *)code.p : "", cell->count);
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
	et_peer_add(table, &s, "no_shared_cipher", false);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_VERSIONS, ET_TLSV1_2), 0);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_ALERTS, ET_SERVER << 16 | 40), 1);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_HELLOS, 5), 1);
	CU_ASSERT_EQUAL(cell_count(table, ET_PEER_CHAINS, 6), 1);
	s.outcome = ET_OUTCOME_ESTABLISHED;
	s.alert_code = -1;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		uint32_t before = cell_count(table, ET_PEER_HANDSHAKE_MS, times[i].bucket);

		s.handshake_ns = times[i].ns;
		et_peer_add(table, &s, "", false);
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

#define MANY 3000

static struct et_session varied(unsigned i)
{
	struct et_session s = session((uint8_t)(i % 7), (uint8_t)(i % 3));

	s.service = (uint8_t)(1 + i % 2);
	s.outcome = (uint8_t)(i % ET_OUTCOME_MAX);
	s.tls.version = (uint16_t)(ET_TLSV1_0 + i % 4);
	s.tls.cipher = i % 11;
	s.tls.hello = 1 + i % 13;
	s.handshake_ns = (int64_t)i * 100000;
	s.mail.clear_mail = i % 2;
	s.name[ET_CLIENT] = 1 + i % 3;
	return s;
}

/* Split over tables in several ways and merged in several orders: the same as one table. */
static void test_merge(void)
{
	static const char *const causes[] = { "", "a", "b/c", "d" };
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 0, 2 } };
	struct et_peer_table *one = et_peer_table_new(1000, 100000);
	size_t cap = 1 << 20;
	char *expect = calloc(1, cap), *got = calloc(1, cap);

	for (unsigned i = 0; i < MANY; i++) {
		struct et_session s = varied(i);

		et_peer_add(one, &s, causes[i % 4], i % 5 == 0);
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

			et_peer_add(parts[o == 2 ? n * 3 / MANY : i % 3], &s, causes[i % 4],
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
		et_peer_add(table, &s, "", false);
	}
	CU_ASSERT_EQUAL(et_peer_cnt(table), 3);
	CU_ASSERT_EQUAL(et_peer_refused(table), 97);
	for (unsigned i = 0; i < 100; i++) {
		struct et_session s = session(0, 1);

		s.tls.hello = 1000 + i;
		et_peer_add(table, &s, "", false);
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
		et_peer_add(table, &s, "", false);
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
		et_peer_add(table, &s, "", false);
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
		{ "merge", test_merge }, { "bounds", test_bounds }, { "names", test_names },
		{ "nets", test_nets }, CU_TEST_INFO_NULL };

	return unit_run("peer", tests);
}
