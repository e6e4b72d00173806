/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

/*
 * A worker takes bursts of segments, follows their connections and leaves records in its ledger. It
 * shares nothing with other workers but what is read only (ports, the compiled patterns).
 *
 * The caller sees to it that both directions of a connection come to one worker, in the order of
 * the capture. All functions of one worker are called by one thread at a time.
 */

#include "ledger.h"

#define BURST 64

/* A segment on its way to a worker, with all that was learnt of it before. */
struct parcel {
	struct et_segment segment;
	struct et_flow_key key;
	uint32_t side;
	uint64_t hash;
	uint64_t frame;   /* number in the capture */
	int64_t ts_ns;    /* of the frame */
	int64_t clock_ns; /* of the capture */
};

struct worker_limits {
	uint32_t flows;     /* connections in the table */
	uint32_t undecided; /* of these, connections that are parsed */
	uint32_t hold_blocks;
	size_t message_bytes; /* for handshake messages split over segments */
	uint32_t dict_entries;
	size_t dict_bytes; /* for names, hellos, chains: each; or as et_books_init_turning says */
	bool endless;      /* takes all memory at once, and its dictionaries turn */
};

struct worker;

/* NULL when memory is short. hash_seed: of the parcels' hashes. */
struct worker *worker_new(const struct worker_limits *limits, const struct et_match_db *db,
	const struct et_ports *ports, uint64_t hash_seed);
void worker_free(struct worker *worker);

/*
 * Makes the worker feed what it finds to outlets over worker_books(), from the first burst on. 0 or
 * -ENOMEM.
 */
int worker_feed(struct worker *worker, const struct ledger_feed *feed);

/*
 * Works on parcels[0..cnt), at most BURST. Who makes the parcels one by one pushes each as soon as
 * it is made, with its index, and drains when there are no more: then waiting for memory and making
 * parcels go on at the same time. A parcel stays as it is until then.
 */
void worker_burst(struct worker *worker, const struct parcel *parcels, unsigned cnt);
void worker_push(struct worker *worker, const struct parcel *parcels, unsigned i);
void worker_drain(struct worker *worker, const struct parcel *parcels, unsigned cnt);
/* To be called between bursts when none came: time goes on, old connections end. */
void worker_idle(struct worker *worker, int64_t clock_ns);

/* The counts of the minute in progress: what the caller counts itself is added there. */
struct tally *worker_now(struct worker *worker);
/* The same as they will stand in the next mark. */
void worker_mark(const struct worker *worker, struct et_feed_mark *out);

/*
 * From now on shed is called with a segment of each decided connection of which one side has sent
 * `bytes` bytes since its begin: all is known of it, and much may still come.
 */
void worker_shed(struct worker *worker, uint32_t bytes,
	void (*shed)(void *ctx, const struct et_segment *segment), void *ctx);

/* Connections in the table, and those of them that are parsed. */
uint32_t worker_flows(const struct worker *worker);
uint32_t worker_undecided(const struct worker *worker);

/* The end of the input at clock_ns: every connection ends. */
void worker_finish(struct worker *worker, int64_t clock_ns);

/* After worker_finish, unless it feeds: the records in no particular order, until worker_free. */
struct et_session *worker_records(struct worker *worker, size_t *cnt);
const struct et_books *worker_books(const struct worker *worker);
const struct tallies *worker_tallies(const struct worker *worker);
bool worker_out_of_memory(const struct worker *worker);

#endif
