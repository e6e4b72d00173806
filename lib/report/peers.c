/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <string.h>

#define VERSIONS_MAX 16

/*
 * "TLSv1.3 200, TLSv1.2 70", the newest first, without a count if there is one; "" if none.
 * Returns the newest.
 */
static uint16_t versions_text(
	char *out, size_t cap, const struct et_peer_table *table, const struct et_peer *peer)
{
	const struct et_peer_cell *found[VERSIONS_MAX], *cell = NULL;
	size_t cnt = 0, at = 0;

	while ((cell = et_peer_next(table, peer, cell)) && cnt < VERSIONS_MAX) {
		size_t i = cnt;

		if (cell->kind != ET_PEER_VERSIONS)
			continue;
		for (; i > 0 && found[i - 1]->key < cell->key; i--)
			found[i] = found[i - 1];
		found[i] = cell;
		cnt++;
	}
	out[0] = '\0';
	for (size_t i = 0; i < cnt && at < cap; i++) {
		char name[FACTS_NAME], count[LINE_COUNT];

		facts_version(name, et_peer_cipher_key((uint16_t)found[i]->key, 0));
		at += (size_t)snprintf(out + at, cap - at, "%s%.32s%s%s", i ? ", " : "", name,
			cnt > 1 ? " " : "", cnt > 1 ? line_count(count, found[i]->count) : "");
	}
	return cnt ? (uint16_t)found[0]->key : 0;
}

/* Failures before what was never tried, and both before what the capture hides. */
static int rank(const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	char code[ET_CAUSE_CODE];
	struct et_view view;

	if (cell->kind != ET_PEER_CAUSES)
		return 0;
	view = et_peer_cause(table, cell);
	snprintf(code, sizeof(code), "%.*s", (int)view.n, (const char *)view.p);
	return facts_is_hidden(code) ? 2 : facts_is_clear(code);
}

/* Whether a cell is to be named rather than another: ties go to the lower key or first text. */
static bool outdoes(const struct et_peer_table *table, const struct et_peer_cell *cell,
	const struct et_peer_cell *best)
{
	int order = rank(table, cell) - rank(table, best);
	struct et_view a, b;

	if (order != 0)
		return order < 0;
	if (cell->count != best->count)
		return cell->count > best->count;
	if (cell->kind != ET_PEER_CAUSES)
		return cell->key < best->key;
	a = et_peer_cause(table, cell);
	b = et_peer_cause(table, best);
	order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order ? order < 0 : a.n < b.n;
}

struct most {
	const struct et_peer_cell *cell; /* NULL: none of that kind */
	uint64_t all;                    /* of all cells of the kind */
};

static struct most most_of(
	const struct et_peer_table *table, const struct et_peer *peer, enum et_peer_kind kind)
{
	const struct et_peer_cell *cell = NULL;
	struct most most = { 0 };

	while ((cell = et_peer_next(table, peer, cell))) {
		if (cell->kind != (uint64_t)kind)
			continue;
		most.all += cell->count;
		if (!most.cell || outdoes(table, cell, most.cell))
			most.cell = cell;
	}
	return most;
}

/* Share of sessions with TLS; 0 and 100 only where it is none and all. */
static void share_text(char out[static 8], const struct et_peer *peer)
{
	uint64_t all = peer->counts[ET_PEER_SESSIONS];
	uint64_t tls = peer->counts[ET_PEER_TLS_ESTABLISHED];
	uint64_t percent = all ? tls * 100 / all : 0;

	if (tls > 0 && percent == 0)
		snprintf(out, 8, "<1%%");
	else
		snprintf(out, 8, "%u%%", (unsigned)percent);
}

static void put_cause(
	struct line_block *block, const struct et_peer_table *table, const struct et_peer *peer)
{
	struct most cause = most_of(table, peer, ET_PEER_CAUSES);
	char code[LINE_NAME], count[LINE_COUNT], text[LINE_NAME + 64];
	uint64_t failed =
		(uint64_t)peer->counts[ET_PEER_TLS_FAILED] + peer->counts[ET_PEER_TLS_BROKEN];
	bool all;

