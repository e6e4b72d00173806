/* SPDX-License-Identifier: BSD-3-Clause */
#include "tales.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "row.h"

int tales_init(struct tales *tales)
{
	*tales = (struct tales){ .texts = et_dict_new(UINT32_C(1) << 20, (size_t)1 << 28) };
	return tales->texts ? 0 : -ENOMEM;
}

void tales_free(struct tales *tales)
{
	et_dict_free(tales->texts);
	free(tales->v);
	free(tales->peers);
}

const char *tales_text(const struct tales *tales, uint32_t id)
{
	struct et_view text = et_dict_get(tales->texts, id);

	return text.n ? (const char *)text.p : NULL;
}

void tales_take(
	void *ctx, const char *type, const char *sensor, int64_t minute_ns, const json_t *row)
{
	struct tales *tales = ctx;
	struct tale tale;

	(void)minute_ns;
	if (strcmp(type, "fallback") != 0)
		return;
	if (!row_read(&tale, tales->texts, sensor, row)) {
		tales->damaged++;
		return;
	}
	if (tales->cnt == TALES_MAX) {
		tales->refused++;
		return;
	}
	if (tales->cnt == tales->cap) {
		size_t cap = tales->cap ? tales->cap * 2 : 1024;
		struct tale *v = reallocarray(tales->v, cap, sizeof(*v));

		if (!v) {
			tales->out_of_memory = true;
			return;
		}
		tales->v = v;
		tales->cap = cap;
	}
	tales->v[tales->cnt++] = tale;
}

