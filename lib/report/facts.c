/* SPDX-License-Identifier: BSD-3-Clause */
#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "et_iana.h"

static void name_or_digits(char out[static FACTS_NAME], const char *name, uint32_t value)
{
	if (name)
		snprintf(out, FACTS_NAME, "%s", name);
	else
		snprintf(out, FACTS_NAME, "%04x", value);
}

void facts_version(char out[static FACTS_NAME], uint64_t key)
{
	uint16_t version = et_peer_key_version(key);

	name_or_digits(out, et_iana_version(version), version);
}

static const struct et_iana_suite *suite_of(uint64_t key)
{
	return et_peer_key_version(key) == ET_SSLV2
		       ? NULL
		       : et_iana_suite((uint16_t)et_peer_key_cipher(key));
}

void facts_suite_iana(char out[static FACTS_NAME], uint64_t key)
{
	const struct et_iana_suite *suite = suite_of(key);
	uint32_t cipher = et_peer_key_cipher(key);

	if (et_peer_key_version(key) == ET_SSLV2)
		name_or_digits(out, et_iana_sslv2_cipher(cipher), cipher);
	else
		name_or_digits(out, suite ? suite->name : NULL, cipher);
}

void facts_suite(char out[static FACTS_NAME], uint64_t key)
{
	const struct et_iana_suite *suite = suite_of(key);

	if (suite && suite->openssl)
		name_or_digits(out, suite->openssl, 0);
	else
		facts_suite_iana(out, key);
}

const char *facts_clear_reason(const struct et_peer *peer)
{
	const uint32_t *c = peer->counts;

	/*
	 * What was done about TLS says more than what was offered. A refusal on the connection that
	 * then carried mail counts as a fallback too, without a handshake that failed.
	 */
	if (c[ET_PEER_FALLBACKS] &&
		(c[ET_PEER_TLS_FAILED] || c[ET_PEER_TLS_BROKEN] || c[ET_PEER_TLS_INCOMPLETE]))
		return "after_failure";
	if (c[ET_PEER_STARTTLS_REFUSED])
		return "refused";
	if (c[ET_PEER_STARTTLS_MASKED])
		return "masked";
	if (c[ET_PEER_STARTTLS_OFFERED])
		return "offered";
	return c[ET_PEER_STARTTLS_NOT_OFFERED] ? "not_offered" : NULL;
}

const struct et_peer *facts_peer_of(
	const struct et_report *report, const struct et_session *session)
{
	uint32_t low = 0, high = et_peer_cnt(report->peers);

	while (low < high) {
		uint32_t at = low + (high - low) / 2;
		const struct et_peer *peer = et_peer_at(report->peers, at);
		int order = et_addr_cmp(&peer->addr[ET_CLIENT], &session->addr[ET_CLIENT]);

		if (order == 0)
			order = et_addr_cmp(&peer->addr[ET_SERVER], &session->addr[ET_SERVER]);
		if (order == 0)
			order = (int)peer->service - (int)session->service;
		if (order == 0)
			return peer;
		if (order < 0)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

/* Peers come in canonical order and stay in it where they are equal otherwise. */
static int by_place(const struct et_peer *x, const struct et_peer *y)
{
	int order = et_addr_cmp(&x->addr[ET_CLIENT], &y->addr[ET_CLIENT]);

	if (order == 0)
		order = et_addr_cmp(&x->addr[ET_SERVER], &y->addr[ET_SERVER]);
	return order ? order : (int)x->service - (int)y->service;
}

static int by_sessions(const void *a, const void *b)
{
	const struct et_peer *x = *(const struct et_peer *const *)a;
	const struct et_peer *y = *(const struct et_peer *const *)b;
	uint32_t n = x->counts[ET_PEER_SESSIONS], m = y->counts[ET_PEER_SESSIONS];

	return n != m ? (n > m ? -1 : 1) : by_place(x, y);
}

static int by_mails(const void *a, const void *b)
{
	const struct et_peer *x = *(const struct et_peer *const *)a;
	const struct et_peer *y = *(const struct et_peer *const *)b;
	uint32_t n = x->counts[ET_PEER_CLEAR_MAIL], m = y->counts[ET_PEER_CLEAR_MAIL];

	return n != m ? (n > m ? -1 : 1) : by_place(x, y);
}

static int gather_peers(struct facts *facts, const struct et_report *report)
{
	uint32_t cnt = et_peer_cnt(report->peers);

	facts->peers = calloc((size_t)cnt + 1, sizeof(*facts->peers));
	facts->clear = calloc((size_t)cnt + 1, sizeof(*facts->clear));
	if (!facts->peers || !facts->clear)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++) {
		const struct et_peer *peer = et_peer_at(report->peers, i);

		facts->peers[facts->peers_cnt++] = peer;
		if (peer->counts[ET_PEER_CLEAR_MAIL] || peer->counts[ET_PEER_AUTH_CLEAR])
			facts->clear[facts->clear_cnt++] = peer;
		for (size_t c = 0; c < ET_PEER_COUNT_MAX; c++)
			facts->totals[c] += peer->counts[c];
	}
	qsort(facts->peers, facts->peers_cnt, sizeof(*facts->peers), by_sessions);
	qsort(facts->clear, facts->clear_cnt, sizeof(*facts->clear), by_mails);
	return 0;
}

static int tally_by_key(const void *a, const void *b)
{
	const struct facts_tally *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int tally_by_count(const void *a, const void *b)
{
	const struct facts_tally *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return -tally_by_key(a, b); /* the newer version first */
}

/* Adds up neighbours of the same key. */
static size_t tally_sum(struct facts_tally *tally, size_t cnt)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (kept && tally[kept - 1].key == tally[i].key)
			tally[kept - 1].count += tally[i].count;
		else
			tally[kept++] = tally[i];
	}
	return kept;
}

