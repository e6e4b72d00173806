/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/ring: messages into shared memory, and out of it. */

#include "rooms.h"
#include "shared.h"

#include <string.h>

#define KIND 7

enum timed { SEND, RECEIVE };

struct passage {
	uint64_t put, got, right;
	size_t bytes; /* of a message */
};

static void send(struct shared *s, struct passage *p, uint64_t messages)
{
	uint8_t text[8 * ET_RING_SLOT] = { 0 };

	for (uint64_t n = 0; n < messages; n++, p->put++) {
		memcpy(text, &p->put, sizeof(p->put));
		if (!et_ring_put(s->writer, KIND, text, p->bytes, NULL, 0, 0))
			return;
	}
}

static void receive(struct shared *s, struct passage *p)
{
	struct et_ring_message message = { 0 };

	while (et_ring_read(s->reader, &message)) {
		uint64_t number;

		memcpy(&number, message.bytes.p, sizeof(number));
		p->right += number == p->got++ && message.bytes.n == p->bytes;
	}
	et_ring_release(s->reader, message.number + 1);
}

/* So many at a time lie in the ring: few are in the cache when they are read, many are not. */
static void measure(
	struct bench *b, struct shared *s, enum timed timed, size_t bytes, uint64_t at_a_time)
{
	uint64_t messages = bench_options(b)->quick ? 20000 : 500000;
	struct passage p = { .bytes = bytes };

	while (p.put < messages) {
		uint64_t before = p.put;

		if (timed == SEND)
			bench_start(b);
		send(s, &p, at_a_time);
		if (timed == SEND)
			bench_stop(b);
		bench_check(b, p.put - before == at_a_time, "the ring is full");
		if (timed == RECEIVE)
			bench_start(b);
		receive(s, &p);
		if (timed == RECEIVE)
			bench_stop(b);
	}
	bench_check(b, p.right == p.put, "messages are lost or changed");
	bench_row(b, "message", p.put, p.right, "%s %zu bytes, %u at a time",
		timed == SEND ? "send" : "receive", bytes, (unsigned)at_a_time);
}

void room_ring(struct bench *b, struct inputs *in)
{
	static const uint64_t at_a_time[] = { 64, 50000 };
	static const size_t bytes[] = { 48, sizeof(struct et_session) };
	struct shared s;

	(void)in;
	static_assert(sizeof(struct et_session) <= 8 * ET_RING_SLOT, "fits the text");
	shared_open(&s, b, (size_t)64 << 20);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < 2; k++) {
			measure(b, &s, SEND, bytes[i], at_a_time[k]);
			measure(b, &s, RECEIVE, bytes[i], at_a_time[k]);
		}
	}
	shared_close(&s);
}
