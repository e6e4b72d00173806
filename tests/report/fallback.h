/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FALLBACK_H
#define FALLBACK_H

#include "../stats/sample.h"

/* What policy is to say of a session that carried mail in clear. */
void sample_fallback(struct sample *sample, size_t session, struct et_fallback fallback);

#endif
