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
	struct facts_tally *tally; /* most frequent first */
	size_t tally_cnt;
	uint64_t totals[ET_PEER_COUNT_MAX];
	uint64_t one_direction; /* sessions */
};

/* 0 or -ENOMEM; facts_free in both cases. */
int facts_gather(struct facts *facts, const struct et_report *report);
void facts_free(struct facts *facts);

/* Names that logs use: suites by OpenSSL's name, IANA's, or digits. */
#define FACTS_NAME 96
void facts_version(char out[static FACTS_NAME], uint64_t key);
void facts_suite(char out[static FACTS_NAME], uint64_t key);
/* IANA's, or digits. */
void facts_suite_iana(char out[static FACTS_NAME], uint64_t key);

/* Why a peer's mail went in clear, as in the JSON; NULL if nothing tells. */
const char *facts_clear_reason(const struct et_peer *peer);

#endif
