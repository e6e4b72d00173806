/* SPDX-License-Identifier: BSD-3-Clause */
/* Do the records keep the contract, byte for byte and whatever the names are? */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "folder.h"
#include "sample.h"
#include "slow_row.h"
#include "stories_test.h"
#include "unit.h"

static const char *const session_keys =
	"type v sensor start end client server service mode "
	"starttls tls hello server_hello certs mail auth_clear cause fallback packets bytes gaps "
	"quality";

/* The keys of an object in their order, with a blank between them. */
static const char *keys(json_t *o)
{
	static char text[1024];
	const char *key;
	json_t *value;

	text[0] = '\0';
	json_object_foreach(o, key, value)
		sprintf(text + strlen(text), "%s%s", text[0] ? " " : "", key);
	return text;
}

/* "tls.alert.code" of a record; must be there. */
static json_t *at(json_t *o, const char *path)
{
	char copy[128], *save, *key;

	snprintf(copy, sizeof(copy), "%s", path);
	for (key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(key))
				     : json_object_get(o, key);
		if (!o)
			fprintf(stderr, "no %s in %s\n", key, path);
		CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	}
	return o;
}

static json_t *record(const struct sample *sample, size_t i)
{
	struct et_stats_writer *writer = et_stats_writer_new(&sample->run);
	char *line = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&line, &n);
	json_error_t error;
	json_t *o;

	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT_EQUAL(et_stats_session(writer, out, i), 0);
	fclose(out);
	CU_ASSERT_EQUAL_FATAL(line[n - 1], '\n');
	CU_ASSERT_PTR_EQUAL(memchr(line, '\n', n), line + n - 1);
	for (size_t b = 0; b + 1 < n; b++)
		CU_ASSERT_TRUE((uint8_t)line[b] >= 0x20);
	o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	free(line);
	et_stats_writer_free(writer);
	return o;
}

