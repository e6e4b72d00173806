/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BINS_H
#define BINS_H

/*
 * A *batch* is what is written at one time: of each ring the stretches up to some mark, or to the
 * end of a ring that nobody writes any more. Its items are divided over *bins*, each of which
 * becomes one minute file: an item goes into the first minute that is not before its own and has no
 * file yet.
 */

#include "claims.h"
#include "intake.h"

/* What a batch takes of one ring. */
struct lot {
	struct intake *intake;
	size_t take;         /* stretches, from the first */
	int64_t floor_ns;    /* newest file that has anything of the ring; nothing goes before it */
	uint64_t from, to;   /* message numbers */
	uint32_t generation; /* position of its generation among those of the batch */
	uint32_t workers;    /* of the generation */
};

struct bin {
	int64_t minute_ns;
	uint64_t items, late, damaged, marks_missing;
	uint32_t workers_expected, workers_seen;
	uint64_t marks;
	struct et_feed_mark sums; /* of its marks */
	uint64_t open, undecided; /* flows at the end of the minute */
	int64_t seconds_ns;       /* of the worker that covered most */
	/* the stretches whose marks were counted, in the order of rings */
	struct load {
		const struct lot *lot;
		const struct stretch *stretch;
	} * loads;
	size_t loads_cnt, loads_cap;
	/* private to bins.c: the lot that was counted last */
	const struct lot *seen, *touched, *counted;
	uint64_t counted_open, counted_undecided;
};

struct bins {
	struct bin *v; /* sorted by minute */
	size_t cnt, cap;
	size_t last;    /* asked for last */
	int64_t *taken; /* minutes that have a file, sorted */
	size_t taken_cnt;
};

/* Learns which minutes have files. 0 or -errno. */
int bins_init(struct bins *bins, const struct folder *folder);
void bins_free(struct bins *bins);

/* The first minute from minute_ns on without a file. */
int64_t bins_target(const struct bins *bins, int64_t minute_ns);

/* The bin of a minute, which must have been made by bins_fill. */
size_t bins_at(struct bins *bins, int64_t minute_ns);

/* The minute that stretch i of a lot stands for: its mark's; of an open one that of its newest. */
int64_t lot_stretch_minute(const struct lot *lot, size_t i);
/* The minute of a session of that stretch. */
int64_t lot_session_minute(
	const struct lot *lot, size_t i, int64_t stretch_ns, const struct et_session *session);
/* The first minute in which an item of minute own_ns may be counted. */
int64_t lot_floor(const struct lot *lot, int64_t own_ns);

/*
 * Makes the bins of all lots, also of minutes with nothing in them while their engine was running,
 * and counts what marks say. 0 or -ENOMEM.
 */
int bins_fill(struct bins *bins, const struct lot *lots, size_t cnt, const struct claims *claims);

#endif
