/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <arpa/inet.h>
#include <errno.h>

#define NOT_BELIEVED 1

static const char *const map_names[] = {
#define X(id, name) name,
	ET_ARCHIVE_MAPS(X)
#undef X
};
static_assert(sizeof(map_names) / sizeof(*map_names) == ET_ARCHIVE_MAP_MAX, "one name each");

const char *et_archive_map_name(enum et_archive_map_id id)
{
	return map_names[id];
}

/* Whether it is a map in the row; the others are texts that count the row's sessions. */
static bool is_map(unsigned id)
{
	return id < ET_ARCHIVE_CLIENT_NAMES;
}

/* ---- minute ---- */

static int sensor_number(struct et_archive *archive, uint32_t *number, const char *name)
{
	struct sensor_item *sensor;
	uint32_t id;
	void *item;
	int rc = archive_text(archive, &id, name, strlen(name));

	if (rc != 0)
		return rc;
	rc = store_get(&archive->sensors, &item, NULL, &id);
	if (rc != 0)
		return rc == -ENOSPC ? NOT_BELIEVED : rc;
	sensor = item;
	*number = store_number(&archive->sensors, sensor);
	return 0;
}

/* One count of the capture object; what is missing or null is not known. */
static void add_count(uint64_t *sum, uint64_t *minutes, const json_t *capture, const char *key)
{
	uint64_t count = UINT64_MAX;

	if (!member_count(&count, capture, key) || count == UINT64_MAX)
		return;
	*sum = sum_of(*sum, count);
	++*minutes;
}

static void add_known(struct et_archive_capture *to, const json_t *capture)
{
	const json_t *seconds = json_object_get(capture, "seconds");

#define X(id) add_count(&to->id, &to->minutes_##id, capture, #id);
	ET_ARCHIVE_CAPTURE(X)
#undef X
	if (json_is_number(seconds) && json_number_value(seconds) > 0)
		to->seconds += json_number_value(seconds);
}

