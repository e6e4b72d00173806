/* SPDX-License-Identifier: BSD-3-Clause */
#include "rng.h"

#include <math.h>
#include <string.h>

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, unsigned k)
{
	return (x << k) | (x >> (64 - k));
}

void gen_rng_seed(struct gen_rng *rng, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed ^ (stream * 0xd1342543de82ef95u);

	for (unsigned i = 0; i < 4; i++)
		rng->s[i] = splitmix(&x);
}

uint64_t gen_rng_next(struct gen_rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t out = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return out;
}

uint32_t gen_rng_below(struct gen_rng *rng, uint32_t n)
{
	return (uint32_t)(((gen_rng_next(rng) >> 32) * n) >> 32);
}

double gen_rng_unit(struct gen_rng *rng)
{
	return (double)(gen_rng_next(rng) >> 11) * 0x1p-53;
}

int gen_rng_chance(struct gen_rng *rng, double share)
{
	if (share <= 0)
		return 0;
	return share >= 1 || gen_rng_unit(rng) < share;
}

double gen_rng_lognormal(struct gen_rng *rng, double mu, double sigma)
{
	/* Box-Muller; 1 - u keeps the logarithm away from 0 */
	double radius = sqrt(-2.0 * log(1.0 - gen_rng_unit(rng)));
	double angle = 6.283185307179586 * gen_rng_unit(rng);

	return exp(mu + sigma * radius * cos(angle));
}

double gen_rng_exponential(struct gen_rng *rng, double mean)
{
	return -mean * log(1.0 - gen_rng_unit(rng));
}

void gen_rng_bytes(struct gen_rng *rng, uint8_t *out, size_t len)
{
	while (len > 0) {
		uint64_t x = gen_rng_next(rng);
		size_t n = len < sizeof(x) ? len : sizeof(x);

		memcpy(out, &x, n);
		out += n;
		len -= n;
	}
}

uint64_t gen_rng_hash(uint64_t seed, uint64_t i)
{
	uint64_t x = seed + i * 0xd1342543de82ef95u;

	return splitmix(&x);
}
