/* SPDX-License-Identifier: BSD-3-Clause */
#include "stories_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "et_peer.h"

json_t *stories_head_row(const struct stories_head *head)
{
	return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I}", "type", "stories", "v", 1, "sensor",
		head->sensor, "state", (json_int_t)head->number, "minute_ns",
		(json_int_t)head->minute_ns, "cases", (json_int_t)head->cases);
}

bool stories_head_read(struct stories_head *out, json_t *row)
{
	json_int_t state, minute_ns, cases;
	const char *type;
	int v;

	*out = (struct stories_head){ 0 };
	if (!row || json_unpack(row, "{s:s, s:i, s:I, s:I, s:I}", "type", &type, "v", &v, "state",
			    &state, "minute_ns", &minute_ns, "cases", &cases) != 0)
		return false;
	out->number = (uint64_t)state;
	out->minute_ns = minute_ns;
	out->cases = (uint64_t)cases;
	return strcmp(type, "stories") == 0 && v == 1 && state > 0 && cases >= 0;
}

static json_t *addr_json(const struct et_addr *addr)
{
	char text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	return json_string(text);
}

static bool addr_read(struct et_addr *out, const json_t *value)
{
	const char *text = json_string_value(value);
	struct et_peer_net net;

	if (!text || strchr(text, '/') || et_peer_net_parse(&net, text) != 0)
		return false;
	*out = net.addr;
	return true;
}

static bool service_read(uint8_t *out, const json_t *value)
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

static bool text_read(char *out, size_t cap, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= cap)
		return false;
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static json_t *story_json(const struct et_story *story)
{
	json_t *servers = json_array();

	for (unsigned i = 0; i < story->servers_cnt; i++)
		json_array_append_new(servers, addr_json(&story->servers[i]));
	return json_pack("{s:I, s:I, s:I, s:s, s:s, s:o}", "opened_ns",
		(json_int_t)story->opened_ns, "last_ns", (json_int_t)story->last_ns, "attempts",
		(json_int_t)story->attempts, "cause", story->cause, "hello", story->hello,
		"servers", servers);
}

static bool story_read(struct et_story *out, json_t *row)
{
	json_int_t opened_ns, last_ns, attempts;
	json_t *servers, *server, *cause, *hello;
	size_t i;

	if (json_unpack(row, "{s:I, s:I, s:I, s:o, s:o, s:o}", "opened_ns", &opened_ns, "last_ns",
		    &last_ns, "attempts", &attempts, "cause", &cause, "hello", &hello, "servers",
		    &servers) != 0 ||
		!json_is_array(servers) || json_array_size(servers) > ET_STORY_SERVERS ||
		attempts < 1 || attempts > UINT32_MAX)
		return false;
	out->how = ET_STORY_OPEN;
	out->stories = 1;
	out->opened_ns = opened_ns;
	out->last_ns = last_ns;
	out->attempts = (uint32_t)attempts;
	json_array_foreach(servers, i, server)
	{
		if (!addr_read(&out->servers[out->servers_cnt++], server))
			return false;
	}
	return text_read(out->cause, sizeof(out->cause), cause) &&
	       text_read(out->hello, sizeof(out->hello), hello);
}

static json_t *server_json(const struct et_story_server *server)
{
	return json_pack("{s:o, s:b, s:b, s:I}", "ip", addr_json(&server->addr), "failed",
		server->pair.failed, "fell_back", server->pair.fell_back, "failed_ns",
		(json_int_t)server->pair.failed_ns);
}

static bool server_read(struct et_story_server *out, json_t *row)
{
	json_int_t failed_ns;
	int failed, fell_back;
	json_t *ip;

	*out = (struct et_story_server){ 0 };
	if (json_unpack(row, "{s:o, s:b, s:b, s:I}", "ip", &ip, "failed", &failed, "fell_back",
		    &fell_back, "failed_ns", &failed_ns) != 0)
		return false;
	out->pair.failed = failed;
	out->pair.fell_back = fell_back;
	out->pair.failed_ns = failed_ns;
	return addr_read(&out->addr, ip);
}

json_t *stories_case_row(const struct et_story_case *known)
{
	json_t *servers = json_array(), *names = json_array();

	for (unsigned i = 0; i < known->servers_cnt; i++)
		json_array_append_new(servers, server_json(&known->servers[i]));
	for (unsigned i = 0; i < known->names_cnt; i++) {
		char text[24];

		snprintf(text, sizeof(text), "%016" PRIx64, known->names[i]);
		json_array_append_new(names, json_string(text));
	}
	return json_pack("{s:o, s:s, s:b, s:I, s:o, s:o, s:o}", "client",
		addr_json(&known->story.client), "service",
		et_service_name((enum et_service)known->story.service), "gateway", known->gateway,
		"since_ns", (json_int_t)known->since_ns, "servers", servers, "names", names,
		"story", known->open ? story_json(&known->story) : json_null());
}

static bool name_read(uint64_t *out, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return false;
	*out = strtoull(text, NULL, 16);
	return true;
}

static bool lists_read(struct et_story_case *out, const json_t *servers, const json_t *names)
{
	json_t *item;
	size_t i;

	if (!json_is_array(servers) || json_array_size(servers) > ET_STORY_SERVERS ||
		!json_is_array(names) || json_array_size(names) > ET_STORY_NAMES)
		return false;
	json_array_foreach(servers, i, item)
	{
		if (!server_read(&out->servers[out->servers_cnt++], item))
			return false;
	}
	json_array_foreach(names, i, item)
	{
		if (!name_read(&out->names[out->names_cnt++], item))
			return false;
	}
	return true;
}

bool stories_case_read(struct et_story_case *out, json_t *row)
{
	json_t *client, *service, *servers, *names, *story;
	json_int_t since_ns;
	int gateway;

	*out = (struct et_story_case){ 0 };
	if (!row || json_unpack(row, "{s:o, s:o, s:b, s:I, s:o, s:o, s:o}", "client", &client,
			    "service", &service, "gateway", &gateway, "since_ns", &since_ns,
			    "servers", &servers, "names", &names, "story", &story) != 0)
		return false;
	out->gateway = gateway;
	out->since_ns = since_ns;
	out->open = !json_is_null(story);
	return addr_read(&out->story.client, client) &&
	       service_read(&out->story.service, service) && lists_read(out, servers, names) &&
	       (!out->open || story_read(&out->story, story));
}
