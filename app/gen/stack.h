/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_STACK_H
#define GEN_STACK_H

/*
 * A TLS stack behind a door: OpenSSL, GnuTLS. Each end is a state machine over two buffers of bytes;
 * record.c carries them from one end to the other and keeps a copy.
 *
 * All functions return 0 or -1 unless said otherwise, and leave a sentence in gen_stack_error().
 */

#include <openssl/x509.h>

#include "profile.h"

#define GEN_CLIENT 0
#define GEN_SERVER 1

/* What both ends of a pair are made from; must outlive them. */
struct gen_setup {
	struct gen_side side[2]; /* GEN_CLIENT, GEN_SERVER */
	const char *gnutls_priority;
	const char *sni; /* NULL: none */
	bool tickets;
	bool verify;      /* the client verifies the server's certificate */
	bool trust;       /* it knows the CA */
	bool ask, demand; /* the server asks for a client certificate; and ends without one */
	bool distrust;    /* it does not know the CA of client certificates */
	X509 *ca, *leaf;
	EVP_PKEY *key;
	X509 *client_leaf; /* NULL: the client has none */
	EVP_PKEY *client_key;
};

/* What an end says of a finished handshake. */
struct gen_stack_facts {
	uint16_t version; /* 0x0303 */
	bool resumed;
	const char *group; /* name by the stack; NULL: it has none to tell */
};

enum gen_shake { GEN_SHAKE_FAILED, GEN_SHAKE_WAITS, GEN_SHAKE_DONE };

struct gen_stack_ops {
	const char *name;
	/* What all connections of one side share; NULL when the stack refuses the setup. */
	void *(*context)(const struct gen_setup *setup, int dir);
	void (*context_free)(void *context);
	/* session: of an earlier end of the same side, or NULL. NULL on failure. */
	void *(*open)(void *context, void *session);
	void (*close)(void *end);
	enum gen_shake (*handshake)(void *end);
	int (*write)(void *end, const void *bytes, size_t len);
	int (*read_all)(void *end);
	int (*bye)(void *end); /* close_notify */
	/* What the end has written: valid until the next call; taken is gone. */
	const uint8_t *(*take)(void *end, size_t *len);
	int (*give)(void *end, const uint8_t *bytes, size_t len);
	void (*facts)(void *end, struct gen_stack_facts *out);
	/* What a client needs to resume; freed by session_free. NULL: nothing. */
	void *(*session)(void *end);
	void (*session_free)(void *session);
};

extern const struct gen_stack_ops gen_openssl, gen_gnutls;

/* "1.0-1.2" as 0x0301 and 0x0303; NULL: all that there are from 1.2 on. 0 or -1. */
int gen_stack_versions(uint16_t out[2], const char *text);

/* The last failure in words; a place to write it. */
const char *gen_stack_error(void);
__attribute__((format(printf, 1, 2))) void gen_stack_fail(const char *format, ...);

#endif
