/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H
#define BENCH_H

/*
 * bench: the clock, the rows of results and the checks of one run.
 *
 * A room's benchmark is called once per round and gives one value to each of its rows: it starts
 * and stops the clock around the work, as often as it likes, then says what that was. A row is
 * known by its room and name, and made when it is seen first. One thread.
 */

#include "et_base.h"

#define BENCH_ROUNDS_MAX 99
#define BENCH_SIZES_MAX  16

struct bench;

struct bench_options {
	unsigned rounds;
	bool quick;                          /* small sizes: does it all work? */
	uint32_t flows[BENCH_SIZES_MAX + 1]; /* sizes of the tables; 0 behind the last */
	uint32_t peers[BENCH_SIZES_MAX + 1];
};

/* NULL when memory is short. */
struct bench *bench_new(const struct bench_options *options);
void bench_free(struct bench *bench);
const struct bench_options *bench_options(const struct bench *bench);

/* The rows from here on are of this room. */
void bench_room(struct bench *bench, const char *room);

/* The thread's CPU time, without what asking for it takes. */
void bench_start(struct bench *bench);
void bench_stop(struct bench *bench);

/*
 * What was measured since the last row: `ops` operations of that kind. result must depend on all of
 * them: it is kept, so that the compiler cannot leave the work out.
 */
__attribute__((format(printf, 5, 6))) void bench_row(struct bench *bench, const char *op,
	uint64_t ops, uint64_t result, const char *format, ...);

/* Memory that one of them takes, beside the row that is made next. */
void bench_memory(struct bench *bench, double bytes);
/* Resident memory of the process in use, in bytes. */
uint64_t bench_resident(void);

/* A result that is not as it has to be ends the run: what is fast and wrong is not told. */
__attribute__((format(printf, 3, 4))) void bench_check(
	const struct bench *bench, bool right, const char *format, ...);

/* All rows to standard output, as a table or as JSON. */
void bench_print(const struct bench *bench, bool json);

/* Numbers that are the same in every run. */
static inline uint64_t bench_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

#endif
