/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_RECORD_H
#define GEN_RECORD_H

/*
 * The scripts of a profile: each kind is played once for each stack, and once more with a session to
 * resume, by real TLS stacks, and what they wrote is kept.
 */

#include "script.h"

struct gen_scripts {
	struct gen_script *all;
	unsigned cnt;
	unsigned pool_cnt;
	struct gen_kind *late; /* kinds of the deliveries in clear after a failure; one per kind */
	int *fallback;         /* [cnt]: script of that delivery, -1: none */
};

/* 0, or -1 with a sentence in error. gen_scripts_free() is due in both cases. */
int gen_scripts_make(
	struct gen_scripts *out, char error[static GEN_ERROR], const struct gen_profile *profile);
void gen_scripts_free(struct gen_scripts *scripts);

#endif
