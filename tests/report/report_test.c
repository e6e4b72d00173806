/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the printed answer say what was counted, within its width, whatever the names are? */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/sample.h"
#include "et_report.h"
#include "unit.h"

struct fixture {
	struct sample sample;
	struct et_peer_net gateway;
	struct et_report report;
};

static void fixture_new(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	sample_new(&f->sample);
	CU_ASSERT_EQUAL(et_peer_net_parse(&f->gateway, "192.0.2.25"), 0);
	f->report.run = &f->sample.run;
	f->report.peers = et_peer_table_new(100000, 1000000);
	f->report.files = 1;
	et_stats_capture_init(&f->report.capture);
	f->report.capture.packets = 12345;
	f->report.capture.bytes = 4500000;
	f->report.first_ns = SAMPLE_START_NS;
	f->report.last_ns = SAMPLE_START_NS + 833 * ET_NS_PER_S;
}

static void fixture_free(struct fixture *f)
{
	et_peer_table_free(f->report.peers);
	sample_free(&f->sample);
}

static char *text_of(struct fixture *f)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	CU_ASSERT_EQUAL(et_report_text(&f->report, out), 0);
	fclose(out);
	CU_ASSERT_EQUAL(strlen(text), n);
	return text;
}

/* Cells of a line, counted independently of the room: the sample's names have no wide ones. */
static size_t width(const char *line, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += ((uint8_t)line[i] & 0xc0) != 0x80;
	return w;
}

/* No line too wide, no control byte, no blank at a line's end, nothing that reverses text. */
static void check_lines(const char *text)
{
	CU_ASSERT_PTR_NULL(strstr(text, "\xe2\x80\xae"));
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (width(line, n) > ET_REPORT_WIDTH)
			fprintf(stderr, "too wide: %.*s\n", (int)n, line);
		CU_ASSERT_TRUE(width(line, n) <= ET_REPORT_WIDTH);
		CU_ASSERT_TRUE(n == 0 || line[n - 1] != ' ');
		for (size_t i = 0; i < n; i++)
			CU_ASSERT_TRUE((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
		CU_ASSERT_EQUAL_FATAL(line[n], '\n');
		line += n + 1;
	}
}

static void test_text(void)
{
	static const char *const lines[] = {
		"  packets     12,345, 4.5 MB\n",
		"  time        2026-11-22 10:31:07 to 10:45:00 UTC, 13 min 53 s\n",
		"  sessions    6: 2 with TLS, 2 failed, 1 unknown, 1 with mail in clear\n",
		"  quality     1 session seen in one direction\n",
		" SESSIONS   TLS  FAILED   CLEAR  WAY      PEER\n",
		"        2  100%       -       -  in       out.example.org 198.51.100.8\n",
		"        2    0%       1       2  in       out.example.org 198.51.100.7\n",
		"to mx.example.net 192.0.2.25  smtp  TLSv1.3 1, TLSv1.2 1\n",
		"        1 TLSv1.3 with cipher TLS_AES_256_GCM_SHA384\n",
		"        1 TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384\n",
		"           no_shared_cipher/certificate_curve (certain)\n",
		"           The server's only certificate has a P-384 key, and this client accepts "
		"P-256 alone.\n",
		"        2       1  out.example.org 198.51.100.7\n",
		"after TLS had failed\n",
	};
	struct fixture f;
	char *text;

	fixture_new(&f);
	f.sample.run.gateways = &f.gateway;
	f.sample.run.gateways_cnt = 1;
	et_stats_count(f.report.peers, &f.sample.run);
	text = text_of(&f);
	if (getenv("SHOW"))
		fputs(text, stderr);
	check_lines(text);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (!strstr(text, lines[i]))
			fprintf(stderr, "missing: %s", lines[i]);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, lines[i]));
	}
	CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
	free(text);
	f.sample.run.gateways_cnt = 0;
	text = text_of(&f);
	if (getenv("SHOW"))
		fputs(text, stderr);
	check_lines(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "CLEAR  PEER\n"));
	free(text);
	f.report.colour = true;
	text = text_of(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\x1b[1mPeers\x1b[0m\n"));
	free(text);
	fixture_free(&f);
}

/* Names and sentences of every length and kind, the longest addresses, the largest counts. */
static void test_hostile(void)
{
	static const char *const units[] = { "a", "\xff", "\xe2\x80\xae", "\x1b[31m", "\xc3\xa9",
		" ", "\\", "word " };
	char name[600], why[ET_CAUSE_WHY];
	struct fixture f;
	char *text;

	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		for (size_t n = 0; n < 250; n += 23) {
			size_t at = 0;

			fixture_new(&f);
			f.sample.run.gateways = &f.gateway;
			f.sample.run.gateways_cnt = u % 2;
			name[0] = '\0';
			for (size_t i = 0; i < n && at + 8 < sizeof(name); i++)
				at += (size_t)sprintf(name + at, "%s", units[u]);
			snprintf(why, sizeof(why), "%.399s", name);
			for (size_t i = 0; i < SAMPLE_CNT; i++) {
				struct et_session *s = &f.sample.sessions[i];

				s->name[0] = s->name[1] =
					sample_put(f.sample.books.names, name, at);
				memset(s->addr[ET_CLIENT].b, 0xab, 16);
				memset(s->addr[ET_SERVER].b, 0xcd, 16);
				s->mail.clear_mail = UINT32_MAX;
				s->alert_code = 300;
				sample_cause(&f.sample, i, n % 2 ? name : "a/b", ET_LIKELY, why);
			}
			for (size_t i = 0; i < ET_DROP_MAX; i++)
				f.report.capture.drops[i] = INT64_MAX;
			f.report.capture.packets = f.report.capture.bytes = INT64_MAX;
			f.report.capture.gaps = f.report.capture.duplicates = INT64_MAX;
			f.report.capture.imissed = INT64_MAX;
			f.report.damaged = f.report.unreadable = UINT32_MAX;
			f.report.first_ns = INT64_MIN;
			f.report.last_ns = INT64_MAX;
			et_stats_count(f.report.peers, &f.sample.run);
			text = text_of(&f);
			check_lines(text);
			free(text);
			fixture_free(&f);
		}
	}
}

static void test_empty(void)
{
	struct fixture f;
	char *text;

	fixture_new(&f);
	f.sample.run.cnt = 0;
	text = text_of(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "No mail session was found"));
	free(text);
	f.report.capture.packets = 0;
	f.report.damaged = 1;
	text = text_of(&f);
	CU_ASSERT_EQUAL(strncmp(text, "The capture holds no packets.\n", 30), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "1 damaged file\n"));
	free(text);
	fixture_free(&f);
}

