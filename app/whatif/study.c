/* SPDX-License-Identifier: BSD-3-Clause */
#include "study.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One more element at the end of an array; NULL when memory is short. */
static void *grow(void *array, size_t cnt, size_t *cap, size_t size)
{
	if (cnt < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 64;
	return reallocarray(array, *cap, size);
}

struct maker {
	struct study *study;
	const struct answer_options *options;
	struct et_advice *advice;
	struct et_advice_bases bases;
	size_t pairs_cap, cases_cap;
	bool out_of_memory;
};

static void see(void *ctx, const struct et_advice_case *c)
{
	struct maker *maker = ctx;
	struct study *study = maker->study;
	struct et_advice_case *cases;

	if (maker->out_of_memory)
		return;
	cases = grow(study->cases, study->cases_cnt, &maker->cases_cap, sizeof(*cases));
	if (!cases) {
		maker->out_of_memory = true;
		return;
	}
	study->cases = cases;
	cases[study->cases_cnt++] = *c;
}

/* Where we are the client, the other side's configuration decides. */
static bool is_outbound(const struct et_archive_pair *pair)
{
	return pair->direction && strcmp(pair->direction, "in") != 0;
}

static bool is_of_interest(const struct et_advice_case *c)
{
	return c->fate == ET_ADVICE_LOST || c->fate == ET_ADVICE_GAINED ||
	       c->fate == ET_ADVICE_REFUSED;
}

static void sum_pair(struct study *study, struct study_pair *own)
{
	own->worst = SIZE_MAX;
	for (size_t i = own->from; i < own->until; i++) {
		const struct et_advice_case *c = &study->cases[i], *worst;

		own->fates[c->fate] += c->sessions;
		if (!is_of_interest(c))
			continue;
		worst = own->worst == SIZE_MAX ? NULL : &study->cases[own->worst];
		if (!worst || (c->fate == ET_ADVICE_LOST) > (worst->fate == ET_ADVICE_LOST) ||
			((c->fate == ET_ADVICE_LOST) == (worst->fate == ET_ADVICE_LOST) &&
				c->sessions > worst->sessions))
			own->worst = i;
	}
}

static int add_pair(struct maker *maker, const struct et_archive_pair *pair, uint32_t server)
{
	struct study *study = maker->study;
	struct study_pair *pairs =
		grow(study->pairs, study->pairs_cnt, &maker->pairs_cap, sizeof(*pairs));
	struct study_pair *own;

	if (!pairs)
		return -ENOMEM;
	study->pairs = pairs;
	own = &pairs[study->pairs_cnt];
	*own = (struct study_pair){ .pair = pair,
		.server = server,
		.from = study->cases_cnt,
		.habit = HABIT_UNKNOWN,
		.delay_ns = -1 };
	if (is_outbound(pair))
		see(maker, &(struct et_advice_case){ .pair = pair,
				   .sessions = pair->sums.counts[ET_PEER_SESSIONS],
				   .fate = ET_ADVICE_UNKNOWN,
				   .doubt = ET_ADVICE_DOUBT_OUTBOUND });
	else
		et_advice_pair(maker->advice, pair, see, maker);
	if (maker->out_of_memory)
		return -ENOMEM;
	own->until = study->cases_cnt;
	study->pairs_cnt++;
	sum_pair(study, own);
	return 0;
}

static int add_server(struct maker *maker, char error[static ET_NEGO_ERROR],
	const struct et_archive_host *host, const struct et_advice_setting *settings, size_t cnt)
{
	struct study *study = maker->study;
	struct study_server *own = &study->servers[study->servers_cnt];
	struct et_advice_belief belief;
	struct et_advice_config config;
	int rc = et_advice_believe(&belief, error, study->archive, host, &maker->bases);

	rc = rc ? rc
		: et_advice_configure(&config, error, &belief, settings, cnt, et_nego_folder());
	if (rc != 0)
		return rc;
	*own = (struct study_server){ .host = host,
		.config = malloc(sizeof(*own->config)),
		.base = config.base,
		.keys_from = config.keys_from,
		.complete = config.complete,
		.held = belief.sessions,
		.agree = belief.agree,
		.exact = belief.exact };
	if (!own->config)
		return -ENOMEM;
	*own->config = config.nego;
	et_advice_server(maker->advice, &belief, &config);
	study->servers_cnt++;
	for (size_t i = 0; i < host->pairs_cnt && rc == 0; i++)
		if (answer_wants(maker->options, host->pairs[i]))
			rc = add_pair(maker, host->pairs[i], (uint32_t)(study->servers_cnt - 1));
	return rc;
}

static int pair_cmp(const void *p, const void *q)
{
	const struct study_pair *a = p, *b = q;
	uint64_t x = a->fates[ET_ADVICE_LOST], y = b->fates[ET_ADVICE_LOST];

	if (x != y)
		return x < y ? 1 : -1;
	x = a->pair->sums.counts[ET_PEER_SESSIONS];
	y = b->pair->sums.counts[ET_PEER_SESSIONS];
	if (x != y)
		return x < y ? 1 : -1;
	/* one array, by server, service and client */
	return a->pair < b->pair ? -1 : a->pair > b->pair;
}

static int change_key(const void *p, const void *q)
{
	const struct study_change *a = p, *b = q;
	const uint32_t x[] = { a->version, a->cipher, a->to_version, a->to_cipher },
		       y[] = { b->version, b->cipher, b->to_version, b->to_cipher };

	for (size_t i = 0; i < 4; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static int change_cmp(const void *p, const void *q)
{
	const struct study_change *a = p, *b = q;

	if (a->sessions != b->sessions)
		return a->sessions < b->sessions ? 1 : -1;
	return change_key(p, q);
}

static int make_changes(struct study *study)
{
	struct study_change *all = calloc(study->cases_cnt + 1, sizeof(*all));
	size_t n = 0, kept = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < study->cases_cnt; i++) {
		const struct et_advice_case *c = &study->cases[i];

		if (c->fate == ET_ADVICE_CHANGED)
			all[n++] = (struct study_change){ c->sessions, c->cipher, c->version,
				c->next.version, c->next.suite };
	}
	if (n > 1)
		qsort(all, n, sizeof(*all), change_key);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && change_key(&all[kept - 1], &all[i]) == 0)
			all[kept - 1].sessions += all[i].sessions;
		else
			all[kept++] = all[i];
	}
	if (kept > 1)
		qsort(all, kept, sizeof(*all), change_cmp);
	study->changes = all;
	study->changes_cnt = kept;
	return 0;
}

