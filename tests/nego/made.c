/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "et_iana.h"

#include <openssl/evp.h>
#include <string.h>

/* Hellos that nobody sent: variants of those that were, and combinations from nothing. */

struct list {
	size_t n;
	uint16_t v[200];
};
struct recipe {
	uint16_t record, legacy;
	bool sslv2, no_exts;
	struct list versions, ciphers, groups, sigalgs, shares, compression, formats;
	bool has_versions, has_groups, has_sigalgs, has_shares, has_formats;
	bool sni, ems, reneg, ticket, modes, psk, psk_first, twice, cert_sigalgs, grease, early;
};

/* --- bytes --- */

struct out {
	size_t n;
	uint8_t p[1 << 14];
};

static void put(struct out *out, uint32_t value, size_t bytes)
{
	while (bytes-- > 0 && out->n < sizeof(out->p))
		out->p[out->n++] = (uint8_t)(value >> 8 * bytes);
}

static size_t open_block(struct out *out, size_t bytes)
{
	put(out, 0, bytes);
	return out->n;
}

static void close_block(struct out *out, size_t at, size_t bytes)
{
	size_t len = out->n - at;

	for (size_t i = 0; i < bytes; i++)
		out->p[at - bytes + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
}

static void put_list(struct out *out, const struct list *list, size_t head, size_t size)
{
	size_t at = open_block(out, head);

	for (size_t i = 0; i < list->n; i++)
		put(out, list->v[i], size);
	close_block(out, at, head);
}

static void put_ext(
	struct out *out, uint16_t type, const struct list *list, size_t head, size_t size)
{
	size_t at;

	put(out, type, 2);
	at = open_block(out, 2);
	if (list)
		put_list(out, list, head, size);
	close_block(out, at, 2);
}

/* A public key that OpenSSL takes for the group, made once; some bytes for what it does not know. */
static void put_share(struct out *out, uint16_t group)
{
	static const struct {
		uint16_t group;
		const char *kind, *name;
	} known[] = { { 0x1d, "X25519", NULL }, { 0x1e, "X448", NULL }, { 0x17, "EC", "P-256" },
		{ 0x18, "EC", "P-384" }, { 0x19, "EC", "P-521" }, { 0x100, "DH", "ffdhe2048" },
		{ 0x101, "DH", "ffdhe3072" }, { 0x102, "DH", "ffdhe4096" } };
	static struct {
		uint8_t *p;
		size_t n;
	} keys[sizeof(known) / sizeof(*known)];
	size_t at;

	put(out, group, 2);
	at = open_block(out, 2);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].group != group)
			continue;
		if (!keys[i].p) {
			EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, known[i].kind, NULL);
			EVP_PKEY *key = NULL;

			EVP_PKEY_keygen_init(ctx);
			if (known[i].name)
				EVP_PKEY_CTX_set_group_name(ctx, known[i].name);
			EVP_PKEY_generate(ctx, &key);
			keys[i].n = EVP_PKEY_get1_encoded_public_key(key, &keys[i].p);
			EVP_PKEY_free(key);
			EVP_PKEY_CTX_free(ctx);
		}
		for (size_t k = 0; k < keys[i].n; k++)
			put(out, keys[i].p[k], 1);
		close_block(out, at, 2);
		return;
	}
	put(out, 0x01020304, 4);
	close_block(out, at, 2);
}

static void put_shares(struct out *out, const struct list *shares)
{
	size_t at, inner;

	put(out, 51, 2);
	at = open_block(out, 2);
	inner = open_block(out, 2);
	for (size_t i = 0; i < shares->n; i++)
		put_share(out, shares->v[i]);
	close_block(out, inner, 2);
	close_block(out, at, 2);
}

/* One identity, no ticket of anybody, and its binder: RFC 8446 4.2.11. */
static void put_psk(struct out *out)
{
	put(out, 41, 2);
	put(out, 2 + 2 + 8 + 4 + 2 + 1 + 32, 2);
	put(out, 2 + 8 + 4, 2);
	put(out, 8, 2);
	put(out, 0x61626364, 4);
	put(out, 0x61626364, 4);
	put(out, 7, 4);
	put(out, 1 + 32, 2);
	put(out, 32, 1);
	for (int i = 0; i < 32; i++)
		put(out, 0x5a, 1);
}

