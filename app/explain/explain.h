/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPLAIN_H
#define EXPLAIN_H

/*
 * explain: why peers failed, out of an archive, with the evidence of both sides and what to change.
 *
 * A *finding* is what one pair lost to one cause. Its evidence is the ClientHellos with which it
 * failed, and what the server was seen to do in all its sessions with anybody. What it borrows
 * belongs to the archive. One thread.
 */

#include "answer_inputs.h"
#include "et_iana.h"
#include "remedies.h"

struct offer {
	const struct et_archive_hello *hello; /* NULL: its row is missing */
	uint64_t sessions;
};

struct finding {
	const struct et_archive_pair *pair;
	const struct et_archive_host *server;
	char code[ET_CAUSE_CODE];
	uint64_t sessions;         /* over all confidences */
	uint64_t by_sure[3];       /* of these, by enum et_confidence; none in files of old */
	struct offer *offers;      /* most sessions first; owned */
	size_t offers_cnt;         /* 0: no hello was seen */
	int64_t first_ns, last_ns; /* minutes in which the pair had sessions without TLS */
};

/* What one cause took in all. */
struct cause_sum {
	const char *code;
	size_t from, until; /* of the findings */
	uint64_t sessions;
};

struct findings {
	struct finding *v; /* by cause, those with most sessions first; then by sessions */
	size_t cnt, cap;
	struct cause_sum *causes;
	size_t causes_cnt;
	uint64_t sessions;      /* with a cause */
	uint64_t without_hello; /* of files whose rows do not tell the hello */
};

/* All that is wanted: the options' peers, servers and services, and codes that begin so. */
int findings_collect(struct findings *out, const struct et_archive *archive,
	const struct answer_options *options, const char *prefix); /* 0 or -ENOMEM */
void findings_free(struct findings *findings);
/* The highest confidence that occurred; -1 if the files do not tell. */
int finding_sure(const struct finding *finding);

/* The hello with which it failed most often; false if it is not known. */
bool finding_hello(struct et_tls_profile *out, const struct et_archive *archive,
	const struct finding *finding);

/* --- evidence.c: names in sentences --- */

/* The explanation's sentence with its names filled in. free() it; NULL when memory is short. */
char *evidence_sentence(const struct et_archive *archive, const struct finding *finding,
	const struct explanation *explanation);
/* A text out of a file, safe to print. */
void evidence_safe(FILE *to, const char *text);
/* "TLSv1.2 (3), TLSv1.3 (1)": most frequent first, at most `max`, then "and 4 more". */
void evidence_map(FILE *to, const struct et_archive_map *map, size_t max);
/* The keys of a server's certificates as a map; the counts are sessions. */
#define EVIDENCE_KEYS 8
struct evidence_key {
	char name[ET_ARCHIVE_KEY];
	uint64_t sessions;
};
size_t evidence_keys(struct evidence_key out[static EVIDENCE_KEYS],
	const struct et_archive *archive, const struct et_archive_host *server);
/* "CN=mx.example.net of CN=Example CA, rsa-2048, valid until 2026-12-31". */
void evidence_cert(FILE *to, const struct et_archive_cert *cert, int64_t at_ns);
/* A list of ids by name, at most `max` of them. */
enum evidence_kind { EVIDENCE_VERSION, EVIDENCE_SUITE, EVIDENCE_GROUP, EVIDENCE_SIGALG };
void evidence_list(FILE *to, enum evidence_kind kind, const struct et_tls_list *list, size_t max);

/* --- cures.c: what would have worked, by simulation --- */

#define CURES_MAX 8
struct cures_memo;
struct cure {
	const char *side;   /* "server" */
	const char *change; /* "certificate_beside", "certificate_instead", "min_version" */
	char with[48];      /* "rsa:2048", "TLSv1.0" */
	bool works;
	char verdict[256]; /* what would be negotiated, or why not */
};
/*
 * Changes of the server tried on the hello that failed, with the keys that the server is known to
 * have. 0 if nothing can be said: hello or keys are not known, the cause is of another kind, or the
 * simulated server (OpenSSL 3.0) does not fail as the real one did.
 */
size_t cures_try(struct cure out[static CURES_MAX], struct cures_memo *memo,
	const struct et_archive *archive, const struct finding *finding);
/* Keeps what was tried: many clients fail with one hello at one server. NULL if memory is short. */
struct cures_memo *cures_memo_new(void);
void cures_memo_free(struct cures_memo *memo);

/* --- text.c, json.c --- */

struct answer {
	const struct answer_options *options;
	const struct et_archive *archive;
	const struct findings *findings;
	struct cures_memo *memo;
	struct et_archive_totals totals;
	const char *product; /* settings of this one only; NULL: of all */
};
/* 0, -ENOMEM or -EIO. */
int print_text(const struct answer *answer, FILE *out);
int print_json(const struct answer *answer, FILE *out);
/* The whole table of causes and remedies. */
int print_catalogue_text(const struct answer *answer, FILE *out);
int print_catalogue_json(FILE *out);
/* Whether the settings of this product are wanted. */
bool wants_product(const struct answer *answer, const struct remedy *remedy);

#endif
