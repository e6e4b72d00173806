/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the printed answer say what was counted, within its width, whatever the names are? */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "et_report.h"
#include "fallback.h"
#include "line.h"
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
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_EQUAL(strlen(text), n);
	return text;
}

/* Cells of a line, counted independently of the room; U+0301 is the only one of another width. */
static size_t width(const char *line, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += ((uint8_t)line[i] & 0xc0) != 0x80 && (uint8_t)line[i] != 0xcc;
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
		if (n > 0 && line[n - 1] == ' ')
			fprintf(stderr, "blank at the end: %.*s\n", (int)n, line);
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
		"  sessions    6: 2 with TLS, 2 failed, 1 unknown, 1 without TLS\n",
		"  in clear    2 mails, 1 session with credentials\n",
		"  quality     1 session seen in one direction\n",
		" SESSIONS  TLS  FAILED   CLEAR  WAY  PEER          ",
		"        2 100%       -       -  in   out.example.org  ",
		"  198.51.100.8   mx.example\xe2\x80\xa6\n",
		"                                     smtp  TLSv1.3 1, TLSv1.2 1  mostly "
		"ECDHE-RSA-AES256-GCM-SHA384\n",
		"        2   0%       1       2  in   out.example.org  ",
		"                                     smtp  no_shared_cipher/certificate_curve\n",
		"        1   0%       -       -  in   (no name)  ",
		"  198.51.100.10  192.0.2.25\n",
		"?evil)  abab:abab:abab:abab:abab:abab:abab:abab  \\x1b[2J\"\\x",
		"        1 TLSv1.3 with cipher TLS_AES_256_GCM_SHA384\n",
		"        1 TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384\n",
		"        1  The client does not support the curve of the server's ECDSA "
		"certificate\n"
		"           mx.example.net  192.0.2.25  smtp  no_shared_cipher/certificate_curve "
		"(certain)\n"
		"           The server's only certificate has a P-384 key, and this client accepts "
		"P-256 alone.\n"
		"                 1  out.example.org  198.51.100.7  then in clear, 5 min 1 s later"
		"\n",
		"        2  TLS had failed, and the client then sent in clear\n",
		"                 2  out.example.org  198.51.100.7  mx.example.net\n"
		"                    5 min 1 s later, credentials in clear\n",
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
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "CLEAR  CLIENT  "));
	free(text);
	f.report.colour = true;
	text = text_of(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\x1b[1mPeers\x1b[0m\n"));
	free(text);
	fixture_free(&f);
}

/* One long name, cause and sentence in all sessions, the longest addresses, the largest counts. */
static void make_hostile(struct fixture *f, const char *unit, size_t units)
{
	char name[600] = "", why[ET_CAUSE_WHY];
	size_t at = 0;

	for (size_t i = 0; i < units && at + 8 < sizeof(name); i++)
		at += (size_t)sprintf(name + at, "%s", unit);
	snprintf(why, sizeof(why), "%.399s", name);
	for (size_t i = 0; i < SAMPLE_CNT; i++) {
		struct et_session *s = &f->sample.sessions[i];

		/* name and other end have names of different lengths */
		s->name[units % 2] = sample_put(f->sample.books.names, name, at);
		s->name[1 - units % 2] = sample_put(f->sample.books.names, name, at / 3);
		memset(s->addr[ET_CLIENT].b, 0xab + (i == SAMPLE_TLS12), 16);
		memset(s->addr[ET_SERVER].b, 0xcd, 16);
		s->mail.clear_mail = UINT32_MAX;
		s->mail.auth_clear = i % 2;
		s->alert_code = 300;
		sample_cause(&f->sample, i,
			units % 3 == 0   ? "a/b"
			: units % 3 == 1 ? "capture/x"
					 : name,
			ET_LIKELY, why);
	}
	for (size_t i = 0; i < ET_DROP_MAX; i++)
		f->report.capture.drops[i] = INT64_MAX;
	f->report.capture.packets = f->report.capture.bytes = INT64_MAX;
	f->report.capture.gaps = f->report.capture.duplicates = INT64_MAX;
	f->report.capture.imissed = INT64_MAX;
	f->report.damaged = f->report.unreadable = UINT32_MAX;
	f->report.first_ns = INT64_MIN;
	f->report.last_ns = INT64_MAX;
}

static void test_hostile(void)
{
	static const char *const units[] = { "a", "\xff", "\xe2\x80\xae", "\x1b[31m", "\xc3\xa9",
		" ", "\\", "word ", "(", "\xcc\x81", "a.b\n" };
	struct fixture f;
	char *text;

	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		for (size_t n = 0; n < 250; n += n < 16 ? 1 : 19) {
			fixture_new(&f);
			f.sample.run.gateways = &f.gateway;
			f.sample.run.gateways_cnt = u % 2;
			make_hostile(&f, units[u], n);
			et_stats_count(f.report.peers, &f.sample.run);
			text = text_of(&f);
			check_lines(text);
			free(text);
			fixture_free(&f);
		}
	}
}

/* A name that says nothing is told in our words, and no name can pass for one of them. */
static void test_names(void)
{
	static const char longest[] =
		"long-label-0123456789.long-label-0123456789.outbound.example.com";
	static const struct {
		const char *client, *shown;
	} rows[] = {
		{ "out.example.org", "out.example.org" },
		{ "", "(no name)" },
		{ "   ", "(no name)" },
		{ "198.51.100.7", "(its address)" },
		{ "[198.51.100.7]", "(its address)" },
		{ "192.0.2.25", "(says 192.0.2.25)" },
		{ "[IPv6:2001:db8::1]", "(says [IPv6:2001:db8::1])" },
		{ "198.51.100.0/24", "198.51.100.0/24" },
		{ "MX.example.NET", "(says MX.example.NET)" },
		{ "(no name)", "\\x28no name)" },
		{ longest, longest },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *client = rows[i].client;
		char line[LINE_NAME];
		struct fixture f;
		char *text;

		fixture_new(&f);
		f.sample.run.cnt = 1; /* the failed one */
		f.sample.sessions[0].name[ET_CLIENT] =
			sample_put(f.sample.books.names, client, strlen(client));
		et_stats_count(f.report.peers, &f.sample.run);
		text = text_of(&f);
		check_lines(text);
		snprintf(line, sizeof(line), "                 1  %s  198.51.100.7\n",
			rows[i].shown);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
		/* where there is less room, the end of the name stays */
		if (client == longest)
			CU_ASSERT_PTR_NOT_NULL(
				strstr(text, "  \xe2\x80\xa6label-0123456789.outbound.example.com  "
					     "198.51.100.7  "
					     "mx.example.net\n"));
		free(text);
		fixture_free(&f);
	}
}

/* The sample's failed and clear sessions in other clothes: which section tells of them? */
static void test_sections(void)
{
	static const struct {
		const char *code;
		enum et_outcome outcome;
		uint32_t mails;
		bool fallback, same;
		const char *failed, *clear, *hidden;
	} rows[] = {
		{ "starttls_not_used", ET_OUTCOME_NONE, 1, false, false, NULL,
			"        1  STARTTLS is offered, and the client does not use it\n", NULL },
		{ "starttls_not_offered/vanished", ET_OUTCOME_NONE, 0, false, false, NULL,
			"        -  The server does not offer STARTTLS any more\n", NULL },
		{ "starttls_refused/454", ET_OUTCOME_NONE, 1, true, true, NULL,
			"        1  The server refuses STARTTLS\n", NULL },
		{ "starttls_refused/454", ET_OUTCOME_NONE, 0, false, false,
			"        1  The server refuses STARTTLS\n", NULL, NULL },
		{ "starttls_not_used", ET_OUTCOME_NONE, 3, true, false, NULL,
			"        3  TLS had failed, and the client then sent in clear\n", NULL },
		{ "alert/x", ET_OUTCOME_FAILED, 2, true, true,
			"out.example.org  198.51.100.7  then in clear, on the same connection\n",
			"        2  TLS had failed, and the client then sent in clear\n", NULL },
		{ "lost/timeout/after_nothing", ET_OUTCOME_INCOMPLETE, 0, false, false,
			"        1  The handshake came to a halt\n", NULL, NULL },
		{ "capture/gap", ET_OUTCOME_UNKNOWN, 0, false, false, NULL, NULL,
			"        1  Packets are missing\n" },
		{ "unheard_of", ET_OUTCOME_BROKEN, 0, false, false, "        1  Another cause\n",
			NULL, NULL },
		{ "", ET_OUTCOME_ESTABLISHED, 4, false, false, NULL,
			"        4  No reason can be seen\n", NULL },
		{ "", ET_OUTCOME_ESTABLISHED, 0, false, false, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *wanted[] = { rows[i].failed, rows[i].clear, rows[i].hidden };
		static const char *const titles[] = { "\nWhat failed and why\n", "\nIn clear\n",
			"\nWhat the capture does not show\n" };
		struct fixture f;
		char *text;

		fixture_new(&f);
		f.sample.run.cnt = 1;
		f.sample.sessions[0].outcome = (uint8_t)rows[i].outcome;
		f.sample.sessions[0].mail.clear_mail = rows[i].mails;
		sample_cause(
			&f.sample, 0, rows[i].code, ET_CERTAIN, "Why. Mail went on in clear (9).");
		sample_fallback(&f.sample, 0,
			(struct et_fallback){ .is = rows[i].fallback,
				.same_connection = rows[i].same,
				.delay_ns = 5 * ET_NS_PER_S });
		et_stats_count(f.report.peers, &f.sample.run);
		text = text_of(&f);
		check_lines(text);
		CU_ASSERT_PTR_NULL(strstr(text, "(9)"));
		for (size_t s = 0; s < 3; s++) {
			if (!strstr(text, titles[s]) != !wanted[s] ||
				(wanted[s] && !strstr(text, wanted[s])))
				fprintf(stderr, "row %zu, section %zu:\n%s", i, s, text);
			CU_ASSERT_EQUAL(!strstr(text, titles[s]), !wanted[s]);
			CU_ASSERT_TRUE(!wanted[s] || strstr(text, wanted[s]));
		}
		free(text);
		fixture_free(&f);
	}
}

/* One cause at one server is explained once; another server or service has its own. */
static void test_groups(void)
{
	static const char group[] =
		"        3  No cipher suite in common\n"
		"           mx.example.net  192.0.2.25  smtp  no_shared_cipher (certain)\n"
		"           First.\n"
		"                 2  out.example.org  198.51.100.8  1 with TLS\n"
		"                 1  out.example.org  198.51.100.7\n"
		"\n"
		"        1  No cipher suite in common\n"
		"           mx.example.net  192.0.2.25  submission  no_shared_cipher (certain)\n"
		"           Third.\n";
	static const uint8_t clients[] = { 8, 7, 8, 8, 8 };
	struct fixture f;
	char *text;

	fixture_new(&f);
	f.sample.run.cnt = sizeof(clients);
	for (size_t i = 0; i < sizeof(clients); i++) {
		struct et_session *s = &f.sample.sessions[i];

		*s = f.sample.sessions[SAMPLE_FAILED];
		s->addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ 198, 51, 100, clients[i] });
		sample_fallback(&f.sample, i, (struct et_fallback){ .is = false });
		sample_cause(&f.sample, i, i == 4 ? "" : "no_shared_cipher", ET_CERTAIN,
			i == 3   ? "Third."
			: i == 0 ? "First."
				 : "Second.");
	}
	f.sample.sessions[3].service = ET_SERVICE_SUBMISSION;
	f.sample.sessions[4].outcome = ET_OUTCOME_ESTABLISHED;
	et_stats_count(f.report.peers, &f.sample.run);
	text = text_of(&f);
	if (!strstr(text, group))
		fprintf(stderr, "%s", text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, group));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "main cause  3 of 4 failures: No cipher suite in common "
			     "(mx.example.net)\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "Second."));
	free(text);
	fixture_free(&f);
}

