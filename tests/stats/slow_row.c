/* SPDX-License-Identifier: BSD-3-Clause */
#include "slow_row.h"

#include <stdlib.h>
#include <string.h>

#include "../../lib/stats/writer.h"
#include "et_iana.h"

#define SLOW_NAME 256

struct named {
	uint32_t kind, count;
	char name[SLOW_NAME];
};

#define NAMED_MAX 1000
static struct named pairs[NAMED_MAX];

/* The maps in the order in which they are written. */
static const struct {
	enum et_peer_kind kind;
	const char *key;
} maps[] = {
	{ ET_PEER_VERSIONS, "versions" },
	{ ET_PEER_CIPHERS, "ciphers" },
	{ ET_PEER_GROUPS, "groups" },
	{ ET_PEER_ALERTS, "alerts" },
	{ ET_PEER_CAUSES, "causes" },
	{ ET_PEER_HELLOS, "hellos" },
	{ ET_PEER_CHAINS, "certs" },
	{ ET_PEER_VERSION_CIPHERS, "version_ciphers" },
	{ ET_PEER_FAILURES, "failures" },
	{ ET_PEER_ACCEPTS, "accepts" },
	{ ET_PEER_DH_BITS, "dh_bits" },
	{ ET_PEER_SIGNATURES, "signatures" },
	{ ET_PEER_TRAITS, "traits" },
	{ ET_PEER_STARTTLS_REPLIES, "starttls_replies" },
};

static void alert_name(char out[static VAL_NAME], uint64_t key)
{
	const char *from = key >> 16 == ET_CLIENT ? "client" : "server";
	unsigned code = key & 0xffff;
	const char *name = code <= UINT8_MAX ? et_iana_alert((uint8_t)code) : NULL;

	if (code == ET_PEER_NO_CODE)
		name = "encrypted";
	if (name)
		snprintf(out, VAL_NAME, "%s:%s", from, name);
	else
		snprintf(out, VAL_NAME, "%s:%u", from, code);
}

static void pair_name(char out[static VAL_NAME], uint64_t key)
{
	char version[VAL_NAME], cipher[VAL_NAME];

	name_version(version, et_peer_key_version(key));
	name_cipher(cipher, et_peer_key_version(key), et_peer_key_cipher(key));
	snprintf(out, VAL_NAME, "%.15s %.75s", version, cipher);
}

static const char *or_dash(const char *text)
{
	return text && text[0] ? text : "-";
}

