/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_TLS_H
#define ET_TLS_H

/*
 * tls: records, handshake messages and alerts of SSLv2 hellos and SSLv3 to TLS 1.3, as far as they
 * are readable on the wire (RFC 6101, 2246, 4346, 5246, 8446).
 *
 * Each direction is fed alone, in order, split anywhere; messages are put together over records
 * and segments within caps. The facts of both directions are joined in one struct and do not
 * depend on which direction was fed first. What the facts mean for the connection's outcome is
 * decided by the session room, not here.
 *
 * The caller owns struct et_tls (a part of the connection's undecided state) and must call
 * et_tls_done to give message buffers back. One thread at a time.
 */

#include "et_dict.h"
#include "et_drop.h"
#include "et_wire.h"

#define ET_TLS_MESSAGE_MAX 65536 /* longest handshake message that is read */

#define ET_SSLV2   0x0002
#define ET_SSLV3   0x0300
#define ET_TLSV1_0 0x0301
#define ET_TLSV1_1 0x0302
#define ET_TLSV1_2 0x0303
#define ET_TLSV1_3 0x0304

/* Record content types, RFC 8446 5.1. */
enum et_tls_type {
	ET_TLS_CCS = 20,
	ET_TLS_ALERT = 21,
	ET_TLS_HANDSHAKE = 22,
	ET_TLS_APPLICATION = 23,
};

/*
 * Handshake messages that were seen whole and in clear, per direction; a set of bits. A hello must
 * also have been understood. SSLv2: CLIENT-MASTER-KEY is CLIENT_KEY_EXCHANGE, and it (for the
 * client) and SERVER-HELLO (for the server) stand for CCS too, since what follows is encrypted.
 */
enum et_tls_seen {
	ET_TLS_SAW_CLIENT_HELLO = 1 << 0,
	ET_TLS_SAW_HELLO_RETRY = 1 << 1,
	ET_TLS_SAW_SERVER_HELLO = 1 << 2,
	ET_TLS_SAW_CERTIFICATE = 1 << 3,
	ET_TLS_SAW_SERVER_KEY_EXCHANGE = 1 << 4,
	ET_TLS_SAW_CERTIFICATE_REQUEST = 1 << 5,
	ET_TLS_SAW_SERVER_HELLO_DONE = 1 << 6,
	ET_TLS_SAW_CLIENT_KEY_EXCHANGE = 1 << 7,
	ET_TLS_SAW_CERTIFICATE_VERIFY = 1 << 8,
	ET_TLS_SAW_NEW_SESSION_TICKET = 1 << 9,
	ET_TLS_SAW_CERTIFICATE_STATUS = 1 << 10,
	ET_TLS_SAW_CCS = 1 << 11,      /* also the one of TLS 1.3 that means nothing */
	ET_TLS_SAW_FINISHED = 1 << 12, /* <= 1.2: an encrypted handshake record after CCS */
	ET_TLS_SAW_OTHER = 1 << 13,
};

struct et_tls_alert {
	bool seen;      /* an alert record was there */
	bool encrypted; /* level and code cannot be read */
	uint8_t level;  /* 1 warning, 2 fatal */
	uint8_t code;
};

/*
 * A TLS 1.3 alert under keys: a record of 19 bytes, two of alert, one of type, sixteen of tag
 * (RFC 8446 5.2, 6). A record of type 23 that is longer is a message here.
 */
#define ET_TLS_ALERT_LEN 19

/*
 * How the messages of the two directions go to and fro. This is about their order, as no other fact
 * is: where the directions are shown one behind the other it says less than there was.
 */
struct et_tls_talk {
	uint16_t replies; /* messages sent after the first type-23 record of the other side */
	uint8_t turns;    /* times that a message came behind one of the other side; stops at 255 */
	bool heard;       /* the other side has sent a message since this one's last */
};

#define ET_TLS_LENS 4

