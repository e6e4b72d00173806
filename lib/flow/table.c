/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_flow.h"

#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Buckets of one cache line: tags are compared eight at a time without touching an entry. A flow
 * that finds its bucket full goes to the next with room; `passed` counts such flows on every
 * bucket they went by, so that a search knows where it may stop and removal leaves no tombstone.
 */
#define WAYS 8
struct bucket {
	uint16_t tag[WAYS]; /* 0: empty */
	uint32_t entry[WAYS];
	uint32_t passed;
	uint32_t unused[3];
};
static_assert(sizeof(struct bucket) == ET_CACHE_LINE, "a bucket is one cache line");

struct et_flow_table {
	struct bucket *buckets;
	struct et_flow *entries;
	uint32_t mask;           /* buckets - 1 */
	uint32_t limit;          /* flows at which the buckets double */
	uint32_t cnt, used, max; /* flows; entries ever used; entries there can be */
	uint32_t free;           /* head of the list of free entries + 1, linked by first_frame */
	uint32_t hand;
	uint32_t changes;
	size_t entries_bytes, buckets_bytes;
	uint64_t seed;
};

/* Buckets for `flows` at six of eight ways in use. */
static uint32_t buckets_for(uint32_t flows)
{
	uint32_t n = 1;

	while (n * (uint64_t)(WAYS - 2) < flows)
		n *= 2;
	return n;
}

static bool set_buckets(struct et_flow_table *table, uint32_t n)
{
	table->buckets_bytes = n * sizeof(struct bucket);
	table->buckets = et_area_new(table->buckets_bytes);
	table->mask = n - 1;
	table->limit = n * (WAYS - 2);
	return table->buckets != NULL;
}

struct et_flow_table *et_flow_table_new(uint32_t flows, uint32_t max_flows, uint64_t seed)
{
	struct et_flow_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	assert(flows > 0 && flows <= max_flows && max_flows <= 1u << 26);
	table->max = max_flows;
	table->seed = seed;
	table->entries_bytes = max_flows * sizeof(struct et_flow);
	table->entries = et_area_new(table->entries_bytes);
	if (!table->entries || !set_buckets(table, buckets_for(flows))) {
		et_flow_table_free(table);
		return NULL;
	}
	return table;
}

void et_flow_table_free(struct et_flow_table *table)
{
	if (!table)
		return;
	et_area_free(table->entries, table->entries_bytes);
	et_area_free(table->buckets, table->buckets_bytes);
	free(table);
}

static uint16_t tag_of(uint64_t hash)
{
	return (uint16_t)(hash >> 32 | 1); /* never 0 */
}

/* Bit per way whose tag is this one. */
static inline unsigned ways_with(const struct bucket *b, uint16_t tag)
{
#ifdef __SSE2__
	/* All eight at once: 0xffff where equal, narrowed to a byte each, one bit of each byte. */
	__m128i equal = _mm_cmpeq_epi16(
		_mm_load_si128((const __m128i *)b->tag), _mm_set1_epi16((short)tag));

	return (unsigned)_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128()));
#else
	unsigned ways = 0;

	for (unsigned i = 0; i < WAYS; i++)
		ways |= (unsigned)(b->tag[i] == tag) << i;
	return ways;
#endif
}

void et_flow_prefetch_bucket(const struct et_flow_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->buckets[hash & table->mask]);
}

struct et_flow *et_flow_prefetch_entry(const struct et_flow_table *table, uint64_t hash)
{
	const struct bucket *b = &table->buckets[hash & table->mask];
	unsigned ways = ways_with(b, tag_of(hash));
	struct et_flow *flow;

	if (!ways)
		return NULL;
	flow = &table->entries[b->entry[__builtin_ctz(ways)]];
	__builtin_prefetch(flow, 1);
	return flow;
}

struct et_flow *et_flow_find(
	struct et_flow_table *table, const struct et_flow_key *key, uint64_t hash)
{
	uint16_t tag = tag_of(hash);

	for (uint32_t i = (uint32_t)hash & table->mask, n = 0; n <= table->mask;
		i = (i + 1) & table->mask, n++) {
		const struct bucket *b = &table->buckets[i];

		for (unsigned ways = ways_with(b, tag); ways; ways &= ways - 1) {
			struct et_flow *flow = &table->entries[b->entry[__builtin_ctz(ways)]];

			if (et_likely(et_flow_key_equal(&flow->key, key)))
				return flow;
		}
		if (b->passed == 0)
			break;
	}
	return NULL;
}

