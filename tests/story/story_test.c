/* SPDX-License-Identifier: BSD-3-Clause */

/* Does a table of sessions become the stories that a person would tell of it? */

#include "et_story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

/* the tables below leave out what is 0 */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define DAY   86400
#define STEPS 16
#define TEXT  2048

/*
 * A session: when it began and was decided, in seconds; who; what became of it: F failed, B broken,
 * I incomplete and closed, S incomplete and silent, R STARTTLS refused, T established, C mail in
 * clear, f and r: as F and R, then mail in clear on the same connection, U unknown, N nothing.
 */
struct step {
	int from_s, until_s;
	unsigned client, server;
	char what;
	const char *name;
	bool gateway;
	uint8_t service; /* 0: smtp */
};

static struct et_session session_of(const struct step *step)
{
	struct et_session s = { .start_ns = step->from_s * ET_NS_PER_S,
		.decided_ns = step->until_s * ET_NS_PER_S,
		.end = ET_END_FIN_CLIENT,
		.service = step->service ? step->service : ET_SERVICE_SMTP,
		.outcome = ET_OUTCOME_NONE };

	s.addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ 10, 0, 0, (uint8_t)step->client });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 20, 0, 0, (uint8_t)step->server });
	switch (step->what) {
	case 'f': s.mail.clear_mail = 1; /* fall through */
	case 'F': s.outcome = ET_OUTCOME_FAILED; break;
	case 'B': s.outcome = ET_OUTCOME_BROKEN; break;
	case 'S': s.end = ET_END_OPEN; /* fall through */
	case 'I': s.outcome = ET_OUTCOME_INCOMPLETE; break;
	case 'r': s.mail.clear_mail = 1; /* fall through */
	case 'R':
		s.mail.requested = true;
		s.mail.reply = 454;
		break;
	case 'T': s.outcome = ET_OUTCOME_ESTABLISHED; break;
	case 'C': s.mail.clear_mail = 1; break;
	case 'U': s.outcome = ET_OUTCOME_UNKNOWN; break;
	default: break;
	}
	return s;
}

static struct et_fallback tell(struct et_story_table *table, const struct step *step)
{
	struct et_session s = session_of(step);
	struct et_story_event event = { .session = &s, .gateway = step->gateway };
	struct et_fallback out;
	char cause[ET_STORY_CAUSE], hello[ET_STORY_HELLO];

	snprintf(cause, sizeof(cause), "cause/%d", step->from_s % 1000);
	snprintf(hello, sizeof(hello), "%032x", step->client);
	if (et_story_failed(&s)) {
		event.cause = cause;
		event.hello = hello;
	}
	if (step->name)
		event.server_name =
			(struct et_view){ (const uint8_t *)step->name, strlen(step->name) };
	CU_ASSERT_EQUAL_FATAL(et_story_step(table, &out, &event), 0);
	return out;
}

static long seconds(int64_t ns)
{
	return (long)(ns / ET_NS_PER_S);
}

/* "1>1,2 clear x1 a2 0-400 900 by 2 d900": client, servers, how, stories, attempts, first and last
 * failure, closed. */
static void write_row(char *out, size_t cap, const struct et_story *row)
{
	size_t n = strlen(out);
	bool ended = row->how == ET_STORY_CLEAR || row->how == ET_STORY_TLS;

	n += (size_t)snprintf(out + n, cap - n, "%s%u>", n ? "; " : "", row->client.b[15]);
	for (unsigned i = 0; i < row->servers_cnt; i++)
		n += (size_t)snprintf(
			out + n, cap - n, "%s%u", i ? "," : "", row->servers[i].b[15]);
	n += (size_t)snprintf(out + n, cap - n, " %s x%u a%u %ld-%ld",
		et_story_how_name((enum et_story_how)row->how), row->stories, row->attempts,
		seconds(row->opened_ns), seconds(row->last_ns));
	if (row->how == ET_STORY_STUCK)
		n += (size_t)snprintf(out + n, cap - n, " %ld", seconds(row->closed_ns));
	if (ended)
		n += (size_t)snprintf(out + n, cap - n, " %ld%s by %u d%ld",
			seconds(row->closed_ns), row->same_connection ? " same" : "",
			row->closed_by.b[15], seconds(row->delay_ns));
	if (row->how == ET_STORY_CLEAR && row->stories > 1)
		snprintf(out + n, cap - n, " max %ld", seconds(row->delay_max_ns));
}

