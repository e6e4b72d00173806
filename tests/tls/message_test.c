/* SPDX-License-Identifier: BSD-3-Clause */
/* Records, alerts and hellos made by hand: what is read, what is refused, what is counted. */
#include "tls_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void probe(void)
{
	static const struct {
		const char *hex;
		enum et_parse want;
	} table[] = {
		{ "", ET_PARSE_MORE },
		{ "16", ET_PARSE_MORE },
		{ "16 0301 00c8", ET_PARSE_MORE },
		{ "16 0301 00c8 01", ET_PARSE_OK },
		{ "16 0303 0001 02", ET_PARSE_OK },
		{ "16 0301 00c8 0b", ET_PARSE_BAD },
		{ "16 0301 0000", ET_PARSE_BAD },
		{ "16 0305", ET_PARSE_BAD },
		{ "16 0301 4801", ET_PARSE_BAD },
		{ "17 0303", ET_PARSE_BAD },
		{ "15 0301 0002 02", ET_PARSE_OK },
		{ "15 0301 0002 03", ET_PARSE_BAD },
		{ "15 0301 0016", ET_PARSE_BAD },
		{ "80", ET_PARSE_MORE },
		{ "80 2e 01 0301 0015 0000 0010", ET_PARSE_OK },
		{ "80 2e 01 0002 0015 0000 0010", ET_PARSE_OK },
		{ "80 2f 01 0002 0015 0000 0010", ET_PARSE_BAD },
		{ "80 2e 01 0401", ET_PARSE_BAD },
		{ "80 2e 02", ET_PARSE_BAD },
		{ "80 03 00 0001", ET_PARSE_OK },
		{ "80 03 00 0003", ET_PARSE_BAD },
		{ "34 35 34 20", ET_PARSE_BAD },
		{ "00", ET_PARSE_BAD },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		uint8_t bytes[64];
		size_t n = unhex(bytes, sizeof(bytes), table[i].hex);
		enum et_parse got = et_tls_probe((struct et_view){ bytes, n });

		CU_ASSERT_EQUAL(got, table[i].want);
		if (got != table[i].want)
			fprintf(stderr, "\n  probe %s: %d\n", table[i].hex, got);
		for (size_t k = 0; k < n && table[i].want == ET_PARSE_OK; k++)
			CU_ASSERT_EQUAL(et_tls_probe((struct et_view){ bytes, k }), ET_PARSE_MORE);
	}
}

/* One direction's bytes, fed whole and byte by byte; how many were taken for TLS. */
static struct et_tls_facts feed_hex(enum et_dir dir, const char *hex, size_t *used)
{
	uint8_t bytes[1024];
	size_t n = unhex(bytes, sizeof(bytes), hex);
	struct peers_flight flight = { .dir = dir, .p = bytes, .n = n };
	struct et_tls_facts whole, cut = facts_of(&flight, 1, CUT_BYTES);
	struct et_tls tls;

	et_tls_init(&tls);
	*used = et_tls_feed(&tls, &env, dir, (struct et_view){ bytes, n }, 1);
	et_tls_done(&tls, &env);
	whole = tls.facts;
	CU_ASSERT_TRUE(facts_equal(hex, &whole, &cut));
	return whole;
}

