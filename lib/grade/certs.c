/* SPDX-License-Identifier: BSD-3-Clause */

/* Certificates: what is wrong with the leaf that a server sent. Seen up to TLS 1.2 only. */

#include "grade_parts.h"

#include <string.h>
#include <strings.h>

/* Says of one certificate whether it is so; may lower hit->confidence and add to its detail. */
typedef bool cert_fn(struct hit *hit, const struct look *look, const struct et_archive_cert *cert);

static void count_certs(struct hit *hit, const struct look *look, cert_fn *wrong)
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_CERTS];

	for (size_t i = 0; i < map->cnt; i++) {
		const struct et_archive_cert *cert = et_archive_cert(look->archive, map->v[i].name);

		if (!cert || !cert->known)
			continue;
		hit->of += map->v[i].count;
		if (wrong(hit, look, cert))
			hit->sessions += map->v[i].count;
	}
}

static void lower(struct hit *hit, enum et_confidence confidence)
{
	if (confidence > hit->confidence)
		hit->confidence = confidence;
}

/*
 * Files hold minutes of pairs, not of certificates: where the validity ends between the first and the
 * last minute of a pair, some of its sessions may have been before.
 */
static bool is_expired(struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	if (cert->not_after_ns >= look->sums->last_ns)
		return false;
	if (cert->not_after_ns >= look->sums->first_ns)
		lower(hit, ET_POSSIBLE);
	detail_add(hit, cert->not_after);
	return true;
}

static bool is_early(struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	/* minutes are known by their first second */
	int64_t first_end = look->sums->first_ns + ET_NS_PER_MIN,
		last_end = look->sums->last_ns + ET_NS_PER_MIN;

	if (cert->not_before_ns == INT64_MIN || cert->not_before_ns < first_end)
		return false;
	if (cert->not_before_ns < last_end)
		lower(hit, ET_POSSIBLE);
	detail_add(hit, cert->not_before);
	return true;
}

/* By its names: the signature is not checked. */
static bool is_self_signed(
	struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	(void)look;
	if (!cert->self_signed)
		return false;
	lower(hit, ET_LIKELY);
	detail_add(hit, cert->subject);
	return true;
}

/* RFC 6125 6.4.3: a star is the whole first label. */
static bool is_name_of(const char *pattern, const char *name)
{
	const char *dot;

	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, name) == 0;
	dot = strchr(name, '.');
	return dot && dot != name && strcasecmp(pattern + 1, dot) == 0;
}

/* The common name counts where there is no other: RFC 6125 6.4.4. */
static bool common_name(char *out, size_t cap, const char *subject)
{
	const char *at = subject;

	while (at && *at) {
		if (strncmp(at, "CN=", 3) == 0) {
			snprintf(out, cap, "%.*s", (int)strcspn(at + 3, ",+"), at + 3);
			return true;
		}
		at = strpbrk(at, ",+");
		at += at ? 1 : 0;
	}
	return false;
}

static bool names_any(const struct et_archive_cert *cert, const struct et_archive_map *greeted)
{
	char cn[256];
	bool has_cn = cert->names_cnt == 0 && common_name(cn, sizeof(cn), cert->subject);

	for (size_t g = 0; g < greeted->cnt; g++) {
		if (has_cn && is_name_of(cn, greeted->v[g].name))
			return true;
		for (size_t i = 0; i < cert->names_cnt; i++)
			if (is_name_of(cert->names[i], greeted->v[g].name))
				return true;
	}
	return false;
}

/*
 * The name that a client looked for is not in the files. What is known is the name in the server's
 * greeting: of a server that serves many names, another one may be meant. Certificates are kept with
 * their first 64 names: one that has so many is not judged.
 */
static bool is_of_another(
	struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	const struct et_archive_map *greeted = &look->host->sums.maps[ET_ARCHIVE_SERVER_NAMES];

	if (!cert->subject || cert->names_cnt >= ET_CERT_NAMES || names_any(cert, greeted))
		return false;
	lower(hit, ET_POSSIBLE);
	detail_add(hit, cert->names_cnt > 0 ? cert->names[0] : cert->subject);
	return true;
}

/* As strong as RSA of arg & 0xffff <= bits < arg >> 16. */
static bool is_weak_key(
	struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	char key[ET_ARCHIVE_KEY];
	uint32_t strength;

	et_archive_cert_key(key, cert);
	strength = key_strength(key);
	if (strength == 0 || strength < (look->arg & 0xffff) || strength >= look->arg >> 16)
		return false;
	detail_add(hit, key);
	return true;
}

/* OpenSSL's names: "sha1WithRSAEncryption", "ecdsa-with-SHA1", "md5WithRSAEncryption". */
static bool is_signed_weakly(
	struct hit *hit, const struct look *look, const struct et_archive_cert *cert)
{
	const char *name = cert->sigalg;
	bool md5 = name && (strcasestr(name, "md5") || strcasestr(name, "md2")),
	     sha1 = name && strcasestr(name, "sha1");

	if (!(look->arg ? md5 : sha1))
		return false;
	detail_add(hit, name);
	return true;
}

void cert_expired(struct hit *hit, const struct look *look)
{
	count_certs(hit, look, is_expired);
}

void cert_early(struct hit *hit, const struct look *look)
{
	count_certs(hit, look, is_early);
}

void cert_self_signed(struct hit *hit, const struct look *look)
{
	count_certs(hit, look, is_self_signed);
}

void cert_name(struct hit *hit, const struct look *look)
{
	if (look->host->sums.maps[ET_ARCHIVE_SERVER_NAMES].cnt > 0)
		count_certs(hit, look, is_of_another);
}

void cert_key_weak(struct hit *hit, const struct look *look)
{
	count_certs(hit, look, is_weak_key);
}

void cert_signature(struct hit *hit, const struct look *look)
{
	count_certs(hit, look, is_signed_weakly);
}
