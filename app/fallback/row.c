/* SPDX-License-Identifier: BSD-3-Clause */
#include "row.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Longer ones are not ours. */
#define TEXT_MAX 1024
/* A hundred years: more is no delay. */
#define SECONDS_MAX 3.2e9

static bool read_addr(struct et_addr *out, const json_t *value)
{
	const char *text = json_string_value(value);
	uint8_t v4[4];

	if (!text)
		return false;
	if (inet_pton(AF_INET, text, v4) == 1) {
		*out = et_addr_v4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, out->b) == 1;
}

static bool read_service(uint8_t *out, const json_t *value)
{
	const char *text = json_string_value(value);

	for (unsigned i = 0; text && i < ET_SERVICE_MAX; i++) {
		const char *name = et_service_name((enum et_service)i);

		if (name && strcmp(name, text) == 0) {
			*out = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool read_how(uint8_t *out, const json_t *value)
{
	const char *text = json_string_value(value);

	for (unsigned i = 0; text && i < ET_STORY_HOW_MAX; i++)
		if (strcmp(et_story_how_name((enum et_story_how)i), text) == 0) {
			*out = (uint8_t)i;
			return true;
		}
	return false;
}

/* "2026-11-22T10:31:07.123456Z" */
static bool read_time(int64_t *out_ns, const json_t *value)
{
	const char *text = json_string_value(value), *end;
	struct tm tm = { 0 };
	int64_t us = 0;
	int digits = 0;

	if (!text || !(end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm)) || tm.tm_year > 300)
		return false;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9' && digits < 6; end++, digits++)
			us = us * 10 + (*end - '0');
		for (; digits < 6; digits++)
			us *= 10;
	}
	*out_ns = (int64_t)timegm(&tm) * ET_NS_PER_S + us * ET_NS_PER_US;
	return strcmp(end, "Z") == 0 && tm.tm_year >= 0;
}

static bool read_count(uint32_t *out, const json_t *value)
{
	json_int_t count = json_integer_value(value);

	*out = (uint32_t)count;
	return json_is_integer(value) && count > 0 && count <= UINT32_MAX;
}

static bool read_seconds(int64_t *out_ns, const json_t *value)
{
	double seconds = json_number_value(value);

	if (!json_is_number(value) || !(seconds >= 0 && seconds < SECONDS_MAX))
		return false;
	*out_ns = (int64_t)llround(seconds * 1e6) * ET_NS_PER_US;
	return true;
}

/* The id of a text with its NUL, 0 for null. */
static bool read_text(uint32_t *out, struct et_dict *texts, const char *text)
{
	*out = 0;
	if (!text || !*text)
		return true;
	if (strlen(text) > TEXT_MAX)
		return false;
	*out = et_dict_put(
		texts, NULL, (struct et_view){ (const uint8_t *)text, strlen(text) + 1 });
	return *out != ET_DICT_NONE;
}

static bool read_end(struct tale *out, const json_t *row)
{
	const json_t *same = json_object_get(row, "same_connection");

	if (out->how == ET_STORY_OPEN || out->how == ET_STORY_DROPPED)
		return true;
	if (!read_time(&out->closed_ns, json_object_get(row, "closed")))
		return false;
	if (out->how == ET_STORY_STUCK)
		return true;
	out->same_connection = json_is_true(same);
	return read_addr(&out->closed_by, json_object_get(row, "closed_by")) &&
	       read_seconds(&out->delay_ns, json_object_get(row, "delay_s")) &&
	       read_seconds(&out->delay_max_ns, json_object_get(row, "delay_max_s")) &&
	       (out->how != ET_STORY_CLEAR || json_is_boolean(same));
}

/* Whether the server that ended it is none of those that are listed. */
static bool is_elsewhere(const struct tale *tale, const json_t *servers)
{
	struct et_addr addr;
	json_t *server;
	size_t i;

	if (tale->how != ET_STORY_CLEAR && tale->how != ET_STORY_TLS)
		return false;
	json_array_foreach((json_t *)(uintptr_t)servers, i, server)
	{
		if (read_addr(&addr, server) && et_addr_cmp(&addr, &tale->closed_by) == 0)
			return false;
	}
	return true;
}

bool row_read(struct tale *out, struct et_dict *texts, const char *sensor, const json_t *row)
{
	const json_t *servers = json_object_get(row, "servers");

	*out = (struct tale){ 0 };
	if (!read_addr(&out->client, json_object_get(row, "client")) ||
		!read_addr(&out->server, json_array_get(servers, 0)) ||
		json_array_size(servers) > ET_STORY_SERVERS ||
		!read_service(&out->service, json_object_get(row, "service")) ||
		!read_how(&out->how, json_object_get(row, "how")) ||
		!read_count(&out->stories, json_object_get(row, "stories")) ||
		!read_count(&out->attempts, json_object_get(row, "attempts")) ||
		!read_time(&out->opened_ns, json_object_get(row, "opened")) ||
		!read_time(&out->last_ns, json_object_get(row, "last")) || !read_end(out, row))
		return false;
	out->servers_cnt = (uint8_t)json_array_size(servers);
	out->other_server = is_elsewhere(out, servers);
	return read_text(&out->sensor, texts, sensor) &&
	       read_text(&out->cause, texts, json_string_value(json_object_get(row, "cause"))) &&
	       read_text(&out->hello, texts, json_string_value(json_object_get(row, "hello")));
}