	if (!cause.cell)
		return;
	/* a number is given where the reader cannot tell of how many sessions it is */
	all = cause.cell->count == (failed ? failed : peer->counts[ET_PEER_SESSIONS]);
	line_safe(code, et_peer_cause(table, cause.cell));
	snprintf(text, sizeof(text), "%s%s%s", all ? "" : line_count(count, cause.cell->count),
		all ? "" : " ", code);
	block->style = rank(table, cause.cell) == 0 ? LINE_BAD : LINE_WARN;
	block_put(block, text);
}

/* The second line: service, versions, the suite most used, the main cause. */
static void put_details(const struct line_out *to, const struct et_report *report,
	const struct et_peer *peer, const char *service, size_t indent)
{
	struct line_block block = { .to = to, .indent = indent, .style = LINE_DIM };
	struct most suite = most_of(report->peers, peer, ET_PEER_VERSION_CIPHERS);
	char text[256], name[FACTS_NAME];
	uint16_t newest = versions_text(text, sizeof(text), report->peers, peer);

	if (service)
		block_put(&block, service);
	if (text[0]) {
		block.style = newest < ET_TLSV1_2 ? LINE_WARN : LINE_DIM;
		block_put(&block, text);
	}
	block.style = LINE_DIM;
	if (suite.cell) {
		facts_suite(name, suite.cell->key);
		snprintf(text, sizeof(text), "%s%s", suite.cell->count < suite.all ? "mostly " : "",
			name);
		block_put(&block, text);
	}
	put_cause(&block, report->peers, peer);
	if (peer->counts[ET_PEER_INJECTED] > 0) {
		block.style = LINE_BAD;
		block_put(&block, "injected");
	}
	block_end(&block);
}

#define PEERS_NUMBERS 32 /* columns before the peer, without a direction */

static void put_peer(const struct line_out *to, const struct et_report *report,
	const struct et_peer *peer, const struct who_widths *widths)
{
	size_t indent = PEERS_NUMBERS + (widths->way ? widths->way + 2 : 0);
	const uint32_t *c = peer->counts;
	char share[8];
	struct who who;

	who_of_peer(&who, report, peer);
	share_text(share, peer);
	text_number(to, 9, c[ET_PEER_SESSIONS], LINE_PLAIN);
	fprintf(to->out, " %4s ", share);
	text_number(to, 7, (uint64_t)c[ET_PEER_TLS_FAILED] + c[ET_PEER_TLS_BROKEN], LINE_BAD);
	putc(' ', to->out);
	text_number(to, 7, c[ET_PEER_CLEAR_MAIL], LINE_WARN);
	fputs("  ", to->out);
	if (widths->way)
		line_padded(to, LINE_PLAIN, who.way ? who.way : "", widths->way + 2);
	who_put(to, &who, widths, false);
	putc('\n', to->out);
	put_details(to, report, peer, who.service, indent);
}

/* The titles stand over the columns, whatever their widths. */
static void put_titles(const struct line_out *to, const struct who_widths *widths)
{
	bool ways = widths->way > 0;
	char head[4 * ET_REPORT_WIDTH];
	size_t at = (size_t)snprintf(
		head, sizeof(head), "%9s %4s %7s %7s  ", "SESSIONS", "TLS", "FAILED", "CLEAR");

	if (ways)
		at += (size_t)snprintf(
			head + at, sizeof(head) - at, "%-*s", (int)widths->way + 2, "WAY");
	snprintf(head + at, sizeof(head) - at, "%-*s%s\n", (int)widths->peer + 2,
		ways ? "PEER" : "CLIENT", ways ? "GATEWAY" : "SERVER");
	line_styled(to, LINE_DIM, head);
}

void text_peers(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	size_t shown = text_shown(report, facts->peers_cnt);
	struct who_widths widths = { 0 };
	struct who who;

	for (size_t i = 0; i < shown; i++) {
		who_of_peer(&who, report, facts->peers[i]);
		who_widen(&widths, &who);
	}
	if (widths.way && widths.way < strlen("WAY"))
		widths.way = strlen("WAY");
	if (widths.near < strlen("GATEWAY"))
		widths.near = strlen("GATEWAY");
	who_fit(&widths, ET_REPORT_WIDTH - PEERS_NUMBERS - (widths.way ? widths.way + 2 : 0));
	text_heading(to, "Peers");
	put_titles(to, &widths);
	for (size_t i = 0; i < shown; i++)
		put_peer(to, report, facts->peers[i], &widths);
	text_more(to, 9, facts->peers_cnt, shown);
}
