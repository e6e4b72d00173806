/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STORY_PARTS_H
#define ET_STORY_PARTS_H

/* What the files of the story room share. Entries and nodes are numbers in arrays, 0 is none. */

#include "et_story.h"

/* --- index.c: which entry a session belongs to --- */

enum key_kind {
	KEY_ADDR,    /* what: the server's address */
	KEY_NAME,    /* what: a hash of its name */
	KEY_GATEWAY, /* what: nothing */
};

struct key {
	uint8_t client[16], what[16];
	uint8_t service, kind;
};
static_assert(sizeof(struct key) == 34, "keys are compared as bytes");

struct node {
	struct key key;
	uint32_t entry;
	uint32_t next;    /* of the same slot, or the next free one */
	uint32_t sibling; /* of the same entry */
};

struct index {
	struct node *nodes; /* from 1 on */
	uint32_t nodes_cap, used, spare;
	uint32_t *slots; /* a power of two */
	uint32_t slots_cap;
	uint64_t seed;
};

int index_init(struct index *index, uint64_t seed); /* 0 or -ENOMEM */
void index_free(struct index *index);
uint32_t index_find(const struct index *index, const struct key *key);
/* Adds a key that is not there to the entry's own list. 0 or -ENOMEM. */
int index_add(struct index *index, const struct key *key, uint32_t entry, uint32_t *list);
/* Forgets all keys of a list. */
void index_drop(struct index *index, uint32_t *list);

/* --- cases.c: the entries, and the queue of their age --- */

struct entry {
	struct et_story_case known; /* the first member: et_story_next_case */
	uint32_t before, behind;    /* in the queue; behind: of spare ones the next */
	uint32_t keys;              /* list in the index */
	uint32_t row;               /* its last row of this minute, from 1 on; 0: none */
	uint32_t row_minute;        /* for which `row` holds */
	bool used, touched;
};

struct et_story_table {
	struct entry *entries; /* from 1 on */
	uint32_t cap, max, used, spare, cnt;
	uint32_t oldest, newest;
	struct index index;
	uint32_t open;
	uint64_t dropped;
	bool changed;
	/* this minute's rows, rows.c */
	struct et_story *rows;
	uint32_t *row_before; /* the row of the same entry before it */
	uint32_t rows_cnt, rows_cap;
	uint32_t *touched; /* entries */
	uint32_t touched_cnt, touched_cap;
	uint32_t minute; /* counts up */
	bool told;       /* the rows have been handed out: the next one begins a minute */
};

/* A new entry at the queue's end; the oldest goes if there are too many. 0: no memory. */
uint32_t cases_new(struct et_story_table *table);
void cases_free(struct et_story_table *table, uint32_t at);
/* To the queue's end. */
void cases_renew(struct et_story_table *table, uint32_t at, int64_t since_ns);
/* What is over at now_ns goes. 0 or -ENOMEM. */
int cases_expire(struct et_story_table *table, int64_t now_ns);

/* --- keys.c: which case a session belongs to --- */

/* The entry of the session's client, service and server; 0: there is none. */
uint32_t keys_find(const struct et_story_table *table, const struct et_story_event *event);
/* A new entry for it. 0: no memory. */
uint32_t keys_begin(struct et_story_table *table, const struct et_story_event *event);
/* The server of a session that failed becomes one of the entry. NULL: no memory. */
struct et_story_server *keys_join(
	struct et_story_table *table, uint32_t at, const struct et_story_event *event);
/* NULL: it is none of the case. */
struct et_story_server *keys_server(struct et_story_case *known, const struct et_addr *addr);

/* --- rows.c --- */

/* The entry's story has ended: a row, or one more story in a row that is there. 0 or -ENOMEM. */
int rows_close(struct et_story_table *table, struct entry *entry, enum et_story_how how);
/* The entry's open story has changed. 0 or -ENOMEM. */
int rows_touch(struct et_story_table *table, struct entry *entry);

/* from <= to: the time between, stopping at the end of 63 bits. */
static inline int64_t time_between(int64_t from_ns, int64_t to_ns)
{
	uint64_t ns = (uint64_t)to_ns - (uint64_t)from_ns;

	if (to_ns < from_ns)
		return 0;
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

#define STORY_NS (ET_STORY_DAYS * 24 * 60 * ET_NS_PER_MIN)

#endif