static void add_share(struct study_share *share, uint64_t sessions, uint64_t clear_mail)
{
	if (sessions == 0)
		return;
	share->peers++;
	share->sessions += sessions;
	share->clear_mail += clear_mail;
}

static void add_sums(
	struct study_sums *sums, const struct study *study, const struct study_pair *own)
{
	const uint64_t *counts = own->pair->sums.counts;
	uint64_t mail = counts[ET_PEER_CLEAR_MAIL], changes[STUDY_CHANGES] = { 0 },
		 doubts[ET_ADVICE_DOUBT_MAX] = { 0 };

	sums->peers++;
	sums->sessions += counts[ET_PEER_SESSIONS];
	sums->established += counts[ET_PEER_TLS_ESTABLISHED];
	sums->clear_mail += mail;
	for (size_t i = own->from; i < own->until; i++) {
		const struct et_advice_case *c = &study->cases[i];

		if (c->fate == ET_ADVICE_UNKNOWN)
			doubts[c->doubt] += c->sessions;
		for (unsigned k = 0; k < STUDY_CHANGES; k++)
			if (c->changed & 1u << k)
				changes[k] += c->sessions;
	}
	for (unsigned i = 0; i < ET_ADVICE_FATE_MAX; i++)
		add_share(&sums->fates[i], own->fates[i], mail);
	for (unsigned i = 0; i < STUDY_CHANGES; i++)
		add_share(&sums->changes[i], changes[i], mail);
	for (unsigned i = 0; i < ET_ADVICE_DOUBT_MAX; i++)
		add_share(&sums->doubts[i], doubts[i], mail);
	add_share(&sums->habits[own->habit], own->fates[ET_ADVICE_LOST], mail);
}

int study_make(struct study *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct answer_options *options,
	const struct et_advice_setting *settings, size_t cnt)
{
	struct maker maker = { .study = out, .options = options };
	size_t servers_cnt;
	const struct et_archive_host *servers = et_archive_servers(archive, &servers_cnt);
	int rc = 0;

	*out = (struct study){ .archive = archive };
	out->servers = calloc(servers_cnt + 1, sizeof(*out->servers));
	maker.advice = et_advice_new(archive);
	if (!out->servers || !maker.advice)
		rc = -ENOMEM;
	rc = rc ? rc : et_advice_bases_read(&maker.bases, error, et_nego_folder());
	for (size_t i = 0; i < servers_cnt && rc == 0; i++)
		if (answer_wants_server(options, &servers[i]))
			rc = add_server(&maker, error, &servers[i], settings, cnt);
	et_advice_free(maker.advice);
	if (rc == 0 && out->pairs_cnt > 1)
		qsort(out->pairs, out->pairs_cnt, sizeof(*out->pairs), pair_cmp);
	return rc ? rc : make_changes(out);
}

