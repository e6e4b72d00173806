/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_test.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds(const uint16_t *list, uint16_t cnt, const char *want)
{
	char text[512] = "";

	for (uint16_t i = 0; i < cnt; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%04x", i ? " " : "",
			list[i]);
	if (want && strcmp(text, want) == 0)
		return true;
	fprintf(stderr, "\n    is \"%s\", not \"%s\"", text, want ? want : "");
	return false;
}

/* Do texts in every form that is promised become what they mean? */
void test_options(void)
{
	static const struct {
		const char *value;
		uint16_t version;
	} versions[] = { { "TLSv1.0", ET_TLSV1_0 }, { "TLSv1", ET_TLSV1_0 },
		{ "tls1.1", ET_TLSV1_1 }, { "1.2", ET_TLSV1_2 }, { "TLSv1.3", ET_TLSV1_3 } };
	static const struct {
		const char *value, *groups;
	} groups[] = { { "X25519:P-256", "001d 0017" },
		{ "prime256v1, secp384r1 x448", "0017 0018 001e" }, { "ffdhe2048", "0100" } };
	static const struct {
		const char *value, *sigalgs;
	} sigalgs[] = { { "ECDSA+SHA256:RSA+SHA384", "0403 0501" },
		{ "rsa_pss_rsae_sha256,rsa_pss_pss_sha512", "0804 080b" },
		{ "RSA-PSS+SHA512:PSS+SHA384:ed25519", "0806 0805 0807" }, { "DSA+SHA1", "0202" } };
	struct et_nego_config config;
	char error[ET_NEGO_ERROR];

	CU_ASSERT(et_nego_init(&config) == 0);
	CU_ASSERT(config.suite_cnt > 20 && config.suite13_cnt == 3);
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		CU_ASSERT(et_nego_set(&config, error, "min-version", versions[i].value) == 0);
		CU_ASSERT(et_nego_set(&config, error, "max-version", versions[i].value) == 0);
		CU_ASSERT(config.min_version == versions[i].version);
		CU_ASSERT(config.max_version == versions[i].version);
	}
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		CU_ASSERT(et_nego_set(&config, error, "groups", groups[i].value) == 0);
		CU_ASSERT(holds(config.groups, config.group_cnt, groups[i].groups));
	}
	for (size_t i = 0; i < sizeof(sigalgs) / sizeof(*sigalgs); i++) {
		CU_ASSERT(et_nego_set(&config, error, "sigalgs", sigalgs[i].value) == 0);
		CU_ASSERT(holds(config.sigalgs, config.sigalg_cnt, sigalgs[i].sigalgs));
	}
	CU_ASSERT(et_nego_set(&config, error, "cert", "rsa:3072, ecdsa:P-384,ed448") == 0);
	CU_ASSERT(config.certs[ET_NEGO_RSA].bits == 3072);
	CU_ASSERT(config.certs[ET_NEGO_ECDSA].curve == 0x0018);
	CU_ASSERT(config.certs[ET_NEGO_ED448].present && !config.certs[ET_NEGO_ED25519].present);
	CU_ASSERT(et_nego_set(&config, error, "cert", "rsa,ecdsa") == 0);
	CU_ASSERT(config.certs[ET_NEGO_RSA].bits == 2048);
	CU_ASSERT(config.certs[ET_NEGO_ECDSA].curve == 0x0017 &&
		  !config.certs[ET_NEGO_ED448].present);
	CU_ASSERT(et_nego_set(&config, error, "ciphers", "AES128-SHA:@SECLEVEL=0") == 0);
	CU_ASSERT(config.suite_cnt == 1 && config.suites[0].id == 0x002f && config.level == 0);
	CU_ASSERT(et_nego_set(&config, error, "ciphersuites", "TLS_AES_128_CCM_SHA256") == 0);
	CU_ASSERT(config.suite13_cnt == 1 && config.suites13[0].id == 0x1304);
	CU_ASSERT(et_nego_set(&config, error, "ciphersuites", "") == 0 && config.suite13_cnt == 0);
	CU_ASSERT(et_nego_set(&config, error, "dh", "none") == 0 && config.dh == ET_NEGO_DH_NONE);
	CU_ASSERT(et_nego_set(&config, error, "dh", "1024") == 0 && config.dh == 1024);
	CU_ASSERT(et_nego_set(&config, error, "server-order", "yes") == 0 && config.server_order);
	CU_ASSERT(et_nego_set(&config, error, "security-level", "3") == 0 && config.level == 3);
}

