/* SPDX-License-Identifier: BSD-3-Clause */

/* What becomes of sessions under other settings, from rows that are written here. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "et_advice.h"
#include "unit.h"

static const char *presets;

#define P256 "00000000000000000000000000000001" /* TLS 1.2, secp256r1 only */
#define ANY  "00000000000000000000000000000002" /* TLS 1.2, both curves */
#define OLD  "00000000000000000000000000000003" /* TLS 1.0 */
#define GONE "00000000000000000000000000000009" /* without a row */

#define HELLO(id, version, ciphers, groups, sigalgs, extensions)                            \
	"{\"type\":\"hello\",\"id\":\"" id "\",\"alpn\":[],\"record_version\":\"TLSv1.0\"," \
	"\"legacy_version\":\"" version "\",\"versions\":[\"" version "\"],"                \
	"\"ciphers\":[" ciphers "],\"groups\":[" groups "],\"sigalgs\":[" sigalgs "],"      \
	"\"key_shares\":[],\"extensions\":[" extensions "],\"compression\":[\"00\"],"       \
	"\"signals\":[],\"point_formats\":[],\"ja3\":null,\"ja4\":\"x\"}\n"

#define ROW_P256                                                                     \
	HELLO(P256, "TLSv1.2", "\"c02b\",\"c02f\"", "\"0017\"", "\"0403\",\"0401\"", \
		"\"000a\",\"000d\"")
#define ROW_ANY                                                                              \
	HELLO(ANY, "TLSv1.2", "\"c02b\",\"c02f\"", "\"0017\",\"0018\"", "\"0403\",\"0401\"", \
		"\"000a\",\"000d\"")
#define ROW_OLD HELLO(OLD, "TLSv1.0", "\"c009\",\"002f\"", "\"0017\",\"0018\"", "", "\"000a\"")
#define ROW_CERT                                                                    \
	"{\"type\":\"cert\",\"subject\":\"CN=a\",\"issuer\":\"CN=a\",\"names\":[]," \
	"\"key\":\"ecdsa\",\"bits\":384,\"curve\":\"secp384r1\",\"sigalg\":null,"   \
	"\"not_before\":null,\"not_after\":null,\"sha256\":\"aa\"}\n"

static const char rows[] =
	"{\"type\":\"minute\",\"v\":1,\"sensor\":\"s\",\"minute\":\"2026-11-22T10:31:00Z\","
	"\"capture\":{}}\n"
	"{\"type\":\"peer\",\"client\":\"198.51.100.1\",\"server\":\"192.0.2.25\","
	"\"service\":\"smtp\",\"direction\":\"in\",\"client_name\":null,\"server_name\":null,"
	"\"sessions\":20,\"tls_established\":9,\"tls_failed\":5,\"tls_unknown\":1,"
	"\"hellos\":{\"" P256 "\":4,\"" ANY "\":6,\"" OLD "\":1,\"" GONE "\":1},"
	"\"certs\":{\"aa\":6},"
	"\"accepts\":{"
	"\"TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 secp384r1 " ANY " ecdsa-secp384r1\":6,"
	"\"TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 - " GONE " -\":1},"
	"\"failures\":{\"no_shared_cipher/certificate_curve certain " P256 "\":3,"
	"\"certificate_rejected/expired likely " ANY "\":1,"
	"\"alert/internal_error certain " OLD "\":1,"
	"\"capture/gap certain -\":1,\"starttls_not_used certain -\":2,"
	"\"starttls_refused/454 certain -\":1}}\n" ROW_P256 ROW_ANY ROW_OLD ROW_CERT
	"{\"type\":\"end\",\"rows\":6}\n";

struct tally {
	uint64_t fates[ET_ADVICE_FATE_MAX], doubts[ET_ADVICE_DOUBT_MAX], sessions;
	unsigned changed;
};

static void see(void *ctx, const struct et_advice_case *c)
{
	struct tally *tally = ctx;

	tally->fates[c->fate] += c->sessions;
	if (c->fate == ET_ADVICE_UNKNOWN)
		tally->doubts[c->doubt] += c->sessions;
	tally->sessions += c->sessions;
	tally->changed |= c->changed;
}

