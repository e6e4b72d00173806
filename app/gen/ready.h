/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_READY_H
#define GEN_READY_H

/* What both programs do before the first packet and after the last: what they are told of a profile,
 * and what they tell. */

#include "run.h"

struct gen_ready {
	struct gen_profile profile;
	struct gen_scripts scripts;
};

/* Loads the profile and plays its scripts. 0, or an exit code: then it has been said why.
 * gen_ready_free() is due in both cases. */
int gen_ready_make(struct gen_ready *out, const char *path, uint64_t seed);
void gen_ready_free(struct gen_ready *ready);

/* The value of --seed. False: it is none, which has been said. */
bool gen_ready_seed(uint64_t *seed, const char *text);

/* The summary of what was made. */
void gen_ready_sum_up(
	const struct gen_run *run, uint64_t took_ns, uint64_t packets, uint64_t bytes);

#endif
