/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define NO_CELL      UINT32_MAX
#define FIRST_CAP    64u
#define CAUSES_BYTES (CAUSES_MAX * ET_CAUSE_CODE)
#define ACCEPTS_MAX  (1u << 24)

/* Items by number, and open addressing over them: slots hold number + 1, at most half are used. */
struct index {
	uint32_t *slots;
	uint32_t slots_cap; /* a power of two */
	uint32_t cnt, cap, max;
};

struct et_peer_table {
	struct et_peer *peers;
	struct et_peer_cell *cells;
	uint32_t *order; /* numbers of peers, as long as peers */
	struct index peer_index, cell_index;
	struct et_dict *causes, *accepts;
	bool fixed;
	uint64_t refused;
	uint64_t seed;
	size_t cleared; /* bytes of slots, by et_peer_clear_some; 0 when it is not at work */
};

static uint64_t peer_hash(const struct et_peer_table *table, const struct et_peer *peer)
{
	return et_hash(peer->addr, sizeof(peer->addr), table->seed + peer->service);
}

static uint64_t cell_hash(const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	uint64_t key[2] = { (uint64_t)cell->kind << 56 | cell->key, cell->peer };

	return et_hash(key, sizeof(key), table->seed);
}

static uint64_t item_hash(const struct et_peer_table *table, bool is_peer, uint32_t i)
{
	return is_peer ? peer_hash(table, &table->peers[i]) : cell_hash(table, &table->cells[i]);
}

/* Makes cap slots, a power of two, and puts all items in again. */
static bool grow_slots(struct et_peer_table *table, struct index *index, bool is_peer, uint32_t cap)
{
	uint32_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	for (uint32_t i = 0; i < index->cnt; i++) {
		uint64_t at = item_hash(table, is_peer, i);

		while (slots[at & (cap - 1)] != 0)
			at++;
		slots[at & (cap - 1)] = i + 1;
	}
	free(index->slots);
	index->slots = slots;
	index->slots_cap = cap;
	return true;
}

static bool grow_peers(struct et_peer_table *table, uint32_t cap)
{
	struct et_peer *peers = reallocarray(table->peers, cap, sizeof(*peers));
	uint32_t *order;

	if (!peers)
		return false;
	table->peers = peers;
	order = reallocarray(table->order, cap, sizeof(*order));
	if (!order)
		return false;
	table->order = order;
	return true;
}

static bool grow_cells(struct et_peer_table *table, uint32_t cap)
{
	struct et_peer_cell *cells = reallocarray(table->cells, cap, sizeof(*cells));

	if (!cells)
		return false;
	table->cells = cells;
	return true;
}

/* Room for one more item and its slot. */
static bool make_room(struct et_peer_table *table, struct index *index, bool is_peer)
{
	uint32_t cap = index->cap ? index->cap * 2 : FIRST_CAP;

	if (index->cnt == index->max)
		return false;
	if (index->cnt == index->cap) {
		if (cap > index->max)
			cap = index->max;
		if (!(is_peer ? grow_peers(table, cap) : grow_cells(table, cap)))
			return false;
		index->cap = cap;
	}
	return index->cnt + 1 <= index->slots_cap / 2 ||
	       grow_slots(table, index, is_peer,
		       index->slots_cap ? index->slots_cap * 2 : 2 * FIRST_CAP);
}

static void put_slot(struct index *index, uint64_t hash)
{
	while (index->slots[hash & (index->slots_cap - 1)] != 0)
		hash++;
	index->slots[hash & (index->slots_cap - 1)] = ++index->cnt;
}

uint32_t peer_find(
	struct et_peer_table *table, const struct et_addr addr[static 2], uint8_t service)
{
	struct index *index = &table->peer_index;
	struct et_peer new = { .addr = { addr[0], addr[1] }, .cells = NO_CELL, .service = service };
	uint64_t hash = peer_hash(table, &new);
	uint32_t slot;

	for (uint64_t at = hash; index->slots_cap; at++) {
		const struct et_peer *peer;

		slot = index->slots[at & (index->slots_cap - 1)];
		if (slot == 0)
			break;
		peer = &table->peers[slot - 1];
		if (peer->service == service && memcmp(peer->addr, new.addr, sizeof(new.addr)) == 0)
			return slot - 1;
	}
	if (!make_room(table, index, true)) {
		table->refused++;
		return UINT32_MAX;
	}
	table->order[index->cnt] = index->cnt;
	table->peers[index->cnt] = new;
	put_slot(index, hash);
	return index->cnt - 1;
}

struct et_peer *peer_by_index(struct et_peer_table *table, uint32_t index)
{
	return &table->peers[index];
}

