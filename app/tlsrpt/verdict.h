/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VERDICT_H
#define VERDICT_H

#include "et_policy.h"

/*
 * What a session without TLS is to a TLSRPT report. The first ones are failures, each a result-type
 * of RFC 8460 4.3; the last two are in none of its counts.
 */
enum verdict {
	VERDICT_NOT_SUPPORTED,
	VERDICT_HOST_MISMATCH,
	VERDICT_EXPIRED,
	VERDICT_NOT_TRUSTED,
	VERDICT_VALIDATION,
	VERDICT_FAILURES,
	VERDICT_UNDECIDED = VERDICT_FAILURES, /* nothing was seen that decides */
	VERDICT_NOT_TRIED,                    /* the client never asked for TLS */
	VERDICT_MAX,
};

/* "certificate-expired"; NULL if it is no failure. */
const char *verdict_result_type(enum verdict verdict);

/*
 * Judges a cause (docs/causes.md). A cause that is only possible gives no result-type of a
 * certificate: it is a validation-failure. A code that is not known here decides nothing.
 */
enum verdict verdict_of(const char *code, enum et_confidence confidence);

#endif
