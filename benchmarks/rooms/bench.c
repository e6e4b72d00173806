/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <inttypes.h>
#include <linux/perf_event.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROWS 128
#define NAME 80

struct row {
	const char *room, *op;
	char name[NAME];
	uint64_t ops;
	double memory; /* bytes of one; 0: not measured */
	unsigned cnt;
	double ns[BENCH_ROUNDS_MAX], instructions[BENCH_ROUNDS_MAX];
};

struct bench {
	struct bench_options options;
	const char *room;
	int instructions; /* descriptor of the counter; -1: may not be read */
	int64_t started_ns, took_ns;
	int64_t empty_ns; /* what the clock itself takes */
	uint64_t started_instructions, took_instructions;
	double memory;
	volatile uint64_t kept;
	unsigned cnt;
	struct row rows[ROWS];
};

static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

struct bench *bench_new(const struct bench_options *options)
{
	struct bench *b = calloc(1, sizeof(*b));
	int64_t empty_ns = INT64_MAX;

	if (!b)
		return NULL;
	b->options = *options;
	b->instructions = open_counter();
	for (unsigned i = 0; i < 1000; i++) {
		bench_start(b);
		bench_stop(b);
		empty_ns = b->took_ns < empty_ns ? b->took_ns : empty_ns;
		b->took_ns = 0;
	}
	b->took_instructions = 0;
	b->empty_ns = empty_ns;
	return b;
}

void bench_free(struct bench *b)
{
	if (b && b->instructions >= 0)
		close(b->instructions);
	free(b);
}

const struct bench_options *bench_options(const struct bench *b)
{
	return &b->options;
}

void bench_room(struct bench *b, const char *room)
{
	b->room = room;
}

/* Of this thread: what others do on its CPU does not count. */
static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

static uint64_t instructions(const struct bench *b)
{
	uint64_t n = 0;

	return b->instructions >= 0 && read(b->instructions, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

void bench_start(struct bench *b)
{
	b->started_instructions = instructions(b);
	b->started_ns = now_ns();
}

void bench_stop(struct bench *b)
{
	int64_t took_ns = now_ns() - b->started_ns - b->empty_ns;

	b->took_ns += took_ns > 0 ? took_ns : 0;
	b->took_instructions += instructions(b) - b->started_instructions;
}

static struct row *find_row(struct bench *b, const char *op, const char *name)
{
	struct row *row;

	for (unsigned i = 0; i < b->cnt; i++)
		if (strcmp(b->rows[i].room, b->room) == 0 && strcmp(b->rows[i].name, name) == 0)
			return &b->rows[i];
	bench_check(b, b->cnt < ROWS, "more than %d rows", ROWS);
	row = &b->rows[b->cnt++];
	row->room = b->room;
	row->op = op;
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

void bench_row(
	struct bench *b, const char *op, uint64_t ops, uint64_t result, const char *format, ...)
{
	char name[NAME];
	struct row *row;
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	bench_check(b, ops > 0, "%s: nothing was measured", name);
	row = find_row(b, op, name);
	row->ops = ops;
	row->memory = b->memory;
	if (row->cnt < BENCH_ROUNDS_MAX) {
		row->ns[row->cnt] = (double)b->took_ns / (double)ops;
		row->instructions[row->cnt++] = (double)b->took_instructions / (double)ops;
	}
	b->kept += result;
	b->took_ns = 0;
	b->took_instructions = 0;
	b->memory = 0;
}

void bench_memory(struct bench *b, double bytes)
{
	b->memory = bytes;
}

uint64_t bench_resident(void)
{
	unsigned long size = 0, resident = 0;
	FILE *file;

	malloc_trim(0); /* what was freed and not given back would hide what is taken next */
	file = fopen("/proc/self/statm", "re");
	if (file && fscanf(file, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void bench_check(const struct bench *b, bool right, const char *format, ...)
{
	va_list args;

	if (right)
		return;
	fprintf(stderr, "bench-rooms: %s: wrong: ", b->room);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- output */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

struct summary {
	double median, min, max;
};

static struct summary sum_up(const double *values, unsigned cnt)
{
	double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, values, cnt * sizeof(*sorted));
	qsort(sorted, cnt, sizeof(*sorted), by_value);
	return (struct summary){ cnt % 2 ? sorted[cnt / 2]
					 : (sorted[cnt / 2 - 1] + sorted[cnt / 2]) / 2,
		sorted[0], sorted[cnt - 1] };
}

static void print_json(const struct bench *b)
{
	printf("{\"rounds\":%u,\"instructions\":%s,\"rows\":[", b->options.rounds,
		b->instructions >= 0 ? "true" : "false");
	for (unsigned i = 0; i < b->cnt; i++) {
		const struct row *row = &b->rows[i];
		struct summary ns = sum_up(row->ns, row->cnt);

		printf("%s\n{\"room\":\"%s\",\"name\":\"%s\",\"op\":\"%s\",\"ops\":%" PRIu64
		       ",\"ns\":{\"median\":%.3f,\"min\":%.3f,\"max\":%.3f}",
			i ? "," : "", row->room, row->name, row->op, row->ops, ns.median, ns.min,
			ns.max);
		if (b->instructions >= 0)
			printf(",\"instructions\":%.1f",
				sum_up(row->instructions, row->cnt).median);
		if (row->memory > 0)
			printf(",\"memory\":%.1f", row->memory);
		putchar('}');
	}
	puts("\n]}");
}

void bench_print(const struct bench *b, bool json)
{
	const char *room = "";

	if (json) {
		print_json(b);
		return;
	}
	printf("%-44s %10s %10s %10s %14s %12s\n", "", "ns, median", "min", "max", "op/s",
		b->instructions >= 0 ? "instructions" : "");
	for (unsigned i = 0; i < b->cnt; i++) {
		const struct row *row = &b->rows[i];
		struct summary ns = sum_up(row->ns, row->cnt);

		if (strcmp(room, row->room) != 0)
			printf("%s\n", row->room);
		room = row->room;
		printf("  %-42s %10.1f %10.1f %10.1f %14.0f", row->name, ns.median, ns.min, ns.max,
			1e9 / ns.median);
		if (b->instructions >= 0)
			printf(" %12.0f", sum_up(row->instructions, row->cnt).median);
		printf("  a %s\n", row->op);
	}
	if (b->instructions < 0)
		puts("Instructions are not counted: this machine does not let perf_event_open.");
}
