/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#define TEXTS_MAX   (1u << 28)
#define BYTES_MAX   ((size_t)16 << 30)
#define PAIRS_MAX   (OWNER_SENSOR - 1)
#define CELLS_MAX   (1u << 26)
#define MOMENTS_MAX (1u << 23)
/* More would only come of files that nobody wrote. */
#define SENSORS_MAX (1u << 16)

struct et_archive *et_archive_new(const struct et_archive_options *options)
{
	struct et_archive *archive = calloc(1, sizeof(*archive));

	if (!archive)
		return NULL;
	archive->options = options ? *options
				   : (struct et_archive_options){ .since_ns = INT64_MIN,
					     .until_ns = INT64_MAX };
	if (archive->options.max_cells == 0)
		archive->options.max_cells = CELLS_MAX;
	if (archive->options.max_moments == 0)
		archive->options.max_moments = MOMENTS_MAX;
	store_init(&archive->pairs, sizeof(struct pair_item), sizeof(struct pair_key), PAIRS_MAX);
	store_init(&archive->cells, sizeof(struct cell_item), sizeof(struct cell_key),
		archive->options.max_cells);
	/* The grain is doubled before there is one too many: moments.c */
	store_init(&archive->moments, sizeof(struct moment_item), sizeof(struct moment_key),
		UINT32_MAX);
	store_init(&archive->minutes, sizeof(struct minute_key), sizeof(struct minute_key),
		UINT32_MAX);
	store_init(&archive->sensors, sizeof(struct sensor_item), sizeof(uint32_t), SENSORS_MAX);
	store_init(&archive->hellos, sizeof(struct hello_item), sizeof(uint32_t), UINT32_MAX);
	store_init(&archive->certs, sizeof(struct cert_item), sizeof(uint32_t), UINT32_MAX);
	archive->texts = et_dict_new(TEXTS_MAX, BYTES_MAX);
	archive->profiles = et_dict_new(TEXTS_MAX, BYTES_MAX);
	if (archive->texts && archive->profiles)
		return archive;
	et_archive_free(archive);
	return NULL;
}

void et_archive_free(struct et_archive *archive)
{
	if (!archive)
		return;
	for (size_t i = 0; i < archive->blocks_cnt; i++)
		free(archive->blocks[i]);
	free(archive->blocks);
	store_free(&archive->pairs);
	store_free(&archive->cells);
	store_free(&archive->moments);
	store_free(&archive->minutes);
	store_free(&archive->sensors);
	store_free(&archive->hellos);
	store_free(&archive->certs);
	et_dict_free(archive->texts);
	et_dict_free(archive->profiles);
	free(archive);
}

void archive_warn(
	struct et_archive *archive, const char *name, uint64_t line, const char *format, ...)
{
	char what[512], sentence[1024];
	va_list args;

	if (!archive->options.warn)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (line > 0)
		snprintf(sentence, sizeof(sentence), "%.400s:%llu: %s", name,
			(unsigned long long)line, what);
	else
		snprintf(sentence, sizeof(sentence), "%.400s: %s", name, what);
	archive->options.warn(archive->options.ctx, sentence);
}

/* No text may act on a terminal: JSON can write any control byte, ehlotap writes none. */
int archive_text(struct et_archive *archive, uint32_t *id, const char *text, size_t n)
{
	char plain[TEXT_MAX + 1];

	if (n > TEXT_MAX)
		n = TEXT_MAX;
	for (size_t i = 0; i < n; i++)
		plain[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	plain[n] = '\0';
	*id = et_dict_put(
		archive->texts, NULL, (struct et_view){ .p = (const uint8_t *)plain, .n = n + 1 });
	return *id == ET_DICT_NONE ? -ENOMEM : 0;
}

int archive_cell(
	struct et_archive *archive, uint32_t owner, uint32_t kind, const char *name, uint64_t count)
{
	struct cell_key key = { .owner = owner, .kind = kind };
	struct cell_item *cell;
	void *item;
	int rc;

	if (count == 0)
		return 0;
	rc = archive_text(archive, &key.name, name, strlen(name));
	if (rc != 0)
		return rc;
	rc = store_get(&archive->cells, &item, NULL, &key);
	if (rc == -ENOSPC) {
		archive->totals.refused = sum_of(archive->totals.refused, count);
		return 0;
	}
	if (rc != 0)
		return rc;
	cell = item;
	cell->count = sum_of(cell->count, count);
	return 0;
}

void et_archive_totals(struct et_archive_totals *out, const struct et_archive *archive)
{
	*out = archive->totals;
}

int64_t et_archive_grain(const struct et_archive *archive)
{
	return ET_NS_PER_MIN << archive->grain;
}
