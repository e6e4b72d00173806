/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_sender.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#define SLEEP_LEAST_US 300 /* a shorter wait is spun */
#define SLEEP_LESS_US  150 /* sleep takes longer than it is told to */
#define SLEEP_MOST_US  10000
#define STARVED_US     50
#define PATIENCE       64 /* rounds in vain before the CPU is offered to others */

static uint64_t us_of(const struct gen_sender *s, uint64_t cycles)
{
	return (uint64_t)((double)cycles / (double)s->schedule.cycles_per_s * 1e6);
}

/* ---- what comes next */

/* Goes on to the next frame of the store; at its end to the next loop. */
static bool load(struct gen_sender *s)
{
	if (s->frame)
		return true;
	s->frame = gen_store_next(s->store, &s->at);
	if (s->frame)
		return true;
	s->loops_done++;
	if (s->loops > 0 && s->loops_done == s->loops)
		return false;
	s->at = 0;
	s->turn = gen_turn_of(s->loops_done, s->clients);
	s->frame = gen_store_next(s->store, &s->at);
	return s->frame != NULL;
}

/* Looks at the next frame. False: none is there now. */
static bool look(struct gen_sender *s, uint32_t *len, uint64_t *ts_ns)
{
	if (!s->store)
		return et_port_tx_peek(s->tx, len, ts_ns);
	if (s->loops > 0 && s->loops_done == s->loops)
		return false;
	if (!load(s))
		return false;
	*len = s->frame->len;
	*ts_ns = s->frame->ts_ns + s->loops_done * s->store->span_ns;
	return true;
}

/* Puts it into the burst. False: no room, or no buffer. */
static bool take(struct gen_sender *s)
{
	uint8_t *to;

	if (!s->store)
		return et_port_tx_take(s->tx);
	to = et_port_tx_add(s->tx, s->frame->len);
	if (!to)
		return false;
	memcpy(to, s->frame + 1, s->frame->len);
	if (s->loops_done > 0)
		gen_turn_apply(&s->turn, to, s->frame);
	s->frame = NULL;
	return true;
}

/* All that is due goes into the burst. Returns when the next one is: 0 if that is not known. */
static uint64_t fill(struct gen_sender *s, uint64_t now)
{
	uint32_t len;
	uint64_t ts_ns, due;

	while (s->cnt < ET_PORT_TX_BURST) {
		if (!look(s, &len, &ts_ns)) {
			s->empty = true;
			return 0;
		}
		if (s->begin == 0) {
			s->begin = now;
			gen_schedule_begin(
				&s->schedule, &s->rate, now, et_port_cycles_per_s(), ts_ns);
			s->empty = false;
		}
		due = gen_schedule_due(&s->schedule, ts_ns);
		if (due > now)
			return due;
		if (!take(s))
			return 0;
		s->starved += s->empty && due && us_of(s, now - due) > STARVED_US;
		s->empty = false;
		s->burst[s->cnt].due = due;
		s->burst[s->cnt++].len = len;
		gen_schedule_pass(&s->schedule, len);
	}
	return 0;
}

/* ---- sending */

static void note_sent(struct gen_sender *s, unsigned n)
{
	uint64_t now = et_port_cycles();

	/* the first has waited longest */
	if (n > 0 && s->burst[0].due && now - s->burst[0].due > s->lag)
		s->lag = now - s->burst[0].due;
	for (unsigned i = 0; i < n; i++) {
		s->bytes += s->burst[i].len;
		s->wire_bytes += gen_wire_bytes(s->burst[i].len);
	}
	s->frames += n;
	s->cnt -= n;
	memmove(s->burst, s->burst + n, s->cnt * sizeof(s->burst[0]));
	s->waiting -= n < s->waiting ? n : s->waiting;
}

static void offer(struct gen_sender *s)
{
	unsigned n = et_port_tx_send(s->tx);

	note_sent(s, n);
	s->refused += s->cnt - s->waiting;
	s->waiting = s->cnt;
	s->idle = n > 0 ? 0 : s->idle + 1;
	if (s->cnt > 0 && s->drop) {
		s->dropped += et_port_tx_drop(s->tx);
		s->cnt = s->waiting = 0;
	}
	if (s->idle > PATIENCE)
		sched_yield();
}

/* Nothing is to be sent before `due`; 0: not known. */
static void rest(const struct gen_sender *s, uint64_t now, uint64_t due)
{
	uint64_t us;

	if (due == 0) {
		sched_yield();
		return;
	}
	us = us_of(s, due - now);
	if (us < SLEEP_LEAST_US)
		return;
	us = us - SLEEP_LESS_US < SLEEP_MOST_US ? us - SLEEP_LESS_US : SLEEP_MOST_US;
	nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
}

static bool is_over(struct gen_sender *s, bool made)
{
	uint32_t len;
	uint64_t ts_ns;

	if (s->cnt > 0)
		return false;
	if (s->store)
		return s->loops > 0 && s->loops_done == s->loops;
	return made && !et_port_tx_peek(s->tx, &len, &ts_ns);
}

int gen_sender_run(void *arg)
{
	struct gen_sender *s = arg;
	uint64_t limit = s->seconds * et_port_cycles_per_s();

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		/* asked before the ring is looked at: what came before it is there */
		bool made = atomic_load_explicit(&s->made, memory_order_acquire);
		uint64_t now = et_port_cycles(), due;

		if (limit > 0 && s->begin > 0 && now - s->begin >= limit)
			break;
		due = fill(s, now);
		if (s->cnt > 0)
			offer(s);
		else if (is_over(s, made))
			break;
		else
			rest(s, now, due);
	}
	s->end = et_port_cycles();
	et_port_tx_drop(s->tx); /* was stopped: not sent, and not counted */
	atomic_store_explicit(&s->over, true, memory_order_release);
	return 0;
}