/* Is what makes no sense refused, and does the sentence name it? */
void test_refused(void)
{
	static const struct {
		const char *name, *value, *says;
	} rows[] = { { "min-version", "TLSv1.4", "TLSv1.4" }, { "min-version", "", "version" },
		{ "max-version", "SSLv3", "SSLv3" }, { "ciphers", "NONSENSE", "NONSENSE" },
		{ "ciphers", "", "cipher" }, { "ciphersuites", "AES128-SHA", "AES128-SHA" },
		{ "groups", "P-257", "P-257" }, { "groups", "", "group" },
		{ "groups", "P-256:prime256v1", "twice" },
		{ "groups", "X25519MLKEM768", "OpenSSL" }, { "sigalgs", "RSA+SHA7", "RSA+SHA7" },
		{ "sigalgs", ":", "empty" }, { "sigalgs", "RSA+SHA256:RSA+SHA256", "twice" },
		{ "cert", "", "no key" }, { "cert", "dsa:1024", "dsa" },
		{ "cert", "rsa:1000", "1000" }, { "cert", "rsa:99999999999", "99999999999" },
		{ "cert", "rsa:2048,rsa:3072", "two keys" }, { "cert", "ecdsa:X25519", "X25519" },
		{ "cert", "ed25519:256", "size" }, { "server-order", "maybe", "maybe" },
		{ "security-level", "6", "6" }, { "security-level", "-1", "-1" },
		{ "dh", "100", "100" }, { "dh", "", "DH" } };
	char error[ET_NEGO_ERROR], huge[20000];
	struct et_nego_config config;

	CU_ASSERT(et_nego_init(&config) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = et_nego_set(&config, error, rows[i].name, rows[i].value);

		if (rc != -EINVAL || !strstr(error, rows[i].says))
			fprintf(stderr, "\n    %s %s: %d %s", rows[i].name, rows[i].value, rc,
				error);
		CU_ASSERT(rc == -EINVAL && strstr(error, rows[i].says));
	}
	CU_ASSERT(
		et_nego_set(&config, error, "colour", "red") == -ENOENT && strstr(error, "colour"));
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	for (const struct et_nego_option *o = et_nego_options; o->name; o++) {
		CU_ASSERT(et_nego_set(&config, error, o->name, huge) == -EINVAL);
		CU_ASSERT(strlen(error) > 10 && strlen(error) < ET_NEGO_ERROR);
	}
}

void test_unchanged(void)
{
	static const char *const rows[][2] = { { "min-version", "no" }, { "max-version", "no" },
		{ "ciphers", "NONSENSE:@SECLEVEL=0" }, { "ciphersuites", "AES128-SHA" },
		{ "groups", "P-256:no" }, { "sigalgs", "RSA+SHA256:no" },
		{ "cert", "ed25519,rsa:7" }, { "server-order", "no?" }, { "security-level", "9" },
		{ "dh", "5" }, { "servername-callback", "?" } };
	struct et_nego_config before, after;
	char error[ET_NEGO_ERROR];

	CU_ASSERT(et_nego_init(&before) == 0);
	memcpy(&after, &before, sizeof(after));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		CU_ASSERT(et_nego_set(&after, error, rows[i][0], rows[i][1]) == -EINVAL);
		CU_ASSERT(memcmp(&before, &after, sizeof(before)) == 0);
	}
}