static int number_cmp(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int time_cmp(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int peer_cmp(const struct tale *a, const struct tale *b)
{
	int rc = et_addr_cmp(&a->client, &b->client);

	rc = rc ? rc : number_cmp(a->service, b->service);
	return rc ? rc : et_addr_cmp(&a->server, &b->server);
}

static int story_cmp(const struct tale *a, const struct tale *b)
{
	int rc = peer_cmp(a, b);

	rc = rc ? rc : time_cmp(a->opened_ns, b->opened_ns);
	return rc ? rc : number_cmp(a->sensor, b->sensor);
}

/* Rows of one story together, what counts first: an end before news, late before early. */
static int tale_cmp(const void *p, const void *q)
{
	const struct tale *a = p, *b = q;
	int rc = story_cmp(a, b);

	rc = rc ? rc : number_cmp(a->how == ET_STORY_OPEN, b->how == ET_STORY_OPEN);
	rc = rc ? rc : number_cmp(b->attempts, a->attempts);
	rc = rc ? rc : time_cmp(b->last_ns, a->last_ns);
	rc = rc ? rc : time_cmp(a->closed_ns, b->closed_ns);
	rc = rc ? rc : number_cmp(a->how, b->how);
	rc = rc ? rc : number_cmp(a->cause, b->cause);
	return rc ? rc : number_cmp(a->hello, b->hello);
}

/* Drops news of stories of which there is a later word. */
static void drop_old(struct tales *tales)
{
	size_t kept = 0;

	if (tales->cnt > 1)
		qsort(tales->v, tales->cnt, sizeof(*tales->v), tale_cmp);
	for (size_t i = 0; i < tales->cnt; i++) {
		const struct tale *tale = &tales->v[i];

		if (tale->how == ET_STORY_OPEN && kept > 0 &&
			story_cmp(tale, &tales->v[kept - 1]) == 0)
			continue;
		tales->v[kept++] = *tale;
	}
	tales->cnt = kept;
}

static int pair_cmp(const void *key, const void *element)
{
	const struct et_archive_pair *a = key, *b = element;
	int rc = et_addr_cmp(&a->server, &b->server);

	rc = rc ? rc : number_cmp(a->service, b->service);
	return rc ? rc : et_addr_cmp(&a->client, &b->client);
}

static const struct et_archive_pair *find_pair(
	const struct et_archive *archive, const struct tale *tale)
{
	struct et_archive_pair key = { .client = tale->client,
		.server = tale->server,
		.service = (enum et_service)tale->service };
	size_t cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(archive, &cnt);

	return cnt ? bsearch(&key, pairs, cnt, sizeof(*pairs), pair_cmp) : NULL;
}

static void add_sums(struct tale_sums *sums, const struct tale *tale)
{
	bool ended = tale->how == ET_STORY_CLEAR || tale->how == ET_STORY_TLS;

	if (sums->stories == 0 || tale->opened_ns < sums->first_ns)
		sums->first_ns = tale->opened_ns;
	if (sums->stories == 0 || tale->last_ns > sums->last_ns)
		sums->last_ns = tale->last_ns;
	sums->stories += tale->stories;
	sums->attempts += tale->attempts;
	sums->how[tale->how] += tale->stories;
	if (tale->how == ET_STORY_CLEAR && tale->same_connection)
		sums->same_connection += tale->stories;
	if (tale->how == ET_STORY_CLEAR && tale->other_server)
		sums->clear_elsewhere += tale->stories;
	if (tale->how == ET_STORY_TLS && tale->other_server)
		sums->tls_elsewhere += tale->stories;
	if (!ended && tale->attempts == 1)
		sums->tried_once += tale->stories;
}

/* The tales of one peer from `from` on; those that nobody wants are dropped. */
static size_t take_peer(struct tales *tales, size_t *kept, const struct et_archive *archive,
	size_t from, bool (*wants)(const void *ctx, const struct et_archive_pair *pair),
	const void *ctx)
{
	const struct tale *first = &tales->v[from];
	struct et_archive_pair bare = { .client = first->client,
		.server = first->server,
		.service = (enum et_service)first->service };
	struct tale_peer peer = { .from = *kept, .pair = find_pair(archive, first) };
	bool wanted = wants(ctx, peer.pair ? peer.pair : &bare);
	size_t until = from;

	for (; until < tales->cnt && peer_cmp(&tales->v[until], &tales->v[from]) == 0; until++)
		;
	for (size_t i = from; i < until && wanted; i++) {
		add_sums(&peer.sums, &tales->v[i]);
		add_sums(&tales->sums, &tales->v[i]);
		tales->v[(*kept)++] = tales->v[i];
	}
	peer.until = *kept;
	if (wanted)
		tales->peers[tales->peers_cnt++] = peer;
	return until;
}

static int most_cmp(const void *p, const void *q, void *ctx)
{
	const struct tale_peer *a = p, *b = q;
	const struct tales *tales = ctx;
	int rc = number_cmp(b->sums.how[ET_STORY_CLEAR], a->sums.how[ET_STORY_CLEAR]);

	rc = rc ? rc : number_cmp(b->sums.stories, a->sums.stories);
	return rc ? rc : peer_cmp(&tales->v[a->from], &tales->v[b->from]);
}

int tales_finish(struct tales *tales, const struct et_archive *archive,
	bool (*wants)(const void *ctx, const struct et_archive_pair *pair), const void *ctx)
{
	size_t kept = 0;

	if (tales->out_of_memory)
		return -ENOMEM;
	drop_old(tales);
	tales->peers = calloc(tales->cnt + 1, sizeof(*tales->peers));
	if (!tales->peers)
		return -ENOMEM;
	for (size_t i = 0; i < tales->cnt;)
		i = take_peer(tales, &kept, archive, i, wants, ctx);
	tales->cnt = kept;
	if (tales->peers_cnt > 1)
		qsort_r(tales->peers, tales->peers_cnt, sizeof(*tales->peers), most_cmp, tales);
	return 0;
}

static int delay_cmp(const void *p, const void *q)
{
	const struct tale_delay *a = p, *b = q;
	int rc = time_cmp(a->ns, b->ns);

	return rc ? rc : number_cmp(a->stories, b->stories);
}

struct tale_delay *tales_delays(
	size_t *cnt, uint64_t *total, const struct tales *tales, size_t from, size_t until)
{
	struct tale_delay *delays = calloc(until - from + 1, sizeof(*delays));

	*cnt = 0;
	*total = 0;
	for (size_t i = from; i < until && delays; i++) {
		const struct tale *tale = &tales->v[i];

		if (tale->how != ET_STORY_CLEAR || tale->same_connection)
			continue;
		delays[(*cnt)++] = (struct tale_delay){ tale->delay_ns, tale->stories };
		*total += tale->stories;
	}
	if (delays && *cnt > 1)
		qsort(delays, *cnt, sizeof(*delays), delay_cmp);
	return delays;
}

int64_t delays_quantile(
	const struct tale_delay *delays, size_t cnt, uint64_t total, unsigned per_cent)
{
	uint64_t wanted = total / 100 * per_cent + (total % 100 * per_cent + 99) / 100, seen = 0;

	for (size_t i = 0; i < cnt; i++) {
		seen += delays[i].stories;
		if (seen >= wanted)
			return delays[i].ns;
	}
	return cnt ? delays[cnt - 1].ns : 0;
}

static int cause_cmp(const void *p, const void *q)
{
	const struct tale_cause *a = p, *b = q;

	return number_cmp(a->cause, b->cause);
}

static int frequent_cmp(const void *p, const void *q, void *ctx)
{
	const struct tale_cause *a = p, *b = q;
	const char *x = tales_text(ctx, a->cause), *y = tales_text(ctx, b->cause);
	int rc = number_cmp(b->stories, a->stories);

	return rc ? rc : strcmp(x ? x : "", y ? y : "");
}

struct tale_cause *tales_causes(size_t *cnt, const struct tales *tales, size_t from, size_t until)
{
	struct tale_cause *causes = calloc(until - from + 1, sizeof(*causes));
	size_t n = 0;

	*cnt = 0;
	if (!causes)
		return NULL;
	for (size_t i = from; i < until; i++)
		causes[n++] = (struct tale_cause){ tales->v[i].cause, tales->v[i].stories };
	if (n > 1)
		qsort(causes, n, sizeof(*causes), cause_cmp);
	for (size_t i = 0; i < n; i++) {
		if (*cnt > 0 && causes[*cnt - 1].cause == causes[i].cause)
			causes[*cnt - 1].stories += causes[i].stories;
		else
			causes[(*cnt)++] = causes[i];
	}
	if (*cnt > 1)
		qsort_r(causes, *cnt, sizeof(*causes), frequent_cmp, (void *)(uintptr_t)tales);
	return causes;
}
