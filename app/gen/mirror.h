/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_MIRROR_H
#define GEN_MIRROR_H

/*
 * The mirror port between the traffic and the sink: it loses packets, delivers some late and some
 * twice, as the profile says. What is late waits in a heap by time.
 */

#include "profile.h"
#include "rng.h"
#include "sink.h"

/* What came out of the mirror of one session. */
struct gen_seen {
	uint64_t first_ns, last_ns; /* 0: nothing yet */
	uint64_t copies[2];
	bool touched; /* a packet was lost */
	bool spared;  /* none of it may be lost */
};

struct gen_mirror;

/* NULL when memory is short. */
struct gen_mirror *gen_mirror_new(
	const struct gen_profile *profile, uint64_t seed, struct gen_sink *sink, uint64_t step_ns);
void gen_mirror_free(struct gen_mirror *mirror);

/* A frame that was sent at its ts_ns, not before any earlier one. *out_ns: when it comes out of the
 * mirror. 0 or -errno. */
int gen_mirror_send(struct gen_mirror *mirror, struct gen_seen *seen, uint64_t *out_ns,
	const struct gen_frame *frame);

/* Lets all out that waits. 0 or -errno. */
int gen_mirror_flush(struct gen_mirror *mirror);

#endif
