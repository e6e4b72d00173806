/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOOP_PARTS_H
#define LOOP_PARTS_H

/* The loop from inside: loop_open.c makes its memory, frames.c reads and spreads, loop.c runs. */

#include "loop.h"

/* One writer: a plain addition that other threads may watch. */
static inline void seen_add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_store_explicit(
		to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t seen_get(const _Atomic uint64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

/* On the loop's thread. False with a sentence in loop->error. */
bool loop_open(struct loop *loop);

/* Reads a burst and does what is to be done with it; how many frames there were. */
unsigned frames_read(struct loop *loop, int64_t now_ns);
/* The same with what others have passed into the loop's lane. */
unsigned frames_of_lane(struct loop *loop);

/* Adds to a mark what the worker does not count itself, since the mark before (ledger_feed). */
void loop_complete(void *loop, struct et_feed_mark *mark);

#endif