/* Is what OpenSSL passes over without a word said to the user, once? */
void test_notes(void)
{
	struct et_nego_config config;
	char error[ET_NEGO_ERROR];

	CU_ASSERT(et_nego_init(&config) == 0 && config.notes[0] == '\0');
	CU_ASSERT(et_nego_set(&config, error, "ciphers", "AES128-SHA:RC4-MD5:!3DES:DES-CBC3-SHA") ==
		  0);
	CU_ASSERT(strstr(config.notes, "RC4-MD5") && strstr(config.notes, "DES-CBC3-SHA"));
	CU_ASSERT(!strstr(config.notes, "AES128-SHA") && !strstr(config.notes, "!3DES"));
	CU_ASSERT(et_nego_set(&config, error, "groups", "X25519MLKEM768:X25519") == 0);
	CU_ASSERT(strstr(config.notes, "X25519MLKEM768") && config.group_cnt == 1);
	CU_ASSERT(et_nego_set(&config, error, "groups", "X25519MLKEM768:X25519") == 0);
	CU_ASSERT(strstr(strstr(config.notes, "X25519MLKEM768") + 1, "X25519MLKEM768") == NULL);
	for (int i = 0; i < 100; i++) {
		char name[40];

		snprintf(name, sizeof(name), "AES128-SHA:CIPHER-OF-MINE-%d", i);
		CU_ASSERT(et_nego_set(&config, error, "ciphers", name) == 0);
	}
	CU_ASSERT(strlen(config.notes) < ET_NEGO_NOTES);
	CU_ASSERT(config.notes[strlen(config.notes) - 1] == '\n');
}

/* What one option says of another. */
void test_finish(void)
{
	static const struct {
		const char *row;
		const char *options[4][2];
		int rc;
		bool key; /* whether the RSA key stays */
		uint16_t dh;
	} rows[] = {
		{ "as it is", { { "cert", "rsa:2048" } }, 0, true, ET_NEGO_DH_AUTO },
		{ "weak key", { { "cert", "rsa:1024" } }, 0, false, ET_NEGO_DH_AUTO },
		{ "weak key, level 1", { { "cert", "rsa:1024" }, { "security-level", "1" } }, 0,
			true, ET_NEGO_DH_AUTO },
		{ "level in the string",
			{ { "cert", "rsa:1024" }, { "ciphers", "ALL:@SECLEVEL=0" } }, 0, true,
			ET_NEGO_DH_AUTO },
		{ "weak prime", { { "cert", "rsa:2048" }, { "dh", "1024" } }, 0, true,
			ET_NEGO_DH_NONE },
		{ "prime of 512 at level 0",
			{ { "cert", "rsa:2048" }, { "dh", "512" }, { "security-level", "0" } }, 0,
			true, ET_NEGO_DH_NONE },
		{ "prime of 1024 at level 0",
			{ { "cert", "rsa:2048" }, { "dh", "1024" }, { "security-level", "0" } }, 0,
			true, 1024 },
		{ "versions crossed",
			{ { "cert", "rsa:2048" }, { "min-version", "TLSv1.3" },
				{ "max-version", "TLSv1.2" } },
			-EINVAL, true, ET_NEGO_DH_AUTO },
		{ "no suite of that version",
			{ { "ciphers", "AES128-GCM-SHA256" }, { "max-version", "TLSv1.1" } },
			-EINVAL, false, ET_NEGO_DH_AUTO },
		{ "anonymous at level 2", { { "ciphers", "aNULL" }, { "max-version", "TLSv1.2" } },
			-EINVAL, false, ET_NEGO_DH_AUTO },
		{ "only TLS 1.3, without suites",
			{ { "ciphersuites", "" }, { "min-version", "TLSv1.3" } }, -EINVAL, false,
			ET_NEGO_DH_AUTO },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_nego_config config;
		char error[ET_NEGO_ERROR];
		bool ok;

		CU_ASSERT(et_nego_init(&config) == 0);
		for (size_t k = 0; k < 4 && rows[i].options[k][0]; k++)
			CU_ASSERT(et_nego_set(&config, error, rows[i].options[k][0],
					  rows[i].options[k][1]) == 0);
		ok = et_nego_finish(&config, error) == rows[i].rc && config.dh == rows[i].dh &&
		     config.certs[ET_NEGO_RSA].present == rows[i].key &&
		     (rows[i].rc == 0) == (error[0] == '\0');
		if (!ok)
			fprintf(stderr, "\n    %s: %s %s", rows[i].row, error, config.notes);
		CU_ASSERT(ok);
	}
}

