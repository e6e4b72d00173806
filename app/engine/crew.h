/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CREW_H
#define CREW_H

/*
 * A crew is the workers of one run over captures, and the spreading of segments among them by the
 * symmetric hash of the flow. With one worker everything happens in the caller's thread; with more,
 * each has a thread of its own and gets its segments, payload copied, in batches.
 *
 * The caller's thread calls all functions.
 */

#include "worker.h"

struct crew;

/* cnt >= 1. NULL when memory or threads are short. */
struct crew *crew_new(unsigned cnt, const struct worker_limits *limits,
	const struct et_match_db *db, const struct et_ports *ports, uint64_t hash_seed);
void crew_free(struct crew *crew);

/* Takes a segment; its payload is copied. May wait for a worker that lags behind. */
void crew_push(struct crew *crew, const struct parcel *parcel);

/* The end of the input: waits until all is read and every connection has ended. */
void crew_finish(struct crew *crew, int64_t clock_ns);

unsigned crew_cnt(const struct crew *crew);
struct worker *crew_worker(struct crew *crew, unsigned i);

#endif
