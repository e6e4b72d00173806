/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_RUN_H
#define GEN_RUN_H

/* All sessions of a profile, their packets mixed by time, into a sink and a truth. */

#include "out.h"
#include "record.h"
#include "sink.h"

struct gen_run {
	const struct gen_profile *profile;
	const struct gen_scripts *scripts;
	uint64_t seed;
	uint64_t step_ns; /* of the sink's clock */
	struct gen_sink *sink;
	struct gen_out *truth; /* NULL: none is wanted */
	bool progress;         /* a line on standard error */
	/* what was made */
	uint64_t sessions, touched, last_ns, open_max;
};

/* 0 or -errno: -EIO where closing sink and truth tells more. */
int gen_run(struct gen_run *run);

#endif
