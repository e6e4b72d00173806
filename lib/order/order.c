/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_order.h"

#include <stdlib.h>
#include <string.h>

#include "et_packet.h"

/* Held segments at which a hole is given up; the rest is room for one long segment. */
#define HELD_ENOUGH (ET_ORDER_HELD - 4)

struct et_order_pool {
	uint8_t *blocks;
	uint32_t max, used; /* blocks; how many were ever taken */
	uint32_t free; /* head of the free list, index + 1; the next one is in the block itself */
	uint8_t out
		[ET_ORDER_BLOCK]; /* the piece handed out last, so that its block is free again */
};

struct et_order_pool *et_order_pool_new(uint32_t max_blocks)
{
	struct et_order_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->max = max_blocks;
	pool->blocks = et_area_new((size_t)max_blocks * ET_ORDER_BLOCK);
	if (!pool->blocks) {
		free(pool);
		return NULL;
	}
	return pool;
}

void et_order_pool_free(struct et_order_pool *pool)
{
	if (!pool)
		return;
	et_area_free(pool->blocks, (size_t)pool->max * ET_ORDER_BLOCK);
	free(pool);
}

static uint8_t *block_at(struct et_order_pool *pool, uint32_t block)
{
	return pool->blocks + (size_t)(block - 1) * ET_ORDER_BLOCK;
}

static void block_put(struct et_order_pool *pool, uint32_t block)
{
	memcpy(block_at(pool, block), &pool->free, sizeof(pool->free));
	pool->free = block;
}

/* 0 when the pool is used up. */
static uint32_t block_get(struct et_order_pool *pool)
{
	uint32_t block = pool->free;

	if (!block)
		return pool->used < pool->max ? ++pool->used : 0;
	memcpy(&pool->free, block_at(pool, block), sizeof(pool->free));
	return block;
}

void et_order_syn(struct et_order *order, uint32_t seq)
{
	order->next = seq + 1;
	order->begun = true;
	order->guessed = false;
}

bool et_order_is_early(const struct et_order *order, const struct et_segment *segment)
{
	/* one byte in front of all others is a keep-alive: RFC 9293 3.8.4 */
	return order->guessed && segment->len > 1 && (int32_t)(segment->seq - order->first) < 0;
}

/* Bytes of a segment by which a copy is told from another one; a copy that differs does so early. */
#define COMPARED 128

/* A mirror's copy follows its original at once; the fastest retransmission takes longer. */
#define COPY_MS 3

/*
 * Compares a segment with the last few, counts what it repeats and remembers it; seq is that of its
 * first byte, one more than the segment's own if that is a SYN. A copy made by the
 * mirror has the same IP identification; a retransmission has a new one. Where there is none
 * (IPv6, or 0) the time between the two tells.
 */
static void note(struct et_order *order, struct et_order_counts *counts,
	const struct et_segment *segment, uint32_t seq, int64_t ts_ns)
{
	struct et_recent now = { .seq = seq,
		.len = (uint16_t)segment->len,
		.ip_id = segment->ip_id,
		.ts_ms = (uint32_t)(ts_ns / 1000000),
		.hash = (uint32_t)et_hash(segment->payload.p,
			segment->payload.n < COMPARED ? segment->payload.n : COMPARED, 0) };

	for (unsigned i = 0; i < ET_ORDER_RECENT; i++) {
		const struct et_recent *r = &order->recent[i];

		if (r->len != now.len || r->seq != now.seq)
			continue;
		if (r->hash != now.hash)
			counts->conflicts++;
		else if (r->ip_id == now.ip_id &&
			 (now.ip_id != 0 || now.ts_ms - r->ts_ms < COPY_MS))
			counts->duplicates++;
		else
			counts->retransmissions++;
		return;
	}
	if ((int32_t)(now.seq - order->next) < 0)
		counts->retransmissions++;
	order->recent[order->recent_at] = now;
	order->recent_at = (uint8_t)((order->recent_at + 1) % ET_ORDER_RECENT);
}

/* Drops `old` bytes from the front of what is to be delivered. */
static void trim(struct et_view *bytes, uint32_t *cut, uint32_t old)
{
	if (old <= bytes->n) {
		bytes->p += old;
		bytes->n -= old;
	} else {
		*cut -= old - (uint32_t)bytes->n;
		bytes->n = 0;
	}
}

static void remove_held(struct et_order *order, unsigned i)
{
	order->held_cnt--;
	memmove(&order->held[i], &order->held[i + 1],
		(order->held_cnt - i) * sizeof(order->held[0]));
}

static uint32_t held_end(const struct et_held *held)
{
	return held->seq + held->n + held->cut;
}

/*
 * The first of n bytes from seq on that are not held: the earlier copy stays. Returns how many are
 * held before them. *n becomes their number, 0 if there are none; *at is their place among the held.
 */
static uint32_t find_new(const struct et_order *order, unsigned *at, uint32_t *n, uint32_t seq)
{
	uint32_t passed = 0;

	for (*at = 0; *at < order->held_cnt; (*at)++) {
		const struct et_held *held = &order->held[*at];

		if ((int32_t)(seq + passed - held->seq) < 0)
			break;
		if ((int32_t)(held_end(held) - seq - passed) > 0)
			passed = held_end(held) - seq;
		if (passed >= *n) {
			passed = *n;
			break;
		}
	}
	*n -= passed;
	if (*at < order->held_cnt && order->held[*at].seq - seq - passed < *n)
		*n = order->held[*at].seq - seq - passed;
	return passed;
}

