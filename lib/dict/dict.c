/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_dict.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t hash;
	uint32_t n;
	size_t at; /* into bytes */
};

struct et_dict {
	struct entry *entries; /* entry of id is entries[id - 1] */
	uint32_t *slots;       /* open addressing, ids; a power of two, at most half full */
	uint8_t *bytes;
	size_t bytes_len, bytes_cap, bytes_max;
	uint32_t cnt, entries_cap, slots_cap, entries_max;
	uint64_t refused;
	uint64_t seed;
};

struct et_dict *et_dict_new(uint32_t max_entries, size_t max_bytes)
{
	struct et_dict *dict = calloc(1, sizeof(*dict));

	if (!dict)
		return NULL;
	dict->slots_cap = 64;
	dict->slots = calloc(dict->slots_cap, sizeof(*dict->slots));
	if (!dict->slots) {
		free(dict);
		return NULL;
	}
	dict->entries_max = max_entries < UINT32_MAX / 4 ? max_entries : UINT32_MAX / 4;
	dict->bytes_max = max_bytes;
	dict->seed =
		(uint64_t)(uintptr_t)dict; /* differs from run to run; no output depends on it */
	return dict;
}

void et_dict_free(struct et_dict *dict)
{
	if (!dict)
		return;
	free(dict->entries);
	free(dict->slots);
	free(dict->bytes);
	free(dict);
}

/* The slot that holds these bytes, or the free one where they belong. */
static uint32_t find(const struct et_dict *dict, uint64_t hash, struct et_view bytes)
{
	uint32_t mask = dict->slots_cap - 1;
	uint32_t i = (uint32_t)hash & mask;

	for (; dict->slots[i] != ET_DICT_NONE; i = (i + 1) & mask) {
		const struct entry *e = &dict->entries[dict->slots[i] - 1];

		if (e->hash == hash && e->n == bytes.n &&
			memcmp(dict->bytes + e->at, bytes.p, bytes.n) == 0)
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
	for (uint32_t id = 1; id <= dict->cnt; id++) {
		uint32_t i = (uint32_t)dict->entries[id - 1].hash & mask;

		while (slots[i] != ET_DICT_NONE)
			i = (i + 1) & mask;
		slots[i] = id;
	}
	free(dict->slots);
	dict->slots = slots;
	dict->slots_cap = cap;
	return true;
}

/* Room for one more entry of n bytes within the limits. */
static bool reserve(struct et_dict *dict, size_t n)
{
	if (dict->cnt >= dict->entries_max || n > dict->bytes_max - dict->bytes_len)
		return false;
	if (dict->cnt == dict->entries_cap) {
		uint32_t cap = dict->entries_cap ? dict->entries_cap * 2 : 32;
		struct entry *p = realloc(dict->entries, cap * sizeof(*p));

		if (!p)
			return false;
		dict->entries = p;
		dict->entries_cap = cap;
	}
	if (n > dict->bytes_cap - dict->bytes_len) {
		size_t cap = dict->bytes_cap ? dict->bytes_cap * 2 : 4096;
		uint8_t *p;

		while (cap - dict->bytes_len < n)
			cap *= 2;
		p = realloc(dict->bytes, cap);
		if (!p)
			return false;
		dict->bytes = p;
		dict->bytes_cap = cap;
	}
	return (dict->cnt + 1) * 2 <= dict->slots_cap || grow_slots(dict);
}

uint32_t et_dict_put(struct et_dict *dict, bool *added, struct et_view bytes)
{
	uint64_t hash = et_hash(bytes.p, bytes.n, dict->seed);
	uint32_t slot = find(dict, hash, bytes);

	if (added)
		*added = false;
	if (dict->slots[slot] != ET_DICT_NONE)
		return dict->slots[slot];
	if (!reserve(dict, bytes.n)) {
		dict->refused++;
		return ET_DICT_NONE;
	}
	slot = find(dict, hash, bytes); /* the slots may have moved */
	dict->entries[dict->cnt] =
		(struct entry){ .hash = hash, .n = (uint32_t)bytes.n, .at = dict->bytes_len };
	if (bytes.n)
		memcpy(dict->bytes + dict->bytes_len, bytes.p, bytes.n);
	dict->bytes_len += bytes.n;
	dict->slots[slot] = ++dict->cnt;
	if (added)
		*added = true;
	return dict->cnt;
}

struct et_view et_dict_get(const struct et_dict *dict, uint32_t id)
{
	const struct entry *e;

	if (id == ET_DICT_NONE || id > dict->cnt)
		return (struct et_view){ 0 };
	e = &dict->entries[id - 1];
	return (struct et_view){ .p = dict->bytes + e->at, .n = e->n };
}

uint32_t et_dict_count(const struct et_dict *dict)
{
	return dict->cnt;
}

uint64_t et_dict_refused(const struct et_dict *dict)
{
	return dict->refused;
}
