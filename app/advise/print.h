/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRINT_H
#define PRINT_H

#include "plan.h"

/* All that the answer is printed from. */
struct answer {
	const struct answer_options *options;
	const struct et_archive *archive;
	const struct plan_site *sites;
	size_t sites_cnt;
	struct plan_limit limit;
	uint64_t outbound; /* sessions that were left out since the other side is the server */
	struct et_archive_totals totals;
};

/* 0, -ENOMEM or -EIO. */
int print_text(const struct answer *answer, FILE *out);
int print_json(const struct answer *answer, FILE *out);

#endif
