/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TALES_H
#define TALES_H

/*
 * The fallback rows of minute files (docs/records.md), put together: of the rows of one story the
 * last counts. Add rows in any order, then finish once, then look.
 *
 * Bounded: rows beyond TALES_MAX are counted in `refused`. One thread.
 */

#include "et_archive.h"

struct json_t;

#define TALES_MAX (UINT32_C(1) << 22)

/* What a row says, in short. */
struct tale {
	struct et_addr client, server; /* server: the first at which TLS failed */
	struct et_addr closed_by;
	int64_t opened_ns, last_ns, closed_ns; /* closed_ns: 0 if open or dropped */
	int64_t delay_ns, delay_max_ns;        /* mean and longest */
	uint32_t stories, attempts;
	uint32_t sensor, cause, hello; /* ids in texts; 0: none */
	uint8_t service, how;          /* enum et_service, enum et_story_how */
	uint8_t servers_cnt;
	bool same_connection;
	bool other_server; /* ended at another server than the first */
};

/* How the stories of some rows ended, and how long that took. */
struct tale_sums {
	uint64_t stories, attempts;
	uint64_t how[ET_STORY_HOW_MAX];
	uint64_t same_connection, clear_elsewhere, tls_elsewhere;
	uint64_t tried_once; /* of those that are open, stuck or dropped */
	int64_t first_ns, last_ns;
};

/* The stories of one client, server and service: v[from..until) of the tales. */
struct tale_peer {
	size_t from, until;
	struct tale_sums sums;
	const struct et_archive_pair *pair; /* NULL: no row of it is in the files */
};

struct tales {
	struct tale *v;
	size_t cnt, cap;
	struct et_dict *texts;
	uint64_t refused, damaged; /* rows without room; rows that cannot be believed */
	/* filled by tales_finish */
	struct tale_peer *peers; /* most stories first */
	size_t peers_cnt;
	struct tale_sums sums;
	bool out_of_memory;
};

int tales_init(struct tales *tales); /* 0 or -ENOMEM */
void tales_free(struct tales *tales);

/* A row of any type; others than "fallback" are passed over. As answer_rows.take. */
void tales_take(void *tales, const char *type, const char *sensor, int64_t minute_ns,
	const struct json_t *row);

/* Keeps the last word on each story, and those that `wants` lets through. 0 or -ENOMEM. */
int tales_finish(struct tales *tales, const struct et_archive *archive,
	bool (*wants)(const void *ctx, const struct et_archive_pair *pair), const void *ctx);

const char *tales_text(const struct tales *tales, uint32_t id); /* NULL for 0 */

/*
 * Delays until mail went in clear on a new connection, of v[from..until): sorted, each with how
 * many stories it stands for. *total: of all. free() it; NULL when memory is short.
 */
struct tale_delay {
	int64_t ns;
	uint64_t stories;
};
struct tale_delay *tales_delays(
	size_t *cnt, uint64_t *total, const struct tales *tales, size_t from, size_t until);
/* The delay within which `per_cent` of 100 stories were over. total > 0. */
int64_t delays_quantile(
	const struct tale_delay *delays, size_t cnt, uint64_t total, unsigned per_cent);

/* Causes of v[from..until) with how many stories each began; most frequent first. */
struct tale_cause {
	uint32_t cause; /* 0: none to give */
	uint64_t stories;
};
struct tale_cause *tales_causes(size_t *cnt, const struct tales *tales, size_t from, size_t until);

#endif