static void close_minute(char *out, size_t cap, struct et_story_table *table, int minute)
{
	size_t cnt;
	const struct et_story *rows =
		et_story_minute(table, &cnt, (minute + 1) * (int64_t)ET_NS_PER_MIN);

	CU_ASSERT_PTR_NOT_NULL_FATAL(rows);
	if (cnt > 0 && *out)
		strncat(out, " |", cap - strlen(out) - 1);
	for (size_t i = 0; i < cnt; i++)
		write_row(out, cap, &rows[i]);
}

/* All cases into a new table, as an exporter does that is started again. */
static struct et_story_table *again(struct et_story_table *table, uint32_t max)
{
	struct et_story_table *other = et_story_new(max);
	const struct et_story_case *known = NULL;

	CU_ASSERT_PTR_NOT_NULL_FATAL(other);
	while ((known = et_story_next_case(table, known)) != NULL)
		CU_ASSERT_EQUAL_FATAL(et_story_restore(other, known), 0);
	CU_ASSERT_EQUAL(et_story_cases(other), et_story_cases(table));
	CU_ASSERT_EQUAL(et_story_open_cnt(other), et_story_open_cnt(table));
	et_story_free(table);
	return other;
}

/* The rows of all minutes up to `end_s`; restart: with a new table behind each minute. */
static void play(char *out, const struct step *steps, int end_s, uint32_t max, bool restart)
{
	struct et_story_table *table = et_story_new(max);
	int minute = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	out[0] = '\0';
	for (unsigned i = 0; i < STEPS && steps[i].what; i++) {
		for (; steps[i].until_s / 60 > minute; minute++) {
			close_minute(out, TEXT, table, minute);
			if (restart)
				table = again(table, max);
			if (steps[i].until_s / 60 > minute + 2)
				minute = steps[i].until_s / 60 - 2; /* nothing happens there */
		}
		tell(table, &steps[i]);
	}
	close_minute(out, TEXT, table, minute);
	if (end_s / 60 > minute)
		close_minute(out, TEXT, table, end_s / 60);
	et_story_free(table);
}

struct row {
	const char *name;
	struct step steps[STEPS];
	const char *rows; /* those of one minute with "; " between them, and " |" between minutes */
	int end_s;
	uint32_t max;
};

