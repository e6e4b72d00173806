/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Writer and reader as threads of one process, for ThreadSanitizer: is everything that one end
 * reads of the other's ordered by an acquire and a release? Exits with 77 (skipped) without it.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

#include "help.h"
#include "ring_file.h"

#define MESSAGES 100000

#ifdef __SANITIZE_THREAD__
#define HAVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAVE_TSAN 1
#endif
#endif
#ifndef HAVE_TSAN
#define HAVE_TSAN 0
#endif

/* The runtime asks this before main: the first report ends the program, with exit code 66. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "halt_on_error=1";
}

static atomic_bool failed;

static void *write_all(void *arg)
{
	struct et_ring *writer = arg;

	while (et_ring_next_number(writer) <= MESSAGES && !failed)
		if (!pattern_put(writer))
			sched_yield();
	return NULL;
}

static void *read_all(void *arg)
{
	struct et_ring *reader = arg;
	struct et_ring_message message;
	uint64_t seen = 0;

	while (seen < MESSAGES && !failed) {
		if (!et_ring_read(reader, &message)) {
			if (et_ring_bad(reader))
				failed = true;
			et_ring_release(reader, seen + 1);
			sched_yield();
			continue;
		}
		if (message.number != ++seen || !pattern_ok(&message))
			failed = true;
		if (mix(seen) % 100 == 0)
			et_ring_release(reader, seen - seen % 7);
	}
	return NULL;
}

/*
 * The sanitizer knows memory by its address, so both ends have to use one mapping; two mappings of
 * one file would look like two memories, and nothing could be wrong.
 */
static void share_mapping(struct et_ring *reader, const struct et_ring *writer)
{
	munmap(reader->page, reader->file_len);
	reader->page = writer->page;
	reader->rte = writer->rte;
	reader->slots = writer->slots;
}

int main(void)
{
	struct et_ring_options options = ring_options(1);
	char error[ET_RING_ERROR] = "";
	struct et_ring *writer, *reader;
	pthread_t threads[2];
	struct et_ring_message none;

	if (!HAVE_TSAN)
		return 77;
	writer = et_ring_create(error, &options);
	reader = writer ? et_ring_attach(error, &options.id, LAYOUT) : NULL;
	et_ring_unlink(&options.id);
	if (!reader) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	share_mapping(reader, writer);
	(void)pattern_ok(&(struct et_ring_message){ .number = 0 }); /* fills its table */
	if (pthread_create(&threads[0], NULL, write_all, writer) != 0 ||
		pthread_create(&threads[1], NULL, read_all, reader) != 0)
		return 1;
	for (int i = 0; i < 1000 && !failed; i++) { /* a third thread may ask this */
		if (et_ring_used(writer) > et_ring_bytes(writer))
			failed = true;
		sched_yield();
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	if (et_ring_read(reader, &none) || et_ring_bad(reader))
		failed = true;
	reader->page = NULL; /* the writer's */
	et_ring_close(reader);
	et_ring_close(writer);
	return failed ? 1 : 0;
}