/* What one direction sent. An SSLv2 ERROR is an alert: fatal, code 40 to 43 of the same meaning. */
struct et_tls_side_facts {
	uint32_t seen; /* enum et_tls_seen */
	struct et_tls_alert
		alert;     /* the first fatal one, else the first; close_notify only if no other */
	bool close_notify; /* readable only before keys */
	uint32_t records;  /* of every type */
	uint32_t app_records; /* type 23 */
	struct et_tls_talk talk;
	uint16_t app_len[ET_TLS_LENS]; /* lengths of the first ones */
	uint16_t app_last_len;         /* length of the last one */
	bool app_last_is_end;          /* nothing followed it in this direction */
	bool lost;        /* a gap or garbage hides handshake bytes of this direction */
	bool cut_message; /* ended within a handshake message or record */
	int64_t first_ns, app_first_ns, finished_ns; /* 0: not seen */
};

struct et_tls_facts {
	struct et_tls_side_facts side[2];

	/* ClientHello: the first one, also after a HelloRetryRequest; the second if that was lost */
	uint32_t hello;   /* id in env->hellos, a profile; 0: none */
	uint32_t sni;     /* id in env->names; 0: none */
	bool hello_sslv2; /* in SSLv2 format */
	bool early_data;  /* offered */
	bool psk_offered;
	uint8_t client_session_id_len;

	/* ServerHello */
	uint16_t version; /* negotiated: supported_versions if present, else version; 0: none */
	/* suite id, valid if version != 0; SSLv2: 3-byte kind, 0 until CLIENT-MASTER-KEY names it */
	uint32_t cipher;
	uint32_t server_hello;  /* id in env->server_hellos: extension list, for JA3S; 0: none */
	uint8_t session_id_len; /* of the ServerHello */
	bool session_id_echoed; /* non-empty and the same as the client's */
	bool psk_selected;      /* pre_shared_key in the ServerHello (1.3) */
	bool hello_retry;
	bool resumed;      /* 1.2: abbreviated handshake; 1.3: psk_selected */
	uint8_t downgrade; /* sentinel in the random, RFC 8446 4.1.3: 0 none, 1 to 1.1, 2 to 1.2 */
	uint16_t group;    /* ECDHE or FFDHE group by number; 0: none or not readable */
	uint16_t dh_bits;  /* bits of an explicit prime; 0: none */
	uint16_t ske_sigalg;            /* SignatureScheme of ServerKeyExchange (1.2); 0: none */
	uint8_t compression;            /* chosen method */
	bool dh_well_known;             /* et_tls_prime_is_well_known */
	bool ems, secure_renegotiation; /* granted by the ServerHello */

	/* Certificates, <= 1.2 */
	uint32_t chain[2];         /* id in env->chains, by sender; 0: none */
	bool certificate_empty[2]; /* a Certificate message without certificates */
};

/* What a client says of itself between the server's Finished and the end of its own flight. */
enum et_tls_flight {
	ET_TLS_FLIGHT_UNKNOWN,
	ET_TLS_FLIGHT_FINISHED,       /* Finished alone: no certificate was asked for */
	ET_TLS_FLIGHT_NO_CERTIFICATE, /* an empty Certificate */
	ET_TLS_FLIGHT_CERTIFICATE,    /* a certificate */
};

/*
 * How many of the client's type-23 records are its TLS 1.3 handshake flight, early data included,
 * and what that says. Told by lengths: those of Finished and of an empty Certificate are the same
 * in each connection with one suite (RFC 8446 4.4). 0 and UNKNOWN where no record has the length of
 * Finished: messages that share a record, padding, more than ET_TLS_LENS records, another version.
 */
unsigned et_tls_client_flight(enum et_tls_flight *flight, const struct et_tls_facts *facts);

/* One per worker: what its connections share. */
struct et_tls_pool;
struct et_tls_env {
	struct et_dict *hellos;        /* ClientHello profiles, see et_tls_profile_decode */
	struct et_dict *server_hellos; /* see et_tls_server_hello_decode */
	/* What stands in certificate_list, each with its 3-byte length before it, RFC 5246 7.4.2;
	 * the length of the whole list is left out. An SSLv2 certificate is put in the same form. */
	struct et_dict *chains;
	struct et_dict *names;
	struct et_tls_pool *pool; /* buffers for messages split over segments */
	uint64_t *drops;          /* [ET_DROP_MAX] */
};

