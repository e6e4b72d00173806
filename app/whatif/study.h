/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STUDY_H
#define STUDY_H

/*
 * What becomes of all sessions in scope: by server, by pair, by case. Filled once, then looked at.
 * The archive must outlive it. One thread.
 */

#include "answer_inputs.h"
#include "et_advice.h"
#include "tales.h"

#define STUDY_CHANGES 4 /* bits of et_advice_case.changed */

/* What a peer did after its TLS had failed. */
enum study_habit {
	HABIT_CLEAR, /* went on in clear, at least once */
	HABIT_STUCK, /* came back with neither */
	HABIT_TLS,   /* got TLS later */
	HABIT_UNKNOWN,
	HABIT_MAX,
};
const char *study_habit_name(enum study_habit habit); /* "clear", "stuck", "tls", "unknown" */

struct study_sums {
	uint64_t peers, sessions, established, clear_mail;
	struct study_share {
		uint64_t peers, sessions, clear_mail;
	} fates[ET_ADVICE_FATE_MAX], changes[STUDY_CHANGES], doubts[ET_ADVICE_DOUBT_MAX];
	struct study_share habits[HABIT_MAX]; /* of those who lose TLS */
};

struct study_pair {
	const struct et_archive_pair *pair;
	uint32_t server;    /* of study.servers */
	size_t from, until; /* cases */
	uint64_t fates[ET_ADVICE_FATE_MAX];
	size_t worst; /* case with most sessions that lose, gain or stay refused; SIZE_MAX: none */
	uint8_t habit;
	bool same_connection; /* HABIT_CLEAR: also on the very connection */
	int64_t delay_ns; /* HABIT_CLEAR, HABIT_TLS: half of it within this time; -1: not known */
};

struct study_server {
	const struct et_archive_host *host;
	struct et_nego_config *config;
	const char *base, *keys_from;
	bool complete;
	uint64_t held, agree, exact; /* as in et_advice_belief */
	struct study_sums sums;
};

/* Sessions that keep TLS and change. */
struct study_change {
	uint64_t sessions;
	uint32_t cipher;
	uint16_t version, to_version, to_cipher;
};

struct study {
	const struct et_archive *archive;
	struct study_server *servers; /* by address and service */
	struct study_pair *pairs;     /* most lost sessions first, then most sessions */
	struct et_advice_case *cases;
	struct study_change *changes; /* most sessions first */
	size_t servers_cnt, pairs_cnt, cases_cnt, changes_cnt;
	struct study_sums sums;
};

/* 0, or an error with a sentence in `error` (-ENOMEM: without). */
int study_make(struct study *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct answer_options *options,
	const struct et_advice_setting *settings, size_t cnt);
void study_free(struct study *study);

/* Fills in the habits, from stories and else from the pairs' minutes. 0 or -ENOMEM. */
int study_habits(struct study *study, const struct tales *tales);

#endif
