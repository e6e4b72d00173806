/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHOW_H
#define SHOW_H

/* The engine's counters for people (standard error) and for rte_telemetry. The main thread. */

#include "loop.h"

struct show {
	struct engine *engine;
	int64_t begin_ns, last_ns; /* CLOCK_MONOTONIC */
	struct et_feed_mark last;  /* sums at last_ns */
	uint64_t last_busy, last_all;
};

void show_begin(struct show *show, struct engine *engine);
/* One line: rates since the last one. */
void show_line(struct show *show);
/* Everything that was counted, at the end. */
void show_all(const struct show *show);

/* Registers /ehlotap/info, /ehlotap/workers, /ehlotap/ports and /ehlotap/drops. 0 or -errno. */
int show_telemetry(struct show *show);

#endif
