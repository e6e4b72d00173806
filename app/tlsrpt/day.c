/* SPDX-License-Identifier: BSD-3-Clause */
#include "day.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A pair on its way into its domain. */
struct item {
	const struct et_archive_pair *pair;
	const char *host; /* the server's name */
	char domain[DOMAIN_TEXT];
};

static bool is_text(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

static bool goes_so(enum day_direction wanted, const char *direction)
{
	switch (wanted) {
	case DAY_DEFAULT: return !direction || is_text(direction, "out");
	case DAY_OUT: return is_text(direction, "out");
	case DAY_IN: return is_text(direction, "in");
	case DAY_ALL:
	default: return true;
	}
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* What a damaged file may make negative is nothing. */
static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static int put_detail(struct day *day, const struct day_detail *detail)
{
	struct day_detail *details;
	size_t cap = day->cap ? 2 * day->cap : 64;

	if (day->cnt == day->cap) {
		details = reallocarray(day->details, cap, sizeof(*details));
		if (!details)
			return -ENOMEM;
		day->details = details;
		day->cap = cap;
	}
	day->details[day->cnt++] = *detail;
	return 0;
}

/* What the failures map says of a code. Both maps are in one order; *at goes on behind it. */
static void weigh(uint64_t out[static VERDICT_MAX], size_t *at,
	const struct et_archive_map *failures, const struct et_archive_entry *cause)
{
	uint64_t known = 0;

	for (; *at < failures->cnt; ++*at) {
		struct et_archive_failure failure;
		enum verdict verdict;
		int order;

		if (!et_archive_failure_parse(&failure, failures->v[*at].name))
			continue;
		order = strcmp(failure.code, cause->name);
		if (order > 0)
			break;
		if (order < 0)
			continue;
		verdict = verdict_of(failure.code, failure.confidence);
		out[verdict] = add(out[verdict], failures->v[*at].count);
		known = add(known, failures->v[*at].count);
	}
	/* files of before that map tell no confidence */
	if (cause->count > known)
		out[verdict_of(cause->name, ET_POSSIBLE)] += cause->count - known;
}

/* All sessions of a pair into the sums of its domain. */
static int take_pair(struct day *day, struct day_domain *domain, const struct item *item)
{
	const struct et_archive_pair *pair = item->pair;
	const struct et_archive_sums *sums = &pair->sums;
	const struct et_archive_map *causes = &sums->maps[ET_ARCHIVE_CAUSES];
	const uint64_t *counts = sums->counts;
	uint64_t success = counts[ET_PEER_TLS_ESTABLISHED], failed = 0, not_tried = 0, told = 0;
	uint64_t rest, untold;
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < causes->cnt; i++) {
		uint64_t found[VERDICT_MAX] = { 0 };

		weigh(found, &at, &sums->maps[ET_ARCHIVE_FAILURES], &causes->v[i]);
		for (unsigned v = 0; v < VERDICT_FAILURES && rc == 0; v++) {
			failed = add(failed, found[v]);
			if (found[v] > 0)
				rc = put_detail(day,
					&(struct day_detail){ (enum verdict)v, causes->v[i].name,
						pair, item->host, found[v] });
		}
		not_tried = add(not_tried, found[VERDICT_NOT_TRIED]);
		told = add(told, causes->v[i].count);
	}
	/* sessions that found a ring full have no cause; that some of them failed is counted */
	untold = less(add(counts[ET_PEER_TLS_FAILED], counts[ET_PEER_TLS_BROKEN]), failed);
	rest = less(less(counts[ET_PEER_SESSIONS], success), told);
	untold = untold < rest ? untold : rest;
	if (untold > 0 && rc == 0)
		rc = put_detail(day,
			&(struct day_detail){ VERDICT_VALIDATION, NULL, pair, item->host, untold });
	failed = add(failed, untold);
	rest = less(less(less(counts[ET_PEER_SESSIONS], success), failed), not_tried);
	domain->success = add(domain->success, success);
	domain->failed = add(domain->failed, failed);
	domain->not_tried = add(domain->not_tried, not_tried);
	domain->undecided = add(domain->undecided, rest);
	return rc;
}

static int by_domain(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->domain, y->domain);

	if (order != 0)
		return order;
	return x->pair < y->pair ? -1 : x->pair > y->pair; /* the archive's order */
}