static void alerts(void)
{
	static const struct {
		const char *hex;
		size_t used; /* 0: all */
		struct et_tls_alert want;
		bool close_notify;
	} table[] = {
		{ "15 0303 0002 0228", 0, { true, false, 2, 40 }, false },
		{ "15 0301 0001 02 15 0301 0001 28", 0, { true, false, 2, 40 }, false },
		{ "15 0301 0000 15 0301 0002 0228", 0, { true, false, 2, 40 }, false },
		{ "15 0303 0004 0170 0228", 0, { true, false, 2, 40 }, false },
		{ "15 0303 0002 0170 15 0303 0002 012a", 0, { true, false, 1, 112 }, false },
		{ "15 0303 0002 0170 15 0303 0002 0228", 0, { true, false, 2, 40 }, false },
		{ "15 0303 0002 0228 15 0303 0002 0246", 0, { true, false, 2, 40 }, false },
		{ "15 0303 0002 0100", 0, { true, false, 1, 0 }, true },
		{ "15 0303 0002 0100 15 0303 0002 0146", 0, { true, false, 1, 70 }, true },
		{ "14 0303 0001 01 15 0303 0002 0228", 0, { true, false, 2, 40 }, false },
		{ "14 0303 0001 01 15 0303 0012 000102030405060708090a0b0c0d0e0f1011", 0,
			{ true, true, 0, 0 }, false },
		{ "15 0303 0002 0328", 0, { false, false, 0, 0 }, false },
		/* a gateway that refuses TLS and goes on in clear */
		{ "15 0303 0002 0228 3435342054", 7, { true, false, 2, 40 }, false },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		for (int dir = 0; dir < 2; dir++) {
			size_t used, all = strlen(table[i].hex);
			struct et_tls_facts facts = feed_hex((enum et_dir)dir, table[i].hex, &used);
			const struct et_tls_alert *got = &facts.side[dir].alert;

			for (size_t k = strlen(table[i].hex); k-- > 0;)
				all -= table[i].hex[k] == ' ';
			CU_ASSERT_EQUAL(used, table[i].used ? table[i].used : all / 2);
			CU_ASSERT_EQUAL(memcmp(got, &table[i].want, sizeof(*got)), 0);
			CU_ASSERT_EQUAL(facts.side[dir].close_notify, table[i].close_notify);
		}
	}
}

/* Records that contradict themselves end the reading, and are counted. */
static void bad_records(void)
{
	static const char *const table[] = { "17 0303 0001 00 16 0203",
		"17 0303 0001 00 16 0303 4801", "17 0303 0001 00 19", "14 0303 0002 0101" };

	for (size_t i = 0; i < COUNT(table); i++) {
		uint64_t before = drops[ET_DROP_TLS_RECORD];
		size_t used;

		feed_hex(ET_SERVER, table[i], &used);
		CU_ASSERT_EQUAL(used, i == 3 ? 7 : 6);
		CU_ASSERT_EQUAL(drops[ET_DROP_TLS_RECORD] - before, i == 2 ? 0 : 2);
	}
}

static void application(void)
{
	size_t used;
	struct et_tls_facts facts = feed_hex(ET_CLIENT,
		"17 0303 0002 0000 17 0303 0000 17 0303 0001 00 17 0303 0003 000000 "
		"17 0303 0005 0000000000 18 0303 0001 00",
		&used);
	const struct et_tls_side_facts *side = &facts.side[ET_CLIENT];

	CU_ASSERT_EQUAL(side->records, 6);
	CU_ASSERT_EQUAL(side->app_records, 5);
	CU_ASSERT_EQUAL(side->app_len[0], 2);
	CU_ASSERT_EQUAL(side->app_len[1], 0);
	CU_ASSERT_EQUAL(side->app_len[3], 3);
	CU_ASSERT_EQUAL(side->app_last_len, 5);
	CU_ASSERT_FALSE(side->app_last_is_end);
	CU_ASSERT_EQUAL(side->talk.replies, 0);
}

