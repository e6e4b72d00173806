/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define VERSIONS_MAX 16

void text_host(char out[static TEXT_PIECE], const struct et_dict *names, uint32_t name,
	const struct et_addr *addr, size_t width)
{
	char ip[ET_ADDR_TEXT], host[LINE_NAME];

	et_addr_text(ip, addr);
	if (name == ET_DICT_NONE) {
		snprintf(out, TEXT_PIECE, "%s", ip);
		return;
	}
	line_safe(host, et_dict_get(names, name));
	line_cut(host, sizeof(host), width - strlen(ip) - 1);
	snprintf(out, TEXT_PIECE, "%s %s", host, ip);
}

void text_pair(struct text_pair *out, const struct et_report *report,
	const struct et_addr addr[static 2], uint8_t service, const uint32_t names[static 2],
	size_t width)
{
	const struct et_stats_run *run = report->run;
	enum et_direction direction = et_peer_direction(
		run->gateways, run->gateways_cnt, &addr[ET_CLIENT], &addr[ET_SERVER]);
	enum et_dir far = direction == ET_DIRECTION_OUT ? ET_SERVER : ET_CLIENT;
	enum et_dir close = et_dir_other(far);
	const char *word = far == ET_CLIENT ? "to " : "from ";
	size_t n = strlen(word);
	char host[TEXT_PIECE];

	out->direction = et_direction_name(direction);
	out->service = et_service_name((enum et_service)service);
	text_host(out->peer, run->books->names, names[far], &addr[far], width);
	text_host(host, run->books->names, names[close], &addr[close], width - n);
	snprintf(out->near, sizeof(out->near), "%s%.*s", word, (int)(TEXT_PIECE - 8), host);
}

static void names_of(
	uint32_t names[static 2], const struct et_report *report, const struct et_peer *peer)
{
	const struct et_dict *dict = report->run->books->names;

	names[ET_CLIENT] = et_peer_name(report->peers, peer, ET_CLIENT, dict);
	names[ET_SERVER] = et_peer_name(report->peers, peer, ET_SERVER, dict);
}

/* "TLSv1.3 200, TLSv1.2 70", the newest first; "" if there is none. */
static void versions_text(
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
		at += (size_t)snprintf(out + at, cap - at, "%s%.32s %s", i ? ", " : "", name,
			line_count(count, found[i]->count));
	}
}

