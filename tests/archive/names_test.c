/* SPDX-License-Identifier: BSD-3-Clause */

/* Names of maps, numbers and times of rows: text in, value out. */

#include <string.h>

#include "../../lib/archive/archive_parts.h"
#include "../unit.h"
#include "et_archive.h"
#include "et_iana.h"
#include "names_test.h"

void test_names(void)
{
	static const char h[] = "3d39ec1a72d2f6904198ba2c85dc00e4";
	static const struct {
		const char *name;
		bool good;
		uint16_t version;
		uint32_t cipher;
		uint16_t group;
		const char *hello, *key;
	} accepts[] = {
		{ "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 x25519 "
		  "3d39ec1a72d2f6904198ba2c85dc00e4 ecdsa-secp384r1",
			true, ET_TLSV1_2, 0xc02c, 0x1d, h, "ecdsa-secp384r1" },
		{ "TLSv1.3 TLS_AES_256_GCM_SHA384 X25519MLKEM768 - -", true, ET_TLSV1_3, 0x1302,
			0x11ec, "", "" },
		{ "7f1c fefe 9999 - -", true, 0x7f1c, 0xfefe, 0x9999, "", "" },
		{ "SSLv2 SSL_CK_RC4_128_WITH_MD5 - - rsa-1024", true, ET_SSLV2, 0x010080, 0, "",
			"rsa-1024" },
		{ "SSLv2 040404 - - -", true, ET_SSLV2, 0x040404, 0, "", "" },
		{ "TLSv1.2 NO_SUCH_SUITE - - -", false, 0, 0, 0, "", "" },
		{ "TLSv9 1302 - - -", false, 0, 0, 0, "", "" },
		{ "TLSv1.2 1302 nogroup - -", false, 0, 0, 0, "", "" },
		{ "TLSv1.2 1302 - -", false, 0, 0, 0, "", "" },
		{ "TLSv1.2 1302 - - - -", false, 0, 0, 0, "", "" },
		{ "", false, 0, 0, 0, "", "" },
	};
	static const struct {
		const char *name;
		bool good;
		const char *code;
		enum et_confidence confidence;
		const char *hello;
	} failures[] = {
		{ "alert/internal_error likely 3d39ec1a72d2f6904198ba2c85dc00e4", true,
			"alert/internal_error", ET_LIKELY, h },
		{ "starttls_refused/454 certain -", true, "starttls_refused/454", ET_CERTAIN, "" },
		{ "a possible -", true, "a", ET_POSSIBLE, "" },
		{ "a perhaps -", false, "a", 0, "" },
		{ "a certain", false, "a", 0, "" },
		{ "a certain - b", false, "a", 0, "" },
	};

	for (size_t i = 0; i < sizeof(accepts) / sizeof(*accepts); i++) {
		struct et_archive_accept accept;

		CU_ASSERT_EQUAL(et_archive_accept_parse(&accept, accepts[i].name), accepts[i].good);
		if (!accepts[i].good)
			continue;
		CU_ASSERT_TRUE(accept.version == accepts[i].version &&
			       accept.cipher == accepts[i].cipher &&
			       accept.group == accepts[i].group);
		CU_ASSERT_STRING_EQUAL(accept.hello, accepts[i].hello);
		CU_ASSERT_STRING_EQUAL(accept.key, accepts[i].key);
	}
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		struct et_archive_failure failure;

		CU_ASSERT_EQUAL(
			et_archive_failure_parse(&failure, failures[i].name), failures[i].good);
		if (!failures[i].good)
			continue;
		CU_ASSERT_EQUAL(failure.confidence, failures[i].confidence);
		CU_ASSERT_STRING_EQUAL(failure.code, failures[i].code);
		CU_ASSERT_STRING_EQUAL(failure.hello, failures[i].hello);
	}
}

/* Every suite and group has its number again. */
void test_registries(void)
{
	for (uint32_t id = 0; id <= UINT16_MAX; id++) {
		const struct et_iana_suite *suite = et_iana_suite((uint16_t)id);
		const char *group = et_iana_group((uint16_t)id);
		uint32_t cipher;
		uint16_t number;

		if (suite && !(suite->flags & ET_IANA_GREASE))
			CU_ASSERT_TRUE(
				et_archive_cipher_id(&cipher, suite->name) &&
				strcmp(et_iana_suite((uint16_t)cipher)->name, suite->name) == 0);
		if (id > 0 && group && !et_iana_is_grease((uint16_t)id))
			CU_ASSERT_TRUE(et_archive_group_id(&number, group) && number == id);
	}
}

void test_times(void)
{
	static const struct {
		const char *text;
		bool good;
		int64_t s;
	} rows[] = { { "1970-01-01T00:00:00Z", true, 0 },
		{ "2026-11-22T10:31:00Z", true, 1795343460 },
		{ "2000-02-29T23:59:59Z", true, 951868799 },
		{ "2100-03-01T00:00:00.123456Z", true, 4107542400 },
		{ "2199-12-31T23:59:59Z", true, 7258118399 }, { "2200-01-01T00:00:00Z", false, 0 },
		{ "1969-12-31T23:59:59Z", false, 0 }, { "2026-11-22T10:31:00", false, 0 },
		{ "2026-11-22 10:31:00Z", false, 0 }, { "2026-11-22T10:31:00Zx", false, 0 },
		{ "2026-11-22T24:31:00Z", false, 0 }, { "2026-00-22T10:31:00Z", false, 0 },
		{ "", false, 0 }, { "2026", false, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t ns = 0;

		CU_ASSERT_EQUAL(time_parse(&ns, rows[i].text), rows[i].good);
		if (rows[i].good)
			CU_ASSERT_EQUAL(ns, rows[i].s * ET_NS_PER_S);
	}
}
