/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SESSIONS_H
#define SESSIONS_H

/*
 * --sessions: one line per connection, written when it has ended, by a thread of its own. The lines
 * of a minute come together when that minute is over, since what happened in it explains them.
 */

#include "loop.h"

struct sessions;

/*
 * Opens the file and takes the loops' session rings; after the loops are open. NULL with a sentence
 * on standard error.
 */
struct sessions *sessions_start(const struct engine *engine);
/* The file was moved away: opens its name again. */
void sessions_reopen(struct sessions *sessions);
/* After the loops have ended: writes what is left. 0, or -1 if some could not be written. */
int sessions_end(struct sessions *sessions);

#endif
