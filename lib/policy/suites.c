/* SPDX-License-Identifier: BSD-3-Clause */
#include "suites.h"

#define SIGALG_ED25519 0x0807
#define SIGALG_ED448   0x0808

uint16_t offered_version(const struct et_tls_profile *hello, uint16_t max)
{
	uint16_t best = 0;

	if (hello->has_versions) {
		for (uint16_t i = 0; i < hello->versions.n; i++) {
			uint16_t version = hello->versions.v[i];

			/* a draft speaks for the version that it became */
			if (et_iana_is_tls13_draft(version))
				version = ET_TLSV1_3;
			if (version <= max && version >= ET_SSLV3 && version > best)
				best = version;
		}
		return best;
	}
	best = hello->legacy_version;
	/* without supported_versions the highest is TLS 1.2, whatever it says: RFC 8446 4.2.1 */
	if (best > ET_TLSV1_2)
		best = ET_TLSV1_2;
	return best < max ? best : max;
}

/* Whether the client takes a TLS 1.2 signature of such a key. */
static bool signs_12(const struct et_tls_profile *hello, struct key key)
{
	for (uint16_t i = 0; i < hello->sigalgs.n; i++) {
		uint16_t scheme = hello->sigalgs.v[i];
		uint8_t signature = (uint8_t)scheme;

		switch (key.type) {
		case KEY_RSA:
			if ((scheme >> 8 <= 6 && signature == 1) ||
				(scheme >= 0x0804 && scheme <= 0x0806))
				return true;
			break;
		case KEY_EC:
			/* the hash's number names no curve in TLS 1.2: RFC 5246 7.4.1.4.1 */
			if (scheme >> 8 <= 6 && signature == 3)
				return true;
			break;
		case KEY_DSA:
			if (scheme >> 8 <= 6 && signature == 2)
				return true;
			break;
		case KEY_ED25519:
			if (scheme == SIGALG_ED25519)
				return true;
			break;
		case KEY_ED448:
			if (scheme == SIGALG_ED448)
				return true;
			break;
		default: return true; /* a key that is not understood excludes nothing */
		}
	}
	return false;
}

static bool is_signed(const struct et_iana_suite *suite)
{
	return suite->kx == ET_KX_DHE || suite->kx == ET_KX_ECDHE;
}

/* Elliptic curves are numbered below 0x0100, FFDHE groups above: RFC 7919 2. */
static bool has_curve(const struct et_tls_profile *hello)
{
	if (!hello->has_groups)
		return true; /* a missing extension means no limit: RFC 8422 4 */
	for (uint16_t i = 0; i < hello->groups.n; i++)
		if (hello->groups.v[i] < 0x0100 || hello->groups.v[i] >= 0xff01)
			return true;
	return false;
}

static bool is_type(const struct et_iana_suite *suite, struct key key)
{
	switch (suite->cert_key) {
	case ET_KEY_RSA: return key.type == KEY_RSA;
	case ET_KEY_DSS: return key.type == KEY_DSA;
	case ET_KEY_EC:
		/* EdDSA keys go with the ECDHE_ECDSA suites: RFC 8422 5.10; not with static ECDH */
		return key.type == KEY_EC ||
		       (suite->kx == ET_KX_ECDHE &&
			       (key.type == KEY_ED25519 || key.type == KEY_ED448));
	default: return false;
	}
}

static enum fit fit_key(const struct et_tls_profile *hello, const struct et_iana_suite *suite,
	uint16_t version, struct key key, bool any_curve)
{
	if (key.type == KEY_OTHER)
		return FIT_OK; /* what is not understood excludes nothing */
	if (!is_type(suite, key))
		return FIT_KEY_TYPE;
	if (suite->kx == ET_KX_ECDHE && !has_curve(hello))
		return FIT_GROUP;
	/* a client before TLS 1.2, or without the extension, takes the defaults of RFC 5246 7.4.1.4.1;
	 * EdDSA has none */
	if (is_signed(suite)) {
		bool eddsa = key.type == KEY_ED25519 || key.type == KEY_ED448;

		if (version < ET_TLSV1_2 || !hello->has_sigalgs) {
			if (eddsa)
				return FIT_SIGALG;
		} else if (!signs_12(hello, key)) {
			return FIT_SIGALG;
		}
	}
	if (key.type == KEY_EC && key.curve != 0 && !any_curve && hello->has_groups &&
		!et_tls_list_has(&hello->groups, key.curve))
		return FIT_CURVE;
	return FIT_OK;
}

