/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/packet: a frame becomes a segment; and what lib/flow makes of that before it looks it up. */

#include "rooms.h"

#define WARM  64 /* frames: some 14 KiB */
#define AHEAD 8
#define SEED  1

static uint64_t decode(const struct et_frame *frame, uint64_t *kept)
{
	struct et_segment segment;

	if (et_packet_decode(&segment, frame) != ET_KEEP)
		return 0;
	++*kept;
	return segment.len + segment.seq + segment.src_port;
}

static void warm(struct bench *b, const struct corpus *c)
{
	uint32_t rounds = bench_options(b)->quick ? 100 : 10000;
	uint64_t kept = 0, sum = 0;

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++)
		for (uint32_t i = 0; i < WARM; i++)
			sum += decode(&c->frames[i], &kept);
	bench_stop(b);
	bench_check(b, kept == (uint64_t)rounds * WARM, "frames were given up");
	bench_row(b, "frame", kept, sum, "decode, warm");
}

static void cold(struct bench *b, const struct corpus *c, const char *name, uint32_t ahead)
{
	uint64_t kept = 0, sum = 0;

	bench_start(b);
	for (uint32_t i = 0; i < c->cnt; i++) {
		if (ahead && i + ahead < c->cnt) {
			__builtin_prefetch(c->frames[i + ahead].data);
			__builtin_prefetch(c->frames[i + ahead].data + ET_CACHE_LINE);
		}
		sum += decode(&c->frames[i], &kept);
	}
	bench_stop(b);
	bench_check(b, kept == c->cnt, "frames were given up");
	bench_row(b, "frame", kept, sum, "%s", name);
}

static void key_and_hash(struct bench *b, const struct corpus *c)
{
	uint64_t sum = 0, sides = 0;

	bench_start(b);
	for (uint32_t i = 0; i < c->cnt; i++) {
		struct et_flow_key key;
		uint64_t hash;

		sides += et_flow_key(&key, &hash, &c->segments[i], SEED) == c->places[i].side;
		sum += hash + key.port[0];
	}
	bench_stop(b);
	bench_check(b, sides == c->cnt, "a segment has changed sides");
	bench_row(b, "segment", c->cnt, sum, "key and hash");
}

void room_decode(struct bench *b, struct inputs *in)
{
	warm(b, &in->storm);
	cold(b, &in->storm, "decode, storm", 0);
	cold(b, &in->storm, "decode, storm, prefetched", AHEAD);
	cold(b, &in->gateway, "decode, gateway", 0);
	key_and_hash(b, &in->storm);
}
