/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What each cause is to a report; what domain a server stands for; what day a file's name tells; what
 * a report's file is called.
 */

#include <string.h>

#include "../unit.h"
#include "inputs.h"
#include "report.h"

/* ---- causes ---- */

#define NONE VERDICT_UNDECIDED

static void test_verdicts(void)
{
	static const struct {
		const char *code;
		enum verdict certain, likely, possible;
	} rows[] = {
#define SAME(code, verdict) { code, VERDICT_##verdict, VERDICT_##verdict, VERDICT_##verdict }
	/* who guesses at a certificate says validation-failure */
#define CERT(code, verdict)                                                    \
	{                                                                      \
		code, VERDICT_##verdict, VERDICT_##verdict, VERDICT_VALIDATION \
	}
		SAME("starttls_not_offered", NOT_SUPPORTED),
		SAME("starttls_not_offered/to_this_client", NOT_SUPPORTED),
		SAME("starttls_not_offered/vanished", NOT_SUPPORTED),
		SAME("starttls_masked", NOT_SUPPORTED),
		SAME("starttls_refused/454", NOT_SUPPORTED),
		SAME("starttls_refused/502", NOT_SUPPORTED),
		{ "starttls_unanswered", VERDICT_VALIDATION, VERDICT_VALIDATION, NONE },
		SAME("starttls_not_used", NOT_TRIED),
		SAME("plaintext_to_tls_port", NOT_TRIED),
		SAME("tls_to_plaintext_port", VALIDATION),
		CERT("certificate_rejected/name_mismatch", HOST_MISMATCH),
		CERT("certificate_rejected/expired", EXPIRED),
		CERT("certificate_rejected/not_yet_valid", NOT_TRUSTED),
		CERT("certificate_rejected/unknown_ca", NOT_TRUSTED),
		CERT("certificate_rejected/self_signed", NOT_TRUSTED),
		CERT("certificate_rejected/bad_certificate", NOT_TRUSTED),
		CERT("certificate_rejected/unsupported", NOT_TRUSTED),
		CERT("certificate_rejected/wrong_usage", NOT_TRUSTED),
		CERT("certificate_rejected/revoked", NOT_TRUSTED),
		CERT("certificate_rejected/unknown", NOT_TRUSTED),
		CERT("certificate_rejected/access_denied", NOT_TRUSTED),
		CERT("certificate_rejected", NOT_TRUSTED),
		SAME("certificate_rejected/curve", VALIDATION),
		SAME("certificate_rejected/decrypt_error", VALIDATION),
		CERT("broken/after_handshake/certificate_expired", EXPIRED),
		CERT("broken/after_handshake/certificate_not_yet_valid", NOT_TRUSTED),
		CERT("broken/after_handshake/certificate_self_signed", NOT_TRUSTED),
		CERT("broken/after_handshake/certificate_wrong_usage", NOT_TRUSTED),
		CERT("broken/after_handshake/certificate_name_mismatch", HOST_MISMATCH),
		SAME("broken/after_handshake", VALIDATION),
		SAME("broken/after_handshake/client_certificate", VALIDATION),
		SAME("broken/after_handshake/3des", VALIDATION),
		SAME("no_shared_cipher", VALIDATION),
		SAME("no_shared_cipher/certificate_curve", VALIDATION),
		SAME("dh_too_small", VALIDATION),
		SAME("protocol_version", VALIDATION),
		SAME("inappropriate_fallback/downgrade_sentinel", VALIDATION),
		SAME("client_certificate/missing", VALIDATION),
		SAME("unrecognized_name", VALIDATION),
		SAME("no_application_protocol", VALIDATION),
		SAME("alert/handshake_failure", VALIDATION),
		SAME("alert/encrypted", VALIDATION),
		SAME("lost/closed_by_server/after_client_hello", VALIDATION),
		SAME("lost/reset_by_client/after_server_flight", VALIDATION),
		SAME("lost/timeout/after_client_hello", UNDECIDED),
		SAME("lost/closed_by_client/after_starttls", UNDECIDED),
		SAME("lost/closed_by_server/after_nothing", UNDECIDED),
		SAME("capture/gap", UNDECIDED),
		SAME("capture/one_direction", UNDECIDED),
		/* no code, or one that came later */
		SAME("", UNDECIDED),
		SAME("certificate_rejected_by_moonlight", UNDECIDED),
		SAME("starttls", UNDECIDED),
		SAME("/after_starttls", UNDECIDED),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool good = verdict_of(rows[i].code, ET_CERTAIN) == rows[i].certain &&
			    verdict_of(rows[i].code, ET_LIKELY) == rows[i].likely &&
			    verdict_of(rows[i].code, ET_POSSIBLE) == rows[i].possible;

		if (!good)
			printf("\n  %s", rows[i].code);
		CU_ASSERT(good);
	}
}

