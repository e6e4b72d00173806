/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>

/* Hellos and certificates that pairs refer to, with what their rows say. */

/* What a row said of this name, which a map has; NULL if there was no row. */
static const void *find_row(struct et_archive *archive, const struct store *store, const char *name)
{
	uint32_t id;

	if (archive_text(archive, &id, name, strlen(name)) != 0)
		return NULL;
	return store_find(store, &id);
}

int build_hellos(struct et_archive *archive)
{
	const struct et_archive_map *map = &archive->all.maps[ET_ARCHIVE_HELLOS];

	archive->hellos_v = archive_alloc(archive, map->cnt, sizeof(*archive->hellos_v));
	if (!archive->hellos_v)
		return -ENOMEM;
	for (size_t i = 0; i < map->cnt; i++) {
		const struct hello_item *row = find_row(archive, &archive->hellos, map->v[i].name);
		struct et_archive_hello *hello = &archive->hellos_v[i];

		hello->id = map->v[i].name;
		hello->sessions = map->v[i].count;
		archive->totals.hellos_missing += !row;
		if (!row)
			continue;
		hello->ja3 = archive_text_of(archive, row->ja3);
		hello->ja4 = archive_text_of(archive, row->ja4);
		hello->packed = row->packed;
	}
	archive->hellos_cnt = map->cnt;
	return 0;
}

static int put_names(
	struct et_archive *archive, struct et_archive_cert *cert, const struct cert_item *row)
{
	const char **names = archive_alloc(archive, row->names_cnt, sizeof(*names));
	const char *at = archive_text_of(archive, row->names);

	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < row->names_cnt; i++) {
		names[i] = at;
		at += strlen(at) + 1;
	}
	cert->names = names;
	cert->names_cnt = row->names_cnt;
	return 0;
}

static int put_cert(
	struct et_archive *archive, struct et_archive_cert *cert, const struct cert_item *row)
{
	cert->known = true;
	cert->subject = archive_text_of(archive, row->subject);
	cert->issuer = archive_text_of(archive, row->issuer);
	cert->self_signed =
		cert->subject && cert->issuer && strcmp(cert->subject, cert->issuer) == 0;
	cert->key = archive_text_of(archive, row->key);
	cert->bits = row->bits;
	cert->curve = archive_text_of(archive, row->curve);
	cert->sigalg = archive_text_of(archive, row->sigalg);
	cert->not_before = archive_text_of(archive, row->not_before);
	cert->not_after = archive_text_of(archive, row->not_after);
	cert->not_before_ns = row->not_before_ns;
	cert->not_after_ns = row->not_after_ns;
	return row->names_cnt > 0 ? put_names(archive, cert, row) : 0;
}

int build_certs(struct et_archive *archive)
{
	const struct et_archive_map *map = &archive->all.maps[ET_ARCHIVE_CERTS];
	int rc = 0;

	archive->certs_v = archive_alloc(archive, map->cnt, sizeof(*archive->certs_v));
	if (!archive->certs_v)
		return -ENOMEM;
	for (size_t i = 0; i < map->cnt && rc == 0; i++) {
		const struct cert_item *row = find_row(archive, &archive->certs, map->v[i].name);
		struct et_archive_cert *cert = &archive->certs_v[i];

		cert->sha256 = map->v[i].name;
		cert->sessions = map->v[i].count;
		cert->not_before_ns = INT64_MIN;
		cert->not_after_ns = INT64_MAX;
		archive->totals.certs_missing += !row;
		if (row)
			rc = put_cert(archive, cert, row);
	}
	archive->certs_cnt = map->cnt;
	return rc;
}

const struct et_archive_hello *et_archive_hellos(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->hellos_cnt;
	return archive->hellos_v;
}

const struct et_archive_cert *et_archive_certs(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->certs_cnt;
	return archive->certs_v;
}

/* Place of a name in a map, map->cnt if it is not there. */
static size_t place(const struct et_archive_map *map, const char *name)
{
	size_t low = 0, high = map->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(map->v[middle].name, name);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return map->cnt;
}

const struct et_archive_hello *et_archive_hello(const struct et_archive *archive, const char *id)
{
	size_t at = place(&archive->all.maps[ET_ARCHIVE_HELLOS], id);

	return at < archive->hellos_cnt ? &archive->hellos_v[at] : NULL;
}

const struct et_archive_cert *et_archive_cert(const struct et_archive *archive, const char *sha256)
{
	size_t at = place(&archive->all.maps[ET_ARCHIVE_CERTS], sha256);

	return at < archive->certs_cnt ? &archive->certs_v[at] : NULL;
}
