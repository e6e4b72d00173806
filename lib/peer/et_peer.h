/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_PEER_H
#define ET_PEER_H

/*
 * peer: what all sessions of one (client, server, service) have in common, as sums.
 *
 * A *peer* is that triple with a row of counters and, in small *cells*, the counts per name:
 * versions, suites, groups, alerts, causes, hellos, certificates, and what went with what.
 * Everything is a sum, so tables merge in any order to the same result.
 *
 * Keys of hellos, chains and names are ids of the books that the sessions refer to; tables that
 * are merged must come from sessions of the same books (et_books_merge does that).
 *
 * Memory: some 600 bytes for a peer of one stack, growing by doubling up to the limits given at
 * creation. What does not fit is counted in et_peer_refused. Counters stop at 2^32 - 1.
 *
 * One owner thread; others may read after the owner has stopped.
 */

#include "et_policy.h"

/* id, key of the minute files' peer row. Each counts sessions, but for clear_mail: mails. */
#define ET_PEER_COUNTS(X)                               \
	X(SESSIONS, "sessions")                         \
	X(STARTTLS_OFFERED, "starttls_offered")         \
	X(STARTTLS_NOT_OFFERED, "starttls_not_offered") \
	X(STARTTLS_MASKED, "starttls_masked")           \
	X(STARTTLS_REQUESTED, "starttls_requested")     \
	X(STARTTLS_REFUSED, "starttls_refused")         \
	X(TLS_ESTABLISHED, "tls_established")           \
	X(TLS_FAILED, "tls_failed")                     \
	X(TLS_INCOMPLETE, "tls_incomplete")             \
	X(TLS_BROKEN, "tls_broken")                     \
	X(TLS_UNKNOWN, "tls_unknown")                   \
	X(RESUMED, "resumed")                           \
	X(HELLO_RETRY, "hello_retry")                   \
	X(INJECTED, "injected")                         \
	X(CLEAR_MAIL, "clear_mail")                     \
	X(CLEAR_SESSIONS, "clear_sessions")             \
	X(AUTH_CLEAR, "auth_clear")                     \
	X(FALLBACKS, "fallbacks")

enum et_peer_count {
#define X(id, name) ET_PEER_##id,
	ET_PEER_COUNTS(X)
#undef X
		ET_PEER_COUNT_MAX,
};
const char *et_peer_count_name(enum et_peer_count count);

/*
 * What a cell counts, and its key. Versions, suites and groups are of established sessions only:
 * each of those adds one to VERSIONS, to CIPHERS and to VERSION_CIPHERS, and one to GROUPS if the
 * group could be read. Handshake times are of established sessions too.
 */
enum et_peer_kind {
	ET_PEER_VERSIONS,        /* version on the wire */
	ET_PEER_CIPHERS,         /* suite, or 3-byte kind of SSLv2: et_peer_cipher_key */
	ET_PEER_VERSION_CIPHERS, /* the same with the version */
	ET_PEER_GROUPS,          /* group number */
	ET_PEER_ALERTS,          /* sender << 16 | code, ET_PEER_NO_CODE if it cannot be read */
	ET_PEER_CAUSES,          /* et_peer_cause() */
	ET_PEER_HELLOS,          /* id in books->hellos */
	ET_PEER_CHAINS,          /* id in books->chains, of the server */
	ET_PEER_CLIENT_NAMES,    /* id in books->names */
	ET_PEER_SERVER_NAMES,
	ET_PEER_HANDSHAKE_MS, /* bucket: index into et_peer_bounds_ms */
	/* The kinds from here on are not counted by fixed tables. */
	ET_PEER_FAILURES,         /* et_peer_failure(): which hello failed why */
	ET_PEER_ACCEPTS,          /* et_peer_accept(): what became of which hello */
	ET_PEER_DH_BITS,          /* of an explicit prime, established or not */
	ET_PEER_SIGNATURES,       /* SignatureScheme of the ServerKeyExchange (1.2), likewise */
	ET_PEER_TRAITS,           /* et_peer_trait_key */
	ET_PEER_STARTTLS_REPLIES, /* code of a refusal */
	ET_PEER_KIND_MAX,
};

