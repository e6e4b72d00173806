/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"
#include "et_iana.h"

#include <string.h>

/*
 * Canonical bytes of a ClientHello profile, all numbers in network byte order:
 *
 *   'h' 1 flags(1) record_version(2) legacy_version(2)
 *   count(2) then that many entries, for each of
 *     versions, ciphers, groups, sigalgs, key_shares, extensions   two bytes an entry
 *     compression, point_formats, alpn                             one byte
 *     kinds                                                        three bytes
 *
 * and of a ServerHello: 's' 1 legacy_version(2) cipher(2) count(2) extensions.
 */
#define MAGIC_HELLO  'h'
#define MAGIC_SERVER 's'
#define FORMAT       1

enum flag {
	FLAG_SSLV2 = 1 << 0,
	FLAG_SNI = 1 << 1,
	FLAG_GROUPS = 1 << 2,
	FLAG_SIGALGS = 1 << 3,
	FLAG_VERSIONS = 1 << 4,
	FLAG_EXTS = 1 << 5,
	FLAG_ALL = (1 << 6) - 1,
};

struct writer {
	uint8_t *p;
	size_t n, cap;
	bool full;
};

static void put(struct writer *w, uint32_t value, size_t bytes)
{
	if (bytes > w->cap - w->n) {
		w->full = true;
		return;
	}
	while (bytes-- > 0)
		w->p[w->n++] = (uint8_t)(value >> 8 * bytes);
}

/* A list is written behind its count, which is known at its end. */
struct counted {
	size_t at;
	uint32_t n;
};

static struct counted list_begin(struct writer *w)
{
	struct counted list = { .at = w->n };

	put(w, 0, 2);
	return list;
}

static void list_end(struct writer *w, struct counted list)
{
	if (w->full)
		return;
	w->p[list.at] = (uint8_t)(list.n >> 8);
	w->p[list.at + 1] = (uint8_t)list.n;
}

static void list_add(struct writer *w, struct counted *list, uint16_t value)
{
	/* the mask spares most values the call */
	if (list->n == ET_TLS_LIST || ((value & 0x0f0f) == 0x0a0a && et_iana_is_grease(value)))
		return;
	if (w->cap - w->n < 2) {
		w->full = true;
		return;
	}
	w->p[w->n] = (uint8_t)(value >> 8);
	w->p[w->n + 1] = (uint8_t)value;
	w->n += 2;
	list->n++;
}

/* The bytes of a vector as 16-bit numbers; this is most of the work on a hello. */
static void put_values(struct writer *w, struct et_view view)
{
	struct counted list = list_begin(w);

	for (size_t i = 0; i + 1 < view.n; i += 2)
		list_add(w, &list, (uint16_t)(view.p[i] << 8 | view.p[i + 1]));
	list_end(w, list);
}

/* A vector of (number, block): of it, the numbers. */
static void put_numbers(struct writer *w, struct et_view view)
{
	struct et_cur cur = et_cur_view(view);
	struct counted list = list_begin(w);

	while (cur.n > 0) {
		list_add(w, &list, et_u16(&cur));
		et_block(&cur, 2);
	}
	list_end(w, list);
}

static void put_bytes(struct writer *w, struct et_view view)
{
	put(w, (uint32_t)view.n, 2);
	for (size_t i = 0; i < view.n; i++)
		put(w, view.p[i], 1);
}

/* Names as long as they fit; those of GREASE are two equal bytes: RFC 8701 3.1. */
static void put_alpn(struct writer *w, struct et_view view)
{
	struct et_cur cur = et_cur_view(view);
	struct counted list = list_begin(w);

	while (cur.n > 0) {
		struct et_cur name = et_block(&cur, 1);

		if (name.n == 2 && et_iana_is_grease((uint16_t)(name.p[0] << 8 | name.p[1])))
			continue;
		if (list.n + 1 + name.n > sizeof(((struct et_tls_profile *)0)->alpn))
			break;
		put(w, (uint32_t)name.n, 1);
		for (size_t i = 0; i < name.n; i++)
			put(w, name.p[i], 1);
		list.n += 1 + (uint32_t)name.n;
	}
	list_end(w, list);
}

