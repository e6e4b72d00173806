/* SPDX-License-Identifier: BSD-3-Clause */

/* Connections that stay: opened one after the other, then the same frame for any of them. */

#include "slots.h"

int replay_flows_init(struct replay_queue *q, char error[static REPLAY_ERROR],
	const struct replay_options *options)
{
	q->opening = *options->capture;
	q->body = q->opening.frames[--q->opening.cnt];
	if (!q->body.src_at || options->flows > MASK_BITS)
		return refuse(
			error, "the last frame has no addresses, or there are too many flows");
	memcpy(&q->body_src, q->body.data + q->body.src_at, 4);
	memcpy(&q->body_dst, q->body.data + q->body.dst_at, 4);
	q->step = options->queues;
	q->first = options->queue;
	q->flows = options->flows / options->queues;
	q->flow = options->open ? 0 : q->flows;
	q->cnt = options->buffers;
	return replay_slots_make(q, error, options);
}

/* Without order, also in memory: connections were opened one after the other. */
static inline uint32_t pick(struct replay_queue *q)
{
	uint64_t x = ++q->picked * 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
	return (uint32_t)((x >> 32) * q->flows >> 32);
}

static inline void address(
	uint8_t *data, const struct replay_slot *slot, uint32_t src, uint32_t dst, uint32_t mask)
{
	src ^= mask;
	dst ^= mask;
	memcpy(data + slot->src_at, &src, 4);
	memcpy(data + slot->dst_at, &dst, 4);
}

/* The slot's next frame: of an opening, or the body for the first time. Whose it is. */
static uint32_t next_opening(struct replay_queue *q, struct replay_slot *slot)
{
	uint32_t flow = q->flow;

	if (flow == q->flows || q->opening.cnt == 0) {
		dress(q, slot, &q->body);
		q->dressed++;
		return q->opening.cnt == 0 && flow < q->flows ? q->flow++ : pick(q);
	}
	dress(q, slot, &q->opening.frames[q->frame]);
	if (++q->frame == q->opening.cnt) {
		q->frame = 0;
		q->flow++;
	}
	return flow;
}

static uint16_t open_flows(struct replay_queue *q, struct rte_mbuf **out, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		struct replay_slot *slot = &q->slots[q->at];
		uint32_t mask = mask_of(q->first + next_opening(q, slot) * q->step);

		if (slot->src_at)
			turn((uint8_t *)slot->mbuf + q->data_at, slot, mask);
		out[i] = arm(q, slot);
		add(&q->bytes, slot->len);
		q->at = q->at + 1 == q->cnt ? 0 : q->at + 1;
	}
	return n;
}

static uint16_t flows_known(struct replay_queue *q, struct rte_mbuf **out, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct replay_slot *slot = &q->slots[q->at];

		fetch(q, q->at, true);
		out[i] = arm(q, slot);
		address((uint8_t *)out[i] + q->data_at, slot, q->body_src, q->body_dst,
			mask_of(q->first + pick(q) * q->step));
		q->at = q->at + 1 == q->cnt ? 0 : q->at + 1;
	}
	add(&q->bytes, (uint64_t)n * q->body.len);
	return n;
}

uint16_t replay_burst_flows(void *queue, struct rte_mbuf **out, uint16_t cnt)
{
	struct replay_queue *q = queue;
	uint16_t n = room(q, cnt);

	/* a body for every slot that had a frame of an opening in it */
	n = q->flow == q->flows && q->dressed >= q->cnt ? flows_known(q, out, n)
							: open_flows(q, out, n);
	q->handed += n;
	add(&q->packets, n);
	atomic_store_explicit(&q->position, q->flow, memory_order_relaxed);
	return n;
}
