/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOOP_H
#define LOOP_H

/*
 * The poll loop of one lcore. What it does depends on what it has been given:
 *
 *   a reader and a lane   reads its queue of every port and works on the frames; what belongs to
 *                         another worker (tunnels, fragments) goes into that one's lane
 *   a reader only         the distributor: spreads all frames over the workers' lanes
 *   a lane only           works on what the distributor passes
 *
 * Both directions of a connection come to one worker: by RSS, or by the symmetric hash of the
 * innermost addresses and ports.
 *
 * A loop is opened and run by the thread of its lcore, so that its memory is on that NUMA node. The
 * main thread makes readers and lanes before, and reads `seen`, `state` and et_loop_* at any time.
 * Nothing behind the opening allocates, locks or waits.
 */

#include <stdatomic.h>

#include "config.h"
#include "et_port.h"
#include "worker.h"

#define LOOPS_MAX ET_PORT_LCORES
#define NIC_TEXT  65536

enum loop_state {
	LOOP_OPENING,
	LOOP_READY,
	LOOP_FAILED, /* see error */
	LOOP_RUNS,
	LOOP_ENDED,
};

struct loop;

/* What all loops share; read only for them but for what is _Atomic. */
struct engine {
	const struct config *config;
	const struct et_match_db *db;
	struct et_port_set *ports;
	uint64_t hash_seed, generation;
	uid_t ring_owner;
	gid_t ring_group;
	unsigned loops_cnt, workers_cnt, readers_cnt;
	struct loop *loops[LOOPS_MAX];
	struct loop *workers[LOOPS_MAX]; /* those that have a lane, by number */
	bool spreads;                    /* a distributor does */
	_Atomic bool go, stop;
	_Atomic unsigned reading; /* loops that may still pass frames on */
	/* of all ports since the start; by the control thread */
	_Atomic uint64_t imissed, ierrors, rx_nombuf;
	/*
	 * Extended statistics of all ports as JSON. The control thread writes the text that is not
	 * current and makes it so, once a second; worker 0 copies the current one in microseconds.
	 */
	struct nic_text {
		size_t n;
		char text[NIC_TEXT];
	} nic[2];
	_Atomic unsigned nic_current;
};

/* Written by the loop's thread alone, read by any. Counters since the start. */
struct loop_seen {
	_Atomic uint64_t frames, bytes, lane_lost;
	_Atomic uint64_t drops[ET_DROP_MAX]; /* of decoding */
	_Atomic uint64_t waiting;            /* sessions in sums that have not gone out */
	_Atomic uint64_t busy_cycles, idle_cycles, rounds;
	_Atomic uint64_t longest_cycles; /* of all rounds that had work */
	_Atomic int64_t clock_ns;        /* of the frames read so far */
};

struct loop {
	struct engine *engine;
	unsigned lcore, number; /* number: of the worker, or of the distributor: 0 */
	unsigned reader_number;
	struct et_port_reader *reader; /* NULL: none */
	struct et_port_lane *lane;     /* NULL: the distributor */
	_Atomic enum loop_state state;
	char error[ET_RING_ERROR];
	struct loop_seen seen;
	_Alignas(ET_CACHE_LINE) _Atomic uint64_t snapshot[sizeof(struct et_feed_mark) / 8];

	/* the loop's own from here on */
	struct worker *worker;
	struct et_ring *ring;
	struct et_feed_outlet *outlet;
	struct et_ring *sessions_ring, *sessions_reader; /* for --sessions; NULL: none */
	struct et_feed_outlet *sessions_outlet;
	struct et_feed_mark total, told; /* marks so far; what of `seen` they have told */
	uint64_t nic_told[3], fragments_told;
	uint64_t cycles, snapshot_cycles;
	unsigned empty; /* rounds without work in a row */
	bool replays;
	int64_t minute_end_ns;
	unsigned own_cnt;
	struct parcel own[ET_PORT_BURST];
	uint8_t pass[LOOPS_MAX][ET_PORT_BURST];
	uint8_t pass_cnt[LOOPS_MAX];
};

static_assert(sizeof(struct et_feed_mark) % 8 == 0, "a snapshot is words of 8 bytes");

/* For et_port_launch: opens, waits for engine->go, runs until engine->stop, publishes what is left. */
int loop_run(void *loop);

/* Frees what the loop opened; after it has ended. */
void loop_close(struct loop *loop);

/* The loop's counters, all of them, some milliseconds old at most while it runs. Any thread. */
void loop_counts(const struct loop *loop, struct et_feed_mark *out);

#endif
