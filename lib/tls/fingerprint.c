/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"
#include "et_crypto.h"

#include <stdio.h>
#include <string.h>

/* Text of a fingerprint before it is hashed: decimals take 6 characters a value, hex 5. */
struct text {
	size_t n;
	char s[6 * 4 * ET_TLS_LIST + 64];
};

static void character(struct text *t, char ch)
{
	t->s[t->n++] = ch;
}

/* As JA3 writes values: decimal. */
static void decimal(struct text *t, uint16_t value)
{
	t->n += (size_t)snprintf(t->s + t->n, sizeof(t->s) - t->n, "%u", value);
}

static void decimals(struct text *t, const struct et_tls_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			character(t, '-');
		decimal(t, list->v[i]);
	}
}

/* As JA4 writes them: four hex digits. */
static void hexes(struct text *t, const struct et_tls_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		t->n += (size_t)snprintf(
			t->s + t->n, sizeof(t->s) - t->n, i ? ",%04x" : "%04x", list->v[i]);
	}
}

static void md5_hex(char out[static 33], const struct text *t)
{
	uint8_t digest[ET_MD5_LEN];

	et_crypto_md5(digest, (struct et_view){ (const uint8_t *)t->s, t->n });
	et_hex(out, digest, sizeof(digest));
}

/*
 * salesforce/ja3: version, ciphers, extensions, groups, point formats, in wire order. There it is
 * defined for handshake records alone.
 */
void et_tls_ja3(char out[static 33], const struct et_tls_profile *profile)
{
	const struct et_tls_list *lists[] = { &profile->ciphers, &profile->extensions,
		&profile->groups, &profile->point_formats };
	struct text t = { .n = 0 };

	out[0] = '\0';
	if (profile->sslv2)
		return;
	decimal(&t, profile->legacy_version);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		character(&t, ',');
		decimals(&t, lists[i]);
	}
	md5_hex(out, &t);
}

void et_tls_ja3s(char out[static 33], const struct et_tls_server_profile *profile)
{
	struct text t = { .n = 0 };

	decimal(&t, profile->legacy_version);
	character(&t, ',');
	decimal(&t, profile->cipher);
	character(&t, ',');
	decimals(&t, &profile->extensions);
	md5_hex(out, &t);
}

/* The highest of supported_versions if there are any, else the legacy one. */
static const char *ja4_version(const struct et_tls_profile *profile)
{
	uint16_t version = profile->legacy_version;

	if (profile->has_versions && profile->versions.n > 0) {
		version = 0;
		for (size_t i = 0; i < profile->versions.n; i++) {
			if (profile->versions.v[i] > version)
				version = profile->versions.v[i];
		}
	}
	switch (version) {
	case ET_TLSV1_3: return "13";
	case ET_TLSV1_2: return "12";
	case ET_TLSV1_1: return "11";
	case ET_TLSV1_0: return "10";
	case ET_SSLV3: return "s3";
	case ET_SSLV2: return "s2";
	default: return "00";
	}
}

static bool alphanumeric(uint8_t ch)
{
	return (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
}

/* First and last character of the first name; of its hex form if one of them is not printable. */
static void ja4_alpn(char out[static 3], const struct et_tls_profile *profile)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t first, last;

	memcpy(out, "00", 3);
	if (profile->alpn_n < 2 || profile->alpn[0] == 0 || profile->alpn[0] >= profile->alpn_n)
		return;
	first = profile->alpn[1];
	last = profile->alpn[profile->alpn[0]];
	if (alphanumeric(first) && alphanumeric(last)) {
		out[0] = (char)first;
		out[1] = (char)last;
	} else {
		out[0] = hex[first >> 4];
		out[1] = hex[last & 15];
	}
}

/* In ascending order; without the extensions that part a of JA4 tells. */
static void sorted(struct et_tls_list *out, const struct et_tls_list *in, bool extensions)
{
	out->n = 0;
	for (size_t i = 0; i < in->n; i++) {
		uint16_t value = in->v[i];
		size_t at = out->n;

		if (extensions && (value == TLS_EXT_SERVER_NAME || value == TLS_EXT_ALPN))
			continue;
		for (; at > 0 && out->v[at - 1] > value; at--)
			out->v[at] = out->v[at - 1];
		out->v[at] = value;
		out->n++;
	}
}

#define JA4_HASH 12

static void ja4_hash(char out[static JA4_HASH + 1], const struct text *t)
{
	uint8_t digest[ET_SHA256_LEN];

	if (t->n == 0) {
		memset(out, '0', JA4_HASH);
		out[JA4_HASH] = '\0';
		return;
	}
	et_crypto_sha256(digest, (struct et_view){ (const uint8_t *)t->s, t->n });
	et_hex(out, digest, JA4_HASH / 2);
}

static unsigned two_digits(uint16_t n)
{
	return n < 99 ? n : 99;
}

/* FoxIO JA4, technical_details/JA4.md. */
void et_tls_ja4(char out[static 37], const struct et_tls_profile *profile)
{
	struct et_tls_list list;
	struct text t = { .n = 0 };
	char alpn[3], ciphers[JA4_HASH + 1], extensions[JA4_HASH + 1];

	sorted(&list, &profile->ciphers, false);
	hexes(&t, &list);
	ja4_hash(ciphers, &t);
	t.n = 0;
	sorted(&list, &profile->extensions, true);
	hexes(&t, &list);
	if (list.n > 0 && profile->sigalgs.n > 0) {
		character(&t, '_');
		hexes(&t, &profile->sigalgs);
	}
	ja4_hash(extensions, &t);
	ja4_alpn(alpn, profile);
	snprintf(out, 37, "t%s%c%02u%02u%s_%s_%s", ja4_version(profile),
		profile->has_sni ? 'd' : 'i', two_digits(profile->ciphers.n),
		two_digits(profile->extensions.n), alpn, ciphers, extensions);
}

void et_tls_profile_id(char out[static 33], struct et_view bytes)
{
	uint8_t digest[ET_SHA256_LEN];

	et_crypto_sha256(digest, bytes);
	et_hex(out, digest, 16);
}
