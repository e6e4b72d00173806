/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *code;
	const char *words;
} causes[CAUSE_MAX] = {
	[CAUSE_NONE] = { "", "" },
	[CAUSE_HELLO_CUT] = { "unknown/hello_cut",
		"the hello's lists are longer than what is kept" },
	[CAUSE_NO_HELLO] = { "unknown/no_hello", "there is no hello to judge" },
	[CAUSE_SSLV3] = { "unknown/sslv3",
		"the client offers SSLv3 only, which this OpenSSL does not have" },
	[CAUSE_PROTOCOL_VERSION] = { "protocol_version", "no version in common" },
	[CAUSE_FALLBACK] = { "inappropriate_fallback",
		"the client comes back with less than it can (TLS_FALLBACK_SCSV)" },
	[CAUSE_NO_SUITES] = { "malformed_hello/no_suites", "the client's list of suites is empty" },
	[CAUSE_EXTENSION] = { "malformed_hello/extensions",
		"an extension stands there twice, or pre_shared_key is not the last" },
	[CAUSE_LIST] = { "malformed_hello/list",
		"supported_groups, signature_algorithms, ec_point_formats or a name of ALPN is "
		"empty, or the extension is damaged" },
	[CAUSE_COMPRESSION] = { "malformed_hello/compression",
		"the compression methods lack the null method, or TLS 1.3 finds others too" },
	[CAUSE_KEY_SHARE] = { "malformed_hello/key_share",
		"a key share for a group that supported_groups does not list" },
	[CAUSE_MISSING] = { "malformed_hello/missing_extension",
		"TLS 1.3 without supported_groups, signature_algorithms or key_share" },
	[CAUSE_MISSING_PSK_MODES] = { "malformed_hello/missing_psk_modes",
		"pre_shared_key without psk_key_exchange_modes" },
	[CAUSE_SUITES] = { "no_shared_cipher/suites", "no suite in common" },
	[CAUSE_KEY_TYPE] = { "no_shared_cipher/certificate_key_type",
		"the common suites need a certificate with another kind of key" },
	[CAUSE_DHE] = { "no_shared_cipher/dhe", "the common suites need DHE, which has no prime" },
	[CAUSE_GROUP] = { "no_shared_cipher/group",
		"no group in common; without supported_groups OpenSSL uses no curve" },
	[CAUSE_SIGALG] = { "no_shared_cipher/signature_algorithm",
		"the client takes no signature that the server's keys can make" },
	[CAUSE_CURVE] = { "no_shared_cipher/certificate_curve",
		"the client's supported_groups lack the curve of the ECDSA key" },
	[CAUSE_LEGACY_SIGNATURE] = { "no_shared_cipher/legacy_signature",
		"the client's version or hello asks for SHA-1, which needs security level 0" },
};

const char *cause_code(enum cause cause)
{
	return causes[cause].code;
}

const char *cause_words(const char *code)
{
	for (size_t i = 0; i < CAUSE_MAX; i++)
		if (strcmp(causes[i].code, code) == 0)
			return causes[i].words;
	return "";
}

void et_nego_key_text(
	char out[static ET_NEGO_KEY_TEXT], const struct et_nego_config *config, unsigned key)
{
	static const char *const kinds[ET_NEGO_KEYS] = { "rsa", "rsa-pss", "ecdsa", "ed25519",
		"ed448" };
	const char *curve;

	if (key >= ET_NEGO_KEYS || !config->certs[key].present) {
		snprintf(out, ET_NEGO_KEY_TEXT, "none");
		return;
	}
	curve = et_iana_group(config->certs[key].curve);
	if (key == ET_NEGO_ECDSA)
		snprintf(out, ET_NEGO_KEY_TEXT, "ecdsa:%s", curve ? curve : "?");
	else if (key == ET_NEGO_RSA || key == ET_NEGO_RSA_PSS)
		snprintf(out, ET_NEGO_KEY_TEXT, "%s:%u", kinds[key], config->certs[key].bits);
	else
		snprintf(out, ET_NEGO_KEY_TEXT, "%s", kinds[key]);
}

/* A text that grows; what does not fit is cut. */
struct text {
	char *p;
	size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->p + text->n, ET_NEGO_TEXT - text->n, format, args);
	va_end(args);
	if (n > 0)
		text->n +=
			(size_t)n < ET_NEGO_TEXT - text->n ? (size_t)n : ET_NEGO_TEXT - 1 - text->n;
}

static void add_choice(struct text *text, const struct et_nego_verdict *verdict,
	const struct et_nego_config *config)
{
	const struct et_iana_suite *suite = et_iana_suite(verdict->suite);
	const char *group = et_iana_group(verdict->group);
	char key[ET_NEGO_KEY_TEXT];

	add(text, "%s with cipher %s", et_iana_version(verdict->version),
		!suite           ? "?"
		: suite->openssl ? suite->openssl
				 : suite->name);
	et_nego_key_text(key, config, verdict->key);
	add(text, ", key %s", key);
	if (verdict->group)
		add(text, ", group %s", group ? group : "?");
	if (verdict->dh_bits)
		add(text, ", DH prime of %u bits", verdict->dh_bits);
	if (verdict->hello_retry)
		add(text, ", after a HelloRetryRequest");
}

/* "; the client lists secp256r1, x25519", as far as a sentence can hold. */
static void add_groups(struct text *text, const struct et_tls_profile *hello)
{
	const uint16_t shown = 6;

	if (!hello->has_groups) {
		add(text, "; the client sends no supported_groups");
		return;
	}
	add(text, "; the client lists ");
	for (uint16_t i = 0; i < hello->groups.n && i < shown; i++) {
		const char *name = et_iana_group(hello->groups.v[i]);

		add(text, i ? ", " : "");
		if (name)
			add(text, "%s", name);
		else
			add(text, "%04x", hello->groups.v[i]);
	}
	if (hello->groups.n > shown)
		add(text, " and %u more", hello->groups.n - shown);
}

static void add_versions(
	struct text *text, const struct et_nego_config *config, const struct et_tls_profile *hello)
{
	uint16_t best = hello->has_versions ? 0 : hello->legacy_version;
	const char *name;

	for (uint16_t i = 0; hello->has_versions && i < hello->versions.n; i++)
		if (hello->versions.v[i] > best && hello->versions.v[i] <= ET_TLSV1_3)
			best = hello->versions.v[i];
	name = et_iana_version(best);
	add(text, "; the client offers up to %s, the server %s to %s", name ? name : "no version",
		et_iana_version(config->min_version), et_iana_version(config->max_version));
}

void et_nego_text(char out[static ET_NEGO_TEXT], const struct et_nego_verdict *verdict,
	const struct et_nego_config *config, const struct et_tls_profile *hello)
{
	struct text text = { .p = out };
	const char *alert = et_iana_alert(verdict->alert), *words = cause_words(verdict->cause);
	const char *version = et_iana_version(verdict->version);

	out[0] = '\0';
	switch (verdict->result) {
	case ET_NEGO_ACCEPT: add_choice(&text, verdict, config); return;
	case ET_NEGO_UNKNOWN: add(&text, "unknown: %s", words); return;
	default: break;
	}
	add(&text, "refused with %s (%u)", alert ? alert : "an alert", verdict->alert);
	if (version)
		add(&text, " in %s", version);
	add(&text, ": %s", words);
	if (verdict->cause == cause_code(CAUSE_CURVE) || verdict->cause == cause_code(CAUSE_GROUP))
		add_groups(&text, hello);
	else if (verdict->cause == cause_code(CAUSE_PROTOCOL_VERSION))
		add_versions(&text, config, hello);
}
