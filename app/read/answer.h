/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_H
#define ANSWER_H

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
 * Joins what the workers found and writes all that was asked for. 0, or 2 after a sentence on
 * standard error. The crew's workers are used up.
 */
int answer(const struct options *options, struct crew *crew, struct reading *reading);

#endif
