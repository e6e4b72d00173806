/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <errno.h>
#include <stdlib.h>

struct pair {
	uint64_t key;       /* 0: free */
	uint64_t failed_ns; /* start of the first failure since the last established one; 0: none */
	bool fell_back;
};

struct gen_pairs {
	struct pair *all;
	size_t cap, cnt;
};

struct gen_pairs *gen_pairs_new(void)
{
	struct gen_pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->cap = 1024;
	p->all = calloc(p->cap, sizeof(*p->all));
	if (p->all)
		return p;
	free(p);
	return NULL;
}

void gen_pairs_free(struct gen_pairs *p)
{
	if (!p)
		return;
	free(p->all);
	free(p);
}

static struct pair *find(const struct gen_pairs *p, uint64_t key)
{
	size_t at = (size_t)gen_rng_hash(1, key) & (p->cap - 1);

	while (p->all[at].key != 0 && p->all[at].key != key)
		at = (at + 1) & (p->cap - 1);
	return &p->all[at];
}

static int grow(struct gen_pairs *p)
{
	struct gen_pairs more = { .cap = 2 * p->cap, .cnt = p->cnt };

	more.all = calloc(more.cap, sizeof(*more.all));
	if (!more.all)
		return -ENOMEM;
	for (size_t i = 0; i < p->cap; i++)
		if (p->all[i].key != 0)
			*find(&more, p->all[i].key) = p->all[i];
	free(p->all);
	*p = more;
	return 0;
}

int gen_pairs_begin(struct gen_pairs *p, struct gen_session *s)
{
	const struct gen_script *script = s->script;
	uint64_t key =
		((uint64_t)s->client << 32 | (uint64_t)s->server << 4 | script->kind->protocol) + 1;
	struct pair *pair = find(p, key);
	bool in_clear = script->truth.clear_mails > 0;
	uint64_t start_ns = s->seen.first_ns ? s->seen.first_ns : s->base_ns;

	if (pair->key == 0 && !script->fails)
		return 0;
	if (script->kind->story == GEN_ESTABLISHED) {
		pair->failed_ns = 0;
		return 0;
	}
	if (!script->fails) {
		s->fallback_ns = in_clear ? pair->failed_ns : 0;
		if (in_clear)
			pair->fell_back = pair->failed_ns != 0;
		return 0;
	}
	if (pair->key == 0) {
		if (2 * p->cnt >= p->cap && grow(p) != 0)
			return -ENOMEM;
		pair = find(p, key);
		pair->key = key;
		p->cnt++;
	}
	s->same_connection = in_clear;
	s->fallback_ns = in_clear ? start_ns : 0;
	if (pair->failed_ns == 0 || pair->fell_back)
		pair->failed_ns = start_ns;
	pair->fell_back = in_clear;
	return 0;
}
