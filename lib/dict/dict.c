/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_dict.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t hash;
	size_t at; /* into bytes */
	uint32_t n;
	uint32_t marks[ET_DICT_MARKS]; /* the caller's */
};

/* What was taken in since the last turn, or the one before. */
struct half {
	struct entry *entries; /* entry of number n is entries[n - 1] */
	uint8_t *bytes;
	uint32_t cnt;
	size_t bytes_len;
};

struct et_dict {
	struct half now, before;
	uint32_t *slots; /* open addressing, numbers in `now`; a power of two, at most half full */
	uint32_t slots_cap, entries_cap, entries_max;
	size_t bytes_cap, bytes_max;
	bool turning;
	uint32_t turn; /* how often it did, modulo TURNS */
	uint64_t refused;
	uint64_t seed;
};

/* An id is the number of its entry, and above that the turn, which is always 0 if none turns. */
#define NUMBER_BITS 24
#define NUMBER_MAX  ((1u << NUMBER_BITS) - 1)
#define TURNS       (1u << (32 - NUMBER_BITS))

static struct et_dict *new_dict(uint32_t max_entries, size_t max_bytes)
{
	struct et_dict *dict = calloc(1, sizeof(*dict));

	if (!dict)
		return NULL;
	dict->entries_max = max_entries;
	dict->bytes_max = max_bytes;
	dict->seed =
		(uint64_t)(uintptr_t)dict; /* differs from run to run; no output depends on it */
	return dict;
}

struct et_dict *et_dict_new(uint32_t max_entries, size_t max_bytes)
{
	struct et_dict *dict =
		new_dict(max_entries < UINT32_MAX / 4 ? max_entries : UINT32_MAX / 4, max_bytes);

	if (!dict)
		return NULL;
	dict->slots_cap = 64;
	dict->slots = calloc(dict->slots_cap, sizeof(*dict->slots));
	if (!dict->slots) {
		free(dict);
		return NULL;
	}
	return dict;
}

struct et_dict *et_dict_new_turning(uint32_t max_entries, size_t max_bytes)
{
	struct et_dict *dict;

	assert(max_entries > 0 && max_entries <= NUMBER_MAX && max_bytes > 0);
	dict = new_dict(max_entries, max_bytes);
	if (!dict)
		return NULL;
	dict->turning = true;
	dict->entries_cap = max_entries;
	dict->bytes_cap = max_bytes;
	dict->slots_cap = 64;
	while (dict->slots_cap < 2 * max_entries)
		dict->slots_cap *= 2;
	dict->slots = et_area_new(dict->slots_cap * sizeof(*dict->slots));
	dict->now.entries = et_area_new(max_entries * sizeof(struct entry));
	dict->before.entries = et_area_new(max_entries * sizeof(struct entry));
	dict->now.bytes = et_area_new(max_bytes);
	dict->before.bytes = et_area_new(max_bytes);
	if (!dict->slots || !dict->now.entries || !dict->before.entries || !dict->now.bytes ||
		!dict->before.bytes) {
		et_dict_free(dict);
		return NULL;
	}
	return dict;
}

static void free_areas(struct et_dict *dict)
{
	et_area_free(dict->slots, dict->slots_cap * sizeof(*dict->slots));
	et_area_free(dict->now.entries, dict->entries_cap * sizeof(struct entry));
	et_area_free(dict->before.entries, dict->entries_cap * sizeof(struct entry));
	et_area_free(dict->now.bytes, dict->bytes_cap);
	et_area_free(dict->before.bytes, dict->bytes_cap);
}

void et_dict_free(struct et_dict *dict)
{
	if (!dict)
		return;
	if (dict->turning) {
		free_areas(dict);
	} else {
		free(dict->now.entries);
		free(dict->slots);
		free(dict->now.bytes);
	}
	free(dict);
}

/* The slot that holds these bytes, or the free one where they belong. */
static uint32_t find(const struct et_dict *dict, uint64_t hash, struct et_view bytes)
{
	uint32_t mask = dict->slots_cap - 1;
	uint32_t i = (uint32_t)hash & mask;

	for (; dict->slots[i] != ET_DICT_NONE; i = (i + 1) & mask) {
		const struct entry *e = &dict->now.entries[dict->slots[i] - 1];

		if (e->hash == hash && e->n == bytes.n &&
			memcmp(dict->now.bytes + e->at, bytes.p, bytes.n) == 0)
			break;
	}
	return i;
}

