/* SPDX-License-Identifier: BSD-3-Clause */
#include "snippets.h"

#include <stdio.h>
#include <string.h>

#define MTA (1u << ROLE_MTA)
#define MSA (1u << ROLE_MSA)
#define MDA (1u << ROLE_MDA)

enum when {
	ALWAYS,
	CIPHERS,  /* the step has a list of its own */
	GROUPS,   /* likewise of groups */
	BUILT_IN, /* it has not */
	ORDER,    /* the server's order decides */
	LEVEL_0,  /* OpenSSL's security level has to be lowered */
	DHE,      /* primes for DHE are needed */
	KEY_2,    /* there is a second key */
	KEY_3,
};

/*
 * All that is known of the programs' settings. In braces: {min} TLSv1.2; {no} what is below it for
 * Exim; {versions} as Cyrus names them; {ciphers}, {groups} lists; {curves} groups as Postfix lists
 * them; {priority} all of it for GnuTLS; {pem} files of key and chain, {crts}, {keys} files with
 * colons between; {crt1} {key1} ... one file.
 */
static const struct {
	const char *program, *file;
	unsigned roles;
	struct {
		enum when when;
		const char *line;
	} lines[20];
} programs[] = {
	{ "postfix", "main.cf", MTA,
		{ { ALWAYS, "# each file: private key, then certificate, then intermediates" },
			{ ALWAYS, "smtpd_tls_chain_files = {pem}" },
			{ ALWAYS, "smtpd_tls_security_level = may" },
			{ ALWAYS, "smtpd_tls_protocols = >={min}" },
			{ CIPHERS, "smtpd_tls_ciphers = high" },
			{ CIPHERS, "# also used by smtp(8) where it asks for grade high" },
			{ CIPHERS, "tls_high_cipherlist = {ciphers}" },
			{ BUILT_IN, "smtpd_tls_ciphers = medium" },
			{ GROUPS, "tls_eecdh_auto_curves = {curves}" },
			{ ORDER, "tls_preempt_cipherlist = yes" } } },
	{ "postfix", "main.cf", MSA,
		{ { ALWAYS, "# each file: private key, then certificate, then intermediates" },
			{ ALWAYS, "smtpd_tls_chain_files = {pem}" },
			{ ALWAYS, "smtpd_tls_auth_only = yes" },
			{ ALWAYS, "# in master.cf, for submission and submissions:" },
			{ ALWAYS, "#   -o smtpd_tls_security_level=encrypt" },
			{ ALWAYS, "smtpd_tls_mandatory_protocols = >={min}" },
			{ ALWAYS, "smtpd_tls_mandatory_ciphers = high" },
			{ CIPHERS, "tls_high_cipherlist = {ciphers}" },
			{ GROUPS, "tls_eecdh_auto_curves = {curves}" },
			{ ORDER, "tls_preempt_cipherlist = yes" } } },
	{ "exim", "exim.conf", MTA | MSA,
		{ { ALWAYS, "tls_advertise_hosts = *" }, { ALWAYS, "tls_certificate = {crts}" },
			{ ALWAYS, "tls_privatekey = {keys}" }, { ALWAYS, ".ifdef _HAVE_GNUTLS" },
			{ ALWAYS, "tls_require_ciphers = {priority}" }, { ALWAYS, ".else" },
			{ ALWAYS, "openssl_options = +no_sslv2 +no_sslv3{no}" },
			{ CIPHERS, "tls_require_ciphers = {ciphers}" },
			{ LEVEL_0, "tls_require_ciphers = HIGH:MEDIUM:@SECLEVEL=0" },
			{ ALWAYS, ".endif" } } },
	{ "dovecot", "dovecot.conf (2.3)", MDA,
		{ { ALWAYS, "ssl = required" }, { ALWAYS, "disable_plaintext_auth = yes" },
			{ ALWAYS, "ssl_cert = <{crt1}" }, { ALWAYS, "ssl_key = <{key1}" },
			{ KEY_2, "ssl_alt_cert = <{crt2}" }, { KEY_2, "ssl_alt_key = <{key2}" },
			{ KEY_3, "# Dovecot takes two keys: {crt3} has no place" },
			{ ALWAYS, "ssl_min_protocol = {min}" },
			{ CIPHERS, "ssl_cipher_list = {ciphers}" },
			{ BUILT_IN, "# its own list lacks RSA key exchange" },
			{ BUILT_IN, "ssl_cipher_list = DEFAULT" },
			{ DHE, "# openssl dhparam -out /etc/ssl/mail/dh.pem 2048" },
			{ DHE, "ssl_dh = </etc/ssl/mail/dh.pem" },
			{ GROUPS, "ssl_curve_list = {groups}" },
			{ ORDER, "ssl_prefer_server_ciphers = yes" } } },
	{ "cyrus", "imapd.conf", MDA,
		{ { ALWAYS, "tls_server_cert: {crt1}" }, { ALWAYS, "tls_server_key: {key1}" },
			{ KEY_2, "# one key: {crt2} has no place here" },
			{ ALWAYS, "tls_versions: {versions}" },
			{ CIPHERS, "tls_ciphers: {ciphers}" },
			{ ORDER, "tls_prefer_server_ciphers: 1" },
			{ ALWAYS, "allowplaintext: 0" } } },
};

