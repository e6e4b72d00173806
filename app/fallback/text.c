/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "et_report.h"
#include "line.h"

#define BAR_MAX      40
#define CAUSES       4 /* of each peer */
#define NAME_WIDTH   23
#define ADDR_WIDTH   15
#define SERVER_WIDTH 20
#define WHO_INDENT   37 /* of the columns behind the counts */

const int64_t delay_bounds_s[DELAY_BUCKETS - 1] = { 1, 10, 60, 300, 900, 3600, 14400, 43200,
	86400 };
const char *const delay_names[DELAY_BUCKETS] = { "up to 1 s", "up to 10 s", "up to 1 min",
	"up to 5 min", "up to 15 min", "up to 1 h", "up to 4 h", "up to 12 h", "up to 1 d",
	"more" };

void delay_histogram(
	uint64_t out[static DELAY_BUCKETS], const struct tale_delay *delays, size_t cnt)
{
	memset(out, 0, DELAY_BUCKETS * sizeof(*out));
	for (size_t i = 0; i < cnt; i++) {
		unsigned bucket = 0;

		while (bucket < DELAY_BUCKETS - 1 &&
			delays[i].ns > delay_bounds_s[bucket] * ET_NS_PER_S)
			bucket++;
		out[bucket] += delays[i].stories;
	}
}

static void heading(const struct line_out *to, const char *title)
{
	putc('\n', to->out);
	line_styled(to, LINE_HEAD, title);
	putc('\n', to->out);
}

static void more(const struct line_out *to, size_t cnt, size_t shown)
{
	char count[LINE_COUNT];

	if (cnt > shown)
		fprintf(to->out, "          ... and %s more\n", line_count(count, cnt - shown));
}

static size_t shown_of(const struct answer *answer, size_t cnt)
{
	uint32_t top = answer->options->top;

	return top > 0 && top < cnt ? top : cnt;
}

/* "2026-11-22 10:31:07" */
static void moment(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	et_time_s(out, ts_ns);
	out[10] = ' ';
	out[19] = '\0';
}

/* Adds "3 at another server" to a list behind a colon, if there are any. */
static void add_part(char *text, size_t cap, bool *first, uint64_t count, const char *what)
{
	size_t n = strlen(text);
	char number[LINE_COUNT];

	if (count == 0)
		return;
	snprintf(text + n, cap - n, "%s%s %s", *first ? ": " : ", ", line_count(number, count),
		what);
	*first = false;
}

/* "41 of 57 (71%)" */
static void share(char *out, size_t cap, uint64_t count, uint64_t of)
{
	char a[LINE_COUNT], b[LINE_COUNT];

	if (count == 0 || of == 0)
		snprintf(out, cap, "none");
	else
		snprintf(out, cap, "%s of %s (%.0f%%)", line_count(a, count), line_count(b, of),
			100 * (double)count / (double)of);
}

static void put_summary(const struct line_out *to, const struct answer *answer)
{
	const struct tale_sums *sums = &answer->tales->sums;
	uint64_t gone =
		sums->how[ET_STORY_OPEN] + sums->how[ET_STORY_STUCK] + sums->how[ET_STORY_DROPPED];
	char text[512], number[LINE_COUNT], more_text[LINE_COUNT], from[ET_TIME_TEXT],
		until[ET_TIME_TEXT];
	bool first = true;

	line_styled(to, LINE_HEAD, "What followed failed TLS");
	putc('\n', to->out);
	moment(from, answer->totals.first_ns);
	moment(until, answer->until_ns);
	snprintf(text, sizeof(text), "%s to %s UTC", from, until);
	line_field(to, "time", text);
	snprintf(text, sizeof(text), "%s, in %s sessions whose TLS failed",
		line_count(number, sums->stories), line_count(more_text, sums->attempts));
	line_field(to, "stories", text);
	share(text, sizeof(text), sums->how[ET_STORY_CLEAR], sums->stories);
	add_part(text, sizeof(text), &first, sums->same_connection, "on the same connection");
	add_part(text, sizeof(text), &first, sums->how[ET_STORY_CLEAR] - sums->same_connection,
		"on a new one");
	add_part(text, sizeof(text), &first, sums->clear_elsewhere, "at another server");
	line_field(to, "in clear", text);
	share(text, sizeof(text), sums->how[ET_STORY_TLS], sums->stories);
	first = true;
	add_part(text, sizeof(text), &first, sums->tls_elsewhere, "at another server");
	line_field(to, "TLS later", text);
	share(text, sizeof(text), gone, sums->stories);
	first = true;
	add_part(text, sizeof(text), &first, sums->how[ET_STORY_OPEN], "open at the end");
	add_part(text, sizeof(text), &first, sums->how[ET_STORY_STUCK], "silent for 7 days");
	add_part(text, sizeof(text), &first, sums->how[ET_STORY_DROPPED], "no longer followed");
	add_part(text, sizeof(text), &first, sums->tried_once, "tried only once");
	line_field(to, "neither", text);
}

