/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BATCH_H
#define BATCH_H

/* Writes what is ready of all rings of a sensor into minute files (see bins.h). */

#include "bins.h"
#include "history.h"
#include "options.h"
#include "stories.h"

struct batch {
	const struct options *options;
	const struct folder *folder;
	const struct et_books *books; /* of all intakes and of the history */
	const struct history *history;
	struct claims *claims;
	struct stories *stories; /* those behind the newest file that was written */
	struct lot *lots;        /* sorted by ring */
	size_t lots_cnt;
	bool (*go_on)(void); /* asked between files: false breaks off, what is written stays */

	/* filled by batch_write */
	struct et_session *sessions; /* history and batch, sorted */
	size_t sessions_cnt;
	int64_t newest_ns; /* minute of the newest file that was written, INT64_MIN: none */
	size_t files;
	uint64_t items;
};

/*
 * Writes all files, ascending, and syncs the folder; whatever was written is in claims. 0 when all
 * is on disk: the lots' ranges can be released. -EINTR: go_on said no. Else -errno with a sentence.
 */
int batch_write(struct batch *batch, char error[static ET_STATS_ERROR]);
void batch_free(struct batch *batch); /* what batch_write has filled */

#endif
