/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void nego_note(struct et_nego_config *config, const char *format, ...)
{
	char text[ET_NEGO_ERROR];
	size_t n = strlen(config->notes), len;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	len = strlen(text);
	memcpy(text + len++, "\n", 2);
	/* a preset and an option may say the same */
	if (!strstr(config->notes, text) && n + len < sizeof(config->notes))
		memcpy(config->notes + n, text, len + 1);
}

int nego_wrong(char error[static ET_NEGO_ERROR], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ET_NEGO_ERROR, format, args);
	va_end(args);
	return -EINVAL;
}

const struct et_nego_option et_nego_options[] = {
	{ "min-version", "VERSION", "lowest version: TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3" },
	{ "max-version", "VERSION", "highest version" },
	{ "ciphers", "STRING", "suites up to TLS 1.2, a cipher string of OpenSSL" },
	{ "ciphersuites", "LIST", "suites of TLS 1.3; \"\": none" },
	{ "groups", "LIST", "curves and FFDHE groups, as X25519:P-256:P-384" },
	{ "sigalgs", "LIST", "signature algorithms, as ECDSA+SHA256:rsa_pss_rsae_sha256" },
	{ "cert", "LIST", "keys, as rsa:2048,ecdsa:P-256; or none" },
	{ "server-order", "yes|no", "whether the server's order of suites and groups decides" },
	{ "security-level", "0..5", "OpenSSL's security level" },
	{ "dh", "none|auto|BITS", "prime for DHE up to TLS 1.2" },
	{ "servername-callback", "yes|no", "whether certificates are chosen by server name" },
	{ NULL, NULL, NULL },
};

/* In the order of et_nego_options. */
static option_set *const setters[] = { option_min_version, option_max_version, option_ciphers,
	option_ciphersuites, option_groups, option_sigalgs, option_cert, option_server_order,
	option_level, option_dh, option_servername_callback };
static_assert(sizeof(setters) / sizeof(*setters) + 1 ==
		      sizeof(et_nego_options) / sizeof(*et_nego_options),
	"one setter an option");

int et_nego_set(struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *name,
	const char *value)
{
	error[0] = '\0';
	for (size_t i = 0; et_nego_options[i].name; i++) {
		struct et_nego_config changed;
		int rc;

		if (strcmp(et_nego_options[i].name, name) != 0)
			continue;
		changed = *config; /* a setter may have come half the way */
		rc = setters[i](&changed, error, value);
		if (rc == 0)
			*config = changed;
		if (rc == -ENOMEM)
			snprintf(error, ET_NEGO_ERROR, "OpenSSL does not start: out of memory?");
		return rc;
	}
	snprintf(error, ET_NEGO_ERROR, "there is no option '%.80s'", name);
	return -ENOENT;
}

int et_nego_init(struct et_nego_config *config)
{
	static const uint16_t groups[] = { 0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101,
		0x0102, 0x0103, 0x0104 };
	const struct sign *sign;
	int rc;

	*config = (struct et_nego_config){
		.min_version = ET_TLSV1_0,
		.max_version = ET_TLSV1_3,
		.level = 2,
		.dh = ET_NEGO_DH_AUTO,
		.group_cnt = sizeof(groups) / sizeof(*groups),
	};
	memcpy(config->groups, groups, sizeof(groups));
	while ((sign = sign_at(config->sigalg_cnt)) != NULL)
		config->sigalgs[config->sigalg_cnt++] = sign->id;
	rc = library_ciphers(config, NULL);
	return rc ? -ENOMEM : library_ciphersuites(config, NULL) ? -ENOMEM : 0;
}

static bool any_suite(const struct et_nego_config *config)
{
	bool any = false;

	for (uint16_t i = 0; i < config->suite_cnt; i++)
		any |= config->min_version <= config->suites[i].max_version &&
		       config->max_version >= config->suites[i].min_version &&
		       level_suite(config->level, &config->suites[i]);
	for (uint16_t i = 0; i < config->suite13_cnt; i++)
		any |= config->max_version >= ET_TLSV1_3 &&
		       level_suite(config->level, &config->suites13[i]);
	return any;
}

int et_nego_finish(struct et_nego_config *config, char error[static ET_NEGO_ERROR])
{
	unsigned bits = level_bits(config->level);

	error[0] = '\0';
	if (config->min_version > config->max_version)
		return nego_wrong(error, "the lowest version, %s, is above the highest, %s",
			et_iana_version(config->min_version), et_iana_version(config->max_version));
	if (!any_suite(config))
		return nego_wrong(error, "no suite is left from %s to %s at security level %u",
			et_iana_version(config->min_version), et_iana_version(config->max_version),
			config->level);
	for (unsigned key = 0; key < ET_NEGO_KEYS; key++) {
		struct et_nego_cert *cert = &config->certs[key];
		char name[ET_NEGO_KEY_TEXT];

		if (!cert->present || cert_bits(cert, (enum et_nego_key)key) >= bits)
			continue;
		et_nego_key_text(name, config, key);
		nego_note(config,
			"OpenSSL does not load a key %s at security level %u: it is left out", name,
			config->level);
		*cert = (struct et_nego_cert){ 0 };
	}
	if (config->dh > ET_NEGO_DH_AUTO && dh_bits(config->dh) < (bits > 80 ? bits : 80)) {
		nego_note(config,
			"OpenSSL does not take a DH prime of %u bits at security level %u: there "
			"is "
			"no DHE",
			config->dh, config->level);
		config->dh = ET_NEGO_DH_NONE;
	}
	return 0;
}
