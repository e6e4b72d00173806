/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Pairs that are followed; of more, no fallback is told. */
#define PAIRS_MAX (UINT32_C(1) << 22)

#define PAIR_KEY_LEN 33

int pairs_init(struct pairs *pairs)
{
	pairs->cap = 64;
	pairs->all = calloc(pairs->cap, sizeof(*pairs->all));
	pairs->keys = et_dict_new(PAIRS_MAX, SIZE_MAX);
	return pairs->all && pairs->keys ? 0 : -ENOMEM;
}

void pairs_free(struct pairs *pairs)
{
	free(pairs->all);
	et_dict_free(pairs->keys);
}

struct pair *pairs_find(struct pairs *pairs, const struct et_session *session)
{
	uint8_t key[PAIR_KEY_LEN];
	struct pair *all;
	uint32_t id;

	memcpy(key, session->addr[ET_CLIENT].b, 16);
	memcpy(key + 16, session->addr[ET_SERVER].b, 16);
	key[32] = session->service;
	id = et_dict_put(pairs->keys, NULL, (struct et_view){ key, sizeof(key) });
	if (id >= pairs->cap) {
		all = realloc(pairs->all, 2 * (size_t)pairs->cap * sizeof(*all));
		if (!all)
			return NULL;
		memset(all + pairs->cap, 0, pairs->cap * sizeof(*all));
		pairs->all = all;
		pairs->cap *= 2;
	}
	if (id == ET_DICT_NONE)
		pairs->all[0] = (struct pair){ 0 };
	return &pairs->all[id];
}

void pair_note(struct pairs *pairs, struct pair *pair, const struct et_session *session)
{
	if (session->mail.offered == ET_YES)
		pair->was_offered = true;
	if (pair != &pairs->all[0] && et_story_failed(session)) {
		pair->has_failed = true;
		pairs->any_failed = true;
	}
}

/* A session of a pair whose TLS has failed. */
struct step {
	const struct et_session *session;
	uint32_t index, pair;
};

static int step_cmp(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	int rc = et_story_cmp(x->session, y->session);

	return rc ? rc : x->index < y->index ? -1 : x->index > y->index;
}

/* The sessions of these pairs, in the order in which they were decided. NULL: no memory. */
static struct step *collect(size_t *cnt, struct pairs *pairs, const struct et_policy *policy)
{
	size_t cap = 1024;
	struct step *steps = malloc(cap * sizeof(*steps)), *more;

	*cnt = 0;
	for (size_t i = 0; i < policy->cnt && steps; i++) {
		const struct et_session *session = &policy->sessions[i];
		const struct pair *pair = pairs_find(pairs, session); /* is there: no growth */

		if (!pair->has_failed)
			continue;
		if (*cnt == cap) {
			cap *= 2;
			more = reallocarray(steps, cap, sizeof(*steps));
			if (!more)
				free(steps);
			steps = more;
			if (!steps)
				break;
		}
		steps[(*cnt)++] =
			(struct step){ session, (uint32_t)i, (uint32_t)(pair - pairs->all) };
	}
	if (steps && *cnt > 1)
		qsort(steps, *cnt, sizeof(*steps), step_cmp);
	return steps;
}

static int keep(struct et_policy *policy, uint32_t session, const struct et_fallback *fallback)
{
	if (policy->fallbacks_cnt == policy->fallbacks_cap) {
		uint32_t cap = policy->fallbacks_cap ? 2 * policy->fallbacks_cap : 64;
		struct et_fallback *more =
			reallocarray(policy->fallbacks, cap, sizeof(*policy->fallbacks));

		if (!more)
			return -ENOMEM;
		policy->fallbacks = more;
		policy->fallbacks_cap = cap;
	}
	policy->fallbacks[policy->fallbacks_cnt++] = *fallback;
	policy->fallback[session] = policy->fallbacks_cnt;
	return 0;
}

int pairs_follow(struct et_policy *policy, struct pairs *pairs)
{
	struct step *steps;
	size_t cnt;
	int rc = 0;

	if (!pairs->any_failed)
		return 0;
	steps = collect(&cnt, pairs, policy);
	if (!steps)
		return -ENOMEM;
	for (size_t i = 0; i < cnt && rc == 0; i++) {
		struct et_story_pair *pair = &pairs->all[steps[i].pair].story;
		struct et_fallback fallback = et_story_pair_step(pair, steps[i].session);

		if (fallback.is)
			rc = keep(policy, steps[i].index, &fallback);
	}
	free(steps);
	return rc;
}

struct et_fallback et_policy_fallback(const struct et_policy *policy, size_t session)
{
	uint32_t number = policy->fallback[session];

	return number ? policy->fallbacks[number - 1] : (struct et_fallback){ 0 };
}
