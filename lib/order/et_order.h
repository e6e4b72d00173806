/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ORDER_H
#define ET_ORDER_H

/*
 * TCP order, for one direction of a connection that is still undecided.
 *
 * Segments go in as they arrive; bytes come out in sequence, each once, as pieces. A segment that
 * is early is held in blocks from a pool of the worker; a segment that is late, whole or in part,
 * is cut to what is new. When the hold is full, or the caller says that nothing more will come,
 * the hole in front of the held bytes is given up: the next piece names how many bytes are missing.
 * First come, first served: bytes that were delivered stay as they are (RFC 9293 leaves open which
 * of two copies a receiver believes). A copy that differs is counted if it begins and ends like one
 * of the last few segments.
 *
 * Sequence numbers are compared modulo 2^32 (RFC 9293 3.4).
 */

#include "et_base.h"
#include "et_drop.h"

#define ET_ORDER_HELD   16   /* segments held for one direction */
#define ET_ORDER_BLOCK  2048 /* bytes in a block; longer segments take several */
#define ET_ORDER_RECENT 3    /* segments remembered to tell copies from retransmissions */
/* Farther ahead than any window in use (RFC 7323 2.2 allows 2^30): not of this connection. */
#define ET_ORDER_AHEAD (1u << 25)

struct et_order_pool;
/* max_blocks >= 1 blocks, an area (et_area_new). NULL: no memory. */
struct et_order_pool *et_order_pool_new(uint32_t max_blocks);
void et_order_pool_free(struct et_order_pool *pool);

/* Counters of one worker. */
struct et_order_counts {
	uint64_t duplicates; /* the same packet again: a mirror's second copy */
	uint64_t retransmissions;
	uint64_t out_of_order;
	uint64_t overlaps;  /* segments partly old and partly new */
	uint64_t conflicts; /* a recent segment again, with other bytes */
	uint64_t gaps;      /* holes given up */
	uint64_t gap_bytes;
};

struct et_order_env {
	struct et_order_pool *pool;
	struct et_order_counts *counts; /* the caller's */
	uint64_t *drops;                /* [ET_DROP_MAX] */
};

/*
 * One direction. Private to order.c, public for its size. All zero at its begin. What every segment
 * touches is in the first cache line.
 */
struct et_order {
	uint32_t next;    /* sequence number of the next byte to deliver */
	bool begun;       /* next is valid */
	uint8_t held_cnt; /* held segments, sorted by seq, without overlap */
	uint8_t recent_at;
	bool guessed;  /* no SYN told where the direction begins: first is valid */
	uint32_t gaps; /* holes given up in this direction */
	uint32_t first;
	struct et_recent {
		uint32_t seq, hash, ts_ms;
		uint16_t len, ip_id;
	} recent[ET_ORDER_RECENT];
	struct et_held {
		uint32_t seq;
		uint16_t n;     /* bytes in the block */
		uint16_t cut;   /* bytes missing behind them: the capture's snap length */
		uint32_t block; /* index + 1 */
	} held[ET_ORDER_HELD];
} __attribute__((aligned(ET_CACHE_LINE)));

static_assert(offsetof(struct et_order, held) <= ET_CACHE_LINE, "hot part is one cache line");

/* What comes out: first `gap` bytes that are missing, then `bytes`, then `cut` more missing ones. */
struct et_piece {
	uint32_t gap;
	struct et_view bytes;
	uint32_t cut;
};

struct et_segment;

/* SYN: the first byte has the number seq + 1. */
void et_order_syn(struct et_order *order, uint32_t seq);

/*
 * Without SYN: whether the segment, which et_order_push took for old, brings bytes in front of the
 * first that were delivered. They are as good as lost.
 */
bool et_order_is_early(const struct et_order *order, const struct et_segment *segment);

/*
 * A segment with payload. True when piece is filled: deliver it, then call et_order_next until that
 * gives false. False: the segment was held or brought nothing new. piece.bytes point into the
 * segment. The first segment of a direction without SYN sets the beginning.
 */
bool et_order_push(struct et_order *order, struct et_order_env *env, struct et_piece *piece,
	const struct et_segment *segment, int64_t ts_ns);

/*
 * The next held piece that is due. With `flush` also those behind a hole, which is then given up.
 * piece.bytes are valid until the next call for this worker.
 */
bool et_order_next(
	struct et_order *order, struct et_order_env *env, struct et_piece *piece, bool flush);

/* Gives held blocks back; the direction is followed no longer. */
void et_order_done(struct et_order *order, struct et_order_env *env);

#endif
