/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SLOW_ROW_H
#define SLOW_ROW_H

#include <jansson.h>

#include "et_stats.h"

/* The peer row as a tree of JSON values: what the text that lib/stats puts together must equal. */
json_t *slow_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer);

#endif