/* JSON text of what stands at a path. */
static void test_session_values(void)
{
	static const struct {
		size_t session;
		const char *path, *json;
	} rows[] = {
		{ SAMPLE_FAILED, "start", "\"2026-11-22T10:31:07.123456Z\"" },
		{ SAMPLE_FAILED, "client",
			"{\"ip\":\"198.51.100.7\",\"port\":40000,\"name\":\"out.example.org\"}" },
		{ SAMPLE_FAILED, "starttls",
			"{\"offered\":true,\"requested\":true,\"reply\":220,\"masked\":false,"
			"\"injected\":false,\"reply_injected\":false}" },
		{ SAMPLE_FAILED, "tls",
			"{\"outcome\":\"failed\",\"version\":null,\"cipher\":null,"
			"\"cipher_openssl\":null,\"cipher_id\":null,\"group\":null,\"dh_bits\":"
			"null,"
			"\"resumed\":false,\"hello_retry\":false,\"early_data\":false,"
			"\"handshake_ms\":null,\"alert\":{\"from\":\"server\",\"level\":\"fatal\","
			"\"code\":40,\"name\":\"handshake_failure\",\"inferred\":false},"
			"\"client_cert\":{\"requested\":null,\"sent\":null}}" },
		{ SAMPLE_FAILED, "server_hello", "null" },
		{ SAMPLE_FAILED, "certs", "{\"server\":[],\"client\":[]}" },
		{ SAMPLE_FAILED, "hello.sni", "null" },
		{ SAMPLE_FAILED, "hello.record_version", "\"TLSv1.0\"" },
		{ SAMPLE_FAILED, "hello.versions", "[\"TLSv1.2\"]" },
		{ SAMPLE_FAILED, "hello.ciphers", "[\"c02b\",\"c02f\"]" },
		{ SAMPLE_FAILED, "hello.groups", "[\"0017\"]" },
		{ SAMPLE_FAILED, "hello.sigalgs", "[\"0401\"]" },
		{ SAMPLE_FAILED, "hello.extensions", "[\"0000\",\"000a\",\"000d\",\"0010\"]" },
		{ SAMPLE_FAILED, "hello.compression", "[\"00\"]" },
		{ SAMPLE_FAILED, "hello.signals", "[\"00ff\"]" },
		{ SAMPLE_FAILED, "hello.point_formats", "[]" },
		{ SAMPLE_FAILED, "hello.alpn", "[\"smtp\",\"\\\\x1b\\\"\\\\xff\\\\x5c\"]" },
		{ SAMPLE_FAILED, "cause.code", "\"no_shared_cipher/certificate_curve\"" },
		{ SAMPLE_FAILED, "cause.confidence", "\"certain\"" },
		{ SAMPLE_FAILED, "fallback", "null" },
		{ SAMPLE_FAILED, "quality", "\"complete\"" },
		{ SAMPLE_TLS12, "tls.cipher", "\"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384\"" },
		{ SAMPLE_TLS12, "tls.cipher_openssl", "\"ECDHE-RSA-AES256-GCM-SHA384\"" },
		{ SAMPLE_TLS12, "tls.cipher_id", "\"c030\"" },
		{ SAMPLE_TLS12, "tls.group", "\"secp256r1\"" },
		{ SAMPLE_TLS12, "tls.handshake_ms", "12.345" },
		{ SAMPLE_TLS12, "tls.alert", "null" },
		{ SAMPLE_TLS12, "tls.client_cert", "{\"requested\":true,\"sent\":false}" },
		{ SAMPLE_TLS12, "hello.sni", "\"mx.ex.net\"" },
		{ SAMPLE_TLS12, "certs.client", "[]" },
		{ SAMPLE_TLS12, "certs.server.0.subject",
			"\"CN=mx.example.net,O=Example\\\\, Inc\"" },
		{ SAMPLE_TLS12, "certs.server.0.names", "[\"mx.example.net\"]" },
		{ SAMPLE_TLS12, "certs.server.0.curve", "\"secp384r1\"" },
		{ SAMPLE_TLS12, "certs.server.0.not_after", "\"2026-12-31T00:00:00Z\"" },
		{ SAMPLE_TLS12, "cause", "null" },
		{ SAMPLE_TLS13, "certs", "{\"server\":null,\"client\":null}" },
		{ SAMPLE_TLS13, "tls.client_cert", "{\"requested\":null,\"sent\":null}" },
		{ SAMPLE_CLEAR, "mode", "\"clear\"" },
		{ SAMPLE_CLEAR, "starttls.requested", "false" },
		{ SAMPLE_CLEAR, "starttls.reply", "null" },
		{ SAMPLE_CLEAR, "mail.clear", "2" },
		{ SAMPLE_CLEAR, "auth_clear", "true" },
		{ SAMPLE_CLEAR, "hello", "null" },
		{ SAMPLE_CLEAR, "certs", "{\"server\":[],\"client\":[]}" },
		{ SAMPLE_CLEAR, "fallback",
			"{\"after\":\"2026-11-22T10:31:07.123456Z\",\"delay_s\":301.2,"
			"\"same_connection\":false}" },
		{ SAMPLE_HOSTILE, "client.name",
			"\"\\\\x1b[2J\\\"\\\\x5c\\\\x0a\\\\x00\\\\xff\\\\xc2\\\\x9b\xe2\x80\xae"
			"evil\"" },
		{ SAMPLE_HOSTILE, "tls.cipher", "\"fefd\"" },
		{ SAMPLE_HOSTILE, "tls.cipher_id", "\"fefd\"" },
		{ SAMPLE_HOSTILE, "tls.group", "\"fefc\"" },
		{ SAMPLE_HOSTILE, "tls.alert",
			"{\"from\":\"client\",\"level\":null,\"code\":255,\"name\":null,"
			"\"inferred\":true,\"confidence\":\"likely\"}" },
		{ SAMPLE_HOSTILE, "certs.client.0.subject", "null" },
		{ SAMPLE_HOSTILE, "certs.client.0.names", "null" },
		{ SAMPLE_HOSTILE, "certs.client.0.bits", "null" },
		{ SAMPLE_SILENT, "service", "null" },
		{ SAMPLE_SILENT, "mode", "null" },
		{ SAMPLE_SILENT, "server.name", "null" },
		{ SAMPLE_SILENT, "starttls",
			"{\"offered\":null,\"requested\":null,\"reply\":null,\"masked\":null,"
			"\"injected\":null,\"reply_injected\":null}" },
		{ SAMPLE_SILENT, "tls.resumed", "null" },
		{ SAMPLE_SILENT, "tls.early_data", "false" },
		{ SAMPLE_SILENT, "certs", "{\"server\":null,\"client\":null}" },
		{ SAMPLE_SILENT, "mail.clear", "null" },
		{ SAMPLE_SILENT, "auth_clear", "null" },
		{ SAMPLE_SILENT, "quality", "\"partial\"" },
		{ SAMPLE_SILENT, "quality_reason", "\"one_direction\"" },
	};
	struct sample sample;

	sample_new(&sample);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *o = record(&sample, rows[i].session);
		char *text = json_dumps(at(o, rows[i].path),
			JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));

		if (strcmp(text, rows[i].json) != 0)
			fprintf(stderr, "%s: %s, not %s\n", rows[i].path, text, rows[i].json);
		CU_ASSERT_STRING_EQUAL(text, rows[i].json);
		free(text);
		json_decref(o);
	}
	sample_free(&sample);
}

