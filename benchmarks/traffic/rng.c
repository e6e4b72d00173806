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

void et_rng_seed(struct et_rng *r, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed ^ (stream * 0xd1342543de82ef95u);

	for (unsigned i = 0; i < 4; i++)
		r->s[i] = splitmix(&x);
}

uint64_t et_rng_next(struct et_rng *r)
{
	uint64_t *s = r->s;
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

uint32_t et_rng_below(struct et_rng *r, uint32_t n)
{
	return (uint32_t)(((et_rng_next(r) >> 32) * n) >> 32);
}

double et_rng_unit(struct et_rng *r)
{
	return (double)(et_rng_next(r) >> 11) * 0x1p-53;
}

double et_rng_lognormal(struct et_rng *r, double median, double sigma)
{
	/* Box-Muller; 1 - u keeps the logarithm away from 0 */
	double radius = sqrt(-2.0 * log(1.0 - et_rng_unit(r)));
	double angle = 6.283185307179586 * et_rng_unit(r);

	return median * exp(sigma * radius * cos(angle));
}

void et_rng_bytes(struct et_rng *r, uint8_t *out, size_t len)
{
	while (len > 0) {
		uint64_t x = et_rng_next(r);
		size_t n = len < sizeof(x) ? len : sizeof(x);

		memcpy(out, &x, n);
		out += n;
		len -= n;
	}
}
