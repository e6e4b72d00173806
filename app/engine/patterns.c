/* SPDX-License-Identifier: BSD-3-Clause */
#include "patterns.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

/*
 * Where the compiled patterns are kept between runs; false when there is no such place. A folder
 * that cannot be made shows when the patterns are stored, which may fail.
 */
static bool cache_path(char *path, size_t cap)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const char *base = xdg && *xdg == '/' ? xdg : home;
	const char *below = base == xdg ? "" : "/.cache";
	static const char *const parts[] = { "", "/ehlotap", "/ehlotap/patterns.hs" };

	if (!base || *base != '/')
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int n = snprintf(path, cap, "%s%s%s", base, below, parts[i]);

		if (n < 0 || (size_t)n >= cap)
			return false;
		if (i + 1 < sizeof(parts) / sizeof(parts[0]))
			mkdir(path, 0700);
	}
	return true;
}

struct et_match_db *patterns_open(char *err, size_t err_cap)
{
	char path[4096];

	return et_match_db_new(err, err_cap, cache_path(path, sizeof(path)) ? path : NULL);
}

uint64_t hash_seed_new(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15;
	return seed;
}
