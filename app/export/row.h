/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROW_H
#define ROW_H

#include "bins.h"

struct json_t;

/* The capture object of a bin; null where no mark tells. refused: counts that had no room. */
void row_capture(struct et_stats_capture *capture, const struct bin *bin, uint64_t refused);

/* The members of the minute row that only an exporter can say. NULL when memory is short. */
struct json_t *row_members(const struct bin *bin, const struct lot *lots, size_t cnt);

#endif