static struct et_archive *load(void)
{
	struct et_archive *archive = et_archive_new(NULL);
	FILE *in = fmemopen((void *)(uintptr_t)rows, sizeof(rows) - 1, "r");

	CU_ASSERT_EQUAL(et_archive_add_rows(archive, in, "rows"), 0);
	fclose(in);
	CU_ASSERT_EQUAL(et_archive_finish(archive), 0);
	return archive;
}

static struct tally judge(
	const struct et_archive *archive, const struct et_advice_setting *settings, size_t cnt)
{
	static struct et_advice_bases bases;
	static struct et_advice_belief belief;
	static struct et_advice_config config;
	struct et_advice *advice = et_advice_new(archive);
	struct tally tally = { 0 };
	char error[ET_NEGO_ERROR] = "";
	size_t n;
	const struct et_archive_host *servers = et_archive_servers(archive, &n);

	CU_ASSERT_EQUAL_FATAL(n, 1);
	CU_ASSERT_EQUAL_FATAL(et_advice_bases_read(&bases, error, presets), 0);
	CU_ASSERT_EQUAL(et_advice_believe(&belief, error, archive, servers, &bases), 0);
	CU_ASSERT_EQUAL(et_advice_configure(&config, error, &belief, settings, cnt, presets), 0);
	CU_ASSERT_STRING_EQUAL(belief.keys_from, "seen");
	CU_ASSERT_EQUAL(belief.config.certs[ET_NEGO_ECDSA].curve, 24);
	CU_ASSERT_EQUAL(belief.sessions, 9);
	CU_ASSERT_EQUAL(belief.agree, 9);
	et_advice_server(advice, &belief, &config);
	et_advice_pair(advice, servers[0].pairs[0], see, &tally);
	et_advice_free(advice);
	return tally;
}

static void test_fates(void)
{
	static const struct {
		const char *name, *value;
		uint64_t same, changed, lost, gained, refused, differs;
	} table[] = {
		/* the TLS 1.0 hello has an answer from Postfix: its alert has another reason */
		{ NULL, NULL, 6, 0, 0, 0, 3, 0 },
		{ "cert", "ecdsa:P-256", 6, 0, 0, 3, 0, 0 },
		{ "cert", "rsa:2048,ecdsa:P-384", 6, 0, 0, 3, 0, 0 },
		{ "cert", "rsa:2048", 0, 6, 0, 3, 0, 0 },
		{ "cert", "ed25519", 0, 0, 6, 0, 3, 0 },
		{ "ciphers", "AES256-SHA", 0, 0, 6, 0, 3, 0 },
		{ "min-version", "TLSv1.3", 0, 0, 6, 0, 3, 0 },
		{ "preset", "mozilla-modern", 0, 0, 6, 0, 3, 0 },
		{ "preset", "postfix-default", 6, 0, 0, 0, 3, 0 },
	};
	struct et_archive *archive = load();

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct et_advice_setting setting = { table[i].name, table[i].value };
		struct tally tally = judge(archive, &setting, table[i].name ? 1 : 0);

		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_SAME], table[i].same);
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_CHANGED], table[i].changed);
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_LOST], table[i].lost);
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_GAINED], table[i].gained);
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_REFUSED], table[i].refused);
		CU_ASSERT_EQUAL(tally.doubts[ET_ADVICE_DOUBT_SERVER], table[i].differs);
		/* what does not depend on settings */
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_OTHER], 3);
		CU_ASSERT_EQUAL(tally.fates[ET_ADVICE_NO_TLS], 4);
		CU_ASSERT_EQUAL(tally.doubts[ET_ADVICE_DOUBT_NO_HELLO], 2);
		CU_ASSERT_EQUAL(tally.doubts[ET_ADVICE_DOUBT_SUMS], 2);
		CU_ASSERT_EQUAL(tally.sessions, 20);
	}
	et_archive_free(archive);
}