void peer_cell(struct et_peer_table *table, uint32_t peer, enum et_peer_kind kind, uint64_t key,
	uint64_t add)
{
	struct index *index = &table->cell_index;
	struct et_peer_cell new = { .kind = (uint8_t)kind, .peer = peer };
	uint64_t hash;

	new.key = key &((UINT64_C(1) << 56) - 1);
	hash = cell_hash(table, &new);
	for (uint64_t at = hash; index->slots_cap; at++) {
		uint32_t slot = index->slots[at & (index->slots_cap - 1)];
		struct et_peer_cell *cell;

		if (slot == 0)
			break;
		cell = &table->cells[slot - 1];
		if (cell->peer == peer && cell->kind == new.kind && cell->key == new.key) {
			peer_count(&cell->count, add);
			return;
		}
	}
	if (!make_room(table, index, false)) {
		table->refused++;
		return;
	}
	peer_count(&new.count, add);
	new.next = table->peers[peer].cells;
	table->peers[peer].cells = index->cnt;
	table->cells[index->cnt] = new;
	put_slot(index, hash);
}

uint64_t peer_cause_key(struct et_peer_table *table, struct et_view code)
{
	uint32_t id = et_dict_put(table->causes, NULL, code);

	if (id == ET_DICT_NONE)
		table->refused++;
	return id;
}

uint64_t peer_accept_key(struct et_peer_table *table, const struct et_peer_accept *accept)
{
	uint32_t id;

	static_assert(sizeof(*accept) == 16, "no padding in what is hashed");
	id = et_dict_put(table->accepts, NULL,
		(struct et_view){ .p = (const uint8_t *)accept, .n = sizeof(*accept) });
	if (id == ET_DICT_NONE)
		table->refused++;
	return id;
}

bool peer_is_fixed(const struct et_peer_table *table)
{
	return table->fixed;
}

struct et_peer_table *et_peer_table_new(uint32_t max_peers, uint32_t max_cells)
{
	struct et_peer_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->causes = et_dict_new(CAUSES_MAX, CAUSES_BYTES);
	table->accepts = et_dict_new(ACCEPTS_MAX, ACCEPTS_MAX * sizeof(struct et_peer_accept));
	if (!table->causes || !table->accepts) {
		et_peer_table_free(table);
		return NULL;
	}
	/* twice as many slots must fit 32 bits */
	table->peer_index.max = max_peers < UINT32_MAX / 4 ? max_peers : UINT32_MAX / 4;
	table->cell_index.max = max_cells < UINT32_MAX / 4 ? max_cells : UINT32_MAX / 4;
	table->seed = (uint64_t)(uintptr_t)table; /* no output depends on it */
	return table;
}

/* Slots for as many items as there may be. */
static uint32_t slots_for(uint32_t max)
{
	uint32_t cap = 2 * FIRST_CAP;

	while (cap / 2 < max)
		cap *= 2;
	return cap;
}

struct et_peer_table *et_peer_table_new_fixed(uint32_t max_peers, uint32_t max_cells)
{
	struct et_peer_table *table = et_peer_table_new(max_peers, max_cells);
	struct index *peers, *cells;

	if (!table)
		return NULL;
	table->fixed = true;
	peers = &table->peer_index;
	cells = &table->cell_index;
	if (!grow_peers(table, peers->max) || !grow_cells(table, cells->max) ||
		!grow_slots(table, peers, true, slots_for(peers->max)) ||
		!grow_slots(table, cells, false, slots_for(cells->max))) {
		et_peer_table_free(table);
		return NULL;
	}
	peers->cap = peers->max;
	cells->cap = cells->max;
	return table;
}

void et_peer_table_free(struct et_peer_table *table)
{
	if (!table)
		return;
	free(table->peers);
	free(table->cells);
	free(table->order);
	free(table->peer_index.slots);
	free(table->cell_index.slots);
	et_dict_free(table->causes);
	et_dict_free(table->accepts);
	free(table);
}

static void clear_index(struct index *index)
{
	index->cnt = 0;
	if (index->slots)
		memset(index->slots, 0, index->slots_cap * sizeof(*index->slots));
}

void et_peer_clear(struct et_peer_table *table)
{
	clear_index(&table->peer_index);
	clear_index(&table->cell_index);
	table->refused = 0;
}

bool et_peer_clear_some(struct et_peer_table *table, size_t bytes)
{
	struct index *all[] = { &table->peer_index, &table->cell_index };
	size_t from = 0;

	for (unsigned i = 0; i < 2 && bytes > 0; i++) {
		size_t size = all[i]->slots_cap * sizeof(*all[i]->slots);
		size_t at = table->cleared > from ? table->cleared - from : 0;

		if (at < size) {
			size_t n = size - at < bytes ? size - at : bytes;

			memset((uint8_t *)all[i]->slots + at, 0, n);
			table->cleared += n;
			bytes -= n;
		}
		from += size;
		all[i]->cnt = 0;
	}
	if (table->cleared < (all[0]->slots_cap + (size_t)all[1]->slots_cap) * sizeof(uint32_t))
		return false;
	table->cleared = 0;
	table->refused = 0;
	return true;
}

