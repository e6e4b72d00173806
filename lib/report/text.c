/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <errno.h>
#include <string.h>

void text_heading(const struct line_out *to, const char *title)
{
	putc('\n', to->out);
	line_styled(to, LINE_HEAD, title);
	putc('\n', to->out);
}

size_t text_shown(const struct et_report *report, size_t cnt)
{
	return report->top > 0 && report->top < cnt ? report->top : cnt;
}

void text_more(const struct line_out *to, size_t indent, size_t cnt, size_t shown)
{
	char count[LINE_COUNT], text[64];

	if (shown == cnt)
		return;
	snprintf(text, sizeof(text), "%*s and %s more\n", (int)indent, "...",
		line_count(count, cnt - shown));
	line_styled(to, LINE_DIM, text);
}

void text_number(const struct line_out *to, int width, uint64_t count, enum line_style style)
{
	char number[LINE_COUNT] = "-", cell[2 * LINE_COUNT];

	if (count > 0)
		line_short(number, count, (size_t)width);
	snprintf(cell, sizeof(cell), "%*s", width, number);
	line_styled(to, count > 0 ? style : LINE_DIM, cell);
}

/* "3 damaged files": adds to a list in `text` if there are any. */
static void add_count(
	char *text, size_t cap, uint64_t count, const char *singular, const char *plural)
{
	size_t at = strlen(text);
	char number[LINE_COUNT];

	if (count > 0)
		snprintf(text + at, cap - at, "%s%s %s", at ? ", " : "", line_count(number, count),
			count == 1 ? singular : plural);
}

static uint64_t known(int64_t count)
{
	return count > 0 ? (uint64_t)count : 0;
}

static void bytes_text(char *out, size_t cap, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		value /= 1000;
	snprintf(out, cap, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* "2026-11-22 10:31:07"; without the day if that is the same as of `day`. */
static void moment_text(char out[static ET_TIME_TEXT], int64_t ts_ns, const char *day)
{
	char text[ET_TIME_TEXT];

	et_time_s(text, ts_ns);
	text[10] = ' ';
	text[19] = '\0';
	snprintf(out, ET_TIME_TEXT, "%s", day && strncmp(day, text, 10) == 0 ? text + 11 : text);
}

static void put_traffic(const struct line_out *to, const struct et_report *report)
{
	char packets[LINE_COUNT], bytes[32], span[LINE_COUNT], from[ET_TIME_TEXT],
		until[ET_TIME_TEXT];
	char text[256];

	line_count(packets, known(report->capture.packets));
	bytes_text(bytes, sizeof(bytes), known(report->capture.bytes));
	snprintf(text, sizeof(text), "%s, %s", packets, bytes);
	line_field(to, "packets", text);
	line_span(span, report->first_ns, report->last_ns);
	moment_text(from, report->first_ns, NULL);
	moment_text(until, report->last_ns, from);
	snprintf(text, sizeof(text), "%s to %s UTC, %s", from, until, span);
	line_field(to, "time", text);
}

static void put_sessions(const struct line_out *to, const struct facts *facts)
{
	const uint64_t *t = facts->totals;
	uint64_t tried = t[ET_PEER_TLS_ESTABLISHED] + t[ET_PEER_TLS_FAILED] +
			 t[ET_PEER_TLS_BROKEN] + t[ET_PEER_TLS_INCOMPLETE] + t[ET_PEER_TLS_UNKNOWN];
	char text[512] = "", parts[256] = "", number[LINE_COUNT];

	add_count(parts, sizeof(parts), t[ET_PEER_TLS_ESTABLISHED], "with TLS", "with TLS");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_FAILED] + t[ET_PEER_TLS_BROKEN], "failed",
		"failed");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_INCOMPLETE], "incomplete", "incomplete");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_UNKNOWN], "unknown", "unknown");
	/* each with one outcome: those that are left had no TLS at all */
	add_count(parts, sizeof(parts),
		t[ET_PEER_SESSIONS] > tried ? t[ET_PEER_SESSIONS] - tried : 0, "without TLS",
		"without TLS");
	snprintf(text, sizeof(text), "%s%s%s", line_count(number, t[ET_PEER_SESSIONS]),
		parts[0] ? ": " : "", parts);
	line_field(to, "sessions", text);
}

