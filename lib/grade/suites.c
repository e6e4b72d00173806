/* SPDX-License-Identifier: BSD-3-Clause */

/* Suites: what is wrong with one, and how strong it is. docs/grades.md has the arithmetic. */

#include "grade_parts.h"

#include <stdlib.h>
#include <string.h>

/* SSLv2 cipher kinds have three bytes, and the first is not zero. */
static bool is_sslv2_kind(uint32_t cipher)
{
	return cipher > UINT16_MAX;
}

static const char *name_of(uint32_t cipher)
{
	const struct et_iana_suite *suite;

	if (is_sslv2_kind(cipher))
		return et_iana_sslv2_cipher(cipher);
	suite = et_iana_suite((uint16_t)cipher);
	return suite ? suite->name : NULL;
}

static bool has(const char *name, const char *word)
{
	return name && strstr(name, word);
}

static uint32_t version_class(uint16_t version)
{
	switch (version) {
	case ET_SSLV2: return CLASS_SSLV2;
	case ET_SSLV3: return CLASS_SSLV3;
	case ET_TLSV1_0: return CLASS_TLSV1_0;
	case ET_TLSV1_1: return CLASS_TLSV1_1;
	default: return 0;
	}
}

static uint32_t enc_classes(const struct et_iana_suite *suite)
{
	switch (suite->enc) {
	case ET_ENC_NULL: return CLASS_NULL;
	case ET_ENC_RC4: return CLASS_RC4;
	case ET_ENC_3DES:
	case ET_ENC_IDEA: return CLASS_3DES;
	case ET_ENC_DES:
	case ET_ENC_RC2: return CLASS_DES;
	default: return 0;
	}
}

static bool is_cbc(const struct et_iana_suite *suite)
{
	return !(suite->flags & ET_IANA_AEAD) && suite->enc != ET_ENC_NULL &&
	       suite->enc != ET_ENC_RC4 && has(suite->name, "_CBC_");
}

static bool no_forward_secrecy(const struct et_iana_suite *suite)
{
	switch (suite->kx) {
	case ET_KX_RSA:
	case ET_KX_DH:
	case ET_KX_ECDH:
	case ET_KX_PSK:
	case ET_KX_RSA_PSK:
	case ET_KX_KRB5: return true;
	default: return false;
	}
}

/* What an SSLv2 kind is, is in its name only. */
static uint32_t kind_classes(uint32_t kind)
{
	const char *name = et_iana_sslv2_cipher(kind);
	uint32_t classes = CLASS_NO_FS | CLASS_OTHER;

	classes |= has(name, "EXPORT") ? CLASS_EXPORT : 0;
	classes |= has(name, "_NULL") ? CLASS_NULL : 0;
	classes |= has(name, "_RC4") ? CLASS_RC4 : 0;
	classes |= has(name, "EDE3") || has(name, "IDEA") ? CLASS_3DES : 0;
	classes |= has(name, "DES_64") || has(name, "_RC2") ? CLASS_DES : 0;
	return classes | (has(name, "_MD5") ? CLASS_MD5 : 0);
}

static bool is_listed(uint16_t id, const uint16_t *list, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (list[i] == id)
			return true;
	return cnt == 0;
}

uint32_t suite_classes(uint16_t version, uint32_t cipher, const struct et_grade_policy *policy)
{
	uint32_t classes = version_class(version);
	const struct et_iana_suite *suite;

	if (version == ET_SSLV2 || is_sslv2_kind(cipher))
		return classes | kind_classes(cipher);
	if (!is_listed((uint16_t)cipher, policy->suites, policy->suites_cnt))
		classes |= CLASS_OTHER;
	suite = et_iana_suite((uint16_t)cipher);
	if (!suite)
		return classes;
	classes |= enc_classes(suite);
	classes |= suite->flags & ET_IANA_EXPORT ? CLASS_EXPORT : 0;
	classes |= suite->auth == ET_AUTH_ANON ? CLASS_ANONYMOUS : 0;
	classes |= no_forward_secrecy(suite) ? CLASS_NO_FS : 0;
	classes |= has(suite->name, "_MD5") ? CLASS_MD5 : 0;
	if (is_cbc(suite))
		classes |= CLASS_CBC | (version <= ET_TLSV1_0 ? CLASS_CBC_TLS10 : 0);
	return classes;
}