/* Every record has every key, in the order of the contract. */
static void test_session_keys(void)
{
	static const struct {
		const char *path, *keys;
	} rows[] = {
		{ "client", "ip port name" },
		{ "starttls", "offered requested reply masked injected reply_injected" },
		{ "tls", "outcome version cipher cipher_openssl cipher_id group dh_bits resumed "
			 "hello_retry early_data handshake_ms alert client_cert" },
		{ "hello", "id sni alpn record_version legacy_version versions ciphers groups "
			   "sigalgs key_shares extensions compression signals point_formats "
			   "ja3 ja4" },
		{ "certs", "server client" },
		{ "certs.server.0", "subject issuer names key bits curve sigalg not_before "
				    "not_after sha256" },
	};
	struct sample sample;

	sample_new(&sample);
	for (size_t s = 0; s < SAMPLE_CNT; s++) {
		json_t *o = record(&sample, s);
		const char *k = keys(o);

		CU_ASSERT_EQUAL(strncmp(k, session_keys, strlen(session_keys)), 0);
		CU_ASSERT_STRING_EQUAL(k + strlen(session_keys),
			sample.sessions[s].partial ? " quality_reason" : "");
		for (size_t i = 0; s == SAMPLE_TLS12 && i < sizeof(rows) / sizeof(*rows); i++)
			CU_ASSERT_STRING_EQUAL(keys(at(o, rows[i].path)), rows[i].keys);
		json_decref(o);
	}
	sample_free(&sample);
}

/* Types of the rows of a file: "minute peer peer hello cert end"; adds sessions to *sum. */
static void row_types(char *out, uint64_t *sum, const char *text)
{
	json_error_t error;
	uint64_t rows = 0;

	out[0] = '\0';
	for (const char *line = text; *line; line = strchr(line, '\n') + 1, rows++) {
		json_t *o = json_loadb(line, strcspn(line, "\n"), JSON_REJECT_DUPLICATES, &error);
		const char *type;

		CU_ASSERT_PTR_NOT_NULL_FATAL(o);
		type = json_string_value(at(o, "type"));
		sprintf(out + strlen(out), "%s%s", out[0] ? " " : "", type);
		if (strcmp(type, "peer") == 0)
			*sum += (uint64_t)json_integer_value(at(o, "sessions"));
		if (strcmp(type, "end") == 0)
			CU_ASSERT_EQUAL(json_integer_value(at(o, "rows")), (json_int_t)rows);
		json_decref(o);
	}
}

static void write_minutes(const struct sample *sample, const char *dir,
	const struct et_stats_minute *minutes, size_t cnt)
{
	struct et_stats_writer *writer = et_stats_writer_new(&sample->run);
	char error[ET_STATS_ERROR];

	CU_ASSERT_EQUAL(et_stats_minutes(writer, error, dir, minutes, cnt), 0);
	CU_ASSERT_STRING_EQUAL(error, "");
	et_stats_writer_free(writer);
}