static int by_detail(const void *a, const void *b)
{
	const struct day_detail *x = a, *y = b;

	if (x->pair != y->pair)
		return x->pair < y->pair ? -1 : 1;
	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	if (!x->code || !y->code)
		return (x->code != NULL) - (y->code != NULL);
	return strcmp(x->code, y->code);
}

/* The pairs that count, each with its domain; NULL when memory is short. */
static struct item *choose(
	size_t *cnt, struct day *day, const struct et_archive *archive, const struct day_how *how)
{
	size_t pairs_cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(archive, &pairs_cnt);
	struct item *items = calloc(pairs_cnt + 1, sizeof(*items));

	*cnt = 0;
	for (size_t i = 0; items && i < pairs_cnt; i++) {
		const struct et_archive_pair *pair = &pairs[i];
		const struct et_archive_host *server;

		if (pair->service != ET_SERVICE_SMTP || !answer_wants(how->options, pair))
			continue;
		if (!goes_so(how->direction, pair->direction)) {
			day->elsewhere = add(day->elsewhere, pair->sums.counts[ET_PEER_SESSIONS]);
			continue;
		}
		/* a server is of one domain, whatever it said to whom */
		server = et_archive_server(archive, &pair->server, pair->service);
		items[*cnt].pair = pair;
		items[*cnt].host = server ? server->name : pair->server_name;
		domain_of(items[*cnt].domain, how->rules, how->rules_cnt, &pair->server,
			items[*cnt].host);
		++*cnt;
	}
	if (items)
		qsort(items, *cnt, sizeof(*items), by_domain);
	return items;
}

static int fill(struct day *day, const struct item *items, size_t cnt)
{
	int rc = 0;

	for (size_t i = 0; i < cnt && rc == 0; i++) {
		struct day_domain *domain = &day->domains[day->domains_cnt];
		size_t before = day->cnt;

		if (i == 0 || strcmp(items[i].domain, items[i - 1].domain) != 0) {
			day->domains_cnt++;
			memcpy(domain->name, items[i].domain, DOMAIN_TEXT);
		} else {
			domain--;
		}
		rc = take_pair(day, domain, &items[i]);
		domain->details_cnt += day->cnt - before;
	}
	return rc;
}

int day_make(struct day *day, const struct et_archive *archive, const struct day_how *how)
{
	struct day_detail *at;
	struct item *items;
	size_t cnt;
	int rc = -ENOMEM;

	*day = (struct day){ 0 };
	items = choose(&cnt, day, archive, how);
	day->domains = items ? calloc(cnt + 1, sizeof(*day->domains)) : NULL;
	if (day->domains)
		rc = fill(day, items, cnt);
	free(items);
	if (rc != 0) {
		day_free(day);
		return rc;
	}
	at = day->details;
	for (size_t i = 0; i < day->domains_cnt; i++) {
		struct day_domain *domain = &day->domains[i];

		domain->details = at;
		if (domain->details_cnt == 0)
			continue;
		qsort(at, domain->details_cnt, sizeof(*at), by_detail);
		at += domain->details_cnt;
	}
	return 0;
}

void day_free(struct day *day)
{
	free(day->domains);
	free(day->details);
	*day = (struct day){ 0 };
}

void day_host(char out[static DOMAIN_TEXT], const struct day_detail *detail)
{
	if (!detail->host || !domain_name(out, detail->host))
		domain_literal(out, &detail->pair->server);
}