/* Where the client's flight of TLS 1.3 ends, and what it says, by the lengths of its records. */
static void client_flight(void)
{
	static const struct {
		uint32_t cipher;
		uint16_t len[ET_TLS_LENS + 1]; /* 0: no more */
		unsigned records;
		enum et_tls_flight flight;
		bool early;
	} table[] = {
		{ 0x1301, { 0 }, 0, ET_TLS_FLIGHT_UNKNOWN, false },
		{ 0x1301, { 53 }, 1, ET_TLS_FLIGHT_FINISHED, false },
		{ 0x1301, { 69 }, 0, ET_TLS_FLIGHT_UNKNOWN, false },
		{ 0x1302, { 69, 53 }, 1, ET_TLS_FLIGHT_FINISHED, false },
		{ 0x1303, { 53, 53 }, 1, ET_TLS_FLIGHT_FINISHED, false },
		{ 0x1305, { 45 }, 1, ET_TLS_FLIGHT_FINISHED, false },
		{ 0x1301, { 25, 53 }, 2, ET_TLS_FLIGHT_NO_CERTIFICATE, false },
		{ 0x1302, { 25, 69, 60 }, 2, ET_TLS_FLIGHT_NO_CERTIFICATE, false },
		{ 0x1305, { 17, 45 }, 2, ET_TLS_FLIGHT_NO_CERTIFICATE, false },
		{ 0x1301, { 61 }, 1, ET_TLS_FLIGHT_NO_CERTIFICATE, false },
		{ 0x1302, { 77, 69 }, 1, ET_TLS_FLIGHT_NO_CERTIFICATE, false },
		{ 0x1302, { 892, 281, 69 }, 3, ET_TLS_FLIGHT_CERTIFICATE, false },
		{ 0x1301, { 1200, 53, 60 }, 2, ET_TLS_FLIGHT_CERTIFICATE, false },
		{ 0x1301, { 1250, 60, 23 }, 0, ET_TLS_FLIGHT_UNKNOWN, false },
		{ 0x1301, { 60, 21, 53 }, 3, ET_TLS_FLIGHT_UNKNOWN, true },
		{ 0x1301, { 60, 60, 21, 53, 60 }, 4, ET_TLS_FLIGHT_UNKNOWN, true },
		{ 0x1301, { 60, 60, 60, 21, 53 }, 0, ET_TLS_FLIGHT_UNKNOWN, true },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct et_tls_facts facts = { .version = ET_TLSV1_3,
			.cipher = table[i].cipher,
			.early_data = table[i].early };
		struct et_tls_side_facts *client = &facts.side[ET_CLIENT];
		enum et_tls_flight flight;
		unsigned n = 0;

		for (; n <= ET_TLS_LENS && table[i].len[n]; n++)
			if (n < ET_TLS_LENS)
				client->app_len[n] = table[i].len[n];
		client->app_records = n;
		CU_ASSERT_EQUAL(et_tls_client_flight(&flight, &facts), table[i].records);
		CU_ASSERT_EQUAL(flight, table[i].flight);
		facts.version = ET_TLSV1_2;
		CU_ASSERT_EQUAL(et_tls_client_flight(&flight, &facts), 0);
		CU_ASSERT_EQUAL(flight, ET_TLS_FLIGHT_UNKNOWN);
	}
}

/* Who spoke behind whom; what is as short as an alert is no message. */
static void to_and_fro(void)
{
	static const struct {
		enum et_dir dir;
		uint8_t len;
		unsigned replies[2], turns[2];
	} table[] = {
		{ ET_SERVER, 100, { 0, 0 }, { 0, 0 } },
		{ ET_CLIENT, 53, { 1, 0 }, { 1, 0 } },
		{ ET_CLIENT, 60, { 2, 0 }, { 1, 0 } },
		{ ET_SERVER, 19, { 2, 0 }, { 1, 0 } },
		{ ET_CLIENT, 60, { 3, 0 }, { 1, 0 } },
		{ ET_SERVER, 20, { 3, 1 }, { 1, 1 } },
		{ ET_CLIENT, 19, { 3, 1 }, { 1, 1 } },
		{ ET_CLIENT, 20, { 4, 1 }, { 2, 1 } },
		{ ET_SERVER, 80, { 4, 2 }, { 2, 2 } },
		{ ET_SERVER, 80, { 4, 3 }, { 2, 2 } },
	};
	struct et_tls tls;

	et_tls_init(&tls);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t record[5 + 255] = { 23, 3, 3, 0, table[i].len };
		size_t n = 5 + (size_t)table[i].len;

		CU_ASSERT_EQUAL(
			et_tls_feed(&tls, &env, table[i].dir, (struct et_view){ record, n }, 1), n);
		for (int dir = 0; dir < 2; dir++) {
			CU_ASSERT_EQUAL(tls.facts.side[dir].talk.replies, table[i].replies[dir]);
			CU_ASSERT_EQUAL(tls.facts.side[dir].talk.turns, table[i].turns[dir]);
		}
	}
	et_tls_done(&tls, &env);
}

