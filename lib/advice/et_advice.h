/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ADVICE_H
#define ET_ADVICE_H

/*
 * advice: what would become of the sessions that were seen, if a server were configured otherwise.
 *
 * The archive says what clients offered and what they got; the nego room says what a configuration
 * would answer. Here the two are put together, for each server apart:
 *
 *  1. *Belief*: the configuration that the server seems to have. Its keys are those of the
 *     certificates that it showed. The rest is that of OpenSSL or of Postfix, whichever explains
 *     more of what was seen, with a lowest and a highest version if these showed.
 *  2. *Configuration*: the belief with the user's settings put over it.
 *  3. *Fate*: for each pair and hello, what was seen against what would be.
 *
 * Meaningful only for sessions in which the server is the one that is configured: where we are the
 * client, the other side decides. The caller leaves those out (et_archive_pair.direction "out").
 *
 * Nothing here is printed or kept: the caller owns all, the archive must outlive the context. A
 * context is for one thread.
 */

#include "et_archive.h"
#include "et_nego.h"

/* --- belief --- */

struct et_advice_belief {
	struct et_nego_config raw;    /* as set, for further settings: not finished */
	struct et_nego_config config; /* finished */
	const char *base;             /* preset that it is made from */
	const char
		*keys_from; /* "seen"; "other_service": at the same address; "assumed": rsa:2048 */
	/* Sessions that the belief was held against: established, or refused in negotiation. */
	uint64_t sessions;
	uint64_t agree; /* it gives the same outcome */
	uint64_t exact; /* and the same version and suite */
};

/* What beliefs are made from, read once: reading a preset takes milliseconds. */
#define ET_ADVICE_BASES 2
struct et_advice_bases {
	const char *names[ET_ADVICE_BASES];
	struct et_nego_config configs[ET_ADVICE_BASES]; /* not finished */
};
/* folder: of the presets. 0, -ENOMEM, or -ENOENT or -EINVAL with a sentence in `error`. */
int et_advice_bases_read(
	struct et_advice_bases *out, char error[static ET_NEGO_ERROR], const char *folder);

/* What the server seems to have. 0, -ENOMEM, or -EINVAL with a sentence in `error`. */
int et_advice_believe(struct et_advice_belief *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct et_archive_host *server,
	const struct et_advice_bases *bases);

/* --- configuration --- */

/* A name of et_nego_options with its value, or "preset". Borrowed. */
struct et_advice_setting {
	const char *name, *value;
};
struct et_advice_config {
	struct et_nego_config nego; /* finished */
	const char *base;           /* the last preset, or the belief's base */
	const char *keys_from;      /* "given", or as the belief's */
	bool complete; /* all that decides is given: the belief does not matter but for keys */
};

/*
 * Puts settings over a belief, in their order. Where there is a preset among them it goes over
 * OpenSSL's defaults and the belief's keys. A lowest version above the believed highest one raises
 * that, and the reverse. 0, -ENOMEM, or -ENOENT or -EINVAL with a sentence.
 */
int et_advice_configure(struct et_advice_config *out, char error[static ET_NEGO_ERROR],
	const struct et_advice_belief *belief, const struct et_advice_setting *settings, size_t cnt,
	const char *folder);

/* --- fate --- */

/* id, its name in JSON. */
#define ET_ADVICE_FATES(X)                                                       \
	X(SAME, "same")       /* has TLS and keeps it as it is */                \
	X(CHANGED, "changed") /* keeps TLS, with another version or suite */     \
	X(LOST, "lost")                                                          \
	X(GAINED, "gained")                                                      \
	X(REFUSED, "still_refused") /* had none, and would be refused as well */ \
	X(OTHER, "fails_otherwise") /* for a reason that is not negotiated */    \
	X(NO_TLS, "no_tls")         /* never came to TLS */                      \
	X(UNKNOWN, "unknown")
enum et_advice_fate {
#define X(id, name) ET_ADVICE_##id,
	ET_ADVICE_FATES(X)
#undef X
		ET_ADVICE_FATE_MAX,
};
const char *et_advice_fate_name(enum et_advice_fate fate);

/* Why a fate is UNKNOWN. */
#define ET_ADVICE_DOUBTS(X)                                                                      \
	X(NONE, "none")                                                                          \
	X(NO_HELLO, "hello_missing") /* no ClientHello was seen, or its row is not there */      \
	X(HELLO, "hello_not_judged") /* lists cut; only SSLv3, which OpenSSL has not */          \
	X(OUTCOME, "outcome_not_seen")                                                           \
	X(SERVER, "server_differs") /* what was seen is not what the believed server does */     \
	X(SUMS, "only_counted")     /* of older files, or lost in a ring: no hello by outcome */ \
	X(OUTBOUND, "outbound")     /* the other side is the server: never set here */
enum et_advice_doubt {
#define X(id, name) ET_ADVICE_DOUBT_##id,
	ET_ADVICE_DOUBTS(X)
#undef X
		ET_ADVICE_DOUBT_MAX,
};
const char *et_advice_doubt_name(enum et_advice_doubt doubt);

/* What is other than before: a set of bits. */
#define ET_ADVICE_VERSION   1u
#define ET_ADVICE_SUITE     2u
#define ET_ADVICE_FS_LOST   4u
#define ET_ADVICE_FS_GAINED 8u

/* Sessions of one pair that are alike. */
struct et_advice_case {
	const struct et_archive_pair *pair;
	const struct et_archive_hello *hello; /* NULL: not known */
	uint64_t sessions;
	uint8_t fate, doubt, changed;
	/* What was seen; version 0: not established. */
	uint16_t version, group;
	uint32_t cipher;
	const char *code; /* of the failures map, "CODE CONFIDENCE HELLO"; NULL if established */
	struct et_nego_verdict next; /* of no meaning without a profile of the hello */
};

struct et_advice;
struct et_advice *et_advice_new(const struct et_archive *archive); /* NULL: no memory */
void et_advice_free(struct et_advice *advice);                     /* NULL is allowed */
/* From now on pairs are judged by these two, which must outlive the next call. */
void et_advice_server(struct et_advice *advice, const struct et_advice_belief *belief,
	const struct et_advice_config *config);
/*
 * Judges all sessions of a pair; `see` gets each case once, the sessions of all cases together are
 * those of the pair. Cases of `accepts` first, then of `failures`, then what is left.
 */
void et_advice_pair(struct et_advice *advice, const struct et_archive_pair *pair,
	void (*see)(void *ctx, const struct et_advice_case *c), void *ctx);

/* Whether a failure's code may come from negotiation, as the hello and the configuration decide. */
enum et_advice_class {
	ET_ADVICE_NEGOTIATION, /* it does */
	ET_ADVICE_MAYBE,     /* a server may say so, or close so, when it finds nothing in common */
	ET_ADVICE_ELSEWHERE, /* certificates, STARTTLS, the client's end */
	ET_ADVICE_CLEAR,     /* no TLS was tried */
	ET_ADVICE_HIDDEN,    /* the end was not seen */
};
enum et_advice_class et_advice_class(const char *code);

/* --- sets of certificates --- */

/*
 * The sets among which advice searches: at most one key each of RSA (2048, 3072), ECDSA (P-256,
 * P-384), Ed25519; by number of keys, then by cost: P-256 before RSA 2048 before P-384 before RSA
 * 3072, and Ed25519 last, since public CAs do not issue it. "ecdsa:P-256,rsa:2048", as option cert.
 */
#define ET_ADVICE_SETS 17
extern const char *const et_advice_sets[ET_ADVICE_SETS];

#endif