static enum fit fit_suite(const struct et_tls_profile *hello, const struct et_iana_suite *suite,
	uint16_t version, const struct key *keys, size_t cnt, bool any_curve)
{
	enum fit best = FIT_KEY_TYPE;

	if (suite->min_version > version || suite->min_version == ET_TLSV1_3)
		return FIT_VERSION;
	if (suite->auth == ET_AUTH_ANON)
		return suite->kx == ET_KX_ECDHE && !has_curve(hello) ? FIT_GROUP : FIT_ANONYMOUS;
	if (suite->cert_key == ET_KEY_NONE || suite->kx == ET_KX_RSA_PSK)
		return FIT_FOREIGN;
	for (size_t i = 0; i < cnt; i++) {
		enum fit fit = fit_key(hello, suite, version, keys[i], any_curve);

		if (fit > best)
			best = fit;
	}
	return best;
}

void fits_judge(struct fits *out, const struct et_tls_profile *hello, const struct key *keys,
	size_t cnt, bool any_curve)
{
	uint16_t version = offered_version(hello, ET_TLSV1_2);
	unsigned missed = 0;

	*out = (struct fits){ .nearest = FIT_FOREIGN, .ok_needs_group = true };
	for (uint16_t i = 0; i < hello->ciphers.n; i++) {
		const struct et_iana_suite *suite = et_iana_suite(hello->ciphers.v[i]);
		enum fit fit;

		if (!et_tls_profile_is_cipher(hello->ciphers.v[i]))
			continue;
		/* a suite that nobody knows is none that a server chooses */
		fit = suite ? fit_suite(hello, suite, version, keys, cnt, any_curve) : FIT_FOREIGN;
		if (fit == FIT_OK) {
			if (out->cnt[FIT_OK] < FIT_KEEP)
				out->ok[out->cnt[FIT_OK]] = suite->id;
			out->ok_needs_group &= suite->kx == ET_KX_ECDHE;
		}
		if (fit < FIT_ANONYMOUS && fit > out->nearest) {
			out->nearest = fit;
			missed = 0;
		}
		if (fit == out->nearest && missed < FIT_KEEP)
			out->missed[missed++] = hello->ciphers.v[i];
		out->cnt[fit]++;
	}
	out->ok_needs_group &= out->cnt[FIT_OK] > 0;
}

bool fits_13(const struct et_tls_profile *hello, struct key key)
{
	/* here the scheme does name the curve: RFC 8446 4.2.3 */
	switch (key.type) {
	case KEY_RSA:
		return et_tls_list_has(&hello->sigalgs, 0x0804) ||
		       et_tls_list_has(&hello->sigalgs, 0x0805) ||
		       et_tls_list_has(&hello->sigalgs, 0x0806);
	case KEY_EC:
		switch (key.curve) {
		case 0x0017: return et_tls_list_has(&hello->sigalgs, 0x0403);
		case 0x0018: return et_tls_list_has(&hello->sigalgs, 0x0503);
		case 0x0019: return et_tls_list_has(&hello->sigalgs, 0x0603);
		default: return true;
		}
	case KEY_ED25519: return et_tls_list_has(&hello->sigalgs, SIGALG_ED25519);
	case KEY_ED448: return et_tls_list_has(&hello->sigalgs, SIGALG_ED448);
	case KEY_DSA: return false;
	default: return true;
	}
}
