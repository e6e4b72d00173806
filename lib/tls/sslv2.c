/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <string.h>

/*
 * SSL 2.0 (the Netscape specification of 1995; the hello in its format: RFC 5246 E.2). A record is
 * a 2-byte length with the high bit set, or a 3-byte one with padding; a message is a record.
 */

enum message {
	V2_ERROR = 0,
	V2_CLIENT_HELLO = 1,
	V2_CLIENT_MASTER_KEY = 2,
	V2_SERVER_HELLO = 4,
};

#define V2_CLIENT_HEAD 11 /* length, type, version, lengths of ciphers, session id, challenge */
#define V2_SERVER_HEAD 13 /* length, type, hit, certificate type, version, three lengths */
#define V2_ERROR_HEAD  5
#define V2_CERT_X509   1

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static enum et_parse judge_client(const uint8_t *p, size_t n)
{
	if ((n > 2 && p[2] != V2_CLIENT_HELLO) || (n > 3 && p[3] != 0 && p[3] != 3) ||
		(n > 4 && (p[3] == 0 ? p[4] != 2 : p[4] > 4)))
		return ET_PARSE_BAD;
	if (n < V2_CLIENT_HEAD)
		return ET_PARSE_MORE;
	if (be16(p + 5) == 0 || be16(p + 5) % 3 != 0 || (be16(p + 7) != 0 && be16(p + 7) != 16) ||
		be16(p + 9) < 16 || be16(p + 9) > 32)
		return ET_PARSE_BAD;
	return (be16(p) & 0x7fff) == V2_CLIENT_HEAD - 2 + be16(p + 5) + be16(p + 7) + be16(p + 9)
		       ? ET_PARSE_OK
		       : ET_PARSE_BAD;
}

static enum et_parse judge_server(const uint8_t *p, size_t n)
{
	if (n > 2 && p[2] == V2_ERROR) {
		if (p[0] != 0x80 || p[1] != 3 || (n > 3 && p[3] != 0) ||
			(n > 4 && p[4] != 1 && p[4] != 2 && p[4] != 4 && p[4] != 6))
			return ET_PARSE_BAD;
		return n < V2_ERROR_HEAD ? ET_PARSE_MORE : ET_PARSE_OK;
	}
	if ((n > 2 && p[2] != V2_SERVER_HELLO) || (n > 3 && p[3] > 1) || (n > 4 && p[4] > 1) ||
		(n > 5 && p[5] != 0) || (n > 6 && p[6] != 2))
		return ET_PARSE_BAD;
	if (n < V2_SERVER_HEAD)
		return ET_PARSE_MORE;
	if (be16(p + 9) % 3 != 0 || be16(p + 11) < 16 || be16(p + 11) > 32)
		return ET_PARSE_BAD;
	return (be16(p) & 0x7fff) == V2_SERVER_HEAD - 2 + be16(p + 7) + be16(p + 9) + be16(p + 11)
		       ? ET_PARSE_OK
		       : ET_PARSE_BAD;
}

enum et_parse et_tls_judge_sslv2(enum et_dir dir, const uint8_t *p, size_t n)
{
	if (n > 0 && !(p[0] & 0x80))
		return ET_PARSE_BAD;
	return dir == ET_CLIENT ? judge_client(p, n) : judge_server(p, n);
}

/* How many bytes are judged, as far as the n that are there tell. */
size_t et_tls_sslv2_head(enum et_dir dir, const uint8_t *p, size_t n)
{
	if (dir == ET_CLIENT)
		return V2_CLIENT_HEAD;
	if (n < 3)
		return 3;
	return p[2] == V2_ERROR ? V2_ERROR_HEAD : V2_SERVER_HEAD;
}

enum et_parse et_tls_parse_sslv2_hello(struct et_tls_hello *out, struct et_cur body)
{
	size_t suites, session, challenge;

