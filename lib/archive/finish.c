/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Turns what was read into sorted arrays. */

void *archive_alloc(struct et_archive *archive, size_t cnt, size_t size)
{
	void *block;

	if (archive->blocks_cnt == archive->blocks_cap) {
		size_t cap = archive->blocks_cap ? 2 * archive->blocks_cap : 32;
		void **blocks = reallocarray(archive->blocks, cap, sizeof(*blocks));

		if (!blocks)
			return NULL;
		archive->blocks = blocks;
		archive->blocks_cap = cap;
	}
	block = calloc(cnt ? cnt : 1, size);
	if (block)
		archive->blocks[archive->blocks_cnt++] = block;
	return block;
}

const char *archive_text_of(const struct et_archive *archive, uint32_t id)
{
	return id == ET_DICT_NONE ? NULL : archive->text_of[id];
}

/* ---- texts ---- */

static int text_cmp(const void *a, const void *b, void *ctx)
{
	const char *const *text_of = ctx;

	return strcmp(text_of[*(const uint32_t *)a], text_of[*(const uint32_t *)b]);
}

static int build_texts(struct et_archive *archive)
{
	uint32_t cnt = et_dict_count(archive->texts);

	archive->text_of = archive_alloc(archive, (size_t)cnt + 1, sizeof(*archive->text_of));
	archive->rank_of = archive_alloc(archive, (size_t)cnt + 1, sizeof(*archive->rank_of));
	archive->id_of = archive_alloc(archive, cnt, sizeof(*archive->id_of));
	if (!archive->text_of || !archive->rank_of || !archive->id_of)
		return -ENOMEM;
	for (uint32_t id = 1; id <= cnt; id++) {
		archive->text_of[id] = (const char *)et_dict_get(archive->texts, id).p;
		archive->id_of[id - 1] = id;
	}
	if (cnt > 1)
		qsort_r(archive->id_of, cnt, sizeof(*archive->id_of), text_cmp, archive->text_of);
	for (uint32_t rank = 0; rank < cnt; rank++)
		archive->rank_of[archive->id_of[rank]] = rank;
	return 0;
}

/* ---- pairs ---- */

static int key_cmp(const struct pair_key *x, const struct pair_key *y, bool by_client)
{
	int first = by_client ? et_addr_cmp(&x->client, &y->client)
			      : et_addr_cmp(&x->server, &y->server);
	int last = by_client ? et_addr_cmp(&x->server, &y->server)
			     : et_addr_cmp(&x->client, &y->client);

	if (first != 0)
		return first;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return last;
}

static int by_server(const void *a, const void *b, void *ctx)
{
	const struct store *pairs = ctx;
	const struct pair_item *x = store_at(pairs, *(const uint32_t *)a);
	const struct pair_item *y = store_at(pairs, *(const uint32_t *)b);

	return key_cmp(&x->key, &y->key, false);
}

static int build_pairs(struct et_archive *archive)
{
	uint32_t cnt = archive->pairs.cnt;
	uint32_t *order = archive_alloc(archive, cnt, sizeof(*order));

	archive->pairs_v = archive_alloc(archive, cnt, sizeof(*archive->pairs_v));
	archive->place_of = archive_alloc(archive, cnt, sizeof(*archive->place_of));
	if (!order || !archive->pairs_v || !archive->place_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < cnt; i++)
		order[i] = i;
	if (cnt > 1)
		qsort_r(order, cnt, sizeof(*order), by_server, &archive->pairs);
	for (uint32_t i = 0; i < cnt; i++) {
		const struct pair_item *item = store_at(&archive->pairs, order[i]);
		struct et_archive_pair *pair = &archive->pairs_v[i];

		archive->place_of[order[i]] = i;
		pair->client = item->key.client;
		pair->server = item->key.server;
		pair->service = (enum et_service)item->key.service;
		memcpy(pair->sums.counts, item->counts, sizeof(item->counts));
		pair->sums.first_ns = item->first_ns;
		pair->sums.last_ns = item->last_ns;
		pair->sums.rows = item->rows;
		pair->sums.sessions_without_maps = item->sessions_without_maps;
	}
	return 0;
}

/* ---- time lines ---- */

static int moment_cmp(const void *a, const void *b, void *ctx)
{
	const struct et_archive *archive = ctx;
	const struct moment_item *x = a, *y = b;
	uint32_t p = archive->place_of[x->key.pair], q = archive->place_of[y->key.pair];

	if (p != q)
		return p < q ? -1 : 1;
	return x->key.slot < y->key.slot ? -1 : x->key.slot > y->key.slot;
}

