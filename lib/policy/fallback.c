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

/* TLS was tried and the client did not get it. A capture that hides the end proves nothing. */
static bool has_failed(const struct et_session *session)
{
	switch (session->outcome) {
	case ET_OUTCOME_FAILED:
	case ET_OUTCOME_BROKEN: return true;
	case ET_OUTCOME_INCOMPLETE:
		/* still open when the capture ended: it may have gone well */
		return session->end != ET_END_OPEN || session->mail.clear_mail > 0;
	case ET_OUTCOME_NONE: return session->mail.requested && session->mail.reply >= 400;
	default: return false;
	}
}

uint32_t pair_step(struct pair *pair, const struct et_session *session, uint32_t index)
{
	bool in_clear = session->mail.clear_mail > 0;
	uint32_t from = 0;

	if (session->mail.offered == ET_YES)
		pair->was_offered = true;
	if (session->outcome == ET_OUTCOME_ESTABLISHED) {
		pair->failed = 0;
		return 0;
	}
	if (has_failed(session)) {
		/* the connection's own failure is the nearest one; for later ones the first counts */
		if (in_clear)
			from = index + 1;
		if (pair->failed == 0 || pair->fell_back)
			pair->failed = index + 1;
		pair->fell_back = in_clear;
	} else if (in_clear) {
		from = pair->failed;
		pair->fell_back = pair->failed != 0;
	}
	return from;
}