	*out = (struct et_tls_hello){ .sslv2 = true };
	if (et_u8(&body) != V2_CLIENT_HELLO)
		return ET_PARSE_BAD;
	out->version = et_u16(&body);
	suites = et_u16(&body);
	session = et_u16(&body);
	challenge = et_u16(&body);
	out->suites = et_take(&body, suites);
	out->session = et_take(&body, session);
	out->random = et_take(&body, challenge);
	return et_ok(&body) && body.n == 0 && suites % 3 == 0 ? ET_PARSE_OK : ET_PARSE_BAD;
}

/* Keeps the certificate in the form that the chains of TLS have. */
static void put_certificate(struct tls_ctx *c, struct et_view der)
{
	uint32_t cap;
	uint8_t *buf = et_tls_pool_get(c->env->pool, &cap, der.n + 3);

	if (!buf) {
		et_tls_lose(c, ET_DROP_TLS_MEMORY);
		return;
	}
	buf[0] = 0;
	buf[1] = (uint8_t)(der.n >> 8);
	buf[2] = (uint8_t)der.n;
	memcpy(buf + 3, der.p, der.n);
	c->tls->facts.chain[ET_SERVER] =
		et_tls_put(c, c->env->chains, (struct et_view){ buf, der.n + 3 });
	et_tls_pool_put(c->env->pool, buf, cap);
}

/* From here on all that this direction sends is encrypted. */
static void keys(struct tls_ctx *c)
{
	c->side->keys = TLS_ENCRYPTED;
	c->mine->seen |= ET_TLS_SAW_CCS;
}

static bool on_server_hello(struct tls_ctx *c, struct et_cur body)
{
	struct et_tls_facts *facts = &c->tls->facts;
	uint8_t hit, type;
	size_t cert_len, kinds_len;
	struct et_view cert;

	et_u8(&body);
	hit = et_u8(&body);
	type = et_u8(&body);
	et_u16(&body);
	cert_len = et_u16(&body);
	kinds_len = et_u16(&body);
	et_u16(&body);
	cert = et_take(&body, cert_len);
	et_take(&body, kinds_len);
	if (!et_ok(&body))
		return false;
	c->mine->seen |= ET_TLS_SAW_SERVER_HELLO;
	facts->version = ET_SSLV2;
	facts->resumed = hit;
	if (cert.n > 0 && type == V2_CERT_X509) {
		c->mine->seen |= ET_TLS_SAW_CERTIFICATE;
		put_certificate(c, cert);
	}
	keys(c);
	return true;
}

static bool on_master_key(struct tls_ctx *c, struct et_cur body)
{
	uint32_t kind;
	size_t clear, secret, arg;

	et_u8(&body);
	kind = (uint32_t)et_be(&body, 3);
	clear = et_u16(&body);
	secret = et_u16(&body);
	arg = et_u16(&body);
	if (!et_ok(&body) || body.n != clear + secret + arg)
		return false;
	c->mine->seen |= ET_TLS_SAW_CLIENT_KEY_EXCHANGE;
	c->tls->facts.cipher = kind;
	keys(c);
	return true;
}

/* NO-CIPHER-ERROR 1, NO-CERTIFICATE 2, BAD-CERTIFICATE 4, UNSUPPORTED-CERTIFICATE-TYPE 6 */
static void on_error(struct tls_ctx *c, struct et_cur body)
{
	static const uint8_t alerts[] = { [1] = 40, [2] = 41, [4] = 42, [6] = 43 };
	uint16_t code;

	et_u8(&body);
	code = et_u16(&body);
	if (et_ok(&body) && code < sizeof(alerts) && alerts[code])
		et_tls_alert_is(c, false, 2, alerts[code]);
	else
		et_tls_drop(c, ET_DROP_TLS_MESSAGE);
}

