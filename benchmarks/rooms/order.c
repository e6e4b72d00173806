/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/order: the segments of one side of a connection, up to its decision. */

#include "rooms.h"

#include <stdlib.h>

#define WARM  16 /* connections */
#define LEAST 3  /* segments of a side that can be spoilt */

enum damage { IN_ORDER, SWAPPED, HOLE };

/* The segments with data, side by side. */
struct sides {
	const struct et_segment **v;
	uint32_t *end; /* by side: where its segments end in v */
	uint32_t cnt, segments;
	uint64_t bytes, holes;
};

/* Two change places, or one is missing, in the middle. Gives how many are left. */
static uint32_t spoil(const struct et_segment **v, uint32_t n, enum damage damage)
{
	uint32_t at = n / 2;
	const struct et_segment *moved = v[at];

	if (damage == IN_ORDER)
		return n;
	v[at] = v[at + 1];
	if (damage == SWAPPED) {
		v[at + 1] = moved;
		return n;
	}
	for (uint32_t i = at + 1; i + 1 < n; i++)
		v[i] = v[i + 1];
	return n - 1;
}

static struct sides sides_of(const struct corpus *c, uint32_t conns, enum damage damage)
{
	struct sides s = { .v = rooms_memory(c->cnt, sizeof(*s.v)),
		.end = rooms_memory(2 * conns, sizeof(*s.end)) };

	for (uint32_t k = 0; k < 2 * conns; k++) {
		uint32_t n = 0, conn = k / 2;

		for (uint32_t at = c->first[conn]; at < c->first[conn + 1]; at++) {
			uint32_t i = c->by_conn[at];

			if (corpus_is_parsed(c, i) && c->places[i].side == k % 2)
				s.v[s.segments + n++] = &c->segments[i];
		}
		if (n < LEAST)
			continue;
		n = spoil(s.v + s.segments, n, damage);
		s.holes += damage == HOLE;
		for (uint32_t i = 0; i < n; i++)
			s.bytes += s.v[s.segments + i]->len;
		s.segments += n;
		s.end[s.cnt++] = s.segments;
	}
	return s;
}

/* The bytes that come out. */
static uint64_t push(struct et_order_env *env, const struct et_segment *const *v, uint32_t n)
{
	struct et_order order = { 0 };
	struct et_piece piece;
	uint64_t bytes = 0;

	et_order_syn(&order, v[0]->seq - 1);
	for (uint32_t i = 0; i < n; i++) {
		if (!et_order_push(&order, env, &piece, v[i], i))
			continue;
		bytes += piece.bytes.n;
		while (et_order_next(&order, env, &piece, false))
			bytes += piece.bytes.n;
	}
	while (et_order_next(&order, env, &piece, true))
		bytes += piece.bytes.n;
	et_order_done(&order, env);
	return bytes;
}

static void measure(struct bench *b, struct inputs *in, enum damage damage, uint32_t conns,
	uint32_t rounds, const char *name)
{
	struct et_order_env *env = &in->parsers.env.order;
	struct sides s = sides_of(&in->storm, conns, damage);
	uint64_t gaps = env->counts->gaps, bytes = 0;

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++)
		for (uint32_t k = 0, at = 0; k < s.cnt; at = s.end[k++])
			bytes += push(env, s.v + at, s.end[k] - at);
	bench_stop(b);
	bench_check(b, bytes == s.bytes * rounds, "%s: bytes are missing", name);
	bench_check(b, env->counts->gaps - gaps == s.holes * rounds, "%s: other holes", name);
	bench_row(b, "segment", (uint64_t)s.segments * rounds, bytes, "%s", name);
	free(s.v);
	free(s.end);
}

void room_order(struct bench *b, struct inputs *in)
{
	uint32_t conns = in->storm.conns, few = conns < WARM ? conns : WARM;

	measure(b, in, IN_ORDER, few, bench_options(b)->quick ? 10 : 400, "in order, warm");
	measure(b, in, IN_ORDER, conns, 1, "in order");
	measure(b, in, SWAPPED, conns, 1, "two segments of each side swapped");
	measure(b, in, HOLE, conns, 1, "a segment of each side missing");
}
