/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Do the numbers have the names that the RFCs give them, are the tables whole and in order, and
 * does a lookup of any number at all agree with a plain walk through the table?
 */
#include <string.h>

#include "et_iana.h"
#include "iana_tables.h"
#include "unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

struct fact {
	uint32_t id;
	const char *name;
};

typedef const char *name_fn(uint16_t);

static void check_facts(name_fn *fn, const struct fact *facts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const char *name = fn((uint16_t)facts[i].id);

		if (!same(name, facts[i].name))
			printf("\n  %04x: \"%s\", not \"%s\"", (unsigned int)facts[i].id,
				name != NULL ? name : "NULL", facts[i].name);
		CU_ASSERT(same(name, facts[i].name));
	}
}

static const char *alert_name(uint16_t code)
{
	return et_iana_alert((uint8_t)code);
}

static const char *handshake_name(uint16_t type)
{
	return et_iana_handshake((uint8_t)type);
}

static void test_versions(void)
{
	static const struct fact facts[] = {
		{ 0x0002, "SSLv2" },
		{ 0x0300, "SSLv3" },
		{ 0x0301, "TLSv1.0" },
		{ 0x0302, "TLSv1.1" },
		{ 0x0303, "TLSv1.2" },
		{ 0x0304, "TLSv1.3" },
	};
	size_t named = 0;

	check_facts(et_iana_version, facts, COUNT(facts));
	for (uint32_t v = 0; v <= UINT16_MAX; v++) {
		named += et_iana_version((uint16_t)v) != NULL;
		CU_ASSERT(et_iana_is_tls13_draft((uint16_t)v) == (v >= 0x7f00 && v <= 0x7fff));
	}
	CU_ASSERT_EQUAL(named, COUNT(facts));
}

static void test_names(void)
{
	static const struct fact groups[] = {
		{ 0x0000, NULL },
		{ 0x0017, "secp256r1" },
		{ 0x0018, "secp384r1" },
		{ 0x0019, "secp521r1" },
		{ 0x001a, "brainpoolP256r1" },
		{ 0x001d, "x25519" },
		{ 0x001e, "x448" },
		{ 0x0100, "ffdhe2048" },
		{ 0x0104, "ffdhe8192" },
		{ 0x11eb, "SecP256r1MLKEM768" },
		{ 0x11ec, "X25519MLKEM768" },
		{ 0x11ed, "SecP384r1MLKEM1024" },
		{ 0x6399, "X25519Kyber768Draft00" },
		{ 0x1a1a, "GREASE" },
		{ 0x1a1b, NULL },
		{ 0xff01, "arbitrary_explicit_prime_curves" },
		{ 0xffff, NULL },
	};
	static const struct fact sigalgs[] = {
		{ 0x0101, "rsa_pkcs1_md5" },
		{ 0x0201, "rsa_pkcs1_sha1" },
		{ 0x0202, "dsa_sha1" },
		{ 0x0203, "ecdsa_sha1" },
		{ 0x0301, "rsa_pkcs1_sha224" },
		{ 0x0303, "ecdsa_sha224" },
		{ 0x0401, "rsa_pkcs1_sha256" },
		{ 0x0402, "dsa_sha256" },
		{ 0x0403, "ecdsa_secp256r1_sha256" },
		{ 0x0503, "ecdsa_secp384r1_sha384" },
		{ 0x0601, "rsa_pkcs1_sha512" },
		{ 0x0602, "dsa_sha512" },
		{ 0x0603, "ecdsa_secp521r1_sha512" },
		{ 0x0804, "rsa_pss_rsae_sha256" },
		{ 0x0807, "ed25519" },
		{ 0x080b, "rsa_pss_pss_sha512" },
		{ 0x0905, "mldsa65" },
		{ 0xfafa, "GREASE" },
		{ 0x0000, NULL },
		{ 0x0604, NULL },
	};
	static const struct fact extensions[] = {
		{ 0, "server_name" },
		{ 10, "supported_groups" },
		{ 13, "signature_algorithms" },
		{ 16, "application_layer_protocol_negotiation" },
		{ 23, "extended_master_secret" },
		{ 35, "session_ticket" },
		{ 41, "pre_shared_key" },
		{ 43, "supported_versions" },
		{ 51, "key_share" },
		{ 0xfe0d, "encrypted_client_hello" },
		{ 0xff01, "renegotiation_info" },
		{ 0x0a0a, "GREASE" },
		{ 0xff00, NULL },
	};

	check_facts(et_iana_group, groups, COUNT(groups));
	check_facts(et_iana_sigalg, sigalgs, COUNT(sigalgs));
	check_facts(et_iana_extension, extensions, COUNT(extensions));
}

