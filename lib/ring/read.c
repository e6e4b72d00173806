/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <string.h>
#include <sys/file.h>

/*
 * Single consumer, and nobody but this end moves its positions. Asked right before each inlined
 * call of rte_ring, so that the compiler sees that it can be no other mode: in others it waits.
 */
static inline bool ours(const struct et_ring *ring)
{
	const struct rte_ring *rte = ring->rte;

	return rte->cons.tail == ring->tail && rte->cons.head == ring->head &&
	       rte->cons.sync_type == RTE_RING_SYNC_ST;
}

void ring_take(struct et_ring *ring)
{
	uint32_t room = ring->capacity - (ring->head - ring->tail);
	struct rte_ring_zc_data addresses; /* not used: see ring_file.h */
	unsigned int beyond = 0;

	if (!ours(ring)) {
		ring->bad = true;
		return;
	}
	ring->head += rte_ring_dequeue_zc_burst_elem_start(
		ring->rte, ET_RING_SLOT, room, &addresses, &beyond);
	if (beyond != 0)
		ring->bad = true; /* more in use than there is */
}

/* Gives slots back, and takes again what rte_ring's finish puts back with them: head = tail. */
static bool give_back(struct et_ring *ring, uint32_t slots)
{
	struct rte_ring_zc_data addresses;
	uint32_t left = ring->head - ring->tail - slots;

	if (!ours(ring))
		return false;
	rte_ring_dequeue_zc_elem_finish(ring->rte, slots);
	ring->tail += slots;
	if (left == 0)
		return true;
	if (ring->rte->cons.sync_type != RTE_RING_SYNC_ST)
		return false;
	return rte_ring_dequeue_zc_bulk_elem_start(
		       ring->rte, ET_RING_SLOT, left, &addresses, NULL) == left;
}

bool ring_peek(struct ring_header *header, const struct et_ring *ring, uint32_t pos, uint32_t end)
{
	memcpy(header, ring->slots + ring_offset(ring, pos), sizeof(*header));
	return header->len <= ET_RING_MESSAGE_MAX && ring_slots(header->len) <= end - pos;
}

/* The bytes where they are, or together in the scratch buffer. */
static struct et_view bytes_at(const struct et_ring *ring, uint32_t pos, uint32_t len)
{
	size_t offset = ring_offset(ring, pos) + sizeof(struct ring_header);
	size_t first = ring->span - offset; /* at least 48: a header does not wrap */

	if (len <= first)
		return (struct et_view){ ring->slots + offset, len };
	memcpy(ring->scratch, ring->slots + offset, first);
	memcpy(ring->scratch + first, ring->slots, len - first);
	return (struct et_view){ ring->scratch, len };
}

bool et_ring_read(struct et_ring *ring, struct et_ring_message *message)
{
	struct ring_header header;

	if (ring->at == ring->head && !ring->bad)
		ring_take(ring);
	if (ring->bad || ring->at == ring->head)
		return false;
	if (!ring_peek(&header, ring, ring->at, ring->head) || header.number != ring->number) {
		ring->bad = true;
		return false;
	}
	*message = (struct et_ring_message){ .number = header.number,
		.kind = header.kind,
		.bytes = bytes_at(ring, ring->at, header.len) };
	ring->at += ring_slots(header.len);
	ring->number++;
	return true;
}

void et_ring_rewind(struct et_ring *ring)
{
	ring->at = ring->tail;
	ring->number = ring->released;
}

/* Slots of the messages before `number`, which is not beyond what is read. False: now bad. */
static bool slots_before(uint32_t *slots, const struct et_ring *ring, uint64_t number)
{
	uint32_t pos = ring->tail;

	for (uint64_t n = ring->released; n < number; n++) {
		struct ring_header header;

		if (!ring_peek(&header, ring, pos, ring->at) || header.number != n)
			return false;
		pos += ring_slots(header.len);
	}
	*slots = pos - ring->tail;
	return true;
}

void et_ring_release(struct et_ring *ring, uint64_t number)
{
	uint32_t slots = ring->at - ring->tail;

	if (number > ring->number)
		number = ring->number;
	if (number <= ring->released)
		return;
	if (number < ring->number && !slots_before(&slots, ring, number)) {
		ring->bad = true;
		return;
	}
	/* First the number, see struct ring_page; a reader may die in between. */
	__atomic_store_n(&ring->page->released, number, __ATOMIC_RELEASE);
	if (!give_back(ring, slots))
		ring->bad = true;
	ring->released = number;
}

uint64_t et_ring_released(const struct et_ring *ring)
{
	return ring->released;
}

bool et_ring_orphan(struct et_ring *ring)
{
	/* A ring has one writer in its life: who has left does not come back. */
	if (!ring->orphan && flock(ring->fd, LOCK_SH | LOCK_NB) == 0) {
		flock(ring->fd, LOCK_UN);
		ring->orphan = true;
	}
	return ring->orphan;
}

bool et_ring_bad(const struct et_ring *ring)
{
	return ring->bad;
}
