/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the room say of a certificate what is in it, and survive what is none? */
#include "et_crypto.h"
#include "make_cert.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define NS(s) (INT64_C(s) * ET_NS_PER_S)

static struct et_view view(const void *p, size_t n)
{
	return (struct et_view){ .p = (const uint8_t *)p, .n = n };
}

static void test_digests(void)
{
	static const struct {
		const char *in, *sha256, *md5;
	} rows[] = {
		/* FIPS 180-2 B.1 and RFC 1321 A.5 */
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			"900150983cd24fb0d6963f7d28e17f72" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"d41d8cd98f00b204e9800998ecf8427e" },
	};
	uint8_t sha256[ET_SHA256_LEN], md5[ET_MD5_LEN];
	char hex[65];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		et_crypto_sha256(sha256, view(rows[i].in, strlen(rows[i].in)));
		et_hex(hex, sha256, sizeof(sha256));
		CU_ASSERT_STRING_EQUAL(hex, rows[i].sha256);
		et_crypto_md5(md5, view(rows[i].in, strlen(rows[i].in)));
		et_hex(hex, md5, sizeof(md5));
		CU_ASSERT_STRING_EQUAL(hex, rows[i].md5);
	}
	et_crypto_md5(md5, (struct et_view){ 0 });
	et_hex(hex, md5, sizeof(md5));
	CU_ASSERT_STRING_EQUAL(hex, rows[1].md5);
}

