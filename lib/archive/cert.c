/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>

/* Rows of leaf certificates. */

/* All names in one text, each with its NUL. */
static int add_names(struct et_archive *archive, struct cert_item *cert, const json_t *row)
{
	const json_t *array = json_object_get(row, "names"), *value;
	char all[ET_CERT_NAMES * ET_CERT_TEXT];
	size_t i, n = 0;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return 1;
	json_array_foreach(array, i, value)
	{
		size_t len = json_string_length(value);

		if (!json_is_string(value) || len == 0 || len >= ET_CERT_TEXT)
			return 1;
		if (cert->names_cnt == ET_CERT_NAMES)
			break;
		for (size_t c = 0; c < len; c++) {
			unsigned char byte = (unsigned char)json_string_value(value)[c];

			all[n++] = byte < 0x20 || byte == 0x7f ? '?' : (char)byte;
		}
		all[n++] = '\0';
		cert->names_cnt++;
	}
	if (n == 0)
		return 0;
	cert->names = et_dict_put(
		archive->texts, NULL, (struct et_view){ .p = (const uint8_t *)all, .n = n });
	return cert->names == ET_DICT_NONE ? -ENOMEM : 0;
}

/* Years beyond those that 64 bits hold in nanoseconds are clamped, as in et_cert. */
static int64_t time_or(const char *text, int64_t unknown_ns)
{
	int64_t ns;

	if (!text)
		return unknown_ns;
	if (time_parse(&ns, text))
		return ns;
	/* "0001-..." to "1969-...", "2200-..." to "9999-..." */
	if (strspn(text, "0123456789") == 4)
		return strncmp(text, "1970", 4) < 0 ? INT64_MIN : INT64_MAX;
	return unknown_ns;
}

static int add_texts(struct et_archive *archive, struct cert_item *cert, const json_t *row)
{
	const struct {
		const char *key;
		uint32_t *id;
	} texts[] = { { "sha256", &cert->sha256 }, { "subject", &cert->subject },
		{ "issuer", &cert->issuer }, { "key", &cert->key }, { "curve", &cert->curve },
		{ "sigalg", &cert->sigalg }, { "not_before", &cert->not_before },
		{ "not_after", &cert->not_after } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		const char *text = NULL;
		size_t n = 0;

		if (!member_text(&text, &n, row, texts[i].key))
			return 1;
		if (text && archive_text(archive, texts[i].id, text, n) != 0)
			return -ENOMEM;
	}
	return cert->sha256 == ET_DICT_NONE ? 1 : 0;
}

int row_cert(struct et_archive *archive, const char **why, const json_t *row)
{
	struct cert_item new = { 0 };
	uint64_t bits = 0;
	bool added;
	void *item;
	int rc;

	*why = "a cert row that contradicts itself";
	if (!member_count(&bits, row, "bits") || bits > UINT32_MAX)
		return 1;
	rc = add_texts(archive, &new, row);
	if (rc == 0)
		rc = add_names(archive, &new, row);
	if (rc != 0)
		return rc;
	new.bits = (uint32_t)bits;
	new.not_before_ns =
		time_or(json_string_value(json_object_get(row, "not_before")), INT64_MIN);
	new.not_after_ns = time_or(json_string_value(json_object_get(row, "not_after")), INT64_MAX);
	if (store_get(&archive->certs, &item, &added, &new.sha256) != 0)
		return -ENOMEM;
	if (added) /* the same digest is the same certificate */
		memcpy(item, &new, sizeof(new));
	return 0;
}

void et_archive_cert_key(char out[static ET_ARCHIVE_KEY], const struct et_archive_cert *cert)
{
	if (!cert->key || strchr(cert->key, ' '))
		snprintf(out, ET_ARCHIVE_KEY, "-");
	else if (cert->curve)
		snprintf(out, ET_ARCHIVE_KEY, "%.20s-%.40s", cert->key, cert->curve);
	else if (cert->bits == 0 || strncmp(cert->key, "ed", 2) == 0)
		snprintf(out, ET_ARCHIVE_KEY, "%.40s", cert->key);
	else
		snprintf(out, ET_ARCHIVE_KEY, "%.40s-%u", cert->key, cert->bits);
}
