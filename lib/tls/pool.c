/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <stdlib.h>

/* Free buffers are chained through their first bytes, one chain a size. */
struct spare {
	struct spare *next;
};

static const uint32_t sizes[] = { 2048, 8192, ET_TLS_MESSAGE_MAX };
#define CLASSES (sizeof(sizes) / sizeof(sizes[0]))

struct et_tls_pool {
	size_t left; /* bytes that may still be allocated */
	struct spare *spare[CLASSES];
};

struct et_tls_pool *et_tls_pool_new(size_t bytes)
{
	struct et_tls_pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool->left = bytes;
	return pool;
}

void et_tls_pool_free(struct et_tls_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < CLASSES; i++) {
		while (pool->spare[i]) {
			struct spare *spare = pool->spare[i];

			pool->spare[i] = spare->next;
			free(spare);
		}
	}
	free(pool);
}

/* Frees spare buffers of other sizes until size bytes may be allocated. */
static bool make_room(struct et_tls_pool *pool, size_t size)
{
	for (size_t i = 0; i < CLASSES; i++) {
		while (pool->left < size && pool->spare[i]) {
			struct spare *spare = pool->spare[i];

			pool->spare[i] = spare->next;
			pool->left += sizes[i];
			free(spare);
		}
	}
	return pool->left >= size;
}

uint8_t *et_tls_pool_get(struct et_tls_pool *pool, uint32_t *cap, size_t n)
{
	size_t i = 0;
	uint8_t *buf;

	while (i < CLASSES && sizes[i] < n)
		i++;
	if (!pool || i == CLASSES)
		return NULL;
	*cap = sizes[i];
	if (pool->spare[i]) {
		buf = (uint8_t *)pool->spare[i];
		pool->spare[i] = pool->spare[i]->next;
		return buf;
	}
	if (!make_room(pool, sizes[i]))
		return NULL;
	buf = malloc(sizes[i]);
	if (buf)
		pool->left -= sizes[i];
	return buf;
}

void et_tls_pool_put(struct et_tls_pool *pool, uint8_t *buf, uint32_t cap)
{
	struct spare *spare = (struct spare *)(void *)buf;

	for (size_t i = 0; i < CLASSES; i++) {
		if (sizes[i] != cap)
			continue;
		spare->next = pool->spare[i];
		pool->spare[i] = spare;
	}
}
