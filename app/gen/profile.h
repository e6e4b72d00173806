/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PROFILE_H
#define GEN_PROFILE_H

/*
 * The profile: what the traffic is mixed of. Read from an INI file; docs/man/ehlotap-gen.1 lists the
 * keys. A profile owns its texts and is read only once it is loaded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_ERROR     640 /* room for a sentence */
#define GEN_KINDS_MAX 200

enum gen_protocol {
	GEN_SMTP,
	GEN_SUBMISSION,
	GEN_SMTPS,
	GEN_LMTP,
	GEN_IMAP,
	GEN_IMAPS,
	GEN_POP3,
	GEN_POP3S,
	GEN_SIEVE,
	GEN_PROTOCOLS,
};

/* What happens in a session. */
enum gen_story {
	GEN_ESTABLISHED,
	GEN_NO_SHARED_CIPHER,
	GEN_NO_COMMON_VERSION,
	GEN_UNKNOWN_CA,
	GEN_EXPIRED,
	GEN_CLIENT_RESET,
	GEN_SERVER_CLOSE,
	GEN_TIMEOUT,
	GEN_BROKEN,
	GEN_CLIENT_CERT_MISSING,
	GEN_CLIENT_CERT_REJECTED,
	GEN_REFUSED,
	GEN_NOT_OFFERED,
	GEN_MASKED,
	GEN_CLEAR,
	GEN_STORIES,
};

/* What becomes of the client's certificate where the story is not about it. */
enum gen_client_cert {
	GEN_CLIENT_CERT_NONE,  /* the server does not ask */
	GEN_CLIENT_CERT_ASKED, /* it does, and the client has none */
	GEN_CLIENT_CERT_SENT,
	GEN_CLIENT_CERTS,
};

enum gen_stack {
	GEN_OPENSSL,
	GEN_GNUTLS,
	GEN_STACKS,
};

enum gen_encap {
	GEN_PLAIN,
	GEN_VLAN,
	GEN_QINQ,
	GEN_MPLS,
	GEN_GRE,
	GEN_ERSPAN,
	GEN_VXLAN,
	GEN_GENEVE,
	GEN_ERSPAN3,
	GEN_ENCAPS,
};

/* One side's TLS; a text that is NULL leaves it to the stack. */
struct gen_side {
	char *version; /* "1.2", or "1.0-1.2" */
	char *suites;  /* OpenSSL's names, of TLS 1.3 too, with ":" between */
	char *groups;
	char *sigalgs;
};

/* A kind of session. */
struct gen_kind {
	char *name;
	int line; /* of its section */
	double weight;
	uint64_t protocol; /* enum gen_protocol */
	uint64_t story;    /* enum gen_story */
	struct gen_side both, client, server;
	char *certificate;     /* key type and size or curve */
	uint64_t client_cert;  /* enum gen_client_cert */
	char *sni;             /* NULL: none sent */
	char *gnutls_priority; /* put behind what the other keys make of it */
	double resumed;        /* share of sessions */
	double gnutls;
	bool tickets;
	bool hello_retry;
	uint64_t reply;    /* to a STARTTLS that is refused */
	bool quit;         /* refused: quits instead of going on in clear */
	double fallback_s; /* after this time the client delivers in clear; < 0: never */
	char *servers;     /* pool */
	char *teach;       /* kind that shows a server's certificate first */
};

struct gen_profile {
	char *path;
	uint64_t sessions, concurrency;
	double rate; /* sessions opened a second */
	char *start;
	double mail_mu, mail_sigma, mail_max;
	uint64_t clients, servers; /* servers: of each pool */
	bool zipf;
	double zipf_exponent;
	double ipv6;
	uint64_t mss;
	double rtt_ms, rst, delayed_ack; /* rst: share of established sessions that end in RST */
	double loss, reorder, duplicates;
	uint64_t reorder_us, duplicate_us;
	double encap[GEN_ENCAPS];
	struct gen_kind *kinds;
	size_t kind_cnt;
	uint64_t start_s; /* of `start` */
};

/* 0, or -1 with a sentence in error. gen_profile_free() is due in both cases. */
int gen_profile_load(struct gen_profile *profile, char error[static GEN_ERROR], const char *path);
void gen_profile_free(struct gen_profile *profile);

/* Index of the kind of that name, -1: none. */
int gen_profile_find(const struct gen_profile *profile, const char *name);

/* The pool of servers that the kind uses: two kinds share it when the names are the same. */
const char *gen_kind_pool(const struct gen_kind *kind);

/* Whether TLS or STARTTLS is spoken of at all. */
bool gen_story_has_tls(enum gen_story story);
bool gen_protocol_is_implicit(enum gen_protocol protocol);

/* The keys with their ranges and defaults, to standard output. */
void gen_profile_print_keys(void);

#endif
