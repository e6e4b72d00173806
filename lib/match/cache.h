/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CACHE_H
#define CACHE_H

/*
 * The compiled database on disk. Private to match. A file is believed only when it belongs to the
 * user, nobody else may write it, and it was made of this pattern table by this Hyperscan for this
 * kind of CPU; its bytes are checked by a sum. Anything else reads as "not there".
 */

#include <hs.h>

hs_database_t *cache_load(const char *path);
/* Writes a temporary file beside it and renames; failure is no matter and leaves nothing. */
void cache_store(const char *path, const hs_database_t *hs);

#endif
