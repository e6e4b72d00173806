/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRINT_H
#define PRINT_H

#include "study.h"

/* All that the answer is printed from. */
struct answer {
	const struct answer_options *options;
	const struct et_archive *archive;
	const struct study *study;
	const struct et_advice_setting *settings;
	size_t settings_cnt;
	struct et_archive_totals totals;
};

/* 0, -ENOMEM or -EIO. */
int print_text(const struct answer *answer, FILE *out);
int print_json(const struct answer *answer, FILE *out);

#endif