/* Buffers for split messages: at most `bytes` in total, allocated as needed and kept for reuse. */
struct et_tls_pool *et_tls_pool_new(size_t bytes);
void et_tls_pool_free(struct et_tls_pool *pool);

/* The record and message assembly of one direction. Private to the room, public for its size. */
struct et_tls_side {
	uint8_t state;   /* what the next byte belongs to */
	uint8_t type;    /* of the record in progress; 0: its bytes are passed over */
	uint8_t keys;    /* whether handshake records are encrypted */
	uint8_t alert_n; /* 1: the level was read, the code is to come */
	uint8_t alert_level;
	uint8_t head_n;   /* bytes in head: a record header cut by the segment's end */
	uint8_t head[13]; /* 5 of a TLS record; 11 or 13 that tell an SSLv2 hello */
	uint8_t doubt_n;  /* bytes in doubt: the beginning of what may be a message in clear */
	uint8_t doubt[6];
	uint8_t msg_head_n;
	uint8_t msg_head[4];     /* handshake header; msg_head_n < 4: no message in progress */
	uint8_t msg_fate;        /* kept, passed over or lost */
	uint16_t msg_version;    /* of the record in which the message began */
	uint16_t record_version; /* of the record in progress */
	uint32_t record_len;
	uint32_t record_left;    /* bytes of the record still to come */
	uint32_t msg_len, msg_n; /* of the message in progress, and how much is there */
	uint32_t buf_cap;
	uint8_t *buf; /* from the pool, NULL if none */
};

struct et_tls {
	struct et_tls_facts facts;
	struct et_tls_side side[2];
	bool offers_tls13;         /* the ClientHello does */
	bool second_hello;         /* of the client, in clear */
	uint8_t session_id[2][32]; /* by direction, to tell an echo */
};

void et_tls_init(struct et_tls *tls);
void et_tls_done(struct et_tls *tls, struct et_tls_env *env);

/*
 * Reads the bytes of one segment of one direction, captured at ts_ns. Returns how many were used:
 * all, or fewer when a record would begin where no record header can be (RFC 8446 5.1: type 20-23
 * or 24, version 3.0-3.4, length at most 2^14 + 2048; or an SSLv2-format hello as the very first
 * bytes of a direction): what follows is not TLS. A header cut by the segment's end is kept; the
 * next segment's bytes are judged with it, and if they make it impossible none of them is used.
 * After a short return the direction stands at a record's begin and may be fed again.
 */
size_t et_tls_feed(struct et_tls *tls, struct et_tls_env *env, enum et_dir dir,
	struct et_view bytes, int64_t ts_ns);

/*
 * len bytes of this direction are missing. Within a record that is long enough the position is
 * kept (a message in progress is lost); otherwise the direction looks for the next segment that
 * begins with a plausible record header. Sets facts.side[dir].lost where handshake bytes may be
 * missing; bytes of application data may miss without harm.
 */
void et_tls_gap(struct et_tls *tls, struct et_tls_env *env, enum et_dir dir, uint64_t len);

/* Whether bytes can begin TLS: enough of a record header or SSLv2 hello; MORE while undecidable. */
enum et_parse et_tls_probe(struct et_view bytes);

/*
 * A parsed ClientHello (RFC 8446 4.1.2; SSLv2 format: RFC 5246 E.2). Views point into the input.
 * Lists are as sent, in network byte order, two bytes an entry (SSLv2 suites: three). body is the
 * message behind its 4-byte header; record_version is left 0 for the caller to set. OK or BAD. A
 * well-framed extension whose inside contradicts itself counts as absent, but for has_sni.
 */
struct et_tls_hello {
	uint16_t record_version, version; /* version: legacy_version */
	struct et_view random, session, suites, compression, exts;
	struct et_view versions, groups, sigalgs, point_formats;
	struct et_view key_shares; /* the whole extension vector: group, length, key */
	struct et_view alpn;       /* the whole ProtocolNameList vector */
	struct et_view sni;        /* host_name, empty if none */
	bool sslv2, has_exts, has_versions, has_groups, has_sigalgs, has_sni;
	bool early_data, psk, ems, ticket;
};
enum et_parse et_tls_parse_hello(struct et_tls_hello *out, struct et_cur body);
/* The same for an SSLv2-format hello: body is the record behind its 2-byte length. */
enum et_parse et_tls_parse_sslv2_hello(struct et_tls_hello *out, struct et_cur body);