#define ET_PEER_NO_CODE 0xffff

/*
 * What was seen in hellos and what follows them, and no counter tells: id, name in the peer row.
 * Those of a ServerHello are of SSLv3 to TLS 1.2. The two NO_ ones count each ServerHello that did
 * not grant it; whether it had been asked for stands in the hello, whose id is in their key.
 */
#define ET_PEER_TRAIT_LIST(X)                                                    \
	X(COMPRESSION, "compression")                  /* was chosen */          \
	X(NO_EMS, "no_extended_master_secret")         /* RFC 7627; not SSLv3 */ \
	X(NO_RENEGOTIATION, "no_secure_renegotiation") /* RFC 5746 */            \
	X(ANONYMOUS, "anonymous")                      /* the suite */           \
	X(CLIENT_CERT_REQUESTED, "client_cert_requested")                        \
	X(CLIENT_CERT_SENT, "client_cert_sent")                                  \
	X(EARLY_DATA, "early_data")                    /* offered */             \
	X(DOWNGRADE_FROM_12, "downgrade_from_TLSv1.2") /* RFC 8446 4.1.3 */      \
	X(DOWNGRADE_FROM_13, "downgrade_from_TLSv1.3")                           \
	X(DH_WELL_KNOWN, "dh_prime_well_known") /* and short: et_tls_prime_is_well_known */

enum et_peer_trait {
#define X(id, name) ET_PEER_TRAIT_##id,
	ET_PEER_TRAIT_LIST(X)
#undef X
		ET_PEER_TRAIT_MAX,
};
const char *et_peer_trait_name(enum et_peer_trait trait);

static inline uint64_t et_peer_trait_key(enum et_peer_trait trait, uint32_t hello)
{
	return (uint64_t)trait << 32 | hello;
}

/* What an ET_PEER_FAILURES cell is of. */
struct et_peer_failure {
	struct et_view code; /* lives as long as the table */
	enum et_confidence confidence;
	uint32_t hello; /* in books->hellos; ET_DICT_NONE: none was seen */
};

/* What an ET_PEER_ACCEPTS cell is of: an established session. */
struct et_peer_accept {
	uint32_t cipher; /* as in et_tls_facts */
	uint32_t hello;  /* in books->hellos */
	uint32_t chain;  /* in books->chains, of the server */
	uint16_t version, group;
};

struct et_peer_cell {
	uint64_t key : 56;
	uint64_t kind : 8; /* enum et_peer_kind */
	uint32_t count;
	uint32_t peer, next; /* private to the room */
};

struct et_peer {
	struct et_addr addr[2]; /* by enum et_dir */
	uint32_t cells;         /* private to the room */
	uint8_t service;        /* enum et_service */
	uint32_t counts[ET_PEER_COUNT_MAX];
};

struct et_peer_table;

/* NULL when memory is short. */
struct et_peer_table *et_peer_table_new(uint32_t max_peers, uint32_t max_cells);
/*
 * One that has all its memory from the begin, and allocates nothing later. It leaves out the kinds
 * that come behind ET_PEER_HANDSHAKE_MS: it is for sums of sessions that found no other room, and
 * shall be small.
 */
struct et_peer_table *et_peer_table_new_fixed(uint32_t max_peers, uint32_t max_cells);
void et_peer_table_free(struct et_peer_table *table); /* NULL is allowed */
/* Forgets all peers, keeps the memory. */
void et_peer_clear(struct et_peer_table *table);
/*
 * The same in steps of at most `bytes`, for who may not stall: nothing else may be done with the
 * table until it gives true.
 */
bool et_peer_clear_some(struct et_peer_table *table, size_t bytes);

/*
 * Counts one session. cause: NULL, or one without a code, for none. What does not fit is left out
 * and counted; the rest of the session is counted still.
 */
void et_peer_add(struct et_peer_table *table, const struct et_session *session,
	const struct et_cause *cause, bool fallback);

/* Adds counts to a peer, and to a cell of it: for sums that come from elsewhere. */
void et_peer_add_counts(struct et_peer_table *table, const struct et_addr addr[static 2],
	enum et_service service, const uint32_t counts[static ET_PEER_COUNT_MAX]);
