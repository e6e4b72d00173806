/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <string.h>

#define DOUBT_LEN 6 /* handshake header, and the version of a hello */

/* The shortest and longest body that a message in clear has; a version where it begins with one. */
static const struct shape {
	uint32_t min, max;
	bool from_client, from_server, hello;
} shapes[] = {
	[TLS_CLIENT_HELLO] = { 38, ET_TLS_MESSAGE_MAX, true, false, true },
	[TLS_SERVER_HELLO] = { 36, 4096, false, true, true },
	[TLS_NEW_SESSION_TICKET] = { 6, 8192, false, true, false },
	[TLS_CERTIFICATE] = { 3, ET_TLS_MESSAGE_MAX, true, true, false },
	[TLS_SERVER_KEY_EXCHANGE] = { 4, 8192, false, true, false },
	[TLS_CERTIFICATE_REQUEST] = { 3, ET_TLS_MESSAGE_MAX, false, true, false },
	[TLS_SERVER_HELLO_DONE] = { 0, 0, false, true, false },
	[TLS_CERTIFICATE_VERIFY] = { 4, 4096, true, false, false },
	[TLS_CLIENT_KEY_EXCHANGE] = { 1, 8192, true, false, false },
	[TLS_CERTIFICATE_STATUS] = { 4, ET_TLS_MESSAGE_MAX, false, true, false },
};

/*
 * Whether n bytes in doubt begin a message in clear. HelloRequest is none here: its four zero
 * bytes are how an encrypted Finished begins whose explicit nonce counts from zero.
 */
static enum et_parse judge_doubt(const struct tls_ctx *c, const uint8_t *p, size_t n)
{
	const struct shape *shape;
	uint32_t len;

	if (p[0] >= sizeof(shapes) / sizeof(shapes[0]))
		return ET_PARSE_BAD;
	shape = &shapes[p[0]];
	if (!(c->dir == ET_CLIENT ? shape->from_client : shape->from_server))
		return ET_PARSE_BAD;
	if (c->side->keys == TLS_COMPAT && !shape->hello)
		return ET_PARSE_BAD; /* in TLS 1.3 only hellos can follow a CCS in clear */
	if (n > 1 && p[1] != 0)
		return ET_PARSE_BAD;
	if (n < 4)
		return ET_PARSE_MORE;
	len = (uint32_t)(p[2] << 8 | p[3]);
	/* A message in clear that does not fit its record fills it: an encrypted one is short. */
	if (len < shape->min || len > shape->max ||
		(c->side->keys == TLS_MISSED && 4 + len > c->side->record_len &&
			c->side->record_len < 256))
		return ET_PARSE_BAD;
	if (!shape->hello)
		return ET_PARSE_OK;
	if ((n > 4 && p[4] != 3 && p[4] != 0x7f) || (n > 5 && p[4] == 3 && p[5] > 4))
		return ET_PARSE_BAD;
	return n < DOUBT_LEN ? ET_PARSE_MORE : ET_PARSE_OK;
}

void et_tls_settle(struct tls_ctx *c, struct et_cur *part)
{
	struct et_tls_side *side = c->side;
	uint8_t bytes[DOUBT_LEN];
	size_t had = side->doubt_n, n = DOUBT_LEN - had;
	struct et_cur early;
	enum et_parse verdict;

	if (part->n == 0)
		return;
	if (n > part->n)
		n = part->n;
	memcpy(bytes, side->doubt, had);
	memcpy(bytes + had, part->p, n);
	verdict = judge_doubt(c, bytes, had + n);
	side->doubt_n = 0;
	if (verdict == ET_PARSE_OK) {
		side->keys = TLS_CLEAR;
		early = et_cur(bytes, had);
		et_tls_message_bytes(c, &early);
		et_tls_message_bytes(c, part);
	} else if (verdict == ET_PARSE_MORE) {
		memcpy(side->doubt, bytes, had + n);
		side->doubt_n = (uint8_t)(had + n);
	} else {
		side->type = 0;
		if (side->keys == TLS_COMPAT) {
			side->keys = TLS_ENCRYPTED;
			et_tls_saw_finished(c);
		}
	}
}

/* Stricter than between records: here any bytes of the middle of a record may stand. */
static enum et_parse judge_resync(enum et_dir dir, const uint8_t *p, size_t n)
{
	enum et_parse verdict = et_tls_judge_record(p, n);
	uint32_t len;

	(void)dir;
	if (verdict != ET_PARSE_OK)
		return verdict;
	len = (uint32_t)(p[3] << 8 | p[4]);
	if (len == 0 || (p[0] == ET_TLS_CCS && len != 1) || (p[0] == ET_TLS_ALERT && len > 256))
		return ET_PARSE_BAD;
	return ET_PARSE_OK;
}

