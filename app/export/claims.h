/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLAIMS_H
#define CLAIMS_H

/*
 * What the minute files on disk say of the rings: each file names, for every ring, the range of
 * messages of the *batch* that it was written with. An item whose number lies in such a range is in
 * a file iff one of these files is of its minute or a later one: the files of a batch are written
 * in ascending order, and an item goes into the first that is not before its minute.
 */

#include "et_ring.h"
#include "folder.h"

struct claim {
	struct et_ring_id ring;
	int64_t minute_ns;
	uint64_t from, to; /* message numbers, `to` is not one of them */
};

struct claims {
	struct claim *v;
	size_t cnt, cap;
};

/* Adds what the first rows of files say of the rings ids[0..ids_cnt). 0 or -errno. */
int claims_read(struct claims *claims, const struct folder *folder, const struct et_ring_id *ids,
	size_t ids_cnt);
/* 0 or -ENOMEM. */
int claims_add(struct claims *claims, const struct claim *claim);
/* Forgets claims of the ring that end at `released` or before, but for the newest of its files. */
void claims_release(struct claims *claims, const struct et_ring_id *ring, uint64_t released);
void claims_forget(struct claims *claims, const struct et_ring_id *ring);
void claims_free(struct claims *claims);

/* The newest file with this message's number in its range; INT64_MIN: there is none. */
int64_t claims_covering(
	const struct claims *claims, const struct et_ring_id *ring, uint64_t number);
/* The newest file that has anything of the ring; INT64_MIN: there is none. */
int64_t claims_newest(const struct claims *claims, const struct et_ring_id *ring);

bool ring_id_equal(const struct et_ring_id *a, const struct et_ring_id *b);

#endif
