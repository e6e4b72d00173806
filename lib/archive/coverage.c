/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Sensors, the minutes that they cover, and the holes between them. */

static int minute_cmp(const void *a, const void *b)
{
	const struct minute_key *x = a, *y = b;

	if (x->sensor != y->sensor)
		return x->sensor < y->sensor ? -1 : 1;
	return x->minute_ns < y->minute_ns ? -1 : x->minute_ns > y->minute_ns;
}

static int put_holes(struct et_archive *archive, struct et_archive_sensor *sensor)
{
	struct et_archive_hole *holes;
	size_t cnt = 0;

	for (size_t i = 1; i < sensor->minutes_cnt; i++)
		cnt += sensor->minutes[i] - sensor->minutes[i - 1] > ET_NS_PER_MIN;
	holes = archive_alloc(archive, cnt, sizeof(*holes));
	if (!holes)
		return -ENOMEM;
	sensor->holes = holes;
	for (size_t i = 1; i < sensor->minutes_cnt; i++)
		if (sensor->minutes[i] - sensor->minutes[i - 1] > ET_NS_PER_MIN)
			holes[sensor->holes_cnt++] =
				(struct et_archive_hole){ sensor->minutes[i - 1] + ET_NS_PER_MIN,
					sensor->minutes[i] };
	return 0;
}

static int sensor_cmp(const void *a, const void *b)
{
	return strcmp(((const struct et_archive_sensor *)a)->name,
		((const struct et_archive_sensor *)b)->name);
}

/* Drops of sensor number i, and of all under number `sensors`. */
static int put_drops(struct et_archive *archive)
{
	uint32_t sensors = archive->sensors.cnt;
	size_t cnt = 0, at = 0;
	struct tuple *tuples = calloc(2 * (size_t)archive->cells.cnt + 1, sizeof(*tuples));
	const struct et_archive_entry *entries;

	if (!tuples)
		return -ENOMEM;
	for (uint32_t i = 0; i < archive->cells.cnt; i++) {
		const struct cell_item *cell = store_at(&archive->cells, i);
		struct tuple tuple = { .owner = cell->key.owner & ~OWNER_SENSOR,
			.rank = archive->rank_of[cell->key.name],
			.count = cell->count };

		if (!(cell->key.owner & OWNER_SENSOR))
			continue;
		tuples[cnt++] = tuple;
		tuple.owner = sensors;
		tuples[cnt++] = tuple;
	}
	cnt = tuples_join(tuples, cnt);
	entries = tuples_entries(archive, tuples, cnt);
	for (uint32_t i = 0; entries && i < sensors; i++)
		archive->sensors_v[i].capture.drops = tuples_map(entries, tuples, cnt, &at, i, 0);
	if (entries)
		archive->totals.capture.drops = tuples_map(entries, tuples, cnt, &at, sensors, 0);
	free(tuples);
	return entries ? 0 : -ENOMEM;
}

static void put_totals(struct et_archive *archive)
{
	struct et_archive_totals *totals = &archive->totals;

	for (uint32_t i = 0; i < archive->sensors.cnt; i++) {
		const struct et_archive_sensor *sensor = &archive->sensors_v[i];

		if (totals->minutes == 0 || sensor->first_ns < totals->first_ns)
			totals->first_ns = sensor->first_ns;
		if (totals->minutes == 0 || sensor->last_ns > totals->last_ns)
			totals->last_ns = sensor->last_ns;
		totals->minutes += sensor->minutes_cnt;
	}
}

int build_sensors(struct et_archive *archive)
{
	struct store *minutes = &archive->minutes;
	uint32_t cnt = archive->sensors.cnt;
	int64_t *all = archive_alloc(archive, minutes->cnt, sizeof(*all));
	int rc;

	archive->sensors_v = archive_alloc(archive, cnt, sizeof(*archive->sensors_v));
	if (!all || !archive->sensors_v)
		return -ENOMEM;
	if (minutes->cnt > 1)
		qsort(minutes->items, minutes->cnt, minutes->size, minute_cmp);
	for (uint32_t i = 0; i < minutes->cnt; i++) {
		const struct minute_key *key = store_at(minutes, i);
		struct et_archive_sensor *sensor = &archive->sensors_v[key->sensor];

		all[i] = key->minute_ns;
		if (sensor->minutes_cnt++ == 0) {
			sensor->minutes = &all[i];
			sensor->first_ns = key->minute_ns;
		}
		sensor->last_ns = key->minute_ns;
	}
	for (uint32_t i = 0; i < cnt; i++) {
		const struct sensor_item *item = store_at(&archive->sensors, i);

		archive->sensors_v[i].name = archive_text_of(archive, item->name);
		archive->sensors_v[i].capture = item->capture;
		if (put_holes(archive, &archive->sensors_v[i]) != 0)
			return -ENOMEM;
	}
	rc = put_drops(archive);
	if (cnt > 1)
		qsort(archive->sensors_v, cnt, sizeof(*archive->sensors_v), sensor_cmp);
	put_totals(archive);
	return rc;
}

const struct et_archive_sensor *et_archive_sensors(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->sensors.cnt;
	return archive->sensors_v;
}
