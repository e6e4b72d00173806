/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What is made of minute files that are right, wrong, cut, doubled or of other hands; names that are
 * made of several things; the bounds of what is kept.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "../../lib/archive/archive_parts.h"
#include "../unit.h"
#include "et_archive.h"
#include "fill.h"
#include "names_test.h"

/* What one file comes to. */
static void test_files(void)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t sessions, minutes, truncated, twice, bad, other;
		const char *says; /* a part of the warning; NULL: there is none */
	} rows[] = {
		{ MINUTE END1, 0, 0, 1, 0, 0, 0, 0, NULL },
		{ MINUTE PEER END2, 0, 3, 1, 0, 0, 0, 0, NULL },
		{ MINUTE PEER PEER END3, 0, 6, 1, 0, 0, 0, 0, NULL },
		{ "\n" MINUTE "\r\n" PEER " \n" END2, 0, 3, 1, 0, 0, 0, 0, NULL },
		/* without its last line's end */
		{ MINUTE PEER "{\"type\":\"end\",\"rows\":2}", 0, 3, 1, 0, 0, 0, 0, NULL },
		{ MINUTE HELLO CERT END3, 0, 0, 1, 0, 0, 0, 0, NULL },
		/* keys and rows of times to come */
		{ MINUTE "{\"type\":\"news\",\"client\":7}\n" PEER END3, 0, 3, 1, 0, 0, 0, 1,
			NULL },
		{ MINUTE
			"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::2\",\"service\":null,"
			"\"sessions\":1,\"news\":{\"a\":[1]}}\n" END2,
			0, 1, 1, 0, 0, 0, 0, NULL },
		/* several in one */
		{ MINUTE PEER END2 NEXT PEER END2, 0, 6, 2, 0, 0, 0, 0, NULL },
		/* the same again */
		{ MINUTE PEER END2 MINUTE PEER END2, 0, 3, 1, 0, 1, 0, 0, "was read already" },
		/* cut */
		{ MINUTE PEER, 1, 3, 1, 1, 0, 0, 0, "has no end row" },
		{ MINUTE PEER NEXT END1, 1, 3, 2, 1, 0, 0, 0, "has no end row" },
		{ MINUTE PEER END3, 1, 3, 1, 1, 0, 0, 0, "its end row counts" },
		{ MINUTE PEER "{\"type\":\"pe", 1, 3, 1, 1, 0, 1, 0, "f:3: left out" },
		/* rows that cannot be believed; what stands around them counts */
		{ MINUTE "garbage\n" PEER END3, 1, 3, 1, 0, 0, 1, 0, "f:2: left out: no JSON" },
		{ MINUTE "\x01\xff\n" PEER END3, 1, 3, 1, 0, 0, 1, 0, "left out" },
		{ MINUTE "[1]\n" PEER END3, 1, 3, 1, 0, 0, 1, 0, "without a type" },
		{ MINUTE "{\"type\":7}\n" PEER END3, 1, 3, 1, 0, 0, 1, 0, "without a type" },
		{ MINUTE "{\"type\":\"peer\"}\n" PEER END3, 1, 3, 1, 0, 0, 1, 0, "client" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"192.0.2\",\"server\":\"::1\"}\n" END2, 1,
			0, 1, 0, 0, 1, 0, "client" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"service\":"
			 "\"x\"}"
			 "\n" END2,
			1, 0, 1, 0, 0, 1, 0, "service" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"sessions\":-1}"
			 "\n" END2,
			1, 0, 1, 0, 0, 1, 0, "count" },
		{ MINUTE
			"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"sessions\":1.5}"
			"\n" END2,
			1, 0, 1, 0, 0, 1, 0, "count" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"sessions\":"
			 "99999999999999999999}\n" END2,
			1, 0, 1, 0, 0, 1, 0, "no JSON" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"sessions\":1,"
			 "\"versions\":{\"a\":-1}}\n" END2,
			1, 0, 1, 0, 0, 1, 0, "map" },
		{ MINUTE "{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::1\",\"sessions\":1,"
			 "\"versions\":[]}\n" END2,
			1, 0, 1, 0, 0, 1, 0, "map" },
		{ MINUTE "{\"type\":\"hello\",\"id\":\"a\",\"ciphers\":[\"zzzz\"]}\n" END2, 1, 0, 1,
			0, 0, 1, 0, "hello" },
		{ MINUTE "{\"type\":\"hello\",\"ciphers\":[],\"versions\":[]}\n" END2, 1, 0, 1, 0,
			0, 1, 0, "hello" },
		{ MINUTE "{\"type\":\"cert\",\"sha256\":\"c\",\"bits\":\"x\"}\n" END2, 1, 0, 1, 0,
			0, 1, 0, "cert" },
		{ MINUTE "{\"type\":\"cert\"}\n" END2, 1, 0, 1, 0, 0, 1, 0, "cert" },
		/* rows of no minute */
		{ PEER MINUTE PEER END2, 1, 3, 1, 0, 0, 1, 0, "without a minute row" },
		{ MINUTE PEER END2 PEER, 1, 3, 1, 0, 0, 1, 0, "without a minute row" },
		{ MINUTE PEER END2 END1, 1, 3, 1, 0, 0, 1, 0, "without a minute row" },
		{ "{\"type\":\"minute\",\"sensor\":\"../x\",\"minute\":\"2026-11-22T10:31:00Z\"}\n"
		  "" MINUTE END1,
			1, 0, 1, 0, 0, 1, 0, "sensor" },
		{ "{\"type\":\"minute\",\"sensor\":\"x\",\"minute\":\"2026-11-22T10:31:01Z\"}"
		  "\n" MINUTE END1,
			1, 0, 1, 0, 0, 1, 0, "minute" },
		{ "{\"type\":\"minute\",\"sensor\":\"x\",\"minute\":\"2026-13-22T10:31:00Z\"}"
		  "\n" MINUTE END1,
			1, 0, 1, 0, 0, 1, 0, "minute" },
		/* none at all */
		{ "no minute file\n", -EINVAL, 0, 0, 0, 0, 1, 0, "is no minute file" },
		{ "\n", -EINVAL, 0, 0, 0, 0, 0, 0, "is no minute file" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_archive *archive = fill_new(0, 0);
		struct et_archive_totals totals;
		int rc = fill_add(archive, rows[i].text);

		CU_ASSERT_EQUAL(rc, rows[i].rc);
		CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
		et_archive_totals(&totals, archive);
		CU_ASSERT_EQUAL(
			et_archive_all(archive)->counts[ET_PEER_SESSIONS], rows[i].sessions);
		CU_ASSERT_EQUAL(totals.minutes, rows[i].minutes);
		CU_ASSERT_EQUAL(totals.truncated, rows[i].truncated);
		CU_ASSERT_EQUAL(totals.twice, rows[i].twice);
		CU_ASSERT_EQUAL(totals.bad_rows, rows[i].bad);
		CU_ASSERT_EQUAL(totals.other_rows, rows[i].other);
		CU_ASSERT_EQUAL(totals.damaged, rc == 1);
		CU_ASSERT_EQUAL(totals.unreadable, rc == -EINVAL);
		if (rows[i].says)
			CU_ASSERT_PTR_NOT_NULL(strstr(fill_said, rows[i].says))
		else
			CU_ASSERT_STRING_EQUAL(fill_said, "");
		et_archive_free(archive);
	}
}

