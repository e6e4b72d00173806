/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "help.h"
#include "ring_tests.h"
#include "unit.h"

#define MESSAGES      1000000
#define READER_KILLS  40
#define WRITER_ROUNDS 40

/* What outlives the children that are killed: it stands for what a reader has on disk. */
struct memory {
	_Atomic uint64_t put;   /* messages that the writer has put */
	_Atomic uint64_t noted; /* the last message that a reader has noted */
	_Atomic uint64_t again; /* messages that a reader got once more */
	_Atomic int errors;
	_Atomic bool done;
};

static struct memory *new_memory(void)
{
	void *p = mmap(NULL, sizeof(struct memory), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CU_ASSERT_FATAL(p != MAP_FAILED);
	return p;
}

static pid_t start(int (*run)(struct memory *, uint64_t), struct memory *memory, uint64_t value)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is broken off leaves nobody */
		_exit(run(memory, value));
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Writes until `last`, or for ever if that is 0. */
static int write_all(struct memory *memory, uint64_t generation, uint64_t last)
{
	struct et_ring_options options = ring_options(generation);
	char error[ET_RING_ERROR];
	struct et_ring *writer = et_ring_create(error, &options);

	if (!writer)
		return 1;
	while (last == 0 || memory->put < last) {
		if (pattern_put(writer))
			memory->put++;
		else
			usleep(100);
	}
	return 0;
}

static int write_million(struct memory *memory, uint64_t generation)
{
	return write_all(memory, generation, MESSAGES);
}

static int write_endless(struct memory *memory, uint64_t generation)
{
	return write_all(memory, generation, 0);
}

static struct et_ring *attach(uint64_t generation)
{
	struct et_ring_id id = ring_id(generation);
	char error[ET_RING_ERROR];
	struct et_ring *reader;

	while ((reader = et_ring_attach(error, &id, LAYOUT)) == NULL && errno == ENOENT)
		usleep(100);
	return reader;
}

/* As an exporter does: note by number, and release, in batches, only what is noted. */
static int read_all(struct memory *memory, uint64_t generation)
{
	struct et_ring *reader = attach(generation);
	struct et_ring_message message;
	uint64_t seed = memory->noted;

	if (!reader || et_ring_released(reader) > memory->noted + 1)
		return memory->errors++;
	for (;;) {
		bool orphan = et_ring_orphan(reader);

		for (uint64_t n = mix(seed++) % 4096; n > 0 && et_ring_read(reader, &message);
			n--) {
			if (!pattern_ok(&message) || message.number > memory->noted + 1)
				return memory->errors++;
			if (message.number <= memory->noted)
				memory->again++;
			else
				memory->noted = message.number;
		}
		if (et_ring_bad(reader))
			return memory->errors++;
		if (orphan && memory->noted == memory->put && !et_ring_read(reader, &message))
			break;
		et_ring_release(reader, memory->noted + 1 - mix(seed++) % 64);
		sched_yield();
	}
	et_ring_release(reader, UINT64_MAX);
	memory->done = et_ring_used(reader) == 0;
	return 0;
}

/* A million messages to a reader that is killed again and again: each is seen, none is lost. */
void test_reader_killed(void)
{
	struct memory *memory = new_memory();
	struct et_ring_id id = ring_id(30);
	pid_t writer = start(write_million, memory, 30);
	pid_t reader = start(read_all, memory, 30);

	for (uint64_t i = 1; i <= READER_KILLS; i++) {
		while (memory->noted < i * MESSAGES / (READER_KILLS + 1) && memory->errors == 0)
			usleep(100);
		usleep((useconds_t)(mix(i) % 3000));
		stop(reader);
		reader = start(read_all, memory, 30);
	}
	waitpid(writer, NULL, 0);
	waitpid(reader, NULL, 0);
	CU_ASSERT_EQUAL(memory->errors, 0);
	CU_ASSERT_EQUAL(memory->noted, MESSAGES);
	CU_ASSERT(memory->done);
	CU_ASSERT(memory->again > 0); /* or the kills have met nobody */
	CU_ASSERT_EQUAL(et_ring_unlink(&id), 0);
	munmap(memory, sizeof(*memory));
}

/* A writer that dies at any moment leaves whole messages only, then an orphan. */
void test_writer_killed(void)
{
	for (uint64_t round = 0; round < WRITER_ROUNDS; round++) {
		struct memory *memory = new_memory();
		pid_t writer = start(write_endless, memory, 31 + round);
		struct et_ring *reader = attach(31 + round);
		struct et_ring_message message;
		uint64_t seen = 0;
		int64_t spare = (int64_t)(mix(round) % 3000);

		CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
		CU_ASSERT(!et_ring_orphan(reader));
		for (; spare > 0; spare--) {
			if (et_ring_read(reader, &message))
				CU_ASSERT(message.number == ++seen && pattern_ok(&message));
			if (spare % 16 == 0)
				et_ring_release(reader, seen + 1);
		}
		stop(writer);
		CU_ASSERT(et_ring_orphan(reader));
		while (et_ring_read(reader, &message))
			CU_ASSERT(message.number == ++seen && pattern_ok(&message));
		CU_ASSERT(!et_ring_bad(reader));
		/* it may have died before it could count the last */
		CU_ASSERT(seen == memory->put || seen == memory->put + 1);
		et_ring_release(reader, seen + 1);
		CU_ASSERT_EQUAL(et_ring_used(reader), 0);
		CU_ASSERT_EQUAL(et_ring_unlink(et_ring_id(reader)), 0);
		et_ring_close(reader);
		munmap(memory, sizeof(*memory));
	}
}
