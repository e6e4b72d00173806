/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <ctype.h>
#include <errno.h>

#include "et_iana.h"

/* Rows of ClientHello profiles, back into what lib/tls makes of the wire. */

#define EXT_SERVER_NAME 0x0000
#define EXT_GROUPS      0x000a
#define EXT_SIGALGS     0x000d
#define EXT_VERSIONS    0x002b

static bool hex(uint32_t *out, const char *text, size_t n)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isxdigit(c))
			return false;
		*out = *out << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n > 0;
}

/* Appends a list of numbers of so many digits; a key that is not there is an empty list. */
static bool add_list(struct et_tls_list *out, const json_t *row, const char *key, size_t width)
{
	const json_t *array = json_object_get(row, key), *value;
	size_t i;

	if (array && !json_is_array(array))
		return false;
	json_array_foreach(array, i, value)
	{
		uint32_t number;

		if (!json_is_string(value) || json_string_length(value) != width ||
			!hex(&number, json_string_value(value), width) || out->n == ET_TLS_LIST)
			return false;
		out->v[out->n++] = (uint16_t)number;
	}
	return true;
}

/* Suites of four digits, and kinds of SSLv2 of six. */
static bool add_ciphers(struct et_tls_profile *out, const json_t *row)
{
	const json_t *array = json_object_get(row, "ciphers"), *value;
	size_t i;

	if (!json_is_array(array))
		return false;
	json_array_foreach(array, i, value)
	{
		size_t n = json_string_length(value);
		uint32_t number;

		if (!json_is_string(value) || !hex(&number, json_string_value(value), n))
			return false;
		if (n == 4 && out->ciphers.n < ET_TLS_LIST)
			out->ciphers.v[out->ciphers.n++] = (uint16_t)number;
		else if (n == 6 && out->kinds_n < ET_TLS_KINDS)
			out->kinds[out->kinds_n++] = number;
		else
			return false;
	}
	return true;
}

static bool version_or_null(uint16_t *out, const json_t *value)
{
	*out = 0;
	if (!value || json_is_null(value))
		return true;
	return json_is_string(value) && et_archive_version_id(out, json_string_value(value));
}

static bool add_versions(struct et_tls_profile *out, const json_t *row)
{
	const json_t *array = json_object_get(row, "versions"), *value;
	size_t i;

	if (!json_is_array(array))
		return false;
	if (!out->has_versions) /* then it repeats legacy_version */
		return true;
	json_array_foreach(array, i, value)
	{
		if (out->versions.n == ET_TLS_LIST ||
			!version_or_null(&out->versions.v[out->versions.n], value))
			return false;
		out->versions.n++;
	}
	return true;
}

/* The bytes of a safe text: et_text_safe turned back. */
static size_t unsafe(uint8_t *out, size_t cap, const char *text, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n && len < cap; len++) {
		uint32_t byte;

		if (n - i >= 4 && text[i] == '\\' && text[i + 1] == 'x' &&
			hex(&byte, text + i + 2, 2)) {
			out[len] = (uint8_t)byte;
			i += 4;
		} else {
			out[len] = (uint8_t)text[i++];
		}
	}
	return len;
}

static bool add_alpn(struct et_tls_profile *out, const json_t *row)
{
	const json_t *array = json_object_get(row, "alpn"), *value;
	size_t i;

	if (array && !json_is_array(array))
		return false;
	json_array_foreach(array, i, value)
	{
		uint8_t name[256];
		size_t n;

		if (!json_is_string(value))
			return false;
		n = unsafe(name, sizeof(name), json_string_value(value), json_string_length(value));
		if (n > UINT8_MAX || out->alpn_n + 1 + n > sizeof(out->alpn))
			return false;
		out->alpn[out->alpn_n++] = (uint8_t)n;
		memcpy(out->alpn + out->alpn_n, name, n);
		out->alpn_n = (uint16_t)(out->alpn_n + n);
	}
	return true;
}

static bool fill(struct et_tls_profile *out, const json_t *row)
{
	memset(out, 0, sizeof(*out));
	if (!version_or_null(&out->record_version, json_object_get(row, "record_version")) ||
		!version_or_null(&out->legacy_version, json_object_get(row, "legacy_version")) ||
		!add_list(&out->extensions, row, "extensions", 4))
		return false;
	out->sslv2 = out->record_version == ET_SSLV2;
	out->has_exts = out->extensions.n > 0;
	out->has_sni = et_archive_has_extension(out, EXT_SERVER_NAME);
	out->has_groups = et_archive_has_extension(out, EXT_GROUPS);
	out->has_sigalgs = et_archive_has_extension(out, EXT_SIGALGS);
	out->has_versions = et_archive_has_extension(out, EXT_VERSIONS);
	return add_versions(out, row) && add_ciphers(out, row) &&
	       add_list(&out->ciphers, row, "signals", 4) &&
	       add_list(&out->groups, row, "groups", 4) &&
	       add_list(&out->sigalgs, row, "sigalgs", 4) &&
	       add_list(&out->key_shares, row, "key_shares", 4) &&
	       add_list(&out->compression, row, "compression", 2) &&
	       add_list(&out->point_formats, row, "point_formats", 2) && add_alpn(out, row);
}

static int text_member(
	struct et_archive *archive, uint32_t *id, bool *sound, const json_t *row, const char *key)
{
	const char *text = NULL;
	size_t n = 0;

	if (!member_text(&text, &n, row, key))
		*sound = false;
	return text ? archive_text(archive, id, text, n) : 0;
}

int row_hello(struct et_archive *archive, const char **why, const json_t *row)
{
	struct et_tls_profile profile;
	uint8_t packed[ET_TLS_PROFILE_MAX];
	struct et_view bytes = { .p = packed };
	struct hello_item new = { 0 }, *hello;
	bool sound = true;
	void *item;
	int rc = 0;

	*why = "a hello row that contradicts itself";
	if (!fill(&profile, row))
		return 1;
	rc |= text_member(archive, &new.id, &sound, row, "id");
	rc |= text_member(archive, &new.ja3, &sound, row, "ja3");
	rc |= text_member(archive, &new.ja4, &sound, row, "ja4");
	if (rc != 0)
		return -ENOMEM;
	if (!sound || new.id == ET_DICT_NONE)
		return 1;
	if (store_get(&archive->hellos, &item, NULL, &new.id) != 0)
		return -ENOMEM;
	hello = item;
	new.whole = json_object_get(row, "signals") != NULL;
	/* the same id is the same profile; a row of an older ehlotap says less of it */
	if (hello->packed != ET_DICT_NONE && (hello->whole || !new.whole))
		return 0;
	bytes.n = et_tls_profile_pack(packed, sizeof(packed), &profile);
	if (bytes.n == 0)
		return 1;
	new.packed = et_dict_put(archive->profiles, NULL, bytes);
	if (new.packed == ET_DICT_NONE)
		return -ENOMEM;
	*hello = new;
	return 0;
}

bool et_archive_has_extension(const struct et_tls_profile *profile, uint16_t type)
{
	for (size_t i = 0; i < profile->extensions.n; i++)
		if (profile->extensions.v[i] == type)
			return true;
	return false;
}

bool et_archive_profile(struct et_tls_profile *out, const struct et_archive *archive,
	const struct et_archive_hello *hello)
{
	if (hello && hello->packed != ET_DICT_NONE &&
		et_tls_profile_decode(out, et_dict_get(archive->profiles, hello->packed)))
		return true;
	memset(out, 0, sizeof(*out));
	return false;
}
