/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_parts.h"

#define ANY 0xffff

/*
 * What libssl 3.0 offers with its default provider: bits of security, and the versions that may
 * use the group. Curves that TLS 1.3 has no number for end with 1.2, FFDHE groups begin with 1.3:
 * up to 1.2, OpenSSL's DHE knows no named groups.
 */
static const struct group groups[] = {
	{ 0x0001, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0002, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0003, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0004, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0005, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0006, 112, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0007, 112, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0008, 112, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0009, 128, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000a, 128, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000b, 192, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000c, 192, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000d, 256, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000e, 256, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x000f, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0010, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0011, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0012, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0013, 80, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0014, 112, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0015, 112, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0016, 128, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x0017, 128, ET_TLSV1_0, ANY, true },
	{ 0x0018, 192, ET_TLSV1_0, ANY, true },
	{ 0x0019, 256, ET_TLSV1_0, ANY, true },
	{ 0x001a, 128, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x001b, 192, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x001c, 256, ET_TLSV1_0, ET_TLSV1_2, true },
	{ 0x001d, 128, ET_TLSV1_0, ANY, false },
	{ 0x001e, 224, ET_TLSV1_0, ANY, false },
	{ 0x0100, 112, ET_TLSV1_3, ANY, false },
	{ 0x0101, 128, ET_TLSV1_3, ANY, false },
	{ 0x0102, 128, ET_TLSV1_3, ANY, false },
	{ 0x0103, 128, ET_TLSV1_3, ANY, false },
	{ 0x0104, 192, ET_TLSV1_3, ANY, false },
};

const struct group *group_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

/* In OpenSSL's own order of preference. Bits: half the digest's, less for SHA-1. */
static const struct sign signs[] = {
	{ 0x0403, SIGN_ECDSA, ET_NEGO_ECDSA, 32, 128, 0x0017 },
	{ 0x0503, SIGN_ECDSA, ET_NEGO_ECDSA, 48, 192, 0x0018 },
	{ 0x0603, SIGN_ECDSA, ET_NEGO_ECDSA, 64, 256, 0x0019 },
	{ 0x0807, SIGN_EDDSA, ET_NEGO_ED25519, 0, 128, 0 },
	{ 0x0808, SIGN_EDDSA, ET_NEGO_ED448, 0, 224, 0 },
	{ 0x0809, SIGN_PSS, ET_NEGO_RSA_PSS, 32, 128, 0 },
	{ 0x080a, SIGN_PSS, ET_NEGO_RSA_PSS, 48, 192, 0 },
	{ 0x080b, SIGN_PSS, ET_NEGO_RSA_PSS, 64, 256, 0 },
	{ 0x0804, SIGN_PSS, ET_NEGO_RSA, 32, 128, 0 },
	{ 0x0805, SIGN_PSS, ET_NEGO_RSA, 48, 192, 0 },
	{ 0x0806, SIGN_PSS, ET_NEGO_RSA, 64, 256, 0 },
	{ 0x0401, SIGN_PKCS1, ET_NEGO_RSA, 32, 128, 0 },
	{ 0x0501, SIGN_PKCS1, ET_NEGO_RSA, 48, 192, 0 },
	{ 0x0601, SIGN_PKCS1, ET_NEGO_RSA, 64, 256, 0 },
	{ 0x0303, SIGN_ECDSA, ET_NEGO_ECDSA, 28, 112, 0 },
	{ 0x0203, SIGN_ECDSA, ET_NEGO_ECDSA, 20, SIGN_BITS_SHA1, 0 },
	{ 0x0301, SIGN_PKCS1, ET_NEGO_RSA, 28, 112, 0 },
	{ 0x0201, SIGN_PKCS1, ET_NEGO_RSA, 20, SIGN_BITS_SHA1, 0 },
	{ 0x0302, SIGN_DSA, ET_NEGO_KEYS, 28, 112, 0 },
	{ 0x0202, SIGN_DSA, ET_NEGO_KEYS, 20, SIGN_BITS_SHA1, 0 },
	{ 0x0402, SIGN_DSA, ET_NEGO_KEYS, 32, 128, 0 },
	{ 0x0502, SIGN_DSA, ET_NEGO_KEYS, 48, 192, 0 },
	{ 0x0602, SIGN_DSA, ET_NEGO_KEYS, 64, 256, 0 },
};
static_assert(sizeof(signs) / sizeof(*signs) <= ET_NEGO_SIGALGS, "all schemes fit");

const struct sign *sign_at(size_t index)
{
	return index < sizeof(signs) / sizeof(*signs) ? &signs[index] : NULL;
}

const struct sign *sign_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (signs[i].id == id)
			return &signs[i];
	return NULL;
}

unsigned level_bits(unsigned level)
{
	static const unsigned bits[] = { 0, 80, 112, 128, 192, 256 };

	return bits[level < 5 ? level : 5];
}

bool level_suite(unsigned level, const struct et_nego_suite *suite)
{
	bool pfs = suite->kx == ET_KX_ECDHE || suite->kx == ET_KX_DHE ||
		   suite->min_version == ET_TLSV1_3;

	if (level == 0)
		return true;
	if (suite->bits < level_bits(level) || suite->auth == ET_AUTH_ANON)
		return false;
	if (suite->sha1_mac && level_bits(level) > 160)
		return false;
	return level < 3 || pfs;
}

bool level_version(unsigned level, uint16_t version)
{
	if (level >= 4)
		return version >= ET_TLSV1_2;
	return version >= (level == 3 ? ET_TLSV1_1 : ET_TLSV1_0);
}

bool level_group(unsigned level, const struct group *group)
{
	return group->bits >= level_bits(level);
}

unsigned rsa_bits(unsigned modulus)
{
	/* NIST SP 800-56B rev. 2, appendix D */
	static const struct {
		unsigned modulus, bits;
	} sizes[] = { { 1024, 80 }, { 2048, 112 }, { 3072, 128 }, { 4096, 152 }, { 8192, 200 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (sizes[i].modulus == modulus)
			return sizes[i].bits;
	return 0;
}

unsigned dh_bits(unsigned prime)
{
	if (prime >= 7680)
		return 192;
	if (prime >= 3072)
		return 128;
	if (prime >= 2048)
		return 112;
	return prime >= 1024 ? 80 : 0;
}

unsigned cert_bits(const struct et_nego_cert *cert, enum et_nego_key key)
{
	const struct group *group;

	switch (key) {
	case ET_NEGO_RSA:
	case ET_NEGO_RSA_PSS: return rsa_bits(cert->bits);
	case ET_NEGO_ECDSA: group = group_find(cert->curve); return group ? group->bits : 0;
	case ET_NEGO_ED25519: return 128;
	case ET_NEGO_ED448: return 224;
	default: return 0;
	}
}
