/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORIES_H
#define STORIES_H

/*
 * What is known of clients whose TLS failed (et_story.h), over minutes and restarts. It is kept in
 * DIR/.ehlotap-SENSOR.stories, one line of JSON for each case, and goes with the minute files: the
 * number of the state behind a file stands in its minute row.
 *
 * A file and its state are two files, so they are written in four steps: the state behind the file
 * under the name `.next`, which says of what minute; the minute file; the rename of `.next` over
 * the state before it. Whoever comes after a kill finds `.next` and looks whether that minute's
 * file is there and names this state: then it holds, else it is deleted. So the state is always
 * the one behind the newest file that was written, and no session is told twice or not at all.
 *
 * One thread, one process: the folder's lock.
 */

#include "folder.h"

struct stories {
	struct et_story_table *table; /* NULL: not loaded */
	uint64_t number;              /* of the state on disk; 0: there is none */
	uint64_t dropped;             /* et_story_dropped_cnt at the end of the last file */
	enum { STORIES_SAVED, STORIES_WRITTEN, STORIES_PUBLISHED } step; /* of `.next` */
};

/* Loads the table if it is not. What is damaged is told on standard error, and the rest used. 0 or
 * -errno with a sentence. */
int stories_load(
	struct stories *stories, char error[static ET_STATS_ERROR], const struct folder *folder);
void stories_free(struct stories *stories);

/*
 * The sessions of a minute have been told: its rows and numbers into `out`, and the state on disk
 * under `.next`, if anything has changed. 0 or -errno with a sentence.
 */
int stories_write(struct stories *stories, struct et_stats_stories *out,
	char error[static ET_STATS_ERROR], const struct folder *folder, int64_t minute_ns);
/* The minute's file is there. If the rename fails, the next write tries it again. */
void stories_publish(struct stories *stories, const struct folder *folder);
/* The minute's file has not come about: all since the last one is forgotten. */
void stories_undo(struct stories *stories, const struct folder *folder);

#endif
