/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a packet costs `ehlotap live`, for callgrind: cost CAPTURE SKIP FLOWS UNDECIDED
 *
 * The frames of a capture lie in memory before anything is counted; reader.c stands where the NIC
 * would. From there on everything is what live runs: frames_read of app/live/frames.c, the worker,
 * a ring that takes the records. Instructions are counted behind the first SKIP percent of frames.
 *
 * Writes `name value` lines: what the run was, and on what, for run.py. FLOWS and UNDECIDED: places
 * in the worker's tables.
 */

#include <gnu/libc-version.h>
#include <hs/hs.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "config.h"
#include "loop_parts.h"
#include "patterns.h"
#include "reader.h"

/* Any number, but the same one in every run: it decides which flows share a bucket. */
#define HASH_SEED 0x9e3779b97f4a7c15
/* Takes all records of a run, so that none goes out as a sum. */
#define RING_BYTES ((size_t)16 << 20)

static void fail(const char *what)
{
	fprintf(stderr, "cost: %s\n", what);
	exit(1);
}

/* live adds what its loop counts; a run is shorter than a minute, so this is never called. */
void loop_complete(void *loop, struct et_feed_mark *mark)
{
	(void)loop;
	(void)mark;
	fail("the capture reaches over a minute's end");
}

static void on_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	fail(sentence);
}

/* All frames of the capture, their bytes in memory until the end of the program. */
static void load(struct et_port_reader *reader, const char *path)
{
	struct et_source *source = et_source_open(&path, 1, on_warning, NULL);
	struct et_frame frame;
	size_t max = 0;

	while (source && et_source_next(source, &frame)) {
		uint8_t *bytes = malloc(frame.cap_len + 1);

		if (reader->cnt == max) {
			max = max ? 2 * max : 1024;
			reader->frames = realloc(reader->frames, max * sizeof(frame));
		}
		if (!bytes || !reader->frames)
			fail("not enough memory for the capture");
		memcpy(bytes, frame.data, frame.cap_len);
		frame.data = bytes;
		reader->frames[reader->cnt++] = frame;
	}
	et_source_close(source);
	if (reader->cnt == 0)
		fail("the capture is empty");
}

static void tell_machine(void)
{
	__builtin_cpu_init();
	printf("compiler %s\n", __VERSION__);
	printf("libc %s\n", gnu_get_libc_version());
	printf("hyperscan %s\n", hs_version());
	printf("openssl %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	printf("cpu %s\n", __builtin_cpu_supports("avx512f") ? "avx512"
			   : __builtin_cpu_supports("avx2")  ? "avx2"
							     : "older");
}

static void tell_run(const struct loop *l, size_t packets, uint64_t bytes)
{
	struct et_feed_counts fed;
	struct et_feed_mark mark;

	et_feed_counts(&fed, l->outlet);
	worker_mark(l->worker, &mark);
	printf("packets %zu\n", packets);
	printf("bytes %" PRIu64 "\n", bytes);
	printf("sessions %" PRIu64 "\n", fed.sessions);
	printf("folded %" PRIu64 "\n", fed.folded);
	printf("flows %" PRIu64 "\n", mark.flows_new);
}

int main(int argc, char **argv)
{
	static struct et_port_reader reader;
	static struct et_port_lane lane;
	static struct et_ports ports;
	static struct engine engine;
	static struct loop loop = { .engine = &engine, .reader = &reader, .lane = &lane };
	struct config config = {
		.sensor = "cost", .mail_ports = &ports, .ring_bytes = RING_BYTES, .ring_mode = 0600
	};
	char error[256] = "";
	uint64_t bytes = 0;
	size_t skip;

	if (argc != 5)
		fail("usage: cost CAPTURE SKIP FLOWS UNDECIDED");
	config.flows = (uint32_t)strtoul(argv[3], NULL, 10);
	config.undecided = (uint32_t)strtoul(argv[4], NULL, 10);
	load(&reader, argv[1]);
	skip = reader.cnt * strtoul(argv[2], NULL, 10) / 100;
	et_ports_default(&ports);
	engine.config = &config;
	engine.hash_seed = HASH_SEED;
	engine.generation = (uint64_t)getpid();
	engine.ring_owner = (uid_t)-1;
	engine.ring_group = (gid_t)-1;
	engine.loops_cnt = engine.workers_cnt = engine.readers_cnt = 1;
	engine.loops[0] = engine.workers[0] = &loop;
	engine.db = patterns_open(error, sizeof(error));
	if (!engine.db)
		fail(error);
	if (!loop_open(&loop))
		fail(loop.error);
	et_ring_unlink(et_ring_id(loop.ring)); /* nothing can be left behind */
	while (reader.at < skip && frames_read(&loop, 0) > 0)
		;
	skip = reader.at;
	for (size_t i = skip; i < reader.cnt; i++)
		bytes += reader.frames[i].len;
	CALLGRIND_START_INSTRUMENTATION;
	while (frames_read(&loop, 0) > 0)
		;
	CALLGRIND_STOP_INSTRUMENTATION;
	tell_machine();
	tell_run(&loop, reader.cnt - skip, bytes);
	return 0;
}
