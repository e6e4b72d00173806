/* SPDX-License-Identifier: BSD-3-Clause */
#include "loop.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loop_parts.h"

/* Peers of a table of sums that go out between two bursts: some microseconds. */
#define SLICE 4
/* Empty rounds before a loop that may sleep does. */
#define EMPTY_ROUNDS 64
/* How often the counters are shown to other threads: 200 times a second. */
#define SNAPSHOTS_PER_S 200
/* A lane that never gets empty at the end must not hold the end up. */
#define LAST_ROUNDS 100000

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now); /* no system call: the vDSO */
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

/* What the capture's clock says when no frame came. */
static int64_t idle_clock(const struct loop *l, int64_t host_ns)
{
	const struct loop *from = l->reader ? l : l->engine->loops[0];
	int64_t seen_ns = atomic_load_explicit(&from->seen.clock_ns, memory_order_acquire);

	if (from->replays) /* stamps of a file: time goes on with its frames only */
		return seen_ns;
	return host_ns > seen_ns ? host_ns : seen_ns;
}

/* ---- counters ---- */

/* The growth of a counter since it was last told. */
static uint64_t grown(uint64_t *told, uint64_t value)
{
	uint64_t by = value - *told;

	*told = value;
	return by;
}

static void add_seen(struct et_feed_mark *mark, struct et_feed_mark *told, const struct loop *from)
{
	mark->frames += grown(&told->frames, seen_get(&from->seen.frames));
	mark->bytes += grown(&told->bytes, seen_get(&from->seen.bytes));
	mark->lane_lost += grown(&told->lane_lost, seen_get(&from->seen.lane_lost));
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		mark->drops[i] += grown(&told->drops[i], seen_get(&from->seen.drops[i]));
}

void loop_complete(void *loop, struct et_feed_mark *mark)
{
	struct loop *l = loop;
	struct engine *engine = l->engine;
	const struct loop *from = l->reader ? l : engine->loops[0];
	struct et_port_reader_counts counts;
	const struct nic_text *nic;

	et_feed_mark_add(&l->total, mark);
	mark->ring_used = et_ring_used(l->ring);
	mark->ring_bytes = et_ring_bytes(l->ring);
	mark->workers = engine->workers_cnt;
	mark->cycles_per_s = et_port_cycles_per_s();
	mark->flows_open = worker_flows(l->worker);
	mark->undecided_open = worker_undecided(l->worker);
	mark->busy_cycles = grown(&l->told.busy_cycles, seen_get(&l->seen.busy_cycles));
	mark->idle_cycles = grown(&l->told.idle_cycles, seen_get(&l->seen.idle_cycles));
	/* worker 0 tells for the distributor, and for the ports */
	if (l->reader || l->number == 0) {
		add_seen(mark, &l->told, from);
		et_port_reader_counts(&counts, from->reader);
		mark->drops[ET_DROP_FRAGMENT] += grown(&l->fragments_told, counts.fragments_lost);
	}
	if (l->number == 0) {
		mark->imissed = grown(&l->nic_told[0], seen_get(&engine->imissed));
		mark->ierrors = grown(&l->nic_told[1], seen_get(&engine->ierrors));
		mark->rx_nombuf = grown(&l->nic_told[2], seen_get(&engine->rx_nombuf));
		nic = &engine->nic[atomic_load_explicit(
			&engine->nic_current, memory_order_acquire)];
		if (nic->n > 0)
			et_feed_note(
				l->outlet, (struct et_view){ (const uint8_t *)nic->text, nic->n });
	}
}