static const struct row stories[] = {
	{ "Postfix: fails, defers, fails again, clear at once",
		{ { 0, 1, 1, 1, 'F' }, { 400, 401, 1, 1, 'F' }, { 401, 402, 1, 1, 'C' } },
		"1>1 open x1 a1 0-0 |; 1>1 clear x1 a2 0-400 401 by 1 d401" },
	{ "a refused STARTTLS goes on in clear", { { 5, 6, 1, 1, 'r' } },
		"1>1 clear x1 a1 5-5 5 same by 1 d0" },
	{ "an alert, then clear on the same connection", { { 5, 6, 1, 1, 'f' } },
		"1>1 clear x1 a1 5-5 5 same by 1 d0" },
	{ "Exim: broken, a new connection in clear", { { 5, 6, 1, 1, 'B' }, { 6, 7, 1, 1, 'C' } },
		"1>1 clear x1 a1 5-5 6 by 1 d1" },
	{ "refused, then clear on a new connection", { { 5, 6, 1, 1, 'R' }, { 9, 10, 1, 1, 'C' } },
		"1>1 clear x1 a1 5-5 9 by 1 d4" },
	{ "failed before, and refused on the connection that delivers",
		{ { 0, 1, 1, 1, 'F' }, { 9, 10, 1, 1, 'r' } },
		"1>1 clear x1 a2 0-9 9 same by 1 d9" },
	{ "TLS the next time", { { 0, 1, 1, 1, 'F' }, { 30, 31, 1, 1, 'T' } },
		"1>1 tls x1 a1 0-0 30 by 1 d30" },
	{ "closed within the handshake counts, silence does not",
		{ { 0, 1, 1, 1, 'I' }, { 0, 1, 2, 1, 'S' }, { 9, 10, 1, 1, 'C' },
			{ 9, 10, 2, 1, 'C' } },
		"1>1 clear x1 a1 0-0 9 by 1 d9" },
	{ "what the capture hides, and what says nothing, changes nothing",
		{ { 0, 1, 1, 1, 'F' }, { 9, 10, 1, 1, 'U' }, { 9, 10, 1, 1, 'N' } },
		"1>1 open x1 a1 0-0" },
	{ "clear before any failure is no story", { { 0, 1, 1, 1, 'C' }, { 2, 3, 1, 1, 'F' } },
		"1>1 open x1 a1 2-2" },
	{ "a connection from before the failure does not end it",
		{ { 5, 6, 1, 1, 'F' }, { 1, 9, 1, 1, 'C' }, { 2, 9, 1, 1, 'T' } },
		"1>1 open x1 a1 5-5" },
	{ "other client, other server, other service",
		{ { 0, 1, 1, 1, 'F' }, { 5, 6, 2, 1, 'C' }, { 5, 6, 1, 2, 'C' },
			{ 5, 6, 1, 1, 'C', .service = ET_SERVICE_SUBMISSION } },
		"1>1 open x1 a1 0-0" },
	{ "no stories of mailboxes",
		{ { 0, 1, 1, 1, 'F', .service = ET_SERVICE_IMAP },
			{ 0, 1, 1, 1, 'F', .service = ET_SERVICE_POP3S } },
		"" },
	{ "gateways stand for each other: another MX takes it in clear",
		{ { 0, 1, 1, 1, 'F', .gateway = true }, { 2, 3, 1, 2, 'F', .gateway = true },
			{ 4, 5, 1, 3, 'C', .gateway = true } },
		"1>1,2 clear x1 a2 0-2 4 by 3 d4" },
	{ "another MX takes it with TLS",
		{ { 0, 1, 1, 1, 'F', .gateway = true }, { 4, 5, 1, 3, 'T', .gateway = true } },
		"1>1 tls x1 a1 0-0 4 by 3 d4" },
	{ "a gateway does not stand for others",
		{ { 0, 1, 1, 1, 'F', .gateway = true }, { 4, 5, 1, 3, 'C' } },
		"1>1 open x1 a1 0-0" },
	{ "equal names, whatever their case",
		{ { 0, 1, 1, 1, 'F', "mx.example.net" }, { 4, 5, 1, 2, 'C', "MX.example.NET" } },
		"1>1 clear x1 a1 0-0 4 by 2 d4" },
	{ "names that many hosts have do not count",
		{ { 0, 1, 1, 1, 'F', "localhost.localdomain" }, { 0, 1, 2, 1, 'F', "mail" },
			{ 0, 1, 3, 1, 'F', "****.example" },
			{ 4, 5, 1, 2, 'C', "localhost.localdomain" }, { 4, 5, 2, 2, 'C', "mail" },
			{ 4, 5, 3, 2, 'C', "****.example" } },
		"1>1 open x1 a1 0-0; 2>1 open x1 a1 0-0; 3>1 open x1 a1 0-0" },
	{ "the same address under two names",
		{ { 0, 1, 1, 1, 'F', "mx1.example" }, { 4, 5, 1, 1, 'F', "mx2.example" },
			{ 6, 7, 1, 9, 'C', "mx2.example" } },
		"1>1 clear x1 a2 0-4 6 by 9 d6" },
	{ "other causes, other rows",
		{ { 0, 1, 1, 1, 'r' }, { 2, 3, 1, 1, 'r' }, { 60, 61, 1, 1, 'r' } },
		"1>1 clear x1 a1 0-0 0 same by 1 d0; 1>1 clear x1 a1 2-2 2 same by 1 d0 |; 1>1 "
		"clear "
		"x1 a1 60-60 60 same by 1 d0" },
	{ "a story that came from before, and a short one behind it",
		{ { 0, 1, 1, 1, 'F' }, { 100, 101, 1, 1, 'C' }, { 102, 103, 1, 1, 'F' },
			{ 104, 105, 1, 1, 'C' } },
		"1>1 open x1 a1 0-0 |; 1>1 clear x1 a1 0-0 100 by 1 d100; 1>1 clear x1 a1 102-102 "
		"104 "
		"by 1 d2" },
	{ "two stories of one minute, the second stays open",
		{ { 0, 1, 1, 1, 'F' }, { 2, 3, 1, 1, 'T' }, { 4, 5, 1, 1, 'F' } },
		"1>1 tls x1 a1 0-0 2 by 1 d2; 1>1 open x1 a1 4-4" },
	{ "one that took long shares with no short one",
		{ { 1100, 1101, 1, 1, 'F' }, { 1102, 1103, 1, 1, 'C' }, { 100, 1110, 1, 1, 'F' },
			{ 1111, 1112, 1, 1, 'C' } },
		"1>1 clear x1 a1 100-100 1111 by 1 d1011; 1>1 clear x1 a1 1100-1100 1102 by 1 d2" },
	{ "never came back", { { 10, 20, 1, 1, 'F' } },
		"1>1 open x1 a1 10-10 |; 1>1 stuck x1 a1 10-10 604820", 7 * DAY + 60 },
	{ "stuck a second before, and no more in clear behind it",
		{ { 10, 20, 1, 1, 'F' }, { 7 * DAY + 30, 7 * DAY + 31, 1, 1, 'C' } },
		"1>1 open x1 a1 10-10 |; 1>1 stuck x1 a1 10-10 604820" },
	{ "it came back on the last day",
		{ { 10, 20, 1, 1, 'F' }, { 7 * DAY, 7 * DAY + 1, 1, 1, 'C' } },
		"1>1 open x1 a1 10-10 |; 1>1 clear x1 a1 10-10 604800 by 1 d604790" },
	{ "stuck however often it tried, then a new story",
		{ { 0, 1, 1, 1, 'F' }, { 3 * DAY, 3 * DAY + 1, 1, 1, 'F' },
			{ 8 * DAY, 8 * DAY + 1, 1, 1, 'F' } },
		"1>1 open x1 a1 0-0 |; 1>1 open x1 a2 0-259200 |; 1>1 stuck x1 a2 0-259200 604801 "
		"|; "
		"1>1 open x1 a1 691200-691200" },
	{ "the table is full: the oldest goes, and is told",
		{ { 0, 1, 1, 1, 'F' }, { 2, 3, 2, 1, 'F' }, { 4, 5, 3, 1, 'F' },
			{ 6, 7, 1, 1, 'C' } },
		"1>1 dropped x1 a1 0-0; 2>1 open x1 a1 2-2; 3>1 open x1 a1 4-4", 0, 2 },
	{ "nine servers of one name: eight are listed, the ninth counts",
		{ { 0, 1, 1, 1, 'F', "a.example" }, { 1, 2, 1, 2, 'F', "a.example" },
			{ 2, 3, 1, 3, 'F', "a.example" }, { 3, 4, 1, 4, 'F', "a.example" },
			{ 4, 5, 1, 5, 'F', "a.example" }, { 5, 6, 1, 6, 'F', "a.example" },
			{ 6, 7, 1, 7, 'F', "a.example" }, { 7, 8, 1, 8, 'F', "a.example" },
			{ 8, 9, 1, 9, 'F', "a.example" }, { 10, 11, 1, 9, 'C', "a.example" } },
		"1>1,2,3,4,5,6,7,8 clear x1 a9 0-8 10 by 9 d10" },
};

