/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_PARTS_H
#define TLS_PARTS_H

/*
 * What the files of this room say to each other.
 *
 *   record.c   bytes -> records; hands the payload on by content type
 *   resync.c   gaps, and whether a handshake record after one is still in clear
 *   alert.c    alerts
 *   message.c  record payloads -> whole handshake messages
 *   hello.c    ClientHello
 *   server.c   ServerHello, Certificate, ServerKeyExchange
 *   sslv2.c    SSLv2 records and messages
 */

#include "et_tls.h"

/* One call of et_tls_feed or et_tls_gap: everything about the direction that it is for. */
struct tls_ctx {
	struct et_tls *tls;
	struct et_tls_env *env;
	struct et_tls_side *side;       /* of tls, for dir */
	struct et_tls_side_facts *mine; /* of tls->facts, for dir */
	enum et_dir dir;
	int64_t ts_ns;
};

enum tls_state {
	TLS_START,    /* nothing was read yet: TLS or SSLv2 */
	TLS_HEAD,     /* a record header is next */
	TLS_BODY,     /* within a record */
	TLS_RESYNC,   /* position unknown: a segment that begins with a record header is awaited */
	TLS_V2_NEXT,  /* client, behind an SSLv2-format hello: TLS record or SSLv2 record */
	TLS_V2_HEAD,  /* an SSLv2 record header is next */
	TLS_V2_BODY,  /* within an SSLv2 record */
	TLS_V2_BLIND, /* position unknown in SSLv2, whose records cannot be found again */
};

enum tls_keys {
	TLS_CLEAR,
	TLS_COMPAT,    /* a CCS was sent that may be the empty one of TLS 1.3 (RFC 8446 D.4) */
	TLS_MISSED,    /* a gap may hide a CCS, or where the message in progress ends */
	TLS_ENCRYPTED, /* a CCS of SSLv3 to TLS 1.2 was sent */
};

enum tls_fate {
	TLS_KEPT,   /* the body is wanted */
	TLS_PASSED, /* only that it was there is of interest */
	TLS_LOST,   /* bytes are missing, or there was no room for them */
};

/* Handshake types, RFC 8446 B.3, RFC 5246 7.4 and drafts. */
enum tls_handshake {
	TLS_HELLO_REQUEST = 0,
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_NEW_SESSION_TICKET = 4,
	TLS_HELLO_RETRY_DRAFT = 6, /* TLS 1.3 drafts 16 to 21 */
	TLS_CERTIFICATE = 11,
	TLS_SERVER_KEY_EXCHANGE = 12,
	TLS_CERTIFICATE_REQUEST = 13,
	TLS_SERVER_HELLO_DONE = 14,
	TLS_CERTIFICATE_VERIFY = 15,
	TLS_CLIENT_KEY_EXCHANGE = 16,
	TLS_CERTIFICATE_URL = 21,
	TLS_CERTIFICATE_STATUS = 22,
	TLS_SUPPLEMENTAL_DATA = 23,
};

/* Extension types that are read. */
enum tls_extension {
	TLS_EXT_SERVER_NAME = 0,
	TLS_EXT_GROUPS = 10,
	TLS_EXT_POINT_FORMATS = 11,
	TLS_EXT_SIGALGS = 13,
	TLS_EXT_ALPN = 16,
	TLS_EXT_EMS = 23,
	TLS_EXT_TICKET = 35,
	TLS_EXT_KEY_SHARE_DRAFT = 40, /* TLS 1.3 drafts before 23 */
	TLS_EXT_PSK = 41,
	TLS_EXT_EARLY_DATA = 42,
	TLS_EXT_VERSIONS = 43,
	TLS_EXT_KEY_SHARE = 51,
	TLS_EXT_RENEGOTIATION = 0xff01,
};

#define TLS_RECORD_HEAD 5
#define TLS_RECORD_MAX  (16384 + 2048)
#define TLS_RANDOM_LEN  32

/* 0x0304 for TLS 1.3 and all its drafts, Facebook's 0xfbxx among them; else the version itself. */
uint16_t et_tls_final_version(uint16_t version);

