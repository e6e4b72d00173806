/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_POLICY_H
#define ET_POLICY_H

/*
 * policy: why a session ended as it did, argued from all records. Pure functions; not for the poll
 * loop. The list of causes with what to do about each is docs/causes.md.
 */

#include "et_crypto.h"
#include "et_session.h"
#include "et_story.h"

#define ET_CAUSE_CODE 64
#define ET_CAUSE_WHY  400

struct et_cause {
	char code[ET_CAUSE_CODE]; /* "no_shared_cipher/certificate_curve"; "": no cause to give */
	enum et_confidence confidence;
	char why[ET_CAUSE_WHY]; /* one sentence or two for an operator */
};

/* One parsed certificate chain; position 0 is the leaf. */
#define ET_CHAIN_MAX 16
struct et_chain {
	size_t cnt;
	const struct et_cert *certs[ET_CHAIN_MAX];
};

/*
 * What all the records together say, built once when they are complete. Sorted sessions in,
 * borrowed until et_policy_free. cause/fallback are per session, by index into sessions.
 */
struct et_policy;
struct et_policy *et_policy_new(
	const struct et_books *books, const struct et_session *sessions, size_t cnt);
void et_policy_free(struct et_policy *policy);

const struct et_cause *et_policy_cause(const struct et_policy *policy, size_t session);
/* As et_story_pair_step says of the session's pair, from these sessions alone. */
struct et_fallback et_policy_fallback(const struct et_policy *policy, size_t session);
/* The parsed chain of an id in books->chains. NULL for ET_DICT_NONE. */
const struct et_chain *et_policy_chain(const struct et_policy *policy, uint32_t chain);

#endif