void et_peer_add_counts(struct et_peer_table *table, const struct et_addr addr[static 2],
	enum et_service service, const uint32_t counts[static ET_PEER_COUNT_MAX])
{
	uint32_t at = peer_find(table, addr, (uint8_t)service);

	for (size_t c = 0; at != UINT32_MAX && c < ET_PEER_COUNT_MAX; c++)
		peer_count(&table->peers[at].counts[c], counts[c]);
}

void et_peer_add_cell(struct et_peer_table *table, const struct et_addr addr[static 2],
	enum et_service service, enum et_peer_kind kind, uint64_t key, uint32_t count)
{
	uint32_t at = peer_find(table, addr, (uint8_t)service);

	if (at != UINT32_MAX)
		peer_cell(table, at, kind, key, count);
}

/* The key by which `to` knows what a cell of `from` counts; 0: it has no room for it (counted). */
static uint64_t translated(
	struct et_peer_table *to, const struct et_peer_table *from, const struct et_peer_cell *cell)
{
	struct et_peer_failure failure;
	struct et_peer_accept accept;

	switch ((enum et_peer_kind)cell->kind) {
	case ET_PEER_CAUSES: return peer_cause_key(to, et_peer_cause(from, cell));
	case ET_PEER_FAILURES:
		failure = et_peer_failure(from, cell);
		return peer_failure_key(
			peer_cause_key(to, failure.code), failure.confidence, failure.hello);
	case ET_PEER_ACCEPTS:
		accept = et_peer_accept(from, cell);
		return peer_accept_key(to, &accept);
	default: return cell->key;
	}
}

/* Whether each table numbers the keys of its own. */
static bool has_own_keys(enum et_peer_kind kind)
{
	return kind == ET_PEER_CAUSES || kind == ET_PEER_FAILURES || kind == ET_PEER_ACCEPTS;
}

void et_peer_merge(struct et_peer_table *to, const struct et_peer_table *from)
{
	for (uint32_t i = 0; i < from->peer_index.cnt; i++) {
		const struct et_peer *peer = &from->peers[i];
		uint32_t at = peer_find(to, peer->addr, peer->service);

		if (at == UINT32_MAX)
			continue;
		for (size_t c = 0; c < ET_PEER_COUNT_MAX; c++)
			peer_count(&to->peers[at].counts[c], peer->counts[c]);
		for (const struct et_peer_cell *cell = et_peer_next(from, peer, NULL); cell;
			cell = et_peer_next(from, peer, cell)) {
			enum et_peer_kind kind = (enum et_peer_kind)cell->kind;
			uint64_t key = translated(to, from, cell);

			if (key != 0 || !has_own_keys(kind))
				peer_cell(to, at, kind, key, cell->count);
		}
	}
	to->refused += from->refused;
}

uint64_t et_peer_refused(const struct et_peer_table *table)
{
	return table->refused;
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct et_peer *peers = ctx;
	const struct et_peer *x = &peers[*(const uint32_t *)a], *y = &peers[*(const uint32_t *)b];
	int order = et_addr_cmp(&x->addr[ET_CLIENT], &y->addr[ET_CLIENT]);

	if (order == 0)
		order = et_addr_cmp(&x->addr[ET_SERVER], &y->addr[ET_SERVER]);
	return order ? order : (int)x->service - (int)y->service;
}

void et_peer_sort(struct et_peer_table *table)
{
	if (table->peer_index.cnt > 1)
		qsort_r(table->order, table->peer_index.cnt, sizeof(*table->order), compare,
			table->peers);
}

uint32_t et_peer_cnt(const struct et_peer_table *table)
{
	return table->peer_index.cnt;
}

const struct et_peer *et_peer_at(const struct et_peer_table *table, uint32_t i)
{
	return &table->peers[table->order[i]];
}

const struct et_peer_cell *et_peer_next(const struct et_peer_table *table,
	const struct et_peer *peer, const struct et_peer_cell *cell)
{
	uint32_t next = cell ? cell->next : peer->cells;

	return next == NO_CELL ? NULL : &table->cells[next];
}

struct et_view et_peer_cause(const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	return et_dict_get(table->causes, (uint32_t)cell->key);
}

struct et_peer_failure et_peer_failure(
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	return (struct et_peer_failure){ .code = et_dict_get(
						 table->causes, (uint32_t)(cell->key >> 40)),
		.confidence = (enum et_confidence)(cell->key >> 32 & 0xff),
		.hello = (uint32_t)cell->key };
}

struct et_peer_accept et_peer_accept(
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	struct et_view bytes = et_dict_get(table->accepts, (uint32_t)cell->key);
	struct et_peer_accept accept = { 0 };

	if (bytes.n == sizeof(accept))
		memcpy(&accept, bytes.p, sizeof(accept));
	return accept;
}