static int gather_tally(struct facts *facts, const struct et_report *report)
{
	size_t cap = 0, cnt = 0;

	for (size_t i = 0; i < facts->peers_cnt; i++) {
		const struct et_peer_cell *cell = NULL;

		while ((cell = et_peer_next(report->peers, facts->peers[i], cell))) {
			if (cell->kind != ET_PEER_VERSION_CIPHERS)
				continue;
			if (cnt == cap) {
				struct facts_tally *v;

				cap = cap ? cap * 2 : 64;
				v = reallocarray(facts->tally, cap, sizeof(*v));
				if (!v)
					return -ENOMEM;
				facts->tally = v;
			}
			facts->tally[cnt++] = (struct facts_tally){ cell->key, cell->count };
		}
	}
	if (cnt == 0)
		return 0;
	qsort(facts->tally, cnt, sizeof(*facts->tally), tally_by_key);
	facts->tally_cnt = tally_sum(facts->tally, cnt);
	qsort(facts->tally, facts->tally_cnt, sizeof(*facts->tally), tally_by_count);
	return 0;
}

/* Same pair, same service, same cause: 0. */
static int failure_cmp(const struct et_stats_run *run, size_t a, size_t b)
{
	const struct et_session *x = &run->sessions[a], *y = &run->sessions[b];
	int order = facts_pair_cmp(x, y);

	if (order == 0)
		order = strcmp(et_policy_cause(run->policy, a)->code,
			et_policy_cause(run->policy, b)->code);
	return order;
}

static int failure_by_pair(const void *a, const void *b, void *ctx)
{
	const struct facts_failure *x = a, *y = b;
	int order = failure_cmp(ctx, x->session, y->session);

	return order ? order : x->session < y->session ? -1 : x->session > y->session;
}

static int failure_by_count(const void *a, const void *b, void *ctx)
{
	const struct facts_failure *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return failure_cmp(ctx, x->session, y->session);
}

static size_t failure_sum(struct facts_failure *v, size_t cnt, const struct et_stats_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		struct facts_failure *last = kept ? &v[kept - 1] : NULL;

		if (!last || failure_cmp(run, last->session, v[i].session) != 0) {
			v[kept++] = v[i];
			continue;
		}
		last->count++;
		if (et_policy_cause(run->policy, v[i].session)->confidence <
			et_policy_cause(run->policy, last->session)->confidence)
			last->session = v[i].session;
	}
	return kept;
}

static int gather_failures(struct facts *facts, const struct et_stats_run *run)
{
	size_t cnt = 0;

	for (size_t i = 0; i < run->cnt; i++) {
		cnt += et_policy_cause(run->policy, i)->code[0] != '\0';
		facts->one_direction += (run->sessions[i].partial & ET_PARTIAL_ONE_DIRECTION) != 0;
	}
	facts->failures = calloc(cnt + 1, sizeof(*facts->failures));
	if (!facts->failures)
		return -ENOMEM;
	cnt = 0;
	for (size_t i = 0; i < run->cnt; i++)
		if (et_policy_cause(run->policy, i)->code[0])
			facts->failures[cnt++] = (struct facts_failure){ i, i, 1 };
	qsort_r(facts->failures, cnt, sizeof(*facts->failures), failure_by_pair, (void *)run);
	facts->failures_cnt = failure_sum(facts->failures, cnt, run);
	qsort_r(facts->failures, facts->failures_cnt, sizeof(*facts->failures), failure_by_count,
		(void *)run);
	return 0;
}

int facts_gather(struct facts *facts, const struct et_report *report)
{
	int rc;

	*facts = (struct facts){ 0 };
	et_peer_sort(report->peers);
	rc = gather_peers(facts, report);
	if (rc == 0)
		rc = gather_tally(facts, report);
	if (rc == 0)
		rc = gather_failures(facts, report->run);
	return rc ? rc : facts_group_all(facts, report->run);
}

void facts_free(struct facts *facts)
{
	free(facts->peers);
	free(facts->clear);
	free(facts->failures);
	free(facts->members);
	for (size_t i = 0; i < FACTS_SECTIONS; i++)
		free(facts->groups[i]);
	free(facts->fallbacks);
	free(facts->tally);
}
