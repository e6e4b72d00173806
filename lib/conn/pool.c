/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_conn.h"

#include <stdlib.h>

/* A free connection holds the next free one's index + 1 in its first bytes. */
union slot {
	struct et_conn conn;
	uint32_t next;
};

struct et_conn_pool {
	union slot *slots;
	uint32_t max, used, free, cnt; /* used: ever; cnt: now */
};

struct et_conn_pool *et_conn_pool_new(uint32_t max)
{
	struct et_conn_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->max = max;
	pool->slots = et_area_new(max * sizeof(union slot));
	if (!pool->slots) {
		free(pool);
		return NULL;
	}
	return pool;
}

void et_conn_pool_free(struct et_conn_pool *pool)
{
	if (!pool)
		return;
	et_area_free(pool->slots, pool->max * sizeof(union slot));
	free(pool);
}

struct et_conn *et_conn_get(struct et_conn_pool *pool, uint32_t *index)
{
	if (pool->free) {
		*index = pool->free - 1;
		pool->free = pool->slots[*index].next;
	} else if (pool->used < pool->max) {
		*index = pool->used++;
	} else {
		return NULL;
	}
	pool->cnt++;
	return &pool->slots[*index].conn;
}

struct et_conn *et_conn_at(struct et_conn_pool *pool, uint32_t index)
{
	return &pool->slots[index].conn;
}

void et_conn_put(struct et_conn_pool *pool, uint32_t index)
{
	pool->slots[index].next = pool->free;
	pool->free = index + 1;
	pool->cnt--;
}

uint32_t et_conn_count(const struct et_conn_pool *pool)
{
	return pool->cnt;
}
