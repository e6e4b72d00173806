/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_H
#define ET_STATS_H

/*
 * stats: what is written for other programs, as JSON Lines: session records and minute files.
 *
 * A *run* is everything that one reading gave: sorted sessions, their books, what policy says of
 * them. A *writer* turns it into rows; it keeps the JSON of hellos and certificates, which recur.
 * The same run gives the same bytes, whatever the order in which ids were given out.
 *
 * Texts from the wire are made safe (et_text_safe) and cut to 1023 bytes before they are written.
 * What could not be known is null.
 *
 * The caller owns all inputs, which must outlive the writer. One thread.
 */

#include <stdio.h>

#include "et_peer.h"

struct json_t; /* of jansson */

struct et_stats_run {
	const struct et_books *books;
	const struct et_policy *policy;
	const struct et_session *sessions; /* in the order of et_session_cmp */
	size_t cnt;
	const char *sensor; /* et_stats_sensor_ok */
	const struct et_peer_net *gateways;
	size_t gateways_cnt;
};

/*
 * A sensor's name is a part of file names: 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front.
 */
bool et_stats_sensor_ok(const char *sensor);

/* Counts all sessions of the run into the table, et_peer_refused tells if it was too small. */
void et_stats_count(struct et_peer_table *table, const struct et_stats_run *run);

struct et_stats_writer;
/* NULL when memory is short. The run must outlive the writer. */
struct et_stats_writer *et_stats_writer_new(const struct et_stats_run *run);
void et_stats_writer_free(struct et_stats_writer *writer); /* NULL is allowed */

/* Writes the record of sessions[i] as one line. 0, -ENOMEM, or -EIO: see errno and ferror(out). */
int et_stats_session(struct et_stats_writer *writer, FILE *out, size_t i);

/*
 * The peer row of a minute file as an object; the caller gives it back with json_decref. NULL when
 * memory is short. All counters of et_peer_count_name; maps with their names sorted; beyond the
 * maps of RECORDS "version_ciphers" ("TLSv1.2 TLS_RSA_WITH_AES_128_CBC_SHA") and those behind it,
 * which docs/records.md lists. An alert whose code
 * cannot be read counts as "client:encrypted". "handshake_ms" maps the upper bound of a bucket in
 * milliseconds ("0.1" ... "60000", "inf"; et_peer_bucket_name) to its count, empty ones left out.
 * Made for a few rows: minute files are written without an object for each.
 */
struct json_t *et_stats_peer_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer);

/*
 * What the capture saw, of a minute or of a whole run. ET_STATS_NULL is written as null: not
 * known, or not a thing of this source (a file has no NIC). id, key.
 */
#define ET_STATS_NULL INT64_C(-1)
#define ET_STATS_COUNTS(X)                                  \
	X(packets)                                          \
	X(bytes)      /* on the wire */                     \
	X(imissed)    /* NIC: no descriptor was free */     \
	X(ierrors)    /* NIC: damaged */                    \
	X(rx_nombuf)  /* NIC: no mbuf was free */           \
	X(duplicates) /* the same packet delivered twice */ \
	X(gaps)       /* holes in what decides */           \
	X(flows_open)                                       \
	X(flows_new)                                        \
	X(flows_aged)                                       \
	X(flows_evicted)                                    \
	X(ring_lost)  /* rows that found a ring full */     \
	X(table_lost) /* counts that found a table full */  \
	X(cores)      /* offline null: results do not depend on the number of workers */

struct et_stats_capture {
#define X(id) int64_t id;
	ET_STATS_COUNTS(X)
#undef X
	double seconds;             /* covered; negative: not known */
	int64_t drops[ET_DROP_MAX]; /* reasons that are 0 or not known are left out */
};
/* Every field ET_STATS_NULL. */
void et_stats_capture_init(struct et_stats_capture *capture);
/* As an object with the keys above, "seconds" and "drops". NULL when memory is short. */
struct json_t *et_stats_capture_json(const struct et_stats_capture *capture);

/* "<sensor>-20261122T1031Z.jsonl" */
#define ET_STATS_NAME 96
void et_stats_minute_name(char out[static ET_STATS_NAME], const char *sensor, int64_t minute_ns);

/*
 * Tells the stories of session i, with its cause and the id of its hello; sessions come in the
 * order of et_story_cmp. 0 or -ENOMEM.
 */
int et_stats_follow(struct et_stats_writer *writer, struct et_fallback *out,
	struct et_story_table *stories, size_t i);

/* The stories of a minute: its fallback rows, and "stories" of the minute row. */
struct et_stats_stories {
	const struct et_story *rows; /* of et_story_minute */
	size_t cnt;
	uint32_t open;    /* at the minute's end */
	uint64_t dropped; /* in this minute */
	uint64_t state;   /* number of the exporter's state behind this file; 0: there is none */
};

/* One minute file, from a table that the caller has filled. */
struct et_stats_file {
	const char *dir;   /* for the sentence */
	int dir_fd;        /* the open folder */
	int64_t minute_ns; /* et_time_minute */
	const struct et_stats_capture *capture;
	struct json_t *members;                 /* more members of the minute row; NULL: none */
	struct et_peer_table *table;            /* of sessions of the run's books; gets sorted */
	const struct et_stats_stories *stories; /* NULL: none are followed */
	int zstd_level; /* 0: plain; else compressed, and ".zst" behind the name */
	bool keep;      /* a file of that name stays as it is: -EEXIST */
};

#define ET_STATS_ERROR 512

/*
 * Writes the file under a temporary name ("." name "." pid ".tmp"), syncs it and renames it; the
 * caller syncs the folder. `keep` holds against other processes too where the file system has
 * renameat2(2). 0; otherwise -errno with a sentence that names the file, and no trace is left.
 */
int et_stats_file(struct et_stats_writer *writer, char error[static ET_STATS_ERROR],
	const struct et_stats_file *file);

struct et_stats_minute {
	int64_t minute_ns; /* et_time_minute */
	struct et_stats_capture capture;
};

/*
 * Writes the minute files of the run into the folder dir: each minute that is among minutes[]
 * (sorted, each once) or in which a session was decided, and those between, also if nothing was
 * in them; but a hole longer than ET_STATS_HOLE_MAX minutes is left unfilled, since two time stamps
 * must not make millions of files. A file that is there already is replaced. `end.rows` counts
 * the rows before it.
 *
 * 0; otherwise -errno, and error holds a sentence that names the file. What was renamed stays.
 */
#define ET_STATS_HOLE_MAX 1440
int et_stats_minutes(struct et_stats_writer *writer, char error[static ET_STATS_ERROR],
	const char *dir, const struct et_stats_minute *minutes, size_t cnt);

#endif
