/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROW_H
#define ROW_H

#include "tales.h"

/* Reads a fallback row. False: it cannot be believed, or its texts find no room. */
bool row_read(
	struct tale *out, struct et_dict *texts, const char *sensor, const struct json_t *row);

#endif
