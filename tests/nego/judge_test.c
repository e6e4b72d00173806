/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hello in words: lists of hex numbers; NULL: the extension is not there. */
struct client {
	const char *ciphers, *groups, *sigalgs, *versions, *shares, *more, *compression;
	uint16_t legacy; /* 0: TLS 1.2 */
};

static bool fill(struct et_tls_list *list, const char *text)
{
	char *end;

	for (list->n = 0; text && *text; text = end + strspn(end, " "))
		list->v[list->n++] = (uint16_t)strtoul(text, &end, 16);
	return text != NULL;
}

static void profile_of(struct et_tls_profile *out, const struct client *client)
{
	static const struct {
		uint16_t type;
		size_t at;
	} exts[] = { { 10, offsetof(struct client, groups) },
		{ 13, offsetof(struct client, sigalgs) }, { 43, offsetof(struct client, versions) },
		{ 51, offsetof(struct client, shares) } };

	memset(out, 0, sizeof(*out));
	out->record_version = ET_TLSV1_0;
	out->legacy_version = client->legacy ? client->legacy : ET_TLSV1_2;
	fill(&out->ciphers, client->ciphers);
	out->has_groups = fill(&out->groups, client->groups);
	out->has_sigalgs = fill(&out->sigalgs, client->sigalgs);
	out->has_versions = fill(&out->versions, client->versions);
	fill(&out->key_shares, client->shares);
	fill(&out->compression, client->compression ? client->compression : "00");
	for (size_t i = 0; i < sizeof(exts) / sizeof(*exts); i++)
		if (*(const char *const *)((const char *)client + exts[i].at))
			out->extensions.v[out->extensions.n++] = exts[i].type;
	for (const char *more = client->more; more && *more;) {
		char *end;

		out->extensions.v[out->extensions.n++] = (uint16_t)strtoul(more, &end, 16);
		more = end + strspn(end, " ");
	}
}

/* "name=value;name=value" */
static bool server_of(struct et_nego_config *config, const char *options)
{
	char text[512], *rest = text, *option, error[ET_NEGO_ERROR];

	snprintf(text, sizeof(text), "%s", options);
	if (et_nego_init(config) != 0)
		return false;
	while ((option = strsep(&rest, ";")) != NULL) {
		char *value = strchr(option, '=');

		*value++ = '\0';
		if (et_nego_set(config, error, option, value) != 0)
			return false;
	}
	return et_nego_finish(config, error) == 0;
}

/* "" for cause: accepted, by this key. */
static void expect(
	const char *options, const struct client *client, const char *cause, int alert_or_key)
{
	struct et_nego_verdict verdict;
	struct et_nego_config config;
	struct et_tls_profile profile;
	bool ok;

	CU_ASSERT_FATAL(server_of(&config, options));
	profile_of(&profile, client);
	et_nego_judge(&verdict, &config, &profile);
	ok = strcmp(verdict.cause, cause) == 0 &&
	     (*cause ? verdict.alert : verdict.key) == alert_or_key;
	if (!ok)
		fprintf(stderr, "\n    %s: %s, alert %u, key %u", options, verdict.cause,
			verdict.alert, verdict.key);
	CU_ASSERT(ok);
}

static const struct client exchange = {
	.ciphers = "c02b c02f c023 c027 c013 009d 009c 003d 003c 0035 002f 000a",
	.groups = "0017",
	.sigalgs = "0401 0501 0201 0403 0503 0203 0202 0601 0603",
};

/* The sender that the project began with: what does each cure bring? */
void test_founding_case(void)
{
	static const char curve[] = "no_shared_cipher/certificate_curve";

	expect("cert=ecdsa:P-384", &exchange, curve, 40);
	expect("cert=ecdsa:P-384;security-level=0", &exchange, curve, 40);
	expect("cert=ecdsa:P-384;groups=P-256", &exchange, curve, 40);
	expect("cert=ecdsa:P-384,rsa:2048", &exchange, "", ET_NEGO_RSA);
	expect("cert=ecdsa:P-256", &exchange, "", ET_NEGO_ECDSA);
	expect("cert=ecdsa:P-384,ed25519", &exchange, curve, 40);
	expect("cert=rsa:2048", &exchange, "", ET_NEGO_RSA);
}