static void append(char *out, size_t cap, const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, cap - n, "%s", text);
}

static void join(char *out, const char *name)
{
	if (*out)
		append(out, SNIPPET_LIST, ":");
	append(out, SNIPPET_LIST, name);
}

static void suites(char *out, const struct et_nego_suite *list, unsigned cnt, bool iana)
{
	out[0] = '\0';
	for (unsigned i = 0; i < cnt; i++) {
		const struct et_iana_suite *suite = et_iana_suite(list[i].id);

		if (suite && (iana || suite->openssl))
			join(out, iana ? suite->name : suite->openssl);
	}
}

void snippet_ciphers(char out[static SNIPPET_LIST], const struct et_nego_config *config)
{
	out[0] = '\0';
	if (config->min_version <= ET_TLSV1_2)
		suites(out, config->suites, config->suite_cnt, false);
}

void snippet_suites13(char out[static SNIPPET_LIST], const struct et_nego_config *config)
{
	suites(out, config->suites13, config->suite13_cnt, true);
}

/* OpenSSL's; NULL if it has none. It spells these two so, and others in small letters. */
static const char *group_name(uint16_t group)
{
	const char *name = et_iana_group_openssl(group);

	if (name && strcmp(name, "x25519") == 0)
		return "X25519";
	return name && strcmp(name, "x448") == 0 ? "X448" : name;
}

void snippet_groups(char out[static SNIPPET_LIST], const struct et_nego_config *config)
{
	out[0] = '\0';
	for (unsigned i = 0; i < config->group_cnt; i++) {
		const char *name = group_name(config->groups[i]);

		if (name)
			join(out, name);
	}
}

/* Postfix wants blanks between, and no groups of DHE. */
static void curves(char *out, const struct et_nego_config *config)
{
	out[0] = '\0';
	for (unsigned i = 0; i < config->group_cnt; i++) {
		const char *name = group_name(config->groups[i]);

		if (!name || strncmp(name, "ffdhe", 5) == 0)
			continue;
		if (*out)
			append(out, SNIPPET_LIST, " ");
		append(out, SNIPPET_LIST, name);
	}
}

void snippet_sigalgs(char out[static SNIPPET_LIST], const struct et_nego_config *config)
{
	out[0] = '\0';
	for (unsigned i = 0; i < config->sigalg_cnt; i++) {
		const char *name = et_iana_sigalg_openssl(config->sigalgs[i]);

		if (name)
			join(out, name);
	}
}

/* "ecdsa-P-256" of the number-th key of a set; "" if there is none. */
static void key_name(char out[static 32], int set, unsigned number)
{
	const char *at = et_advice_sets[set];
	size_t n;

	for (; number > 0 && at; number--)
		at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
	out[0] = '\0';
	if (!at)
		return;
	n = strcspn(at, ",");
	snprintf(out, 32, "%.*s", (int)n, at);
	for (char *c = out; *c; c++)
		*c = *c == ':' ? '-' : *c;
}

static void files(char *out, size_t cap, int set, const char *between, const char *end)
{
	char name[32], path[96];

	out[0] = '\0';
	for (unsigned i = 0; key_name(name, set, i), *name; i++) {
		snprintf(path, sizeof(path), "%s/etc/ssl/mail/%s.%s", i ? between : "", name, end);
		append(out, cap, path);
	}
}

