/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD 80
/* What is shown of the user's text in a sentence. */
#define SHOWN "%.80s"

/*
 * The next word of a list with colons, commas or spaces between; false at its end. A word that is
 * too long is cut, so that it is no name of anything.
 */
static bool next_word(char out[static WORD], const char **text)
{
	const char *word = *text + strspn(*text, ":, \t");
	size_t n = strcspn(word, ":, \t");

	*text = word + n;
	snprintf(out, WORD, "%.*s", (int)(n < WORD ? n : WORD - 1), word);
	return n > 0;
}

static bool is_empty(const char *text)
{
	return text[strspn(text, ":, \t")] == '\0';
}

/* Decimal digits only, as far as 65535; -1 if it is not. */
static long number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= 5 && text[n] == '\0' && atol(text) <= UINT16_MAX ? atol(text) : -1;
}

static uint16_t version_of(const char *text)
{
	static const struct {
		const char *name;
		uint16_t version;
	} names[] = { { "1.3", ET_TLSV1_3 }, { "1.2", ET_TLSV1_2 }, { "1.1", ET_TLSV1_1 },
		{ "1.0", ET_TLSV1_0 }, { "1", ET_TLSV1_0 } };

	if (strcasecmp(text, "sslv3") == 0 || strcasecmp(text, "ssl3") == 0)
		return ET_SSLV3;
	if (strncasecmp(text, "tls", 3) == 0)
		text += text[3] == 'v' || text[3] == 'V' ? 4 : 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(text, names[i].name) == 0)
			return names[i].version;
	return 0;
}

int option_min_version(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	uint16_t version = version_of(value);

	if (version == 0)
		return nego_wrong(error,
			"'" SHOWN "' is no version; TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3", value);
	if (version == ET_SSLV3)
		nego_note(config,
			"SSLv3 is not in this OpenSSL: clients that offer no more are unknown");
	config->min_version = version;
	return 0;
}

int option_max_version(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	uint16_t version = version_of(value);

	if (version < ET_TLSV1_0)
		return nego_wrong(error,
			"'" SHOWN "' cannot be the highest version; TLSv1.0, TLSv1.1, TLSv1.2 or "
			"TLSv1.3",
			value);
	config->max_version = version;
	return 0;
}

/* OpenSSL passes over the names that it does not have; the user should know of them. */
static void note_unknown(struct et_nego_config *config, const char *value)
{
	char word[WORD];

	while (next_word(word, &value)) {
		/* what is taken away or moved need not be there, nor a class such as MEDIUM */
		if (!strchr("@!+-", *word) && strpbrk(word, "-_") && !library_has(word))
			nego_note(config, "this OpenSSL has no cipher %s", word);
	}
}

int option_ciphers(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	int rc = library_ciphers(config, value);

	if (rc == -EINVAL)
		return nego_wrong(error,
			"'" SHOWN
			"' names no cipher that OpenSSL has; see openssl ciphers -v '" SHOWN "'",
			value, value);
	if (rc == 0)
		note_unknown(config, value);
	return rc;
}

int option_ciphersuites(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	int rc = library_ciphersuites(config, value);

	if (rc == -EINVAL)
		return nego_wrong(error,
			"'" SHOWN "' names no suite of TLS 1.3; "
			"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
			"TLS_AES_128_GCM_SHA256",
			value);
	if (rc == 0)
		note_unknown(config, value);
	return rc;
}

int option_groups(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	const char *text = value;
	uint16_t groups[ET_NEGO_GROUPS], cnt = 0;
	char word[WORD];

	while (next_word(word, &text)) {
		uint16_t id = et_iana_group_by_curve(word);

		if (id == 0)
			return nego_wrong(error,
				"there is no group '" SHOWN "'; X25519, P-256, ffdhe2048", word);
		for (uint16_t i = 0; i < cnt; i++)
			if (groups[i] == id)
				return nego_wrong(
					error, "group " SHOWN " stands there twice", word);
		if (!group_find(id))
			nego_note(config, "group %s is not in OpenSSL 3.0: left out", word);
		else if (cnt < ET_NEGO_GROUPS)
			groups[cnt++] = id;
	}
	if (cnt == 0)
		return nego_wrong(error, "'" SHOWN "' has no group that OpenSSL 3.0 knows", value);
	memcpy(config->groups, groups, cnt * sizeof(*groups));
	config->group_cnt = cnt;
	return 0;
}

/* By IANA's name or by OpenSSL's, of which PSS has two. */
static const struct sign *sign_named(const char *word)
{
	const struct sign *sign;
	char pss[WORD];

	if (strncasecmp(word, "PSS+SHA", 7) == 0 || strncasecmp(word, "RSA-PSS+SHA", 11) == 0) {
		snprintf(pss, sizeof(pss), "rsa_pss_rsae_sha%s", strchr(word, '+') + 4);
		word = pss;
	}
	for (size_t i = 0; (sign = sign_at(i)) != NULL; i++) {
		const char *name = et_iana_sigalg(sign->id), *openssl;

		openssl = et_iana_sigalg_openssl(sign->id);
		if ((name && strcasecmp(name, word) == 0) ||
			(openssl && strcasecmp(openssl, word) == 0))
			return sign;
	}
	return NULL;
}

