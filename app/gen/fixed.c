/* SPDX-License-Identifier: BSD-3-Clause */

/* RAND_set_rand_method() is deprecated since 3.0, and still the one way to replace the generator
 * without writing a provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "fixed.h"

#include <openssl/rand.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "rng.h"

/* GnuTLS asks already when it is loaded: any state but zero will do then */
static struct gen_rng openssl_rng, system_rng = { { 1, 2, 3, 4 } };
static time_t epoch;
static bool ended; /* set once, before there are threads */

static int fixed_bytes(unsigned char *buf, int num)
{
	if (num < 0)
		return 0;
	gen_rng_bytes(&openssl_rng, buf, (size_t)num);
	return 1;
}

static int fixed_status(void)
{
	return 1;
}

int gen_fixed_install(uint64_t seed, uint64_t epoch_s)
{
	static RAND_METHOD method = {
		.bytes = fixed_bytes,
		.pseudorand = fixed_bytes,
		.status = fixed_status,
	};

	epoch = (time_t)epoch_s;
	gen_rng_seed(&openssl_rng, seed, UINT64_MAX);
	gen_rng_seed(&system_rng, seed, UINT64_MAX - 2);
	return RAND_set_rand_method(&method) == 1 ? 0 : -1;
}

void gen_fixed_end(void)
{
	ended = true;
}

uint64_t gen_real_ns(void)
{
	struct timespec now = { 0 };

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* GnuTLS seeds its generator from this when it is loaded, and again
 * when it is told to (stack_gnutls.c). */
ssize_t getrandom(void *buf, size_t len, unsigned flags)
{
	if (ended)
		return syscall(SYS_getrandom, buf, len, flags);
	gen_rng_bytes(&system_rng, buf, len);
	return (ssize_t)len;
}

int getentropy(void *buf, size_t len)
{
	if (ended)
		return syscall(SYS_getrandom, buf, len, 0) == (ssize_t)len ? 0 : -1;
	gen_rng_bytes(&system_rng, buf, len);
	return 0;
}

/*
 * Session tickets hold the time, encrypted, and GnuTLS mixes it into its random numbers: with the
 * machine's clock two runs would differ.
 */
time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec now;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &now);
	tv->tv_sec = now.tv_sec;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	if (ended)
		return (int)syscall(SYS_clock_gettime, id, out);
	*out = (struct timespec){ .tv_sec = epoch };
	return 0;
}
