/* RAND_set_rand_method() is deprecated since 3.0, and still the one way to replace the generator
 * without writing a provider. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "fixed.h"

#include "rng.h"

#include <openssl/rand.h>
#include <sys/time.h>
#include <time.h>

static struct et_rng generator;

static int fixed_bytes(unsigned char *buf, int num)
{
	if (num < 0)
		return 0;
	et_rng_bytes(&generator, buf, (size_t)num);
	return 1;
}

static int fixed_status(void)
{
	return 1;
}

int et_fixed_install(uint64_t seed)
{
	static RAND_METHOD method = {
		.bytes = fixed_bytes,
		.pseudorand = fixed_bytes,
		.status = fixed_status,
	};

	et_rng_seed(&generator, seed, UINT64_MAX);
	return RAND_set_rand_method(&method) == 1 ? 0 : -1;
}

/*
 * Session tickets hold the time, encrypted: with the machine's clock two runs would differ. These
 * two stand before the C library's for the whole process, libssl included (3.0 asks time(), later
 * versions gettimeofday()). The program itself needs no clock.
 */
time_t time(time_t *out)
{
	if (out)
		*out = ET_FIXED_EPOCH_S;
	return ET_FIXED_EPOCH_S;
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	(void)tz;
	tv->tv_sec = ET_FIXED_EPOCH_S;
	tv->tv_usec = 0;
	return 0;
}