void study_free(struct study *study)
{
	for (size_t i = 0; i < study->servers_cnt; i++)
		free(study->servers[i].config);
	free(study->servers);
	free(study->pairs);
	free(study->cases);
	free(study->changes);
}

/* --- habits --- */

const char *study_habit_name(enum study_habit habit)
{
	static const char *const names[] = { "clear", "stuck", "tls", "unknown" };

	return names[habit];
}

/* A client's stories, whichever server failed: who falls back does so everywhere. */
struct story_key {
	struct et_addr client;
	uint8_t service;
	const struct tale_peer *peer;
};

static int story_cmp(const void *p, const void *q)
{
	const struct story_key *a = p, *b = q;
	int rc = et_addr_cmp(&a->client, &b->client);

	return rc ? rc : (a->service > b->service) - (a->service < b->service);
}

static int add_stories(struct study_pair *own, const struct tales *tales,
	const struct story_key *at, const struct story_key *end)
{
	const struct story_key key = { own->pair->client, (uint8_t)own->pair->service, NULL };
	uint64_t how[ET_STORY_HOW_MAX] = { 0 };

	for (; at < end && story_cmp(at, &key) == 0; at++) {
		size_t cnt;
		uint64_t total;
		struct tale_delay *delays =
			tales_delays(&cnt, &total, tales, at->peer->from, at->peer->until);

		if (!delays)
			return -ENOMEM;
		if (total > 0 && own->delay_ns < 0)
			own->delay_ns = delays_quantile(delays, cnt, total, 50);
		free(delays);
		own->same_connection |= at->peer->sums.same_connection > 0;
		for (unsigned i = 0; i < ET_STORY_HOW_MAX; i++)
			how[i] += at->peer->sums.how[i];
	}
	if (how[ET_STORY_CLEAR] > 0)
		own->habit = HABIT_CLEAR;
	else if (how[ET_STORY_STUCK] + how[ET_STORY_OPEN] > 0)
		own->habit = HABIT_STUCK;
	else if (how[ET_STORY_TLS] > 0)
		own->habit = HABIT_TLS;
	return 0;
}

/* Without stories (mailboxes' services, older files): what the minutes after a failure hold. */
static void from_minutes(struct study_pair *own)
{
	const struct et_archive_pair *pair = own->pair;
	bool failed = false, stuck = false;
	int64_t since_ns = 0;

	for (size_t i = 0; i < pair->moments_cnt; i++) {
		const struct et_archive_moment *moment = &pair->moments[i];

		if (failed && moment->clear + moment->fallbacks > 0) {
			own->habit = HABIT_CLEAR;
			own->delay_ns = moment->minute_ns - since_ns;
			return;
		}
		if (failed && moment->established > 0 && own->habit == HABIT_UNKNOWN) {
			own->habit = HABIT_TLS;
			own->delay_ns = moment->minute_ns - since_ns;
		}
		if (moment->established > 0)
			failed = stuck = false;
		if (moment->failed > 0) {
			since_ns = failed ? since_ns : moment->minute_ns;
			failed = stuck = true;
		}
	}
	if (stuck)
		own->habit = HABIT_STUCK;
}

int study_habits(struct study *study, const struct tales *tales)
{
	struct story_key *keys = calloc(tales->peers_cnt + 1, sizeof(*keys));
	int rc = 0;

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < tales->peers_cnt; i++) {
		const struct tale *first = &tales->v[tales->peers[i].from];

		keys[i] = (struct story_key){ first->client, first->service, &tales->peers[i] };
	}
	if (tales->peers_cnt > 1)
		qsort(keys, tales->peers_cnt, sizeof(*keys), story_cmp);
	for (size_t i = 0; i < study->pairs_cnt && rc == 0; i++) {
		struct study_pair *own = &study->pairs[i];
		struct story_key key = { own->pair->client, (uint8_t)own->pair->service, NULL };
		const struct story_key *at =
			tales->peers_cnt
				? bsearch(&key, keys, tales->peers_cnt, sizeof(*keys), story_cmp)
				: NULL;

		while (at && at > keys && story_cmp(at - 1, &key) == 0)
			at--;
		if (at)
			rc = add_stories(own, tales, at, keys + tales->peers_cnt);
		if (own->habit == HABIT_UNKNOWN)
			from_minutes(own);
		add_sums(&study->sums, study, own);
		add_sums(&study->servers[own->server].sums, study, own);
	}
	free(keys);
	return rc;
}
