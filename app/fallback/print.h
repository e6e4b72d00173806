/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRINT_H
#define PRINT_H

#include "answer_inputs.h"
#include "tales.h"

/* All that the answer is printed from. */
struct answer {
	const struct answer_options *options;
	const struct et_archive *archive;
	const struct tales *tales;
	struct et_archive_totals totals;
	int64_t until_ns; /* the end of the newest minute: what is open was so then */
};

/* 0, -ENOMEM or -EIO. */
int print_text(const struct answer *answer, FILE *out);
int print_json(const struct answer *answer, FILE *out);

/* Upper bounds of the buckets of delays, the last one has none; and "up to 10 s". */
#define DELAY_BUCKETS 10
extern const int64_t delay_bounds_s[DELAY_BUCKETS - 1];
extern const char *const delay_names[DELAY_BUCKETS];
/* How many stories each bucket has. */
void delay_histogram(
	uint64_t out[static DELAY_BUCKETS], const struct tale_delay *delays, size_t cnt);

#endif