/* A whole file, cut at every byte: no more is read than is there, and the cut is told of. */
static void test_cut(void)
{
	static const char whole[] = MINUTE PEER HELLO CERT "{\"type\":\"end\",\"rows\":4}";

	for (size_t n = 1; n < sizeof(whole) - 1; n++) {
		struct et_archive *archive = fill_new(0, 0);
		char *text = strndup(whole, n);
		int rc = fill_add(archive, text);

		CU_ASSERT_TRUE(n < strlen(MINUTE) - 1 ? rc == -EINVAL : rc == 1);
		CU_ASSERT_EQUAL(et_archive_finish(archive), 0);
		CU_ASSERT_EQUAL(et_archive_all(archive)->counts[ET_PEER_SESSIONS],
			n >= strlen(MINUTE PEER) - 1 ? 3 : 0);
		free(text);
		et_archive_free(archive);
	}
}

static void pair_row(char *out, size_t cap, unsigned minute, unsigned client, unsigned sessions)
{
	snprintf(out, cap,
		"{\"type\":\"minute\",\"sensor\":\"gw\",\"minute\":\"2026-11-22T%02u:%02u:00Z\"}\n"
		"{\"type\":\"peer\",\"client\":\"192.0.2.%u\",\"server\":\"198.51.100.1\","
		"\"service\":"
		"\"smtp\",\"client_name\":\"c%u\",\"server_name\":\"mx\",\"sessions\":%u,"
		"\"tls_broken\":1,\"tls_failed\":1,\"clear_sessions\":%u,\"hellos\":{\"h%u\":%u},"
		"\"failures\":{}}\n" END2,
		minute / 60, minute % 60, client, minute % 2, sessions, minute % 3, client % 3,
		sessions);
}

