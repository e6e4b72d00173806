/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int finding_sure(const struct finding *finding)
{
	for (int sure = ET_CERTAIN; sure <= ET_POSSIBLE; sure++)
		if (finding->by_sure[sure] > 0)
			return sure;
	return -1;
}

bool finding_hello(
	struct et_tls_profile *out, const struct et_archive *archive, const struct finding *finding)
{
	for (size_t i = 0; i < finding->offers_cnt; i++)
		if (finding->offers[i].hello &&
			et_archive_profile(out, archive, finding->offers[i].hello))
			return true;
	return false;
}

/* "protocol" is not in front of "protocol_version", "protocol_version" is of ".../sslv2_only". */
static bool begins(const char *code, const char *prefix)
{
	size_t n = prefix ? strlen(prefix) : 0;

	if (n > 0 && prefix[n - 1] == '/')
		n--;
	return n == 0 || (strncmp(code, prefix, n) == 0 && (code[n] == '\0' || code[n] == '/'));
}

/* The pair's finding of this code, one of those from `from` on, or a new one. */
static struct finding *find(struct findings *findings, size_t from, const char *code)
{
	struct finding *grown;

	for (size_t i = from; i < findings->cnt; i++)
		if (strcmp(findings->v[i].code, code) == 0)
			return &findings->v[i];
	if (findings->cnt == findings->cap) {
		findings->cap = findings->cap ? 2 * findings->cap : 64;
		grown = realloc(findings->v, findings->cap * sizeof(*grown));
		if (!grown)
			return NULL;
		findings->v = grown;
	}
	findings->v[findings->cnt] = (struct finding){ 0 };
	snprintf(findings->v[findings->cnt].code, ET_CAUSE_CODE, "%s", code);
	return &findings->v[findings->cnt++];
}

static int add_offer(
	struct finding *finding, const struct et_archive_hello *hello, uint64_t sessions)
{
	struct offer *grown;

	for (size_t i = 0; i < finding->offers_cnt; i++)
		if (finding->offers[i].hello == hello) {
			finding->offers[i].sessions += sessions;
			return 0;
		}
	grown = realloc(finding->offers, (finding->offers_cnt + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	finding->offers = grown;
	finding->offers[finding->offers_cnt++] = (struct offer){ hello, sessions };
	return 0;
}

static int more_sessions(const void *a, const void *b)
{
	const struct offer *x = a, *y = b;

	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	if (!x->hello || !y->hello)
		return !x->hello - !y->hello;
	return strcmp(x->hello->id, y->hello->id);
}

static void set_times(struct finding *finding, const struct et_archive_pair *pair)
{
	finding->first_ns = pair->sums.first_ns;
	finding->last_ns = pair->sums.last_ns;
	for (size_t i = 0; i < pair->moments_cnt; i++)
		if (pair->moments[i].sessions > pair->moments[i].established) {
			finding->first_ns = pair->moments[i].minute_ns;
			break;
		}
	for (size_t i = pair->moments_cnt; i > 0; i--)
		if (pair->moments[i - 1].sessions > pair->moments[i - 1].established) {
			finding->last_ns = pair->moments[i - 1].minute_ns;
			break;
		}
}

/* What `causes` counts beyond `failures`: sessions of files that do not have the latter. */
static int add_rest(struct findings *findings, size_t from, const struct et_archive_map *causes,
	const char *prefix)
{
	for (size_t i = 0; i < causes->cnt; i++) {
		uint64_t known = 0;
		struct finding *finding;

		if (strlen(causes->v[i].name) >= ET_CAUSE_CODE ||
			!begins(causes->v[i].name, prefix))
			continue;
		finding = find(findings, from, causes->v[i].name);
		if (!finding)
			return -ENOMEM;
		known = finding->sessions;
		if (causes->v[i].count > known) {
			finding->sessions = causes->v[i].count;
			findings->without_hello += causes->v[i].count - known;
		}
	}
	return 0;
}

static int collect_pair(struct findings *findings, const struct et_archive *archive,
	const struct et_archive_pair *pair, const char *prefix)
{
	const struct et_archive_map *failures = &pair->sums.maps[ET_ARCHIVE_FAILURES];
	size_t from = findings->cnt;
	struct et_archive_failure failure;

	for (size_t i = 0; i < failures->cnt; i++) {
		struct finding *finding;

		if (!et_archive_failure_parse(&failure, failures->v[i].name) ||
			!begins(failure.code, prefix))
			continue;
		finding = find(findings, from, failure.code);
		if (!finding)
			return -ENOMEM;
		finding->sessions += failures->v[i].count;
		finding->by_sure[failure.confidence] += failures->v[i].count;
		if (failure.hello[0] && add_offer(finding, et_archive_hello(archive, failure.hello),
						failures->v[i].count) != 0)
			return -ENOMEM;
	}
	if (add_rest(findings, from, &pair->sums.maps[ET_ARCHIVE_CAUSES], prefix) != 0)
		return -ENOMEM;
	for (size_t i = from; i < findings->cnt; i++) {
		struct finding *finding = &findings->v[i];

		finding->pair = pair;
		finding->server = et_archive_server(archive, &pair->server, pair->service);
		set_times(finding, pair);
		if (finding->offers_cnt > 1)
			qsort(finding->offers, finding->offers_cnt, sizeof(*finding->offers),
				more_sessions);
		findings->sessions += finding->sessions;
	}
	return 0;
}

static int by_code(const void *a, const void *b)
{
	return strcmp(((const struct finding *)a)->code, ((const struct finding *)b)->code);
}

static int by_sum(const void *a, const void *b)
{
	const struct cause_sum *x = a, *y = b;

	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	return strcmp(x->code, y->code);
}

/* Pairs are in the archive's order, which depends on content only: their addresses follow it. */
static int by_sessions(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	return (x->pair > y->pair) - (x->pair < y->pair);
}

static int sum_causes(struct findings *findings)
{
	struct cause_sum *sum = NULL;

	findings->causes = calloc(findings->cnt + 1, sizeof(*findings->causes));
	if (!findings->causes)
		return -ENOMEM;
	if (findings->cnt > 1)
		qsort(findings->v, findings->cnt, sizeof(*findings->v), by_code);
	for (size_t i = 0; i < findings->cnt; i++) {
		if (!sum || strcmp(sum->code, findings->v[i].code) != 0) {
			sum = &findings->causes[findings->causes_cnt++];
			*sum = (struct cause_sum){ .code = findings->v[i].code, .from = i };
		}
		sum->until = i + 1;
		sum->sessions += findings->v[i].sessions;
	}
	for (size_t i = 0; i < findings->causes_cnt; i++) {
		sum = &findings->causes[i];
		qsort(findings->v + sum->from, sum->until - sum->from, sizeof(*findings->v),
			by_sessions);
	}
	if (findings->causes_cnt > 1)
		qsort(findings->causes, findings->causes_cnt, sizeof(*findings->causes), by_sum);
	return 0;
}

int findings_collect(struct findings *out, const struct et_archive *archive,
	const struct answer_options *options, const char *prefix)
{
	size_t cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(archive, &cnt);

	*out = (struct findings){ 0 };
	for (size_t i = 0; i < cnt; i++)
		if (answer_wants(options, &pairs[i]) &&
			collect_pair(out, archive, &pairs[i], prefix) != 0)
			return -ENOMEM;
	return sum_causes(out);
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < findings->cnt; i++)
		free(findings->v[i].offers);
	free(findings->v);
	free(findings->causes);
}