static int add_capture(struct et_archive *archive, uint32_t number, const json_t *capture)
{
	struct sensor_item *sensor = store_at(&archive->sensors, number);
	const json_t *drops = json_object_get(capture, "drops"), *value;
	const char *name;

	add_known(&sensor->capture, capture);
	add_known(&archive->totals.capture, capture);
	json_object_foreach((json_t *)(uintptr_t)drops, name, value)
	{
		if (!json_is_integer(value) || json_integer_value(value) <= 0 ||
			strlen(name) > TEXT_MAX)
			continue;
		if (archive_cell(archive, OWNER_SENSOR | number, KIND_DROPS, name,
			    (uint64_t)json_integer_value(value)) != 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_wanted(const struct et_archive *archive, const char *sensor, int64_t minute_ns)
{
	const struct et_archive_options *options = &archive->options;

	return minute_ns >= options->since_ns && minute_ns < options->until_ns &&
	       (!options->sensor || strcmp(options->sensor, sensor) == 0);
}

int row_minute(struct et_archive *archive, struct section *section, const char **why, bool *twice,
	const json_t *row)
{
	const char *sensor = NULL, *minute = NULL;
	struct minute_key key = { 0 };
	size_t n, sensor_n;
	bool added;
	void *item;
	int rc;

	*twice = false;
	*why = "a minute row without a sensor and minute that can be";
	if (!member_text(&sensor, &sensor_n, row, "sensor") || !sensor ||
		strlen(sensor) != sensor_n || !et_stats_sensor_ok(sensor) ||
		!member_text(&minute, &n, row, "minute") || !minute ||
		!time_parse(&key.minute_ns, minute) ||
		et_time_minute(key.minute_ns) != key.minute_ns)
		return NOT_BELIEVED;
	section->open = true;
	section->minute_ns = key.minute_ns;
	memcpy(section->sensor_name, sensor, sensor_n + 1);
	if (!is_wanted(archive, sensor, key.minute_ns)) {
		archive->totals.outside++;
		return 0;
	}
	rc = sensor_number(archive, &section->sensor, sensor);
	if (rc != 0)
		return rc;
	key.sensor = section->sensor;
	rc = store_get(&archive->minutes, &item, &added, &key);
	if (rc != 0)
		return -ENOMEM;
	*twice = !added;
	if (!added) {
		archive->totals.twice++;
		return 0;
	}
	section->taken = true;
	return add_capture(archive, section->sensor, json_object_get(row, "capture"));
}

/* ---- peer ---- */

static bool address(struct et_addr *out, const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));
	uint8_t v4[4];

	if (!text)
		return false;
	if (inet_pton(AF_INET, text, v4) == 1) {
		*out = et_addr_v4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, out->b) == 1;
}

static bool service(uint32_t *out, const json_t *row)
{
	const json_t *value = json_object_get(row, "service");
	const char *text = json_string_value(value);

	*out = ET_SERVICE_NONE;
	if (!value || json_is_null(value))
		return true;
	for (uint32_t i = 0; text && i < ET_SERVICE_MAX; i++) {
		const char *name = et_service_name((enum et_service)i);

		if (name && strcmp(name, text) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

/* All of the row is judged before any of it is added: a row counts as a whole or not at all. */
static bool maps_are_sound(const json_t *row)
{
	for (unsigned i = 0; i < ET_ARCHIVE_MAP_MAX; i++) {
		const json_t *map = json_object_get(row, map_names[i]), *value;
		const char *text = NULL, *name;
		size_t n = 0;

		if (!map || json_is_null(map))
			continue;
		if (!is_map(i)) {
			if (!member_text(&text, &n, row, map_names[i]) || strlen(text) != n)
				return false;
			continue;
		}
		if (!json_is_object(map))
			return false;
		json_object_foreach((json_t *)(uintptr_t)map, name,
			value) if (!json_is_integer(value) || json_integer_value(value) < 0 ||
				   strlen(name) > TEXT_MAX) return false;
	}
	return true;
}

static int add_maps(struct et_archive *archive, uint32_t pair, uint64_t sessions, const json_t *row)
{
	int rc = 0;

	for (unsigned i = 0; i < ET_ARCHIVE_MAP_MAX && rc == 0; i++) {
		const json_t *map = json_object_get(row, map_names[i]), *value;
		const char *name;

		if (json_is_string(map))
			rc = archive_cell(archive, pair, i, json_string_value(map), sessions);
		if (!json_is_object(map))
			continue;
		json_object_foreach((json_t *)(uintptr_t)map, name, value)
		{
			rc = archive_cell(
				archive, pair, i, name, (uint64_t)json_integer_value(value));
			if (rc != 0)
				break;
		}
	}
	return rc;
}

static int add_moment(struct et_archive *archive, uint32_t pair, int64_t minute_ns,
	const uint64_t counts[static ET_PEER_COUNT_MAX])
{
	const uint64_t values[MOMENT_MAX] = {
		[MOMENT_SESSIONS] = counts[ET_PEER_SESSIONS],
		[MOMENT_ESTABLISHED] = counts[ET_PEER_TLS_ESTABLISHED],
		[MOMENT_FAILED] = sum_of(counts[ET_PEER_TLS_FAILED], counts[ET_PEER_TLS_BROKEN]),
		[MOMENT_REFUSED] = counts[ET_PEER_STARTTLS_REFUSED],
		[MOMENT_CLEAR] = counts[ET_PEER_CLEAR_SESSIONS],
		[MOMENT_FALLBACKS] = counts[ET_PEER_FALLBACKS],
	};

	return archive_moment(archive, pair, minute_ns, values);
}

static void add_counts(struct pair_item *pair, const struct section *section,
	const uint64_t counts[static ET_PEER_COUNT_MAX], bool has_maps)
{
	for (unsigned i = 0; i < ET_PEER_COUNT_MAX; i++)
		pair->counts[i] = sum_of(pair->counts[i], counts[i]);
	if (pair->rows == 0 || section->minute_ns < pair->first_ns)
		pair->first_ns = section->minute_ns;
	if (pair->rows == 0 || section->minute_ns > pair->last_ns)
		pair->last_ns = section->minute_ns;
	pair->rows++;
	if (!has_maps)
		pair->sessions_without_maps =
			sum_of(pair->sessions_without_maps, counts[ET_PEER_SESSIONS]);
}

int row_peer(struct et_archive *archive, const struct section *section, const char **why,
	const json_t *row)
{
	uint64_t counts[ET_PEER_COUNT_MAX] = { 0 };
	struct pair_key key = { 0 };
	struct pair_item *pair;
	uint32_t number;
	void *item;
	int rc;

	*why = "a peer row without client, server and service that can be";
	if (!address(&key.client, row, "client") || !address(&key.server, row, "server") ||
		!service(&key.service, row))
		return NOT_BELIEVED;
	*why = "a peer row with a count or map that cannot be";
	for (unsigned i = 0; i < ET_PEER_COUNT_MAX; i++)
		if (!member_count(&counts[i], row, et_peer_count_name((enum et_peer_count)i)))
			return NOT_BELIEVED;
	if (!maps_are_sound(row))
		return NOT_BELIEVED;
	rc = store_get(&archive->pairs, &item, NULL, &key);
	if (rc == -ENOSPC) {
		archive->totals.refused = sum_of(archive->totals.refused, counts[0]);
		return 0;
	}
	if (rc != 0)
		return rc;
	pair = item;
	add_counts(pair, section, counts, json_object_get(row, "failures"));
	number = store_number(&archive->pairs, pair);
	rc = add_moment(archive, number, section->minute_ns, counts);
	return rc == 0 ? add_maps(archive, number, counts[ET_PEER_SESSIONS], row) : rc;
}