static void test_top(void)
{
	struct fixture f;
	char *text;

	fixture_new(&f);
	et_stats_count(f.report.peers, &f.sample.run);
	f.report.top = 1;
	text = text_of(&f);
	check_lines(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "      ... and 3 more\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "out.example.org 198.51.100.7\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "198.51.100.8"));
	free(text);
	fixture_free(&f);
}

static void test_json(void)
{
	static const char *const top = "type v sensor capture totals peers version_ciphers "
				       "failures clear ";
	char *text = NULL, keys[256] = "";
	struct fixture f;
	json_error_t error;
	const char *key;
	json_t *o, *value;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	fixture_new(&f);
	et_stats_count(f.report.peers, &f.sample.run);
	CU_ASSERT_EQUAL(et_report_json(&f.report, out), 0);
	fclose(out);
	o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
	CU_ASSERT_PTR_NOT_NULL_FATAL(o);
	json_object_foreach(o, key, value) sprintf(keys + strlen(keys), "%s ", key);
	CU_ASSERT_STRING_EQUAL(keys, top);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "peers")), 4);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "version_ciphers")), 2);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "failures")), 2);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "clear")), 1);
	value = json_object_get(json_object_get(o, "totals"), "sessions");
	CU_ASSERT_EQUAL(json_integer_value(value), SAMPLE_CNT);
	value = json_array_get(json_object_get(o, "clear"), 0);
	CU_ASSERT_STRING_EQUAL(
		json_string_value(json_object_get(value, "starttls")), "after_failure");
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(value, "mails")), 2);
	json_decref(o);
	free(text);
	fixture_free(&f);
}

/* The sentence is of the most certain session; the count is of all. */
static void test_why(void)
{
	struct fixture f;
	char *text;

	fixture_new(&f);
	sample_cause(&f.sample, SAMPLE_TLS12, "a", ET_POSSIBLE, "Perhaps.");
	sample_cause(&f.sample, SAMPLE_TLS13, "a", ET_CERTAIN, "Surely.");
	et_stats_count(f.report.peers, &f.sample.run);
	text = text_of(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "           a (certain)\n           Surely.\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "Perhaps."));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "        2  out.example.org 198.51.100.8\n"));
	free(text);
	fixture_free(&f);
}

int main(void)
{
	CU_TestInfo tests[] = { { "text", test_text }, { "hostile", test_hostile },
		{ "empty", test_empty }, { "top", test_top }, { "json", test_json },
		{ "why", test_why }, CU_TEST_INFO_NULL };

	return unit_run("report", tests);
}
