/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_GRADE_H
#define ET_GRADE_H

/*
 * grade: servers and clients judged by what they were seen to do.
 *
 * A *predicate* is one thing that can be seen in the sums of an archive: "3DES was negotiated", "the
 * certificate had expired". Predicates are code, a table of names. What a predicate weighs is not:
 * a *policy* is a file that gives, for each role of a server (and for clients), the severity of each
 * predicate, the best grade that is left with it, and who says so; policies/README has the format.
 * A predicate that held, and that the policy has a rule for, is a *finding*.
 *
 * The grade is a letter, A to F: that of the weakest suite that was negotiated, by the strength of
 * its cipher and of its key exchange, and not above the cap of any finding. docs/grades.md has the
 * arithmetic. Findings that are only possible do not cap.
 *
 * All that is said rests on sessions that were seen; what cannot be seen is said to be unseen.
 *
 * The caller owns all structs; what they point to belongs to the policy and the archive. A policy
 * that is loaded and an archive that is finished are read only: several threads may judge.
 */

#include "et_archive.h"

/* ---- policies ---- */

enum et_grade_role {
	ET_GRADE_MTA, /* smtp, lmtp: takes mail from other servers, TLS is opportunistic */
	ET_GRADE_MSA, /* submission, smtps: takes mail from users */
	ET_GRADE_MDA, /* imap(s), pop3(s), sieve: gives mail to users */
	ET_GRADE_CLIENT,
	ET_GRADE_ROLES,
};
/* "mta" ... "client" */
const char *et_grade_role_name(enum et_grade_role role);
/* False for ET_SERVICE_NONE: nobody knows what such a server is for. */
bool et_grade_role_of(enum et_grade_role *out, enum et_service service);

enum et_grade_severity {
	ET_GRADE_OFF, /* the policy does not mind */
	ET_GRADE_INFO,
	ET_GRADE_LOW,
	ET_GRADE_MEDIUM,
	ET_GRADE_HIGH,
	ET_GRADE_CRITICAL,
	ET_GRADE_SEVERITIES,
};
const char *et_grade_severity_name(enum et_grade_severity severity);

/* A predicate's names: for files, and for people. The table ends with id NULL. */
struct et_grade_predicate {
	const char *id, *title;
	bool of_client; /* in section [client]; else in [mta], [msa] and [mda] */
};
extern const struct et_grade_predicate et_grade_predicates[];
#define ET_GRADE_PREDICATES 80 /* room for them all */

#define ET_GRADE_REFERENCE 192
struct et_grade_rule {
	enum et_grade_severity severity;
	char cap; /* 'A' .. 'F'; 0: none */
	char reference[ET_GRADE_REFERENCE];
};

#define ET_GRADE_SUITES 128
struct et_grade_policy {
	char name[64], summary[256], source[512];
	uint32_t few; /* sessions with TLS below which a grade rests on few; 0: never */
	/* Suites and groups by IANA's number; none: all are in order. */
	uint16_t suites[ET_GRADE_SUITES], groups[ET_GRADE_SUITES];
	size_t suites_cnt, groups_cnt;
	struct et_grade_rule rules[ET_GRADE_ROLES][ET_GRADE_PREDICATES];
};

/*
 * Where the policies are: $EHLOTAP_POLICIES, or where they were installed, or in the build folder.
 * Valid until the next call.
 */
const char *et_grade_folder(void);

/*
 * Reads NAME.ini of the folder, or the file at a path with a slash in it. 0; -ENOENT, -EINVAL or
 * -errno with a sentence in error, and *out is not to be used.
 */
#define ET_GRADE_ERROR 320
int et_grade_policy_load(struct et_grade_policy *out, char error[static ET_GRADE_ERROR],
	const char *folder, const char *name);

/* ---- judgement ---- */

#define ET_GRADE_PEERS  5
#define ET_GRADE_DETAIL 200

struct et_grade_peer {
	const struct et_archive_pair *pair;
	uint64_t sessions;
};

struct et_grade_finding {
	const struct et_grade_predicate *predicate;
	const struct et_grade_rule *rule;
	uint64_t sessions, of; /* that show it, of those that could have shown it */
	/* The last minute of a pair that showed it: it was seen then or before. */
	int64_t last_ns;
	uint64_t peers; /* other ends that showed it */
	struct et_grade_peer top[ET_GRADE_PEERS];
	size_t top_cnt; /* the most sessions first */
	enum et_confidence confidence;
	char detail[ET_GRADE_DETAIL]; /* "" if there is nothing to add; safe text */
};

/* One version and suite that a server negotiated, all sessions together. */
struct et_grade_suite {
	uint16_t version;
	uint32_t cipher;
	uint64_t sessions;
	char grade; /* 'A' .. 'F'; 0: the suite is not known */
	/* The weakest that was seen; 0, "" if it was not readable. */
	uint32_t kx_bits; /* of RSA or DH, or what is as strong as the curve */
	char kx[80];      /* "secp256r1, ecdsa-secp256r1", "dh-1024, rsa-2048" */
	int cipher_bits;  /* -1: not known */
};

/* Whose order of suites decides. */
enum et_grade_order {
	ET_GRADE_ORDER_UNKNOWN, /* no hello tells */
	ET_GRADE_ORDER_SERVER,
	ET_GRADE_ORDER_CLIENT,
	ET_GRADE_ORDER_MIXED, /* some tell this, some that: several machines, or a change */
};
const char *et_grade_order_name(enum et_grade_order order);

struct et_grade_preference {
	enum et_grade_order order;
	enum et_confidence confidence;
	uint32_t hellos; /* different ones that led to a suite */
	/* Of these: passed over a suite that stood before; and in contradiction to another. */
	uint32_t for_server, for_client;
	/* the server moves ChaCha20 to the front for clients that prefer it */
	bool chacha;
	/* What one hello that decides shows: `chosen`, though `passed` stood before or behind it. */
	const char *hello, *other; /* ids; NULL: none. other: of the one that contradicts it */
	uint16_t chosen, passed;
};

/* What the files cannot tell of a host. */
struct et_grade_unseen {
	const char *id, *text;
	uint64_t sessions; /* in which it was so; 0: in all */
};
#define ET_GRADE_UNSEEN 8

struct et_grade {
	enum et_grade_role role;
	const struct et_archive_host *host;
	uint64_t sessions, established;
	bool few;      /* established < policy->few */
	char grade;    /* 'A' .. 'F'; 0: no TLS was negotiated, and nothing caps. Clients: 0 */
	char strength; /* of the weakest suite, before caps of findings; 0: none */
	struct et_grade_finding findings[ET_GRADE_PREDICATES]; /* the worst first */
	size_t findings_cnt;
	struct et_grade_suite suites[ET_GRADE_SUITES]; /* by version, then the most frequent */
	size_t suites_cnt, suites_left_out;
	struct et_grade_preference before13, in13; /* up to TLS 1.2; in TLS 1.3 */
	struct et_grade_unseen unseen[ET_GRADE_UNSEEN];
	size_t unseen_cnt;
};

/*
 * Judges a server of et_archive_servers, or a client of et_archive_clients. False if the server's
 * service has no role..
 */
bool et_grade_server(struct et_grade *out, const struct et_grade_policy *policy,
	const struct et_archive *archive, const struct et_archive_host *server);
void et_grade_client(struct et_grade *out, const struct et_grade_policy *policy,
	const struct et_archive *archive, const struct et_archive_host *client);

#endif
