/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SAMPLE_H
#define SAMPLE_H

/*
 * Sessions made by hand, and a policy that says what the test wants it to say: sample.c defines the
 * functions of et_policy.h itself, so that these tests ask what is written and not what is argued.
 */

#include "et_stats.h"

enum {
	SAMPLE_FAILED,  /* STARTTLS, handshake_failure, with a cause */
	SAMPLE_TLS12,   /* established, certificates, client certificate asked for */
	SAMPLE_TLS13,   /* established, encrypted certificates */
	SAMPLE_CLEAR,   /* mail in clear after the failure, AUTH in clear */
	SAMPLE_HOSTILE, /* names and certificate of bytes that want to do harm */
	SAMPLE_SILENT,  /* one direction, nothing known */
	SAMPLE_CNT,
};

#define SAMPLE_START_NS INT64_C(1795343467123456000) /* 2026-11-22T10:31:07.123456Z */

/* Bytes that no terminal and no JSON parser should meet as they are. */
#define SAMPLE_HOSTILE_NAME                       \
	"\x1b[2J\"\\\n\0\xff\xc2\x9b\xe2\x80\xae" \
	"evil"

struct sample {
	struct et_books books;
	struct et_session sessions[SAMPLE_CNT];
	struct et_policy *policy;
	struct et_stats_run run;
};

void sample_new(struct sample *sample);
void sample_free(struct sample *sample);

/* What policy is to say of a session. */
void sample_cause(struct sample *sample, size_t session, const char *code,
	enum et_confidence confidence, const char *why);

/* A chain that was sent otherwise and has the same leaf. */
uint32_t sample_same_leaf(struct sample *sample, uint32_t chain);

uint32_t sample_put(struct et_dict *dict, const void *p, size_t n);

#endif