/* Many minutes of some clients, in some order. */
static void fill(struct et_archive *archive, const unsigned *order, unsigned cnt)
{
	char text[1024];

	for (unsigned i = 0; i < cnt; i++) {
		unsigned m = order ? order[i] : i;

		pair_row(text, sizeof(text), m, 1 + m % 5, 1 + m);
		CU_ASSERT_EQUAL(fill_add(archive, text), 0);
	}
	CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
}

static void check_line(const struct et_archive_pair *pair, int64_t grain_ns)
{
	uint64_t sessions = 0, failed = 0, clear = 0;

	for (size_t i = 0; i < pair->moments_cnt; i++) {
		const struct et_archive_moment *moment = &pair->moments[i];

		CU_ASSERT_EQUAL(moment->minute_ns % grain_ns, 0);
		CU_ASSERT_TRUE(i == 0 || moment->minute_ns > moment[-1].minute_ns);
		sessions += moment->sessions;
		failed += moment->failed;
		clear += moment->clear;
	}
	CU_ASSERT_EQUAL(sessions, pair->sums.counts[ET_PEER_SESSIONS]);
	CU_ASSERT_EQUAL(failed, 2 * pair->sums.rows);
	CU_ASSERT_EQUAL(clear, pair->sums.counts[ET_PEER_CLEAR_SESSIONS]);
}

/* The order of the input changes nothing; a bound on the time lines makes them coarser. */
static void test_order(void)
{
	enum { CNT = 300 };
	static const struct {
		uint32_t max_moments;
		int64_t grain_min;
	} bounds[] = { { 0, 1 }, { 300, 1 }, { 299, 8 }, { 20, 128 } };
	unsigned order[CNT];

	for (unsigned i = 0; i < CNT; i++)
		order[i] = i * 7 % CNT; /* 7 and 300 have no factor in common */
	for (size_t b = 0; b < sizeof(bounds) / sizeof(*bounds); b++) {
		struct et_archive *one = fill_new(0, bounds[b].max_moments);
		struct et_archive *two = fill_new(0, bounds[b].max_moments);
		const struct et_archive_pair *x, *y;
		size_t n, m;

		fill(one, NULL, CNT);
		fill(two, order, CNT);
		CU_ASSERT_EQUAL(et_archive_grain(one), bounds[b].grain_min * ET_NS_PER_MIN);
		CU_ASSERT_EQUAL(et_archive_grain(two), et_archive_grain(one));
		x = et_archive_pairs(one, &n);
		y = et_archive_pairs(two, &m);
		CU_ASSERT_TRUE_FATAL(n == 5 && m == 5);
		for (size_t i = 0; i < n; i++) {
			CU_ASSERT_EQUAL(x[i].client.b[15], i + 1);
			CU_ASSERT_EQUAL(et_addr_cmp(&x[i].client, &y[i].client), 0);
			CU_ASSERT_EQUAL(x[i].sums.first_ns, y[i].sums.first_ns);
			CU_ASSERT_EQUAL(x[i].sums.last_ns, y[i].sums.last_ns);
			CU_ASSERT_STRING_EQUAL(x[i].client_name, y[i].client_name);
			CU_ASSERT_EQUAL_FATAL(x[i].moments_cnt, y[i].moments_cnt);
			CU_ASSERT_EQUAL(memcmp(x[i].moments, y[i].moments,
						x[i].moments_cnt * sizeof(*x[i].moments)),
				0);
			check_line(&x[i], et_archive_grain(one));
		}
		et_archive_free(one);
		et_archive_free(two);
	}
}

