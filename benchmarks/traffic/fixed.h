/*
 * What OpenSSL would take from the machine, taken from the seed instead: random bytes and the time.
 *
 * Process-wide, to be called once before the first key is made; not for threads.
 */
#ifndef ET_FIXED_H
#define ET_FIXED_H

#include <stdint.h>

/* 2026-11-22T10:00:00Z: the first packet of every capture, and the time that OpenSSL sees. */
#define ET_FIXED_EPOCH_S 1795341600

/* 0, or -1 when this OpenSSL does not let its generator be replaced. */
int et_fixed_install(uint64_t seed);

#endif
