/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <string.h>

/* A message split over segments is copied; larger buffers are taken only as bytes arrive. */
#define EAGER_LEN 8192

void et_tls_collect_begin(struct tls_ctx *c, uint32_t len, enum tls_fate fate)
{
	c->side->msg_head_n = sizeof(c->side->msg_head);
	c->side->msg_len = len;
	c->side->msg_n = 0;
	c->side->msg_fate = fate;
}

void et_tls_collect_end(struct tls_ctx *c)
{
	struct et_tls_side *side = c->side;

	if (side->buf)
		et_tls_pool_put(c->env->pool, side->buf, side->buf_cap);
	side->buf = NULL;
	side->buf_cap = 0;
	side->msg_head_n = 0;
	side->msg_len = side->msg_n = 0;
}

/* Appends to the buffer, moving to a larger one when it is full. */
static bool keep(struct tls_ctx *c, struct et_view bytes)
{
	struct et_tls_side *side = c->side;
	size_t need = side->msg_n + bytes.n;
	size_t eager = side->msg_len < EAGER_LEN ? side->msg_len : EAGER_LEN;
	uint32_t cap;
	uint8_t *buf;

	if (need > side->buf_cap) {
		buf = et_tls_pool_get(c->env->pool, &cap, need > eager ? need : eager);
		if (!buf)
			return false;
		if (side->buf) {
			memcpy(buf, side->buf, side->msg_n);
			et_tls_pool_put(c->env->pool, side->buf, side->buf_cap);
		}
		side->buf = buf;
		side->buf_cap = cap;
	}
	if (bytes.n)
		memcpy(side->buf + side->msg_n, bytes.p, bytes.n);
	return true;
}

bool et_tls_collect(struct tls_ctx *c, struct et_cur *body, struct et_cur *part)
{
	struct et_tls_side *side = c->side;
	uint32_t left = side->msg_len - side->msg_n;
	struct et_view bytes = et_take(part, part->n < left ? part->n : left);
	bool at_once = bytes.n == side->msg_len;

	if (side->msg_fate == TLS_KEPT && !at_once && !keep(c, bytes)) {
		et_tls_lose(c, ET_DROP_TLS_MEMORY);
		side->msg_fate = TLS_LOST;
	}
	side->msg_n += (uint32_t)bytes.n;
	if (side->msg_n < side->msg_len)
		return false;
	if (side->msg_fate != TLS_KEPT)
		*body = et_cur(NULL, 0);
	else
		*body = at_once ? et_cur_view(bytes) : et_cur(side->buf, side->msg_len);
	return true;
}

/* The bit of a message, by who may send it (RFC 5246 7.4, RFC 6066 8); 0: of no interest. */
static uint32_t seen_bit(enum et_dir dir, uint8_t type)
{
	switch (type) {
	case TLS_CLIENT_HELLO: return dir == ET_CLIENT ? ET_TLS_SAW_CLIENT_HELLO : 0;
	case TLS_SERVER_HELLO: return dir == ET_SERVER ? ET_TLS_SAW_SERVER_HELLO : 0;
	case TLS_HELLO_RETRY_DRAFT: return dir == ET_SERVER ? ET_TLS_SAW_HELLO_RETRY : 0;
	case TLS_CERTIFICATE: return ET_TLS_SAW_CERTIFICATE;
	case TLS_SERVER_KEY_EXCHANGE: return dir == ET_SERVER ? ET_TLS_SAW_SERVER_KEY_EXCHANGE : 0;
	case TLS_CERTIFICATE_REQUEST: return dir == ET_SERVER ? ET_TLS_SAW_CERTIFICATE_REQUEST : 0;
	case TLS_SERVER_HELLO_DONE: return dir == ET_SERVER ? ET_TLS_SAW_SERVER_HELLO_DONE : 0;
	case TLS_CLIENT_KEY_EXCHANGE: return dir == ET_CLIENT ? ET_TLS_SAW_CLIENT_KEY_EXCHANGE : 0;
	case TLS_CERTIFICATE_VERIFY: return dir == ET_CLIENT ? ET_TLS_SAW_CERTIFICATE_VERIFY : 0;
	case TLS_NEW_SESSION_TICKET: return dir == ET_SERVER ? ET_TLS_SAW_NEW_SESSION_TICKET : 0;
	case TLS_CERTIFICATE_STATUS: return dir == ET_SERVER ? ET_TLS_SAW_CERTIFICATE_STATUS : 0;
	default: return 0;
	}
}

static bool body_is_wanted(uint32_t bit)
{
	return bit & (ET_TLS_SAW_CLIENT_HELLO | ET_TLS_SAW_SERVER_HELLO | ET_TLS_SAW_CERTIFICATE |
			     ET_TLS_SAW_SERVER_KEY_EXCHANGE);
}

static void begin(struct tls_ctx *c)
{
	const uint8_t *head = c->side->msg_head;
	uint32_t len = (uint32_t)(head[1] << 16 | head[2] << 8 | head[3]);
	enum tls_fate fate = TLS_PASSED;

	if (len > ET_TLS_MESSAGE_MAX) {
		et_tls_lose(c, ET_DROP_TLS_TOO_LONG);
		fate = TLS_LOST;
	} else if (body_is_wanted(seen_bit(c->dir, head[0]))) {
		fate = TLS_KEPT;
	}
	et_tls_collect_begin(c, len, fate);
}

/* A message is there in whole; hellos set their bit themselves, when they are understood. */
static void finish(struct tls_ctx *c, struct et_cur body)
{
	uint32_t bit = seen_bit(c->dir, c->side->msg_head[0]);

	if (c->side->msg_fate == TLS_LOST) {
		/* too long or no memory; that it was there is known */
		if (!(bit & (ET_TLS_SAW_CLIENT_HELLO | ET_TLS_SAW_SERVER_HELLO)))
			c->mine->seen |= bit ? bit : ET_TLS_SAW_OTHER;
		return;
	}
	switch (bit) {
	case ET_TLS_SAW_CLIENT_HELLO: et_tls_on_client_hello(c, body, false); return;
	case ET_TLS_SAW_SERVER_HELLO: et_tls_on_server_hello(c, body); return;
	case ET_TLS_SAW_HELLO_RETRY: et_tls_on_hello_retry_draft(c); return;
	case ET_TLS_SAW_CERTIFICATE: et_tls_on_certificate(c, body); break;
	case ET_TLS_SAW_SERVER_KEY_EXCHANGE: et_tls_on_server_key_exchange(c, body); break;
	default: break;
	}
	c->mine->seen |= bit ? bit : ET_TLS_SAW_OTHER;
}

void et_tls_message_bytes(struct tls_ctx *c, struct et_cur *part)
{
	struct et_tls_side *side = c->side;
	struct et_cur body;

	while (part->n > 0) {
		if (side->msg_head_n < sizeof(side->msg_head)) {
			size_t n = sizeof(side->msg_head) - side->msg_head_n;
			struct et_view head = et_take(part, part->n < n ? part->n : n);

			if (side->msg_head_n == 0)
				side->msg_version = side->record_version;
			memcpy(side->msg_head + side->msg_head_n, head.p, head.n);
			side->msg_head_n = (uint8_t)(side->msg_head_n + head.n);
			if (side->msg_head_n < sizeof(side->msg_head))
				return;
			begin(c);
		}
		if (!et_tls_collect(c, &body, part))
			return;
		finish(c, body);
		et_tls_collect_end(c);
	}
}
