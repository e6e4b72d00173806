/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

/*
 * A worker takes bursts of segments, follows their connections and leaves records. It shares
 * nothing with other workers but what is read only (ports, the compiled patterns).
 *
 * The caller sees to it that both directions of a connection come to one worker, in the order of
 * the capture. All functions of one worker are called by one thread at a time.
 */

#include "et_conn.h"
#include "et_session.h"

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

/* What happened in one minute of the capture. */
struct tally {
	int64_t minute_ns;
	uint64_t frames, bytes; /* counted by the reader; bytes on the wire */
	uint64_t flows;         /* connections begun */
	struct et_order_counts order;
	uint64_t drops[ET_DROP_MAX];
};

/* Tallies by minute, sorted. */
struct tallies {
	struct tally *v;
	size_t cnt, cap;
};
/* The tally of the minute that holds ts_ns, made if need be; NULL when memory is short. */
struct tally *tallies_at(struct tallies *tallies, int64_t ts_ns);
int tallies_merge(struct tallies *to, const struct tallies *from);
void tally_add(struct tally *to, const struct tally *from);

struct worker_limits {
	uint32_t flows;     /* connections in the table */
	uint32_t undecided; /* of these, connections that are parsed */
	uint32_t hold_blocks;
	size_t message_bytes; /* for handshake messages split over segments */
	uint32_t dict_entries;
	size_t dict_bytes;
};

struct worker;

/* NULL when memory is short. hash_seed: of the parcels' hashes. */
struct worker *worker_new(const struct worker_limits *limits, const struct et_match_db *db,
	const struct et_ports *ports, uint64_t hash_seed);
void worker_free(struct worker *worker);

void worker_burst(struct worker *worker, const struct parcel *parcels, unsigned cnt);

/* The end of the input at clock_ns: every connection ends. */
void worker_finish(struct worker *worker, int64_t clock_ns);

/* After worker_finish: the records in no particular order, until worker_free. */
struct et_session *worker_records(struct worker *worker, size_t *cnt);
const struct et_books *worker_books(const struct worker *worker);
const struct tallies *worker_tallies(const struct worker *worker);
bool worker_out_of_memory(const struct worker *worker);

#endif
