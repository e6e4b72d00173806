/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_VERDICT_H
#define GEN_VERDICT_H

/* From the recording to the truth: outcome, cause and end of a script, by its story. */

#include "wiretap.h"

/* Behind a recorded handshake. 0, or -1 when the stacks did not do what the story tells. */
int gen_verdict_tls(struct gen_script *script, const struct gen_profile *profile,
	const struct gen_wiretap *tap);

/* For the stories without TLS. */
void gen_verdict_clear(struct gen_script *script, const struct gen_profile *profile);

#endif