static void put_exts(struct out *out, const struct recipe *r)
{
	static const struct list modes = { 1, { 1 } }, schemes = { 8,
		{ 0x0401, 0x0501, 0x0403, 0x0503, 0x0804, 0x0807, 0x0808, 0x0809 } };
	size_t at = open_block(out, 2);

	if (r->psk && r->psk_first)
		put_psk(out);
	if (r->grease)
		put_ext(out, 0x1a1a, NULL, 0, 0);
	if (r->sni) {
		put(out, 0x00000009, 4);
		put(out, 0x0007, 2);
		put(out, 0x000004, 3);
		put(out, 0x61626364, 4);
	}
	if (r->has_groups)
		put_ext(out, 10, &r->groups, 2, 2);
	if (r->has_formats)
		put_ext(out, 11, &r->formats, 1, 1);
	if (r->has_sigalgs)
		put_ext(out, 13, &r->sigalgs, 2, 2);
	if (r->ticket)
		put_ext(out, 35, NULL, 0, 0);
	if (r->ems)
		put_ext(out, 23, NULL, 0, 0);
	if (r->twice)
		put_ext(out, r->ems ? 23 : 49, NULL, 0, 0);
	if (r->twice && !r->ems)
		put_ext(out, 49, NULL, 0, 0);
	if (r->reneg) {
		put(out, 0xff010001, 4);
		put(out, 0, 1);
	}
	if (r->has_versions)
		put_ext(out, 43, &r->versions, 1, 2);
	if (r->modes)
		put_ext(out, 45, &modes, 1, 1);
	if (r->cert_sigalgs)
		put_ext(out, 50, &schemes, 2, 2);
	if (r->has_shares)
		put_shares(out, &r->shares);
	if (r->early)
		put_ext(out, 42, NULL, 0, 0);
	if (r->psk && !r->psk_first)
		put_psk(out);
	close_block(out, at, 2);
}

static void bytes_sslv2(struct out *out, const struct recipe *r)
{
	size_t at;

	put(out, 0, 2);
	at = out->n;
	put(out, 1, 1);
	put(out, r->legacy, 2);
	put(out, (uint32_t)(3 * r->ciphers.n), 2);
	put(out, 0x00000010, 4);
	for (size_t i = 0; i < r->ciphers.n; i++)
		put(out, i % 5 == 4 ? 0x010080 : r->ciphers.v[i], 3);
	for (int i = 0; i < 16; i++)
		put(out, 0x33, 1);
	close_block(out, at, 2);
	out->p[0] |= 0x80;
}

static void bytes(struct out *out, const struct recipe *r)
{
	size_t record, message;

	out->n = 0;
	if (r->sslv2) {
		bytes_sslv2(out, r);
		return;
	}
	put(out, 22, 1);
	put(out, r->record, 2);
	record = open_block(out, 2);
	put(out, 1, 1);
	message = open_block(out, 3);
	put(out, r->legacy, 2);
	for (int i = 0; i < 32; i++)
		put(out, 0x42, 1);
	put(out, 0, 1);
	put_list(out, &r->ciphers, 2, 2);
	put_list(out, &r->compression, 1, 1);
	if (!r->no_exts)
		put_exts(out, r);
	close_block(out, message, 3);
	close_block(out, record, 2);
}

/* --- recipes --- */

static const uint16_t pool_ciphers[] = { 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc02b, 0xc02c,
	0xc02f, 0xc030, 0xcca8, 0xcca9, 0xccaa, 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024,
	0xc027, 0xc028, 0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d, 0x009e, 0x009f, 0x0033,
	0x0039, 0x0067, 0x006b, 0x000a, 0x0005, 0x0004, 0x0013, 0x0016, 0x0032, 0x0038, 0x0034,
	0x003a, 0xc018, 0xc019, 0x006c, 0x006d, 0x00a6, 0x00a7, 0xc0ac, 0xc0ad, 0xc09c, 0xc0ae,
	0x0041, 0x0045, 0x0084, 0x0088, 0xc05c, 0xc060, 0x008c, 0x00a8, 0xc035, 0x00ff, 0x00ff,
	0x5600, 0x0a0a, 0xfafa, 0xc001, 0xc025, 0x0096, 0xffff };
static const uint16_t pool_groups[] = { 0x1d, 0x17, 0x18, 0x19, 0x1e, 0x16, 0x1a, 0x1b, 0x1c, 0x14,
	0x15, 0x0d, 0x01, 0x100, 0x101, 0x102, 0x11ec, 0x2a2a, 0x6399, 0xff01 };
