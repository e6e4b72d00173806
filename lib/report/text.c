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

void text_more(const struct line_out *to, size_t cnt, size_t shown)
{
	char count[LINE_COUNT], text[64];

	if (shown == cnt)
		return;
	snprintf(text, sizeof(text), "%9s and %s more\n", "...", line_count(count, cnt - shown));
	line_styled(to, LINE_DIM, text);
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

static void span_text(char *out, size_t cap, int64_t from_ns, int64_t until_ns)
{
	/* unsigned: the two ends of time are further apart than 63 bits hold */
	uint64_t ns = until_ns > from_ns ? (uint64_t)until_ns - (uint64_t)from_ns : 0;
	uint64_t s = ns / (uint64_t)ET_NS_PER_S;
	unsigned long long days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60;

	if (s >= 86400)
		snprintf(out, cap, "%llu d %llu h", days, hours);
	else if (s >= 3600)
		snprintf(out, cap, "%llu h %llu min", hours, minutes);
	else if (s >= 60)
		snprintf(out, cap, "%llu min %llu s", minutes, (unsigned long long)(s % 60));
	else
		snprintf(out, cap, "%.1f s", (double)ns / 1e9);
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
	char packets[LINE_COUNT], bytes[32], span[64], from[ET_TIME_TEXT], until[ET_TIME_TEXT];
	char text[256];

	line_count(packets, known(report->capture.packets));
	bytes_text(bytes, sizeof(bytes), known(report->capture.bytes));
	snprintf(text, sizeof(text), "%s, %s", packets, bytes);
	line_field(to, "packets", text);
	span_text(span, sizeof(span), report->first_ns, report->last_ns);
	moment_text(from, report->first_ns, NULL);
	moment_text(until, report->last_ns, from);
	snprintf(text, sizeof(text), "%s to %s UTC, %s", from, until, span);
	line_field(to, "time", text);
}

static void put_sessions(const struct line_out *to, const struct facts *facts)
{
	const uint64_t *t = facts->totals;
	char text[512] = "", parts[256] = "", number[LINE_COUNT];

	add_count(parts, sizeof(parts), t[ET_PEER_TLS_ESTABLISHED], "with TLS", "with TLS");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_FAILED] + t[ET_PEER_TLS_BROKEN], "failed",
		"failed");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_INCOMPLETE], "incomplete", "incomplete");
	add_count(parts, sizeof(parts), t[ET_PEER_TLS_UNKNOWN], "unknown", "unknown");
	add_count(parts, sizeof(parts), t[ET_PEER_CLEAR_SESSIONS], "with mail in clear",
		"with mail in clear");
	snprintf(text, sizeof(text), "%s%s%s", line_count(number, t[ET_PEER_SESSIONS]),
		parts[0] ? ": " : "", parts);
	line_field(to, "sessions", text);
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
	text_more(to, facts->tally_cnt, shown);
}

static void put_failure(const struct line_out *to, const struct et_report *report,
	const struct facts_failure *failure)
{
	const struct et_session *s = &report->run->sessions[failure->session];
	const struct et_cause *cause = et_policy_cause(report->run->policy, failure->session);
	struct line_block block = { .to = to, .indent = 11, .style = LINE_DIM };
	char count[LINE_COUNT], code[LINE_NAME + 32], why[LINE_NAME];
	struct text_pair pair;

	text_pair(&pair, report, s->addr, s->service, s->name, ET_REPORT_WIDTH - 11);
	fprintf(to->out, "%9s  %s\n", line_short(count, failure->count, 9), pair.peer);
	block_put(&block, pair.near);
	if (pair.service)
		block_put(&block, pair.service);
	block_end(&block);
	line_safe(why,
		(struct et_view){ .p = (const uint8_t *)cause->code, .n = strlen(cause->code) });
	snprintf(code, sizeof(code), "%s (%s)", why, et_confidence_name(cause->confidence));
	block.style = LINE_BAD;
	block_put(&block, code);
	block_end(&block);
	line_safe(
		why, (struct et_view){ .p = (const uint8_t *)cause->why, .n = strlen(cause->why) });
	line_prose(to, 11, why);
}

static void put_failures(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	size_t shown = text_shown(report, facts->failures_cnt);

	if (facts->failures_cnt == 0)
		return;
	text_heading(to, "What failed and why");
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			putc('\n', to->out);
		put_failure(to, report, &facts->failures[i]);
	}
	text_more(to, facts->failures_cnt, shown);
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
	put_failures(to, report, facts);
	text_clear(to, report, facts);
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
