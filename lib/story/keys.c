/* SPDX-License-Identifier: BSD-3-Clause */
#include "story_parts.h"

#include <errno.h>
#include <string.h>

static struct key key_of(const struct et_addr *client, uint8_t service, enum key_kind kind)
{
	struct key key = { .service = service, .kind = (uint8_t)kind };

	memcpy(key.client, client->b, sizeof(key.client));
	return key;
}

/*
 * A name that only one host has: with a dot, and nothing in it that a middlebox has masked. 0: the
 * name is none of these. The hash outlives the process, so its seed is fixed; whoever finds two
 * names with one hash has joined his own failures and nobody else's.
 */
static uint64_t name_of(struct et_view name)
{
	uint8_t lower[256];
	uint64_t hash;
	bool dot = false;

	if (name.n < 4 || name.n > sizeof(lower))
		return 0;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (c == '*' || c <= ' ' || c == '[' || c == 0x7f)
			return 0;
		dot = dot || (c == '.' && i > 0 && i + 1 < name.n);
		lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
	}
	if (!dot || (name.n >= 9 && memcmp(lower, "localhost", 9) == 0))
		return 0;
	hash = et_hash(lower, name.n, 0);
	return hash ? hash : 1;
}

static struct key name_key(const struct et_addr *client, uint8_t service, uint64_t name)
{
	struct key key = key_of(client, service, KEY_NAME);

	memcpy(key.what, &name, sizeof(name));
	return key;
}

static struct key addr_key(
	const struct et_addr *client, uint8_t service, const struct et_addr *server)
{
	struct key key = key_of(client, service, KEY_ADDR);

	memcpy(key.what, server->b, sizeof(key.what));
	return key;
}

uint32_t keys_find(const struct et_story_table *table, const struct et_story_event *event)
{
	const struct et_session *s = event->session;
	const struct et_addr *client = &s->addr[ET_CLIENT];
	struct key key = key_of(client, s->service, KEY_GATEWAY);
	uint64_t name;
	uint32_t at;

	if (event->gateway)
		return index_find(&table->index, &key);
	key = addr_key(client, s->service, &s->addr[ET_SERVER]);
	at = index_find(&table->index, &key);
	name = at ? 0 : name_of(event->server_name);
	if (name == 0)
		return at;
	key = name_key(client, s->service, name);
	return index_find(&table->index, &key);
}

static int add_key(struct et_story_table *table, uint32_t at, const struct key *key)
{
	if (index_find(&table->index, key) != 0)
		return 0; /* another case has it */
	return index_add(&table->index, key, at, &table->entries[at].keys);
}

struct et_story_server *keys_server(struct et_story_case *known, const struct et_addr *addr)
{
	for (unsigned i = 0; i < known->servers_cnt; i++)
		if (memcmp(&known->servers[i].addr, addr, sizeof(*addr)) == 0)
			return &known->servers[i];
	return NULL;
}

/* A place for one more server: behind the others, or that of the one that failed longest ago. */
static struct et_story_server *place_of(struct et_story_case *known)
{
	struct et_story_server *place = &known->servers[0];

	if (known->servers_cnt < ET_STORY_SERVERS)
		return &known->servers[known->servers_cnt++];
	for (unsigned i = 1; i < known->servers_cnt; i++) {
		struct et_story_server *server = &known->servers[i];

		if (place->pair.failed &&
			(!server->pair.failed || server->pair.failed_ns < place->pair.failed_ns))
			place = server;
	}
	return place;
}

static int add_name(struct et_story_table *table, uint32_t at, uint64_t name)
{
	struct et_story_case *known = &table->entries[at].known;
	struct key key = name_key(&known->story.client, known->story.service, name);

	for (unsigned i = 0; i < known->names_cnt; i++)
		if (known->names[i] == name)
			return 0;
	if (name == 0 || known->names_cnt == ET_STORY_NAMES || index_find(&table->index, &key) != 0)
		return 0;
	known->names[known->names_cnt++] = name;
	return add_key(table, at, &key);
}

struct et_story_server *keys_join(
	struct et_story_table *table, uint32_t at, const struct et_story_event *event)
{
	struct et_story_case *known = &table->entries[at].known;
	const struct et_addr *addr = &event->session->addr[ET_SERVER];
	struct et_story_server *server = keys_server(known, addr);
	struct key key = addr_key(&known->story.client, known->story.service, addr);

	if (!server) {
		server = place_of(known);
		*server = (struct et_story_server){ .addr = *addr };
	}
	if (known->gateway)
		return server;
	if (add_key(table, at, &key) != 0 || add_name(table, at, name_of(event->server_name)) != 0)
		return NULL;
	return server;
}

uint32_t keys_begin(struct et_story_table *table, const struct et_story_event *event)
{
	const struct et_session *s = event->session;
	struct key key = key_of(&s->addr[ET_CLIENT], s->service, KEY_GATEWAY);
	uint32_t at = cases_new(table);
	struct et_story_case *known = &table->entries[at].known;

	if (at == 0)
		return 0;
	known->story.client = s->addr[ET_CLIENT];
	known->story.service = s->service;
	known->gateway = event->gateway;
	known->since_ns = s->decided_ns;
	return event->gateway && add_key(table, at, &key) != 0 ? 0 : at;
}

/* --- a case of another process --- */

static bool is_text(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

static bool is_sound(const struct et_story_case *known)
{
	const struct et_story *story = &known->story;
	struct et_session session = { .service = story->service };

	if (!et_story_concerns(&session) || known->servers_cnt > ET_STORY_SERVERS ||
		known->names_cnt > ET_STORY_NAMES || !is_text(story->cause, sizeof(story->cause)) ||
		!is_text(story->hello, sizeof(story->hello)))
		return false;
	if (!known->open)
		return known->servers_cnt > 0;
	return story->how == ET_STORY_OPEN && story->stories == 1 && story->attempts > 0 &&
	       story->servers_cnt > 0 && story->servers_cnt <= ET_STORY_SERVERS;
}

static int add_keys(struct et_story_table *table, uint32_t at, const struct et_story_case *known)
{
	const struct et_addr *client = &known->story.client;
	uint8_t service = known->story.service;
	struct key key = key_of(client, service, KEY_GATEWAY);
	int rc = known->gateway ? add_key(table, at, &key) : 0;

	for (unsigned i = 0; i < known->servers_cnt && rc == 0 && !known->gateway; i++) {
		key = addr_key(client, service, &known->servers[i].addr);
		rc = add_key(table, at, &key);
	}
	for (unsigned i = 0; i < known->names_cnt && rc == 0; i++) {
		key = name_key(client, service, known->names[i]);
		rc = add_key(table, at, &key);
	}
	return rc;
}

int et_story_restore(struct et_story_table *table, const struct et_story_case *known)
{
	uint32_t at;

	if (!is_sound(known))
		return -EINVAL;
	at = cases_new(table);
	if (at == 0)
		return -ENOMEM;
	table->entries[at].known = *known;
	table->open += known->open;
	return add_keys(table, at, known);
}