static void test_result_types(void)
{
	CU_ASSERT_STRING_EQUAL(
		verdict_result_type(VERDICT_NOT_SUPPORTED), "starttls-not-supported");
	CU_ASSERT_STRING_EQUAL(
		verdict_result_type(VERDICT_HOST_MISMATCH), "certificate-host-mismatch");
	CU_ASSERT_STRING_EQUAL(verdict_result_type(VERDICT_EXPIRED), "certificate-expired");
	CU_ASSERT_STRING_EQUAL(verdict_result_type(VERDICT_NOT_TRUSTED), "certificate-not-trusted");
	CU_ASSERT_STRING_EQUAL(verdict_result_type(VERDICT_VALIDATION), "validation-failure");
	CU_ASSERT_PTR_NULL(verdict_result_type(VERDICT_UNDECIDED));
	CU_ASSERT_PTR_NULL(verdict_result_type(VERDICT_NOT_TRIED));
}

/* ---- domains ---- */

#define L63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static void test_names(void)
{
	static const struct {
		const char *name, *is; /* NULL: no name */
	} rows[] = {
		{ "mx.example.net", "mx.example.net" },
		{ "MX.Example.NET.", "mx.example.net" },
		{ "localhost", "localhost" },
		{ "a_b-c.example", "a_b-c.example" },
		{ "xn--mller-kva.example", "xn--mller-kva.example" },
		{ L63 ".de", L63 ".de" },
		{ "1.2.3.4.example", "1.2.3.4.example" },
		{ L63 "x.de", NULL },
		{ L63 "." L63, NULL }, /* too long in all */
		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ ".example", NULL },
		{ "mx..example", NULL },
		{ "mx.example..", NULL },
		{ "192.0.2.1", NULL },
		{ "[192.0.2.1]", NULL },
		{ "../../etc/passwd", NULL },
		{ "mx!example.net", NULL },
		{ "mx example", NULL },
		{ "m\xc3\xbcller.example", NULL },
		{ "mx\n.example", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char out[DOMAIN_TEXT];
		bool good = domain_name(out, rows[i].name) == (rows[i].is != NULL) &&
			    strcmp(out, rows[i].is ? rows[i].is : "") == 0;

		if (!good)
			printf("\n  \"%s\": \"%s\"", rows[i].name, out);
		CU_ASSERT(good);
	}
}

static void test_domains(void)
{
	static const char *const texts[] = { "192.0.2.25=by-address.example",
		"198.51.100.0/24=by-prefix.example", "mx.named.example=By-Name.example",
		".below.example=by-end.example", "*.star.example=by-star.example",
		"2001:db8::/32=by-prefix6.example" };
	static const struct {
		const char *addr, *name, *is;
	} rows[] = {
		{ "203.0.113.1", "mx.example.net", "example.net" },
		{ "203.0.113.1", "mx1.mail.example.net", "mail.example.net" },
		{ "203.0.113.1", "MX.EXAMPLE.NET.", "example.net" },
		{ "203.0.113.1", "example.net", "example.net" },
		{ "203.0.113.1", "localhost", "localhost" },
		{ "203.0.113.1", "example.co.uk", "example.co.uk" },
		{ "203.0.113.1", "mx.example.co.uk", "example.co.uk" },
		{ "203.0.113.1", "mx.gmx.de", "gmx.de" },
		{ "203.0.113.1", NULL, "[203.0.113.1]" },
		{ "203.0.113.1", "", "[203.0.113.1]" },
		{ "203.0.113.1", "***", "[203.0.113.1]" },
		{ "203.0.113.1", "203.0.113.1", "[203.0.113.1]" },
		{ "2001:db9::1", NULL, "[IPv6:2001:db9::1]" },
		{ "192.0.2.25", "mx.example.net", "by-address.example" },
		{ "192.0.2.25", NULL, "by-address.example" },
		{ "198.51.100.9", "mx.named.example", "by-prefix.example" }, /* the first */
		{ "203.0.113.1", "MX.named.example", "by-name.example" },
		{ "203.0.113.1", "mx.mx.named.example", "mx.named.example" },
		{ "203.0.113.1", "a.below.example", "by-end.example" },
		{ "203.0.113.1", "below.example", "below.example" },
		{ "203.0.113.1", "abelow.example", "abelow.example" },
		{ "203.0.113.1", "a.star.example", "by-star.example" },
		{ "2001:db8::1", "mx.example.net", "by-prefix6.example" },
	};
	struct domain_rule rules[sizeof(texts) / sizeof(*texts)];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CU_ASSERT(domain_rule_parse(&rules[i], texts[i]));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_peer_net net;
		char out[DOMAIN_TEXT];

		CU_ASSERT(et_peer_net_parse(&net, rows[i].addr) == 0);
		domain_of(out, rules, sizeof(rules) / sizeof(*rules), &net.addr, rows[i].name);
		if (strcmp(out, rows[i].is) != 0)
			printf("\n  %s %s: %s", rows[i].addr, rows[i].name, out);
		CU_ASSERT_STRING_EQUAL(out, rows[i].is);
	}
}

