/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INPUTS_H
#define INPUTS_H

/*
 * The paths, day by day. A report is of one UTC day, and what is held in memory should be no more
 * than a day: minute files tell by their names ("gw1-20261122T1031Z.jsonl.zst") to which one they
 * belong, and are read once. Files of other names and captures are read once to learn their days,
 * and again for each of them if there are several.
 *
 * One thread.
 */

#include "answer_inputs.h"

#define INPUTS_DAY_NS (24 * 60 * ET_NS_PER_MIN)

struct inputs_file {
	char *path;
	int64_t day_ns; /* its first moment; INT64_MIN: the name does not tell */
};

struct inputs {
	const struct answer_options *options;
	struct inputs_file *files; /* the named ones last */
	size_t cnt, cap, unnamed;
	int64_t *days; /* sorted */
	size_t days_cnt;
	int code;                  /* worst exit code so far */
	struct et_archive *single; /* what was read to learn the days is all there is */
};

/*
 * Finds the files and days within --since and --until. 0; 2 if there is nothing to read, or it can
 * be read only once; -ENOMEM. Sentences are printed. Free it in any case.
 */
int inputs_open(struct inputs *inputs, const struct answer_options *options);
void inputs_free(struct inputs *inputs);

/*
 * Reads day i into an archive, which the caller frees; NULL if nothing of it could be read, which was
 * told. *from_ns and *until_ns: the part of the day that --since and --until leave.
 */
struct et_archive *inputs_day(struct inputs *inputs, int64_t *from_ns, int64_t *until_ns, size_t i);

/* "gw1-20261122T1031Z.jsonl": the first moment of that day; INT64_MIN if the name is no such. */
int64_t inputs_day_of_name(const char *path);

#endif