static void test_numbers(void)
{
	static const struct {
		int64_t ns;
		const char *text;
	} spans[] = { { -5, "0 ms" }, { 0, "0 ms" }, { 7939000, "8 ms" }, { 999499999, "999 ms" },
		{ 999500000, "1.0 s" }, { 4053629000, "4.1 s" }, { 59949999999, "59.9 s" },
		{ 59950000000, "1 min 0 s" }, { 301200000000, "5 min 1 s" },
		{ 3600 * ET_NS_PER_S, "1 h 0 min" }, { 100000 * ET_NS_PER_S, "1 d 3 h" } };
	static const struct {
		uint64_t count;
		const char *text;
	} counts[] = { { 7, "7" }, { 999999, "999,999" }, { 1000000, "1000k" },
		{ UINT32_MAX, "4294M" }, { UINT64_MAX, "18446P" } };
	char text[LINE_COUNT];

	for (size_t i = 0; i < sizeof(spans) / sizeof(*spans); i++) {
		line_span(text, 0, spans[i].ns);
		CU_ASSERT_STRING_EQUAL(text, spans[i].text);
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		CU_ASSERT_STRING_EQUAL(line_short(text, counts[i].count, 7), counts[i].text);
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
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "out.example.org  198.51.100.7  mx.example.net\n"));
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
	f.sample.sessions[SAMPLE_TLS12].outcome = ET_OUTCOME_FAILED;
	f.sample.sessions[SAMPLE_TLS13].outcome = ET_OUTCOME_FAILED;
	sample_cause(&f.sample, SAMPLE_TLS12, "alert/a", ET_POSSIBLE, "Perhaps.");
	sample_cause(&f.sample, SAMPLE_TLS13, "alert/a", ET_CERTAIN, "Surely.");
	et_stats_count(f.report.peers, &f.sample.run);
	text = text_of(&f);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "  smtp  alert/a (certain)\n           Surely.\n"));
	CU_ASSERT_PTR_NULL(strstr(text, "Perhaps."));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "                 2  out.example.org  198.51.100.8"));
	free(text);
	fixture_free(&f);
}

int main(void)
{
	CU_TestInfo tests[] = { { "text", test_text }, { "hostile", test_hostile },
		{ "names", test_names }, { "sections", test_sections }, { "groups", test_groups },
		{ "numbers", test_numbers }, { "empty", test_empty }, { "top", test_top },
		{ "json", test_json }, { "why", test_why }, CU_TEST_INFO_NULL };

	return unit_run("report", tests);
}
