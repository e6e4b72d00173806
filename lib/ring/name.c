/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "ehlotap."
#define DIGITS 16

void et_ring_name(char out[static ET_RING_NAME], const struct et_ring_id *id)
{
	snprintf(out, ET_RING_NAME, PREFIX "%.*s.%016" PRIx64 ".%" PRIu32, ET_RING_SENSOR - 1,
		id->sensor, id->generation, id->worker);
}

void ring_shm_name(char out[static RING_SHM_NAME], const struct et_ring_id *id)
{
	out[0] = '/';
	et_ring_name(out + 1, id);
}

static bool sensor_ok(const char *sensor, size_t n)
{
	if (n == 0 || n >= ET_RING_SENSOR || sensor[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = sensor[i];

		/* not isalnum(): what a name is does not depend on the locale */
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool ring_sensor_ok(const char *sensor)
{
	return sensor_ok(sensor, strnlen(sensor, ET_RING_SENSOR));
}

bool ring_id_ok(const struct et_ring_id *id)
{
	return ring_sensor_ok(id->sensor);
}

/* The one spelling that et_ring_name uses: all digits, lower case. */
static bool parse_generation(uint64_t *out, const char *text)
{
	*out = 0;
	for (size_t i = 0; i < DIGITS; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* Decimal without leading zeros. */
static bool parse_worker(uint32_t *out, const char *text)
{
	uint64_t value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

bool et_ring_parse_name(struct et_ring_id *id, const char *text)
{
	size_t len = strnlen(text, ET_RING_NAME), sensor_len;
	struct et_ring_id found = { 0 };
	const char *dot;

	if (len >= ET_RING_NAME || strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	text += strlen(PREFIX);
	/* From behind: a sensor's name may have dots. */
	dot = strrchr(text, '.');
	if (!dot || !parse_worker(&found.worker, dot + 1) || dot - text < DIGITS + 1)
		return false;
	sensor_len = (size_t)(dot - text) - (DIGITS + 1);
	if (text[sensor_len] != '.' ||
		!parse_generation(&found.generation, text + sensor_len + 1) ||
		!sensor_ok(text, sensor_len))
		return false;
	memcpy(found.sensor, text, sensor_len);
	*id = found;
	return true;
}
