/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_POLICY_PARTS_H
#define ET_POLICY_PARTS_H

/*
 * What the files of the policy room share. Two passes over the sessions: the first learns what each
 * server does (server.c), the second argues each session's cause from that (cause_*.c). A third
 * over those of (client, server, service) pairs whose TLS failed finds the fallbacks (fallback.c).
 */

#include "et_policy.h"
#include "suites.h"

/* --- text.c: sentences --- */

/* Appends to cause->why as printf does; what does not fit is cut between characters. */
void why(struct et_cause *cause, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets code and confidence, and empties why. */
void set_code(struct et_cause *cause, enum et_confidence confidence, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends "name, name, name and 4 more"; kinds of numbers below. */
enum name_kind { NAME_SUITE, NAME_GROUP, NAME_SIGALG, NAME_VERSION };
void why_names(struct et_cause *cause, enum name_kind kind, const uint16_t *ids, size_t cnt);
/* Room for any name of a number. */
#define NAME_TEXT 64
void name_text(char out[static NAME_TEXT], enum name_kind kind, uint16_t id);

/* --- chains.c: each distinct certificate is parsed once --- */

struct chains {
	struct et_chain *chains; /* by id in books->chains */
	uint32_t chain_cnt;
	struct et_cert **certs; /* each distinct one, owned */
	uint32_t cert_cnt;
};
int chains_init(struct chains *chains, const struct et_dict *dict); /* 0 or -ENOMEM */
void chains_free(struct chains *chains);
/* NULL if the id has no chain, or its first certificate is none. */
const struct et_cert *chains_leaf(const struct chains *chains, uint32_t id);

/* --- server.c: what is known of each server from all its sessions --- */

#define SERVER_KEYS   4
#define SERVER_SUITES 12
#define SERVER_GROUPS 6

struct server_key {
	struct key key;
	uint32_t chain; /* the last one with such a key */
	int64_t first_ns, last_ns;
};

/* --- cause_hello.c: what the hellos had that a server answered --- */

struct server_hellos {
	uint32_t cnt;
	uint32_t len;        /* of the longest, at the least */
	uint64_t extensions; /* types below 63 by their bit, all others by bit 63 */
	uint16_t version;    /* the highest that any of them offered */
	bool post_quantum;   /* any had such a key share */
};
void hello_learn(struct server_hellos *answered, const struct et_tls_profile *hello);

struct server {
	uint32_t sessions, established;
	uint32_t offered;  /* sessions in which STARTTLS was offered */
	uint16_t versions; /* negotiated: bits as of version_bit */
	uint16_t suites[SERVER_SUITES], groups[SERVER_GROUPS];
	uint8_t key_cnt, suite_cnt, group_cnt;
	bool more_keys, more_suites, more_groups; /* the lists above are not all that was seen */
	bool declined_13;   /* answered a client that offers TLS 1.3 with less */
	bool ignores_curve; /* completed with a key on a curve that the client did not list */
	bool anon;          /* negotiated an anonymous suite */
	struct server_hellos answered;
	struct server_key keys[SERVER_KEYS];
};

/* Bit of a version in server->versions; 0 if it is none. */
unsigned version_bit(uint16_t version);
/* Appends the versions of a set, newest last. */
void why_versions(struct et_cause *cause, unsigned versions);

struct profiles;
struct servers {
	struct et_dict *keys; /* address and port -> id */
	struct server *all;   /* by id; 0: what is known of a server that has no room */
	uint32_t cap;
};
int servers_init(struct servers *servers);
void servers_free(struct servers *servers);
int servers_learn(struct servers *servers, const struct et_policy *policy,
	struct profiles *profiles, const struct et_session *session);
const struct server *servers_find(struct servers *servers, const struct et_session *session);

/* --- policy.c: hello profiles, the last ones used stay decoded --- */

/* NULL: no hello was seen, or it cannot be read. Valid until the next call. */
const struct et_tls_profile *profile_of(struct profiles *profiles, uint32_t hello);

/* --- causes.c: each distinct cause is kept once --- */

struct causes {
	struct et_dict *dict;
	struct et_cause *all; /* by id; 0: no cause */
	uint32_t cnt, cap;
};
int causes_init(struct causes *causes);
void causes_free(struct causes *causes);
/* The id, or -ENOMEM as a negative number. */
int64_t causes_put(struct causes *causes, const struct et_cause *cause);

/* --- fallback.c: the history of each (client, server, service) --- */

struct pair {
	struct et_story_pair story;
	bool has_failed;  /* TLS, in any session */
	bool was_offered; /* STARTTLS, in an earlier session */
};
struct pairs {
	struct et_dict *keys;
	struct pair *all; /* by id; 0: pairs without room, of which nothing is kept */
	uint32_t cap;
	bool any_failed;
};
int pairs_init(struct pairs *pairs);
void pairs_free(struct pairs *pairs);
/* NULL when memory is short. */
struct pair *pairs_find(struct pairs *pairs, const struct et_session *session);
/* The session is argued: what later ones of its pair are to know of it. */
void pair_note(struct pairs *pairs, struct pair *pair, const struct et_session *session);

/* --- the arguments --- */

struct et_policy {
	const struct et_books *books;
	const struct et_session *sessions;
	size_t cnt;
	struct chains chains;
	struct causes causes;
	uint32_t *cause;    /* per session: id in causes */
	uint32_t *fallback; /* per session: number in fallbacks, from 1 on; 0: it is none */
	struct et_fallback *fallbacks;
	uint32_t fallbacks_cnt, fallbacks_cap;
};

/* Finds the fallbacks, once all sessions are noted. 0 or -ENOMEM. */
int pairs_follow(struct et_policy *policy, struct pairs *pairs);

/* All that a cause is argued from. */
struct scene {
	const struct et_policy *policy;
	const struct et_session *session;
	const struct server *server;
	const struct pair *pair;
	const struct et_tls_profile *hello; /* NULL: not seen */
};

static inline bool saw(const struct et_session *session, enum et_dir dir, uint32_t what)
{
	return (session->tls.side[dir].seen & what) != 0;
}

static inline bool is_13(const struct et_session *session)
{
	return session->tls.version == ET_TLSV1_3;
}

static inline const char *side_name(int dir)
{
	return dir == ET_CLIENT ? "client" : "server";
}

/*
 * Each looks at the scene and either fills the cause and returns true, or leaves it alone. The
 * order in which they are asked is in policy.c.
 */
bool cause_capture(struct et_cause *cause, const struct scene *scene);
bool cause_starttls(struct et_cause *cause, const struct scene *scene);
bool cause_wrong_port(struct et_cause *cause, const struct scene *scene);
bool cause_version(struct et_cause *cause, const struct scene *scene);
bool cause_cipher(struct et_cause *cause, const struct scene *scene);
bool cause_hello(struct et_cause *cause, const struct scene *scene);
bool cause_client_certificate(struct et_cause *cause, const struct scene *scene);
bool cause_certificate(struct et_cause *cause, const struct scene *scene);
bool cause_alert(struct et_cause *cause, const struct scene *scene);
bool cause_broken(struct et_cause *cause, const struct scene *scene);
bool cause_lost(struct et_cause *cause, const struct scene *scene);

/* protocol_version where nobody said so, but all that is known of the versions speaks for it. */
bool version_guess(struct et_cause *cause, const struct scene *scene);

/*
 * The server closed where it had to speak, and then came an alert of the client: TLS libraries send
 * one about the missing answer (OpenSSL: decode_error). It explains nothing.
 */
bool alert_is_echo(const struct et_session *session);
/* Appends what alert that was, if there was one. */
void why_echo(struct et_cause *cause, const struct et_session *session);
/* A fatal alert, or one that ended the handshake all the same, and is no echo; its code, or -1. */
int alert_code(const struct et_session *session, enum et_dir from);
/* Whether an alert of `from` was inferred, its code being encrypted. */
bool alert_inferred(const struct et_session *session, enum et_dir from);
/* "after its ClientHello": how far the handshake went, in words; and as a part of a code. */
const char *progress_words(const struct et_session *session);
const char *progress_code(const struct et_session *session);

/* What is wrong with the server's certificate, as far as it can be read. */
enum flaw {
	FLAW_NONE,
	FLAW_EXPIRED,
	FLAW_NOT_YET_VALID,
	FLAW_SELF_SIGNED,
	FLAW_NAME,
	FLAW_USAGE,          /* not one for a server */
	FLAW_WEAK_SIGNATURE, /* MD5 or SHA-1 */
	FLAW_WEAK_KEY,       /* RSA below 2048 bits */
};
struct leaf {
	const struct et_cert *cert; /* NULL: not readable */
	size_t chain_cnt;
	bool elsewhere; /* read in other sessions of the server, this one encrypts it */
	enum flaw flaw;
};
struct leaf leaf_of(const struct scene *scene);
const char *flaw_code(enum flaw flaw);
/* Whether a certificate is signed with MD5 or SHA-1. */
bool is_weakly_signed(const struct et_cert *cert);
void why_flaw(struct et_cause *cause, const struct scene *scene, const struct leaf *leaf);

#endif