/* Does each file that is shipped make a server that can negotiate? */
void test_presets(void)
{
	DIR *dir = opendir(presets_folder);
	const struct dirent *entry;
	unsigned cnt = 0;

	CU_ASSERT_FATAL(dir != NULL);
	while ((entry = readdir(dir)) != NULL) {
		const char *dot = strrchr(entry->d_name, '.');
		struct et_nego_config config;
		char error[ET_NEGO_ERROR], name[64];
		int rc;

		if (!dot || strcmp(dot, ".ini") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(dot - entry->d_name), entry->d_name);
		CU_ASSERT(et_nego_init(&config) == 0);
		rc = et_nego_preset(&config, error, presets_folder, name);
		rc = rc ? rc : et_nego_set(&config, error, "cert", "rsa:3072,ecdsa:P-256");
		rc = rc ? rc : et_nego_finish(&config, error);
		if (rc)
			fprintf(stderr, "\n    %s: %s", name, error);
		CU_ASSERT(rc == 0);
		cnt++;
	}
	closedir(dir);
	CU_ASSERT(cnt >= 11);
}

/* Is a file that is not right refused with its line, and nothing of it used? */
void test_preset_faults(void)
{
	static const struct {
		const char *text, *says;
	} rows[] = { { "[server]\nmin-version = TLSv9\n", ":2: 'TLSv9'" },
		{ "[server]\nmin-version = TLSv1.2\n\ngroups = P-256\n P-999\n[preset]\nx = y\n",
			":4: there is no group" },
		{ "[server]\ncolour = red\n", ":2: there is no option 'colour'" },
		{ "[client]\nmin-version = TLSv1.2\n", ":2: there are the sections" },
		{ "[server]\nmin-version TLSv1.2\n", ":2: neither" } };
	char path[] = "/tmp/nego-preset-XXXXXX", error[ET_NEGO_ERROR];
	struct et_nego_config config, before;
	int fd = mkstemp(path);
	FILE *file;

	CU_ASSERT_FATAL(fd >= 0);
	close(fd);
	CU_ASSERT(et_nego_init(&before) == 0);
	memcpy(&config, &before, sizeof(config));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		file = fopen(path, "w");
		fputs(rows[i].text, file);
		fclose(file);
		CU_ASSERT(et_nego_preset(&config, error, "", path) == -EINVAL);
		if (!strstr(error, rows[i].says))
			fprintf(stderr, "\n    row %zu: %s", i, error);
		CU_ASSERT(strstr(error, rows[i].says) != NULL);
		CU_ASSERT(memcmp(&config, &before, sizeof(config)) == 0);
	}
	file = fopen(path, "w");
	fprintf(file, "[server]\nciphers = AES128-SHA%0300d\n", 0);
	fclose(file);
	CU_ASSERT(et_nego_preset(&config, error, "", path) == -EINVAL && strstr(error, "too long"));
	unlink(path);
	CU_ASSERT(et_nego_preset(&config, error, presets_folder, "no-such") == -ENOENT);
	CU_ASSERT(strstr(error, "no-such") != NULL);
}