/* Shows marks so far and the minute in progress to other threads. */
static void snapshot(struct loop *l)
{
	uint64_t words[sizeof(struct et_feed_mark) / 8];
	struct et_feed_mark now, all = l->total;
	struct et_feed_counts fed;

	worker_mark(l->worker, &now);
	et_feed_mark_add(&all, &now);
	et_feed_counts(&fed, l->outlet);
	all.folded = fed.folded;
	atomic_store_explicit(&l->seen.waiting, fed.sessions_waiting, memory_order_relaxed);
	memcpy(words, &all, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		atomic_store_explicit(&l->snapshot[i], words[i], memory_order_relaxed);
}

void loop_counts(const struct loop *l, struct et_feed_mark *out)
{
	uint64_t words[sizeof(struct et_feed_mark) / 8];
	struct et_feed_mark told = { 0 };
	struct et_port_reader_counts counts;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = seen_get(&l->snapshot[i]);
	memcpy(out, words, sizeof(words));
	out->busy_cycles = seen_get(&l->seen.busy_cycles);
	out->idle_cycles = seen_get(&l->seen.idle_cycles);
	if (!l->reader)
		return;
	add_seen(out, &told, l);
	et_port_reader_counts(&counts, l->reader);
	out->drops[ET_DROP_FRAGMENT] += counts.fragments_lost;
}

/* ---- rounds ---- */

static void rest(struct loop *l)
{
	unsigned us = l->engine->config->idle_us;

	if (us == 0 || ++l->empty < EMPTY_ROUNDS)
		return;
	if (l->reader && et_port_can_wait(l->reader))
		et_port_wait(l->reader, us);
	else
		usleep(us);
}

/* Cycles of this round are of the one kind or the other. */
static void clock_round(struct loop *l, bool busy)
{
	uint64_t cycles = et_port_cycles(), took = cycles - l->cycles;

	l->cycles = cycles;
	seen_add(busy ? &l->seen.busy_cycles : &l->seen.idle_cycles, took);
	seen_add(&l->seen.rounds, 1);
	if (busy && took > seen_get(&l->seen.longest_cycles))
		atomic_store_explicit(&l->seen.longest_cycles, took, memory_order_relaxed);
	if (l->worker && cycles - l->snapshot_cycles > et_port_cycles_per_s() / SNAPSHOTS_PER_S) {
		snapshot(l);
		l->snapshot_cycles = cycles;
	}
}

static unsigned one_round(struct loop *l)
{
	int64_t host_ns = now_ns(), clock_ns = idle_clock(l, host_ns);
	unsigned n = 0;
	bool more = false;

	if (l->reader)
		n += frames_read(l, host_ns);
	if (l->lane)
		n += frames_of_lane(l);
	if (l->worker) {
		/* all that was passed on before that clock was shown has been worked on */
		if (n == 0 && clock_ns > 0)
			worker_idle(l->worker, clock_ns);
		more = et_feed_slice(l->outlet, SLICE);
		if (l->sessions_outlet)
			more |= et_feed_slice(l->sessions_outlet, SLICE);
	}
	clock_round(l, n > 0 || more);
	if (n > 0)
		l->empty = 0;
	else if (!more)
		rest(l);
	return n;
}

/* No frame is read any more: what others still pass on is worked on, and all is told. */
static void last_rounds(struct loop *l)
{
	atomic_fetch_sub(&l->engine->reading, l->reader ? 1 : 0);
	if (!l->worker)
		return;
	for (unsigned i = 0; i < LAST_ROUNDS && l->lane; i++) {
		bool reading = atomic_load(&l->engine->reading) > 0;

		if (frames_of_lane(l) == 0 && !reading)
			break;
		if (reading)
			usleep(10);
	}
	worker_finish(l->worker, idle_clock(l, now_ns()));
	et_feed_last(l->outlet);
	while (et_feed_slice(l->outlet, 1024))
		;
	while (l->sessions_outlet && et_feed_slice(l->sessions_outlet, 1024))
		;
	snapshot(l);
}

int loop_run(void *loop)
{
	struct loop *l = loop;

	if (!loop_open(l)) {
		atomic_store(&l->state, LOOP_FAILED);
		return -1;
	}
	atomic_store(&l->state, LOOP_READY);
	while (!atomic_load(&l->engine->go) && !atomic_load(&l->engine->stop))
		usleep(100);
	atomic_store(&l->state, LOOP_RUNS);
	l->cycles = l->snapshot_cycles = et_port_cycles();
	while (!atomic_load_explicit(&l->engine->stop, memory_order_relaxed))
		one_round(l);
	last_rounds(l);
	atomic_store(&l->state, LOOP_ENDED);
	return 0;
}