int suite_bits(uint32_t cipher)
{
	/* the first that stands in the name */
	static const struct {
		const char *part;
		int bits;
	} rows[] = {
		{ "EXPORT40", 40 },
		{ "EXPORT1024", 56 },
		{ "_EXPORT", 40 },
		{ "DES40", 40 },
		{ "_40_", 40 },
		{ "_NULL", 0 },
		{ "3DES", 112 },
		{ "EDE3", 112 },
		{ "DES_CBC", 56 },
		{ "DES_64", 56 },
		{ "RC4_64", 64 },
		{ "CHACHA20", 256 },
		{ "_256", 256 },
		{ "_128", 128 },
		{ "IDEA", 128 },
		{ "SEED", 128 },
		{ "SM4", 128 },
		{ "GOST", 256 },
		{ "KUZNYECHIK", 256 },
		{ "MAGMA", 256 },
		{ "28147", 256 },
		{ "FORTEZZA", 80 },
	};
	const char *name = name_of(cipher);

	/* names of hashes have no underscore in them, as in "_CBC_SHA256" */
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && name; i++)
		if (has(name, rows[i].part))
			return rows[i].bits;
	return -1;
}

/* SSL Labs' rating guide: parts of a hundred. */
static unsigned kx_score(uint32_t bits)
{
	return bits < 512 ? 20 : bits < 1024 ? 40 : bits < 2048 ? 80 : bits < 4096 ? 90 : 100;
}

static unsigned cipher_score(int bits)
{
	return bits == 0 ? 0 : bits < 128 ? 20 : bits < 256 ? 80 : 100;
}

char strength_grade(uint32_t kx_bits, int cipher_bits)
{
	static const struct {
		unsigned least;
		char grade;
	} rows[] = { { 80, 'A' }, { 65, 'B' }, { 50, 'C' }, { 35, 'D' }, { 20, 'E' }, { 0, 'F' } };
	unsigned score;
	size_t i = 0;

	if (cipher_bits < 0)
		return 0;
	score = cipher_score(cipher_bits);
	if (kx_bits > 0 && score > 0)
		score = (3 * kx_score(kx_bits) + 4 * score) / 7;
	while (score < rows[i].least)
		i++;
	return rows[i].grade;
}

/* RFC 4492, table 1 and NIST SP 800-57 part 1, table 2: RSA bits as strong as a curve's. */
static uint32_t curve_strength(unsigned bits)
{
	return bits < 192   ? 1024
	       : bits < 224 ? 1536
	       : bits < 250 ? 2048
	       : bits < 384 ? 3072
	       : bits < 512 ? 7680
			    : 15360;
}

uint32_t group_strength(uint16_t group)
{
	const char *name = et_iana_group(group), *digits;

	if (!name || group == 0)
		return 0;
	if (strncmp(name, "ffdhe", 5) == 0)
		return (uint32_t)strtoul(name + 5, NULL, 10);
	if (has(name, "MLKEM") || has(name, "Kyber"))
		return curve_strength(256); /* not below its classical half */
	if (strncmp(name, "x448", 4) == 0)
		return curve_strength(448);
	if (strncmp(name, "x25519", 6) == 0)
		return curve_strength(256);
	digits = strpbrk(name, "0123456789");
	return digits ? curve_strength((unsigned)strtoul(digits, NULL, 10)) : 0;
}

uint32_t key_strength(const char *key)
{
	const char *digits;

	if (strncmp(key, "rsa-", 4) == 0)
		return (uint32_t)strtoul(key + 4, NULL, 10);
	if (strncmp(key, "dsa-", 4) == 0)
		return (uint32_t)strtoul(key + 4, NULL, 10);
	if (strncmp(key, "ecdsa-", strlen("ecdsa-")) == 0 &&
		(digits = strpbrk(strchr(key, '-'), "0123456789")))
		return curve_strength((unsigned)strtoul(digits, NULL, 10));
	return strcmp(key, "ed25519") == 0 ? curve_strength(256)
	       : strcmp(key, "ed448") == 0 ? curve_strength(448)
					   : 0;
}