/* Messages longer than is kept, and a pool without buffers: counted, and the position stays. */
static void too_long_and_no_memory(void)
{
	static const struct {
		uint32_t len;
		size_t pool;
		enum et_drop drop;
	} table[] = {
		{ ET_TLS_MESSAGE_MAX + 1, 1 << 20, ET_DROP_TLS_TOO_LONG },
		{ ET_TLS_MESSAGE_MAX, 8192, ET_DROP_TLS_MEMORY },
		{ 3000, 0, ET_DROP_TLS_MEMORY },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		struct et_tls_pool *old = env.pool;
		uint64_t before = drops[table[i].drop];
		uint8_t head[9] = { 22, 3, 3, 0, 0, 11 }, done[9] = { 22, 3, 3, 0, 4, 14 };
		uint8_t body[1000] = { 0 };
		struct et_tls tls;

		env.pool = et_tls_pool_new(table[i].pool);
		et_tls_init(&tls);
		head[6] = (uint8_t)(table[i].len >> 16);
		head[7] = (uint8_t)(table[i].len >> 8);
		head[8] = (uint8_t)table[i].len;
		head[4] = 4;
		et_tls_feed(&tls, &env, ET_SERVER, (struct et_view){ head, 9 }, 1);
		for (uint32_t left = table[i].len; left > 0;) {
			uint32_t n = left < sizeof(body) ? left : (uint32_t)sizeof(body);

			head[3] = (uint8_t)(n >> 8);
			head[4] = (uint8_t)n;
			et_tls_feed(&tls, &env, ET_SERVER, (struct et_view){ head, 5 }, 1);
			et_tls_feed(&tls, &env, ET_SERVER, (struct et_view){ body, n }, 1);
			left -= n;
		}
		et_tls_feed(&tls, &env, ET_SERVER, (struct et_view){ done, 9 }, 1);
		CU_ASSERT_EQUAL(drops[table[i].drop] - before, 1);
		CU_ASSERT_TRUE(tls.facts.side[ET_SERVER].lost);
		CU_ASSERT_TRUE(tls.facts.side[ET_SERVER].seen & ET_TLS_SAW_SERVER_HELLO_DONE);
		CU_ASSERT_FALSE(tls.facts.side[ET_SERVER].cut_message);
		et_tls_done(&tls, &env);
		et_tls_pool_free(env.pool);
		env.pool = old;
	}
}

/* A chain longer than the first buffers, over many records and segments, is kept byte by byte. */
static void long_certificate(void)
{
	static const uint32_t lens[] = { 100, 2044, 5000, 20000, ET_TLS_MESSAGE_MAX - 6 };

	for (size_t i = 0; i < COUNT(lens); i++) {
		uint32_t n = lens[i], body = n + 6;
		uint8_t *message = malloc(body + 4);
		struct et_view kept;
		struct et_tls tls;

		for (uint32_t k = 0; k < body + 4; k++)
			message[k] = (uint8_t)(k * 7 + k / 256);
		memcpy(message,
			(uint8_t[]){ 11, (uint8_t)(body >> 16), (uint8_t)(body >> 8), (uint8_t)body,
				0, (uint8_t)((n + 3) >> 8), (uint8_t)(n + 3), 0, (uint8_t)(n >> 8),
				(uint8_t)n },
			10);
		et_tls_init(&tls);
		for (uint32_t at = 0; at < body + 4; at += 700) {
			uint32_t len = body + 4 - at < 700 ? body + 4 - at : 700;
			uint8_t head[5] = { 22, 3, 1, (uint8_t)(len >> 8), (uint8_t)len };

			et_tls_feed(&tls, &env, ET_CLIENT, (struct et_view){ head, 5 }, 1);
			et_tls_feed(
				&tls, &env, ET_CLIENT, (struct et_view){ message + at, len }, 1);
		}
		kept = et_dict_get(env.chains, tls.facts.chain[ET_CLIENT]);
		CU_ASSERT_EQUAL(kept.n, n + 3);
		CU_ASSERT_TRUE(kept.n == n + 3 && memcmp(kept.p, message + 7, kept.n) == 0);
		et_tls_done(&tls, &env);
		free(message);
	}
}