/* Puts an entry into the first bucket with room, from its own one on. There is room. */
static void place(struct et_flow_table *table, uint32_t entry, uint64_t hash)
{
	for (uint32_t i = (uint32_t)hash & table->mask;; i = (i + 1) & table->mask) {
		struct bucket *b = &table->buckets[i];
		unsigned ways = ways_with(b, 0);

		if (ways) {
			unsigned way = (unsigned)__builtin_ctz(ways);

			b->tag[way] = tag_of(hash);
			b->entry[way] = entry;
			return;
		}
		b->passed++;
	}
}

static bool grow(struct et_flow_table *table)
{
	struct bucket *old = table->buckets;
	size_t old_bytes = table->buckets_bytes;
	uint32_t old_mask = table->mask;

	if (!set_buckets(table, (old_mask + 1) * 2)) {
		table->buckets = old;
		table->buckets_bytes = old_bytes;
		table->mask = old_mask;
		table->limit = UINT32_MAX; /* full as it is: fill the ways that are left */
		return false;
	}
	for (uint32_t i = 0; i < table->used; i++)
		if (table->entries[i].state != ET_FLOW_FREE)
			place(table, i, et_flow_hash(&table->entries[i].key, table->seed));
	et_area_free(old, old_bytes);
	return true;
}

struct et_flow *et_flow_add(
	struct et_flow_table *table, const struct et_flow_key *key, uint64_t hash)
{
	struct et_flow *flow;
	uint32_t i;

	if (table->cnt == table->max)
		return NULL;
	if (et_unlikely(table->cnt >= table->limit) && !grow(table) &&
		table->cnt >= (table->mask + 1) * (WAYS - 1))
		return NULL;
	if (table->free) {
		i = table->free - 1;
		table->free = (uint32_t)table->entries[i].first_frame;
	} else {
		i = table->used++;
	}
	flow = &table->entries[i];
	*flow = (struct et_flow){ .key = *key, .state = ET_FLOW_IGNORED };
	place(table, i, hash);
	table->cnt++;
	table->changes++;
	return flow;
}

void et_flow_remove(struct et_flow_table *table, struct et_flow *flow)
{
	uint32_t entry = (uint32_t)(flow - table->entries);
	uint64_t hash = et_flow_hash(&flow->key, table->seed);
	uint16_t tag = tag_of(hash);

	for (uint32_t i = (uint32_t)hash & table->mask;; i = (i + 1) & table->mask) {
		struct bucket *b = &table->buckets[i];

		for (unsigned ways = ways_with(b, tag); ways; ways &= ways - 1) {
			unsigned way = (unsigned)__builtin_ctz(ways);

			if (b->entry[way] != entry)
				continue;
			b->tag[way] = 0;
			*flow = (struct et_flow){ .first_frame = table->free };
			table->free = entry + 1;
			table->cnt--;
			table->changes++;
			return;
		}
		assert(b->passed > 0);
		b->passed--;
	}
}

struct et_flow *et_flow_victim(struct et_flow_table *table)
{
	struct et_flow *stalest = NULL;
	uint32_t seen = 0;

	for (uint32_t n = 0; n < table->used && seen < 16; n++) {
		struct et_flow *flow = &table->entries[table->hand];

		table->hand = table->hand + 1 < table->used ? table->hand + 1 : 0;
		if (flow->state == ET_FLOW_FREE)
			continue;
		if (flow->closed && flow->state != ET_FLOW_UNDECIDED)
			return flow;
		seen++;
		if (!stalest || (int32_t)(flow->last - stalest->last) < 0)
			stalest = flow;
	}
	return stalest;
}

struct et_flow *et_flow_sweep(struct et_flow_table *table, uint32_t now, uint32_t steps)
{
	if (steps > table->used)
		steps = table->used;
	for (; steps > 0; steps--) {
		struct et_flow *flow = &table->entries[table->hand];

		table->hand = table->hand + 1 < table->used ? table->hand + 1 : 0;
		if (flow->state != ET_FLOW_FREE && et_flow_is_old(flow, now))
			return flow;
	}
	return NULL;
}

struct et_flow *et_flow_any(struct et_flow_table *table)
{
	while (table->used > 0 && table->cnt > 0) {
		struct et_flow *flow = &table->entries[table->used - 1];

		if (flow->state != ET_FLOW_FREE)
			return flow;
		table->used--; /* only at the end of the input: the free list is not used again */
	}
	return NULL;
}

uint32_t et_flow_changes(const struct et_flow_table *table)
{
	return table->changes;
}

uint32_t et_flow_count(const struct et_flow_table *table)
{
	return table->cnt;
}
