/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiretap.h"

#include <string.h>

#define RECORD_HEAD 5
#define RANDOM_AT   6 /* message header, legacy_version */
#define RANDOM_LEN  32
#define ID_AT       (RANDOM_AT + RANDOM_LEN + 1)

#define ALERT_LEN 19 /* of TLS 1.3: two bytes, type, tag */

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA };
enum {
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	CERTIFICATE = 11,
	SERVER_KEY_EXCHANGE = 12,
	CERTIFICATE_REQUEST = 13,
	SERVER_HELLO_DONE = 14,
	CLIENT_KEY_EXCHANGE = 16,
};

struct tap {
	struct gen_wiretap *out;
	struct gen_script *script;
	bool ciphered[2]; /* after its ChangeCipherSpec */
	unsigned app[2];  /* records of application data */
	unsigned talk;    /* the flight with which the handshake is over */
	unsigned said;    /* records of the client from there on */
	uint8_t ids[GEN_IDS][32];
	unsigned id_cnt;
};

static uint32_t be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static int patch_id(struct tap *t, const uint8_t *p)
{
	unsigned i = 0;

	while (i < t->id_cnt && memcmp(t->ids[i], p, 32) != 0)
		i++;
	if (i == GEN_IDS)
		return 0; /* stays as recorded */
	if (i == t->id_cnt)
		memcpy(t->ids[t->id_cnt++], p, 32);
	return gen_script_patch(
		t->script, (uint32_t)(p - t->script->bytes), 32, GEN_PATCH_ID, (uint8_t)i);
}

/* The extensions of a ServerHello. */
static void server_extensions(struct tap *t, const uint8_t *p, const uint8_t *end)
{
	if (end - p < 2)
		return;
	for (p += 2; end - p >= 4; p += 4 + be(p + 2, 2)) {
		uint32_t type = be(p, 2);

		if (type == 43)
			t->out->version = (uint16_t)be(p + 4, 2);
		else if (type == 51)
			t->out->group = (uint16_t)be(p + 4, 2);
	}
}

static int hello(struct tap *t, const uint8_t *p, uint32_t len, uint8_t dir)
{
	/* RFC 8446 4.1.3: the first bytes of the random that makes a HelloRetryRequest */
	static const uint8_t retry[8] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11 };
	const uint8_t *random = p + RANDOM_AT, *end = p + len;
	uint8_t id_len = p[ID_AT - 1];
	bool keep_tail = memcmp(random + 24, "DOWNGRD", 7) == 0;

	if (id_len == 32 && patch_id(t, p + ID_AT) != 0)
		return -1;
	if (p[0] == SERVER_HELLO && memcmp(random, retry, sizeof(retry)) == 0) {
		t->out->hello_retry = true;
		return 0;
	}
	if (p[0] == SERVER_HELLO) {
		t->out->version = (uint16_t)be(p + 4, 2);
		t->out->cipher_id = (uint16_t)be(p + ID_AT + id_len, 2);
		server_extensions(t, p + ID_AT + id_len + 3, end);
	}
	return gen_script_patch(t->script, (uint32_t)(random - t->script->bytes),
		keep_tail ? 24 : RANDOM_LEN, GEN_PATCH_RANDOM, dir);
}

/* Plain handshake messages; no stack here splits one over records. */
static int handshake(struct tap *t, const uint8_t *p, uint32_t len, uint8_t dir)
{
	while (len >= 4) {
		uint32_t n = 4 + be(p + 1, 3);

		if (n > len)
			return 0;
		if ((p[0] == CLIENT_HELLO || p[0] == SERVER_HELLO) && n > ID_AT + 2 &&
			hello(t, p, n, dir) != 0)
			return -1;
		if (p[0] == SERVER_KEY_EXCHANGE && n > 7 && p[4] == 3)
			t->out->group = (uint16_t)be(p + 5, 2);
		if (p[0] == SERVER_HELLO_DONE)
			t->out->server_done = true;
		if (p[0] == CERTIFICATE_REQUEST)
			t->out->cert_asked = true;
		if (p[0] == CLIENT_KEY_EXCHANGE)
			t->out->client_keyed = true;
		if (p[0] == CERTIFICATE && dir == GEN_CLIENT && n > 7)
			t->out->cert_sent = true; /* 7: an empty list */
		p += n;
		len -= n;
	}
	return 0;
}

static void alert(struct tap *t, const uint8_t *p, uint32_t len, uint8_t dir)
{
	if (len == 2 && p[1] == 0)
		return; /* close_notify */
	t->out->alert_from = dir;
	t->out->alert_inferred = len != 2;
	t->out->alert_level = len == 2 ? p[0] : 0;
	t->out->alert_code = len == 2 ? p[1] : 0;
}

static void application(struct tap *t, unsigned flight, uint32_t len, uint8_t dir)
{
	unsigned finished = t->out->version == 0x0304;

	t->app[dir]++;
	/* TLS 1.3: an alert under keys is all that the client has to say */
	if (finished && dir == GEN_CLIENT && t->app[dir] == 1 && len == ALERT_LEN) {
		t->out->alert_from = dir;
		t->out->alert_inferred = true;
	}
	if (dir == GEN_CLIENT && finished && len != ALERT_LEN)
		t->out->client_finished = true;
	if (dir == GEN_SERVER && t->out->client_finished && len == ALERT_LEN) {
		t->out->alert_from = dir;
		t->out->alert_inferred = true;
	}
	if (dir == GEN_CLIENT && flight >= t->talk)
		t->said++;
	if (dir == GEN_CLIENT && t->out->decider < 0 && t->said >= 2)
		t->out->decider = (int)flight;
}

int gen_wiretap_read(
	struct gen_wiretap *out, struct gen_script *script, unsigned first, unsigned talk)
{
	struct tap t = { .out = out, .script = script, .talk = talk };

	*out = (struct gen_wiretap){ .alert_from = -1, .decider = -1 };
	for (unsigned i = first; i < script->flight_cnt; i++) {
		const struct gen_flight *f = &script->flights[i];
		const uint8_t *p = script->bytes + f->off, *end = p + f->len;

		for (uint32_t n; end - p >= RECORD_HEAD; p += RECORD_HEAD + n) {
			n = be(p + 3, 2);
			if (p[0] == CHANGE_CIPHER_SPEC)
				t.ciphered[f->dir] = true;
			else if (p[0] == ALERT)
				alert(&t, p + RECORD_HEAD, n, f->dir);
			else if (p[0] == APPLICATION_DATA)
				application(&t, i, n, f->dir);
			else if (p[0] == HANDSHAKE && (!t.ciphered[f->dir] || out->version == 0) &&
				 handshake(&t, p + RECORD_HEAD, n, f->dir) != 0)
				return -1;
		}
	}
	return 0;
}
