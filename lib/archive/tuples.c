/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct tuple *x = a, *y = b;

	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

size_t tuples_join(struct tuple *tuples, size_t cnt)
{
	size_t kept = 0;

	if (cnt > 1)
		qsort(tuples, cnt, sizeof(*tuples), compare);
	for (size_t i = 0; i < cnt; i++) {
		if (kept > 0 && compare(&tuples[kept - 1], &tuples[i]) == 0)
			tuples[kept - 1].count = sum_of(tuples[kept - 1].count, tuples[i].count);
		else
			tuples[kept++] = tuples[i];
	}
	return kept;
}

struct et_archive_entry *tuples_entries(
	struct et_archive *archive, const struct tuple *tuples, size_t cnt)
{
	struct et_archive_entry *entries = archive_alloc(archive, cnt, sizeof(*entries));

	for (size_t i = 0; entries && i < cnt; i++)
		entries[i] = (struct et_archive_entry){ .name = archive_text_of(archive,
								archive->id_of[tuples[i].rank]),
			.count = tuples[i].count };
	return entries;
}

struct et_archive_map tuples_map(const struct et_archive_entry *entries, const struct tuple *tuples,
	size_t cnt, size_t *at, uint32_t owner, uint32_t kind)
{
	struct et_archive_map map = { .v = entries + *at };

	for (; *at < cnt && tuples[*at].owner == owner && tuples[*at].kind == kind; ++*at)
		map.cnt++;
	return map;
}

uint64_t et_archive_count(const struct et_archive_map *map, const char *name)
{
	size_t low = 0, high = map->cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(map->v[middle].name, name);

		if (order == 0)
			return map->v[middle].count;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint64_t et_archive_total(const struct et_archive_map *map)
{
	uint64_t total = 0;

	for (size_t i = 0; i < map->cnt; i++)
		total = sum_of(total, map->v[i].count);
	return total;
}

const char *et_archive_top(const struct et_archive_map *map)
{
	const struct et_archive_entry *best = NULL;

	for (size_t i = 0; i < map->cnt; i++)
		if (!best || map->v[i].count > best->count)
			best = &map->v[i];
	return best ? best->name : NULL;
}