/* SSLv2 format: three bytes a cipher, a zero byte before those of SSLv3 and later. */
static void put_sslv2_suites(struct writer *w, struct et_view view)
{
	struct et_cur cur = et_cur_view(view);
	struct counted list = list_begin(w);

	while (cur.n > 0) {
		uint32_t kind = (uint32_t)et_be(&cur, 3);

		if (kind <= UINT16_MAX)
			list_add(w, &list, (uint16_t)kind);
	}
	list_end(w, list);
}

static void put_kinds(struct writer *w, struct et_view view)
{
	struct et_cur cur = et_cur_view(view);
	struct counted list = list_begin(w);

	while (cur.n > 0) {
		uint32_t kind = (uint32_t)et_be(&cur, 3);

		if (kind <= UINT16_MAX || list.n == ET_TLS_KINDS)
			continue;
		put(w, kind, 3);
		list.n++;
	}
	list_end(w, list);
}

size_t et_tls_profile_encode(uint8_t *out, size_t cap, const struct et_tls_hello *hello)
{
	const struct et_view none = { 0 };
	struct writer w = { .p = out, .cap = cap };
	uint32_t flags =
		(hello->sslv2 ? FLAG_SSLV2 : 0u) | (hello->has_sni ? FLAG_SNI : 0u) |
		(hello->has_groups ? FLAG_GROUPS : 0u) | (hello->has_sigalgs ? FLAG_SIGALGS : 0u) |
		(hello->has_versions ? FLAG_VERSIONS : 0u) | (hello->has_exts ? FLAG_EXTS : 0u);

	put(&w, MAGIC_HELLO, 1);
	put(&w, FORMAT, 1);
	put(&w, flags, 1);
	put(&w, hello->record_version, 2);
	put(&w, hello->version, 2);
	put_values(&w, hello->versions);
	if (hello->sslv2)
		put_sslv2_suites(&w, hello->suites);
	else
		put_values(&w, hello->suites);
	put_values(&w, hello->groups);
	put_values(&w, hello->sigalgs);
	put_numbers(&w, hello->key_shares);
	put_numbers(&w, hello->exts);
	put_bytes(&w, hello->compression);
	put_bytes(&w, hello->point_formats);
	put_alpn(&w, hello->alpn);
	put_kinds(&w, hello->sslv2 ? hello->suites : none);
	return w.full ? 0 : w.n;
}

static void put_list(struct writer *w, const struct et_tls_list *list, size_t bytes)
{
	put(w, list->n, 2);
	for (size_t i = 0; i < list->n; i++)
		put(w, list->v[i], bytes);
}

size_t et_tls_profile_pack(uint8_t *out, size_t cap, const struct et_tls_profile *profile)
{
	struct writer w = { .p = out, .cap = cap };
	uint32_t flags = (profile->sslv2 ? FLAG_SSLV2 : 0u) | (profile->has_sni ? FLAG_SNI : 0u) |
			 (profile->has_groups ? FLAG_GROUPS : 0u) |
			 (profile->has_sigalgs ? FLAG_SIGALGS : 0u) |
			 (profile->has_versions ? FLAG_VERSIONS : 0u) |
			 (profile->has_exts ? FLAG_EXTS : 0u);

	put(&w, MAGIC_HELLO, 1);
	put(&w, FORMAT, 1);
	put(&w, flags, 1);
	put(&w, profile->record_version, 2);
	put(&w, profile->legacy_version, 2);
	put_list(&w, &profile->versions, 2);
	put_list(&w, &profile->ciphers, 2);
	put_list(&w, &profile->groups, 2);
	put_list(&w, &profile->sigalgs, 2);
	put_list(&w, &profile->key_shares, 2);
	put_list(&w, &profile->extensions, 2);
	put_list(&w, &profile->compression, 1);
	put_list(&w, &profile->point_formats, 1);
	put_bytes(&w, (struct et_view){ profile->alpn, profile->alpn_n });
	put(&w, profile->kinds_n, 2);
	for (size_t i = 0; i < profile->kinds_n; i++)
		put(&w, profile->kinds[i], 3);
	return w.full ? 0 : w.n;
}