static void test_stories(void)
{
	char got[TEXT];

	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct row *row = &stories[i];

		for (unsigned restart = 0; restart < 2; restart++) {
			play(got, row->steps, row->end_s, row->max ? row->max : 100, restart);
			CU_ASSERT_STRING_EQUAL(got, row->rows);
			if (strcmp(got, row->rows) != 0)
				printf("\n%s%s\n  got  %s\n  want %s\n", row->name,
					restart ? " (restarted)" : "", got, row->rows);
		}
	}
}

/* What the session record says of the pair alone: "after+delay" or "same" or "-" for each step. */
static const struct {
	const char *name;
	struct step steps[STEPS];
	const char *fallbacks;
} pairs[] = {
	{ "from the first failure on",
		{ { 0, 1, 1, 1, 'F' }, { 400, 401, 1, 1, 'F' }, { 402, 403, 1, 1, 'C' } },
		"- - 0+402" },
	{ "again in clear without a new failure",
		{ { 0, 1, 1, 1, 'F' }, { 4, 5, 1, 1, 'C' }, { 8, 9, 1, 1, 'C' } }, "- 0+4 0+8" },
	{ "a failure behind it counts anew",
		{ { 0, 1, 1, 1, 'F' }, { 4, 5, 1, 1, 'C' }, { 6, 7, 1, 1, 'F' },
			{ 8, 9, 1, 1, 'C' } },
		"- 0+4 - 6+2" },
	{ "TLS clears it", { { 0, 1, 1, 1, 'F' }, { 4, 5, 1, 1, 'T' }, { 8, 9, 1, 1, 'C' } },
		"- - -" },
	{ "the same connection", { { 0, 1, 1, 1, 'F' }, { 4, 5, 1, 1, 'r' } }, "- same" },
	{ "another MX: no fallback of the pair",
		{ { 0, 1, 1, 1, 'F', .gateway = true }, { 4, 5, 1, 2, 'C', .gateway = true },
			{ 6, 7, 1, 1, 'C', .gateway = true } },
		"- - 0+6" },
	{ "TLS at another MX leaves the pair as it is",
		{ { 0, 1, 1, 1, 'F', .gateway = true }, { 4, 5, 1, 2, 'T', .gateway = true },
			{ 6, 7, 1, 1, 'C', .gateway = true } },
		"- - 0+6" },
	{ "not after seven days", { { 0, 1, 1, 1, 'F' }, { 7 * DAY, 7 * DAY + 1, 1, 1, 'C' } },
		"- -" },
	{ "a failure that is newer than the story outlives it",
		{ { 0, 1, 1, 1, 'F', .gateway = true },
			{ 6 * DAY, 6 * DAY + 1, 1, 2, 'F', .gateway = true },
			{ 8 * DAY, 8 * DAY + 1, 1, 2, 'C', .gateway = true } },
		"- - 518400+172800" },
	{ "it had begun before", { { 5, 6, 1, 1, 'F' }, { 4, 9, 1, 1, 'C' } }, "- -" },
};

