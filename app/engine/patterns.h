/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "et_match.h"

/*
 * The compiled patterns, from the user's cache folder if they are there ($XDG_CACHE_HOME or
 * ~/.cache, ehlotap/patterns.hs), else compiled and put there. NULL with a sentence in err.
 */
struct et_match_db *patterns_open(char *err, size_t err_cap);

/* A number that nobody outside can guess, for the hashes of flows. */
uint64_t hash_seed_new(void);

#endif