/* The record version of a hello in several records is that of the first. */
static void hello_in_two_records(void)
{
	const struct peers_flight *f = &runs[0].flights[0];
	uint8_t first[6] = { 22, 3, 1, 0, 1, f->p[5] };
	uint8_t second[5] = { 22, 3, 3, (uint8_t)((f->n - 6) >> 8), (uint8_t)(f->n - 6) };
	struct peers_flight flights[] = { { ET_CLIENT, first, 6 }, { ET_CLIENT, second, 5 },
		{ ET_CLIENT, f->p + 6, f->n - 6 } };
	struct et_tls_facts facts = facts_of(flights, 3, CUT_NONE);
	static struct et_tls_profile p;

	CU_ASSERT_TRUE(et_tls_profile_decode(&p, et_dict_get(env.hellos, facts.hello)));
	CU_ASSERT_EQUAL(p.record_version, ET_TLSV1_0);
}

/* The body of the ClientHello in a run's first flight. */
static struct et_cur hello_of(size_t run)
{
	return et_cur(runs[run].flights[0].p + 9, runs[run].flights[0].n - 9);
}

static void hello_truncated(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		struct et_cur body = hello_of(i);
		struct et_tls_hello hello;

		CU_ASSERT_EQUAL(et_tls_parse_hello(&hello, body), ET_PARSE_OK);
		for (size_t n = 0; n < body.n; n++) {
			uint8_t *copy = malloc(n + 1); /* exact size, for the sanitizer */
			bool no_exts = n == 2 + 32 + 1 + hello.session.n + 2 + hello.suites.n + 2;

			memcpy(copy, body.p, n);
			CU_ASSERT_EQUAL(et_tls_parse_hello(&hello, et_cur(copy, n)),
				no_exts ? ET_PARSE_OK : ET_PARSE_BAD);
			et_tls_parse_hello(&hello, body);
			free(copy);
		}
	}
}

/* Each server message cut at each length inside a record that claims the full length. */
static void server_messages_truncated(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		const struct peers_flight *f = &runs[i].flights[1];
		uint8_t *copy = malloc(f->n);

		for (size_t at = 9; at < f->n && runs[i].cnt > 1; at++) {
			/* one byte that is part of a length or a value is changed */
			for (int delta = 1; delta < 256; delta += 127) {
				struct peers_flight flights[2] = { runs[i].flights[0], *f };

				memcpy(copy, f->p, f->n);
				copy[at] = (uint8_t)(copy[at] + delta);
				flights[1].p = copy;
				facts_of(flights, 2, CUT_NONE);
			}
		}
		free(copy);
	}
}

static void profile_round_trip(void)
{
	for (size_t i = 0; i < cases_cnt; i++) {
		uint8_t bytes[ET_TLS_PROFILE_MAX];
		static struct et_tls_profile profile;
		struct et_tls_hello hello;
		size_t n;

		et_tls_parse_hello(&hello, hello_of(i));
		n = et_tls_profile_encode(bytes, sizeof(bytes), &hello);
		CU_ASSERT_TRUE(n > 0);
		CU_ASSERT_TRUE(et_tls_profile_decode(&profile, (struct et_view){ bytes, n }));
		CU_ASSERT_EQUAL(profile.ciphers.n, hello.suites.n / 2);
		CU_ASSERT_EQUAL(profile.legacy_version, hello.version);
		CU_ASSERT_EQUAL(profile.has_sni, cases[i].sni != NULL);
		for (size_t k = 0; k < n; k++) {
			uint8_t *copy = malloc(k + 1);

			memcpy(copy, bytes, k);
			CU_ASSERT_FALSE(
				et_tls_profile_decode(&profile, (struct et_view){ copy, k }));
			CU_ASSERT_EQUAL(et_tls_profile_encode(copy, k, &hello), 0);
			free(copy);
		}
	}
}

