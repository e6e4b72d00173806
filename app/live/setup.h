/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SETUP_H
#define SETUP_H

/* From the configuration to loops that are ready to run, and back. The main thread. */

#include "loop.h"

/* Opens ports and loops; true when all of them wait for engine->go. Says what went wrong. */
bool setup_open(struct engine *engine);
/* Stops the loops if they run and waits for them; frames are read no more from here on. */
void setup_stop(struct engine *engine);
/* Frees all of it; after setup_stop. */
void setup_close(struct engine *engine);

/* Rings that a crash has left and no exporter has drained: all but the newest few are deleted. */
void setup_sweep(const char *sensor);

/* One line on standard error. */
void setup_say(void *ctx, const char *sentence);

#endif