int option_sigalgs(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	const char *text = value;
	uint16_t sigalgs[ET_NEGO_SIGALGS], cnt = 0;
	char word[WORD];

	while (next_word(word, &text)) {
		const struct sign *sign = sign_named(word);

		if (!sign)
			return nego_wrong(error,
				"there is no signature algorithm '" SHOWN
				"' in OpenSSL 3.0; RSA+SHA256, ECDSA+SHA384, rsa_pss_rsae_sha256, "
				"ed25519",
				word);
		for (uint16_t i = 0; i < cnt; i++)
			if (sigalgs[i] == sign->id)
				return nego_wrong(error,
					"signature algorithm " SHOWN " stands there twice", word);
		sigalgs[cnt++] = sign->id; /* no more than there are schemes */
	}
	if (cnt == 0)
		return nego_wrong(error, "a list of signature algorithms must not be empty");
	memcpy(config->sigalgs, sigalgs, cnt * sizeof(*sigalgs));
	config->sigalg_cnt = cnt;
	return 0;
}

static int cert_rsa(struct et_nego_cert *out, char error[static ET_NEGO_ERROR], const char *kind,
	const char *size)
{
	long bits = size ? number(size) : 2048;

	if (bits < 0 || rsa_bits((unsigned)bits) == 0)
		return nego_wrong(error,
			"'" SHOWN "' is no size of an RSA key; %s:1024, 2048, 3072, 4096 or 8192",
			size, kind);
	*out = (struct et_nego_cert){ .present = true, .bits = (uint16_t)bits };
	return 0;
}

static int cert_ecdsa(struct et_nego_cert *out, char error[static ET_NEGO_ERROR], const char *curve)
{
	uint16_t id = curve ? et_iana_group_by_curve(curve) : 0x0017;
	const struct group *group = group_find(id);

	if (!group || !group->key)
		return nego_wrong(
			error, "'" SHOWN "' is no curve of an ECDSA key; ecdsa:P-256", curve);
	*out = (struct et_nego_cert){ .present = true, .curve = id };
	return 0;
}

/* "rsa:2048"; kind and size of one key. */
static int cert_one(struct et_nego_cert *certs, char error[static ET_NEGO_ERROR], char *word)
{
	static const char *const kinds[ET_NEGO_KEYS] = { "rsa", "rsa-pss", "ecdsa", "ed25519",
		"ed448" };
	char *colon = strchr(word, ':');
	const char *size = colon ? colon + 1 : NULL;
	unsigned key = 0;

	if (colon)
		*colon = '\0';
	while (key < ET_NEGO_KEYS && strcasecmp(word, kinds[key]) != 0)
		key++;
	if (key == ET_NEGO_KEYS)
		return nego_wrong(error,
			"there is no kind of key '" SHOWN
			"'; rsa:2048, rsa-pss:2048, ecdsa:P-256, ed25519 or ed448",
			word);
	if (certs[key].present)
		return nego_wrong(
			error, "two keys of the kind %s: OpenSSL keeps one of each", word);
	if (key == ET_NEGO_ECDSA)
		return cert_ecdsa(&certs[key], error, size);
	if (key == ET_NEGO_RSA || key == ET_NEGO_RSA_PSS)
		return cert_rsa(&certs[key], error, word, size);
	if (size)
		return nego_wrong(error, "a key of the kind %s has no size to choose", word);
	certs[key].present = true;
	return 0;
}

int option_cert(struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	struct et_nego_cert certs[ET_NEGO_KEYS] = { { 0 } };
	bool none = strcasecmp(value, "none") == 0;

	if (is_empty(value))
		return nego_wrong(error, "no key is given; rsa:2048,ecdsa:P-256, or none");
	for (const char *text = value; !none && *text != '\0';) {
		size_t n = strcspn(text, ", \t");
		char word[WORD];
		int rc;

		if (n > 0) {
			snprintf(word, sizeof(word), "%.*s", (int)(n < WORD ? n : WORD - 1), text);
			rc = cert_one(certs, error, word);
			if (rc)
				return rc;
		}
		text += n;
		text += strspn(text, ", \t");
	}
	memcpy(config->certs, certs, sizeof(certs));
	return 0;
}

static int yes_or_no(bool *out, char error[static ET_NEGO_ERROR], const char *value)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return nego_wrong(error, "'" SHOWN "' is neither yes nor no", value);
	*out = yes;
	return 0;
}

int option_server_order(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	return yes_or_no(&config->server_order, error, value);
}

int option_servername_callback(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	return yes_or_no(&config->servername_callback, error, value);
}

int option_level(struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	long level = number(value);

	if (level < 0 || level > 5)
		return nego_wrong(error, "'" SHOWN "' is no security level; 0 to 5", value);
	config->level = (uint8_t)level;
	return 0;
}

int option_dh(struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value)
{
	long bits = number(value);

	if (strcasecmp(value, "none") == 0)
		config->dh = ET_NEGO_DH_NONE;
	else if (strcasecmp(value, "auto") == 0)
		config->dh = ET_NEGO_DH_AUTO;
	else if (bits >= 512 && bits <= 16384)
		config->dh = (uint16_t)bits;
	else
		return nego_wrong(
			error, "'" SHOWN "' is no DH prime; none, auto, or its bits, 2048", value);
	return 0;
}