static void put_list(struct et_tls_list *out, const char *hex)
{
	uint8_t bytes[256];
	size_t n = unhex(bytes, sizeof(bytes), hex);

	for (out->n = 0; out->n < n / 2; out->n++)
		out->v[out->n] = (uint16_t)(bytes[2 * out->n] << 8 | bytes[2 * out->n + 1]);
}

/* The example of FoxIO's technical_details/JA4.md, and of their test data. */
static void ja4(void)
{
	static const char chrome[] =
		"1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d "
		"002f 0035";
	static const struct {
		const char *ciphers, *extensions, *sigalgs, *versions, *alpn, *want;
	} table[] = {
		{ chrome,
			"001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b "
			"000a "
			"0015",
			"0403 0804 0401 0503 0805 0501 0806 0601", "0304 0303", "02 6832",
			"t13d1516h2_8daaf6152771_e5627efa2ab1" },
		{ chrome,
			"fe0d 0010 0017 0033 44cd ff01 000a 000d 0023 002b 000b ca34 002d 0000 "
			"0005 "
			"001b 0012",
			"0904 0905 0906 0403 0804 0401 0503 0805 0501 0806 0601", "0304 0303",
			"02 6832", "t13d1517h2_8daaf6152771_cb7bf5808d99" },
		{ chrome,
			"001b 0000 0033 0010 4469 0017 002d 000d 0005 0023 0012 002b ff01 000b "
			"000a "
			"0015",
			"", "0303 0304", "08 687474702f312e31",
			"t13d1516h1_8daaf6152771_6d807ffa2a79" },
		{ "", "", "", "", "", "t12i000000_000000000000_000000000000" },
		{ "", "0010 0000", "", "7f1c 0304", "01 ab",
			"t00d0002ab_000000000000_000000000000" },
		{ "", "0010", "", "", "02 abcd", "t12i0001ad_000000000000_000000000000" },
		{ "", "0010", "", "", "02 30ab", "t12i00013b_000000000000_000000000000" },
		{ "", "0010", "", "", "04 3031abcd", "t12i00013d_000000000000_000000000000" },
		{ "", "0010", "", "", "04 30abcd31", "t12i000101_000000000000_000000000000" },
		{ "", "0010", "", "", "01 78", "t12i0001xx_000000000000_000000000000" },
	};

	for (size_t i = 0; i < COUNT(table); i++) {
		static struct et_tls_profile p;
		char text[37];

		memset(&p, 0, sizeof(p));
		p.legacy_version = ET_TLSV1_2;
		put_list(&p.ciphers, table[i].ciphers);
		put_list(&p.extensions, table[i].extensions);
		put_list(&p.sigalgs, table[i].sigalgs);
		put_list(&p.versions, table[i].versions);
		p.has_versions = p.versions.n > 0;
		p.has_sni = strstr(table[i].extensions, "0000") != NULL;
		p.alpn_n = (uint16_t)unhex(p.alpn, sizeof(p.alpn), table[i].alpn);
		et_tls_ja4(text, &p);
		CU_ASSERT_STRING_EQUAL(text, table[i].want);
		if (strcmp(text, table[i].want) != 0)
			fprintf(stderr, "\n  %s\n  %s\n", text, table[i].want);
	}
}

/*
 * The two examples of salesforce/ja3's README, with extensions and without, and a server's: the
 * MD5 of "769,47,65281-0-11-35-5-16".
 */