static void test_minutes(void)
{
	static const struct {
		const char *name, *types;
	} rows[] = {
		{ "gw1-20261122T1030Z.jsonl", "minute end" },
		{ "gw1-20261122T1031Z.jsonl", "minute peer peer hello hello cert fallback end" },
		{ "gw1-20261122T1032Z.jsonl", "minute peer hello end" },
		{ "gw1-20261122T1033Z.jsonl", "minute peer peer cert fallback fallback end" },
		{ "gw1-20261122T1034Z.jsonl", "minute peer end" },
		{ "gw1-20261122T1035Z.jsonl", "minute end" },
		{ "gw1-20261122T1036Z.jsonl", "minute end" },
	};
	char dir[] = "/tmp/et-stats-XXXXXX", types[256];
	struct et_stats_minute minutes[2];
	struct sample sample;
	uint64_t sum = 0;
	json_error_t error;
	char *text;
	json_t *o;

	sample_new(&sample);
	for (size_t i = 0; i < 2; i++) {
		minutes[i].minute_ns = et_time_minute(SAMPLE_START_NS) - ET_NS_PER_MIN +
				       (int64_t)i * 6 * ET_NS_PER_MIN;
		et_stats_capture_init(&minutes[i].capture);
		minutes[i].capture.packets = 17;
	}
	minutes[0].capture.drops[ET_DROP_NOT_IP] = 3;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	write_minutes(&sample, dir, minutes, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		text = folder_slurp(dir, rows[i].name);
		row_types(types, &sum, text);
		CU_ASSERT_STRING_EQUAL(types, rows[i].types);
		if (strcmp(types, rows[i].types) != 0)
			fprintf(stderr, "%s: %s\n", rows[i].name, types);
		if (i == 0) {
			o = json_loadb(text, strcspn(text, "\n"), 0, &error);
			CU_ASSERT_EQUAL(json_integer_value(at(o, "capture.drops.not_ip")), 3);
			CU_ASSERT_EQUAL(json_integer_value(at(o, "capture.packets")), 17);
			CU_ASSERT_TRUE(json_is_null(at(o, "capture.cores")));
			json_decref(o);
		}
		free(text);
	}
	/* each session exactly once over all files, and nothing left behind */
	CU_ASSERT_EQUAL(sum, SAMPLE_CNT);
	CU_ASSERT_EQUAL(folder_files(dir, true), 7);
	sample_free(&sample);
}

/* A hole of years makes no files, the same input makes the same bytes, and errors are told. */
static void test_minutes_edges(void)
{
	char dir[] = "/tmp/et-stats-XXXXXX", error[ET_STATS_ERROR];
	const char *name = "gw1-20261122T1031Z.jsonl";
	struct et_stats_writer *writer;
	struct sample sample;
	char *first, *second;

	sample_new(&sample);
	sample.sessions[SAMPLE_SILENT].decided_ns = INT64_MAX;
	sample.sessions[SAMPLE_HOSTILE].decided_ns = INT64_MIN + ET_NS_PER_MIN;
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	write_minutes(&sample, dir, NULL, 0);
	CU_ASSERT_EQUAL(folder_files(dir, false), 5);
	first = folder_slurp(dir, name);
	write_minutes(&sample, dir, NULL, 0);
	second = folder_slurp(dir, name);
	CU_ASSERT_STRING_EQUAL(first, second);
	free(first);
	free(second);
	folder_files(dir, true);
	writer = et_stats_writer_new(&sample.run);
	CU_ASSERT_EQUAL(et_stats_minutes(writer, error, dir, NULL, 0), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, dir));
	et_stats_writer_free(writer);
	sample_free(&sample);
}

