/* SPDX-License-Identifier: BSD-3-Clause */
#include "story_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Stories that are over faster than that may share a row. */
#define SHORT_NS ET_NS_PER_MIN
/* Rows of the same entry that are looked at for one to share: bounded work. */
#define LOOK_BACK 8

const char *et_story_how_name(enum et_story_how how)
{
	static const char *const names[ET_STORY_HOW_MAX] = { "open", "clear", "tls", "stuck",
		"dropped" };

	return names[how];
}

/* The rows that were handed out are over. */
static void begin_minute(struct et_story_table *table)
{
	if (!table->told)
		return;
	table->told = false;
	table->rows_cnt = 0;
	table->minute++;
}

static bool is_short(const struct et_story *story)
{
	return (story->how == ET_STORY_CLEAR || story->how == ET_STORY_TLS) &&
	       story->delay_max_ns < SHORT_NS;
}

/* Whether two stories of one case differ in nothing but their times. */
static bool is_alike(const struct et_story *a, const struct et_story *b)
{
	return a->how == b->how && a->same_connection == b->same_connection &&
	       a->servers_cnt == b->servers_cnt &&
	       memcmp(a->servers, b->servers, a->servers_cnt * sizeof(a->servers[0])) == 0 &&
	       memcmp(&a->closed_by, &b->closed_by, sizeof(a->closed_by)) == 0 &&
	       strcmp(a->cause, b->cause) == 0 && strcmp(a->hello, b->hello) == 0;
}

static void merge(struct et_story *row, const struct et_story *story)
{
	if (row->stories < UINT32_MAX)
		row->stories++;
	row->attempts = row->attempts > UINT32_MAX - story->attempts
				? UINT32_MAX
				: row->attempts + story->attempts;
	if (story->opened_ns < row->opened_ns)
		row->opened_ns = story->opened_ns;
	if (story->last_ns > row->last_ns)
		row->last_ns = story->last_ns;
	if (story->closed_ns > row->closed_ns)
		row->closed_ns = story->closed_ns;
	row->delay_ns += story->delay_ns; /* each is below a minute: 2^32 of them fit */
	if (story->delay_max_ns > row->delay_max_ns)
		row->delay_max_ns = story->delay_max_ns;
}

static int grow(struct et_story_table *table)
{
	size_t cap = 2 * (size_t)table->rows_cap;
	struct et_story *rows = reallocarray(table->rows, cap, sizeof(*rows));
	uint32_t *before;

	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	before = reallocarray(table->row_before, cap, sizeof(*before));
	if (!before)
		return -ENOMEM;
	table->row_before = before;
	table->rows_cap = (uint32_t)cap;
	return 0;
}

static int append(struct et_story_table *table, struct entry *entry, const struct et_story *story)
{
	if (table->rows_cnt == table->rows_cap && grow(table) != 0)
		return -ENOMEM;
	table->rows[table->rows_cnt] = *story;
	table->row_before[table->rows_cnt] = entry->row;
	entry->row = ++table->rows_cnt;
	return 0;
}

int rows_close(struct et_story_table *table, struct entry *entry, enum et_story_how how)
{
	struct et_story *story = &entry->known.story;
	uint32_t at;

	begin_minute(table);
	if (entry->row_minute != table->minute) {
		entry->row_minute = table->minute;
		entry->row = 0;
	}
	story->how = (uint8_t)how;
	entry->known.open = false;
	table->open--;
	table->changed = true;
	at = is_short(story) ? entry->row : 0;
	for (unsigned i = 0; i < LOOK_BACK && at != 0; i++, at = table->row_before[at - 1]) {
		struct et_story *row = &table->rows[at - 1];

		if (is_short(row) && is_alike(row, story)) {
			merge(row, story);
			return 0;
		}
	}
	return append(table, entry, story);
}

int rows_touch(struct et_story_table *table, struct entry *entry)
{
	begin_minute(table);
	table->changed = true;
	if (entry->touched)
		return 0;
	if (table->touched_cnt == table->touched_cap) {
		size_t cap = 2 * (size_t)table->touched_cap;
		uint32_t *touched = reallocarray(table->touched, cap, sizeof(*touched));

		if (!touched)
			return -ENOMEM;
		table->touched = touched;
		table->touched_cap = (uint32_t)cap;
	}
	entry->touched = true;
	table->touched[table->touched_cnt++] = (uint32_t)(entry - table->entries);
	return 0;
}

static int number_cmp(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int story_cmp(const void *p, const void *q)
{
	const struct et_story *a = p, *b = q;
	int rc = et_addr_cmp(&a->client, &b->client);

	rc = rc ? rc : number_cmp(a->service, b->service);
	rc = rc ? rc : number_cmp(a->opened_ns, b->opened_ns);
	rc = rc ? rc : et_addr_cmp(&a->servers[0], &b->servers[0]);
	rc = rc ? rc : number_cmp(a->closed_ns, b->closed_ns);
	rc = rc ? rc : number_cmp(a->how, b->how);
	rc = rc ? rc : number_cmp(a->same_connection, b->same_connection);
	rc = rc ? rc : strcmp(a->cause, b->cause);
	return rc ? rc : strcmp(a->hello, b->hello);
}

const struct et_story *et_story_minute(struct et_story_table *table, size_t *cnt, int64_t end_ns)
{
	*cnt = 0;
	begin_minute(table);
	if (cases_expire(table, end_ns > INT64_MIN ? end_ns - 1 : end_ns) != 0)
		return NULL;
	for (uint32_t i = 0; i < table->touched_cnt; i++) {
		struct entry *entry = &table->entries[table->touched[i]];

		if (!entry->touched) /* it has gone since */
			continue;
		entry->touched = false;
		if (entry->known.open && append(table, entry, &entry->known.story) != 0)
			return NULL;
	}
	table->touched_cnt = 0;
	table->told = true;
	qsort(table->rows, table->rows_cnt, sizeof(*table->rows), story_cmp);
	*cnt = table->rows_cnt;
	return table->rows;
}
