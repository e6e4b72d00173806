/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_SLOTS_H
#define REPLAY_SLOTS_H

/* What queue.c and flows.c do with a slot. The queue's thread alone calls these. */

#include "replay.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <rte_mempool.h>

#define AHEAD 8 /* slots whose cache lines are on their way */
/* Of an IPv4 address; the three bits that are left keep it from becoming multicast. */
#define MASK_BITS 0x1fffffffu
/* Odd, so that no two numbers have one mask. */
#define SPREAD 0x9e3779b1u

/* The pool's: how many packet buffers were freed. */
struct returned {
	alignas(RTE_CACHE_LINE_SIZE) _Atomic uint64_t cnt;
};

/* Packet buffers for queue->cnt slots. 0, or -1 with a sentence. */
int replay_slots_make(struct replay_queue *queue, char error[static REPLAY_ERROR],
	const struct replay_options *options);
/* Their part in replay_queue_init: flows.c. */
int replay_flows_init(struct replay_queue *queue, char error[static REPLAY_ERROR],
	const struct replay_options *options);

static inline int refuse(char error[static REPLAY_ERROR], const char *what)
{
	snprintf(error, REPLAY_ERROR, "%s", what);
	return -1;
}

/* Puts a frame into a packet buffer. */
static inline void dress(
	struct replay_queue *q, struct replay_slot *slot, const struct replay_frame *f)
{
	memcpy((uint8_t *)slot->mbuf + q->data_at, f->data, f->len);
	slot->len = f->len;
	slot->src_at = f->src_at;
	slot->dst_at = f->dst_at;
}

static inline void add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_store_explicit(
		to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

/* What a NIC would drop for want of buffers waits here: no more than all frames are out. */
static inline uint16_t room(const struct replay_queue *q, uint16_t cnt)
{
	const struct returned *returned = q->pool->pool_data;
	uint64_t back = atomic_load_explicit(&returned->cnt, memory_order_acquire);
	uint64_t in = q->cnt - (q->handed - back);

	return in < cnt ? (uint16_t)in : cnt;
}

static inline void fetch(const struct replay_queue *q, uint32_t at, bool data)
{
	uint8_t *mbuf = (uint8_t *)q->slots[at + AHEAD].mbuf;

	__builtin_prefetch(mbuf, 1);
	if (data)
		__builtin_prefetch(mbuf + q->data_at, 1);
}

/* What a driver writes of a packet buffer when a frame has come into it. */
static inline struct rte_mbuf *arm(const struct replay_queue *q, const struct replay_slot *slot)
{
	struct rte_mbuf *mbuf = slot->mbuf;

	memcpy(&mbuf->rearm_data, &q->rearm, sizeof(q->rearm));
	mbuf->ol_flags = 0;
	mbuf->packet_type = 0;
	mbuf->pkt_len = slot->len;
	mbuf->data_len = (uint16_t)slot->len;
	mbuf->vlan_tci = 0;
	mbuf->hash.rss = 0;
	return mbuf;
}

static inline uint32_t mask_of(uint32_t number)
{
	return htonl(number * SPREAD & MASK_BITS);
}

/* The same to both addresses, so that both directions stay one connection. */
static inline void turn(uint8_t *data, const struct replay_slot *slot, uint32_t delta)
{
	uint32_t src, dst;

	memcpy(&src, data + slot->src_at, 4);
	memcpy(&dst, data + slot->dst_at, 4);
	src ^= delta;
	dst ^= delta;
	memcpy(data + slot->src_at, &src, 4);
	memcpy(data + slot->dst_at, &dst, 4);
}

#endif