static int build_moments(struct et_archive *archive)
{
	struct store *store = &archive->moments;
	struct et_archive_moment *moments = archive_alloc(archive, store->cnt, sizeof(*moments));

	if (!moments)
		return -ENOMEM;
	if (store->cnt > 1)
		qsort_r(store->items, store->cnt, store->size, moment_cmp, archive);
	for (uint32_t i = 0; i < store->cnt; i++) {
		const struct moment_item *item = store_at(store, i);
		struct et_archive_pair *pair = &archive->pairs_v[archive->place_of[item->key.pair]];

		moments[i] = (struct et_archive_moment){
			.minute_ns = item->key.slot * et_archive_grain(archive),
			.sessions = item->counts[MOMENT_SESSIONS],
			.established = item->counts[MOMENT_ESTABLISHED],
			.failed = item->counts[MOMENT_FAILED],
			.refused = item->counts[MOMENT_REFUSED],
			.clear = item->counts[MOMENT_CLEAR],
			.fallbacks = item->counts[MOMENT_FALLBACKS],
		};
		if (pair->moments_cnt++ == 0)
			pair->moments = &moments[i];
	}
	store_free(store);
	return 0;
}

/* ---- servers and clients ---- */

static void add_sums(struct et_archive_sums *to, const struct et_archive_sums *from)
{
	for (unsigned i = 0; i < ET_PEER_COUNT_MAX; i++)
		to->counts[i] = sum_of(to->counts[i], from->counts[i]);
	if (to->rows == 0 || from->first_ns < to->first_ns)
		to->first_ns = from->first_ns;
	if (to->rows == 0 || from->last_ns > to->last_ns)
		to->last_ns = from->last_ns;
	to->rows += from->rows;
	to->sessions_without_maps = sum_of(to->sessions_without_maps, from->sessions_without_maps);
}

static int by_client(const void *a, const void *b)
{
	const struct et_archive_pair *x = *(const struct et_archive_pair *const *)a;
	const struct et_archive_pair *y = *(const struct et_archive_pair *const *)b;
	int order = et_addr_cmp(&x->client, &y->client);

	if (order != 0)
		return order;
	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Hosts of one end, out of pairs that stand together; host_of: by place of the pair. */
static int build_hosts(struct et_archive *archive, struct et_archive_host **hosts, size_t *cnt,
	uint32_t **host_of, bool of_client)
{
	size_t pairs = archive->pairs.cnt;
	const struct et_archive_pair **list = archive_alloc(archive, pairs, sizeof(*list));

	*hosts = archive_alloc(archive, pairs, sizeof(**hosts));
	*host_of = archive_alloc(archive, pairs, sizeof(**host_of));
	if (!list || !*hosts || !*host_of)
		return -ENOMEM;
	for (size_t i = 0; i < pairs; i++)
		list[i] = &archive->pairs_v[i];
	if (of_client && pairs > 1)
		qsort(list, pairs, sizeof(*list), by_client);
	for (size_t i = 0; i < pairs; i++) {
		const struct et_addr *addr = of_client ? &list[i]->client : &list[i]->server;
		struct et_archive_host *host = *cnt > 0 ? &(*hosts)[*cnt - 1] : NULL;

		if (!host || et_addr_cmp(&host->addr, addr) != 0 ||
			host->service != list[i]->service) {
			host = &(*hosts)[(*cnt)++];
			host->addr = *addr;
			host->service = list[i]->service;
			host->pairs = &list[i];
		}
		host->pairs_cnt++;
		add_sums(&host->sums, &list[i]->sums);
		(*host_of)[list[i] - archive->pairs_v] = (uint32_t)(*cnt - 1);
	}
	return 0;
}

/* ---- maps ---- */

/* The sums of owner number i, of one of the four ways to add cells up. */
typedef struct et_archive_sums *sums_at(struct et_archive *archive, size_t i);

static struct et_archive_sums *pair_sums(struct et_archive *archive, size_t i)
{
	return &archive->pairs_v[i].sums;
}

static struct et_archive_sums *server_sums(struct et_archive *archive, size_t i)
{
	return &archive->servers_v[i].sums;
}

static struct et_archive_sums *client_sums(struct et_archive *archive, size_t i)
{
	return &archive->clients_v[i].sums;
}

static struct et_archive_sums *all_sums(struct et_archive *archive, size_t i)
{
	(void)i;
	return &archive->all;
}

/* Sorts the tuples and cuts their entries into the maps of all owners. */
static int build_maps(struct et_archive *archive, struct tuple *tuples, size_t *cnt, size_t owners,
	sums_at *at_owner)
{
	const struct et_archive_entry *entries;
	size_t at = 0;

	*cnt = tuples_join(tuples, *cnt);
	entries = tuples_entries(archive, tuples, *cnt);
	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < owners; i++)
		for (unsigned kind = 0; kind < ET_ARCHIVE_MAP_MAX; kind++)
			at_owner(archive, i)->maps[kind] =
				tuples_map(entries, tuples, *cnt, &at, (uint32_t)i, kind);
	return 0;
}

