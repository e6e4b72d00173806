/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Servers of which something is kept; of more, nothing is known. */
#define SERVERS_MAX (UINT32_C(1) << 20)

#define ADDR_PORT_LEN 18

static const uint16_t version_list[] = { ET_SSLV2, ET_SSLV3, ET_TLSV1_0, ET_TLSV1_1, ET_TLSV1_2,
	ET_TLSV1_3 };
#define VERSIONS (sizeof(version_list) / sizeof(*version_list))

unsigned version_bit(uint16_t version)
{
	for (unsigned i = 0; i < VERSIONS; i++)
		if (version_list[i] == version)
			return 1u << i;
	return 0;
}

void why_versions(struct et_cause *cause, unsigned versions)
{
	uint16_t list[VERSIONS];
	size_t cnt = 0;

	for (unsigned i = 0; i < VERSIONS; i++)
		if (versions & 1u << i)
			list[cnt++] = version_list[i];
	why_names(cause, NAME_VERSION, list, cnt);
}

int servers_init(struct servers *servers)
{
	servers->cap = 64;
	servers->all = calloc(servers->cap, sizeof(*servers->all));
	servers->keys = et_dict_new(SERVERS_MAX, SIZE_MAX);
	return servers->all && servers->keys ? 0 : -ENOMEM;
}

void servers_free(struct servers *servers)
{
	free(servers->all);
	et_dict_free(servers->keys);
}

/* 0 if there is no room. */
static uint32_t server_id(struct servers *servers, const struct et_session *session)
{
	uint8_t key[ADDR_PORT_LEN];

	memcpy(key, session->addr[ET_SERVER].b, 16);
	memcpy(key + 16, &session->port[ET_SERVER], 2);
	return et_dict_put(servers->keys, NULL, (struct et_view){ key, sizeof(key) });
}

const struct server *servers_find(struct servers *servers, const struct et_session *session)
{
	uint32_t id = server_id(servers, session);

	return &servers->all[id < servers->cap ? id : 0];
}

static void add(uint16_t *list, uint8_t *cnt, bool *more, uint8_t cap, uint16_t value)
{
	for (uint8_t i = 0; i < *cnt; i++)
		if (list[i] == value)
			return;
	if (*cnt < cap)
		list[(*cnt)++] = value;
	else
		*more = true;
}

static struct key key_of(const struct et_cert *leaf)
{
	static const struct {
		const char *name;
		enum key_type type;
	} types[] = {
		{ "rsa", KEY_RSA },
		{ "ecdsa", KEY_EC },
		{ "ed25519", KEY_ED25519 },
		{ "ed448", KEY_ED448 },
		{ "dsa", KEY_DSA },
	};
	struct key key = { .type = KEY_OTHER };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(leaf->key, types[i].name) == 0)
			key.type = (uint8_t)types[i].type;
	if (key.type == KEY_EC)
		key.curve = et_iana_group_by_curve(leaf->curve);
	return key;
}

static void learn_key(struct server *server, struct key key, const struct et_session *session)
{
	struct server_key *k = server->keys;

	for (; k < server->keys + server->key_cnt; k++)
		if (k->key.type == key.type && k->key.curve == key.curve)
			break;
	if (k == server->keys + SERVER_KEYS) {
		server->more_keys = true;
		return;
	}
	if (k == server->keys + server->key_cnt) {
		server->key_cnt++;
		k->key = key;
		k->first_ns = session->start_ns;
	}
	k->chain = session->tls.chain[ET_SERVER];
	k->last_ns = session->start_ns;
}

static void learn_tls(struct server *server, const struct et_policy *policy,
	struct profiles *profiles, const struct et_session *session)
{
	const struct et_tls_facts *tls = &session->tls;
	const struct et_tls_profile *hello = profile_of(profiles, tls->hello);
	const struct et_cert *leaf = chains_leaf(&policy->chains, tls->chain[ET_SERVER]);
	const struct et_iana_suite *suite =
		tls->version != ET_SSLV2 ? et_iana_suite((uint16_t)tls->cipher) : NULL;
	struct key key;

	server->versions |= (uint16_t)version_bit(tls->version);
	if (hello && !hello->sslv2)
		hello_learn(&server->answered, hello);
	if (suite) {
		add(server->suites, &server->suite_cnt, &server->more_suites, SERVER_SUITES,
			suite->id);
		server->anon |= suite->auth == ET_AUTH_ANON;
	}
	if (tls->group != 0)
		add(server->groups, &server->group_cnt, &server->more_groups, SERVER_GROUPS,
			tls->group);
	if (hello && tls->version < ET_TLSV1_3 && hello->has_versions &&
		offered_version(hello, ET_TLSV1_3) == ET_TLSV1_3)
		server->declined_13 = true;
	if (!leaf || tls->version == ET_TLSV1_3)
		return;
	key = key_of(leaf);
	learn_key(server, key, session);
	if (hello && key.type == KEY_EC && key.curve != 0 && hello->has_groups &&
		!et_tls_list_has(&hello->groups, key.curve))
		server->ignores_curve = true;
}

int servers_learn(struct servers *servers, const struct et_policy *policy,
	struct profiles *profiles, const struct et_session *session)
{
	uint32_t id = server_id(servers, session);
	struct server *all, *server;

	if (id == ET_DICT_NONE)
		return 0;
	if (id >= servers->cap) {
		all = realloc(servers->all, 2 * (size_t)servers->cap * sizeof(*all));
		if (!all)
			return -ENOMEM;
		memset(all + servers->cap, 0, servers->cap * sizeof(*all));
		servers->all = all;
		servers->cap *= 2;
	}
	server = &servers->all[id];
	server->sessions++;
	server->established += session->outcome == ET_OUTCOME_ESTABLISHED;
	server->offered += session->mail.offered == ET_YES;
	/* also of handshakes that failed later: the ServerHello was the server's own word */
	if (session->tls.version != 0)
		learn_tls(server, policy, profiles, session);
	return 0;
}