static void write_fallback(char *out, size_t cap, const struct et_fallback *f)
{
	size_t n = strlen(out);

	if (!f->is)
		snprintf(out + n, cap - n, "%s-", n ? " " : "");
	else if (f->same_connection)
		snprintf(out + n, cap - n, "%ssame", n ? " " : "");
	else
		snprintf(out + n, cap - n, "%s%ld+%ld", n ? " " : "", seconds(f->after_ns),
			seconds(f->delay_ns));
}

static void test_pairs(void)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct et_story_table *table = et_story_new(100);
		char got[256] = "";

		for (unsigned k = 0; k < STEPS && pairs[i].steps[k].what; k++) {
			struct et_fallback f = tell(table, &pairs[i].steps[k]);

			write_fallback(got, sizeof(got), &f);
		}
		CU_ASSERT_STRING_EQUAL(got, pairs[i].fallbacks);
		if (strcmp(got, pairs[i].fallbacks) != 0)
			printf("\n%s\n  got  %s\n  want %s\n", pairs[i].name, got,
				pairs[i].fallbacks);
		et_story_free(table);
	}
}

/* Stories that differ in their times alone become one row, others do not. */
static void test_sharing(void)
{
	struct et_story_table *table = et_story_new(100);
	struct et_session s = session_of(&(struct step){ 1, 2, 1, 1, 'r' });
	struct et_story_event event = { .session = &s, .cause = "starttls_refused/454" };
	struct et_fallback f;
	const struct et_story *rows;
	size_t cnt;

	for (unsigned i = 0; i < 1000; i++) {
		event.cause = i % 2 ? "starttls_refused/454" : "starttls_refused/421";
		s.start_ns += ET_NS_PER_S / 100;
		s.decided_ns = s.start_ns;
		CU_ASSERT_EQUAL(et_story_step(table, &f, &event), 0);
		CU_ASSERT_TRUE(f.is && f.same_connection);
	}
	rows = et_story_minute(table, &cnt, ET_NS_PER_MIN);
	CU_ASSERT_EQUAL_FATAL(cnt, 2);
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_EQUAL(rows[i].stories, 500);
		CU_ASSERT_EQUAL(rows[i].attempts, 500);
	}
	CU_ASSERT_STRING_EQUAL(rows[0].cause, "starttls_refused/421");
	rows = et_story_minute(table, &cnt, 2 * ET_NS_PER_MIN);
	CU_ASSERT_PTR_NOT_NULL(rows);
	CU_ASSERT_EQUAL(cnt, 0);
	et_story_free(table);
}

