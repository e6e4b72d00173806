/* SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64u
#define MAX       (UINT32_MAX / 4) /* twice as many slots must fit 32 bits */

void store_init(struct store *store, size_t size, size_t key, uint32_t max)
{
	*store = (struct store){ .size = size, .key = key, .max = max < MAX ? max : MAX };
	store->seed = (uint64_t)(uintptr_t)store; /* no output depends on it */
}

void store_free(struct store *store)
{
	free(store->items);
	free(store->slots);
	store->items = NULL;
	store->slots = NULL;
	store->cnt = store->cap = store->slots_cap = 0;
}

static uint64_t hash(const struct store *store, const void *key)
{
	return et_hash(key, store->key, store->seed);
}

static bool grow_slots(struct store *store)
{
	uint32_t cap = store->slots_cap ? 2 * store->slots_cap : 2 * FIRST_CAP;
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i < store->cnt; i++) {
		uint64_t at = hash(store, store_at(store, i));

		while (slots[at & (cap - 1)] != 0)
			at++;
		slots[at & (cap - 1)] = i + 1;
	}
	free(store->slots);
	store->slots = slots;
	store->slots_cap = cap;
	return true;
}

static bool make_room(struct store *store)
{
	uint32_t cap = store->cap ? 2 * store->cap : FIRST_CAP;
	uint8_t *items;

	if (store->cnt == store->cap) {
		items = reallocarray(store->items, cap, store->size);
		if (!items)
			return false;
		store->items = items;
		store->cap = cap;
	}
	return store->cnt + 1 <= store->slots_cap / 2 || grow_slots(store);
}

/* The item of this key, which has this hash. */
static void *find(const struct store *store, uint64_t at, const void *key)
{
	for (; store->slots_cap; at++) {
		uint32_t slot = store->slots[at & (store->slots_cap - 1)];

		if (slot == 0)
			return NULL;
		if (memcmp(store_at(store, slot - 1), key, store->key) == 0)
			return store_at(store, slot - 1);
	}
	return NULL;
}

void *store_find(const struct store *store, const void *key)
{
	return find(store, hash(store, key), key);
}

int store_get(struct store *store, void **item, bool *added, const void *key)
{
	uint64_t at = hash(store, key);

	*item = find(store, at, key);
	if (added)
		*added = !*item;
	if (*item)
		return 0;
	if (store->cnt >= store->max)
		return -ENOSPC;
	if (!make_room(store))
		return -ENOMEM;
	while (store->slots[at & (store->slots_cap - 1)] != 0)
		at++;
	*item = store_at(store, store->cnt);
	memcpy(*item, key, store->key);
	memset((uint8_t *)*item + store->key, 0, store->size - store->key);
	store->slots[at & (store->slots_cap - 1)] = ++store->cnt;
	return 0;
}