static void failure_name(char out[static SLOW_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	static const char *const words[] = { "certain", "likely", "possible" };
	struct et_peer_failure failure = et_peer_failure(table, cell);
	char code[VAL_NAME];

	et_text_safe(code, sizeof(code), failure.code);
	snprintf(out, SLOW_NAME, "%s %s %s", code, words[failure.confidence],
		or_dash(writer_hello_id(writer, failure.hello)));
}

static void accept_name(char out[static SLOW_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	struct et_peer_accept accept = et_peer_accept(table, cell);
	const struct et_chain *chain = et_policy_chain(writer->run.policy, accept.chain);
	char both[VAL_NAME], group[VAL_NAME], key[VAL_NAME] = "-";

	pair_name(both, et_peer_cipher_key(accept.version, accept.cipher));
	name_group(group, accept.group);
	if (chain && chain->certs[0]->key[0]) {
		const struct et_cert *leaf = chain->certs[0];

		snprintf(key, sizeof(key), "%s-%u", leaf->key, leaf->bits);
		if (leaf->curve[0])
			snprintf(key, sizeof(key), "%s-%s", leaf->key, leaf->curve);
		if (leaf->key[0] == 'e' && leaf->key[1] == 'd')
			snprintf(key, sizeof(key), "%s", leaf->key);
	}
	snprintf(out, SLOW_NAME, "%s %s %s %s", both, accept.group ? group : "-",
		or_dash(writer_hello_id(writer, accept.hello)), key);
}

/* "" if the client did not ask for what was not granted */
static void trait_name(char out[static SLOW_NAME], struct et_stats_writer *writer, uint64_t key)
{
	static struct et_tls_profile profile;
	enum et_peer_trait trait = (enum et_peer_trait)(key >> 32);
	bool ems = false, renegotiation = false;

	if ((uint32_t)key != 0)
		et_tls_profile_decode(
			&profile, et_dict_get(writer->run.books->hellos, (uint32_t)key));
	for (size_t i = 0; i < profile.extensions.n; i++) {
		ems |= profile.extensions.v[i] == 0x17;
		renegotiation |= profile.extensions.v[i] == 0xff01;
	}
	for (size_t i = 0; i < profile.ciphers.n; i++)
		renegotiation |= profile.ciphers.v[i] == 0xff;
	if ((trait != ET_PEER_TRAIT_NO_EMS || ems) &&
		(trait != ET_PEER_TRAIT_NO_RENEGOTIATION || renegotiation))
		snprintf(out, SLOW_NAME, "%s", et_peer_trait_name(trait));
}

/* "" if the cell is no name of a map, or its hello or certificate is not at hand. */
static void cell_name(char out[static SLOW_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	const char *id = NULL;

	out[0] = '\0';
	switch ((enum et_peer_kind)cell->kind) {
	case ET_PEER_VERSIONS: name_version(out, (uint16_t)cell->key); return;
	case ET_PEER_CIPHERS:
		name_cipher(out, et_peer_key_version(cell->key), et_peer_key_cipher(cell->key));
		return;
	case ET_PEER_VERSION_CIPHERS: pair_name(out, cell->key); return;
	case ET_PEER_GROUPS: name_group(out, (uint16_t)cell->key); return;
	case ET_PEER_ALERTS: alert_name(out, cell->key); return;
	case ET_PEER_CAUSES: et_text_safe(out, VAL_NAME, et_peer_cause(table, cell)); return;
	case ET_PEER_HELLOS: id = writer_hello_id(writer, (uint32_t)cell->key); break;
	case ET_PEER_CHAINS: id = writer_leaf_id(writer, (uint32_t)cell->key); break;
	case ET_PEER_FAILURES: failure_name(out, writer, table, cell); return;
	case ET_PEER_ACCEPTS: accept_name(out, writer, table, cell); return;
	case ET_PEER_SIGNATURES:
		if (et_iana_sigalg((uint16_t)cell->key))
			snprintf(out, SLOW_NAME, "%s", et_iana_sigalg((uint16_t)cell->key));
		else
			snprintf(out, SLOW_NAME, "%04x", (unsigned)cell->key);
		return;
	case ET_PEER_TRAITS: trait_name(out, writer, cell->key); return;
	case ET_PEER_DH_BITS:
	case ET_PEER_STARTTLS_REPLIES: snprintf(out, SLOW_NAME, "%d", (int)cell->key); return;
	case ET_PEER_CLIENT_NAMES:
	case ET_PEER_SERVER_NAMES:
	case ET_PEER_HANDSHAKE_MS:
	case ET_PEER_KIND_MAX: break;
	}
	if (id)
		snprintf(out, VAL_NAME, "%s", id);
}

static int compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static size_t collect(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	size_t cnt = 0;

	for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
		cell = et_peer_next(table, peer, cell)) {
		cell_name(pairs[cnt].name, writer, table, cell);
		pairs[cnt].kind = cell->kind;
		pairs[cnt].count = cell->count;
		if (pairs[cnt].name[0] && cnt + 1 < NAMED_MAX)
			cnt++;
	}
	qsort(pairs, cnt, sizeof(*pairs), compare);
	return cnt;
}

/* pairs[0..cnt) of one kind; the same leaf in several chains is one name. */
static json_t *map_json(enum et_peer_kind kind, size_t cnt)
{
	json_t *o = json_object();

	for (size_t i = 0; i < cnt;) {
		const struct named *pair = &pairs[i];
		uint64_t sum = 0;

		for (; i < cnt && compare(pair, &pairs[i]) == 0; i++)
			sum += pairs[i].count;
		if (pair->kind == (uint32_t)kind)
			val_put(&o, pair->name, val_count(sum));
	}
	return o;
}

static json_t *histogram_json(const struct et_peer_table *table, const struct et_peer *peer)
{
	uint64_t buckets[ET_PEER_BUCKETS] = { 0 };
	json_t *o = json_object();

	for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
		cell = et_peer_next(table, peer, cell))
		if (cell->kind == ET_PEER_HANDSHAKE_MS)
			buckets[cell->key] += cell->count;
	for (unsigned i = 0; i < ET_PEER_BUCKETS; i++)
		if (buckets[i] > 0)
			val_put(&o, et_peer_bucket_name(i), val_count(buckets[i]));
	return o;
}

static void put_who(json_t **o, const struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer *peer)
{
	const struct et_stats_run *run = &writer->run;
	const struct et_dict *names = run->books->names;
	enum et_direction direction = et_peer_direction(
		run->gateways, run->gateways_cnt, &peer->addr[ET_CLIENT], &peer->addr[ET_SERVER]);
	char client[ET_ADDR_TEXT], server[ET_ADDR_TEXT];

	et_addr_text(client, &peer->addr[ET_CLIENT]);
	et_addr_text(server, &peer->addr[ET_SERVER]);
	val_put(o, "client", val_text(client));
	val_put(o, "server", val_text(server));
	val_put(o, "service", val_text(et_service_name((enum et_service)peer->service)));
	val_put(o, "direction", val_text(et_direction_name(direction)));
	val_put(o, "client_name", val_name(names, et_peer_name(table, peer, ET_CLIENT, names)));
	val_put(o, "server_name", val_name(names, et_peer_name(table, peer, ET_SERVER, names)));
}

json_t *slow_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	size_t cnt = collect(writer, table, peer);
	json_t *o = json_object();

	val_put(&o, "type", val_text("peer"));
	put_who(&o, writer, table, peer);
	for (size_t i = 0; i < ET_PEER_COUNT_MAX; i++)
		val_put(&o, et_peer_count_name((enum et_peer_count)i), val_count(peer->counts[i]));
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		val_put(&o, maps[i].key, map_json(maps[i].kind, cnt));
	val_put(&o, "handshake_ms", histogram_json(table, peer));
	return o;
}
