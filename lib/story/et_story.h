/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STORY_H
#define ET_STORY_H

/*
 * story: what a client did after its TLS had failed: it tried again, went on in clear, got TLS
 * elsewhere, or never came back.
 *
 * A *story* is of one (client, service) and of the servers that stand for each other. It is opened
 * by the first failure and counts the attempts; it is closed by mail in clear (on the connection
 * that failed or on a new one), by TLS, or by neither within seven days. Its delay counts from the
 * first failure: a Postfix fails once more before it delivers in clear.
 *
 * Servers stand for each other if they have the same address, are all gateways of the sensor
 * (they are MXs of one site), or greet with the same qualified name (one host with several
 * addresses). Not if they are neighbours in a network: a provider's /24 holds servers of many
 * sites, and a failure at one would be ended by a delivery to another.
 *
 * Beside the stories the table answers the narrower question of the session records: whether this
 * session carried mail in clear after TLS of the very pair had failed (struct et_fallback).
 *
 * Order: sessions are told in the order of et_story_cmp, since what a client does follows from
 * failures that are over. Then the same sessions give the same rows, however they are cut into
 * minutes and processes. A session told late is used as far as it still can be.
 *
 * Bounds: at most max_cases (client, service, servers) that failed in the last seven days; of more,
 * the oldest goes, its story is closed as DROPPED, and that is counted. Eight servers of a case.
 *
 * Plain data and no clock; one thread. The caller owns all inputs, nothing of them is kept.
 */

#include "et_session.h"

/* Cases of the minute files: some 30 MB. Both programs that write these take the same number. */
#define ET_STORY_MAX 65536u
/* Queues give a mail up after two (Exchange) to five days (Postfix, Sendmail). */
#define ET_STORY_DAYS    7
#define ET_STORY_SERVERS 8
#define ET_STORY_NAMES   4
#define ET_STORY_CAUSE   64
#define ET_STORY_HELLO   33

/* For a session that carried mail in clear after the same pair's TLS had failed. */
struct et_fallback {
	bool is;
	bool same_connection;
	int64_t after_ns; /* start of the first failed session */
	int64_t delay_ns; /* from that start to this session's start; 0 on the same connection */
};

enum et_story_how {
	ET_STORY_OPEN,    /* not ended yet */
	ET_STORY_CLEAR,   /* mail went in clear */
	ET_STORY_TLS,     /* TLS was established */
	ET_STORY_STUCK,   /* neither for seven days */
	ET_STORY_DROPPED, /* given up: the table was full */
	ET_STORY_HOW_MAX,
};
/* "open", "clear", "tls", "stuck", "dropped". */
const char *et_story_how_name(enum et_story_how how);

/*
 * A row of a minute file: a story as it stood at the minute's end. Stories of one case that were
 * over within a minute of their beginning, and alike in all but times, are one row.
 */
struct et_story {
	struct et_addr client;
	struct et_addr servers[ET_STORY_SERVERS]; /* at which TLS failed, the first failure first */
	struct et_addr closed_by;                 /* server of the session that ended it */
	uint8_t service, how;                     /* enum et_service, enum et_story_how */
	uint8_t servers_cnt;
	bool same_connection; /* CLEAR: TLS failed, or was refused, on the very connection */
	uint32_t stories;     /* 1, or how many this row stands for */
	uint32_t attempts;    /* sessions whose TLS failed, of all of them */
	int64_t opened_ns;    /* start of the first failed session */
	int64_t last_ns;      /* start of the last failed session */
	int64_t closed_ns; /* CLEAR, TLS: start of that session; STUCK: when the days were over */
	int64_t delay_ns;  /* CLEAR, TLS: from opened to closed; the sum of all stories */
	int64_t delay_max_ns;
	char cause[ET_STORY_CAUSE]; /* of the first failure; "": none */
	char hello[ET_STORY_HELLO]; /* its ClientHello's id in records; "": none was seen */
};

/* One session, and what else has to be said of it. */
struct et_story_event {
	const struct et_session *session;
	const char *cause; /* code; NULL or "": none */
	const char *hello; /* id in records; NULL or "": none. Asked for only if it failed */
	struct et_view server_name; /* of the greeting */
	bool gateway;               /* the server is one of the sensor's own */
};

struct et_story_table;
/* max_cases > 0. NULL when memory is short. Memory grows as it is needed. */
struct et_story_table *et_story_new(uint32_t max_cases);
void et_story_free(struct et_story_table *table); /* NULL is allowed */

/*
 * TLS was tried, or asked for, and the client did not get it. A capture that hides the end proves
 * nothing, nor does a connection that was still open or went silent: it may have gone well.
 */
bool et_story_failed(const struct et_session *session);
/* Services by which mail is handed in; of others there are no stories. */
bool et_story_concerns(const struct et_session *session);
/* The order in which sessions are told: when they were decided, then that of et_session_cmp. */
int et_story_cmp(const struct et_session *a, const struct et_session *b);

/* What is known of one (client, server, service); zeroed at first. */
struct et_story_pair {
	bool failed;       /* TLS did, since it was established last */
	bool fell_back;    /* mail went in clear since */
	int64_t failed_ns; /* start of the first session that failed */
};
/* Goes on by one session of the pair. */
struct et_fallback et_story_pair_step(struct et_story_pair *pair, const struct et_session *session);

/* Goes on by one session. 0, or -ENOMEM: then the table can only be freed. */
int et_story_step(
	struct et_story_table *table, struct et_fallback *out, const struct et_story_event *event);

/*
 * The rows of a minute that is over at end_ns: stories that were closed since the last call, and
 * the open ones that changed. Sorted by client, service and time; they live until the next call or
 * step. NULL when memory is short.
 */
const struct et_story *et_story_minute(struct et_story_table *table, size_t *cnt, int64_t end_ns);

uint32_t et_story_open_cnt(const struct et_story_table *table);
uint64_t et_story_dropped_cnt(const struct et_story_table *table); /* cases, since the beginning */

/* ---- to go on in another process ---- */

/* What is known of one (client, service) at some servers. */
struct et_story_case {
	struct et_story story; /* how is OPEN if `open`, else only client and service count */
	bool open;
	bool gateway;     /* its servers are the sensor's gateways */
	int64_t since_ns; /* when its last story was opened: seven days from here it is over */
	uint8_t servers_cnt, names_cnt;
	struct et_story_server {
		struct et_addr addr;
		struct et_story_pair pair;
	} servers[ET_STORY_SERVERS];
	uint64_t names[ET_STORY_NAMES]; /* by which the servers greet: hashes */
};

uint32_t et_story_cases(const struct et_story_table *table);
/* All of them, oldest first: NULL gives the first; NULL behind the last. Valid until a step. */
const struct et_story_case *et_story_next_case(
	const struct et_story_table *table, const struct et_story_case *before);
/* Puts a case back, behind those that are there. 0, -EINVAL: it contradicts itself; -ENOMEM. */
int et_story_restore(struct et_story_table *table, const struct et_story_case *known);
/* Whether anything has changed since the table was made, or this was asked last. */
bool et_story_changed(struct et_story_table *table);

#endif
