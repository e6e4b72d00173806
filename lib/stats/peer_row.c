/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

/*
 * The peer row, put together as text: a minute can have a million of them. The names in its maps
 * are labels, made once for all rows.
 */

/* The maps in the order in which they are written. */
static const struct {
	enum et_peer_kind kind;
	const char *key;
} maps[] = {
	{ ET_PEER_VERSIONS, ",\"versions\":{" },
	{ ET_PEER_CIPHERS, ",\"ciphers\":{" },
	{ ET_PEER_GROUPS, ",\"groups\":{" },
	{ ET_PEER_ALERTS, ",\"alerts\":{" },
	{ ET_PEER_CAUSES, ",\"causes\":{" },
	{ ET_PEER_HELLOS, ",\"hellos\":{" },
	{ ET_PEER_CHAINS, ",\"certs\":{" },
	{ ET_PEER_VERSION_CIPHERS, ",\"version_ciphers\":{" },
	{ ET_PEER_FAILURES, ",\"failures\":{" },
	{ ET_PEER_ACCEPTS, ",\"accepts\":{" },
	{ ET_PEER_DH_BITS, ",\"dh_bits\":{" },
	{ ET_PEER_SIGNATURES, ",\"signatures\":{" },
	{ ET_PEER_TRAITS, ",\"traits\":{" },
	{ ET_PEER_STARTTLS_REPLIES, ",\"starttls_replies\":{" },
};

/* Sorting by insertion is the fastest up to here, and most peers have fewer. */
#define FEW 24

static bool push(
	struct et_stats_writer *writer, size_t *cnt, const struct label *label, uint64_t count)
{
	size_t cap = writer->pairs_cap ? writer->pairs_cap * 2 : 64;
	struct writer_pair *pairs;

	if (*cnt == writer->pairs_cap) {
		pairs = reallocarray(writer->pairs, cap, sizeof(*pairs));
		if (!pairs)
			return false;
		writer->pairs = pairs;
		writer->pairs_cap = cap;
	}
	writer->pairs[(*cnt)++] = (struct writer_pair){ label, count };
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct label *x = ((const struct writer_pair *)a)->label;
	const struct label *y = ((const struct writer_pair *)b)->label;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void sort(struct writer_pair *pairs, size_t cnt)
{
	if (cnt > FEW) {
		qsort(pairs, cnt, sizeof(*pairs), compare);
		return;
	}
	for (size_t i = 1; i < cnt; i++) {
		struct writer_pair pair = pairs[i];
		size_t at = i;

		for (; at > 0 && compare(&pair, &pairs[at - 1]) < 0; at--)
			pairs[at] = pairs[at - 1];
		pairs[at] = pair;
	}
}

/* All entries of the peer's maps, sorted, into writer->pairs, and its handshake times. */
static bool collect(size_t *cnt, uint64_t buckets[static ET_PEER_BUCKETS],
	struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	*cnt = 0;
	for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
		cell = et_peer_next(table, peer, cell)) {
		const struct label *label;

		if (cell->kind == ET_PEER_HANDSHAKE_MS)
			buckets[cell->key] += cell->count;
		if (cell->kind == ET_PEER_HANDSHAKE_MS || cell->kind == ET_PEER_CLIENT_NAMES ||
			cell->kind == ET_PEER_SERVER_NAMES)
			continue;
		label = labels_get(writer, table, cell);
		if (!label || (label->name[0] && !push(writer, cnt, label, cell->count)))
			return false;
	}
	sort(writer->pairs, *cnt);
	return true;
}

/* pairs[0..cnt) of one kind; the same leaf in several chains is one name. */
static void put_map(struct text *row, const struct writer_pair *pairs, size_t cnt, const char *key,
	enum et_peer_kind kind)
{
	bool first = true;

	text_puts(row, key);
	for (size_t i = 0; i < cnt;) {
		const struct writer_pair *pair = &pairs[i];
		uint64_t sum = 0;

		if (pair->label->kind != (uint8_t)kind) {
			i++;
			continue;
		}
		for (; i < cnt && compare(pair, &pairs[i]) == 0; i++)
			sum += pairs[i].count;
		if (!first)
			text_put(row, ",", 1);
		first = false;
		text_put(row, pair->label->json, pair->label->len);
		text_count(row, sum);
	}
	text_put(row, "}", 1);
}

static void put_histogram(struct text *row, const uint64_t buckets[static ET_PEER_BUCKETS])
{
	bool first = true;

	text_puts(row, ",\"handshake_ms\":{");
	for (unsigned i = 0; i < ET_PEER_BUCKETS; i++) {
		if (buckets[i] == 0)
			continue;
		text_puts(row, first ? "\"" : ",\"");
		first = false;
		text_puts(row, et_peer_bucket_name(i));
		text_puts(row, "\":");
		text_count(row, buckets[i]);
	}
	text_put(row, "}", 1);
}

static void put_name(struct text *row, const struct et_dict *names, uint32_t id)
{
	if (id == ET_DICT_NONE)
		text_puts(row, "null");
	else
		text_wire(row, et_dict_get(names, id));
}

static void put_who(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	const struct et_stats_run *run = &writer->run;
	const struct et_dict *names = run->books->names;
	enum et_direction direction = et_peer_direction(
		run->gateways, run->gateways_cnt, &peer->addr[ET_CLIENT], &peer->addr[ET_SERVER]);
	struct text *row = &writer->row;
	char address[ET_ADDR_TEXT];

	text_puts(row, "{\"type\":\"peer\",\"client\":");
	et_addr_text(address, &peer->addr[ET_CLIENT]);
	text_string(row, address);
	text_puts(row, ",\"server\":");
	et_addr_text(address, &peer->addr[ET_SERVER]);
	text_string(row, address);
	text_puts(row, ",\"service\":");
	text_string(row, et_service_name((enum et_service)peer->service));
	text_puts(row, ",\"direction\":");
	text_string(row, et_direction_name(direction));
	text_puts(row, ",\"client_name\":");
	put_name(row, names, et_peer_name(table, peer, ET_CLIENT, names));
	text_puts(row, ",\"server_name\":");
	put_name(row, names, et_peer_name(table, peer, ET_SERVER, names));
}

bool writer_peer_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	static const char *const counts[] = {
#define X(id, name) ",\"" name "\":",
		ET_PEER_COUNTS(X)
#undef X
	};
	uint64_t buckets[ET_PEER_BUCKETS] = { 0 };
	struct text *row = &writer->row;
	size_t cnt;

	row->n = 0;
	if (!collect(&cnt, buckets, writer, table, peer))
		return false;
	put_who(writer, table, peer);
	for (size_t i = 0; i < ET_PEER_COUNT_MAX; i++) {
		text_puts(row, counts[i]);
		text_count(row, peer->counts[i]);
	}
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		put_map(row, writer->pairs, cnt, maps[i].key, maps[i].kind);
	put_histogram(row, buckets);
	text_put(row, "}\n", 2);
	return !row->failed;
}

json_t *et_stats_peer_row(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer *peer)
{
	json_error_t error;
	bool ok;

	/* the caller may come with another table each time */
	ok = writer_peer_row(writer, table, peer);
	labels_clear(&writer->labels);
	return ok ? json_loadb(writer->row.p, writer->row.n, 0, &error) : NULL;
}
