/* SPDX-License-Identifier: BSD-3-Clause */
#include "story_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

struct et_story_table *et_story_new(uint32_t max_cases)
{
	struct et_story_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->max = max_cases;
	table->cap = FIRST_CAP;
	table->used = 1;
	table->rows_cap = table->touched_cap = FIRST_CAP;
	table->minute = 1;
	table->entries = calloc(table->cap, sizeof(*table->entries));
	table->rows = calloc(table->rows_cap, sizeof(*table->rows));
	table->row_before = calloc(table->rows_cap, sizeof(*table->row_before));
	table->touched = calloc(table->touched_cap, sizeof(*table->touched));
	/* a seed that differs from run to run; no output depends on it */
	if (index_init(&table->index, (uint64_t)(uintptr_t)table) != 0 || !table->entries ||
		!table->rows || !table->row_before || !table->touched) {
		et_story_free(table);
		return NULL;
	}
	return table;
}

void et_story_free(struct et_story_table *table)
{
	if (!table)
		return;
	index_free(&table->index);
	free(table->entries);
	free(table->rows);
	free(table->row_before);
	free(table->touched);
	free(table);
}

static void take_out(struct et_story_table *table, uint32_t at)
{
	const struct entry *entry = &table->entries[at];

	if (entry->before)
		table->entries[entry->before].behind = entry->behind;
	else
		table->oldest = entry->behind;
	if (entry->behind)
		table->entries[entry->behind].before = entry->before;
	else
		table->newest = entry->before;
}

static void put_last(struct et_story_table *table, uint32_t at)
{
	struct entry *entry = &table->entries[at];

	entry->before = table->newest;
	entry->behind = 0;
	if (table->newest)
		table->entries[table->newest].behind = at;
	else
		table->oldest = at;
	table->newest = at;
}

/* Room for one more: a spare entry, or one that was never used. 0: no memory. */
static uint32_t get_place(struct et_story_table *table)
{
	uint32_t at = table->spare;

	if (at != 0) {
		table->spare = table->entries[at].behind;
		return at;
	}
	if (table->used == table->cap) {
		struct entry *entries =
			reallocarray(table->entries, 2 * (size_t)table->cap, sizeof(*entries));

		if (!entries)
			return 0;
		table->entries = entries;
		table->cap *= 2;
	}
	return table->used++;
}

uint32_t cases_new(struct et_story_table *table)
{
	uint32_t at;

	if (table->cnt == table->max) {
		struct entry *oldest = &table->entries[table->oldest];

		table->dropped++;
		if (oldest->known.open && rows_close(table, oldest, ET_STORY_DROPPED) != 0)
			return 0;
		cases_free(table, table->oldest);
	}
	at = get_place(table);
	if (at == 0)
		return 0;
	table->entries[at] = (struct entry){ .used = true };
	put_last(table, at);
	table->cnt++;
	return at;
}

void cases_free(struct et_story_table *table, uint32_t at)
{
	struct entry *entry = &table->entries[at];

	index_drop(&table->index, &entry->keys);
	take_out(table, at);
	*entry = (struct entry){ .behind = table->spare };
	table->spare = at;
	table->cnt--;
	table->changed = true;
}

void cases_renew(struct et_story_table *table, uint32_t at, int64_t since_ns)
{
	take_out(table, at);
	put_last(table, at);
	table->entries[at].known.since_ns = since_ns;
}

/* Whether any of its servers failed within the days before now_ns. */
static bool has_fresh(struct et_story_case *known, int64_t now_ns)
{
	bool any = false;

	for (unsigned i = 0; i < known->servers_cnt; i++) {
		struct et_story_pair *pair = &known->servers[i].pair;

		if (time_between(pair->failed_ns, now_ns) >= STORY_NS)
			*pair = (struct et_story_pair){ 0 };
		any = any || pair->failed;
	}
	return any;
}

int cases_expire(struct et_story_table *table, int64_t now_ns)
{
	while (table->oldest) {
		uint32_t at = table->oldest;
		struct entry *entry = &table->entries[at];

		if (time_between(entry->known.since_ns, now_ns) < STORY_NS)
			return 0;
		table->changed = true;
		if (entry->known.open) {
			entry->known.story.closed_ns = entry->known.since_ns + STORY_NS;
			if (rows_close(table, entry, ET_STORY_STUCK) != 0)
				return -ENOMEM;
		}
		if (has_fresh(&entry->known, now_ns))
			cases_renew(table, at, now_ns);
		else
			cases_free(table, at);
	}
	return 0;
}

/* ---- to go on in another process ---- */

uint32_t et_story_cases(const struct et_story_table *table)
{
	return table->cnt;
}

const struct et_story_case *et_story_next_case(
	const struct et_story_table *table, const struct et_story_case *before)
{
	uint32_t at = before ? ((const struct entry *)before)->behind : table->oldest;

	return at ? &table->entries[at].known : NULL;
}

bool et_story_changed(struct et_story_table *table)
{
	bool changed = table->changed;

	table->changed = false;
	return changed;
}

uint32_t et_story_open_cnt(const struct et_story_table *table)
{
	return table->open;
}

uint64_t et_story_dropped_cnt(const struct et_story_table *table)
{
	return table->dropped;
}
