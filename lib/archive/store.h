/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ARCHIVE_STORE_H
#define ET_ARCHIVE_STORE_H

/*
 * Private to the room: items of one size, each found by the bytes that it begins with. Items are
 * kept in the order in which they came; their numbers stay, their places do not.
 */

#include "et_base.h"

struct store {
	uint8_t *items;
	size_t size, key; /* bytes of an item, and of the key that it begins with */
	uint32_t *slots;  /* number + 1; open addressing, at most half full */
	uint32_t slots_cap, cnt, cap, max;
	uint64_t seed;
};

void store_init(struct store *store, size_t size, size_t key, uint32_t max);
void store_free(struct store *store);

static inline void *store_at(const struct store *store, uint32_t i)
{
	return store->items + (size_t)i * store->size;
}

/*
 * The item of this key, made of zeros behind it if it is new (*added, may be NULL). 0, -ENOSPC if
 * there are max, -ENOMEM. The item stays until the next store_get.
 */
int store_get(struct store *store, void **item, bool *added, const void *key);
/* The item of this key; NULL if there is none. */
void *store_find(const struct store *store, const void *key);

static inline uint32_t store_number(const struct store *store, const void *item)
{
	return (uint32_t)((size_t)((const uint8_t *)item - store->items) / store->size);
}

#endif
