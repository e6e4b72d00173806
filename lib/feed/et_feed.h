/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_FEED_H
#define ET_FEED_H

/*
 * feed: what a worker tells the exporter through its ring.
 *
 * The worker's end is an *outlet*, the reader's an *inlet*. Messages, in the order of the ring:
 *
 *   word     a name, ClientHello, ServerHello or certificate chain, with the id that records use.
 *            Told anew behind every mark for what is used there: each stretch between two marks
 *            can be read without anything before it, and old ones can be given back.
 *   session  the record of a connection, when its outcome is decided
 *   peer     sums of sessions whose own records found the ring full (see below)
 *   note     what the NICs say of themselves, as a JSON object; with the mark behind it
 *   mark     a minute of the worker's clock is over: all sessions decided in it stand before the
 *            mark; with the counters of that minute
 *
 * A full ring: a session that finds no room is added to the outlet's table of peers, and counted.
 * Nothing but its own record is lost: when there is room again, the sums go out as peers, in
 * slices. A part of the ring is kept free for marks; if even that is full, the counters wait and
 * go with the next mark. So the worker never waits, and no count is lost while the reader is away.
 */

#include "et_order.h"
#include "et_peer.h"
#include "et_ring.h"
#include "et_session.h"

/* For et_ring_options.layout and et_ring_attach: changes with every struct below. */
uint64_t et_feed_layout(void);

/*
 * Counters of one minute, or of several when marks found no room. Of the worker, but for the NIC's,
 * which worker 0 tells for all. Sums but where another thing is said. id, key in the minute row's
 * capture object where it is not that of et_stats.
 */
struct et_feed_mark {
	int64_t minute_ns;        /* et_time_minute; the last one if there are several */
	int64_t first_ns, end_ns; /* the time covered, both included: of the worker's clock */
	uint32_t minutes;         /* marks that this one stands for, >= 1 */
	uint32_t workers;         /* of this generation */
	uint64_t frames, bytes;
	uint64_t flows_new, flows_aged, flows_evicted;
	uint64_t flows_open, undecided_open; /* at the end */
	uint64_t folded;                     /* sessions that went as sums */
	uint64_t table_lost;                 /* counts that the table of sums had no room for */
	uint64_t lane_lost;                  /* frames that found this worker's lane full */
	uint64_t ring_used, ring_bytes;      /* at the end, and the ring's size */
	uint64_t imissed, ierrors, rx_nombuf;
	uint64_t busy_cycles, idle_cycles, cycles_per_s; /* the last: not a sum */
	struct et_order_counts order;
	uint64_t drops[ET_DROP_MAX];
};

/* Adds the counters of a later mark. */
void et_feed_mark_add(struct et_feed_mark *to, const struct et_feed_mark *from);

/* ---- worker ---- */

struct et_feed_outlet;

struct et_feed_outlet_options {
	const struct et_books *books; /* dictionaries of the worker, may be turning ones */
	unsigned mark; /* < ET_DICT_MARKS: of the dictionaries, which this outlet uses alone */
	uint32_t max_peers, max_cells; /* of the table of sums */
};

/*
 * NULL when memory is short: takes all that it will need, two tables of sums. The ring and the books
 * must outlive it. One thread.
 */
struct et_feed_outlet *et_feed_outlet_new(
	struct et_ring *ring, const struct et_feed_outlet_options *options);
void et_feed_outlet_free(struct et_feed_outlet *outlet); /* NULL is allowed */

/* Never waits, never allocates. */
void et_feed_session(struct et_feed_outlet *outlet, const struct et_session *session);
void et_feed_mark(struct et_feed_outlet *outlet, const struct et_feed_mark *mark);
/* A note for the mark that comes next; lost when there is no room. */
void et_feed_note(struct et_feed_outlet *outlet, struct et_view text);

/*
 * Does up to `budget` steps of what waits: sends sums of peers if there is room, clears the table
 * that is empty. To be called between bursts. True while there is more that could be done.
 */
bool et_feed_slice(struct et_feed_outlet *outlet, unsigned budget);

/*
 * Nothing comes any more: from here on sums may use what is kept free for marks, but for the last
 * one. Then et_feed_slice until it gives false: what is left is lost with the outlet.
 */
void et_feed_last(struct et_feed_outlet *outlet);

struct et_feed_counts {
	uint64_t sessions, folded, marks, marks_waiting;
	uint32_t peers_waiting;
	uint64_t sessions_waiting; /* of those folded, in sums that have not gone out */
};
void et_feed_counts(struct et_feed_counts *out, const struct et_feed_outlet *outlet);

/* ---- reader ---- */

enum et_feed_kind {
	ET_FEED_SESSION,
	ET_FEED_PEER,
	ET_FEED_NOTE,
	ET_FEED_MARK,
};

struct et_feed_item {
	uint64_t number; /* of the message in its ring */
	enum et_feed_kind kind;
	struct et_session session;         /* SESSION: ids of the inlet's books */
	struct et_feed_mark mark;          /* MARK */
	struct et_view note;               /* NOTE: until the next call; not checked to be JSON */
	const struct et_peer_table *peers; /* PEER: holds that one peer, ids of the inlet's books;
					      until the next call */
};

struct et_feed_inlet;

/*
 * Reads from the ring, at its first message that is not released. `books` take in the words that
 * items refer to; a word that was refused, or not told, is ET_DICT_NONE. NULL when memory is short.
 */
struct et_feed_inlet *et_feed_inlet_new(struct et_ring *ring, struct et_books *books);
void et_feed_inlet_free(struct et_feed_inlet *inlet); /* NULL is allowed; the ring stays */

/*
 * From here on other books take in the words. Only right at a mark: when the item read last was
 * one, or behind et_ring_rewind to such a place (then call this too).
 */
void et_feed_inlet_books(struct et_feed_inlet *inlet, struct et_books *books);

/*
 * The next item; false when the ring holds no more now. Messages that contradict themselves are
 * counted in *bad (may be NULL) and skipped.
 */
bool et_feed_read(struct et_feed_inlet *inlet, struct et_feed_item *item, uint64_t *bad);

#endif
