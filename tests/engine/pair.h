/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PAIR_H
#define PAIR_H

/*
 * A worker that feeds rings beside one that keeps: both get the same segments, and the end of a
 * test asks whether they tell the same.
 */

#include "script.h"

#define SESSIONS 128
#define MARKS    64

/* One outlet, its ring, and what came out at the other end. */
struct pipe {
	struct et_ring *writer, *reader;
	struct et_books books;
	struct et_feed_outlet *outlet;
	struct et_feed_inlet *inlet;
	struct et_session sessions[SESSIONS];
	struct et_feed_mark marks[MARKS];
	size_t stretch[SESSIONS]; /* marks that stood before the session */
	size_t sessions_cnt, marks_cnt;
};

/* A worker that feeds, and one that keeps. Both get the same. */
struct pair {
	struct script *script;
	struct worker *feeds, *keeps;
	struct pipe all, closed; /* records as decided; records as ended */
	unsigned completed;
};

/*
 * records: connections that may be open at a time; 0: no closed records are asked for. Fails the
 * test when something is missing.
 */
struct pair *pair_new(uint32_t records, uint32_t flows);
void pair_free(struct pair *pair);

/* Gives both what the script has said since. */
void pair_give(struct pair *pair);
void pair_idle(struct pair *pair, int64_t clock_ns);
/* Reads what was fed so far. */
void pair_drain(struct pipe *pipe);

/*
 * The end for both, at the script's time. Asserts what holds for the marks of any ring, and that
 * their counts add up to those that were kept.
 */
void pair_finish(struct pair *pair);

/*
 * Asserts that each record that was kept was fed to this pipe, too. grown: and that it is as it
 * was at the end; otherwise as its connection was when it was decided.
 */
void pair_compare(struct pair *pair, struct pipe *fed, bool grown);

#define PAIR_WORKERS 3 /* what the caller of the worker has added to its marks */

#endif