static void test_kinds(void)
{
	static const struct {
		struct cert_order order;
		const char *key, *curve, *sigalg;
		uint32_t bits;
		int64_t not_after_ns;
	} rows[] = {
		{ { .key = "RSA", .digest = "SHA256", .cn = "a", .not_after = "20270101000000Z" },
			"rsa", "", "sha256WithRSAEncryption", 1024, NS(1798761600) },
		{ { .key = "RSA", .digest = "SHA1", .cn = "a", .not_after = "20260201000000Z" },
			"rsa", "", "sha1WithRSAEncryption", 1024, NS(1769904000) },
		{ { .key = "P-256", .digest = "SHA256", .cn = "a", .not_after = "20270101000000Z" },
			"ecdsa", "secp256r1", "ecdsa-with-SHA256", 256, NS(1798761600) },
		{ { .key = "P-384", .digest = "SHA384", .cn = "a", .not_after = "20270101000000Z" },
			"ecdsa", "secp384r1", "ecdsa-with-SHA384", 384, NS(1798761600) },
		/* "no well-defined end", RFC 5280 4.1.2.5: more than 64 bits of nanoseconds */
		{ { .key = "ED25519", .cn = "a", .not_after = "99991231235959Z" }, "ed25519", "",
			"ED25519", 256, INT64_MAX },
		/* expired before it began */
		{ { .key = "P-256", .digest = "SHA256", .cn = "a", .not_after = "19690101000000Z" },
			"ecdsa", "secp256r1", "ecdsa-with-SHA256", 256, NS(-31536000) },
		{ { .key = "P-256", .digest = "SHA256", .cn = "a", .not_after = "00010101000000Z" },
			"ecdsa", "secp256r1", "ecdsa-with-SHA256", 256, INT64_MIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_cert cert;
		size_t len;
		uint8_t *der = make_cert(&len, &rows[i].order);

		CU_ASSERT_EQUAL_FATAL(et_cert_parse(&cert, view(der, len)), 0);
		CU_ASSERT_TRUE(cert.parsed);
		CU_ASSERT_STRING_EQUAL(cert.key, rows[i].key);
		CU_ASSERT_STRING_EQUAL(cert.curve, rows[i].curve);
		CU_ASSERT_STRING_EQUAL(cert.sigalg, rows[i].sigalg);
		CU_ASSERT_EQUAL(cert.bits, rows[i].bits);
		CU_ASSERT_EQUAL(cert.not_before_ns, NS(1767225600));
		CU_ASSERT_EQUAL(cert.not_after_ns, rows[i].not_after_ns);
		CU_ASSERT_STRING_EQUAL(cert.not_before, "2026-01-01T00:00:00Z");
		CU_ASSERT_EQUAL(memcmp(cert.not_after, rows[i].order.not_after, 4), 0);
		CU_ASSERT_EQUAL(strlen(cert.not_after), strlen("2026-01-01T00:00:00Z"));
		CU_ASSERT_STRING_EQUAL(cert.subject, "CN=a,O=Example\\, Inc");
		CU_ASSERT_STRING_EQUAL(cert.issuer, cert.subject);
		CU_ASSERT_TRUE(cert.self_signed);
		CU_ASSERT_EQUAL(cert.names_cnt, 0);
		et_cert_free(&cert);
		OPENSSL_free(der);
	}
}

/* Names as an attacker would write them: nothing of them may reach a terminal or end a string. */
static void test_names(void)
{
	static const struct {
		const char *cn;
		size_t cn_len;
		const char *subject;
	} rows[] = {
		{ "mx.example.net", 0, "CN=mx.example.net,O=Example\\, Inc" },
		{ "a\0.evil", 7, "CN=a\\00.evil,O=Example\\, Inc" },
		{ "a\r\n\x1b[2J", 0, "CN=a\\0D\\0A\\1B[2J,O=Example\\, Inc" },
		{ "a\\b", 0, "CN=a\\\\b,O=Example\\, Inc" },
		{ "\xc3\xa9", 0, "CN=\xc3\xa9,O=Example\\, Inc" },
		{ "\xc2\x9b", 0, "CN=\\xc2\\x9b,O=Example\\, Inc" }, /* a C1 control */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert_order order = { .key = "P-256",
			.digest = "SHA256",
			.cn = rows[i].cn,
			.cn_len = rows[i].cn_len,
			.not_after = "20270101000000Z",
			.dns = { "mx.example.net", "a\0.evil", "\x1b]0;x\a\xff\n" },
			.dns_len = { 0, 7, 0 },
			.ip = { 192, 0, 2, 25 },
			.ip_len = i % 2 ? 4 : 3 };
		struct et_cert cert;
		size_t len;
		uint8_t *der = make_cert(&len, &order);

		CU_ASSERT_EQUAL_FATAL(et_cert_parse(&cert, view(der, len)), 0);
		CU_ASSERT_STRING_EQUAL(cert.subject, rows[i].subject);
		CU_ASSERT_EQUAL_FATAL(cert.names_cnt, i % 2 ? 4 : 3);
		CU_ASSERT_STRING_EQUAL(cert.names[0], "mx.example.net");
		CU_ASSERT_STRING_EQUAL(cert.names[1], "a\\x00.evil");
		CU_ASSERT_STRING_EQUAL(cert.names[2], "\\x1b]0;x\\x07\\xff\\x0a");
		if (i % 2)
			CU_ASSERT_STRING_EQUAL(cert.names[3], "192.0.2.25");
		et_cert_free(&cert);
		OPENSSL_free(der);
	}
}

/* A subject longer than the field ends within neither an escape nor a sequence. */
static void test_long_name(void)
{
	for (size_t fill = 480; fill < 520; fill++) {
		char cn[600];
		struct cert_order order = {
			.key = "P-256", .digest = "SHA256", .cn = cn, .not_after = "20270101000000Z"
		};
		struct et_cert cert;
		size_t len, n;
		uint8_t *der;

		memset(cn, 'a', fill);
		strcpy(cn + fill, "\x01\\\xc3\xa9\xc2\x9b+++");
		der = make_cert(&len, &order);
		CU_ASSERT_EQUAL_FATAL(et_cert_parse(&cert, view(der, len)), 0);
		n = strlen(cert.subject);
		CU_ASSERT_TRUE(n < ET_CERT_TEXT && n > ET_CERT_TEXT - 40);
		CU_ASSERT_NOT_EQUAL(cert.subject[n - 1], '\xc3');
		if (cert.subject[n - 1] == '\\')
			CU_ASSERT_EQUAL(cert.subject[n - 2], '\\');
		et_cert_free(&cert);
		OPENSSL_free(der);
	}
}

/* Every truncation, a byte too many, and every byte changed: no crash, sha256 always there. */
static void test_damaged(void)
{
	struct cert_order order = { .key = "P-384",
		.digest = "SHA384",
		.cn = "mx.example.net",
		.not_after = "20270101000000Z",
		.dns = { "mx.example.net" } };
	struct et_cert cert;
	size_t len;
	uint8_t *der = make_cert(&len, &order), *copy = malloc(len + 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (size_t n = 0; n <= len; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that a sanitizer sees one byte too many */

		CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
		memcpy(exact, der, n);
		CU_ASSERT_EQUAL(et_cert_parse(&cert, view(exact, n)), 0);
		CU_ASSERT_EQUAL(cert.parsed, n == len);
		CU_ASSERT_EQUAL(strlen(cert.sha256), 64);
		et_cert_free(&cert);
		free(exact);
	}
	memcpy(copy, der, len);
	copy[len] = 0;
	CU_ASSERT_EQUAL(et_cert_parse(&cert, view(copy, len + 1)), 0);
	CU_ASSERT_FALSE(cert.parsed);
	et_cert_free(&cert);
	for (size_t i = 0; i < len; i++) {
		copy[i] ^= 0xff;
		CU_ASSERT_EQUAL(et_cert_parse(&cert, view(copy, len)), 0);
		et_cert_free(&cert);
		copy[i] ^= 0xff;
	}
	CU_ASSERT_EQUAL(ERR_peek_error(), 0);
	free(copy);
	OPENSSL_free(der);
}

/* Which certificates may a server not show? */
static void test_uses(void)
{
	static const struct {
		const char *extended, *key, *constraints;
		enum et_cert_use use;
	} rows[] = {
		{ NULL, NULL, NULL, ET_CERT_USE_SERVER },
		{ "serverAuth", "digitalSignature", "CA:FALSE", ET_CERT_USE_SERVER },
		{ "clientAuth,serverAuth", NULL, NULL, ET_CERT_USE_SERVER },
		{ NULL, "keyEncipherment", NULL, ET_CERT_USE_SERVER },
		{ "clientAuth", "digitalSignature", NULL, ET_CERT_USE_EXTENDED },
		{ "emailProtection", NULL, "CA:TRUE", ET_CERT_USE_EXTENDED },
		{ "serverAuth", "cRLSign", NULL, ET_CERT_USE_KEY },
		{ NULL, "keyCertSign", "CA:TRUE", ET_CERT_USE_CA },
		{ "serverAuth", "digitalSignature", "CA:TRUE", ET_CERT_USE_CA },
		/* a length that is none: what else the extensions say is not believed */
		{ "clientAuth", NULL, "CA:TRUE,pathlen:-1", ET_CERT_USE_SERVER },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cert_order order = { .key = "P-256",
			.digest = "SHA256",
			.cn = "a",
			.not_after = "20270101000000Z",
			.extended_key_usage = rows[i].extended,
			.key_usage = rows[i].key,
			.basic_constraints = rows[i].constraints };
		struct et_cert cert;
		size_t len;
		uint8_t *der = make_cert(&len, &order);

		CU_ASSERT_EQUAL_FATAL(et_cert_parse(&cert, view(der, len)), 0);
		CU_ASSERT_EQUAL(cert.use, rows[i].use);
		if (cert.use != rows[i].use)
			printf("\n  row %zu: %d", i, (int)cert.use);
		et_cert_free(&cert);
		OPENSSL_free(der);
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "digests", test_digests }, { "kinds", test_kinds },
		{ "names", test_names }, { "uses", test_uses }, { "long name", test_long_name },
		{ "damaged", test_damaged }, CU_TEST_INFO_NULL };

	return unit_run("crypto", tests);
}