static void put_bar(const struct line_out *to, uint64_t count, uint64_t most)
{
	size_t n = (size_t)((double)count / (double)most * BAR_MAX + 0.5);

	for (size_t i = 0; i < (n ? n : 1); i++)
		putc('#', to->out);
	putc('\n', to->out);
}

static int put_delays(const struct line_out *to, const struct answer *answer)
{
	const struct tales *tales = answer->tales;
	uint64_t total, most = tales->sums.same_connection, buckets[DELAY_BUCKETS];
	size_t cnt;
	struct tale_delay *delays = tales_delays(&cnt, &total, tales, 0, tales->cnt);
	char spans[4][LINE_COUNT], text[256], number[LINE_COUNT];

	if (!delays)
		return -ENOMEM;
	if (total + most == 0) {
		free(delays);
		return 0;
	}
	heading(to, "How long until mail went in clear, from the first failure on");
	if (total > 0) {
		static const unsigned per_cents[] = { 50, 90, 100 };

		line_span(spans[0], 0, delays[0].ns);
		for (unsigned i = 0; i < 3; i++)
			line_span(
				spans[i + 1], 0, delays_quantile(delays, cnt, total, per_cents[i]));
		snprintf(text, sizeof(text),
			"%s at the least, half within %s, 90%% within %s, %s "
			"at the most",
			spans[0], spans[1], spans[2], spans[3]);
		line_field(to, "delay", text);
	}
	delay_histogram(buckets, delays, cnt);
	for (unsigned i = 0; i < DELAY_BUCKETS; i++)
		most = buckets[i] > most ? buckets[i] : most;
	if (tales->sums.same_connection > 0) {
		fprintf(to->out, "%9s  %-16s ", line_short(number, tales->sums.same_connection, 9),
			"same connection");
		put_bar(to, tales->sums.same_connection, most);
	}
	for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
		if (buckets[i] == 0)
			continue;
		fprintf(to->out, "%9s  %-16s ", line_short(number, buckets[i], 9), delay_names[i]);
		put_bar(to, buckets[i], most);
	}
	free(delays);
	return 0;
}

/* The name that a side gives, else its address. */
static void who_text(
	char out[static LINE_NAME], const char *name, const struct et_addr *addr, size_t width)
{
	if (name)
		line_safe(out, (struct et_view){ (const uint8_t *)name, strlen(name) });
	else
		et_addr_text(out, addr);
	line_cut_front(out, LINE_NAME, width);
}

static void put_count(const struct line_out *to, uint64_t count, int width)
{
	char number[LINE_COUNT] = "-";

	if (count > 0)
		line_short(number, count, 6);
	fprintf(to->out, "%*s ", width, number);
}

static void put_who(
	const struct line_out *to, const struct tale *tale, const struct et_archive_pair *pair)
{
	char client[LINE_NAME], server[LINE_NAME], addr[ET_ADDR_TEXT];

	who_text(client, pair ? pair->client_name : NULL, &tale->client, NAME_WIDTH);
	who_text(server, pair ? pair->server_name : NULL, &tale->server, SERVER_WIDTH);
	et_addr_text(addr, &tale->client);
	/* a long one stands below, or instead of the name */
	if (!pair || !pair->client_name || strlen(addr) > ADDR_WIDTH)
		addr[0] = '\0';
	line_padded(to, LINE_PLAIN, client, NAME_WIDTH);
	fputs("  ", to->out);
	line_padded(to, LINE_PLAIN, addr, ADDR_WIDTH);
	fputs("  ", to->out);
	line_styled(to, LINE_PLAIN, server);
	putc('\n', to->out);
}