/*
 * A ClientHello profile: what is the same in every hello of one client stack and configuration.
 * GREASE (RFC 8701) is dropped from every list; the SCSVs 00ff and 5600 stay in `ciphers` here,
 * since JA3 and JA4 count them, and are left out by et_tls_profile_is_cipher.
 * Random, session id, tickets, key material, server name and padding are not part of it.
 */
#define ET_TLS_LIST  512 /* entries kept of any list */
#define ET_TLS_KINDS 32
/*
 * Whether a DHE prime is one that many servers share and that is short enough for that to matter
 * (Logjam: who has once worked on the prime reads all of them): those of RFC 2409 6.1 and 6.2, RFC
 * 3526 2 and RFC 5114 2.1. Leading zeros do not matter.
 */
bool et_tls_prime_is_well_known(struct et_view prime);

struct et_tls_list {
	uint16_t n;
	uint16_t v[ET_TLS_LIST];
};
static inline bool et_tls_list_has(const struct et_tls_list *list, uint16_t value)
{
	for (uint16_t i = 0; i < list->n; i++)
		if (list->v[i] == value)
			return true;
	return false;
}
struct et_tls_profile {
	uint16_t record_version, legacy_version;
	bool sslv2, has_sni, has_groups, has_sigalgs, has_versions, has_exts;
	struct et_tls_list versions, ciphers, groups, sigalgs, key_shares, extensions;
	struct et_tls_list compression, point_formats; /* one byte each */
	uint16_t kinds_n; /* SSLv2's own cipher kinds, which an SSLv2-format hello can offer */
	uint32_t kinds[ET_TLS_KINDS];
	uint16_t alpn_n;   /* bytes in alpn */
	uint8_t alpn[256]; /* length-prefixed names as sent */
};
/* Longest result of et_tls_profile_encode. */
#define ET_TLS_PROFILE_MAX (16 + 2 * 6 * (1 + ET_TLS_LIST) + 2 * (2 + 256) + 3 * ET_TLS_KINDS + 258)
/* Canonical bytes for the dictionary; returns their number, at most cap (0: does not fit). */
size_t et_tls_profile_encode(uint8_t *out, size_t cap, const struct et_tls_hello *hello);
/* Whether a value of `ciphers` is a suite, not a signal (00ff, 5600) or GREASE. */
bool et_tls_profile_is_cipher(uint16_t id);
/* False if the bytes are not of et_tls_profile_encode. */
bool et_tls_profile_decode(struct et_tls_profile *out, struct et_view bytes);
/* The canonical bytes again: what et_tls_profile_decode took. As et_tls_profile_encode. */
size_t et_tls_profile_pack(uint8_t *out, size_t cap, const struct et_tls_profile *profile);

/* The ServerHello's extension list with version and cipher, out of env->server_hellos. */
struct et_tls_server_profile {
	uint16_t legacy_version, cipher;
	struct et_tls_list extensions; /* in wire order */
};
size_t et_tls_server_hello_encode(
	uint8_t *out, size_t cap, uint16_t legacy_version, uint16_t cipher, struct et_view exts);
bool et_tls_server_hello_decode(struct et_tls_server_profile *out, struct et_view bytes);

/*
 * Fingerprints, off the fast path. JA3/JA3S are MD5 in hex (33 bytes with NUL); an SSLv2-format
 * hello has no JA3: "". JA4 is its own
 * text ("t12d1107h2_..._...", 37 bytes with NUL at most). id: the first 16 bytes of SHA-256 of the
 * profile's canonical bytes, in hex (33 bytes with NUL).
 */
void et_tls_ja3(char out[static 33], const struct et_tls_profile *profile);
void et_tls_ja3s(char out[static 33], const struct et_tls_server_profile *profile);
void et_tls_ja4(char out[static 37], const struct et_tls_profile *profile);
void et_tls_profile_id(char out[static 33], struct et_view bytes);

#endif