static void test_classes(void)
{
	static const struct {
		const char *code;
		enum et_advice_class class;
	} table[] = {
		{ "no_shared_cipher", ET_ADVICE_NEGOTIATION },
		{ "no_shared_cipher/suites", ET_ADVICE_NEGOTIATION },
		{ "no_shared_cipherx", ET_ADVICE_ELSEWHERE },
		{ "inappropriate_fallback", ET_ADVICE_NEGOTIATION },
		{ "inappropriate_fallback/downgrade_sentinel", ET_ADVICE_ELSEWHERE },
		{ "certificate_rejected/curve", ET_ADVICE_NEGOTIATION },
		{ "certificate_rejected/expired", ET_ADVICE_ELSEWHERE },
		{ "alert/internal_error", ET_ADVICE_MAYBE },
		{ "alert/encrypted", ET_ADVICE_ELSEWHERE },
		{ "lost/closed_by_server/after_client_hello", ET_ADVICE_MAYBE },
		{ "lost/closed_by_client/after_client_hello", ET_ADVICE_ELSEWHERE },
		{ "lost/timeout/after_client_hello", ET_ADVICE_HIDDEN },
		{ "capture/gap", ET_ADVICE_HIDDEN },
		{ "starttls_not_used", ET_ADVICE_CLEAR },
		{ "starttls_refused/454", ET_ADVICE_ELSEWHERE },
		{ "", ET_ADVICE_ELSEWHERE },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		CU_ASSERT_EQUAL(et_advice_class(table[i].code), table[i].class);
}

/* Every set is one that the nego room takes, once, in order of size. */
static void test_sets(void)
{
	unsigned before = 0;

	for (unsigned i = 0; i < ET_ADVICE_SETS; i++) {
		struct et_nego_config config;
		char error[ET_NEGO_ERROR];
		unsigned size = 0;

		CU_ASSERT_EQUAL(et_nego_init(&config), 0);
		CU_ASSERT_EQUAL(et_nego_set(&config, error, "cert", et_advice_sets[i]), 0);
		for (unsigned k = 0; k < ET_NEGO_KEYS; k++)
			size += config.certs[k].present;
		CU_ASSERT(size >= before);
		before = size;
		for (unsigned k = 0; k < i; k++)
			CU_ASSERT_STRING_NOT_EQUAL(et_advice_sets[i], et_advice_sets[k]);
	}
}

static void test_settings(void)
{
	static const struct {
		struct et_advice_setting settings[4];
		size_t cnt;
		int rc;
		uint16_t min, max;
		bool complete;
	} table[] = {
		{ { { "min-version", "TLSv1.2" } }, 1, 0, ET_TLSV1_2, ET_TLSV1_2, false },
		/* the believed highest version gives way */
		{ { { "min-version", "TLSv1.3" } }, 1, 0, ET_TLSV1_3, ET_TLSV1_3, false },
		{ { { "preset", "rfc9325" } }, 1, 0, ET_TLSV1_2, ET_TLSV1_3, true },
		{ { { "preset", "rfc9325" }, { "min-version", "TLSv1.3" } }, 2, 0, ET_TLSV1_3,
			ET_TLSV1_3, true },
		{ { { "min-version", "TLSv1.3" }, { "max-version", "TLSv1.2" } }, 2, -EINVAL, 0, 0,
			false },
		{ { { "preset", "nosuch" } }, 1, -ENOENT, 0, 0, false },
		{ { { "nosuch", "1" } }, 1, -ENOENT, 0, 0, false },
	};
	static struct et_advice_belief belief;
	static struct et_advice_config config;
	char error[ET_NEGO_ERROR];

	CU_ASSERT_EQUAL(et_nego_init(&belief.raw), 0);
	belief.raw.max_version = ET_TLSV1_2;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		CU_ASSERT_EQUAL(et_advice_configure(&config, error, &belief, table[i].settings,
					table[i].cnt, presets),
			table[i].rc);
		if (table[i].rc != 0) {
			CU_ASSERT(*error != '\0');
			continue;
		}
		CU_ASSERT_EQUAL(config.nego.min_version, table[i].min);
		CU_ASSERT_EQUAL(config.nego.max_version, table[i].max);
		CU_ASSERT_EQUAL(config.complete, table[i].complete);
	}
}

int main(int argc, char **argv)
{
	CU_TestInfo tests[] = { { "fates", test_fates }, { "classes", test_classes },
		{ "sets", test_sets }, { "settings", test_settings }, CU_TEST_INFO_NULL };

	presets = argc > 1 ? argv[1] : "";
	return unit_run("advice", tests);
}
