/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_flow.h"

#include <string.h>

/* Odd constants of no meaning but that they have no pattern (digits of pi and e). */
static const uint64_t salt[2] = { 0x243f6a8885a308d3, 0xb7e151628aed2a6b };

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	/* into a register of its own: one load of both halves would wait for two stores */
	__asm__("" : "+r"(v));
	return v;
}

/* The two halves of a 64 x 64 bit product, folded: every input bit reaches every output bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* An endpoint in registers. */
struct end {
	uint64_t high, low; /* the halves of its address */
	uint16_t port;
};

static inline struct end end_of(const struct et_addr *addr, uint16_t port)
{
	return (struct end){ load64(addr->b), load64(addr->b + 8), port };
}

/* Whether endpoint a comes before b. Any total order does. */
static inline bool before(struct end a, struct end b)
{
	if (et_likely(a.low != b.low))
		return a.low < b.low;
	if (a.high != b.high)
		return a.high < b.high;
	return a.port < b.port;
}

/*
 * The same for (a, b) and (b, a) without putting them in order: products and sums do not ask for
 * it. The seed is in every factor: nobody can choose an address that makes one of them 0. Two
 * endpoints that fall together in the first product, by a port that makes up for an address, differ
 * in the second.
 */
static inline uint64_t hash_of(struct end a, struct end b, uint64_t seed)
{
	uint64_t low = fold(a.low ^ a.port ^ seed, b.low ^ b.port ^ seed);
	uint64_t rest = a.high + b.high + ((uint64_t)a.port * b.port << 16);

	return fold(low ^ salt[0] ^ seed, rest ^ salt[1] ^ (seed << 32 | seed >> 32));
}

/* By halves, as they were read: see et_addr_put_v4. */
static inline void put(struct et_flow_key *key, unsigned i, struct end end)
{
	memcpy(key->addr[i].b, &end.high, 8);
	memcpy(key->addr[i].b + 8, &end.low, 8);
	key->port[i] = end.port;
}

unsigned et_flow_key(
	struct et_flow_key *key, uint64_t *hash, const struct et_segment *segment, uint64_t seed)
{
	struct end src = end_of(&segment->src, segment->src_port);
	struct end dst = end_of(&segment->dst, segment->dst_port);
	unsigned side = !before(src, dst);

	put(key, side, src);
	put(key, 1 - side, dst);
	*hash = hash_of(src, dst, seed);
	return side;
}

uint64_t et_flow_hash(const struct et_flow_key *key, uint64_t seed)
{
	return hash_of(
		end_of(&key->addr[0], key->port[0]), end_of(&key->addr[1], key->port[1]), seed);
}