/* Hosts are the sums of their pairs. */
static void test_hosts(void)
{
	struct et_archive *archive = fill_new(0, 0);
	const struct et_archive_host *servers, *clients;
	const struct et_archive_sensor *sensors;
	size_t cnt;

	fill(archive, NULL, 100);
	servers = et_archive_servers(archive, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	CU_ASSERT_EQUAL(servers[0].sums.counts[ET_PEER_SESSIONS], 5050);
	CU_ASSERT_EQUAL(servers[0].sums.rows, 100);
	CU_ASSERT_EQUAL(servers[0].pairs_cnt, 5);
	CU_ASSERT_STRING_EQUAL(servers[0].name, "mx");
	CU_ASSERT_EQUAL(et_archive_total(&servers[0].sums.maps[ET_ARCHIVE_HELLOS]), 5050);
	CU_ASSERT_EQUAL(servers[0].sums.maps[ET_ARCHIVE_HELLOS].cnt, 3);
	CU_ASSERT_EQUAL(
		et_archive_count(&servers[0].sums.maps[ET_ARCHIVE_CLIENT_NAMES], "c1"), 2550);
	CU_ASSERT_STRING_EQUAL(
		et_archive_top(&servers[0].sums.maps[ET_ARCHIVE_CLIENT_NAMES]), "c1");
	CU_ASSERT_PTR_EQUAL(et_archive_server(archive, &servers[0].addr, ET_SERVICE_SMTP), servers);
	CU_ASSERT_PTR_NULL(et_archive_server(archive, &servers[0].addr, ET_SERVICE_IMAP));
	clients = et_archive_clients(archive, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 5);
	for (size_t i = 0; i < cnt; i++) {
		CU_ASSERT_EQUAL(clients[i].pairs_cnt, 1);
		CU_ASSERT_EQUAL(clients[i].sums.counts[ET_PEER_SESSIONS],
			clients[i].pairs[0]->sums.counts[ET_PEER_SESSIONS]);
	}
	sensors = et_archive_sensors(archive, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	CU_ASSERT_EQUAL(sensors[0].minutes_cnt, 100);
	CU_ASSERT_EQUAL(sensors[0].holes_cnt, 0);
	CU_ASSERT_EQUAL(sensors[0].last_ns - sensors[0].first_ns, 99 * ET_NS_PER_MIN);
	et_archive_free(archive);
}

/* A bound on the cells: what does not fit is counted, the rest stays right. */
static void test_bound(void)
{
	struct et_archive *archive = fill_new(4, 0);
	struct et_archive_totals totals;

	fill(archive, NULL, 100);
	et_archive_totals(&totals, archive);
	CU_ASSERT_TRUE(totals.refused > 0);
	CU_ASSERT_EQUAL(et_archive_all(archive)->counts[ET_PEER_SESSIONS], 5050);
	et_archive_free(archive);
}

/* Sums stop at the largest number. */
static void test_overflow(void)
{
	static const char row[] =
		"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::2\",\"service\":\"smtp\","
		"\"sessions\":9223372036854775807,\"versions\":{\"a\":9223372036854775807}}\n";
	struct et_archive *archive = fill_new(0, 0);
	char text[4096] = MINUTE;

	for (unsigned i = 0; i < 4; i++)
		strcat(text, row);
	fill_add(archive, text);
	CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
	CU_ASSERT_EQUAL(et_archive_all(archive)->counts[ET_PEER_SESSIONS], UINT64_MAX);
	CU_ASSERT_EQUAL(et_archive_count(&et_archive_all(archive)->maps[ET_ARCHIVE_VERSIONS], "a"),
		UINT64_MAX);
	et_archive_free(archive);
}

/* Minutes and sensors that are not wanted; holes; what captures say. */
static void test_coverage(void)
{
	static const char *const files[] = {
		"{\"type\":\"minute\",\"sensor\":\"a\",\"minute\":\"2026-11-22T10:31:00Z\","
		"\"capture\":"
		"{\"packets\":10,\"imissed\":null,\"gaps\":2,\"seconds\":60,\"drops\":{\"not_tcp\":"
		"3}}}\n" PEER END2,
		"{\"type\":\"minute\",\"sensor\":\"a\",\"minute\":\"2026-11-22T10:35:00Z\","
		"\"capture\":"
		"{\"packets\":5,\"imissed\":7,\"drops\":{\"not_tcp\":1,\"fragment\":2}}}\n" PEER
			END2,
		"{\"type\":\"minute\",\"sensor\":\"b\",\"minute\":\"2026-11-22T10:31:00Z\"}\n" PEER
			END2,
	};
	static const struct {
		const char *sensor;
		int64_t since_min, until_min; /* of 10:31; -1: all */
		uint64_t minutes, outside, sessions;
	} rows[] = { { NULL, -1, -1, 3, 0, 9 }, { "a", -1, -1, 2, 1, 6 }, { "c", -1, -1, 0, 3, 0 },
		{ NULL, 1, -1, 1, 2, 3 }, { NULL, -1, 1, 2, 1, 6 }, { NULL, 0, 4, 2, 1, 6 } };
	const int64_t begin_ns = INT64_C(1795343460) * ET_NS_PER_S;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_archive_options options = { .sensor = rows[i].sensor,
			.since_ns = rows[i].since_min < 0
					    ? INT64_MIN
					    : begin_ns + rows[i].since_min * ET_NS_PER_MIN,
			.until_ns = rows[i].until_min < 0
					    ? INT64_MAX
					    : begin_ns + rows[i].until_min * ET_NS_PER_MIN };
		struct et_archive *archive = et_archive_new(&options);
		const struct et_archive_sensor *sensors;
		struct et_archive_totals totals;
		size_t cnt;

		CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
		for (size_t f = 0; f < 3; f++)
			CU_ASSERT_EQUAL(fill_add(archive, files[f]), 0);
		CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
		et_archive_totals(&totals, archive);
		CU_ASSERT_EQUAL(totals.minutes, rows[i].minutes);
		CU_ASSERT_EQUAL(totals.outside, rows[i].outside);
		CU_ASSERT_EQUAL(
			et_archive_all(archive)->counts[ET_PEER_SESSIONS], rows[i].sessions);
		sensors = et_archive_sensors(archive, &cnt);
		if (i == 0) {
			const struct et_archive_capture *capture = &sensors[0].capture;

			CU_ASSERT_EQUAL_FATAL(cnt, 2);
			CU_ASSERT_STRING_EQUAL(sensors[0].name, "a");
			CU_ASSERT_EQUAL(sensors[0].first_ns, begin_ns);
			CU_ASSERT_EQUAL_FATAL(sensors[0].holes_cnt, 1);
			CU_ASSERT_EQUAL(sensors[0].holes[0].first_ns, begin_ns + ET_NS_PER_MIN);
			CU_ASSERT_EQUAL(sensors[0].holes[0].end_ns, begin_ns + 4 * ET_NS_PER_MIN);
			CU_ASSERT_TRUE(capture->packets == 15 && capture->minutes_packets == 2);
			CU_ASSERT_TRUE(capture->imissed == 7 && capture->minutes_imissed == 1);
			CU_ASSERT_EQUAL(et_archive_count(&capture->drops, "not_tcp"), 4);
			CU_ASSERT_EQUAL(et_archive_count(&totals.capture.drops, "fragment"), 2);
			CU_ASSERT_EQUAL(sensors[1].capture.drops.cnt, 0);
			CU_ASSERT_EQUAL(totals.capture.gaps, 2);
		}
		et_archive_free(archive);
	}
}

/* Text of a file acts on no terminal. */
static void test_texts(void)
{
	struct et_archive *archive = fill_new(0, 0);
	const struct et_archive_pair *pairs;
	size_t cnt;

	CU_ASSERT_EQUAL(
		fill_add(archive, MINUTE
			"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::2\",\"service\":"
			"\"smtp\",\"sessions\":1,\"client_name\":\"a\\u001b[2Jb\\u007f\"}\n" END2),
		0);
	CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
	pairs = et_archive_pairs(archive, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	CU_ASSERT_STRING_EQUAL(pairs[0].client_name, "a?[2Jb?");
	CU_ASSERT_PTR_NULL(pairs[0].server_name);
	CU_ASSERT_EQUAL(pairs[0].sums.sessions_without_maps, 1);
	et_archive_free(archive);
}

/* Hellos and certificates, with rows and without. */
static void test_refs(void)
{
	static const char text[] = MINUTE
		"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::2\",\"service\":\"smtp\","
		"\"sessions\":4,\"hellos\":{\"h1\":3,\"h2\":1},\"certs\":{\"s1\":2,\"s2\":1}}\n"
		"{\"type\":\"hello\",\"id\":\"h1\",\"alpn\":[\"smtp\",\"\\\\xff\"],\"record_"
		"version\":"
		"\"TLSv1.0\",\"legacy_version\":\"TLSv1.2\",\"versions\":[\"TLSv1.3\",\"7f1c\"],"
		"\"ciphers\":[\"1301\",\"c02f\",\"010080\"],\"groups\":[\"001d\"],\"sigalgs\":[],"
		"\"key_shares\":[],\"extensions\":[\"0000\",\"002b\",\"000a\"],\"compression\":["
		"\"00\"],"
		"\"signals\":[\"5600\"],\"point_formats\":[\"01\"],\"ja3\":null,\"ja4\":\"t\"}\n"
		"{\"type\":\"cert\",\"sha256\":\"s1\",\"subject\":\"CN=a\",\"issuer\":\"CN=a\","
		"\"names\":"
		"[\"a\",\"b\"],\"key\":\"ecdsa\",\"bits\":384,\"curve\":\"secp384r1\",\"sigalg\":"
		"\"x\","
		"\"not_before\":\"1950-01-01T00:00:00Z\",\"not_after\":\"2027-01-01T00:00:00Z\"}\n"
		"{\"type\":\"end\",\"rows\":4}\n";
	struct et_archive *archive = fill_new(0, 0);
	const struct et_archive_cert *cert;
	struct et_archive_totals totals;
	struct et_tls_profile profile;
	char key[ET_ARCHIVE_KEY];

	CU_ASSERT_EQUAL(fill_add(archive, text), 0);
	CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
	et_archive_totals(&totals, archive);
	CU_ASSERT_TRUE(totals.hellos_missing == 1 && totals.certs_missing == 1);
	CU_ASSERT_TRUE_FATAL(
		et_archive_profile(&profile, archive, et_archive_hello(archive, "h1")));
	CU_ASSERT_TRUE(profile.has_sni && profile.has_versions && profile.has_groups &&
		       !profile.has_sigalgs && profile.has_exts && !profile.sslv2);
	CU_ASSERT_TRUE(profile.versions.n == 2 && profile.versions.v[1] == 0x7f1c);
	CU_ASSERT_TRUE(profile.ciphers.n == 3 && profile.ciphers.v[2] == 0x5600);
	CU_ASSERT_TRUE(profile.kinds_n == 1 && profile.kinds[0] == 0x010080);
	CU_ASSERT_TRUE(profile.point_formats.n == 1 && profile.point_formats.v[0] == 1);
	CU_ASSERT_TRUE(profile.alpn_n == 7 && memcmp(profile.alpn, "\4smtp\1\xff", 7) == 0);
	CU_ASSERT_FALSE(et_archive_profile(&profile, archive, et_archive_hello(archive, "h2")));
	CU_ASSERT_PTR_NULL(et_archive_hello(archive, "h3"));
	CU_ASSERT_FALSE(et_archive_profile(&profile, archive, NULL));
	cert = et_archive_cert(archive, "s1");
	CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
	et_archive_cert_key(key, cert);
	CU_ASSERT_STRING_EQUAL(key, "ecdsa-secp384r1");
	CU_ASSERT_TRUE(cert->self_signed && cert->known && cert->names_cnt == 2);
	CU_ASSERT_STRING_EQUAL(cert->names[1], "b");
	CU_ASSERT_EQUAL(cert->not_before_ns, INT64_MIN);
	CU_ASSERT_EQUAL(cert->not_after_ns, INT64_C(1798761600) * ET_NS_PER_S);
	CU_ASSERT_FALSE(et_archive_cert(archive, "s2")->known);
	CU_ASSERT_PTR_NULL(et_archive_cert(archive, "s3"));
	et_archive_free(archive);
}

/* A row of an older ehlotap does not stand in the place of one that says more. */
static void test_older(void)
{
	static const char older[] = "{\"type\":\"hello\",\"id\":\"h\",\"ciphers\":[\"c02f\"],"
				    "\"versions\":[],\"extensions\":[]}\n";
	static const char newer[] = "{\"type\":\"hello\",\"id\":\"h\",\"ciphers\":[\"c02f\"],"
				    "\"versions\":[],\"extensions\":[],\"signals\":[\"00ff\"]}\n";
	static const char peer[] =
		"{\"type\":\"peer\",\"client\":\"::1\",\"server\":\"::2\",\"service\":\"smtp\","
		"\"sessions\":1,\"hellos\":{\"h\":1}}\n";

	for (unsigned swapped = 0; swapped < 2; swapped++) {
		struct et_archive *archive = fill_new(0, 0);
		struct et_tls_profile profile;
		char text[2048];

		snprintf(text, sizeof(text), "%s%s%s%s{\"type\":\"end\",\"rows\":4}\n", MINUTE,
			peer, swapped ? newer : older, swapped ? older : newer);
		CU_ASSERT_EQUAL(fill_add(archive, text), 0);
		CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
		CU_ASSERT_TRUE(
			et_archive_profile(&profile, archive, et_archive_hello(archive, "h")));
		CU_ASSERT_EQUAL(profile.ciphers.n, 2);
		et_archive_free(archive);
	}
}

/* A line as long as is read, and one that is longer. */
static void test_long_line(void)
{
	for (unsigned more = 0; more < 2; more++) {
		struct et_archive *archive = fill_new(0, 0);
		size_t n = LINE_MAX_BYTES + more, m = strlen(MINUTE), e = strlen(PEER END3);
		char *text = malloc(m + n + 1 + e + 1);
		int rc;

		CU_ASSERT_PTR_NOT_NULL_FATAL(text);
		memcpy(text, MINUTE, m);
		memset(text + m, ' ', n + 1);
		memcpy(text + m, "{\"type\":\"x\"}", 12);
		text[m + n] = '\n';
		strcpy(text + m + n + 1, PEER END3);
		rc = fill_add(archive, text);
		CU_ASSERT_EQUAL(rc, (int)more);
		CU_ASSERT_EQUAL(strstr(fill_said, "too long") != NULL, more != 0);
		CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
		CU_ASSERT_EQUAL(et_archive_all(archive)->counts[ET_PEER_SESSIONS], 3);
		free(text);
		et_archive_free(archive);
	}
}

/* Files on disk: plain, packed, packed and cut, packed and damaged, none. */
static void test_disk(void)
{
	static const char text[] = MINUTE PEER PEER END3;
	char path[] = "/tmp/et-archive-XXXXXX";
	char packed[1024];
	size_t n = ZSTD_compress(packed, sizeof(packed), text, sizeof(text) - 1, 3);
	const struct {
		const char *bytes;
		size_t n;
		int flip; /* -1: no byte is changed */
		int rc;
		uint64_t sessions;
	} rows[] = { { text, sizeof(text) - 1, -1, 0, 6 }, { packed, n, -1, 0, 6 },
		{ packed, n / 2, -1, -EINVAL, 0 }, { packed, 5, -1, -EINVAL, 0 },
		{ packed, n, 6, -EINVAL, 0 }, { "", 0, -1, -EINVAL, 0 } };
	int fd = mkstemp(path);

	CU_ASSERT_TRUE_FATAL(fd >= 0 && !ZSTD_isError(n));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_archive *archive = fill_new(0, 0);
		char bytes[1024];

		memcpy(bytes, rows[i].bytes, rows[i].n);
		if (rows[i].flip >= 0)
			bytes[rows[i].flip] = (char)~bytes[rows[i].flip];
		CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
		CU_ASSERT_EQUAL(pwrite(fd, bytes, rows[i].n, 0), (ssize_t)rows[i].n);
		CU_ASSERT_EQUAL(et_archive_add_file(archive, path), rows[i].rc);
		CU_ASSERT_EQUAL(strstr(fill_said, "damaged or cut off") != NULL,
			rows[i].rc != 0 && rows[i].n > 0);
		CU_ASSERT_EQUAL_FATAL(et_archive_finish(archive), 0);
		CU_ASSERT_EQUAL(
			et_archive_all(archive)->counts[ET_PEER_SESSIONS], rows[i].sessions);
		et_archive_free(archive);
	}
	close(fd);
	unlink(path);
	{
		struct et_archive *archive = fill_new(0, 0);

		CU_ASSERT_EQUAL(et_archive_add_file(archive, path), -ENOENT);
		CU_ASSERT_PTR_NOT_NULL(strstr(fill_said, "cannot be read"));
		CU_ASSERT_EQUAL(et_archive_add_folder(archive, path), -ENOENT);
		CU_ASSERT_EQUAL(et_archive_finish(archive), 0);
		et_archive_free(archive);
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "files", test_files }, { "cut", test_cut },
		{ "order", test_order }, { "hosts", test_hosts }, { "bound", test_bound },
		{ "overflow", test_overflow }, { "coverage", test_coverage },
		{ "texts", test_texts }, { "refs", test_refs }, { "older", test_older },
		{ "names", test_names }, { "registries", test_registries }, { "times", test_times },
		{ "long line", test_long_line }, { "disk", test_disk }, CU_TEST_INFO_NULL };

	return unit_run("archive", tests);
}