static void test_peer_row(void)
{
	static const char *const expect =
		"type client server service direction client_name server_name sessions "
		"starttls_offered starttls_not_offered starttls_masked starttls_requested "
		"starttls_refused tls_established tls_failed tls_incomplete tls_broken tls_unknown "
		"resumed hello_retry injected clear_mail clear_sessions auth_clear fallbacks "
		"versions ciphers groups alerts causes hellos certs version_ciphers failures "
		"accepts dh_bits signatures traits starttls_replies handshake_ms";
	struct et_peer_table *table = et_peer_table_new(100, 1000);
	struct et_stats_writer *writer;
	struct et_peer_net gateway;
	struct sample sample;
	json_t *o;

	sample_new(&sample);
	CU_ASSERT_EQUAL(et_peer_net_parse(&gateway, "192.0.2.25"), 0);
	sample.run.gateways = &gateway;
	sample.run.gateways_cnt = 1;
	sample.sessions[SAMPLE_TLS13].tls.chain[ET_SERVER] =
		sample_same_leaf(&sample, sample.sessions[SAMPLE_TLS12].tls.chain[ET_SERVER]);
	writer = et_stats_writer_new(&sample.run);
	et_stats_count(table, &sample.run);
	et_peer_sort(table);
	CU_ASSERT_EQUAL(et_peer_cnt(table), 4);
	o = et_stats_peer_row(writer, table, et_peer_at(table, 0));
	CU_ASSERT_STRING_EQUAL(keys(o), expect);
	CU_ASSERT_STRING_EQUAL(json_string_value(at(o, "client")), "198.51.100.7");
	CU_ASSERT_STRING_EQUAL(json_string_value(at(o, "direction")), "in");
	CU_ASSERT_EQUAL(json_integer_value(at(o, "alerts.server:handshake_failure")), 1);
	CU_ASSERT_EQUAL(json_integer_value(at(o, "fallbacks")), 1);
	json_decref(o);
	o = et_stats_peer_row(writer, table, et_peer_at(table, 1));
	CU_ASSERT_STRING_EQUAL(keys(at(o, "ciphers")),
		"TLS_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
	CU_ASSERT_STRING_EQUAL(keys(at(o, "handshake_ms")), "5 20");
	CU_ASSERT_EQUAL(json_object_size(at(o, "certs")), 1);
	CU_ASSERT_EQUAL(
		json_integer_value(json_object_iter_value(json_object_iter(at(o, "certs")))), 2);
	CU_ASSERT_EQUAL(json_object_size(at(o, "hellos")), 1);
	json_decref(o);
	et_stats_writer_free(writer);
	et_peer_table_free(table);
	sample_free(&sample);
}

/* A session that differs from the sample's in all that rows are made of. */
static struct et_session random_session(struct sample *sample, unsigned i)
{
	struct et_session s = sample->sessions[rand() % SAMPLE_CNT];
	uint8_t name[40];
	size_t n = (size_t)rand() % sizeof(name);

	for (size_t b = 0; b < n; b++)
		name[b] = (uint8_t)(rand() % 4 ? 'a' + rand() % 26 : rand());
	s.name[ET_CLIENT] = i % 7 ? sample_put(sample->books.names, name, n) : s.name[ET_SERVER];
	s.addr[ET_CLIENT].b[15] = (uint8_t)(rand() % 20);
	s.service = (uint8_t)(rand() % 3);
	s.outcome = (uint8_t)(rand() % ET_OUTCOME_MAX);
	s.alert_from = (int8_t)(rand() % 3 - 1);
	s.alert_code = (int16_t)(rand() % 257 - 1);
	s.tls.version = (uint16_t)(rand() % 3 ? ET_TLSV1_0 + rand() % 4 : rand());
	s.tls.cipher = rand() % 2 ? 0xc02b + (uint32_t)rand() % 8 : (uint32_t)rand() & 0xffff;
	s.tls.group = (uint16_t)(rand() % 40);
	s.tls.dh_bits = (uint16_t)(rand() % 3 * 1024);
	s.tls.ske_sigalg = (uint16_t)(rand() % 0x900);
	s.tls.compression = rand() % 4 == 0;
	s.tls.ems = rand() % 2;
	s.tls.secure_renegotiation = rand() % 2;
	s.tls.early_data = rand() % 8 == 0;
	s.tls.downgrade = (uint8_t)(rand() % 3);
	s.mail.requested = rand() % 2;
	s.mail.reply = (uint16_t)(rand() % 4 ? 220 : 400 + rand() % 200);
	s.handshake_ns = rand() % 100000 * INT64_C(1000000) - 1;
	return s;
}

/* The rows of a file are, byte for byte, those that a tree of JSON values gives. */
static void test_rows_are_json(void)
{
	static const struct et_cause causes[] = { { .code = "" },
		{ .code = "alert", .confidence = ET_POSSIBLE }, { .code = "a/b" },
		{ .code = "\"q\\\x1b\xff", .confidence = ET_LIKELY } };
	char dir[] = "/tmp/et-stats-XXXXXX", error[ET_STATS_ERROR], *text, *line;
	struct et_peer_table *table = et_peer_table_new(1000, 100000);
	struct et_stats_capture capture;
	struct et_stats_file file = { .dir = dir,
		.minute_ns = et_time_minute(SAMPLE_START_NS),
		.capture = &capture,
		.table = table };
	struct et_stats_writer *writer;
	struct sample sample;

	sample_new(&sample);
	srand(1);
	for (unsigned i = 0; i < 500; i++) {
		struct et_session s = random_session(&sample, i);

		et_peer_add(table, &s, &causes[rand() % 4], rand() % 2);
	}
	for (size_t i = 0; i < SAMPLE_CNT; i++)
		et_peer_add(table, &sample.sessions[i], &causes[i % 4], false);
	writer = et_stats_writer_new(&sample.run);
	et_stats_capture_init(&capture);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	file.dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	CU_ASSERT_EQUAL_FATAL(et_stats_file(writer, error, &file), 0);
	text = folder_slurp(dir, "gw1-20261122T1031Z.jsonl");
	line = strchr(text, '\n') + 1;
	for (uint32_t i = 0; i < et_peer_cnt(table); i++) {
		json_t *o = slow_row(writer, table, et_peer_at(table, i));
		json_t *again = et_stats_peer_row(writer, table, et_peer_at(table, i));
		char *expect = json_dumps(o, JSON_COMPACT);
		size_t n = strcspn(line, "\n");

		CU_ASSERT_TRUE(n == strlen(expect) && memcmp(line, expect, n) == 0);
		CU_ASSERT_TRUE(json_equal(o, again));
		line += n + 1;
		free(expect);
		json_decref(o);
		json_decref(again);
	}
	CU_ASSERT_TRUE(et_peer_cnt(table) > 40);
	close(file.dir_fd);
	free(text);
	folder_files(dir, true);
	et_stats_writer_free(writer);
	et_peer_table_free(table);
	sample_free(&sample);
}

/* More members of the first row, compression, and a file that is to stay. */
static void test_file(void)
{
	char dir[] = "/tmp/et-stats-XXXXXX", error[ET_STATS_ERROR], packed[4096], text[16384];
	struct et_peer_table *table = et_peer_table_new(100, 1000);
	struct et_stats_capture capture;
	struct et_stats_file file = { .dir = dir,
		.minute_ns = et_time_minute(SAMPLE_START_NS),
		.capture = &capture,
		.members = json_pack("{s:i, s:i}", "late", 7, "minute", 1),
		.table = table,
		.zstd_level = 3,
		.keep = true };
	struct et_stats_writer *writer;
	struct sample sample;
	json_error_t fault;
	size_t n;
	FILE *in;
	json_t *o;

	sample_new(&sample);
	et_stats_count(table, &sample.run);
	writer = et_stats_writer_new(&sample.run);
	et_stats_capture_init(&capture);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	file.dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
	CU_ASSERT_EQUAL_FATAL(et_stats_file(writer, error, &file), 0);
	CU_ASSERT_EQUAL(et_stats_file(writer, error, &file), -EEXIST);
	CU_ASSERT_PTR_NOT_NULL(strstr(error, "gw1-20261122T1031Z.jsonl.zst"));
	CU_ASSERT_EQUAL(folder_files(dir, false), 1);
	snprintf(text, sizeof(text), "%s/gw1-20261122T1031Z.jsonl.zst", dir);
	in = fopen(text, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	n = ZSTD_decompress(text, sizeof(text), packed, fread(packed, 1, sizeof(packed), in));
	fclose(in);
	CU_ASSERT_FALSE_FATAL(ZSTD_isError(n));
	CU_ASSERT_EQUAL(text[n - 1], '\n');
	o = json_loadb(text, strcspn(text, "\n"), 0, &fault);
	CU_ASSERT_STRING_EQUAL(keys(o), "type v sensor minute capture late");
	CU_ASSERT_STRING_EQUAL(json_string_value(at(o, "minute")), "2026-11-22T10:31:00Z");
	json_decref(o);
	json_decref(file.members);
	close(file.dir_fd);
	folder_files(dir, true);
	et_stats_writer_free(writer);
	et_peer_table_free(table);
	sample_free(&sample);
}

static void test_sensor(void)
{
	static const struct {
		const char *name;
		bool ok;
	} rows[] = { { "gw1", true }, { "A.b_c-9", true }, { "", false }, { ".gw", false },
		{ "a/b", false }, { "..", false }, { "a b", false }, { "\xc3\xa9", false },
		{ "0123456789012345678901234567890123456789012345678901234567890123", true },
		{ "01234567890123456789012345678901234567890123456789012345678901234", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CU_ASSERT_EQUAL(et_stats_sensor_ok(rows[i].name), rows[i].ok);
}

int main(void)
{
	CU_TestInfo tests[] = { { "session values", test_session_values },
		{ "session keys", test_session_keys }, { "peer row", test_peer_row },
		{ "rows are JSON", test_rows_are_json }, { "stories", test_stories },
		{ "one file", test_file }, { "minutes", test_minutes },
		{ "minutes at the edges", test_minutes_edges }, { "sensor names", test_sensor },
		CU_TEST_INFO_NULL };

	return unit_run("stats", tests);
}
