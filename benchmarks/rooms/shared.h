/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHARED_H
#define SHARED_H

/* A ring of its own, with both its ends in this process. Its file is gone at once. */

#include "bench.h"
#include "et_feed.h"

struct shared {
	struct et_ring *writer, *reader;
};

/* Ends the run if it cannot be had. */
void shared_open(struct shared *shared, const struct bench *bench, size_t bytes);
void shared_close(struct shared *shared);
/* Reads and gives back all that is there. */
void shared_drain(struct shared *shared);

#endif
