/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_RNG_H
#define GEN_RNG_H

/*
 * Random numbers that can be repeated: xoshiro256** seeded by splitmix64.
 *
 * Everything that is drawn comes from here, also what the TLS stacks ask for, so that one seed gives
 * one capture. A generator belongs to its caller; no state is shared, nothing is allocated. Good
 * enough to vary traffic, useless for secrets: no key made from it protects anything.
 */

#include <stddef.h>
#include <stdint.h>

struct gen_rng {
	uint64_t s[4];
};

/* One independent stream per (seed, stream): session 17 is the same whatever runs beside it. */
void gen_rng_seed(struct gen_rng *rng, uint64_t seed, uint64_t stream);

uint64_t gen_rng_next(struct gen_rng *rng);

/* Uniform in [0, n); n must not be 0. */
uint32_t gen_rng_below(struct gen_rng *rng, uint32_t n);

/* Uniform in [0, 1). */
double gen_rng_unit(struct gen_rng *rng);

/* True with this probability; draws only where it is neither 0 nor 1. */
int gen_rng_chance(struct gen_rng *rng, double share);

/* exp(mu + sigma * a standard normal): its median is exp(mu). */
double gen_rng_lognormal(struct gen_rng *rng, double mu, double sigma);

/* Exponential with that mean. */
double gen_rng_exponential(struct gen_rng *rng, double mean);

void gen_rng_bytes(struct gen_rng *rng, uint8_t *out, size_t len);

/* A number's own 64 random bits: what belongs to peer i for good. */
uint64_t gen_rng_hash(uint64_t seed, uint64_t i);

#endif
