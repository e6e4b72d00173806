/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEDGER_H
#define LEDGER_H

/*
 * Where a worker writes down what it found: records of connections, and counts by minute.
 *
 * A ledger that *keeps* holds all of it until the end of the input. One that *feeds* gives each
 * record to an outlet when it is decided and a mark at each minute's end, and holds a record only
 * while its connection is open and only if closed records are asked for. Feeding never waits and
 * never allocates. One thread.
 */

#include "et_conn.h"
#include "et_feed.h"

/* What happened in one minute of the capture. */
struct tally {
	int64_t minute_ns;
	uint64_t frames, bytes; /* counted by the reader; bytes on the wire */
	uint64_t flows;         /* connections begun */
	uint64_t aged;          /* connections that ended by silence */
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

/* Of a ledger that feeds. The outlets are not owned. */
struct ledger_feed {
	struct et_feed_outlet *outlet; /* NULL: the ledger keeps */
	struct et_feed_outlet *closed; /* for records of connections that have ended; NULL: none */
	uint32_t records; /* connections that may be open at a time, if closed is set */
	/* Adds to the mark what the worker does not count itself. */
	void (*complete)(void *ctx, struct et_feed_mark *mark);
	void *ctx;
};

struct ledger {
	struct tally now;           /* counts of the minute in progress, not yet written down */
	struct et_session *records; /* kept ones, or those of open connections */
	struct et_session scratch;  /* one that is fed and forgotten */
	size_t cnt, max;            /* of records */
	uint32_t *spare;            /* feeding: free places in records, below spare_cnt */
	uint32_t spare_cnt;
	struct tallies tallies;                     /* keeping */
	bool counting;                              /* the minute below is one */
	int64_t begin_ns, minute_ns, minute_end_ns; /* of what is counted in now */
	struct ledger_feed feed;
	bool out_of_memory;
};

/* feed NULL: a ledger that keeps. 0 or -ENOMEM. */
int ledger_init(struct ledger *ledger, const struct ledger_feed *feed);
void ledger_free(struct ledger *ledger);

/* For ledger_minute. */
void ledger_turn(struct ledger *ledger, int64_t ts_ns);

/*
 * What is counted from here on belongs to the minute of ts_ns. A ledger that feeds has told its
 * minutes once and for all: it takes a time before the current one as now.
 */
static inline void ledger_minute(struct ledger *ledger, int64_t ts_ns)
{
	if (et_unlikely(ts_ns < ledger->minute_ns || ts_ns > ledger->minute_end_ns))
		ledger_turn(ledger, ts_ns);
}

/* A place for a record, which ledger_add or ledger_drop must follow; NULL: none is free. */
struct et_session *ledger_place(struct ledger *ledger);
void ledger_drop(struct ledger *ledger, struct et_session *record);
/* The record is complete but for what its connection still counts. Its number, for ledger_close. */
uint32_t ledger_add(struct ledger *ledger, struct et_session *record, const struct et_flow *flow);
/* The connection of that record has ended. */
void ledger_close(struct ledger *ledger, uint32_t number, const struct et_flow *flow);

/* What is counted of the minute in progress up to end_ns, as its mark will tell it. */
void ledger_mark(const struct ledger *ledger, struct et_feed_mark *out, int64_t end_ns);

/* The end at clock_ns: writes the counts of the last minute down. */
void ledger_finish(struct ledger *ledger, int64_t clock_ns);

#endif
