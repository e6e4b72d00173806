/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORIES_JSON_H
#define STORIES_JSON_H

/*
 * The rows of the state file of stories.h. Made by us, but read like anything that lies in a
 * folder: what cannot be is refused.
 */

#include "et_story.h"

struct json_t;

struct stories_head {
	const char *sensor; /* written, not read */
	uint64_t number, cases;
	int64_t minute_ns; /* of the file that this is the state behind */
};

/* NULL when memory is short. */
struct json_t *stories_head_row(const struct stories_head *head);
struct json_t *stories_case_row(const struct et_story_case *known);

/* False: it is no such row. NULL is allowed. et_story_restore checks what is left to check. */
bool stories_head_read(struct stories_head *out, struct json_t *row);
bool stories_case_read(struct et_story_case *out, struct json_t *row);

#endif
