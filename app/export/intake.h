/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INTAKE_H
#define INTAKE_H

/*
 * One ring on its way into minute files: what has been read of it and not yet been released, cut
 * into *stretches* by the marks. A stretch is what lies between two marks, the closing one
 * included; the last may be open.
 */

#include "et_feed.h"

struct stretch {
	uint64_t first, end; /* message numbers; end: the one behind */
	size_t sessions_at;  /* its first in the intake's sessions; they end where the next begin */
	struct et_peer_table *peers; /* sums of sessions that found the ring full; NULL: none */
	uint64_t peers_cnt;          /* messages that they came in */
	uint64_t damaged;            /* messages that the inlet refused */
	char *note;                  /* of the NICs, JSON; NULL: none */
	bool closed;                 /* the mark is there */
	struct et_feed_mark mark;
};

struct intake {
	struct et_ring *ring;
	struct et_feed_inlet *inlet;
	const struct et_books *books; /* that ids refer to, of the sensor */
	struct et_session *sessions;
	size_t sessions_cnt, sessions_cap;
	struct stretch *stretches;
	size_t stretches_cnt, stretches_cap;
	uint64_t next;    /* the number behind what was read */
	uint32_t workers; /* of its generation, as its marks say; 0: none has yet */
	bool orphan;      /* nobody writes any more */
	bool finished;    /* and all was read */
	bool out_of_memory;
	struct et_feed_item item; /* too large for the stack of a loop */
};

/* Takes the ring over if it succeeds. NULL when memory is short. */
struct intake *intake_new(struct et_ring *ring, struct et_books *books);
void intake_free(struct intake *intake); /* closes the ring */

/* Reads at most `budget` items more. True when there may be more now. */
bool intake_read(struct intake *intake, size_t budget);

/* Whether another stretch can come that has to be waited for. */
bool intake_is_live(const struct intake *intake);

/* The newest minute that a mark has closed, INT64_MIN: none. */
int64_t intake_shown(const struct intake *intake);

/*
 * Releases the messages before `number`, a stretch's begin or end. What was read beyond is read
 * again, into other books.
 */
void intake_release(struct intake *intake, uint64_t number);
void intake_restart(struct intake *intake, struct et_books *books);

/* Sessions of stretch i: sessions[*at .. return value). */
size_t intake_sessions(const struct intake *intake, size_t i, size_t *at);

#endif