/* Of stories in one row: the sum of their delays, and the longest. */
static void test_delays(void)
{
	struct et_story_table *table = et_story_new(100);
	const struct et_story *rows;
	size_t cnt;

	for (int i = 0; i < 3; i++) {
		struct step step = { 10 * i, 10 * i, 1, 1, 'F' };
		struct et_session s = session_of(&step);
		struct et_story_event event = { .session = &s, .cause = "broken/after_handshake" };
		struct et_fallback f;

		CU_ASSERT_EQUAL(et_story_step(table, &f, &event), 0);
		step = (struct step){ 10 * i + 1 + i, 10 * i + 2 + i, 1, 1, 'C' };
		CU_ASSERT_TRUE(tell(table, &step).is);
	}
	rows = et_story_minute(table, &cnt, ET_NS_PER_MIN);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	CU_ASSERT_EQUAL(rows[0].stories, 3);
	CU_ASSERT_EQUAL(seconds(rows[0].opened_ns), 0);
	CU_ASSERT_EQUAL(seconds(rows[0].last_ns), 20);
	CU_ASSERT_EQUAL(seconds(rows[0].closed_ns), 23);
	CU_ASSERT_EQUAL(seconds(rows[0].delay_ns), 6);
	CU_ASSERT_EQUAL(seconds(rows[0].delay_max_ns), 3);
	et_story_free(table);
}

/* The pair by itself, as the session records have it. */
static void test_pair_alone(void)
{
	struct et_story_pair pair = { 0 };
	struct et_session failed = session_of(&(struct step){ 0, 1, 1, 1, 'F' });
	struct et_session clear = session_of(&(struct step){ 7 * DAY - 1, 7 * DAY, 1, 1, 'C' });

	CU_ASSERT_FALSE(et_story_pair_step(&pair, &failed).is);
	CU_ASSERT_TRUE(et_story_pair_step(&pair, &clear).is);
	clear.start_ns += ET_NS_PER_S;
	CU_ASSERT_FALSE(et_story_pair_step(&pair, &clear).is);
	CU_ASSERT_FALSE(pair.failed);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/*
 * Any sessions in any order: memory stays bounded, every story that was opened is closed once or
 * open, and a table that is put aside behind each minute gives the same rows.
 */
static void test_any(void)
{
	static const char whats[] = "FBISRTCfrUN";
	struct et_story_table *table = et_story_new(50), *other = et_story_new(50);
	uint64_t attempts = 0, told = 0;
	uint32_t state = 1;

	for (unsigned minute = 0; minute < 3000; minute++) {
		const struct et_story *rows, *others;
		size_t cnt, others_cnt;
		struct et_fallback a, b;

		for (unsigned i = 0; i < 40; i++) {
			int at = (int)(minute * 600 + next_random(&state) % 60);
			struct step step = { at - (int)(next_random(&state) % 100), at,
				next_random(&state) % 60, next_random(&state) % 12,
				whats[next_random(&state) % (sizeof(whats) - 1)],
				next_random(&state) % 3 ? NULL : "mx.example.net",
				next_random(&state) % 4 == 0, 0 };
			struct et_session s = session_of(&step);

			attempts += et_story_failed(&s);
			a = tell(table, &step);
			b = tell(other, &step);
			CU_ASSERT_TRUE(a.is == b.is && a.after_ns == b.after_ns);
		}
		rows = et_story_minute(table, &cnt, (minute * 10 + 1) * (int64_t)ET_NS_PER_MIN);
		others = et_story_minute(
			other, &others_cnt, (minute * 10 + 1) * (int64_t)ET_NS_PER_MIN);
		CU_ASSERT_EQUAL_FATAL(cnt, others_cnt);
		CU_ASSERT_EQUAL(memcmp(rows, others, cnt * sizeof(*rows)), 0);
		for (size_t i = 0; i < cnt; i++)
			told += rows[i].how == ET_STORY_OPEN ? 0 : rows[i].attempts;
		CU_ASSERT_TRUE(et_story_cases(table) <= 50);
		other = again(other, 50);
	}
	for (const struct et_story_case *known = et_story_next_case(table, NULL); known;
		known = et_story_next_case(table, known))
		told += known->open ? known->story.attempts : 0;
	CU_ASSERT_EQUAL(told, attempts);
	CU_ASSERT_TRUE(et_story_dropped_cnt(table) > 0);
	et_story_free(table);
	et_story_free(other);
}

/* Time stamps at the ends of time, as damaged captures have them. */
static void test_ends_of_time(void)
{
	static const int64_t times[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1,
		INT64_MAX };
	const size_t n = sizeof(times) / sizeof(times[0]);

	for (size_t a = 0; a < n * n * n * n; a++) {
		struct et_story_table *table = et_story_new(3);
		struct et_session s = session_of(&(struct step){ 0, 0, 1, 1, 'F' });
		struct et_story_event event = { .session = &s };
		struct et_fallback f;
		size_t cnt;

		s.start_ns = times[a % n];
		s.decided_ns = times[a / n % n];
		CU_ASSERT_EQUAL(et_story_step(table, &f, &event), 0);
		s = session_of(&(struct step){ 0, 0, 1, 1, 'C' });
		s.start_ns = times[a / n / n % n];
		s.decided_ns = times[a / n / n / n % n];
		CU_ASSERT_EQUAL(et_story_step(table, &f, &event), 0);
		CU_ASSERT_TRUE(f.delay_ns >= 0);
		CU_ASSERT_PTR_NOT_NULL(et_story_minute(table, &cnt, times[a % n]));
		et_story_free(table);
	}
}

static void test_restore_refuses(void)
{
	struct et_story_table *table = et_story_new(10);
	const struct et_story_case good = { .story = { .service = ET_SERVICE_SMTP,
						    .stories = 1,
						    .attempts = 1,
						    .servers_cnt = 1 },
		.open = true,
		.servers_cnt = 1 };
	struct et_story_case bad[8];

	for (unsigned i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].story.service = ET_SERVICE_IMAP;
	bad[1].servers_cnt = ET_STORY_SERVERS + 1;
	bad[2].names_cnt = ET_STORY_NAMES + 1;
	memset(bad[3].story.cause, 'x', sizeof(bad[3].story.cause));
	memset(bad[4].story.hello, 'x', sizeof(bad[4].story.hello));
	bad[5].story.attempts = 0;
	bad[6].story.servers_cnt = 0;
	bad[7].story.how = ET_STORY_CLEAR;
	for (unsigned i = 0; i < 8; i++)
		CU_ASSERT_EQUAL(et_story_restore(table, &bad[i]), -EINVAL);
	CU_ASSERT_EQUAL(et_story_cases(table), 0);
	CU_ASSERT_EQUAL(et_story_restore(table, &good), 0);
	CU_ASSERT_EQUAL(et_story_restore(table, &good), 0); /* twice: the first is found */
	CU_ASSERT_EQUAL(et_story_cases(table), 2);
	et_story_free(table);
}

static void test_changes(void)
{
	static const struct {
		char what;
		bool changed;
	} rows[] = { { 'T', false }, { 'F', true }, { 'U', false }, { 'F', true }, { 'C', true },
		{ 'C', false }, { 'T', true }, { 'T', false } };
	struct et_story_table *table = et_story_new(10);
	size_t cnt;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int at = (int)i;

		tell(table, &(struct step){ at, at, 1, 1, rows[i].what });
		CU_ASSERT_EQUAL(et_story_changed(table), rows[i].changed);
		et_story_minute(table, &cnt, ET_NS_PER_MIN);
		CU_ASSERT_FALSE(et_story_changed(table));
	}
	CU_ASSERT_EQUAL(et_story_cases(table), 0);
	et_story_free(table);
}

