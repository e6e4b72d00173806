/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include "et_wire.h"

#include <openssl/x509.h>
#include <string.h>

/* SHA-256 of "HelloRetryRequest": RFC 8446 4.1.3. */
static const uint8_t retry_random[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe,
	0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
	0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

static void server_hello(struct answer *out, struct et_cur body)
{
	struct et_cur exts;

	out->server_hello = true;
	out->version = et_u16(&body);
	out->hello_retry = memcmp(et_take(&body, 32).p, retry_random, 32) == 0;
	et_block(&body, 1);
	out->suite = et_u16(&body);
	et_u8(&body);
	exts = et_block(&body, 2);
	while (exts.n > 0) {
		uint16_t type = et_u16(&exts);
		struct et_cur ext = et_block(&exts, 2);

		if (type == 43)
			out->version = et_u16(&ext);
		else if (type == 51)
			out->group = et_u16(&ext);
		else if (type == 23)
			out->ems = true;
		else if (type == 0xff01)
			out->secure_renegotiation = true;
	}
}

static void certificate(struct answer *out, struct et_cur body)
{
	struct et_cur list = et_block(&body, 3), der = et_block(&list, 3);
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.n);
	const EVP_PKEY *key = X509_get0_pubkey(cert);

	out->key = EVP_PKEY_is_a(key, "RSA")       ? ET_NEGO_RSA
		   : EVP_PKEY_is_a(key, "RSA-PSS") ? ET_NEGO_RSA_PSS
		   : EVP_PKEY_is_a(key, "EC")      ? ET_NEGO_ECDSA
		   : EVP_PKEY_is_a(key, "ED25519") ? ET_NEGO_ED25519
						   : ET_NEGO_ED448;
	X509_free(cert);
}

static void key_exchange(struct answer *out, struct et_cur body)
{
	const struct et_iana_suite *suite = et_iana_suite(out->suite);

	if (suite && suite->kx == ET_KX_ECDHE) {
		et_u8(&body);
		out->group = et_u16(&body);
		et_block(&body, 1);
	} else {
		out->dh_bits = (uint16_t)(8 * et_block(&body, 2).n);
		et_block(&body, 2);
		et_block(&body, 2);
	}
	if (out->version == ET_TLSV1_2 && suite && suite->auth != ET_AUTH_ANON)
		out->sigalg = et_u16(&body);
}

static void message(struct answer *out, uint8_t type, struct et_cur body)
{
	if (type == 2)
		server_hello(out, body);
	else if (out->version == ET_TLSV1_3)
		return;
	else if (type == 11)
		certificate(out, body);
	else if (type == 12)
		key_exchange(out, body);
}

bool answer_read(struct answer *out, const uint8_t *p, size_t n)
{
	static uint8_t flight[1 << 16]; /* the handshake messages without their records */
	struct et_cur cur = et_cur(p, n), messages;
	size_t len = 0;

	*out = (struct answer){ .alert = -1, .key = ET_NEGO_NO_KEY };
	while (cur.n > 0) {
		uint8_t type = et_u8(&cur);
		struct et_cur record;

		et_u16(&cur);
		record = et_block(&cur, 2);
		if (type == 21 && out->alert < 0 && record.n == 2)
			out->alert = record.p[1];
		if (type == 22 && len + record.n <= sizeof(flight)) {
			memcpy(flight + len, record.p, record.n);
			len += record.n;
		}
		if (type == 20)
			break; /* TLS 1.3: encrypted from here on */
	}
	messages = et_cur(flight, len);
	while (messages.n > 0) {
		uint8_t type = et_u8(&messages);

		message(out, type, et_block(&messages, 3));
	}
	return n > 0;
}
