/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdio.h>

#include "crew.h"
#include "et_source.h"
#include "options.h"

/* What the reader itself counted. */
struct reading {
	struct et_source_state state;
	struct tallies tallies;
	int64_t first_ns, last_ns; /* of the frames; no meaning without frames */
	int64_t clock_ns;
};

/*
 * Opens what will be written, so that a mistake shows before hours of reading. *sessions is where
 * the session records go, NULL if nobody wants them. 0, or 2 after a sentence on standard error.
 */
int answer_prepare(const struct options *options, FILE **sessions);

/*
 * Joins what the workers found and writes all that was asked for; closes `sessions`. 0, or 2 after
 * a sentence on standard error. The crew's workers are used up.
 */
int answer(
	const struct options *options, struct crew *crew, struct reading *reading, FILE *sessions);

#endif
