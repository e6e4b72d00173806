/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PAIRS_H
#define GEN_PAIRS_H

/*
 * Who failed with whom: what a later delivery in clear is a fallback from. Only pairs whose TLS has
 * failed take memory.
 */

#include "session.h"

struct gen_pairs;

struct gen_pairs *gen_pairs_new(void); /* NULL: no memory */
void gen_pairs_free(struct gen_pairs *pairs);

/*
 * The session's outcome has been decided; sessions come in the order in which they are. Sets its
 * fallback. 0 or -ENOMEM.
 */
int gen_pairs_decided(struct gen_pairs *pairs, struct gen_session *s);

#endif
