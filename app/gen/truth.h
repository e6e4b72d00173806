/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_TRUTH_H
#define GEN_TRUTH_H

/*
 * The truth: a session record per session, in the order in which they end, with the keys that the
 * generator knows; docs/man/ehlotap-gen.1 tells what is added to those of docs/records.md.
 */

#include "out.h"
#include "script.h"

struct gen_session;

/* Writes down what is the same in all records of the script. 0 or -1 when memory is short. */
int gen_truth_fix(struct gen_script *script);

/* One record. 0 or -EIO. */
int gen_truth_put(struct gen_out *out, const struct gen_session *s);

#endif