static void expand(char *out, size_t cap, const struct plan_site *site, const char *word, size_t n)
{
	const struct et_nego_config *config = &site->config;
	char text[SNIPPET_LIST] = "", name[32];
	uint16_t min = config->min_version;

	if (n == 3 && memcmp(word, "min", n) == 0)
		/* Postfix, Dovecot: TLSv1 is 1.0 */
		append(text, sizeof(text), min == ET_TLSV1_0 ? "TLSv1" : et_iana_version(min));
	else if (n == 2 && memcmp(word, "no", n) == 0)
		snprintf(text, sizeof(text), "%s%s%s%s", min > ET_TLSV1_0 ? " +no_tlsv1" : "",
			min > ET_TLSV1_1 ? " +no_tlsv1_1" : "",
			min > ET_TLSV1_2 ? " +no_tlsv1_2" : "",
			config->server_order ? " +cipher_server_preference" : "");
	else if (n == 8 && memcmp(word, "versions", n) == 0)
		append(text, sizeof(text), min > ET_TLSV1_2 ? "tls1_3" : "tls1_2 tls1_3");
	else if (n == 7 && memcmp(word, "ciphers", n) == 0)
		snippet_ciphers(text, config);
	else if (n == 6 && memcmp(word, "groups", n) == 0)
		snippet_groups(text, config);
	else if (n == 6 && memcmp(word, "curves", n) == 0)
		curves(text, config);
	else if (n == 8 && memcmp(word, "priority", n) == 0)
		snippet_priority(text, config);
	else if (n == 3 && memcmp(word, "pem", n) == 0)
		files(text, sizeof(text), site->set, ", ", "pem");
	else if (n == 4 && memcmp(word, "crts", n) == 0)
		files(text, sizeof(text), site->set, " : ", "crt");
	else if (n == 4 && memcmp(word, "keys", n) == 0)
		files(text, sizeof(text), site->set, " : ", "key");
	else if (n == 4) {
		key_name(name, site->set, (unsigned)(word[3] - '1'));
		snprintf(text, sizeof(text), "/etc/ssl/mail/%s.%.3s", name, word);
	}
	append(out, cap, text);
}

static void put_line(char *out, size_t cap, const struct plan_site *site, const char *line)
{
	while (*line) {
		size_t n = strcspn(line, "{");
		char plain[128];

		snprintf(plain, sizeof(plain), "%.*s", (int)n, line);
		append(out, cap, plain);
		line += n;
		if (*line != '{')
			break;
		n = strcspn(line, "}");
		expand(out, cap, site, line + 1, n - 1);
		line += n + 1;
	}
	append(out, cap, "\n");
}

static bool has_dhe(const struct et_nego_config *config)
{
	for (unsigned i = 0; i < config->suite_cnt; i++) {
		const struct et_iana_suite *suite = et_iana_suite(config->suites[i].id);

		if (suite && suite->kx == ET_KX_DHE)
			return config->dh != ET_NEGO_DH_NONE;
	}
	return false;
}

static bool applies(const struct plan_site *site, enum when when)
{
	bool built_in = strstr(plan_steps[site->step].preset, "-default") != NULL,
	     below = site->config.min_version < ET_TLSV1_3;
	char name[32];

	switch (when) {
	case CIPHERS: return !built_in && below;
	case GROUPS: return !built_in;
	case BUILT_IN: return built_in;
	case ORDER: return site->config.server_order;
	case LEVEL_0: return built_in && below && site->config.level == 0;
	case DHE: return below && has_dhe(&site->config);
	case KEY_2: key_name(name, site->set, 1); return *name;
	case KEY_3: key_name(name, site->set, 2); return *name;
	default: return true;
	}
}

size_t snippets_make(struct snippet out[static SNIPPETS_MAX], const struct plan_site *site)
{
	size_t cnt = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs) && cnt < SNIPPETS_MAX; i++) {
		struct snippet *own = &out[cnt];

		if (!(programs[i].roles & 1u << site->role))
			continue;
		*own = (struct snippet){ .program = programs[i].program, .file = programs[i].file };
		for (size_t k = 0; k < 20 && programs[i].lines[k].line; k++)
			if (applies(site, programs[i].lines[k].when))
				put_line(own->text, sizeof(own->text), site,
					programs[i].lines[k].line);
		cnt++;
	}
	return cnt;
}