static void ja3(void)
{
	static struct et_tls_profile p;
	static struct et_tls_server_profile s;
	char text[33];

	p.legacy_version = 769;
	put_list(&p.ciphers, "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004");
	put_list(&p.extensions, "0000 000a 000b");
	put_list(&p.groups, "0017 0018 0019");
	put_list(&p.point_formats, "0000");
	et_tls_ja3(text, &p);
	CU_ASSERT_STRING_EQUAL(text, "ada70206e40642a3e4461f35503241d5");
	memset(&p, 0, sizeof(p));
	p.legacy_version = 769;
	put_list(&p.ciphers, "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063");
	et_tls_ja3(text, &p);
	CU_ASSERT_STRING_EQUAL(text, "de350869b8c85de67a350c8d186f11e6");
	s = (struct et_tls_server_profile){ .legacy_version = 769, .cipher = 47 };
	put_list(&s.extensions, "ff01 0000 000b 0023 0005 0010");
	et_tls_ja3s(text, &s);
	CU_ASSERT_STRING_EQUAL(text, "836ce314215654b5b1f85f97c73e506f");
	p.sslv2 = true;
	et_tls_ja3(text, &p);
	CU_ASSERT_STRING_EQUAL(text, "");
}

/* GREASE is in no list of a profile; the SCSVs stay, and are no ciphers. */
static void grease(void)
{
	uint8_t bytes[256], kept[ET_TLS_PROFILE_MAX];
	static struct et_tls_profile p;
	struct et_tls_hello hello;
	size_t n = unhex(bytes, sizeof(bytes),
		"0303 0000000000000000000000000000000000000000000000000000000000000000 00"
		"0008 0a0a 1301 00ff 5600 01 00 004a"
		"1a1a 0000"
		"002b 0007 06 2a2a 0304 0303"
		"000a 0006 0004 3a3a 001d"
		"000d 0006 0004 4a4a 0403"
		"0033 000e 000c 5a5a 0001 00 001d 0003 010203"
		"0010 0008 0006 02 6a6a 02 6832"
		"7a7a 0001 00");

	bytes[2 + 32 + 1 + 2 + 8 + 2] = 0;
	bytes[2 + 32 + 1 + 2 + 8 + 2 + 1] = (uint8_t)(n - (2 + 32 + 1 + 2 + 8 + 2 + 2));
	CU_ASSERT_EQUAL(et_tls_parse_hello(&hello, et_cur(bytes, n)), ET_PARSE_OK);
	n = et_tls_profile_encode(kept, sizeof(kept), &hello);
	CU_ASSERT_TRUE(et_tls_profile_decode(&p, (struct et_view){ kept, n }));
	CU_ASSERT_EQUAL(p.ciphers.n, 3);
	CU_ASSERT_EQUAL(p.versions.n, 2);
	CU_ASSERT_EQUAL(p.groups.n, 1);
	CU_ASSERT_EQUAL(p.sigalgs.n, 1);
	CU_ASSERT_EQUAL(p.key_shares.n, 1);
	CU_ASSERT_EQUAL(p.extensions.n, 5);
	CU_ASSERT_EQUAL(p.alpn_n, 3);
	CU_ASSERT_TRUE(et_tls_profile_is_cipher(p.ciphers.v[0]));
	CU_ASSERT_FALSE(et_tls_profile_is_cipher(p.ciphers.v[1]));
	CU_ASSERT_FALSE(et_tls_profile_is_cipher(p.ciphers.v[2]));
	CU_ASSERT_FALSE(et_tls_profile_is_cipher(0x0a0a));
}

CU_TestInfo message_tests[] = {
	{ "probe", probe },
	{ "alerts", alerts },
	{ "bad records", bad_records },
	{ "application records", application },
	{ "client's flight", client_flight },
	{ "to and fro", to_and_fro },
	{ "too long, no memory", too_long_and_no_memory },
	{ "long certificate", long_certificate },
	{ "hello in two records", hello_in_two_records },
	{ "hello truncated", hello_truncated },
	{ "server messages damaged", server_messages_truncated },
	{ "profile round trip", profile_round_trip },
	{ "ja4", ja4 },
	{ "ja3", ja3 },
	{ "grease", grease },
	CU_TEST_INFO_NULL,
};