static const struct client tls13 = { .ciphers = "1301 1302 c02f",
	.groups = "001d 0017",
	.sigalgs = "0804 0403",
	.versions = "0304 0303",
	.shares = "001d" };
static const struct client p384_scheme = { .ciphers = "1301",
	.groups = "001d",
	.sigalgs = "0503 0804",
	.versions = "0304",
	.shares = "001d" };
static const struct client stray = {
	.ciphers = "1301", .groups = "001d", .sigalgs = "0804", .versions = "0304", .shares = "0017"
};
static const struct client no_shares = {
	.ciphers = "1301", .groups = "001d", .sigalgs = "0804", .versions = "0304"
};
static const struct client psk = { .ciphers = "1301",
	.groups = "001d",
	.sigalgs = "0804",
	.versions = "0304",
	.shares = "001d",
	.more = "29",
	.compression = "00 01" };
static const struct client psk_first = {
	.ciphers = "c02f", .groups = "0017", .sigalgs = "0401", .more = "29 2d"
};
static const struct client no_groups = { .ciphers = "c02f 009c", .sigalgs = "0401" };
static const struct client only_ecdhe = { .ciphers = "c02f", .sigalgs = "0401" };
static const struct client no_sigalgs = { .ciphers = "c02f 002f", .groups = "0017" };
static const struct client tls10 = {
	.ciphers = "c013 002f", .groups = "0017", .legacy = ET_TLSV1_0
};
static const struct client ssl3 = { .ciphers = "002f", .legacy = ET_SSLV3 };
static const struct client fallback = {
	.ciphers = "c02f 5600", .groups = "0017", .sigalgs = "0401"
};
static const struct client ecdsa_signs = {
	.ciphers = "c02f c02b", .groups = "0017", .sigalgs = "0403"
};
static const struct client ffdhe = { .ciphers = "009e c02f", .groups = "0100", .sigalgs = "0401" };
static const struct client empty = { .ciphers = "", .groups = "001d", .sigalgs = "0804" };
static const struct client twice = {
	.ciphers = "c02f", .groups = "0017", .sigalgs = "0401", .more = "17 17"
};

#define OK ""
#define P  "no_shared_cipher/"
#define M  "malformed_hello/"

