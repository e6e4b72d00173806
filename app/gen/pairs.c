/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <errno.h>
#include <stdlib.h>

#define STALE_NS (UINT64_C(7) * 86400 * 1000000000)

struct pair {
	uint64_t key;       /* 0: free */
	uint64_t failed_ns; /* start of the failure that counts, docs/causes.md; 0: none */
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

static int add(struct pair **pair, struct gen_pairs *p, uint64_t key)
{
	if ((*pair)->key != 0)
		return 0;
	if (2 * p->cnt >= p->cap) {
		if (grow(p) != 0)
			return -ENOMEM;
		*pair = find(p, key);
	}
	(*pair)->key = key;
	p->cnt++;
	return 0;
}

static bool is_stale(const struct pair *pair, uint64_t ns)
{
	return ns > pair->failed_ns && ns - pair->failed_ns >= STALE_NS;
}

static void fail(struct pair *pair, struct gen_session *s, uint64_t start_ns, bool in_clear)
{
	s->same_connection = in_clear;
	s->fallback_ns = in_clear ? start_ns : 0;
	if (pair->failed_ns == 0 || pair->fell_back || is_stale(pair, start_ns))
		pair->failed_ns = start_ns;
	pair->fell_back = in_clear;
}

int gen_pairs_decided(struct gen_pairs *p, struct gen_session *s)
{
	const struct gen_script *script = s->script;
	uint64_t key =
		((uint64_t)s->client << 32 | (uint64_t)s->server << 4 | script->kind->protocol) + 1;
	struct pair *pair = find(p, key);
	bool in_clear = script->truth.clear_mails > 0;
	uint64_t start_ns = s->seen.first_ns;

	if (script->fails) {
		if (add(&pair, p, key) != 0)
			return -ENOMEM;
		fail(pair, s, start_ns, in_clear);
		return 0;
	}
	/* what had begun before the failure does not follow from it */
	if (pair->key == 0 || start_ns < pair->failed_ns)
		return 0;
	if (script->kind->story == GEN_ESTABLISHED || is_stale(pair, start_ns)) {
		pair->failed_ns = 0;
		pair->fell_back = false;
	} else if (in_clear && pair->failed_ns != 0) {
		s->fallback_ns = pair->failed_ns;
		pair->fell_back = true;
	}
	return 0;
}