static bool grow_slots(struct et_dict *dict)
{
	uint32_t cap = dict->slots_cap * 2, mask = cap - 1;
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t number = 1; number <= dict->now.cnt; number++) {
		uint32_t i = (uint32_t)dict->now.entries[number - 1].hash & mask;

		while (slots[i] != ET_DICT_NONE)
			i = (i + 1) & mask;
		slots[i] = number;
	}
	free(dict->slots);
	dict->slots = slots;
	dict->slots_cap = cap;
	return true;
}

static bool grow_entries(struct et_dict *dict)
{
	uint32_t cap = dict->entries_cap ? dict->entries_cap * 2 : 32;
	struct entry *p = realloc(dict->now.entries, cap * sizeof(*p));

	if (!p)
		return false;
	dict->now.entries = p;
	dict->entries_cap = cap;
	return true;
}

static bool grow_bytes(struct et_dict *dict, size_t n)
{
	size_t cap = dict->bytes_cap ? dict->bytes_cap * 2 : 4096;
	uint8_t *p;

	while (cap - dict->now.bytes_len < n)
		cap *= 2;
	p = realloc(dict->now.bytes, cap);
	if (!p)
		return false;
	dict->now.bytes = p;
	dict->bytes_cap = cap;
	return true;
}

/* Starts empty; what was taken in since the last turn can still be read. */
static void turn(struct et_dict *dict)
{
	struct half old = dict->before;

	dict->before = dict->now;
	dict->now = old;
	dict->now.cnt = 0;
	dict->now.bytes_len = 0;
	dict->turn = (dict->turn + 1) % TURNS;
	memset(dict->slots, 0, dict->slots_cap * sizeof(*dict->slots));
}

/* Room for one more entry of n bytes within the limits. */
static bool reserve(struct et_dict *dict, size_t n)
{
	if (dict->now.cnt >= dict->entries_max || n > dict->bytes_max - dict->now.bytes_len) {
		if (!dict->turning || n > dict->bytes_max)
			return false;
		turn(dict);
	}
	if (dict->now.cnt == dict->entries_cap && !grow_entries(dict))
		return false;
	if (n > dict->bytes_cap - dict->now.bytes_len && !grow_bytes(dict, n))
		return false;
	return (dict->now.cnt + 1) * 2 <= dict->slots_cap || grow_slots(dict);
}

uint32_t et_dict_put(struct et_dict *dict, bool *added, struct et_view bytes)
{
	uint64_t hash = et_hash(bytes.p, bytes.n, dict->seed);
	uint32_t slot = find(dict, hash, bytes);
	struct half *now = &dict->now;

	if (added)
		*added = false;
	if (dict->slots[slot] != ET_DICT_NONE)
		return dict->slots[slot] | dict->turn << NUMBER_BITS;
	if (!reserve(dict, bytes.n)) {
		dict->refused++;
		return ET_DICT_NONE;
	}
	slot = find(dict, hash, bytes); /* the slots may have moved */
	now->entries[now->cnt] =
		(struct entry){ .hash = hash, .n = (uint32_t)bytes.n, .at = now->bytes_len };
	if (bytes.n)
		memcpy(now->bytes + now->bytes_len, bytes.p, bytes.n);
	now->bytes_len += bytes.n;
	dict->slots[slot] = ++now->cnt;
	if (added)
		*added = true;
	return now->cnt | dict->turn << NUMBER_BITS;
}

/* The half that an id is of, and its number there; NULL if it is of neither. */
static const struct half *half_of(const struct et_dict *dict, uint32_t *number, uint32_t id)
{
	const struct half *half = &dict->now;

	*number = id;
	if (dict->turning) {
		uint32_t age = (dict->turn - (id >> NUMBER_BITS)) % TURNS;

		*number = id & NUMBER_MAX;
		half = age == 0 ? &dict->now : &dict->before;
		if (age > 1)
			return NULL;
	}
	return *number != 0 && *number <= half->cnt ? half : NULL;
}

struct et_view et_dict_get(const struct et_dict *dict, uint32_t id)
{
	uint32_t number;
	const struct half *half = half_of(dict, &number, id);
	const struct entry *e;

	if (!half)
		return (struct et_view){ 0 };
	e = &half->entries[number - 1];
	return (struct et_view){ .p = half->bytes + e->at, .n = e->n };
}

uint32_t *et_dict_mark(struct et_dict *dict, uint32_t id)
{
	uint32_t number;
	const struct half *half = half_of(dict, &number, id);

	return half ? half->entries[number - 1].marks : NULL;
}

uint32_t et_dict_count(const struct et_dict *dict)
{
	return dict->now.cnt;
}

uint64_t et_dict_refused(const struct et_dict *dict)
{
	return dict->refused;
}