/* "smtp, after 4.1 s to 13 min 53 s, half within 5.0 s" and the causes. */
static int put_details(
	const struct line_out *to, const struct answer *answer, const struct tale_peer *peer)
{
	const struct tales *tales = answer->tales;
	struct line_block block = { .to = to, .indent = WHO_INDENT, .style = LINE_DIM };
	char addr[ET_ADDR_TEXT], text[LINE_NAME], a[LINE_COUNT], b[LINE_COUNT];
	uint64_t total;
	size_t cnt;
	struct tale_delay *delays = tales_delays(&cnt, &total, tales, peer->from, peer->until);
	struct tale_cause *causes;

	if (!delays)
		return -ENOMEM;
	et_addr_text(addr, &tales->v[peer->from].client);
	if (strlen(addr) > ADDR_WIDTH && peer->pair && peer->pair->client_name)
		block_put(&block, addr);
	block_put(&block, et_service_name((enum et_service)tales->v[peer->from].service));
	if (peer->sums.same_connection > 0)
		block_put(&block, "on the same connection");
	if (total > 0) {
		line_span(a, 0, delays_quantile(delays, cnt, total, 50));
		line_span(b, 0, delays[cnt - 1].ns);
		snprintf(text, sizeof(text),
			total > 1 ? "half within %s, all within %s" : "%s later", a, b);
		block_put(&block, text);
	}
	free(delays);
	if (peer->sums.clear_elsewhere > 0)
		block_put(&block, "in clear at another server");
	if (peer->sums.tls_elsewhere > 0)
		block_put(&block, "TLS at another server");
	causes = tales_causes(&cnt, tales, peer->from, peer->until);
	if (!causes)
		return -ENOMEM;
	for (size_t i = 0; i < cnt && i < CAUSES; i++) {
		const char *cause = tales_text(tales, causes[i].cause);

		if (!cause)
			continue;
		line_safe(text, (struct et_view){ (const uint8_t *)cause, strlen(cause) });
		block_put(&block, text);
	}
	free(causes);
	block_end(&block);
	return 0;
}

static int put_peers(const struct line_out *to, const struct answer *answer)
{
	const struct tales *tales = answer->tales;
	size_t shown = shown_of(answer, tales->peers_cnt);
	int rc = 0;

	if (tales->peers_cnt == 0)
		return 0;
	heading(to, "Who");
	fprintf(to->out, "STORIES  CLEAR    TLS NEITHER  TRIES %-*s  %-*s  SERVER\n", NAME_WIDTH,
		"CLIENT", ADDR_WIDTH, "");
	for (size_t i = 0; i < shown && rc == 0; i++) {
		const struct tale_peer *peer = &tales->peers[i];
		const struct tale_sums *sums = &peer->sums;

		put_count(to, sums->stories, 7);
		put_count(to, sums->how[ET_STORY_CLEAR], 6);
		put_count(to, sums->how[ET_STORY_TLS], 6);
		put_count(to,
			sums->how[ET_STORY_OPEN] + sums->how[ET_STORY_STUCK] +
				sums->how[ET_STORY_DROPPED],
			7);
		put_count(to, sums->attempts, 6);
		put_who(to, &tales->v[peer->from], peer->pair);
		rc = put_details(to, answer, peer);
	}
	more(to, tales->peers_cnt, shown);
	return rc;
}

static bool is_gone(const struct tale *tale)
{
	return tale->how == ET_STORY_OPEN || tale->how == ET_STORY_STUCK;
}

/* The mail that may wait in a queue: what has failed and came back with neither. */
static void put_gone(const struct line_out *to, const struct answer *answer)
{
	const struct tales *tales = answer->tales;
	uint64_t all = tales->sums.how[ET_STORY_OPEN] + tales->sums.how[ET_STORY_STUCK];
	uint64_t shown = shown_of(answer, all), n = 0;

	if (all == 0)
		return;
	heading(to, "Came back with neither TLS nor mail in clear, as far as the wire shows");
	fprintf(to->out, "  TRIES  SINCE                QUIET FOR   %-*s  %-*s  SERVER\n",
		NAME_WIDTH, "CLIENT", ADDR_WIDTH, "");
	for (size_t p = 0; p < tales->peers_cnt && n < shown; p++) {
		const struct tale_peer *peer = &tales->peers[p];

		for (size_t i = peer->from; i < peer->until && n < shown; i++) {
			const struct tale *tale = &tales->v[i];
			char since[ET_TIME_TEXT], ago[LINE_COUNT], number[LINE_COUNT];

			if (!is_gone(tale))
				continue;
			n++;
			moment(since, tale->opened_ns);
			line_span(ago, tale->last_ns,
				tale->closed_ns ? tale->closed_ns : answer->until_ns);
			fprintf(to->out, "%7s  %s  %-10s  ", line_short(number, tale->attempts, 7),
				since, ago);
			put_who(to, tale, peer->pair);
		}
	}
	more(to, all, shown);
	putc('\n', to->out);
	line_prose(to, 2,
		"A queue gives its mail up after two to five days. One try alone may be "
		"no mail server at all, but someone who probes.");
}

int print_text(const struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };
	int rc;

	put_summary(&to, answer);
	rc = put_delays(&to, answer);
	if (rc == 0)
		rc = put_peers(&to, answer);
	if (rc != 0)
		return rc;
	put_gone(&to, answer);
	return fflush(out) == 0 ? 0 : -EIO;
}