/* One row for each thing that can go wrong, and for what one may not expect. */
void test_verdicts(void)
{
	static const struct {
		const char *options;
		const struct client *client;
		const char *cause;
		int alert_or_key;
	} rows[] = {
		{ "cert=rsa:2048", &tls13, OK, ET_NEGO_RSA },
		{ "cert=rsa:2048,ecdsa:P-256;server-order=yes", &tls13, OK, ET_NEGO_ECDSA },
		{ "cert=rsa:2048;max-version=TLSv1.1", &tls13, "protocol_version", 70 },
		{ "cert=rsa:2048;min-version=TLSv1.2", &tls10, "protocol_version", 70 },
		{ "cert=rsa:2048", &ssl3, "protocol_version", 40 }, /* SSLv3 has no alert 70 */
		{ "cert=rsa:2048;ciphersuites=TLS_CHACHA20_POLY1305_SHA256", &tls13, P "suites",
			40 },
		{ "cert=rsa:2048;groups=P-384", &tls13, P "group", 40 },
		{ "cert=ed25519", &tls13, P "signature_algorithm", 40 },
		{ "cert=ecdsa:P-256", &p384_scheme, P "signature_algorithm", 40 },
		{ "cert=ecdsa:P-384", &p384_scheme, OK, ET_NEGO_ECDSA },
		{ "cert=rsa:2048", &stray, M "key_share", 47 },
		{ "cert=rsa:2048", &no_shares, M "missing_extension", 109 },
		{ "cert=rsa:2048", &psk, M "missing_psk_modes", 109 },
		/* without supported_groups OpenSSL uses no curve; RSA key exchange is left */
		{ "cert=rsa:2048", &no_groups, OK, ET_NEGO_RSA },
		{ "cert=rsa:2048", &only_ecdhe, P "group", 40 },
		/* SHA-1 is the default then, and level 0 its only place */
		{ "cert=rsa:2048", &no_sigalgs, P "legacy_signature", 40 },
		{ "cert=rsa:2048;security-level=0", &no_sigalgs, OK, ET_NEGO_RSA },
		{ "cert=rsa:2048", &tls10, P "legacy_signature", 80 },
		{ "cert=rsa:2048;security-level=0", &tls10, OK, ET_NEGO_RSA },
		{ "cert=rsa:2048", &fallback, "inappropriate_fallback", 86 },
		{ "cert=rsa:2048;max-version=TLSv1.2", &fallback, OK, ET_NEGO_RSA },
		/* the suite is chosen without regard to signatures, and then there is none */
		{ "cert=rsa:2048,ecdsa:P-256", &ecdsa_signs, P "signature_algorithm", 40 },
		{ "cert=ecdsa:P-256", &ecdsa_signs, OK, ET_NEGO_ECDSA },
		{ "cert=rsa:2048;ciphers=ECDSA;max-version=TLSv1.2", &ecdsa_signs,
			P "certificate_key_type", 40 },
		/* FFDHE groups mean nothing to DHE before TLS 1.3 */
		{ "cert=rsa:2048", &ffdhe, OK, ET_NEGO_RSA },
		{ "cert=rsa:2048;dh=none;ciphers=DHE", &ffdhe, P "dhe", 40 },
		{ "cert=rsa:2048", &empty, M "no_suites", 47 },
		{ "cert=rsa:2048", &twice, M "extensions", 47 },
		{ "cert=rsa:2048", &psk_first, M "extensions", 47 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect(rows[i].options, rows[i].client, rows[i].cause, rows[i].alert_or_key);
}

/* Is nothing said where nothing can be said? */
void test_unknown(void)
{
	struct et_nego_verdict verdict;
	struct et_nego_config config;
	struct et_tls_profile profile;

	expect("cert=rsa:2048;min-version=SSLv3", &ssl3, "unknown/sslv3", 0);
	CU_ASSERT(server_of(&config, "cert=rsa:2048"));
	memset(&profile, 0, sizeof(profile));
	et_nego_judge(&verdict, &config, &profile);
	CU_ASSERT(verdict.result == ET_NEGO_UNKNOWN && !strcmp(verdict.cause, "unknown/no_hello"));
	profile_of(&profile, &exchange);
	for (profile.ciphers.n = 0; profile.ciphers.n < ET_TLS_LIST; profile.ciphers.n++)
		profile.ciphers.v[profile.ciphers.n] = profile.ciphers.n;
	et_nego_judge(&verdict, &config, &profile);
	CU_ASSERT(verdict.result == ET_NEGO_UNKNOWN && !strcmp(verdict.cause, "unknown/hello_cut"));
}

void test_text(void)
{
	static const struct {
		const char *options;
		struct client client;
		const char *text;
	} rows[] = {
		{ "cert=ecdsa:P-384,rsa:2048",
			{ .ciphers = "c030", .groups = "0017", .sigalgs = "0401" },
			"TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384, key rsa:2048, group "
			"secp256r1" },
		{ "cert=ecdsa:P-384", { .ciphers = "c02b", .groups = "0017", .sigalgs = "0503" },
			"refused with handshake_failure (40) in TLSv1.2: the client's "
			"supported_groups "
			"lack the curve of the ECDSA key; the client lists secp256r1" },
		{ "cert=ed25519",
			{ .ciphers = "1301",
				.groups = "0018 001d",
				.sigalgs = "0807",
				.versions = "0304",
				.shares = "" },
			"TLSv1.3 with cipher TLS_AES_128_GCM_SHA256, key ed25519, group x25519, "
			"after a "
			"HelloRetryRequest" },
		/* brainpool has no place in TLS 1.3 */
		{ "cert=ed25519;groups=brainpoolP384r1:X25519",
			{ .ciphers = "1301",
				.groups = "001b 001d",
				.sigalgs = "0807",
				.versions = "0304",
				.shares = "001b" },
			"TLSv1.3 with cipher TLS_AES_128_GCM_SHA256, key ed25519, group x25519, "
			"after a "
			"HelloRetryRequest" },
		{ "cert=rsa:3072", { .ciphers = "009e", .sigalgs = "0401" },
			"TLSv1.2 with cipher DHE-RSA-AES128-GCM-SHA256, key rsa:3072, DH prime of "
			"3072 "
			"bits" },
		{ "cert=rsa:2048;min-version=TLSv1.2", { .ciphers = "002f", .legacy = ET_TLSV1_0 },
			"refused with protocol_version (70): no version in common; the client "
			"offers up "
			"to TLSv1.0, the server TLSv1.2 to TLSv1.3" },
		{ "cert=none;ciphers=aNULL:@SECLEVEL=0", { .ciphers = "c018", .groups = "0017" },
			"TLSv1.2 with cipher AECDH-AES128-SHA, key none, group secp256r1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_nego_verdict verdict;
		struct et_nego_config config;
		struct et_tls_profile profile;
		char text[ET_NEGO_TEXT];

		CU_ASSERT_FATAL(server_of(&config, rows[i].options));
		profile_of(&profile, &rows[i].client);
		et_nego_judge(&verdict, &config, &profile);
		et_nego_text(text, &verdict, &config, &profile);
		if (strcmp(text, rows[i].text) != 0)
			fprintf(stderr, "\n    %s", text);
		CU_ASSERT_STRING_EQUAL(text, rows[i].text);
	}
}

static uint32_t draw(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(*state >> 33);
}

static void scramble(struct et_tls_list *list, uint64_t *state)
{
	list->n = (uint16_t)(draw(state) % (draw(state) % 8 ? 20 : ET_TLS_LIST + 1));
	for (uint16_t i = 0; i < list->n; i++)
		list->v[i] = (uint16_t)(draw(state) % 4 ? draw(state) % 64 : draw(state));
}

/* Does any content of a profile give a verdict, without a read outside? (With sanitizers.) */
void test_odd_profiles(void)
{
	struct et_nego_config config;
	uint64_t state = 7;

	CU_ASSERT_FATAL(
		server_of(&config, "cert=rsa:2048,ecdsa:P-384,ed25519;ciphers=ALL:@SECLEVEL=0"));
	for (int i = 0; i < 20000; i++) {
		static struct et_tls_profile p;
		struct et_nego_verdict verdict;
		char text[ET_NEGO_TEXT];

		p.legacy_version =
			(uint16_t)(draw(&state) % 4 ? 0x0301 + draw(&state) % 3 : draw(&state));
		scramble(&p.ciphers, &state);
		scramble(&p.groups, &state);
		scramble(&p.sigalgs, &state);
		scramble(&p.versions, &state);
		scramble(&p.key_shares, &state);
		scramble(&p.extensions, &state);
		scramble(&p.compression, &state);
		p.has_groups = draw(&state) % 2;
		p.has_sigalgs = draw(&state) % 2;
		p.has_versions = draw(&state) % 2;
		p.sslv2 = draw(&state) % 9 == 0;
		p.alpn_n = (uint16_t)(draw(&state) % (sizeof(p.alpn) + 1));
		memset(p.alpn, (int)draw(&state), sizeof(p.alpn));
		et_nego_judge(&verdict, &config, &p);
		et_nego_text(text, &verdict, &config, &p);
		CU_ASSERT((verdict.result == ET_NEGO_ACCEPT) == (verdict.cause[0] == '\0'));
		CU_ASSERT((verdict.result == ET_NEGO_REFUSE) == (verdict.alert != 0));
		CU_ASSERT(text[0] != '\0');
	}
}
