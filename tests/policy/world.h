/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

/*
 * A small world of hand-made sessions for the arguments of the policy room: hellos given as lists
 * in hex, certificates made to order, sessions with what a capture would have found in them.
 */

#include "et_policy.h"

#include <CUnit/CUnit.h>

#define WORLD_MAX 64

struct world {
	struct et_books books;
	struct et_session sessions[WORLD_MAX];
	size_t cnt;
	struct et_policy *policy;
};

/* Lists are hex numbers with blanks between; NULL: the extension is missing. */
struct hello_spec {
	const char *ciphers, *groups, *sigalgs, *versions;
	uint16_t legacy;           /* 0: TLS 1.2 */
	const char *alpn;          /* one name */
	const char *exts, *shares; /* types of empty extensions; groups of one-byte key shares */
	bool sslv2;                /* in SSLv2 format */
};

struct cert_spec {
	const char *key;                    /* "RSA", "P-256", "P-384", "ED25519" */
	const char *dns;                    /* NULL: mx.example.net */
	const char *not_before, *not_after; /* NULL: the year 2026 */
	bool self_signed;
	bool md5;                      /* signed with it */
	const char *usage, *key_usage; /* extended, and plain; NULL: none */
	bool ca;                       /* basic constraints say so */
	bool with_issuer;              /* the chain holds a second certificate */
};

/* The founding case of the project: an Exchange sender's lists. */
extern const struct hello_spec exchange;
/* A client that can do all that is common, up to TLS 1.2 and TLS 1.3. */
extern const struct hello_spec modern_12, modern_13;

/* 2026-11-22T10:00:00Z: when the first session begins; each further one is a second later. */
#define WORLD_START (INT64_C(1795341600) * ET_NS_PER_S)

void world_init(struct world *world);
void world_free(struct world *world);
uint32_t world_hello(struct world *world, const struct hello_spec *spec);
uint32_t world_chain(struct world *world, const struct cert_spec *spec);
uint32_t world_name(struct world *world, const char *name);
/* A session of client 198.51.100.<client> with server 192.0.2.25, port 25, outcome none. */
struct et_session *world_session(struct world *world, uint8_t client);
/* An established one, with what the server showed in it; spec NULL: no certificate. */
struct et_session *world_established(struct world *world, uint16_t version, uint16_t cipher,
	uint16_t group, const struct cert_spec *cert);
/* One that failed at the ClientHello with a fatal alert of the server. */
struct et_session *world_refused(struct world *world, const struct hello_spec *hello, int alert);
/* The same up to the server's certificate, with an alert of the client; version as negotiated. */
struct et_session *world_rejected(
	struct world *world, uint16_t version, const struct cert_spec *cert, int alert);
/* (Re)builds the policy and returns the cause of the last session. */
const struct et_cause *world_cause(struct world *world);

/* Fails the test, with both codes printed, unless the cause of the last session is this one. */
void world_expect(struct world *world, const char *row, const char *code, enum et_confidence sure);

#endif
