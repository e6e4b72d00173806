/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <string.h>

/* Copies n bytes to an offset of the slots, in two pieces if they end there. The offset behind. */
static size_t copy(struct et_ring *ring, size_t offset, const void *p, size_t n)
{
	size_t first = ring->span - offset;

	if (n <= first) {
		if (n != 0) /* p may be NULL then */
			memcpy(ring->slots + offset, p, n);
	} else {
		memcpy(ring->slots + offset, p, first);
		memcpy(ring->slots, (const uint8_t *)p + first, n - first);
	}
	return (offset + n) & (ring->span - 1);
}

/* The slots that the reader has given back or never had. */
static uint32_t free_slots(const struct et_ring *ring)
{
	uint32_t used = ring->pos - __atomic_load_n(&ring->rte->cons.tail, __ATOMIC_ACQUIRE);

	return used <= ring->capacity ? ring->capacity - used : 0;
}

/*
 * Single producer. The mode is asked right before the inlined call, so that the compiler sees that
 * it can be no other: in other modes rte_ring waits, and the reader could write one into the file.
 */
static bool reserve(struct et_ring *ring, uint32_t slots)
{
	struct rte_ring_zc_data addresses; /* not used: see ring_file.h */

	if (ring->rte->prod.sync_type != RTE_RING_SYNC_ST)
		return false;
	return rte_ring_enqueue_zc_bulk_elem_start(
		       ring->rte, ET_RING_SLOT, slots, &addresses, NULL) == slots;
}

static bool publish(struct et_ring *ring, uint32_t slots)
{
	if (ring->rte->prod.sync_type != RTE_RING_SYNC_ST)
		return false;
	rte_ring_enqueue_zc_elem_finish(ring->rte, slots);
	return true;
}

bool et_ring_put(struct et_ring *ring, uint32_t kind, const void *head, size_t head_len,
	const void *body, size_t body_len, size_t keep)
{
	struct ring_header header = { .number = ring->number, .kind = kind };
	uint32_t slots, left;
	size_t offset;

	if (head_len > ET_RING_MESSAGE_MAX || body_len > ET_RING_MESSAGE_MAX - head_len)
		return false;
	header.len = (uint32_t)(head_len + body_len);
	slots = ring_slots(header.len);
	left = free_slots(ring);
	if (slots > left || keep > (size_t)(left - slots) * ET_RING_SLOT || !reserve(ring, slots))
		return false;
	offset = copy(ring, ring_offset(ring, ring->pos), &header, sizeof(header));
	offset = copy(ring, offset, head, head_len);
	copy(ring, offset, body, body_len);
	if (!publish(ring, slots))
		return false;
	ring->pos += slots;
	ring->number++;
	return true;
}

uint64_t et_ring_next_number(const struct et_ring *ring)
{
	return ring->number;
}