static void get_list(struct et_tls_list *out, struct et_cur *cur, size_t size)
{
	uint16_t n = et_u16(cur);

	if (n > ET_TLS_LIST || n * size > cur->n) {
		cur->bad = true;
		return;
	}
	for (out->n = 0; out->n < n; out->n++)
		out->v[out->n] = (uint16_t)et_be(cur, size);
}

static void get_alpn(struct et_tls_profile *out, struct et_cur *cur)
{
	struct et_cur names = et_block(cur, 2);

	if (names.n > sizeof(out->alpn)) {
		cur->bad = true;
		return;
	}
	out->alpn_n = (uint16_t)names.n;
	if (names.n)
		memcpy(out->alpn, names.p, names.n);
	while (names.n > 0)
		et_block(&names, 1);
	cur->bad |= names.bad;
}

static void get_kinds(struct et_tls_profile *out, struct et_cur *cur)
{
	uint16_t n = et_u16(cur);

	if (n > ET_TLS_KINDS) {
		cur->bad = true;
		return;
	}
	for (out->kinds_n = 0; out->kinds_n < n; out->kinds_n++)
		out->kinds[out->kinds_n] = (uint32_t)et_be(cur, 3);
}

bool et_tls_profile_decode(struct et_tls_profile *out, struct et_view bytes)
{
	struct et_cur cur = et_cur_view(bytes);
	uint8_t flags;

	memset(out, 0, sizeof(*out));
	if (et_u8(&cur) != MAGIC_HELLO || et_u8(&cur) != FORMAT)
		return false;
	flags = et_u8(&cur);
	out->sslv2 = flags & FLAG_SSLV2;
	out->has_sni = flags & FLAG_SNI;
	out->has_groups = flags & FLAG_GROUPS;
	out->has_sigalgs = flags & FLAG_SIGALGS;
	out->has_versions = flags & FLAG_VERSIONS;
	out->has_exts = flags & FLAG_EXTS;
	out->record_version = et_u16(&cur);
	out->legacy_version = et_u16(&cur);
	get_list(&out->versions, &cur, 2);
	get_list(&out->ciphers, &cur, 2);
	get_list(&out->groups, &cur, 2);
	get_list(&out->sigalgs, &cur, 2);
	get_list(&out->key_shares, &cur, 2);
	get_list(&out->extensions, &cur, 2);
	get_list(&out->compression, &cur, 1);
	get_list(&out->point_formats, &cur, 1);
	get_alpn(out, &cur);
	get_kinds(out, &cur);
	return et_ok(&cur) && cur.n == 0 && !(flags & ~FLAG_ALL);
}

bool et_tls_profile_is_cipher(uint16_t id)
{
	return !et_iana_is_grease(id) && !et_iana_is_scsv(id);
}

size_t et_tls_server_hello_encode(
	uint8_t *out, size_t cap, uint16_t legacy_version, uint16_t cipher, struct et_view exts)
{
	struct writer w = { .p = out, .cap = cap };

	put(&w, MAGIC_SERVER, 1);
	put(&w, FORMAT, 1);
	put(&w, legacy_version, 2);
	put(&w, cipher, 2);
	put_numbers(&w, exts);
	return w.full ? 0 : w.n;
}

bool et_tls_server_hello_decode(struct et_tls_server_profile *out, struct et_view bytes)
{
	struct et_cur cur = et_cur_view(bytes);

	memset(out, 0, sizeof(*out));
	if (et_u8(&cur) != MAGIC_SERVER || et_u8(&cur) != FORMAT)
		return false;
	out->legacy_version = et_u16(&cur);
	out->cipher = et_u16(&cur);
	get_list(&out->extensions, &cur, 2);
	return et_ok(&cur) && cur.n == 0;
}