static void test_alerts(void)
{
	static const struct fact alerts[] = {
		{ 0, "close_notify" },
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac" },
		{ 21, "decryption_failed" },
		{ 22, "record_overflow" },
		{ 30, "decompression_failure" },
		{ 40, "handshake_failure" },
		{ 41, "no_certificate" },
		{ 42, "bad_certificate" },
		{ 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" },
		{ 45, "certificate_expired" },
		{ 46, "certificate_unknown" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca" },
		{ 49, "access_denied" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 60, "export_restriction" },
		{ 70, "protocol_version" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 100, "no_renegotiation" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 111, "certificate_unobtainable" },
		{ 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" },
		{ 114, "bad_certificate_hash_value" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
		{ 121, "ech_required" },
		{ 2, NULL },
		{ 255, NULL },
	};
	static const struct fact handshakes[] = {
		{ 0, "hello_request" },
		{ 1, "client_hello" },
		{ 2, "server_hello" },
		{ 4, "new_session_ticket" },
		{ 8, "encrypted_extensions" },
		{ 11, "certificate" },
		{ 12, "server_key_exchange" },
		{ 13, "certificate_request" },
		{ 14, "server_hello_done" },
		{ 15, "certificate_verify" },
		{ 16, "client_key_exchange" },
		{ 20, "finished" },
		{ 22, "certificate_status" },
		{ 24, "key_update" },
		{ 254, "message_hash" },
		{ 7, NULL },
		{ 255, NULL },
	};

	check_facts(alert_name, alerts, COUNT(alerts));
	check_facts(handshake_name, handshakes, COUNT(handshakes));
	for (size_t i = 0; i < et_iana_alerts_cnt; i++)
		CU_ASSERT_EQUAL(strspn(et_iana_alerts[i].name, "abcdefghijklmnopqrstuvwxyz_"),
			strlen(et_iana_alerts[i].name));
}

static void test_suites(void)
{
	static const struct et_iana_suite facts[] = {
		{ "TLS_NULL_WITH_NULL_NULL", NULL, 0x0000, 0x0300, ET_KX_NULL, ET_AUTH_NULL,
			ET_KEY_NONE, ET_ENC_NULL, 0, 'N' },
		{ "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "EXP-RC4-MD5", 0x0003, 0x0300, ET_KX_RSA,
			ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_RC4, ET_IANA_EXPORT, 'D' },
		{ "TLS_RSA_WITH_RC4_128_SHA", "RC4-SHA", 0x0005, 0x0300, ET_KX_RSA, ET_AUTH_RSA,
			ET_KEY_RSA, ET_ENC_RC4, 0, 'D' },
		{ "TLS_RSA_WITH_IDEA_CBC_SHA", "IDEA-CBC-SHA", 0x0007, 0x0300, ET_KX_RSA,
			ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_IDEA, 0, 'D' },
		{ "TLS_RSA_WITH_DES_CBC_SHA", "DES-CBC-SHA", 0x0009, 0x0300, ET_KX_RSA, ET_AUTH_RSA,
			ET_KEY_RSA, ET_ENC_DES, 0, 'D' },
		{ "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA", 0x000a, 0x0300, ET_KX_RSA,
			ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_3DES, 0, 'D' },
		{ "TLS_DH_DSS_WITH_AES_128_CBC_SHA", "DH-DSS-AES128-SHA", 0x0030, 0x0300, ET_KX_DH,
			ET_AUTH_DSS, ET_KEY_DH, ET_ENC_AES, 0, 'D' },
		{ "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", "DHE-DSS-AES256-SHA", 0x0038, 0x0300,
			ET_KX_DHE, ET_AUTH_DSS, ET_KEY_DSS, ET_ENC_AES, 0, 'D' },
		{ "TLS_DH_anon_WITH_AES_256_CBC_SHA", "ADH-AES256-SHA", 0x003a, 0x0300, ET_KX_DHE,
			ET_AUTH_ANON, ET_KEY_NONE, ET_ENC_AES, 0, 'D' },
		{ "TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256", 0x003c, 0x0303, ET_KX_RSA,
			ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_AES, 0, 'D' },
		{ "TLS_GOSTR341001_WITH_28147_CNT_IMIT", "GOST2001-GOST89-GOST89", 0x0081, 0x0301,
			ET_KX_GOST, ET_AUTH_GOST, ET_KEY_GOST, ET_ENC_GOST, ET_IANA_UNREGISTERED,
			'-' },
		{ "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", "RSA-PSK-AES128-GCM-SHA256", 0x00ac,
			0x0303, ET_KX_RSA_PSK, ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_AES, ET_IANA_AEAD,
			'D' },
		{ "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", NULL, 0x00ff, 0, ET_KX_NONE, ET_AUTH_NONE,
			ET_KEY_NONE, ET_ENC_NONE, ET_IANA_SCSV, 'N' },
		{ "GREASE", NULL, 0x0a0a, 0, ET_KX_NONE, ET_AUTH_NONE, ET_KEY_NONE, ET_ENC_NONE,
			ET_IANA_GREASE, 'N' },
		{ "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", 0x1301, 0x0304, ET_KX_ANY,
			ET_AUTH_ANY, ET_KEY_ANY, ET_ENC_AES, ET_IANA_AEAD, 'Y' },
		{ "TLS_FALLBACK_SCSV", NULL, 0x5600, 0, ET_KX_NONE, ET_AUTH_NONE, ET_KEY_NONE,
			ET_ENC_NONE, ET_IANA_SCSV, 'N' },
		{ "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", "ECDH-RSA-AES128-SHA", 0xc00e, 0x0301,
			ET_KX_ECDH, ET_AUTH_RSA, ET_KEY_EC, ET_ENC_AES, 0, 'D' },
		{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
			0xc02b, 0x0303, ET_KX_ECDHE, ET_AUTH_ECDSA, ET_KEY_EC, ET_ENC_AES,
			ET_IANA_AEAD, 'Y' },
		{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "ECDHE-RSA-AES256-SHA384", 0xc028,
			0x0303, ET_KX_ECDHE, ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_AES, 0, 'N' },
		{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305",
			0xcca8, 0x0303, ET_KX_ECDHE, ET_AUTH_RSA, ET_KEY_RSA, ET_ENC_CHACHA20,
			ET_IANA_AEAD, 'Y' },
	};

	for (size_t i = 0; i < COUNT(facts); i++) {
		const struct et_iana_suite *want = &facts[i], *got = et_iana_suite(want->id);

		CU_ASSERT_PTR_NOT_NULL_FATAL(got);
		if (got->kx != want->kx || !same(got->openssl, want->openssl))
			printf("\n  %04x %s", (unsigned int)want->id, want->name);
		CU_ASSERT_EQUAL(got->id, want->id);
		CU_ASSERT(same(got->name, want->name));
		CU_ASSERT(same(got->openssl, want->openssl));
		CU_ASSERT_EQUAL(got->min_version, want->min_version);
		CU_ASSERT_EQUAL(got->kx, want->kx);
		CU_ASSERT_EQUAL(got->auth, want->auth);
		CU_ASSERT_EQUAL(got->cert_key, want->cert_key);
		CU_ASSERT_EQUAL(got->enc, want->enc);
		CU_ASSERT_EQUAL(got->flags, want->flags);
		CU_ASSERT_EQUAL(got->recommended, want->recommended);
	}
	CU_ASSERT_PTR_NULL(et_iana_suite(0x1300));
	CU_ASSERT_PTR_NULL(et_iana_suite(0xffff));
}

/* As many suites as IANA has assigned, SCSVs included; no hole where the registries have none. */
static void test_complete(void)
{
	size_t registered = 0, tls13 = 0;

	for (size_t i = 0; i < et_iana_suites_cnt; i++) {
		const struct et_iana_suite *suite = &et_iana_suites[i];

		registered += !(suite->flags & (ET_IANA_UNREGISTERED | ET_IANA_GREASE));
		tls13 += suite->id >> 8 == 0x13;
		/* what OpenSSL calls a suite says which suite it is: no name twice */
		for (size_t k = 0; k < i; k++) {
			CU_ASSERT(!same(suite->name, et_iana_suites[k].name) ||
				  (suite->flags & ET_IANA_GREASE));
			CU_ASSERT(suite->openssl == NULL ||
				  !same(suite->openssl, et_iana_suites[k].openssl));
		}
	}
	CU_ASSERT_EQUAL(registered, 352);
	CU_ASSERT_EQUAL(tls13, 7);
	for (uint16_t id = 1; id <= 41; id++)
		CU_ASSERT_PTR_NOT_NULL(et_iana_group(id));
	for (uint16_t hash = 1; hash <= 6; hash++)
		for (uint16_t sig = 1; sig <= 3; sig++)
			CU_ASSERT_PTR_NOT_NULL(et_iana_sigalg((uint16_t)(hash << 8 | sig)));
	for (uint16_t type = 0; type <= 62; type++)
		CU_ASSERT_PTR_NOT_NULL(et_iana_extension(type));
}

static void check_table(const struct iana_name *table, size_t cnt, name_fn *fn, uint32_t max)
{
	size_t at = 0;

	for (size_t i = 1; i < cnt; i++)
		CU_ASSERT(table[i - 1].id < table[i].id);
	for (uint32_t id = 0; id <= max; id++) {
		bool there = at < cnt && table[at].id == id;

		CU_ASSERT(same(fn((uint16_t)id), there ? table[at].name : NULL));
		at += there;
	}
	CU_ASSERT_EQUAL(at, cnt);
}

static const char *suite_name(uint16_t id)
{
	const struct et_iana_suite *suite = et_iana_suite(id);

	return suite != NULL ? suite->name : NULL;
}

static void test_every_number(void)
{
	size_t at = 0;

	check_table(et_iana_versions, et_iana_versions_cnt, et_iana_version, UINT16_MAX);
	check_table(et_iana_groups, et_iana_groups_cnt, et_iana_group, UINT16_MAX);
	check_table(et_iana_sigalgs, et_iana_sigalgs_cnt, et_iana_sigalg, UINT16_MAX);
	check_table(et_iana_extensions, et_iana_extensions_cnt, et_iana_extension, UINT16_MAX);
	check_table(et_iana_alerts, et_iana_alerts_cnt, alert_name, UINT8_MAX);
	check_table(et_iana_handshakes, et_iana_handshakes_cnt, handshake_name, UINT8_MAX);
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		bool there = at < et_iana_suites_cnt && et_iana_suites[at].id == id;

		CU_ASSERT(same(suite_name((uint16_t)id), there ? et_iana_suites[at].name : NULL));
		at += there;
	}
	CU_ASSERT_EQUAL(at, et_iana_suites_cnt);
}

/* RFC 8701 2, and the marks in the tables must say the same. */
static void test_grease_and_scsv(void)
{
	static const uint16_t grease[] = {
		0x0a0a,
		0x1a1a,
		0x2a2a,
		0x3a3a,
		0x4a4a,
		0x5a5a,
		0x6a6a,
		0x7a7a,
		0x8a8a,
		0x9a9a,
		0xaaaa,
		0xbaba,
		0xcaca,
		0xdada,
		0xeaea,
		0xfafa,
	};
	size_t at = 0, scsvs = 0;

	for (uint32_t v = 0; v <= UINT16_MAX; v++) {
		uint16_t id = (uint16_t)v;
		const struct et_iana_suite *suite = et_iana_suite(id);
		bool is = at < COUNT(grease) && grease[at] == id;

		at += is;
		scsvs += et_iana_is_scsv(id);
		CU_ASSERT_EQUAL(et_iana_is_grease(id), is);
		CU_ASSERT_EQUAL(same(suite_name(id), "GREASE"), is);
		CU_ASSERT_EQUAL(same(et_iana_group(id), "GREASE"), is);
		CU_ASSERT_EQUAL(same(et_iana_extension(id), "GREASE"), is);
		CU_ASSERT_EQUAL(same(et_iana_sigalg(id), "GREASE"), is);
		CU_ASSERT_EQUAL(suite != NULL && suite->flags & ET_IANA_GREASE, is);
		CU_ASSERT_EQUAL(suite != NULL && suite->flags & ET_IANA_SCSV, et_iana_is_scsv(id));
	}
	CU_ASSERT_EQUAL(at, 16);
	CU_ASSERT_EQUAL(scsvs, 2);
	CU_ASSERT(et_iana_is_scsv(0x00ff) && et_iana_is_scsv(0x5600));
}

static void test_sslv2(void)
{
	static const struct fact facts[] = {
		{ 0x000000, "SSL_CK_NULL_WITH_MD5" },
		{ 0x010080, "SSL_CK_RC4_128_WITH_MD5" },
		{ 0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5" },
		{ 0x0700c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5" },
		{ 0xff8010, "SSL_CK_NULL" },
		{ 0x000035, "TLS_RSA_WITH_AES_256_CBC_SHA" },
		{ 0x0000ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" },
		{ 0x001300, NULL },
		{ 0x010081, NULL },
		{ 0x010035, NULL },
		{ 0xffffff, NULL },
		{ 0x01000035, NULL },
		{ 0xffffffff, NULL },
	};

	for (size_t i = 0; i < COUNT(facts); i++)
		CU_ASSERT(same(et_iana_sslv2_cipher(facts[i].id), facts[i].name));
	for (size_t i = 1; i < et_iana_sslv2s_cnt; i++)
		CU_ASSERT(et_iana_sslv2s[i - 1].id < et_iana_sslv2s[i].id);
	for (size_t i = 0; i < et_iana_sslv2s_cnt; i++)
		CU_ASSERT(same(et_iana_sslv2_cipher(et_iana_sslv2s[i].id), et_iana_sslv2s[i].name));
}

static void test_curves(void)
{
	static const struct fact facts[] = {
		{ 0x0017, "prime256v1" },
		{ 0x0017, "secp256r1" },
		{ 0x0017, "P-256" },
		{ 0x0017, "p-256" },
		{ 0x0018, "secp384r1" },
		{ 0x0018, "P-384" },
		{ 0x0019, "secp521r1" },
		{ 0x0019, "P-521" },
		{ 0x0013, "prime192v1" },
		{ 0x0015, "P-224" },
		{ 0x0016, "secp256k1" },
		{ 0x001a, "brainpoolP256r1" },
		{ 0x001c, "BRAINPOOLP512R1" },
		{ 0x001d, "X25519" },
		{ 0x0003, "B-163" },
		{ 0x0029, "SM2" },
		{ 0, "" },
		{ 0, "secp384r" },
		{ 0, "secp384r11" },
		{ 0, "GREASE" },
		{ 0, "\xff" },
		{ 0, NULL },
	};

	for (size_t i = 0; i < COUNT(facts); i++)
		CU_ASSERT_EQUAL(et_iana_group_by_curve(facts[i].name), facts[i].id);
	for (size_t i = 0; i < et_iana_curves_cnt; i++) {
		CU_ASSERT(i == 0 || strcmp(et_iana_curves[i - 1].name, et_iana_curves[i].name) < 0);
		CU_ASSERT_EQUAL(
			et_iana_group_by_curve(et_iana_curves[i].name), et_iana_curves[i].group);
	}
	for (uint32_t id = 1; id <= UINT16_MAX; id++) {
		const char *name = et_iana_group((uint16_t)id);

		if (name != NULL && !et_iana_is_grease((uint16_t)id))
			CU_ASSERT_EQUAL(et_iana_group_by_curve(name), id);
	}
}

static void test_openssl_names(void)
{
	static const struct fact groups[] = {
		{ 0x0017, "prime256v1" },
		{ 0x0013, "prime192v1" },
		{ 0x0018, "secp384r1" },
		{ 0x001d, "X25519" },
		{ 0x11ec, "X25519MLKEM768" },
		{ 0, NULL },
	};
	static const struct fact sigalgs[] = {
		{ 0x0401, "RSA+SHA256" },
		{ 0x0403, "ECDSA+SHA256" },
		{ 0x0202, "DSA+SHA1" },
		{ 0x0804, "RSA-PSS+SHA256" },
		{ 0x0807, "ed25519" },
		{ 0, NULL },
	};

	check_facts(et_iana_group_openssl, groups, COUNT(groups));
	check_facts(et_iana_sigalg_openssl, sigalgs, COUNT(sigalgs));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "versions", test_versions },
		{ "groups, schemes, extensions", test_names },
		{ "alerts, handshake types", test_alerts },
		{ "suites", test_suites },
		{ "complete", test_complete },
		{ "every number", test_every_number },
		{ "GREASE and SCSV", test_grease_and_scsv },
		{ "SSLv2 kinds", test_sslv2 },
		{ "curves", test_curves },
		{ "OpenSSL names", test_openssl_names },
		CU_TEST_INFO_NULL,
	};

	return unit_run("iana", tests);
}
