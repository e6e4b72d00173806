/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEXT_H
#define TEXT_H

#include "day.h"

/* Prints a day as a table for people; from_ns: its time. 0, -ENOMEM or -EIO. */
int text_day(FILE *out, const struct day *day, const struct answer_options *options,
	int64_t from_ns, int64_t until_ns);

#endif