/* Keeps bytes, and the note of cut ones behind them, in one block. False when there is no room. */
static bool store(struct et_order *order, struct et_order_env *env, unsigned at, uint32_t seq,
	struct et_view bytes, uint32_t cut)
{
	uint32_t block;

	if (order->held_cnt == ET_ORDER_HELD || (block = block_get(env->pool)) == 0)
		return false;
	memcpy(block_at(env->pool, block), bytes.p, bytes.n);
	memmove(&order->held[at + 1], &order->held[at],
		(order->held_cnt - at) * sizeof(order->held[0]));
	order->held[at] = (struct et_held){
		.seq = seq, .n = (uint16_t)bytes.n, .cut = (uint16_t)cut, .block = block
	};
	order->held_cnt++;
	return true;
}

/* Keeps what is new of a segment; false, counted, when there is no room for all of it. */
static bool hold(struct et_order *order, struct et_order_env *env, uint32_t seq,
	struct et_view bytes, uint32_t cut)
{
	while (bytes.n + cut > 0) {
		uint32_t n = (uint32_t)bytes.n + cut, part_cut = 0;
		unsigned at;
		uint32_t passed = find_new(order, &at, &n, seq);
		struct et_view part;

		trim(&bytes, &cut, passed);
		seq += passed;
		if (n == 0)
			break;
		part = (struct et_view){ bytes.p, n < bytes.n ? n : bytes.n };
		if (part.n > ET_ORDER_BLOCK)
			part.n = ET_ORDER_BLOCK;
		if (part.n == bytes.n)
			part_cut = n - (uint32_t)part.n < UINT16_MAX ? n - (uint32_t)part.n
								     : UINT16_MAX;
		if (!store(order, env, at, seq, part, part_cut)) {
			env->drops[ET_DROP_TCP_HOLD]++;
			return false;
		}
		trim(&bytes, &cut, (uint32_t)part.n + part_cut);
		seq += (uint32_t)part.n + part_cut;
	}
	return true;
}

/* Bytes in front of `seq` are given up. */
static uint32_t give_up(struct et_order *order, struct et_order_env *env, uint32_t seq)
{
	uint32_t gap = seq - order->next;

	order->gaps++;
	env->counts->gaps++;
	env->counts->gap_bytes += gap;
	order->next = seq;
	return gap;
}

bool et_order_push(struct et_order *order, struct et_order_env *env, struct et_piece *piece,
	const struct et_segment *segment, int64_t ts_ns)
{
	struct et_view bytes = segment->payload;
	uint32_t cut = segment->len - (uint32_t)bytes.n;
	uint32_t seq = segment->seq + ((segment->flags & ET_TCP_SYN) != 0);
	uint32_t ahead;

	if (et_unlikely(!order->begun)) {
		order->next = order->first = seq;
		order->begun = order->guessed = true;
	}
	note(order, env->counts, segment, seq, ts_ns);
	ahead = seq - order->next;
	if ((int32_t)ahead < 0) {
		uint32_t old = order->next - seq;

		if (old >= segment->len)
			return false;
		env->counts->overlaps++;
		trim(&bytes, &cut, old);
		seq += old;
		ahead = 0;
	}
	if (et_unlikely(ahead > ET_ORDER_AHEAD)) {
		env->drops[ET_DROP_TCP_WINDOW]++;
		return false;
	}
	if (ahead > 0) {
		env->counts->out_of_order++;
		if (hold(order, env, seq, bytes, cut) && order->held_cnt < HELD_ENOUGH)
			return false;
		/* Enough was held: the hole will not be filled. What found no room at all is lost
		 * as if the mirror had dropped it. */
		return et_order_next(order, env, piece, true);
	}
	*piece = (struct et_piece){ .bytes = bytes, .cut = cut };
	order->next = seq + (uint32_t)bytes.n + cut;
	return true;
}

bool et_order_next(
	struct et_order *order, struct et_order_env *env, struct et_piece *piece, bool flush)
{
	while (order->held_cnt > 0) {
		struct et_held held = order->held[0];
		uint32_t cut = held.cut, gap = 0;
		struct et_view bytes;

		if ((int32_t)(held.seq - order->next) > 0) {
			if (!flush)
				return false;
			gap = give_up(order, env, held.seq);
		}
		bytes = (struct et_view){ block_at(env->pool, held.block), held.n };
		remove_held(order, 0);
		if ((int32_t)(held_end(&held) - order->next) <= 0) {
			block_put(env->pool, held.block); /* overtaken by a later segment */
			continue;
		}
		trim(&bytes, &cut, order->next - held.seq);
		memcpy(env->pool->out, bytes.p, bytes.n);
		bytes.p = env->pool->out;
		block_put(env->pool, held.block);
		order->next = held_end(&held);
		*piece = (struct et_piece){ .gap = gap, .bytes = bytes, .cut = cut };
		return true;
	}
	return false;
}

void et_order_done(struct et_order *order, struct et_order_env *env)
{
	while (order->held_cnt > 0)
		block_put(env->pool, order->held[--order->held_cnt].block);
}
