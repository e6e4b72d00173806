/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_WRITER_H
#define ET_STATS_WRITER_H

/* Private to the room: the writer, and the JSON of what sessions share. */

#include "et_stats.h"
#include "label.h"
#include "text.h"
#include "value.h"

/* One entry of a map. */
struct writer_pair {
	const struct label *label;
	uint64_t count;
};

struct et_stats_writer {
	struct et_stats_run run;
	/* by id of the books, NULL until asked for; index 0 is not used */
	json_t **hellos, **server_hellos, **chains;
	uint32_t hellos_cnt, server_hellos_cnt, chains_cnt;
	/* the peer row in hand, and the entries of its maps */
	struct text row;
	struct writer_pair *pairs;
	size_t pairs_cap;
	struct labels labels;
};

/*
 * Borrowed from the writer; NULL for an id that is not there, or when memory is short. "sni" of a
 * hello and "session_id_len" of a server_hello are null: they are the session's.
 */
json_t *writer_hello(struct et_stats_writer *writer, uint32_t id);
json_t *writer_server_hello(struct et_stats_writer *writer, uint32_t id);
/* The chain as an array of certificates; its first is the leaf. */
json_t *writer_chain(struct et_stats_writer *writer, uint32_t id);

/* The id in records: of the hello, and sha256 of the leaf; NULL if there is none. */
const char *writer_hello_id(struct et_stats_writer *writer, uint32_t id);
const char *writer_leaf_id(struct et_stats_writer *writer, uint32_t id);

/* The peer row as a line in writer->row, with labels of this table. False when memory is short. */
bool writer_peer_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer);

/* story_row.c: the fallback row of a story, and "stories" of the minute row. NULL: no memory. */
json_t *story_row(const struct et_stats_run *run, const struct et_story *story);
json_t *stories_json(const struct et_stats_stories *stories);

#endif
