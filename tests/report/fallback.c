/* SPDX-License-Identifier: BSD-3-Clause */
/* The sample with one more thing that its policy can be made to say. */
#include "../stats/sample.c" /* for struct et_policy, which is its own */

#include "fallback.h"

void sample_fallback(struct sample *sample, size_t session, struct et_fallback fallback)
{
	sample->policy->fallbacks[session] = fallback;
}
