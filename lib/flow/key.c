/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_flow.h"

#include <string.h>

/* Odd constants of no meaning but that they have no pattern (digits of pi and e). */
static const uint64_t salt[3] = { 0x243f6a8885a308d3, 0x13198a2e03707345, 0xb7e151628aed2a6b };

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The two halves of a 64 x 64 bit product, folded: every input bit reaches every output bit. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Whether endpoint a (address, port) comes before b. Any total order does. */
static bool before(
	const struct et_addr *a, uint16_t a_port, const struct et_addr *b, uint16_t b_port)
{
	uint64_t a_low = load64(a->b + 8), b_low = load64(b->b + 8);
	uint64_t a_high = load64(a->b), b_high = load64(b->b);

	if (et_likely(a_low != b_low))
		return a_low < b_low;
	if (a_high != b_high)
		return a_high < b_high;
	return a_port < b_port;
}

unsigned et_flow_key(struct et_flow_key *key, const struct et_segment *segment)
{
	unsigned side =
		before(&segment->src, segment->src_port, &segment->dst, segment->dst_port) ? 0 : 1;

	key->addr[side] = segment->src;
	key->addr[1 - side] = segment->dst;
	key->port[side] = segment->src_port;
	key->port[1 - side] = segment->dst_port;
	return side;
}

uint64_t et_flow_hash(const struct et_flow_key *key, uint64_t seed)
{
	uint64_t ports = (uint64_t)key->port[0] << 16 | key->port[1];
	uint64_t low = fold(load64(key->addr[0].b + 8) ^ salt[0] ^ seed,
		load64(key->addr[1].b + 8) ^ salt[1] ^ ports << 32);
	uint64_t high =
		fold(load64(key->addr[0].b) ^ salt[1] ^ seed, load64(key->addr[1].b) ^ salt[2]);

	return fold(low ^ ports ^ salt[2], high ^ salt[0] ^ seed);
}
