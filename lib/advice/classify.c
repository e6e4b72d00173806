/* SPDX-License-Identifier: BSD-3-Clause */
#include "advice_parts.h"

#include <string.h>

static const struct {
	const char *code; /* and all below it */
	enum et_advice_class class;
} classes[] = {
	/* the longer path before the shorter one */
	{ "no_shared_cipher", ET_ADVICE_NEGOTIATION },
	{ "protocol_version", ET_ADVICE_NEGOTIATION },
	{ "inappropriate_fallback/downgrade_sentinel", ET_ADVICE_ELSEWHERE },
	{ "inappropriate_fallback", ET_ADVICE_NEGOTIATION },
	{ "dh_too_small", ET_ADVICE_NEGOTIATION },
	{ "certificate_rejected/curve", ET_ADVICE_NEGOTIATION },
	{ "alert/encrypted", ET_ADVICE_ELSEWHERE },
	{ "alert", ET_ADVICE_MAYBE },
	{ "lost/closed_by_server/after_client_hello", ET_ADVICE_MAYBE },
	{ "lost/reset_by_server/after_client_hello", ET_ADVICE_MAYBE },
	{ "lost/timeout", ET_ADVICE_HIDDEN },
	{ "capture", ET_ADVICE_HIDDEN },
	{ "starttls_not_offered", ET_ADVICE_CLEAR },
	{ "starttls_not_used", ET_ADVICE_CLEAR },
	{ "starttls_masked", ET_ADVICE_CLEAR },
	{ "plaintext_to_tls_port", ET_ADVICE_CLEAR },
};

enum et_advice_class et_advice_class(const char *code)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		size_t n = strlen(classes[i].code);

		if (strncmp(code, classes[i].code, n) == 0 && (code[n] == '\0' || code[n] == '/'))
			return classes[i].class;
	}
	return ET_ADVICE_ELSEWHERE;
}

const char *et_advice_fate_name(enum et_advice_fate fate)
{
	static const char *const names[] = {
#define X(id, name) name,
		ET_ADVICE_FATES(X)
#undef X
	};

	return names[fate];
}

const char *et_advice_doubt_name(enum et_advice_doubt doubt)
{
	static const char *const names[] = {
#define X(id, name) name,
		ET_ADVICE_DOUBTS(X)
#undef X
	};

	return names[doubt];
}

bool advice_forward_secret(uint16_t version, uint32_t cipher)
{
	const struct et_iana_suite *suite =
		cipher <= UINT16_MAX ? et_iana_suite((uint16_t)cipher) : NULL;

	return version == ET_TLSV1_3 ||
	       (suite && (suite->kx == ET_KX_ECDHE || suite->kx == ET_KX_DHE));
}

const char *const et_advice_sets[ET_ADVICE_SETS] = {
	"ecdsa:P-256",
	"rsa:2048",
	"ecdsa:P-384",
	"rsa:3072",
	"ed25519",
	"ecdsa:P-256,rsa:2048",
	"ecdsa:P-384,rsa:2048",
	"ecdsa:P-256,rsa:3072",
	"ecdsa:P-384,rsa:3072",
	"ed25519,ecdsa:P-256",
	"ed25519,rsa:2048",
	"ed25519,ecdsa:P-384",
	"ed25519,rsa:3072",
	"ed25519,ecdsa:P-256,rsa:2048",
	"ed25519,ecdsa:P-384,rsa:2048",
	"ed25519,ecdsa:P-256,rsa:3072",
	"ed25519,ecdsa:P-384,rsa:3072",
};
