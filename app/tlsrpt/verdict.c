/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict.h"

#include <string.h>

const char *verdict_result_type(enum verdict verdict)
{
	static const char *const names[VERDICT_FAILURES] = {
		[VERDICT_NOT_SUPPORTED] = "starttls-not-supported",
		[VERDICT_HOST_MISMATCH] = "certificate-host-mismatch",
		[VERDICT_EXPIRED] = "certificate-expired",
		[VERDICT_NOT_TRUSTED] = "certificate-not-trusted",
		[VERDICT_VALIDATION] = "validation-failure",
	};

	return verdict < VERDICT_FAILURES ? names[verdict] : NULL;
}

/* A code, or the beginning of a path; the first row that fits decides. */
static const struct {
	const char *code;
	enum verdict verdict;
} rows[] = {
	/* there was no TLS to be had, as far as the client could see */
	{ "starttls_not_offered", VERDICT_NOT_SUPPORTED },
	{ "starttls_masked", VERDICT_NOT_SUPPORTED },
	{ "starttls_refused", VERDICT_NOT_SUPPORTED },
	{ "starttls_unanswered", VERDICT_VALIDATION },
	/* the client's own choice says nothing of the server */
	{ "starttls_not_used", VERDICT_NOT_TRIED },
	{ "plaintext_to_tls_port", VERDICT_NOT_TRIED },
	{ "tls_to_plaintext_port", VERDICT_VALIDATION },
	{ "certificate_rejected/name_mismatch", VERDICT_HOST_MISMATCH },
	{ "certificate_rejected/expired", VERDICT_EXPIRED },
	/* of keys and signatures, not of trust */
	{ "certificate_rejected/curve", VERDICT_VALIDATION },
	{ "certificate_rejected/decrypt_error", VERDICT_VALIDATION },
	{ "certificate_rejected", VERDICT_NOT_TRUSTED },
	{ "broken/after_handshake/certificate_name_mismatch", VERDICT_HOST_MISMATCH },
	{ "broken/after_handshake/certificate_expired", VERDICT_EXPIRED },
	{ "broken/after_handshake/certificate_not_yet_valid", VERDICT_NOT_TRUSTED },
	{ "broken/after_handshake/certificate_self_signed", VERDICT_NOT_TRUSTED },
	{ "broken/after_handshake/certificate_wrong_usage", VERDICT_NOT_TRUSTED },
	{ "broken", VERDICT_VALIDATION },
	{ "no_shared_cipher", VERDICT_VALIDATION },
	{ "dh_too_small", VERDICT_VALIDATION },
	{ "protocol_version", VERDICT_VALIDATION },
	{ "inappropriate_fallback", VERDICT_VALIDATION },
	{ "hello_intolerance", VERDICT_VALIDATION },
	{ "client_certificate", VERDICT_VALIDATION },
	{ "unrecognized_name", VERDICT_VALIDATION },
	{ "no_application_protocol", VERDICT_VALIDATION },
	{ "alert", VERDICT_VALIDATION },
	{ "lost/timeout", VERDICT_UNDECIDED },
	{ "lost", VERDICT_VALIDATION },
	{ "capture", VERDICT_UNDECIDED },
};

static bool is_below(const char *code, const char *path)
{
	size_t n = strlen(path);

	return strncmp(code, path, n) == 0 && (code[n] == '\0' || code[n] == '/');
}

/* Before a ClientHello no TLS was tried yet: who closes then may be a probe. */
static bool is_before_hello(const char *code)
{
	const char *last = strrchr(code, '/');

	return last && is_below(code, "lost") &&
	       (strcmp(last, "/after_starttls") == 0 || strcmp(last, "/after_nothing") == 0);
}

static bool is_of_certificate(enum verdict verdict)
{
	return verdict == VERDICT_HOST_MISMATCH || verdict == VERDICT_EXPIRED ||
	       verdict == VERDICT_NOT_TRUSTED;
}

enum verdict verdict_of(const char *code, enum et_confidence confidence)
{
	if (is_before_hello(code))
		return VERDICT_UNDECIDED;
	/* with holes in the capture, the answer may be in one */
	if (confidence == ET_POSSIBLE && is_below(code, "starttls_unanswered"))
		return VERDICT_UNDECIDED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!is_below(code, rows[i].code))
			continue;
		return confidence == ET_POSSIBLE && is_of_certificate(rows[i].verdict)
			       ? VERDICT_VALIDATION
			       : rows[i].verdict;
	}
	return VERDICT_UNDECIDED;
}
