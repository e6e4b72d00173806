/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEERS_H
#define PEERS_H

/* Handshakes between two real OpenSSL ends in memory, and the bytes that they exchanged. */

#include "et_tls.h"

struct peers_case {
	const char *name;
	uint16_t client_min, client_max, server_max; /* 0: what OpenSSL does by itself */
	const char *ciphers;                         /* up to TLS 1.2; NULL: all but anonymous */
	const char *server_ciphers;                  /* NULL: the same */
	const char *client_groups, *server_groups;
	bool ecdsa; /* the server's certificate; else RSA */
	bool no_ticket;
	bool ask_cert;    /* the server wants one */
	bool client_cert; /* and gets one */
	bool psk;
	bool distrust; /* the client verifies, and does not know the issuer */
	bool resume;   /* the second of two handshakes is the one to look at */
	bool alpn_clash;
	const char *sni;
};

#define PEERS_FLIGHTS 32
struct peers_flight {
	enum et_dir dir;
	uint8_t *p;
	size_t n;
};

struct peers {
	struct peers_flight flights[PEERS_FLIGHTS];
	size_t cnt;
	bool done; /* both ends finished the handshake */
	bool reused;
	uint16_t version, cipher, group; /* by the client; group by IANA's number, 0: none */
};

/* False, with a line on standard error, when OpenSSL could not be set up for it. */
bool peers_run(struct peers *out, const struct peers_case *how);
void peers_free(struct peers *peers);

#endif
