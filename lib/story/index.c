/* SPDX-License-Identifier: BSD-3-Clause */
#include "story_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

int index_init(struct index *index, uint64_t seed)
{
	*index = (struct index){ .nodes_cap = FIRST_CAP, .slots_cap = FIRST_CAP, .seed = seed };
	index->nodes = calloc(index->nodes_cap, sizeof(*index->nodes));
	index->slots = calloc(index->slots_cap, sizeof(*index->slots));
	index->used = 1;
	return index->nodes && index->slots ? 0 : -ENOMEM;
}

void index_free(struct index *index)
{
	free(index->nodes);
	free(index->slots);
}

static uint32_t *slot_of(const struct index *index, const struct key *key)
{
	uint64_t hash = et_hash(key, sizeof(*key), index->seed);

	return &index->slots[hash & (index->slots_cap - 1)];
}

uint32_t index_find(const struct index *index, const struct key *key)
{
	uint32_t at = *slot_of(index, key);

	while (at != 0 && memcmp(&index->nodes[at].key, key, sizeof(*key)) != 0)
		at = index->nodes[at].next;
	return at == 0 ? 0 : index->nodes[at].entry;
}

static void link_node(struct index *index, uint32_t at)
{
	uint32_t *slot = slot_of(index, &index->nodes[at].key);

	index->nodes[at].next = *slot;
	*slot = at;
}

/* All nodes that have been used so far are in use: doubles, and deals them out anew. */
static int grow(struct index *index)
{
	uint32_t cap = index->nodes_cap * 2;
	struct node *nodes = reallocarray(index->nodes, cap, sizeof(*nodes));
	uint32_t *slots;

	if (!nodes)
		return -ENOMEM;
	index->nodes = nodes;
	slots = calloc(cap, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(index->slots);
	index->slots = slots;
	index->nodes_cap = index->slots_cap = cap;
	for (uint32_t at = 1; at < index->used; at++)
		link_node(index, at);
	return 0;
}

int index_add(struct index *index, const struct key *key, uint32_t entry, uint32_t *list)
{
	uint32_t at = index->spare;

	if (at == 0 && index->used == index->nodes_cap && grow(index) != 0)
		return -ENOMEM;
	if (at != 0)
		index->spare = index->nodes[at].next;
	else
		at = index->used++;
	index->nodes[at] = (struct node){ .key = *key, .entry = entry, .sibling = *list };
	*list = at;
	link_node(index, at);
	return 0;
}

void index_drop(struct index *index, uint32_t *list)
{
	while (*list != 0) {
		uint32_t at = *list, *link = slot_of(index, &index->nodes[at].key);

		while (*link != at)
			link = &index->nodes[*link].next;
		*link = index->nodes[at].next;
		*list = index->nodes[at].sibling;
		index->nodes[at].next = index->spare;
		index->spare = at;
	}
}
