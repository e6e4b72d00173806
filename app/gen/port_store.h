/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PORT_STORE_H
#define GEN_PORT_STORE_H

/*
 * Frames in memory, to be sent more than once. A frame takes its own bytes and 16 more, where one
 * that waits in a buffer of DPDK takes more than 2 KiB; sending copies it.
 *
 * Each loop has clients of its own, so that its connections are new: IPv4 clients get another first
 * byte (10 to 126, then 1 to 9) and other bits above their number, IPv6 clients another third
 * quarter. Servers stay. Checksums are put right by the difference: RFC 1624.
 */

#include "sink.h"

struct gen_store {
	struct gen_sink sink;
	uint8_t *bytes;
	uint64_t size, used;
	uint64_t first_ns, span_ns; /* of time: from the first frame to a little behind the last */
};

/* One in the store; its bytes follow. */
struct gen_stored {
	uint64_t ts_ns;
	uint32_t len;
	uint16_t ip_at;
	uint8_t dir;
	uint8_t unused;
};

/* For at most `size` bytes of memory, taken as it fills. Its sink ends with -ENOSPC when it is
 * full; closing the sink does nothing. 0 or -errno. */
int gen_store_open(struct gen_store *store, uint64_t size);
void gen_store_close(struct gen_store *store);

/* The frame at offset *at, which moves on; NULL: behind the last. */
const struct gen_stored *gen_store_next(const struct gen_store *store, uint64_t *at);

/* What a loop adds to the addresses of clients, and to the sums. */
struct gen_turn {
	uint32_t v4, v6;
	uint32_t v4_sum, v6_sum; /* ones' complement sums of the change */
};

/* loop counts from 0, which changes nothing; clients: their number. */
struct gen_turn gen_turn_of(uint64_t loop, uint64_t clients);

/* The same for a copy of the frame. */
void gen_turn_apply(const struct gen_turn *turn, uint8_t *bytes, const struct gen_stored *frame);

#endif