/* What an operator has to know before all details. */
static void put_alarms(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	const uint64_t *t = facts->totals;
	char text[2 * LINE_NAME] = "", one[LINE_COUNT], all[LINE_COUNT], server[LINE_NAME];

	if (facts->groups_cnt[FACTS_FAILED] > 0) {
		const struct facts_group *group = &facts->groups[FACTS_FAILED][0];
		const struct et_session *s = &report->run->sessions[group->session];
		uint64_t failed = 0;

		for (size_t i = 0; i < facts->groups_cnt[FACTS_FAILED]; i++)
			failed += facts->groups[FACTS_FAILED][i].sessions;
		who_name(server, report, s->addr, s->name, ET_SERVER);
		line_cut_front(server, sizeof(server), 40);
		snprintf(text, sizeof(text), "%s of %s failures: %s (%s)",
			line_count(one, group->sessions), line_count(all, failed),
			facts_headline(et_policy_cause(report->run->policy, group->session)->code),
			server);
		if (group->sessions > 1) /* else none of them is the main one */
			line_field(to, "main cause", text);
	}
	text[0] = '\0';
	add_count(text, sizeof(text), t[ET_PEER_CLEAR_MAIL], "mail", "mails");
	add_count(text, sizeof(text), t[ET_PEER_AUTH_CLEAR], "session with credentials",
		"sessions with credentials");
	if (text[0])
		line_field(to, "in clear", text);
	text[0] = '\0';
	add_count(text, sizeof(text), t[ET_PEER_INJECTED],
		"session with text in clear behind STARTTLS",
		"sessions with text in clear behind STARTTLS");
	if (text[0])
		line_field(to, "injected", text);
}

/* What makes the figures below less than certain. */
static void put_quality(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	const struct et_stats_capture *c = &report->capture;
	uint64_t nic = known(c->imissed) + known(c->ierrors) + known(c->rx_nombuf);
	char text[512] = "";

	add_count(text, sizeof(text), nic, "packet lost by the NIC", "packets lost by the NIC");
	add_count(text, sizeof(text), known(c->gaps), "gap", "gaps");
	add_count(text, sizeof(text), facts->one_direction, "session seen in one direction",
		"sessions seen in one direction");
	add_count(
		text, sizeof(text), known(c->duplicates), "duplicate packet", "duplicate packets");
	add_count(text, sizeof(text), report->damaged, "damaged file", "damaged files");
	add_count(text, sizeof(text), report->unreadable, "unreadable file", "unreadable files");
	add_count(text, sizeof(text), et_peer_refused(report->peers) + known(c->table_lost),
		"count lost", "counts lost");
	line_field(to, "quality", text[0] ? text : "no gaps, no duplicates");
}

static void put_drops(const struct line_out *to, const struct et_report *report)
{
	for (size_t i = 0; i < ET_DROP_MAX; i++) {
		char text[160], number[LINE_COUNT];

		if (report->capture.drops[i] <= 0 || i == ET_DROP_NOT_TCP)
			continue; /* other protocols on the port are no loss */
		snprintf(text, sizeof(text), "%s %s",
			line_count(number, (uint64_t)report->capture.drops[i]),
			et_drop_text((enum et_drop)i));
		line_field(to, "given up", text);
	}
}

static void put_tally(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	size_t shown = text_shown(report, facts->tally_cnt);

	if (facts->tally_cnt == 0)
		return;
	text_heading(to, "Versions and suites");
	for (size_t i = 0; i < shown; i++) {
		const struct facts_tally *tally = &facts->tally[i];
		char version[FACTS_NAME], suite[FACTS_NAME];

		facts_version(version, tally->key);
		facts_suite(suite, tally->key);
		/* as mail logs have it, without separators: people sort and compare it */
		fprintf(to->out, "%9llu %.15s with cipher %.60s\n",
			(unsigned long long)tally->count,
			et_peer_key_version(tally->key) == ET_TLSV1_0 ? "TLSv1" : version, suite);
	}
	text_more(to, 9, facts->tally_cnt, shown);
}

static void put_all(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	if (report->capture.packets == 0) {
		fputs("The capture holds no packets.\n", to->out);
		put_quality(to, report, facts);
		return;
	}
	line_styled(to, LINE_HEAD, "Capture");
	putc('\n', to->out);
	put_traffic(to, report);
	put_sessions(to, facts);
	put_alarms(to, report, facts);
	put_quality(to, report, facts);
	put_drops(to, report);
	if (facts->peers_cnt == 0) {
		fputs("\nNo mail session was found: nothing on a mail port, no mail dialogue, no "
		      "TLS.\n",
			to->out);
		return;
	}
	text_peers(to, report, facts);
	put_tally(to, report, facts);
	text_section(to, report, facts, FACTS_FAILED);
	text_section(to, report, facts, FACTS_CLEAR);
	text_section(to, report, facts, FACTS_HIDDEN);
}

int et_report_text(const struct et_report *report, FILE *out)
{
	struct line_out to = { .out = out, .colour = report->colour };
	struct facts facts;
	int rc = facts_gather(&facts, report);

	if (rc == 0) {
		put_all(&to, report, &facts);
		if (fflush(out) != 0 || ferror(out))
			rc = -EIO;
	}
	facts_free(&facts);
	return rc;
}
