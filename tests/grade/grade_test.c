/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * For each predicate: does it hold where it should, of how many sessions and how surely, and not
 * beside it? Grades by strength and cap; whose order of suites decides; policies that are right and
 * wrong.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../unit.h"
#include "et_grade.h"

#define MINUTE \
	"{\"type\":\"minute\",\"v\":1,\"sensor\":\"gw\",\"minute\":\"2026-11-22T10:31:00Z\"}\n"
#define PEER2(client, service, rest)                                                     \
	"{\"type\":\"peer\",\"client\":\"192.0.2." client "\",\"server\":\"192.0.2.2\"," \
	"\"service\":\"" service "\"," rest "}\n"
#define PEER(rest) PEER2("1", "smtp", rest)
#define TLS(sessions, version, suite)                                                         \
	"\"sessions\":" sessions ",\"tls_established\":" sessions ",\"versions\":{\"" version \
	"\":" sessions "},\"version_ciphers\":{\"" version " " suite "\":" sessions "}"
#define AES       "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
#define TRAIT(t)  PEER(TLS("3", "TLSv1.2", AES) ",\"traits\":{\"" t "\":2}")
#define DH(bits)  PEER(TLS("3", "TLSv1.2", AES) ",\"dh_bits\":{\"" bits "\":2,\"4096\":1}")
#define SIGNED(s) PEER(TLS("3", "TLSv1.2", AES) ",\"signatures\":{\"" s "\":2,\"ed25519\":1}")
#define WITH_CERT \
	PEER(TLS("3", "TLSv1.2", AES) ",\"server_name\":\"mx.example.net\",\"certs\":{\"c\":2}")
#define CERT_OF(subject, issuer, name, key, bits, sigalg, from, to)                     \
	WITH_CERT "{\"type\":\"cert\",\"sha256\":\"c\",\"subject\":\"CN=" subject       \
		  "\",\"issuer\":\"CN=" issuer "\",\"names\":[" name "],\"key\":\"" key \
		  "\",\"bits\":" bits ",\"curve\":null,\"sigalg\":\"" sigalg            \
		  "\",\"not_before\":\"" from "\",\"not_after\":\"" to "\"}\n"
#define SHA256               "sha256WithRSAEncryption"
#define FROM                 "2026-01-01T00:00:00Z"
#define TO                   "2027-01-01T00:00:00Z"
#define NAME                 "\"mx.example.net\""
#define KEY(bits)            CERT_OF("a", "b", NAME, "rsa", bits, SHA256, FROM, TO)
#define DATES(from, to)      CERT_OF("a", "b", NAME, "rsa", "2048", SHA256, from, to)
#define NAMED(subject, name) CERT_OF(subject, "b", name, "rsa", "2048", SHA256, FROM, TO)
#define BY(sigalg)           CERT_OF("a", "b", NAME, "rsa", "2048", sigalg, FROM, TO)
/* with supported_versions (002b), and so without a legacy_version that says more */
#define HELLO(id, versions, ciphers, rest)                                                    \
	"{\"type\":\"hello\",\"id\":\"" id                                                    \
	"\",\"legacy_version\":\"TLSv1.2\",\"versions\":[" versions "],\"ciphers\":[" ciphers \
	"],\"groups\":[\"001d\"],\"extensions\":[\"002b\"" rest "]}\n"
/* without: legacy_version is the highest */
#define OLD(id, version, ciphers, rest)                                     \
	"{\"type\":\"hello\",\"id\":\"" id "\",\"legacy_version\":" version \
	",\"versions\":[" version "],\"ciphers\":[" ciphers "],\"extensions\":[" rest "]}\n"
#define TOOK(version, suite, hello) "\"" version " " suite " x25519 " hello " -\":1"
#define ACCEPT(version, hello)                              \
	PEER(TLS("1", version, AES) ",\"hellos\":{\"" hello \
				    "\":1},\"accepts\":{" TOOK(version, AES, hello) "}")
#define OFFERED(rest) PEER("\"sessions\":1,\"hellos\":{\"h\":1}") rest
#define V12           "\"TLSv1.2\""

static struct et_grade_policy policy; /* minds all, and caps nothing */
static struct et_grade grade;

static struct et_archive *archive_of(const char *rows)
{
	struct et_archive *archive = et_archive_new(NULL);
	char *text;
	FILE *in;

	CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
	if (asprintf(&text, MINUTE "%s", rows) < 0)
		abort();
	in = fmemopen(text, strlen(text), "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	CU_ASSERT(et_archive_add_rows(archive, in, "rows") >= 0); /* there is no end row */
	CU_ASSERT_EQUAL(et_archive_finish(archive), 0);
	fclose(in);
	free(text);
	return archive;
}

static void judge(const struct et_archive *archive, bool of_client)
{
	size_t cnt;
	const struct et_archive_host *hosts =
		of_client ? et_archive_clients(archive, &cnt) : et_archive_servers(archive, &cnt);

	CU_ASSERT_FATAL(cnt > 0);
	if (of_client)
		et_grade_client(&grade, &policy, archive, hosts);
	else
		CU_ASSERT_TRUE_FATAL(et_grade_server(&grade, &policy, archive, hosts));
}

static const struct et_grade_finding *find(const char *id)
{
	for (size_t i = 0; i < grade.findings_cnt; i++)
		if (strcmp(grade.findings[i].predicate->id, id) == 0)
			return &grade.findings[i];
	return NULL;
}

static void mind_all(void)
{
	memset(&policy, 0, sizeof(policy));
	policy.suites[policy.suites_cnt++] = 0xc02f;
	policy.groups[policy.groups_cnt++] = 0x001d;
	policy.few = 10;
	for (unsigned role = 0; role < ET_GRADE_ROLES; role++)
		for (size_t i = 0; et_grade_predicates[i].id; i++)
			policy.rules[role][i].severity = ET_GRADE_INFO;
}

static const struct {
	const char *id, *rows;
	unsigned sessions, of; /* 0: it does not hold */
	enum et_confidence confidence;
	const char *detail; /* a part of it; NULL: any */
} predicate_rows[] = {
	{ "sslv2", PEER(TLS("1", "SSLv2", "SSL_CK_DES_192_EDE3_CBC_WITH_MD5")), 1, 1, 0, "EDE3" },
	{ "sslv2", PEER(TLS("1", "SSLv3", AES)), 0, 0, 0, NULL },
	{ "sslv3", PEER(TLS("1", "SSLv3", AES)), 1, 1, 0, NULL },
	{ "sslv3", PEER(TLS("1", "TLSv1.0", AES)), 0, 0, 0, NULL },
	{ "tlsv1.0", PEER(TLS("2", "TLSv1.0", AES)), 2, 2, 0, NULL },
	{ "tlsv1.0", PEER(TLS("2", "TLSv1.1", AES)), 0, 0, 0, NULL },
	{ "tlsv1.1", PEER(TLS("2", "TLSv1.1", AES)), 2, 2, 0, NULL },
	{ "tlsv1.1", PEER(TLS("2", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "null", PEER(TLS("1", "TLSv1.2", "TLS_RSA_WITH_NULL_SHA256")), 1, 1, 0, NULL },
	{ "null", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "export", PEER(TLS("1", "TLSv1.0", "TLS_RSA_EXPORT_WITH_RC4_40_MD5")), 1, 1, 0, NULL },
	{ "export", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_MD5")), 0, 0, 0, NULL },
	{ "export", PEER(TLS("1", "SSLv2", "SSL_CK_RC4_128_EXPORT40_WITH_MD5")), 1, 1, 0, NULL },
	{ "anonymous", PEER(TLS("1", "TLSv1.2", "TLS_DH_anon_WITH_AES_256_GCM_SHA384")), 1, 1, 0,
		"DH_anon" },
	{ "anonymous", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "rc4", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA")), 1, 1, 0, NULL },
	{ "rc4", PEER(TLS("1", "SSLv2", "SSL_CK_RC4_128_WITH_MD5")), 1, 1, 0, NULL },
	{ "rc4", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")), 0, 0, 0, NULL },
	{ "3des", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")), 1, 1, 0, NULL },
	{ "3des", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_DES_CBC_SHA")), 0, 0, 0, NULL },
	{ "des", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_DES_CBC_SHA")), 1, 1, 0, NULL },
	{ "des", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")), 0, 0, 0, NULL },
	{ "md5_mac", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_MD5")), 1, 1, 0, NULL },
	{ "md5_mac", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA")), 0, 0, 0, NULL },
	{ "no_forward_secrecy", PEER(TLS("1", "TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256")), 1, 1,
		0, NULL },
	{ "no_forward_secrecy", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "no_forward_secrecy", PEER(TLS("1", "TLSv1.3", "TLS_AES_128_GCM_SHA256")), 0, 0, 0,
		NULL },
	{ "cbc", PEER(TLS("1", "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA")), 1, 1, 0, NULL },
	{ "cbc", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "cbc_tlsv1.0", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_AES_128_CBC_SHA")), 1, 1, 0, NULL },
	{ "cbc_tlsv1.0", PEER(TLS("1", "TLSv1.1", "TLS_RSA_WITH_AES_128_CBC_SHA")), 0, 0, 0, NULL },
	{ "cbc_tlsv1.0", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA")), 0, 0, 0, NULL },
	{ "suite_not_listed", PEER(TLS("1", "TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256")), 1, 1, 0,
		NULL },
	{ "suite_not_listed", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "dh_1024", DH("1024"), 2, 3, 0, "1024 bits" },
	{ "dh_1024", DH("1025"), 0, 0, 0, NULL },
	{ "dh_2048", DH("1025"), 2, 3, 0, NULL },
	{ "dh_2048", DH("1024"), 0, 0, 0, NULL },
	{ "dh_2048", DH("2048"), 0, 0, 0, NULL },
	{ "group_weak", PEER(TLS("1", "TLSv1.2", AES) ",\"groups\":{\"secp192r1\":1}"), 1, 1, 0,
		"secp192r1" },
	{ "group_weak", PEER(TLS("1", "TLSv1.2", AES) ",\"groups\":{\"secp224r1\":1}"), 0, 0, 0,
		NULL },
	{ "group_not_listed", PEER(TLS("1", "TLSv1.2", AES) ",\"groups\":{\"secp256r1\":1}"), 1, 1,
		0, NULL },
	{ "group_not_listed", PEER(TLS("1", "TLSv1.2", AES) ",\"groups\":{\"x25519\":1}"), 0, 0, 0,
		NULL },
	{ "signature_md5", SIGNED("rsa_pkcs1_md5"), 2, 3, 0, NULL },
	{ "signature_md5", SIGNED("rsa_pkcs1_sha1"), 0, 0, 0, NULL },
	{ "signature_sha1", SIGNED("ecdsa_sha1"), 2, 3, 0, "ecdsa_sha1" },
	{ "signature_sha1", SIGNED("rsa_pkcs1_sha256"), 0, 0, 0, NULL },
	{ "compression", TRAIT("compression"), 2, 3, 0, NULL },
	{ "compression", TRAIT("anonymous"), 0, 0, 0, NULL },
	{ "dh_well_known", TRAIT("dh_prime_well_known"), 2, 3, 0, NULL },
	{ "dh_well_known", TRAIT("compression"), 0, 0, 0, NULL },
	{ "no_extended_master_secret", TRAIT("no_extended_master_secret"), 2, 3, 0, NULL },
	{ "no_extended_master_secret", TRAIT("compression"), 0, 0, 0, NULL },
	{ "no_secure_renegotiation", TRAIT("no_secure_renegotiation"), 2, 3, 0, NULL },
	{ "no_secure_renegotiation", TRAIT("compression"), 0, 0, 0, NULL },
	/* a hello that offers it got less */
	{ "tlsv1.2_missing", ACCEPT("TLSv1.0", "h") HELLO("h", V12, "\"c02f\"", ""), 1, 1, 0,
		NULL },
	{ "tlsv1.2_missing", ACCEPT("TLSv1.0", "h") HELLO("h", "\"TLSv1.0\"", "\"c02f\"", ""), 0, 0,
		0, NULL },
	{ "tlsv1.2_missing", ACCEPT("TLSv1.2", "h") HELLO("h", V12, "\"c02f\"", ""), 0, 0, 0,
		NULL },
	/* the server says that it could */
	{ "tlsv1.2_missing",
		PEER(TLS("1", "TLSv1.0", AES) ",\"accepts\":{" TOOK(
			"TLSv1.0", AES, "h") "},"
					     "\"traits\":{\"downgrade_from_TLSv1.2\":1}")
			HELLO("h", V12, "\"c02f\"", ""),
		0, 0, 0, NULL },
	{ "tlsv1.2_unseen", ACCEPT("TLSv1.0", "h") HELLO("h", "\"TLSv1.0\"", "\"c02f\"", ""), 1, 1,
		ET_POSSIBLE, NULL },
	{ "tlsv1.2_unseen", ACCEPT("TLSv1.0", "h") HELLO("h", V12, "\"c02f\"", ""), 0, 0, 0, NULL },
	{ "tlsv1.2_unseen", ACCEPT("TLSv1.3", "h"), 0, 0, 0, NULL },
	{ "tlsv1.3_missing",
		ACCEPT("TLSv1.2", "h") HELLO("h", "\"TLSv1.3\",\"TLSv1.2\"", "\"c02f\"", ""), 1, 1,
		0, NULL },
	{ "tlsv1.3_missing", ACCEPT("TLSv1.2", "h") HELLO("h", V12, "\"c02f\"", ""), 0, 0, 0,
		NULL },
	{ "cert_expired", DATES(FROM, "2026-11-22T10:30:59Z"), 2, 2, 0, "2026-11-22" },
	{ "cert_expired", DATES(FROM, "2026-11-22T10:31:00Z"), 0, 0, 0, NULL },
	{ "cert_not_yet_valid", DATES("2026-11-22T10:32:00Z", TO), 2, 2, 0, NULL },
	{ "cert_not_yet_valid", DATES("2026-11-22T10:31:59Z", TO), 0, 0, 0, NULL },
	{ "cert_self_signed", CERT_OF("a", "a", NAME, "rsa", "2048", SHA256, FROM, TO), 2, 2,
		ET_LIKELY, "CN=a" },
	{ "cert_self_signed", KEY("2048"), 0, 0, 0, NULL },
	{ "cert_name", NAMED("a", "\"other.example.net\""), 2, 2, ET_POSSIBLE,
		"other.example.net" },
	{ "cert_name", NAMED("a", "\"*.example.net\""), 0, 0, 0, NULL },
	{ "cert_name", NAMED("a", "\"*.net\""), 2, 2, ET_POSSIBLE, NULL },
	{ "cert_name", NAMED("a", "\"x.example.org\",\"MX.example.NET\""), 0, 0, 0, NULL },
	{ "cert_name", NAMED("mx.example.net,O=x", ""), 0, 0, 0, NULL },
	{ "cert_name", NAMED("mx.example.net", "\"other\""), 2, 2, ET_POSSIBLE, NULL },
	{ "cert_key_1024", KEY("512"), 2, 2, 0, "rsa-512" },
	{ "cert_key_1024", KEY("1024"), 0, 0, 0, NULL },
	{ "cert_key_2048", KEY("1024"), 2, 2, 0, NULL },
	{ "cert_key_2048", KEY("2048"), 0, 0, 0, NULL },
	{ "cert_key_3072", KEY("2048"), 2, 2, 0, NULL },
	{ "cert_key_3072", KEY("3072"), 0, 0, 0, NULL },
	{ "cert_md5", BY("md5WithRSAEncryption"), 2, 2, 0, NULL },
	{ "cert_md5", BY("sha1WithRSAEncryption"), 0, 0, 0, NULL },
	{ "cert_sha1", BY("ecdsa-with-SHA1"), 2, 2, 0, NULL },
	{ "cert_sha1", BY(SHA256), 0, 0, 0, NULL },
	{ "starttls_never", PEER("\"sessions\":3,\"starttls_not_offered\":2"), 2, 3, 0, NULL },
	{ "starttls_never",
		PEER("\"sessions\":3,\"starttls_not_offered\":2,\"starttls_offered\":1"), 0, 0, 0,
		NULL },
	{ "starttls_never", PEER2("1", "smtps", "\"sessions\":3,\"starttls_not_offered\":2"), 0, 0,
		0, NULL },
	{ "starttls_not_to_all",
		PEER("\"sessions\":3,\"starttls_offered\":3")
			PEER2("9", "smtp", "\"sessions\":2,\"starttls_not_offered\":2"),
		2, 5, 0, "offered to others" },
	{ "starttls_not_to_all", PEER("\"sessions\":2,\"starttls_not_offered\":2"), 0, 0, 0, NULL },
	{ "starttls_changes",
		PEER("\"sessions\":3,\"starttls_offered\":2,\"starttls_not_offered\":1"), 1, 3, 0,
		NULL },
	{ "starttls_changes", PEER("\"sessions\":3,\"starttls_offered\":3"), 0, 0, 0, NULL },
	{ "starttls_masked", PEER("\"sessions\":3,\"starttls_masked\":1"), 1, 3, 0, NULL },
	{ "starttls_refused",
		PEER("\"sessions\":3,\"starttls_requested\":2,\"starttls_refused\":1"), 1, 2, 0,
		NULL },
	{ "starttls_injection", PEER("\"sessions\":3,\"starttls_requested\":2,\"injected\":1"), 1,
		2, 0, NULL },
	{ "auth_clear", PEER("\"sessions\":3,\"auth_clear\":1"), 1, 3, 0, NULL },
	{ "auth_clear", PEER("\"sessions\":3"), 0, 0, 0, NULL },
	{ "mail_clear", PEER("\"sessions\":3,\"clear_mail\":5,\"clear_sessions\":2"), 2, 3, 0,
		NULL },
	{ "tls_failed", PEER("\"sessions\":3,\"tls_failed\":2"), 2, 3, 0, NULL },
	/* clients */
	{ "offers_sslv2", OFFERED(HELLO("h", "\"SSLv3\"", "\"0700c0\"", "")), 1, 1, 0, "hello h" },
	{ "offers_sslv2", OFFERED(HELLO("h", V12, "\"c02f\"", "")), 0, 0, 0, NULL },
	{ "offers_sslv3", OFFERED(HELLO("h", "\"SSLv3\"", "\"c02f\"", "")), 1, 1, 0, NULL },
	{ "no_tlsv1.2", OFFERED(HELLO("h", "\"TLSv1.0\"", "\"c02f\"", "")), 1, 1, 0, NULL },
	{ "no_tlsv1.2", OFFERED(HELLO("h", "\"TLSv1.0\",\"TLSv1.2\"", "\"c02f\"", "")), 0, 0, 0,
		NULL },
	{ "no_tlsv1.3", OFFERED(HELLO("h", V12, "\"c02f\"", "")), 1, 1, 0, NULL },
	{ "no_tlsv1.3", OFFERED(HELLO("h", "\"TLSv1.3\"", "\"c02f\"", "")), 0, 0, 0, NULL },
	{ "offers_sslv3", OFFERED(OLD("h", "\"SSLv3\"", "\"c02f\"", "")), 1, 1, 0, NULL },
	{ "no_tlsv1.2", OFFERED(OLD("h", "\"TLSv1.1\"", "\"c02f\"", "")), 1, 1, 0, NULL },
	{ "no_tlsv1.2", OFFERED(OLD("h", V12, "\"c02f\"", "")), 0, 0, 0, NULL },
	{ "tlsv1.2_missing", ACCEPT("TLSv1.0", "h") OLD("h", V12, "\"c02f\"", ""), 1, 1, 0, NULL },
	{ "no_extended_master_secret_offered", OFFERED(OLD("h", V12, "\"c02f\"", "")), 1, 1, 0,
		NULL },
	{ "offers_null", OFFERED(HELLO("h", V12, "\"c02f\",\"003b\"", "")), 1, 1, 0, NULL },
	{ "offers_export", OFFERED(HELLO("h", V12, "\"c02f\",\"0003\"", "")), 1, 1, 0, NULL },
	{ "offers_anonymous", OFFERED(HELLO("h", V12, "\"c02f\",\"00a7\"", "")), 1, 1, 0, NULL },
	{ "offers_rc4", OFFERED(HELLO("h", V12, "\"c02f\",\"0005\"", "")), 1, 1, 0, NULL },
	{ "offers_rc4", OFFERED(HELLO("h", V12, "\"c02f\"", "")), 0, 0, 0, NULL },
	{ "offers_3des", OFFERED(HELLO("h", V12, "\"000a\"", "")), 1, 1, 0, NULL },
	{ "offers_des", OFFERED(HELLO("h", V12, "\"0009\"", "")), 1, 1, 0, NULL },
	{ "no_forward_secrecy_offered", OFFERED(HELLO("h", V12, "\"002f\"", "")), 1, 1, 0, NULL },
	{ "no_forward_secrecy_offered", OFFERED(HELLO("h", V12, "\"002f\",\"c02f\"", "")), 0, 0, 0,
		NULL },
	{ "no_extended_master_secret_offered", OFFERED(HELLO("h", V12, "\"c02f\"", ",\"000a\"")), 1,
		1, 0, NULL },
	{ "no_extended_master_secret_offered", OFFERED(HELLO("h", V12, "\"c02f\"", ",\"0017\"")), 0,
		0, 0, NULL },
	{ "no_extended_master_secret_offered",
		OFFERED(HELLO("h", "\"TLSv1.3\"", "\"1301\"", ",\"000a\"")), 0, 0, 0, NULL },
	{ "no_secure_renegotiation_offered", OFFERED(HELLO("h", V12, "\"c02f\"", ",\"000a\"")), 1,
		1, 0, NULL },
	{ "no_secure_renegotiation_offered", OFFERED(HELLO("h", V12, "\"c02f\"", ",\"ff01\"")), 0,
		0, 0, NULL },
	{ "used_sslv3", PEER(TLS("1", "SSLv3", AES)), 1, 1, 0, NULL },
	{ "used_old_tls", PEER(TLS("1", "TLSv1.1", AES)), 1, 1, 0, NULL },
	{ "used_old_tls", PEER(TLS("1", "TLSv1.2", AES)), 0, 0, 0, NULL },
	{ "used_weak_suite", PEER(TLS("1", "TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA")), 1, 1, 0, NULL },
	{ "used_no_forward_secrecy", PEER(TLS("1", "TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256")),
		1, 1, 0, NULL },
	{ "used_dh_1024", DH("1024"), 2, 3, 0, NULL },
	{ "tls_not_asked", PEER("\"sessions\":3,\"starttls_offered\":3,\"starttls_requested\":1"),
		2, 3, 0, NULL },
	{ "tls_not_asked", PEER("\"sessions\":3,\"starttls_offered\":1,\"starttls_requested\":3"),
		0, 0, 0, NULL },
	{ "sent_auth_clear", PEER("\"sessions\":3,\"auth_clear\":1"), 1, 3, 0, NULL },
	{ "sent_mail_clear", PEER("\"sessions\":3,\"clear_sessions\":1"), 1, 3, 0, NULL },
	{ "falls_back", PEER("\"sessions\":3,\"fallbacks\":1"), 1, 3, 0, NULL },
	{ "sent_early", PEER("\"sessions\":3,\"starttls_requested\":2,\"injected\":1"), 1, 2, 0,
		NULL },
	{ "offers_compression",
		PEER("\"sessions\":1,\"hellos\":{\"h\":1}") "{\"type\":\"hello\",\"id\":\"h\","
							    "\"versions\":[\"TLSv1.2\"],"
							    "\"ciphers\":[\"c02f\"],"
							    "\"compression\":[\"01\",\"00\"]}\n",
		1, 1, 0, NULL },
};

static bool is_of_client(const char *id)
{
	for (size_t i = 0; et_grade_predicates[i].id; i++)
		if (strcmp(et_grade_predicates[i].id, id) == 0)
			return et_grade_predicates[i].of_client;
	CU_FAIL("a predicate without a name");
	return false;
}

static void test_predicates(void)
{
	mind_all();
	for (size_t i = 0; i < sizeof(predicate_rows) / sizeof(*predicate_rows); i++) {
		struct et_archive *archive = archive_of(predicate_rows[i].rows);
		const struct et_grade_finding *finding;
		bool good;

		judge(archive, is_of_client(predicate_rows[i].id));
		finding = find(predicate_rows[i].id);
		good = predicate_rows[i].sessions == 0
			       ? !finding
			       : finding && finding->sessions == predicate_rows[i].sessions &&
					 finding->of == predicate_rows[i].of &&
					 finding->confidence == predicate_rows[i].confidence &&
					 finding->peers == 1 &&
					 (!predicate_rows[i].detail ||
						 strstr(finding->detail, predicate_rows[i].detail));
		if (!good)
			printf("row %zu, %s: %d of %d, confidence %d, %d peers, \"%s\"\n", i,
				predicate_rows[i].id, finding ? (int)finding->sessions : -1,
				finding ? (int)finding->of : -1,
				finding ? (int)finding->confidence : -1,
				finding ? (int)finding->peers : -1, finding ? finding->detail : "");
		CU_ASSERT(good);
		et_archive_free(archive);
	}
}

/* No predicate without a row in which it holds. */
static void test_all_have_rows(void)
{
	for (size_t i = 0; et_grade_predicates[i].id; i++) {
		size_t k = 0;

		while (k < sizeof(predicate_rows) / sizeof(*predicate_rows) &&
			(predicate_rows[k].sessions == 0 ||
				strcmp(predicate_rows[k].id, et_grade_predicates[i].id) != 0))
			k++;
		if (k == sizeof(predicate_rows) / sizeof(*predicate_rows))
			printf("%s has no row\n", et_grade_predicates[i].id);
		CU_ASSERT(k < sizeof(predicate_rows) / sizeof(*predicate_rows));
	}
}

#define STRONG(version, suite, group, key)                                                     \
	PEER(TLS("1", version, suite) ",\"accepts\":{\"" version " " suite " " group " h " key \
				      "\":1}")

static void test_grades(void)
{
	static const struct {
		const char *rows;
		char strength, graded;
	} rows[] = {
		{ STRONG("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519", "-"), 'A', 'A' },
		{ STRONG("TLSv1.2", AES, "secp256r1", "rsa-2048"), 'A', 'A' },
		{ STRONG("TLSv1.2", AES, "secp256r1", "rsa-512"), 'C', 'C' },
		{ STRONG("TLSv1.2", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "-", "rsa-2048"), 'C', 'C' },
		{ STRONG("TLSv1.0", "TLS_RSA_WITH_RC4_128_SHA", "-", "rsa-2048"), 'A', 'C' },
		{ STRONG("TLSv1.0", "TLS_RSA_EXPORT_WITH_RC4_40_MD5", "-", "rsa-2048"), 'E', 'F' },
		{ STRONG("TLSv1.2", "TLS_RSA_WITH_NULL_SHA256", "-", "rsa-4096"), 'F', 'F' },
		{ STRONG("SSLv3", "TLS_RSA_WITH_AES_128_CBC_SHA", "-", "rsa-2048"), 'A', 'D' },
		/* only possible: does not cap */
		{ PEER(TLS("1", "TLSv1.0", AES)), 'A', 'A' },
		{ PEER("\"sessions\":1,\"starttls_not_offered\":1"), 0, 'F' },
		{ PEER("\"sessions\":1,\"starttls_offered\":1"), 0, 0 },
		{ PEER(TLS("1", "TLSv1.2", "fafb")), 0, 0 }, /* a suite of no name */
	};
	char error[ET_GRADE_ERROR];

	CU_ASSERT_EQUAL_FATAL(
		et_grade_policy_load(&policy, error, "../lib/grade/policies", "default"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_archive *archive = archive_of(rows[i].rows);

		judge(archive, false);
		if (grade.strength != rows[i].strength || grade.grade != rows[i].graded)
			printf("row %zu: %c %c\n", i, grade.strength ? grade.strength : '-',
				grade.grade ? grade.grade : '-');
		CU_ASSERT_EQUAL(grade.strength, rows[i].strength);
		CU_ASSERT_EQUAL(grade.grade, rows[i].graded);
		CU_ASSERT_TRUE(grade.few);
		et_archive_free(archive);
	}
}

/* x, y, z: c02f, c030, cca8 (ChaCha20), of ECDHE and RSA. */
#define X            "\"c02f\""
#define Y            "\"c030\""
#define Z            "\"cca8\""
#define GOT_X(hello) TOOK("TLSv1.2", AES, hello)
#define GOT_Y(hello) TOOK("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", hello)
#define GOT_Z(hello) TOOK("TLSv1.2", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", hello)
#define GOT_R(hello) TOOK("TLSv1.2", "TLS_RSA_WITH_AES_128_GCM_SHA256", hello)
#define MADE(accepts)                                                                  \
	PEER(TLS("2", "TLSv1.2", AES) ",\"hellos\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1}," \
				      "\"accepts\":{" accepts "}")
#define H(id, ciphers) HELLO(id, V12, ciphers, "")

static void test_order(void)
{
	static const struct {
		const char *rows;
		enum et_grade_order order;
		uint32_t hellos, for_server, for_client;
		enum et_confidence confidence;
		bool chacha;
	} rows[] = {
		{ MADE(GOT_X("a")) H("a", X "," Y), ET_GRADE_ORDER_UNKNOWN, 1, 0, 0, ET_POSSIBLE,
			false },
		/* the same suites, turned round: each got its first */
		{ MADE(GOT_X("a") "," GOT_Y("b")) H("a", X "," Y) H("b", Y "," X),
			ET_GRADE_ORDER_CLIENT, 2, 0, 2, ET_CERTAIN, false },
		/* the same, turned round: both got the same, and the other is known to be taken */
		{ MADE(GOT_X("a") "," GOT_X("b") "," GOT_Y("c")) H("a", X "," Y) H("b", Y "," X)
				H("c", Y),
			ET_GRADE_ORDER_SERVER, 3, 1, 0, ET_LIKELY, false },
		/* not known to be taken: perhaps it has no Y at all */
		{ MADE(GOT_X("a") "," GOT_X("b")) H("a", X "," Y) H("b", Y "," X),
			ET_GRADE_ORDER_UNKNOWN, 2, 0, 0, ET_POSSIBLE, false },
		/* passed over, but of another key exchange: perhaps it could not be used */
		{ MADE(GOT_R("a") "," GOT_X("b")) H("a", X ",\"009c\"") H("b", X),
			ET_GRADE_ORDER_UNKNOWN, 2, 0, 0, ET_POSSIBLE, false },
		{ MADE(GOT_X("a") "," GOT_X("b") "," GOT_Y("c")) H("a", Y "," X)
				H("b", Y "," Z "," X) H("c", Y),
			ET_GRADE_ORDER_SERVER, 3, 2, 0, ET_CERTAIN, false },
		/* some machines so, some so */
		{ MADE(GOT_X("a") "," GOT_X("b") "," GOT_Y("c")) H("a", X "," Y) H("b", Y "," X)
				H("c", Y "," X ",\"009c\""),
			ET_GRADE_ORDER_MIXED, 3, 1, 2, ET_LIKELY, false },
		/* ChaCha20 for who has it first */
		{ MADE(GOT_X("a") "," GOT_Z("b") "," GOT_X("c") "," GOT_Y("d")) H("a", X "," Z)
				H("b", Z "," X) H("c", Y "," X) H("d", Y),
			ET_GRADE_ORDER_SERVER, 4, 1, 0, ET_LIKELY, true },
		/* without the hello's row nothing is known */
		{ MADE(GOT_X("a") "," GOT_Y("b")), ET_GRADE_ORDER_UNKNOWN, 0, 0, 0, ET_POSSIBLE,
			false },
	};

	mind_all();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_archive *archive = archive_of(rows[i].rows);
		const struct et_grade_preference *got = &grade.before13;

		judge(archive, false);
		if (got->order != rows[i].order || got->for_server != rows[i].for_server ||
			got->for_client != rows[i].for_client || got->hellos != rows[i].hellos)
			printf("row %zu: %s, %u hellos, %u server, %u client\n", i,
				et_grade_order_name(got->order), got->hellos, got->for_server,
				got->for_client);
		CU_ASSERT_EQUAL(got->order, rows[i].order);
		CU_ASSERT_EQUAL(got->hellos, rows[i].hellos);
		CU_ASSERT_EQUAL(got->for_server, rows[i].for_server);
		CU_ASSERT_EQUAL(got->for_client, rows[i].for_client);
		CU_ASSERT_EQUAL(got->confidence, rows[i].confidence);
		CU_ASSERT_EQUAL(got->chacha, rows[i].chacha);
		et_archive_free(archive);
	}
}

static void test_policies(void)
{
	static const struct {
		const char *text, *says; /* NULL: it is right */
	} rows[] = {
		{ "[mta]\nrc4 = high | D | RFC 7465\n", NULL },
		{ "[mta]\nrc4 = high\n", NULL },
		{ "[mta]\nrc4 = high | - | x\n[client]\noffers_rc4 = low\n", NULL },
		{ "[policy]\nlike = default\nfew = 3\n[mda]\nrc4 = off\n", NULL },
		{ "[policy]\nsuites = TLS_AES_128_GCM_SHA256\n c02f\ngroups = x25519 secp256r1\n",
			NULL },
		{ "[about]\nsummary = a\n b\nsource = c\ndate = d\n", NULL },
		{ "", NULL },
		{ "[mta]\nrc4 = very\n", ":2: \"very\" is no severity" },
		{ "[mta]\nrc4 = high | G\n", "\"G\" is no grade" },
		{ "[mta]\nrc4 = high | D | a | b\n", "more behind" },
		{ "[mta]\nrc5 = high\n", "no predicate 'rc5' in [mta]" },
		{ "[mta]\noffers_rc4 = high\n", "no predicate" },
		{ "[client]\nrc4 = high\n", "no predicate" },
		{ "[mtb]\nrc4 = high\n", "no section [mtb]" },
		{ "[policy]\nlike = nobody\n", "like: no policy" },
		{ "[policy]\nlike = strict\n", "no 'like' itself" },
		{ "[policy]\nfew = 3\nlike = default\n", "before all" },
		{ "[mta]\nrc4 = high\n[policy]\nlike = default\n", "before all" },
		{ "[policy]\nfew = -1\n", "takes a number" },
		{ "[policy]\nsuites = TLS_NEVER\n", "no name of IANA's" },
		{ "[policy]\nmany = 1\n", "no key 'many'" },
		{ "nonsense\n", ":1: neither" },
	};
	char path[] = "/tmp/et-grade-XXXXXX", error[ET_GRADE_ERROR];
	int fd = mkstemp(path);

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		FILE *out = fopen(path, "w");
		int rc;

		CU_ASSERT_PTR_NOT_NULL_FATAL(out);
		fputs(rows[i].text, out);
		fclose(out);
		rc = et_grade_policy_load(&policy, error, "../lib/grade/policies", path);
		if ((rc == 0) != !rows[i].says || (rc && !strstr(error, rows[i].says)))
			printf("row %zu: %d %s\n", i, rc, error);
		CU_ASSERT_EQUAL(rc == 0, !rows[i].says);
		CU_ASSERT(rc == 0 || strstr(error, rows[i].says));
	}
	unlink(path);
}

static void test_shipped(void)
{
	static const char *const names[] = { "default", "strict", "internetnl", "bsi-tr-03108" };
	char error[ET_GRADE_ERROR];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int rc = et_grade_policy_load(&policy, error, "../lib/grade/policies", names[i]);

		if (rc)
			puts(error);
		CU_ASSERT_EQUAL(rc, 0);
		CU_ASSERT(policy.summary[0] && policy.source[0] && policy.few > 0);
		/* of its own file, not of the one that it is like */
		CU_ASSERT_EQUAL(!strstr(policy.summary, "opportunistic TLS"), i > 0);
		for (unsigned role = 0; role < ET_GRADE_CLIENT; role++)
			for (size_t p = 0; et_grade_predicates[p].id; p++)
				CU_ASSERT(policy.rules[role][p].severity == ET_GRADE_OFF ||
					  policy.rules[role][p].reference[0]);
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "each predicate", test_predicates },
		{ "each has a row", test_all_have_rows }, { "grades", test_grades },
		{ "order of suites", test_order }, { "policies", test_policies },
		{ "policies that are shipped", test_shipped }, CU_TEST_INFO_NULL };

	return unit_run("grade", tests);
}