static const uint16_t pool_sigalgs[] = { 0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809,
	0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0807, 0x0808, 0x0203, 0x0201, 0x0202, 0x0303,
	0x0301, 0x0302, 0x0402, 0x3a3a, 0x0904, 0x081a, 0x0101 };
static const uint16_t pool_versions[] = { 0x0304, 0x0303, 0x0302, 0x0301, 0x0300, 0x7f1c, 0x4a4a };

#define COUNT(pool) (sizeof(pool) / sizeof(*(pool)))

/* Each of the pool once at most, in a random order: on the average `part` of 16. */
static void some(struct list *list, uint64_t *rng, const uint16_t *pool, size_t cnt, uint32_t part)
{
	list->n = 0;
	for (size_t i = 0; i < cnt; i++) {
		size_t at;

		if (draw(rng, 16) >= part)
			continue;
		at = draw(rng, (uint32_t)list->n + 1);
		memmove(&list->v[at + 1], &list->v[at], (list->n - at) * sizeof(*list->v));
		list->v[at] = pool[i];
		list->n++;
	}
}

static void from_nothing(struct recipe *r, uint64_t *rng)
{
	static const uint16_t legacies[] = { 0x0303, 0x0303, 0x0303, 0x0303, 0x0302, 0x0301, 0x0301,
		0x0304, 0x0300, 0x0305 };

	*r = (struct recipe){ .record = 0x0301,
		.legacy = legacies[draw(rng, COUNT(legacies))],
		.compression = { 1, { 0 } },
		.formats = { 1, { 0 } } };
	some(&r->ciphers, rng, pool_ciphers, COUNT(pool_ciphers), 1 + draw(rng, 10));
	r->has_groups = draw(rng, 10) > 0;
	some(&r->groups, rng, pool_groups, COUNT(pool_groups), 2 + draw(rng, 6));
	r->has_sigalgs = draw(rng, 8) > 0;
	some(&r->sigalgs, rng, pool_sigalgs, COUNT(pool_sigalgs), 2 + draw(rng, 8));
	r->has_versions = draw(rng, 2);
	some(&r->versions, rng, pool_versions, COUNT(pool_versions), 8 + draw(rng, 6));
	r->has_shares = r->has_versions || draw(rng, 8) == 0;
	for (size_t i = 0; i < r->groups.n; i++)
		if (draw(rng, 3) == 0)
			r->shares.v[r->shares.n++] = r->groups.v[i];
	r->has_formats = draw(rng, 2);
	r->sni = draw(rng, 2);
	r->ems = draw(rng, 2);
	r->reneg = draw(rng, 2);
	r->ticket = draw(rng, 2);
	r->modes = r->has_versions && draw(rng, 4) > 0;
	r->grease = draw(rng, 4) == 0;
}

static void copy(struct list *to, const struct et_tls_list *from)
{
	to->n = from->n < COUNT(to->v) ? from->n : COUNT(to->v);
	memcpy(to->v, from->v, to->n * sizeof(*to->v));
}

static bool has_ext(const struct et_tls_profile *profile, uint16_t type)
{
	for (uint16_t i = 0; i < profile->extensions.n; i++)
		if (profile->extensions.v[i] == type)
			return true;
	return false;
}

/* A recipe that gives nearly the hello that was sent. */
static void from_hello(struct recipe *r, const struct et_tls_profile *profile)
{
	*r = (struct recipe){ .record = profile->sslv2 ? 0x0301 : profile->record_version,
		.legacy = profile->legacy_version,
		.no_exts = !profile->has_exts,
		.has_versions = profile->has_versions,
		.has_groups = profile->has_groups,
		.has_sigalgs = profile->has_sigalgs,
		.has_shares = has_ext(profile, 51),
		.has_formats = has_ext(profile, 11),
		.sni = profile->has_sni,
		.ems = has_ext(profile, 23),
		.reneg = has_ext(profile, 0xff01),
		.ticket = has_ext(profile, 35),
		.modes = has_ext(profile, 45),
		.psk = has_ext(profile, 41),
		.cert_sigalgs = has_ext(profile, 50) };
	copy(&r->versions, &profile->versions);
	copy(&r->ciphers, &profile->ciphers);
	copy(&r->groups, &profile->groups);
	copy(&r->sigalgs, &profile->sigalgs);
	copy(&r->shares, &profile->key_shares);
	copy(&r->compression, &profile->compression);
	copy(&r->formats, &profile->point_formats);
	if (profile->sslv2)
		r->compression = (struct list){ 1, { 0 } };
}