/* The most frequent cell of a kind, the lower key of equals; causes: the first by its text. */
static const struct et_peer_cell *most(
	const struct et_peer_table *table, const struct et_peer *peer, enum et_peer_kind kind)
{
	const struct et_peer_cell *best = NULL, *cell = NULL;

	while ((cell = et_peer_next(table, peer, cell))) {
		bool before = false;

		if (cell->kind != (uint64_t)kind || (best && cell->count < best->count))
			continue;
		if (best && cell->count == best->count && kind == ET_PEER_CAUSES) {
			struct et_view a = et_peer_cause(table, cell);
			struct et_view b = et_peer_cause(table, best);
			size_t n = a.n < b.n ? a.n : b.n;
			int order = memcmp(a.p, b.p, n);

			before = order ? order < 0 : a.n < b.n;
		} else if (best && cell->count == best->count) {
			before = cell->key < best->key;
		}
		if (!best || cell->count > best->count || before)
			best = cell;
	}
	return best;
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

static void put_number(const struct line_out *to, int width, uint64_t count, enum line_style style)
{
	char number[LINE_COUNT] = "-", cell[2 * LINE_COUNT];

	if (count > 0)
		line_short(number, count, (size_t)width);
	snprintf(cell, sizeof(cell), "%*s", width, number);
	line_styled(to, count > 0 ? style : LINE_DIM, cell);
}

static void put_details(const struct line_out *to, const struct et_report *report,
	const struct et_peer *peer, const struct text_pair *pair, size_t indent)
{
	struct line_block block = { .to = to, .indent = indent, .style = LINE_DIM };
	const struct et_peer_cell *cell;
	char text[256];

	block_put(&block, pair->near);
	if (pair->service)
		block_put(&block, pair->service);
	versions_text(text, sizeof(text), report->peers, peer);
	if (text[0])
		block_put(&block, text);
	cell = most(report->peers, peer, ET_PEER_VERSION_CIPHERS);
	if (cell) {
		facts_suite(text, cell->key);
		block_put(&block, text);
	}
	block_end(&block);
	cell = most(report->peers, peer, ET_PEER_CAUSES);
	if (cell) {
		char count[LINE_COUNT], code[LINE_NAME];

		block.style = LINE_BAD;
		line_safe(code, et_peer_cause(report->peers, cell));
		snprintf(text, sizeof(text), "%s %.200s", line_count(count, cell->count), code);
		block_put(&block, text);
		block_end(&block);
	}
}

#define PEERS_NUMBERS 33 /* columns before the peer, without a direction */
#define PEERS_DIR     9

static void put_peer(
	const struct line_out *to, const struct et_report *report, const struct et_peer *peer)
{
	size_t indent = PEERS_NUMBERS + (report->run->gateways_cnt ? PEERS_DIR : 0);
	const uint32_t *c = peer->counts;
	struct text_pair pair;
	uint32_t names[2];
	char share[8], cell[16];

	names_of(names, report, peer);
	text_pair(&pair, report, peer->addr, peer->service, names, ET_REPORT_WIDTH - indent);
	share_text(share, peer);
	put_number(to, 9, c[ET_PEER_SESSIONS], LINE_PLAIN);
	fprintf(to->out, " %5s ", share);
	put_number(to, 7, (uint64_t)c[ET_PEER_TLS_FAILED] + c[ET_PEER_TLS_BROKEN], LINE_BAD);
	putc(' ', to->out);
	put_number(to, 7, c[ET_PEER_CLEAR_MAIL], LINE_WARN);
	fputs("  ", to->out);
	if (pair.direction) {
		snprintf(cell, sizeof(cell), "%-*s", PEERS_DIR, pair.direction);
		fputs(cell, to->out);
	}
	fprintf(to->out, "%s\n", pair.peer);
	put_details(to, report, peer, &pair, indent);
}

void text_peers(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	size_t shown = text_shown(report, facts->peers_cnt);
	char head[ET_REPORT_WIDTH + 1];

	text_heading(to, "Peers");
	snprintf(head, sizeof(head), "%9s %5s %7s %7s  %-*sPEER\n", "SESSIONS", "TLS", "FAILED",
		"CLEAR", report->run->gateways_cnt ? PEERS_DIR : 0,
		report->run->gateways_cnt ? "WAY" : "");
	line_styled(to, LINE_DIM, head);
	for (size_t i = 0; i < shown; i++)
		put_peer(to, report, facts->peers[i]);
	text_more(to, facts->peers_cnt, shown);
}

static const char *clear_text(const char *reason)
{
	static const struct {
		const char *reason, *text;
	} rows[] = {
		{ "not_offered", "STARTTLS not offered" },
		{ "offered", "STARTTLS offered and not used" },
		{ "refused", "STARTTLS refused by the server" },
		{ "masked", "STARTTLS masked on the path" },
		{ "after_failure", "after TLS had failed" },
	};

	for (size_t i = 0; reason && i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(reason, rows[i].reason) == 0)
			return rows[i].text;
	return NULL;
}

#define CLEAR_NUMBERS 20

void text_clear(
	const struct line_out *to, const struct et_report *report, const struct facts *facts)
{
	size_t shown = text_shown(report, facts->clear_cnt);

	if (facts->clear_cnt == 0)
		return;
	text_heading(to, "In clear");
	line_styled(to, LINE_DIM, "    MAILS  LOGINS  PEER\n");
	for (size_t i = 0; i < shown; i++) {
		const struct et_peer *peer = facts->clear[i];
		struct line_block block = {
			.to = to, .indent = CLEAR_NUMBERS - 1, .style = LINE_DIM
		};
		const char *reason = clear_text(facts_clear_reason(peer));
		struct text_pair pair;
		uint32_t names[2];

		names_of(names, report, peer);
		text_pair(&pair, report, peer->addr, peer->service, names,
			ET_REPORT_WIDTH - CLEAR_NUMBERS);
		put_number(to, 9, peer->counts[ET_PEER_CLEAR_MAIL], LINE_WARN);
		put_number(to, 8, peer->counts[ET_PEER_AUTH_CLEAR], LINE_BAD);
		fprintf(to->out, "  %s\n", pair.peer);
		block_put(&block, pair.near);
		if (pair.service)
			block_put(&block, pair.service);
		if (reason)
			block_put(&block, reason);
		block_end(&block);
	}
	text_more(to, facts->clear_cnt, shown);
}