static void test_order(void)
{
	struct et_session a = { .decided_ns = 5, .start_ns = 1 }, b = a;

	CU_ASSERT_EQUAL(et_story_cmp(&a, &b), 0);
	b.port[ET_CLIENT] = 1;
	CU_ASSERT_TRUE(et_story_cmp(&a, &b) < 0 && et_story_cmp(&b, &a) > 0);
	a.addr[ET_CLIENT].b[0] = 1;
	CU_ASSERT_TRUE(et_story_cmp(&a, &b) > 0);
	b.index = 1;
	CU_ASSERT_TRUE(et_story_cmp(&a, &b) < 0);
	a.start_ns = 2;
	CU_ASSERT_TRUE(et_story_cmp(&a, &b) > 0);
	b.decided_ns = 6;
	CU_ASSERT_TRUE(et_story_cmp(&a, &b) < 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "stories", test_stories }, { "pairs", test_pairs },
		{ "sharing a row", test_sharing }, { "delays", test_delays },
		{ "pair alone", test_pair_alone }, { "any sessions", test_any },
		{ "ends of time", test_ends_of_time }, { "restore refuses", test_restore_refuses },
		{ "changes", test_changes }, { "order", test_order }, CU_TEST_INFO_NULL };

	return unit_run("story", tests);
}