static void test_bad_rules(void)
{
	static const char *const texts[] = { "", "=", "=example.net", "192.0.2.1",
		"192.0.2.1=", "192.0.2.1=a b", "192.0.2.1=192.0.2.1", "192.0.2.0/99=example.net",
		".=example.net", "*.=example.net", "a b=example.net", "192.0.2.1=a=b" };
	struct domain_rule rule;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		CU_ASSERT_FALSE(domain_rule_parse(&rule, texts[i]));
}

/* ---- files ---- */

#define DAY_20261122 (INT64_C(20779) * 86400 * ET_NS_PER_S)

static void test_days(void)
{
	static const struct {
		const char *path;
		int64_t day;
	} rows[] = {
		{ "gw1-20261122T1031Z.jsonl", DAY_20261122 },
		{ "/a/b/gw1-20261122T2359Z.jsonl.zst", DAY_20261122 },
		{ "g-w.1-20261122T0000Z.jsonl", DAY_20261122 },
		{ "gw1-20261121T2359Z.jsonl", DAY_20261122 - INPUTS_DAY_NS },
		{ "gw1-19700101T0000Z.jsonl", 0 },
		{ "-20261122T1031Z.jsonl", INT64_MIN }, /* no sensor */
		{ "gw1-20261122T1031Z.json", INT64_MIN },
		{ "gw1-20261122T1031Z.jsonl.gz", INT64_MIN },
		{ "gw1-20261122T1031.jsonl", INT64_MIN },
		{ "gw1-20261322T1031Z.jsonl", INT64_MIN },
		{ "gw1-20261122T9931Z.jsonl", INT64_MIN },
		{ "gw1-2026-122T1031Z.jsonl", INT64_MIN },
		{ "gw1-19691231T2359Z.jsonl", INT64_MIN },
		{ "minutes.jsonl", INT64_MIN },
		{ ".jsonl", INT64_MIN },
		{ "", INT64_MIN },
		{ "/gw1-20261122T1031Z.jsonl/x", INT64_MIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (inputs_day_of_name(rows[i].path) != rows[i].day)
			printf("\n  %s", rows[i].path);
		CU_ASSERT_EQUAL(inputs_day_of_name(rows[i].path), rows[i].day);
	}
}

/* RFC 8460 5.1; the longest of all parts still fit into a name of 255 bytes. */
static void test_report_names(void)
{
	struct day_domain domain = { .name = "example.net" };
	struct report_sender sender = { .domain = "example.org" };
	struct report report = { &sender, &domain, DAY_20261122, DAY_20261122 + INPUTS_DAY_NS };
	char name[REPORT_NAME], longest[65];

	report_name(name, &report);
	CU_ASSERT_STRING_EQUAL(name, "example.org!example.net!1795305600!1795391999");
	sender.unique_id = "001";
	report_name(name, &report);
	CU_ASSERT_STRING_EQUAL(name, "example.org!example.net!1795305600!1795391999!001");
	memset(longest, 'a', 64);
	longest[64] = '\0';
	memset(domain.name, 'b', DOMAIN_NAME_MAX);
	sender.domain = longest;
	sender.unique_id = "12345678901234567890123456789012";
	report_name(name, &report);
	CU_ASSERT_EQUAL(strlen(name), 64 + 1 + DOMAIN_NAME_MAX + 22 + 33);
	CU_ASSERT(strlen(name) + strlen(".json.gz") <= 255);
}

int main(void)
{
	CU_TestInfo tests[] = { { "each cause has its result-type", test_verdicts },
		{ "result-types of RFC 8460 4.3", test_result_types }, { "host names", test_names },
		{ "policy domains", test_domains }, { "rules that are none", test_bad_rules },
		{ "days of files", test_days }, { "names of reports", test_report_names },
		CU_TEST_INFO_NULL };

	return unit_run("tlsrpt", tests);
}