bool version_cipher_parse(uint16_t *version, uint32_t *cipher, const char *name)
{
	const char *blank = strchr(name, ' ');
	char text[32];

	if (!blank || (size_t)(blank - name) >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)(blank - name), name);
	return et_archive_version_id(version, text) && et_archive_cipher_id(cipher, blank + 1);
}

/* The shortest explicit prime that was seen; 0: none. */
static uint32_t shortest_prime(const struct et_archive_sums *sums)
{
	const struct et_archive_map *map = &sums->maps[ET_ARCHIVE_DH_BITS];
	uint32_t least = 0;

	for (size_t i = 0; i < map->cnt; i++) {
		uint32_t bits = (uint32_t)strtoul(map->v[i].name, NULL, 10);

		if (bits > 0 && (least == 0 || bits < least))
			least = bits;
	}
	return least;
}

/* The weaker of what agrees on the secret and what signs it; 0: neither could be read. */
static uint32_t exchange(
	char *text, size_t cap, const struct et_archive_accept *accept, uint32_t prime)
{
	const struct et_iana_suite *suite =
		accept->cipher <= UINT16_MAX ? et_iana_suite((uint16_t)accept->cipher) : NULL;
	const char *group = accept->group ? et_iana_group(accept->group) : NULL;
	uint32_t agreed = group ? group_strength(accept->group) : 0,
		 key = accept->key[0] ? key_strength(accept->key) : 0;
	char what[40] = "";

	if (suite && suite->kx == ET_KX_DHE && !group && prime > 0) {
		agreed = prime;
		snprintf(what, sizeof(what), "dh-%u", (unsigned)prime);
	} else if (group) {
		snprintf(what, sizeof(what), "%.39s", group);
	}
	snprintf(text, cap, "%s%s%.38s", what, what[0] && accept->key[0] ? ", " : "", accept->key);
	if (suite && (suite->flags & ET_IANA_EXPORT) && suite->kx != ET_KX_ECDHE)
		return 511; /* export keys have at most 512 bits, whatever the certificate's has */
	return agreed == 0 ? key : key == 0 ? agreed : agreed < key ? agreed : key;
}

static struct et_grade_suite *suite_of(struct et_grade *out, uint16_t version, uint32_t cipher)
{
	for (size_t i = 0; i < out->suites_cnt; i++)
		if (out->suites[i].version == version && out->suites[i].cipher == cipher)
			return &out->suites[i];
	if (out->suites_cnt == ET_GRADE_SUITES)
		return NULL;
	out->suites[out->suites_cnt] =
		(struct et_grade_suite){ .version = version, .cipher = cipher };
	return &out->suites[out->suites_cnt++];
}

/* Newer versions first, then the most sessions. */
static int compare(const void *a, const void *b)
{
	const struct et_grade_suite *x = a, *y = b;

	if (x->version != y->version)
		return x->version > y->version ? -1 : 1;
	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	return (x->cipher > y->cipher) - (x->cipher < y->cipher);
}

static void grade_suites(struct et_grade *out, const struct et_grade_policy *policy)
{
	for (size_t i = 0; i < out->suites_cnt; i++) {
		struct et_grade_suite *suite = &out->suites[i];
		uint32_t classes = suite_classes(suite->version, suite->cipher, policy);

		suite->cipher_bits = suite_bits(suite->cipher);
		suite->grade = strength_grade(suite->kx_bits, suite->cipher_bits);
		if (suite->grade > out->strength)
			out->strength = suite->grade;
		for (size_t p = 0; p < predicates_cnt() && suite->grade; p++) {
			const struct et_grade_rule *rule = &policy->rules[out->role][p];

			if ((predicates[p].classes & classes) && rule->severity != ET_GRADE_OFF &&
				rule->cap > suite->grade)
				suite->grade = rule->cap;
		}
	}
}

