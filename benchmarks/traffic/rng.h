/*
 * Random numbers that can be repeated: xoshiro256** seeded by splitmix64.
 *
 * Everything that et-traffic draws comes from here, also what OpenSSL asks for, so that one seed
 * gives one capture. A generator belongs to its caller; no state is shared, nothing is allocated.
 * Good enough to vary traffic, useless for secrets: no key made from it protects anything.
 */
#ifndef ET_RNG_H
#define ET_RNG_H

#include <stddef.h>
#include <stdint.h>

struct et_rng {
	uint64_t s[4];
};

/* One independent stream per (seed, stream): session 17 is the same whatever runs beside it. */
void et_rng_seed(struct et_rng *r, uint64_t seed, uint64_t stream);

uint64_t et_rng_next(struct et_rng *r);

/* Uniform in [0, n); n must not be 0. */
uint32_t et_rng_below(struct et_rng *r, uint32_t n);

/* Uniform in [0, 1). */
double et_rng_unit(struct et_rng *r);

/* Log-normal with the given median; sigma is that of the logarithm. */
double et_rng_lognormal(struct et_rng *r, double median, double sigma);

void et_rng_bytes(struct et_rng *r, uint8_t *out, size_t len);

#endif