void et_peer_add_cell(struct et_peer_table *table, const struct et_addr addr[static 2],
	enum et_service service, enum et_peer_kind kind, uint64_t key, uint32_t count);

/* Adds all of `from` to `to`. */
void et_peer_merge(struct et_peer_table *to, const struct et_peer_table *from);

/* Sessions and counts that were left out because the table was full or memory short. */
uint64_t et_peer_refused(const struct et_peer_table *table);

/*
 * Puts the peers into their canonical order: client, server, service. et_peer_at gives them in
 * this order, 0 <= i < et_peer_cnt(), until the next add, merge or clear; without et_peer_sort, in
 * the order in which they came.
 */
void et_peer_sort(struct et_peer_table *table);
uint32_t et_peer_cnt(const struct et_peer_table *table);
const struct et_peer *et_peer_at(const struct et_peer_table *table, uint32_t i);

/* The cells of a peer in no particular order: cell = NULL gives the first; NULL behind the last. */
const struct et_peer_cell *et_peer_next(const struct et_peer_table *table,
	const struct et_peer *peer, const struct et_peer_cell *cell);

/* The code of an ET_PEER_CAUSES cell; lives as long as the table. */
struct et_view et_peer_cause(const struct et_peer_table *table, const struct et_peer_cell *cell);

/* What an ET_PEER_FAILURES or ET_PEER_ACCEPTS cell is of. */
struct et_peer_failure et_peer_failure(
	const struct et_peer_table *table, const struct et_peer_cell *cell);
struct et_peer_accept et_peer_accept(
	const struct et_peer_table *table, const struct et_peer_cell *cell);

/*
 * The name that this side gave most often, of equally frequent ones the first by its bytes; its id
 * in `names`, ET_DICT_NONE if it gave none.
 */
uint32_t et_peer_name(const struct et_peer_table *table, const struct et_peer *peer,
	enum et_dir side, const struct et_dict *names);

/* Version and suite of an ET_PEER_VERSION_CIPHERS key, and the key of both. */
static inline uint64_t et_peer_cipher_key(uint16_t version, uint32_t cipher)
{
	return (uint64_t)version << 32 | cipher;
}

static inline uint16_t et_peer_key_version(uint64_t key)
{
	return (uint16_t)(key >> 32);
}

static inline uint32_t et_peer_key_cipher(uint64_t key)
{
	return (uint32_t)key;
}

/*
 * Upper bounds of the histogram of handshake times, in milliseconds, each inclusive; the last
 * bucket has none. They never change, so that histograms of all files add up.
 */
#define ET_PEER_BUCKETS 19
extern const double et_peer_bounds_ms[ET_PEER_BUCKETS - 1];
/* "0.1" ... "60000", "inf". bucket < ET_PEER_BUCKETS. */
const char *et_peer_bucket_name(unsigned bucket);

/* The gateway's own addresses, by which a session is told to come in or to go out. */
struct et_peer_net {
	struct et_addr addr;
	uint8_t bits; /* of the 128; IPv4 prefixes have 96 more than they are written with */
};

/* "192.0.2.25", "192.0.2.0/24", "2001:db8::/32". 0, or -EINVAL if the text is no such thing. */
int et_peer_net_parse(struct et_peer_net *out, const char *text);
/* Whether the address is in it. */
bool et_peer_net_holds(const struct et_peer_net *net, const struct et_addr *addr);

/* Whether the address is one of the gateway's own. */
bool et_peer_is_gateway(const struct et_peer_net *nets, size_t cnt, const struct et_addr *addr);

enum et_direction {
	ET_DIRECTION_NONE, /* no gateway is configured */
	ET_DIRECTION_IN,   /* the server is the gateway */
	ET_DIRECTION_OUT,  /* the client is */
	ET_DIRECTION_TRANSIT,
};

enum et_direction et_peer_direction(const struct et_peer_net *nets, size_t cnt,
	const struct et_addr *client, const struct et_addr *server);
const char *et_direction_name(enum et_direction direction); /* NULL for ET_DIRECTION_NONE */

#endif