/* Takes some out, and moves one to the front. */
static void shake(struct list *list, uint64_t *rng, uint32_t part)
{
	size_t n = 0;
	uint16_t first;

	for (size_t i = 0; i < list->n; i++)
		if (draw(rng, 16) < part)
			list->v[n++] = list->v[i];
	list->n = n ? n : list->n;
	if (list->n < 2)
		return;
	n = draw(rng, (uint32_t)list->n);
	first = list->v[n];
	memmove(&list->v[1], &list->v[0], n * sizeof(*list->v));
	list->v[0] = first;
}

/* What breaks rules, each seldom. */
static void spoil(struct recipe *r, uint64_t *rng)
{
	switch (draw(rng, 20)) {
	case 0: r->compression = (struct list){ 2, { 1, 0 } }; break;
	case 1: r->compression = (struct list){ 1, { 1 } }; break;
	case 2: r->groups.n = 0; break;
	case 3: r->sigalgs.n = 0; break;
	case 4: r->formats.n = 0; break;
	case 5: r->ciphers.n = 0; break;
	case 6: r->twice = true; break;
	case 7: r->psk = r->psk_first = r->modes = true; break;
	case 8: r->psk = true, r->modes = false; break;
	case 9: r->has_sigalgs = false; break;
	case 10: r->has_groups = false; break;
	case 11: r->has_shares = false; break;
	case 12: r->shares.v[0] = 0x1d, r->shares.n = 1; break;
	case 13: r->shares.v[0] = 0x6399, r->shares.n = 1; break;
	case 14: r->shares.n = 0; break;
	case 15: r->cert_sigalgs = true; break;
	case 16: r->no_exts = true; break;
	case 17: r->psk = r->modes = r->early = true; break;
	case 18: r->ciphers.v[r->ciphers.n ? r->ciphers.n - 1 : 0] = 0x5600; break;
	default: r->sslv2 = r->ciphers.n > 0; break;
	}
}

/*
 * OS X 10.8's, for whose broken ECDHE-ECDSA OpenSSL has a workaround in SSL_OP_ALL. It looks for it
 * two bytes too far, so that nothing comes of it: these hellos would show if that changed.
 */
static void safari(struct hellos *hellos, uint16_t legacy)
{
	static struct out out;
	struct recipe r = { .record = 0x0301,
		.legacy = legacy,
		.compression = { 1, { 0 } },
		.ciphers = { 6, { 0x00ff, 0xc024, 0xc009, 0xc00a, 0xc014, 0x002f } },
		.groups = { 3, { 0x17, 0x18, 0x19 } },
		.formats = { 1, { 0 } },
		.sigalgs = { 5, { 0x0501, 0x0401, 0x0201, 0x0403, 0x0203 } },
		.has_groups = true,
		.has_formats = true,
		.has_sigalgs = legacy >= 0x0303,
		.sni = true };

	bytes(&out, &r);
	hellos_add(hellos, "made", out.p, out.n);
	r.ciphers.n = 4;
	bytes(&out, &r);
	hellos_add(hellos, "made", out.p, out.n);
}

void hellos_make(struct hellos *hellos, size_t cnt, uint64_t seed)
{
	static struct out out;
	size_t real = hellos->cnt, want = hellos->cnt + cnt;
	uint64_t rng = seed | 1;

	safari(hellos, 0x0303);
	safari(hellos, 0x0301);
	for (size_t tries = 0; hellos->cnt < want && tries < 4 * cnt; tries++) {
		static struct recipe r;

		if (real > 0 && draw(&rng, 2)) {
			from_hello(&r, &hellos->all[draw(&rng, (uint32_t)real)].profile);
			shake(&r.ciphers, &rng, 6 + draw(&rng, 10));
			shake(&r.groups, &rng, 10);
			shake(&r.sigalgs, &rng, 10);
			if (draw(&rng, 4) == 0)
				r.legacy = (uint16_t)(0x0301 + draw(&rng, 3));
		} else {
			from_nothing(&r, &rng);
		}
		if (draw(&rng, 4) == 0)
			spoil(&r, &rng);
		bytes(&out, &r);
		hellos_add(hellos, "made", out.p, out.n);
	}
}
