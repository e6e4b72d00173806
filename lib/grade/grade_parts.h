/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_GRADE_PARTS_H
#define ET_GRADE_PARTS_H

/* Private to the room. */

#include "et_grade.h"
#include "et_iana.h"

/* What a predicate looks at: one pair, or all pairs of a host together. */
struct look {
	const struct et_archive *archive;
	const struct et_grade_policy *policy;
	const struct et_archive_host *host;
	const struct et_archive_sums *sums;
	enum et_service service;
	uint32_t arg; /* the predicate's own */
};

struct hit {
	uint64_t sessions, of;
	enum et_confidence confidence; /* certain unless the predicate says other */
	char detail[ET_GRADE_DETAIL];
};

/* Sets *hit, made of zeros, if it holds: hit->sessions > 0. */
typedef void predicate_fn(struct hit *hit, const struct look *look);

/*
 * How a predicate is asked: of each pair, its sessions being added up; or once of the whole host,
 * and then of each pair only to tell which ones show it.
 */
enum scope { SCOPE_PAIR, SCOPE_HOST };

struct predicate {
	predicate_fn *fn;
	enum scope scope;
	uint32_t arg;
	/* suites: classes that the predicate is about, so that the suite's own letter is capped */
	uint32_t classes;
};
/* In the order of et_grade_predicates. */
extern const struct predicate predicates[];
size_t predicates_cnt(void);

/* Puts one more word into a detail, if there is room and it is not there yet. */
void detail_add(struct hit *hit, const char *word);

/* --- suites.c --- */

enum suite_class {
	CLASS_SSLV2 = 1 << 0,
	CLASS_SSLV3 = 1 << 1,
	CLASS_TLSV1_0 = 1 << 2,
	CLASS_TLSV1_1 = 1 << 3,
	CLASS_NULL = 1 << 4,
	CLASS_EXPORT = 1 << 5,
	CLASS_ANONYMOUS = 1 << 6,
	CLASS_RC4 = 1 << 7,
	CLASS_3DES = 1 << 8, /* and IDEA: blocks of 64 bits */
	CLASS_DES = 1 << 9,  /* and RC2: short keys */
	CLASS_MD5 = 1 << 10,
	CLASS_NO_FS = 1 << 11,
	CLASS_CBC = 1 << 12,
	CLASS_CBC_TLS10 = 1 << 13,
	CLASS_OTHER = 1 << 14, /* not in the policy's list */
};
uint32_t suite_classes(uint16_t version, uint32_t cipher, const struct et_grade_policy *policy);
/* -1: not known. */
int suite_bits(uint32_t cipher);
/* 'A' .. 'F' by strength alone; kx_bits 0: not known. 0 if cipher_bits is not. */
char strength_grade(uint32_t kx_bits, int cipher_bits);
/* RSA bits that are as strong as a group of an exchange, or as "rsa-2048"; 0: not known. */
uint32_t group_strength(uint16_t group);
uint32_t key_strength(const char *key);
/* "VERSION SUITE", a name of `version_ciphers`. */
bool version_cipher_parse(uint16_t *version, uint32_t *cipher, const char *name);
/* Fills suites and strength. */
void suites_fill(struct et_grade *out, const struct et_grade_policy *policy);
predicate_fn negotiated_class, weak_dh, weak_group, other_group, signed_weakly;

/* --- certs.c --- */
predicate_fn cert_expired, cert_early, cert_self_signed, cert_name, cert_key_weak, cert_signature;

/* --- servers.c --- */
predicate_fn has_count, has_trait, starttls_none, starttls_some, starttls_changes, tls_missing,
	tls_unavailable;
/* Arguments of has_count: a count, and what it is a part of. */
#define COUNT_OF(count, of) ((uint32_t)(count) | (uint32_t)(of) << 8)

/* --- clients.c --- */
enum offer {
	OFFER_SSLV2,
	OFFER_SSLV3,
	OFFER_NO_12,
	OFFER_NO_13,
	OFFER_COMPRESSION,
	OFFER_NO_EMS,
	OFFER_NO_RENEGOTIATION,
	OFFER_NO_FS,
	OFFER_SUITE, /* with a class */
};
#define OFFER_CLASS(class) ((uint32_t)OFFER_SUITE | (uint32_t)(class) << 8)
predicate_fn offers, tls_not_asked;
/* The highest version that a hello offers; 0: none that is known. */
uint16_t hello_highest(const struct et_tls_profile *hello);

/* --- order.c --- */
void preference_fill(struct et_grade_preference *out, const struct et_archive *archive,
	const struct et_archive_sums *sums, bool in13);

#endif