void suites_fill(struct et_grade *out, const struct et_grade_policy *policy)
{
	const struct et_archive_sums *sums = &out->host->sums;
	const struct et_archive_map *seen = &sums->maps[ET_ARCHIVE_VERSION_CIPHERS],
				    *accepts = &sums->maps[ET_ARCHIVE_ACCEPTS];
	uint32_t prime = shortest_prime(sums);

	for (size_t i = 0; i < seen->cnt; i++) {
		struct et_grade_suite *suite = NULL;
		uint16_t version;
		uint32_t cipher;

		if (version_cipher_parse(&version, &cipher, seen->v[i].name))
			suite = suite_of(out, version, cipher);
		if (suite)
			suite->sessions += seen->v[i].count;
		else
			out->suites_left_out++;
	}
	for (size_t i = 0; i < accepts->cnt; i++) {
		struct et_grade_suite *suite;
		struct et_archive_accept accept;
		char text[sizeof(suite->kx)];
		uint32_t bits;

		if (!et_archive_accept_parse(&accept, accepts->v[i].name))
			continue;
		suite = suite_of(out, accept.version, accept.cipher);
		bits = exchange(text, sizeof(text), &accept, prime);
		if (suite && bits > 0 && (suite->kx_bits == 0 || bits < suite->kx_bits)) {
			suite->kx_bits = bits;
			memcpy(suite->kx, text, sizeof(text));
		}
	}
	grade_suites(out, policy);
	qsort(out->suites, out->suites_cnt, sizeof(out->suites[0]), compare);
}

/* --- predicates --- */

void negotiated_class(struct hit *hit, const struct look *look)
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_VERSION_CIPHERS];

	hit->of = look->sums->counts[ET_PEER_TLS_ESTABLISHED];
	for (size_t i = 0; i < map->cnt; i++) {
		uint16_t version;
		uint32_t cipher;

		if (!version_cipher_parse(&version, &cipher, map->v[i].name) ||
			!(suite_classes(version, cipher, look->policy) & look->arg))
			continue;
		hit->sessions += map->v[i].count;
		detail_add(hit, strchr(map->v[i].name, ' ') + 1);
	}
}

/* Explicit primes of arg & 0xffff <= bits < arg >> 16. */
void weak_dh(struct hit *hit, const struct look *look)
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_DH_BITS];

	for (size_t i = 0; i < map->cnt; i++) {
		unsigned long bits = strtoul(map->v[i].name, NULL, 10);
		char word[40];

		hit->of += map->v[i].count;
		if (bits < (look->arg & 0xffff) || bits >= look->arg >> 16)
			continue;
		hit->sessions += map->v[i].count;
		snprintf(word, sizeof(word), "%lu bits", bits);
		detail_add(hit, word);
	}
}

static void count_groups(struct hit *hit, const struct look *look,
	bool (*wrong)(uint16_t group, const struct look *look))
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_GROUPS];

	for (size_t i = 0; i < map->cnt; i++) {
		uint16_t group;

		hit->of += map->v[i].count;
		if (!et_archive_group_id(&group, map->v[i].name) || !wrong(group, look))
			continue;
		hit->sessions += map->v[i].count;
		detail_add(hit, map->v[i].name);
	}
}

static bool is_weak(uint16_t group, const struct look *look)
{
	(void)look;
	return group_strength(group) != 0 && group_strength(group) < 2048;
}

static bool is_other(uint16_t group, const struct look *look)
{
	return !is_listed(group, look->policy->groups, look->policy->groups_cnt);
}

void weak_group(struct hit *hit, const struct look *look)
{
	count_groups(hit, look, is_weak);
}

void other_group(struct hit *hit, const struct look *look)
{
	count_groups(hit, look, is_other);
}

/* Names of schemes hold the hash: "rsa_pkcs1_sha1", "ecdsa_sha1", "rsa_md5". arg 0: SHA-1. */
void signed_weakly(struct hit *hit, const struct look *look)
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_SIGNATURES];
	const char *hash = look->arg ? "md5" : "sha1";

	for (size_t i = 0; i < map->cnt; i++) {
		size_t n = strlen(map->v[i].name), m = strlen(hash);

		hit->of += map->v[i].count;
		if (n < m || strcmp(map->v[i].name + n - m, hash) != 0)
			continue;
		hit->sessions += map->v[i].count;
		detail_add(hit, map->v[i].name);
	}
}
