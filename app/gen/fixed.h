/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_FIXED_H
#define GEN_FIXED_H

/*
 * What the TLS stacks would take from the machine, taken from the seed instead: random bytes and
 * the time. fixed.c stands before the C library's getrandom(), getentropy(), time(), gettimeofday()
 * and clock_gettime() for the whole process, the TLS libraries included.
 *
 * Process-wide, to be called before the first key is made; not for threads.
 */

#include <stdint.h>

/* Random bytes from the seed, and a clock that stands at epoch_s. 0, or -1 when this OpenSSL does
 * not let its generator be replaced. */
int gen_fixed_install(uint64_t seed, uint64_t epoch_s);

/* Gives random bytes and the time back to the machine: no TLS stack may be used any more. */
void gen_fixed_end(void);

/* The machine's own clock, for the progress line: nanoseconds, monotonic. */
uint64_t gen_real_ns(void);

#endif
