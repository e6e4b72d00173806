/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_store.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "script.h"

#define ALIGN      16
#define NET_FIRST  10  /* 10.0.0.0/8, as session.c numbers clients */
#define NET_CNT    126 /* 127 is the machine's own */
#define NUMBER_MAX 24  /* bits of a client's number */
#define GAP_NS     100000

/* ---- the frames */

static int put(struct gen_sink *sink, const struct gen_frame *frame)
{
	struct gen_store *s = (struct gen_store *)sink;
	uint64_t need = (sizeof(struct gen_stored) + frame->len + ALIGN - 1) / ALIGN * ALIGN;
	struct gen_stored *to = (struct gen_stored *)(void *)(s->bytes + s->used);

	if (need > s->size - s->used)
		return -ENOSPC;
	*to = (struct gen_stored){
		.ts_ns = frame->ts_ns, .len = frame->len, .ip_at = frame->ip_at, .dir = frame->dir
	};
	memcpy(to + 1, frame->bytes, frame->len);
	s->used += need;
	if (sink->frames++ == 0)
		s->first_ns = frame->ts_ns;
	s->span_ns = frame->ts_ns - s->first_ns + GAP_NS;
	sink->bytes += frame->len;
	return 0;
}

static int end(struct gen_sink *sink)
{
	(void)sink;
	return 0;
}

int gen_store_open(struct gen_store *s, uint64_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*s = (struct gen_store){ .sink = { .frame = put, .close = end } };
	if (bytes == MAP_FAILED)
		return -errno;
	madvise(bytes, size, MADV_HUGEPAGE);
	s->bytes = bytes;
	s->size = size;
	return 0;
}

void gen_store_close(struct gen_store *s)
{
	if (s->bytes)
		munmap(s->bytes, s->size);
	s->bytes = NULL;
}

const struct gen_stored *gen_store_next(const struct gen_store *s, uint64_t *at)
{
	const struct gen_stored *frame = (const struct gen_stored *)(const void *)(s->bytes + *at);

	if (*at >= s->used)
		return NULL;
	*at += (sizeof(*frame) + frame->len + ALIGN - 1) / ALIGN * ALIGN;
	return frame;
}

/* ---- addresses of another loop */

static uint32_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

struct gen_turn gen_turn_of(uint64_t loop, uint64_t clients)
{
	struct gen_turn turn = { 0 };
	unsigned bits = 0;
	uint64_t rest;
	uint32_t net;

	while (clients >> bits) /* numbers count from 1 */
		bits++;
	rest = loop >> (NUMBER_MAX - bits);
	net = (uint32_t)((NET_FIRST - 1 + rest) % NET_CNT + 1);
	turn.v4 = (net - NET_FIRST) << NUMBER_MAX |
		  (uint32_t)(loop << bits & ((1u << NUMBER_MAX) - 1));
	turn.v6 = (uint32_t)loop;
	/* minus x is the complement of x */
	turn.v4_sum = fold((uint64_t)(net << 8) + (~(NET_FIRST << 8u) & 0xffff) +
			   (turn.v4 >> 16 & 0xff) + (turn.v4 & 0xffff));
	turn.v6_sum = fold((turn.v6 >> 16) + (uint64_t)(turn.v6 & 0xffff));
	return turn;
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* RFC 1624 3: HC' = ~(~HC + ~m + m') */
static void change_sum(uint8_t *at, uint32_t sum)
{
	put16(at, ~fold((uint64_t)(~get16(at) & 0xffff) + sum) & 0xffff);
}

void gen_turn_apply(const struct gen_turn *turn, uint8_t *bytes, const struct gen_stored *frame)
{
	uint8_t *ip = bytes + frame->ip_at, *p;
	uint32_t v4;

	if (ip[0] >> 4 == 4) {
		p = ip + (frame->dir == GEN_CLIENT ? 12 : 16);
		v4 = (get16(p) << 16 | get16(p + 2)) + turn->v4;
		put16(p, v4 >> 16);
		put16(p + 2, v4 & 0xffff);
		change_sum(ip + 10, turn->v4_sum);
		change_sum(ip + 20 + 16, turn->v4_sum);
		return;
	}
	p = ip + (frame->dir == GEN_CLIENT ? 8 : 24) + 8;
	put16(p, turn->v6 >> 16);
	put16(p + 2, turn->v6 & 0xffff);
	change_sum(ip + 40 + 16, turn->v6_sum);
}