static void message(struct tls_ctx *c, struct et_cur body)
{
	uint8_t type = body.n > 0 ? body.p[0] : 0xff;

	if (c->dir == ET_CLIENT && !(c->mine->seen & ET_TLS_SAW_CLIENT_HELLO)) {
		et_tls_on_client_hello(c, body, true);
	} else if (type == V2_ERROR && body.n == 3) {
		on_error(c, body);
	} else if (c->dir == ET_SERVER) {
		if (type != V2_SERVER_HELLO || !on_server_hello(c, body))
			et_tls_lose(c, ET_DROP_TLS_MESSAGE);
	} else if (type != V2_CLIENT_MASTER_KEY || !on_master_key(c, body)) {
		/* a resumed session has none: this is the CLIENT-FINISHED, encrypted */
		keys(c);
		et_tls_saw_finished(c);
	}
}

/* Encrypted records: CLIENT-FINISHED is the first; SERVER-VERIFY precedes SERVER-FINISHED. */
static void encrypted_record(struct tls_ctx *c)
{
	struct et_tls_side_facts *mine = c->mine;

	if (mine->seen & ET_TLS_SAW_FINISHED)
		et_tls_application(c);
	else if (c->dir == ET_CLIENT || (mine->seen & ET_TLS_SAW_OTHER))
		et_tls_saw_finished(c);
	else
		mine->seen |= ET_TLS_SAW_OTHER;
}

static void begin_record(struct tls_ctx *c, uint32_t len)
{
	struct et_tls_side *side = c->side;

	side->type = 0;
	side->record_version = ET_SSLV2;
	side->record_len = side->record_left = len;
	side->state = TLS_V2_BODY;
	c->mine->records++;
	c->mine->app_last_is_end = false;
	if (side->keys == TLS_ENCRYPTED)
		encrypted_record(c);
	et_tls_collect_begin(c, len, side->keys == TLS_ENCRYPTED ? TLS_PASSED : TLS_KEPT);
}

void et_tls_sslv2_body(struct tls_ctx *c, struct et_cur *in)
{
	struct et_tls_side *side = c->side;
	bool hello = c->dir == ET_CLIENT && !(c->mine->seen & ET_TLS_SAW_CLIENT_HELLO);
	size_t before = in->n;
	struct et_cur whole;
	bool done = et_tls_collect(c, &whole, in);

	side->record_left -= (uint32_t)(before - in->n);
	if (!done)
		return;
	if (side->msg_fate == TLS_KEPT)
		message(c, whole);
	et_tls_collect_end(c);
	side->state = hello ? TLS_V2_NEXT : TLS_V2_HEAD;
}

/* head: the n bytes that were judged, of which those behind the length belong to the message. */
void et_tls_sslv2_begin(struct tls_ctx *c, const uint8_t *head, size_t n, struct et_cur *in)
{
	struct et_cur early = et_cur(head + 2, n - 2);

	begin_record(c, be16(head) & 0x7fff);
	if (head != c->side->head) {
		/* they stand in the segment, right before `in`: read the message there */
		early.n += in->n;
		et_tls_sslv2_body(c, &early);
		*in = early;
	} else {
		et_tls_sslv2_body(c, &early);
	}
}

/* False: what is next is no record. */
bool et_tls_sslv2_next(struct tls_ctx *c, struct et_cur *in)
{
	struct et_tls_side *side = c->side;
	size_t want;

	while (in->n > 0) {
		side->head[side->head_n++] = et_u8(in);
		want = side->head[0] & 0x80 ? 2 : 3;
		if (side->head_n < want)
			continue;
		side->head_n = 0;
		/* one in clear has no padding */
		if ((want == 3 && side->keys != TLS_ENCRYPTED && c->dir == ET_SERVER) ||
			(be16(side->head) & (want == 2 ? 0x7fff : 0x3fff)) == 0) {
			et_tls_lose(c, ET_DROP_TLS_RECORD);
			return false;
		}
		begin_record(c, be16(side->head) & (want == 2 ? 0x7fff : 0x3fff));
		return true;
	}
	return true;
}