void et_tls_resync(struct tls_ctx *c, struct et_cur *in)
{
	bool begun = c->side->head_n > 0;
	const uint8_t *head;
	enum et_parse verdict;

	verdict = et_tls_take_head(c, &head, in, TLS_RECORD_HEAD, judge_resync);
	if (verdict == ET_PARSE_BAD && begun) /* not with those before: this one by itself */
		verdict = et_tls_take_head(c, &head, in, TLS_RECORD_HEAD, judge_resync);
	if (verdict == ET_PARSE_BAD)
		et_take(in, in->n);
	else if (verdict == ET_PARSE_OK)
		et_tls_begin_record(c, head);
}

/* Whether handshake bytes in clear, or an alert, may be among what is missing. */
static bool hides_handshake(const struct tls_ctx *c, bool within)
{
	const struct et_tls_side *side = c->side;

	if (c->mine->app_records > 0 || (c->mine->seen & ET_TLS_SAW_FINISHED))
		return false;
	if (within && side->type == ET_TLS_HANDSHAKE)
		return side->keys != TLS_ENCRYPTED;
	return !within || side->type == ET_TLS_ALERT;
}

/* A gap within a handshake record: the message is lost, but where it ends may be known. */
static void gap_in_messages(struct tls_ctx *c, uint32_t len)
{
	struct et_tls_side *side = c->side;

	if (side->keys == TLS_ENCRYPTED)
		return;
	if (side->keys == TLS_CLEAR && side->msg_head_n == sizeof(side->msg_head) &&
		side->msg_len - side->msg_n >= len) {
		side->msg_fate = TLS_LOST;
		side->msg_n += len;
		if (side->msg_n == side->msg_len)
			et_tls_collect_end(c);
		return;
	}
	et_tls_collect_end(c);
	side->doubt_n = 0;
	side->type = 0; /* the rest of the record begins in the middle of something */
	if (side->keys == TLS_CLEAR)
		side->keys = TLS_MISSED;
}

/* The missing bytes end within the record in progress: the position is kept. */
static void gap_in_record(struct tls_ctx *c, uint32_t len)
{
	struct et_tls_side *side = c->side;

	if (hides_handshake(c, true) || side->state == TLS_V2_BODY)
		c->mine->lost = true;
	side->record_left -= len;
	if (side->state == TLS_V2_BODY) {
		side->msg_fate = TLS_LOST;
		side->msg_n += len;
	} else if (side->type == ET_TLS_HANDSHAKE) {
		gap_in_messages(c, len);
	} else {
		side->alert_n = 0;
		if (side->type == ET_TLS_ALERT)
			side->type = 0;
	}
	if (side->record_left > 0)
		return;
	if (side->state == TLS_V2_BODY) {
		et_tls_collect_end(c);
		side->state = side->keys == TLS_ENCRYPTED || c->dir == ET_SERVER ? TLS_V2_HEAD
										 : TLS_V2_NEXT;
	} else {
		side->state = TLS_HEAD;
	}
}

static void gap_over_records(struct tls_ctx *c)
{
	struct et_tls_side *side = c->side;
	/* behind an SSLv2-format hello, TLS can come yet */
	bool v2 = side->state == TLS_V2_HEAD ||
		  (side->state == TLS_V2_BODY && side->keys == TLS_ENCRYPTED);

	if (hides_handshake(c, false))
		c->mine->lost = true;
	et_tls_collect_end(c);
	side->head_n = side->doubt_n = side->alert_n = 0;
	side->record_left = 0;
	c->mine->app_last_is_end = false;
	if (side->keys == TLS_CLEAR)
		side->keys = TLS_MISSED;
	side->state = v2 ? TLS_V2_BLIND : TLS_RESYNC;
}

void et_tls_gap(struct et_tls *tls, struct et_tls_env *env, enum et_dir dir, uint64_t len)
{
	struct et_tls_side *side = &tls->side[dir];
	struct tls_ctx c = {
		.tls = tls, .env = env, .side = side, .mine = &tls->facts.side[dir], .dir = dir
	};

	if (len == 0 || side->state == TLS_V2_BLIND)
		return;
	if ((side->state == TLS_BODY || side->state == TLS_V2_BODY) && len <= side->record_left)
		gap_in_record(&c, (uint32_t)len);
	else
		gap_over_records(&c);
	c.mine->cut_message = side->head_n > 0 || side->msg_head_n > 0 || side->state == TLS_BODY ||
			      side->state == TLS_V2_BODY;
}