/* record.c */
enum et_parse et_tls_judge_record(const uint8_t *p, size_t n);
/*
 * Takes up to `want` bytes from in, over segments, as long as judge finds them possible. OK: they
 * stand at *head, valid until the next call. BAD: nothing of this segment was taken.
 */
enum et_parse et_tls_take_head(struct tls_ctx *c, const uint8_t **head, struct et_cur *in,
	size_t want, enum et_parse (*judge)(enum et_dir, const uint8_t *, size_t));
void et_tls_begin_record(struct tls_ctx *c, const uint8_t head[static TLS_RECORD_HEAD]);
void et_tls_saw_finished(struct tls_ctx *c);
void et_tls_application(struct tls_ctx *c);
static inline void et_tls_drop(struct tls_ctx *c, enum et_drop drop)
{
	c->env->drops[drop]++;
}
/* Bytes of the handshake are hidden from us by what is counted as `drop`. */
static inline void et_tls_lose(struct tls_ctx *c, enum et_drop drop)
{
	et_tls_drop(c, drop);
	c->mine->lost = true;
}
/* et_dict_put, a refusal counted. */
uint32_t et_tls_put(struct tls_ctx *c, struct et_dict *dict, struct et_view bytes);

/* resync.c */
/* Looks for a record header at the begin of the segment in; takes all of it if there is none. */
void et_tls_resync(struct tls_ctx *c, struct et_cur *in);
/* Judges part, bytes of a handshake record that may be encrypted; takes those it keeps. */
void et_tls_settle(struct tls_ctx *c, struct et_cur *part);

/* alert.c */
void et_tls_alert_record(struct tls_ctx *c);
void et_tls_alert_bytes(struct tls_ctx *c, struct et_cur *part);
void et_tls_alert_is(struct tls_ctx *c, bool encrypted, uint8_t level, uint8_t code);

/* message.c */
void et_tls_message_bytes(struct tls_ctx *c, struct et_cur *part);
/*
 * The message in progress: begin says how long it is, collect takes its next bytes from part and
 * is true when it is whole; *body is valid until end, empty if the message was not kept. end gives
 * the buffer back and forgets the message, whole or not.
 */
void et_tls_collect_begin(struct tls_ctx *c, uint32_t len, enum tls_fate fate);
bool et_tls_collect(struct tls_ctx *c, struct et_cur *body, struct et_cur *part);
void et_tls_collect_end(struct tls_ctx *c);

/* hello.c, server.c: each reads one whole message and puts its facts */
void et_tls_on_client_hello(struct tls_ctx *c, struct et_cur body, bool sslv2);
void et_tls_on_server_hello(struct tls_ctx *c, struct et_cur body);
void et_tls_on_hello_retry_draft(struct tls_ctx *c);
void et_tls_on_certificate(struct tls_ctx *c, struct et_cur body);
void et_tls_on_server_key_exchange(struct tls_ctx *c, struct et_cur body);
/* Keeps the session id of a hello, and says once both are known whether they are the same. */
void et_tls_on_session_id(struct tls_ctx *c, struct et_view id);

/* sslv2.c */
/* Whether p can begin an SSLv2 CLIENT-HELLO; SERVER-HELLO or ERROR. */
enum et_parse et_tls_judge_sslv2(enum et_dir dir, const uint8_t *p, size_t n);
size_t et_tls_sslv2_head(enum et_dir dir, const uint8_t *p, size_t n);
void et_tls_sslv2_begin(struct tls_ctx *c, const uint8_t *head, size_t n, struct et_cur *in);
bool et_tls_sslv2_next(struct tls_ctx *c, struct et_cur *in);
void et_tls_sslv2_body(struct tls_ctx *c, struct et_cur *in);

/* pool.c */
/* A buffer for at least n bytes; *cap is its size. NULL if the pool is empty. */
uint8_t *et_tls_pool_get(struct et_tls_pool *pool, uint32_t *cap, size_t n);
void et_tls_pool_put(struct et_tls_pool *pool, uint8_t *buf, uint32_t cap);

#endif
