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
	uint8_t *area;
	size_t bytes, used; /* used: of the area, from its begin; never goes back */
	struct spare *spare[CLASSES];
};

struct et_tls_pool *et_tls_pool_new(size_t bytes)
{
	struct et_tls_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->bytes = bytes;
	pool->area = et_area_new(bytes);
	if (!pool->area) {
		free(pool);
		return NULL;
	}
	return pool;
}

void et_tls_pool_free(struct et_tls_pool *pool)
{
	if (!pool)
		return;
	et_area_free(pool->area, pool->bytes);
	free(pool);
}

uint8_t *et_tls_pool_get(struct et_tls_pool *pool, uint32_t *cap, size_t n)
{
	size_t size_class = 0;

	while (size_class < CLASSES && sizes[size_class] < n)
		size_class++;
	if (!pool || size_class == CLASSES)
		return NULL;
	*cap = sizes[size_class];
	if (!pool->spare[size_class] && pool->bytes - pool->used >= sizes[size_class]) {
		pool->used += sizes[size_class];
		return pool->area + pool->used - sizes[size_class];
	}
	/* the area is used up: a larger one does it, too */
	for (; size_class < CLASSES; size_class++) {
		struct spare *spare = pool->spare[size_class];

		if (!spare)
			continue;
		pool->spare[size_class] = spare->next;
		*cap = sizes[size_class];
		return (uint8_t *)spare;
	}
	return NULL;
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