/* Cells of pairs, by place. NULL when memory is short. */
static struct tuple *pair_tuples(const struct et_archive *archive, size_t *cnt)
{
	struct tuple *tuples = calloc((size_t)archive->cells.cnt + 1, sizeof(*tuples));

	*cnt = 0;
	for (uint32_t i = 0; tuples && i < archive->cells.cnt; i++) {
		const struct cell_item *cell = store_at(&archive->cells, i);

		if (!(cell->key.owner & OWNER_SENSOR))
			tuples[(*cnt)++] =
				(struct tuple){ .owner = archive->place_of[cell->key.owner],
					.kind = cell->key.kind,
					.rank = archive->rank_of[cell->key.name],
					.count = cell->count };
	}
	return tuples;
}

/* First by pair, then what came of it by host: from_pairs stays as it is. */
static int build_all_maps(struct et_archive *archive)
{
	const struct {
		const uint32_t *owner_of;
		size_t owners;
		sums_at *at_owner;
	} ways[] = { { archive->pair_server, archive->servers_cnt, server_sums },
		{ archive->pair_client, archive->clients_cnt, client_sums },
		{ NULL, 1, all_sums } };
	size_t cnt, n;
	struct tuple *from_pairs = pair_tuples(archive, &cnt);
	struct tuple *tuples = from_pairs ? calloc(cnt + 1, sizeof(*tuples)) : NULL;
	int rc = tuples ? build_maps(archive, from_pairs, &cnt, archive->pairs.cnt, pair_sums)
			: -ENOMEM;

	for (size_t way = 0; rc == 0 && way < sizeof(ways) / sizeof(*ways); way++) {
		memcpy(tuples, from_pairs, cnt * sizeof(*tuples));
		for (size_t i = 0; i < cnt; i++)
			tuples[i].owner =
				ways[way].owner_of ? ways[way].owner_of[tuples[i].owner] : 0;
		n = cnt;
		rc = build_maps(archive, tuples, &n, ways[way].owners, ways[way].at_owner);
	}
	free(tuples);
	free(from_pairs);
	return rc;
}

static void name_all(struct et_archive *archive)
{
	for (uint32_t i = 0; i < archive->pairs.cnt; i++) {
		struct et_archive_pair *pair = &archive->pairs_v[i];

		pair->client_name = et_archive_top(&pair->sums.maps[ET_ARCHIVE_CLIENT_NAMES]);
		pair->server_name = et_archive_top(&pair->sums.maps[ET_ARCHIVE_SERVER_NAMES]);
		pair->direction = et_archive_top(&pair->sums.maps[ET_ARCHIVE_DIRECTIONS]);
		add_sums(&archive->all, &pair->sums);
	}
	for (size_t i = 0; i < archive->servers_cnt; i++)
		archive->servers_v[i].name =
			et_archive_top(&archive->servers_v[i].sums.maps[ET_ARCHIVE_SERVER_NAMES]);
	for (size_t i = 0; i < archive->clients_cnt; i++)
		archive->clients_v[i].name =
			et_archive_top(&archive->clients_v[i].sums.maps[ET_ARCHIVE_CLIENT_NAMES]);
}

int et_archive_finish(struct et_archive *archive)
{
	int rc = build_texts(archive);

	if (rc == 0)
		rc = build_pairs(archive);
	if (rc == 0)
		rc = build_moments(archive);
	if (rc == 0)
		rc = build_hosts(archive, &archive->servers_v, &archive->servers_cnt,
			&archive->pair_server, false);
	if (rc == 0)
		rc = build_hosts(archive, &archive->clients_v, &archive->clients_cnt,
			&archive->pair_client, true);
	if (rc == 0)
		rc = build_all_maps(archive);
	if (rc != 0)
		return rc;
	name_all(archive);
	rc = build_hellos(archive);
	if (rc == 0)
		rc = build_certs(archive);
	return rc == 0 ? build_sensors(archive) : rc;
}

const struct et_archive_pair *et_archive_pairs(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->pairs.cnt;
	return archive->pairs_v;
}

const struct et_archive_host *et_archive_servers(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->servers_cnt;
	return archive->servers_v;
}

const struct et_archive_host *et_archive_clients(const struct et_archive *archive, size_t *cnt)
{
	*cnt = archive->clients_cnt;
	return archive->clients_v;
}

const struct et_archive_host *et_archive_server(
	const struct et_archive *archive, const struct et_addr *addr, enum et_service service)
{
	size_t low = 0, high = archive->servers_cnt;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct et_archive_host *host = &archive->servers_v[middle];
		int order = et_addr_cmp(&host->addr, addr);

		if (order == 0)
			order = (int)host->service - (int)service;
		if (order == 0)
			return host;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct et_archive_sums *et_archive_all(const struct et_archive *archive)
{
	return &archive->all;
}
