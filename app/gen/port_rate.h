/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PORT_RATE_H
#define GEN_PORT_RATE_H

/*
 * When each frame is due, in cycles of the time stamp counter. The schedule is a sum from the begin,
 * never from the frame before: what is late does not move what comes after it.
 */

#include <stdbool.h>
#include <stdint.h>

/* Beside its bytes a frame takes a checksum, preamble and gap of the wire: 4, 8 and 12 bytes; and it
 * has 64 bytes with the checksum at least: IEEE 802.3 3.1.1, 4.4.2. */
#define GEN_WIRE_MORE 24
#define GEN_WIRE_LESS 84

struct gen_rate {
	enum gen_rate_kind { GEN_RATE_MAX, GEN_RATE_TIME, GEN_RATE_PACKETS, GEN_RATE_BITS } kind;
	double per_s; /* of packets or bits */
};

/* "500kpps", "3Gbit", "max", "time". False: it is none of them. */
bool gen_rate_read(struct gen_rate *out, const char *text);

uint64_t gen_wire_bytes(uint32_t len);

struct gen_schedule {
	struct gen_rate rate;
	uint64_t cycles_per_s;
	uint64_t begin;    /* of the second that runs: when what is in `units` began */
	uint64_t units;    /* packets or bits of this second that are scheduled */
	uint64_t first_ns; /* time of the first frame; by the frames' own time */
};

void gen_schedule_begin(struct gen_schedule *s, const struct gen_rate *rate, uint64_t now,
	uint64_t cycles_per_s, uint64_t first_ns);

/* When the next frame is due; it stays the next. */
uint64_t gen_schedule_due(const struct gen_schedule *s, uint64_t ts_ns);

/* It is sent, or given up: the one behind it is the next. */
void gen_schedule_pass(struct gen_schedule *s, uint32_t len);

#endif
