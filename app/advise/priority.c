/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A configuration as a priority string of GnuTLS. GnuTLS takes key exchanges, ciphers and MACs one
 * by one and joins them to suites itself, so that it may let in suites that the list lacks; never
 * fewer, but for what it does not have: ARIA, anonymous suites, brainpool.
 */
#include "snippets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What of a suite's registered name stands for what of GnuTLS; the first of a kind that fits. */
struct word {
	const char *part, *name;
};
static const struct word exchanges[] = {
	{ "TLS_ECDHE_ECDSA_", "ECDHE-ECDSA" },
	{ "TLS_ECDHE_RSA_", "ECDHE-RSA" },
	{ "TLS_DHE_RSA_", "DHE-RSA" },
	{ "TLS_RSA_WITH_", "RSA" },
	{ NULL, NULL },
};
static const struct word ciphers[] = {
	{ "_AES_128_GCM", "AES-128-GCM" },
	{ "_AES_256_GCM", "AES-256-GCM" },
	{ "_CHACHA20_POLY1305", "CHACHA20-POLY1305" },
	{ "_AES_128_CCM_8", "AES-128-CCM-8" },
	{ "_AES_256_CCM_8", "AES-256-CCM-8" },
	{ "_AES_128_CCM", "AES-128-CCM" },
	{ "_AES_256_CCM", "AES-256-CCM" },
	{ "_AES_128_CBC", "AES-128-CBC" },
	{ "_AES_256_CBC", "AES-256-CBC" },
	{ "_CAMELLIA_128_GCM", "CAMELLIA-128-GCM" },
	{ "_CAMELLIA_256_GCM", "CAMELLIA-256-GCM" },
	{ "_CAMELLIA_128_CBC", "CAMELLIA-128-CBC" },
	{ "_CAMELLIA_256_CBC", "CAMELLIA-256-CBC" },
	{ "_3DES_EDE_CBC", "3DES-CBC" },
	{ NULL, NULL },
};
static const struct word macs[] = {
	{ "_CBC_SHA256", "SHA256" },
	{ "_CBC_SHA384", "SHA384" },
	{ "_CBC_SHA", "SHA1" },
	{ "", "AEAD" },
	{ NULL, NULL },
};

/* Adds it once. */
static void add(char *out, const char *name)
{
	char item[48];
	size_t n = strlen(out);

	snprintf(item, sizeof(item), ":+%s:", name);
	out[n] = ':';
	out[n + 1] = '\0';
	bool known = strstr(out, item) != NULL;
	out[n] = '\0';
	if (!known)
		snprintf(out + n, SNIPPET_LIST - 1 - n, ":+%s", name);
}

static void add_words(
	char *out, const struct et_nego_suite *list, unsigned cnt, const struct word *words)
{
	for (unsigned i = 0; i < cnt; i++) {
		const struct et_iana_suite *suite = et_iana_suite(list[i].id);
		const struct word *word = words;

		while (suite && word->part && !strstr(suite->name, word->part))
			word++;
		if (suite && word->part)
			add(out, word->name);
	}
}

static void add_versions(char *out, const struct et_nego_config *config)
{
	static const struct {
		uint16_t version;
		const char *name;
	} versions[] = { { ET_TLSV1_3, "VERS-TLS1.3" }, { ET_TLSV1_2, "VERS-TLS1.2" },
		{ ET_TLSV1_1, "VERS-TLS1.1" }, { ET_TLSV1_0, "VERS-TLS1.0" } };

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (versions[i].version >= config->min_version &&
			versions[i].version <= config->max_version)
			add(out, versions[i].name);
}

static void add_groups(char *out, const struct et_nego_config *config)
{
	static const char *const known[] = { "x25519", "x448", "secp256r1", "secp384r1",
		"secp521r1", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192" };

	for (unsigned i = 0; i < config->group_cnt; i++) {
		const char *name = et_iana_group(config->groups[i]);
		char group[32] = "GROUP-";

		for (size_t k = 0; name && k < sizeof(known) / sizeof(*known); k++) {
			if (strcmp(name, known[k]) != 0)
				continue;
			for (size_t at = 0; at <= strlen(name); at++)
				group[6 + at] = (char)toupper((unsigned char)name[at]);
			add(out, group);
		}
	}
}

void snippet_priority(char out[static SNIPPET_LIST], const struct et_nego_config *config)
{
	bool older = config->min_version <= ET_TLSV1_2;

	snprintf(out, SNIPPET_LIST, "NONE");
	add_versions(out, config);
	if (older) {
		add_words(out, config->suites, config->suite_cnt, exchanges);
		add_words(out, config->suites, config->suite_cnt, ciphers);
		add_words(out, config->suites, config->suite_cnt, macs);
	}
	add_words(out, config->suites13, config->suite13_cnt, ciphers);
	add(out, "AEAD");
	add_groups(out, config);
	add(out, "SIGN-ALL");
	add(out, "CTYPE-X509");
	add(out, "COMP-NULL");
	if (config->server_order)
		snprintf(out + strlen(out), SNIPPET_LIST - strlen(out), ":%%SERVER_PRECEDENCE");
}
