/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SERVER_H
#define SERVER_H

/*
 * A real libssl server that is set up from the same texts as a struct et_nego_config, but by
 * libssl's own functions, and what it answers to one flight of bytes.
 */

#include "et_nego.h"

#include <openssl/ssl.h>

/* A configuration in words: options of et_nego_set, ended by a NULL name. */
#define SERVER_OPTIONS 11
struct server_option {
	const char *name, *value;
};
struct server_words {
	struct server_option options[SERVER_OPTIONS + 1];
};

struct server {
	SSL_CTX *ctx;
	bool loaded[ET_NEGO_KEYS]; /* the keys that libssl took */
};

/* False, with a line on standard error, if libssl refuses what et_nego_set would take. */
bool server_open(struct server *server, const struct server_words *words);
void server_close(struct server *server);

/* What was seen on the wire; TLS 1.3's key and scheme, which are encrypted, by asking libssl. */
struct answer {
	bool server_hello, hello_retry, ems, secure_renegotiation;
	int alert; /* -1: none */
	uint16_t version, suite, group, dh_bits;
	uint8_t key;     /* enum et_nego_key, or ET_NEGO_NO_KEY */
	int sign, hash;  /* of the server's signature: OpenSSL's numbers; 0: none */
	uint16_t sigalg; /* TLS 1.2's ServerKeyExchange; 0: none */
};
/* False: no answer at all. */
bool server_ask(struct answer *out, const struct server *server, const uint8_t *p, size_t n);
/* Of these, what the bytes of the server's flight say (answer.c). */
bool answer_read(struct answer *out, const uint8_t *p, size_t n);

#endif
