/* SPDX-License-Identifier: BSD-3-Clause */
#include "ready.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixed.h"

int gen_ready_make(struct gen_ready *out, const char *path, uint64_t seed)
{
	char error[GEN_ERROR];
	int rc;

	*out = (struct gen_ready){ 0 };
	if (gen_profile_load(&out->profile, error, path) != 0) {
		rc = 2;
	} else if (gen_fixed_install(seed, out->profile.start_s) != 0) {
		snprintf(error, sizeof(error),
			"this OpenSSL does not let its random numbers be set");
		rc = 1;
	} else {
		rc = gen_scripts_make(&out->scripts, error, &out->profile) != 0;
	}
	if (rc != 0)
		fprintf(stderr, "ehlotap gen: %s\n", error);
	return rc;
}

void gen_ready_free(struct gen_ready *ready)
{
	gen_scripts_free(&ready->scripts);
	gen_profile_free(&ready->profile);
}

bool gen_ready_seed(uint64_t *seed, const char *text)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno)
		return true;
	fprintf(stderr, "ehlotap gen: --seed takes a number, not \"%s\"\n", text);
	return false;
}

void gen_ready_sum_up(const struct gen_run *run, uint64_t took_ns, uint64_t packets, uint64_t bytes)
{
	double span = run->last_ns > run->profile->start_s * 1000000000
			      ? (double)(run->last_ns - run->profile->start_s * 1000000000) / 1e9
			      : 0;

	fprintf(stderr,
		"%" PRIu64 " sessions, %" PRIu64 " at a time at most, %" PRIu64 " packets, %" PRIu64
		" bytes, %.1f s of traffic, made in %.1f s\n",
		run->sessions, run->open_max, packets, bytes, span, (double)took_ns / 1e9);
	if (run->touched)
		fprintf(stderr, "%" PRIu64 " sessions lost packets\n", run->touched);
}
