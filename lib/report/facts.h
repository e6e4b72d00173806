/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_REPORT_FACTS_H
#define ET_REPORT_FACTS_H

/* Private to the room: what both forms of the report say, in the order in which they say it. */

#include "et_report.h"

/* Sessions of one pair that one cause explains. */
struct facts_failure {
	size_t session; /* whose sentence is given */
	size_t first;   /* the first of them */
	uint64_t count;
};

/* Where the printed answer tells of a session. */
enum facts_section {
	FACTS_FAILED, /* TLS was tried or asked for, and did not come about */
	FACTS_CLEAR,  /* mail or credentials in clear, or TLS not even asked for */
	FACTS_HIDDEN, /* the capture does not show what became of it */
	FACTS_SECTIONS,
};

/* Sessions of one pair within a group. */
struct facts_member {
	size_t session; /* the first of those with the highest confidence: its sentence is given */
	uint64_t sessions, mails, logins;
	int64_t soonest_ns, latest_ns; /* delay after the failure; -1 without one */
	bool same_connection;          /* in clear on the connection on which TLS had failed */
	bool after_failure;            /* section CLEAR: this is the reason, not the cause */
	uint8_t section;               /* enum facts_section */
};

/*
 * What one sentence is said of. FAILED: one cause at one server and service; CLEAR: one reason;
 * HIDDEN: one cause.
 */
struct facts_group {
	size_t session;    /* as of a member */
	size_t first, cnt; /* in facts->members, the most affected first */
	uint64_t sessions, mails, logins;
};

struct facts_tally {
	uint64_t key; /* et_peer_cipher_key */
	uint64_t count;
};

struct facts {
	const struct et_peer **peers; /* most sessions first */
	size_t peers_cnt;
	const struct et_peer *
		*clear; /* those with mail or credentials in clear, most mails first */
	size_t clear_cnt;
	struct facts_failure *failures; /* most frequent first */
	size_t failures_cnt;
	struct facts_member *members;
	struct facts_group *groups[FACTS_SECTIONS]; /* most sessions (CLEAR: mails) first */
	size_t groups_cnt[FACTS_SECTIONS];
	size_t *fallbacks; /* sessions that fell back, by pair */
	size_t fallbacks_cnt;
	struct facts_tally *tally; /* most frequent first */
	size_t tally_cnt;
	uint64_t totals[ET_PEER_COUNT_MAX];
	uint64_t one_direction; /* sessions */
};

/* 0 or -ENOMEM; facts_free in both cases. */
int facts_gather(struct facts *facts, const struct et_report *report);
void facts_free(struct facts *facts);

/* Fills members, groups and fallbacks. 0 or -ENOMEM. */
int facts_group_all(struct facts *facts, const struct et_stats_run *run);
/* Order of pairs: client, server, service. */
int facts_pair_cmp(const struct et_session *x, const struct et_session *y);
/* The first session of the pair that fell back; -1 if none did. */
int64_t facts_fallback_of(
	const struct facts *facts, const struct et_stats_run *run, const struct et_session *pair);
/* The peer row of the session's pair; NULL if the table had no room for it. */
const struct et_peer *facts_peer_of(
	const struct et_report *report, const struct et_session *session);

/* What a cause's code says, in a few words; never NULL. */
const char *facts_headline(const char *code);
/* The code tells of a client that was never to have TLS; of a capture that hides the outcome. */
bool facts_is_clear(const char *code);
bool facts_is_hidden(const char *code);

/* Names that logs use: suites by OpenSSL's name, IANA's, or digits. */
#define FACTS_NAME 96
void facts_version(char out[static FACTS_NAME], uint64_t key);
void facts_suite(char out[static FACTS_NAME], uint64_t key);
/* IANA's, or digits. */
void facts_suite_iana(char out[static FACTS_NAME], uint64_t key);

/* Why a peer's mail went in clear, as in the JSON; NULL if nothing tells. */
const char *facts_clear_reason(const struct et_peer *peer);

#endif
