/* SPDX-License-Identifier: BSD-3-Clause */

/* Clients: what their hellos offer, and what they do without TLS. */

#include "grade_parts.h"

#include <string.h>

uint16_t hello_highest(const struct et_tls_profile *hello)
{
	uint16_t best = 0;

	if (!hello->has_versions)
		return hello->legacy_version;
	for (uint16_t i = 0; i < hello->versions.n; i++)
		if (hello->versions.v[i] > best && hello->versions.v[i] <= ET_TLSV1_3)
			best = hello->versions.v[i];
	return best;
}

/* Without supported_versions only the highest one is told. */
static bool tells(const struct et_tls_profile *hello, uint16_t version)
{
	return hello->has_versions ? et_tls_list_has(&hello->versions, version)
				   : hello->legacy_version == version;
}

static bool has_class(
	const struct et_tls_profile *hello, uint32_t class, const struct et_grade_policy *policy)
{
	for (uint16_t i = 0; i < hello->ciphers.n; i++)
		if (et_tls_profile_is_cipher(hello->ciphers.v[i]) &&
			(suite_classes(ET_TLSV1_2, hello->ciphers.v[i], policy) & class))
			return true;
	for (uint16_t i = 0; i < hello->kinds_n; i++)
		if (suite_classes(ET_SSLV2, hello->kinds[i], policy) & class)
			return true;
	return false;
}

static bool has_forward_secrecy(
	const struct et_tls_profile *hello, const struct et_grade_policy *policy)
{
	for (uint16_t i = 0; i < hello->ciphers.n; i++)
		if (et_iana_suite(hello->ciphers.v[i]) &&
			et_tls_profile_is_cipher(hello->ciphers.v[i]) &&
			!(suite_classes(ET_TLSV1_2, hello->ciphers.v[i], policy) & CLASS_NO_FS))
			return true;
	return false;
}

static bool compresses(const struct et_tls_profile *hello)
{
	for (uint16_t i = 0; i < hello->compression.n; i++)
		if (hello->compression.v[i] != 0)
			return true;
	return false;
}

/* TLS 1.3 has what these two extensions are for by itself: RFC 8446 4.1.2 and D.4. */
static bool lacks(const struct et_tls_profile *hello, uint16_t extension)
{
	bool before13 = !hello->has_versions;

	for (uint16_t i = 0; i < hello->versions.n; i++)
		before13 |= hello->versions.v[i] >= ET_SSLV3 && hello->versions.v[i] < ET_TLSV1_3;
	return before13 && !et_archive_has_extension(hello, extension);
}

static bool is_offered(const struct et_tls_profile *hello, const struct look *look)
{
	switch ((enum offer)(look->arg & 0xff)) {
	case OFFER_SSLV2: return hello->kinds_n > 0 || tells(hello, ET_SSLV2);
	case OFFER_SSLV3: return tells(hello, ET_SSLV3);
	case OFFER_NO_12: return hello_highest(hello) && hello_highest(hello) < ET_TLSV1_2;
	case OFFER_NO_13: return hello_highest(hello) && hello_highest(hello) < ET_TLSV1_3;
	case OFFER_COMPRESSION: return compresses(hello);
	case OFFER_NO_EMS: return lacks(hello, 0x0017);
	case OFFER_NO_RENEGOTIATION:
		return lacks(hello, 0xff01) && !et_tls_list_has(&hello->ciphers, 0x00ff);
	case OFFER_NO_FS: return !has_forward_secrecy(hello, look->policy);
	case OFFER_SUITE: return has_class(hello, look->arg >> 8, look->policy);
	}
	return false;
}

void offers(struct hit *hit, const struct look *look)
{
	const struct et_archive_map *map = &look->sums->maps[ET_ARCHIVE_HELLOS];

	for (size_t i = 0; i < map->cnt; i++) {
		const struct et_archive_hello *hello =
			et_archive_hello(look->archive, map->v[i].name);
		struct et_tls_profile profile;
		char word[48];

		if (!hello || !et_archive_profile(&profile, look->archive, hello))
			continue;
		hit->of += map->v[i].count;
		if (!is_offered(&profile, look))
			continue;
		hit->sessions += map->v[i].count;
		snprintf(word, sizeof(word), "hello %.8s", map->v[i].name);
		detail_add(hit, word);
	}
}

/* STARTTLS was offered, and was not asked for. */
void tls_not_asked(struct hit *hit, const struct look *look)
{
	uint64_t offered = look->sums->counts[ET_PEER_STARTTLS_OFFERED],
		 asked = look->sums->counts[ET_PEER_STARTTLS_REQUESTED];

	hit->of = offered;
	hit->sessions = offered > asked ? offered - asked : 0;
}
