/*
 * Keys and certificates of the recorded servers, made anew in each run from the seeded generator.
 *
 * One issuer signs every leaf, so that a chain can be sent. The set belongs to the caller.
 */
#ifndef ET_CERT_H
#define ET_CERT_H

#include "profile.h"

#include <openssl/ssl.h>

struct et_certs {
	EVP_PKEY *issuer_key;
	X509 *issuer;
	EVP_PKEY *key[ET_KEY_CNT]; /* leaves of one kind share their key: key generation is slow */
	long serial;
};

/* 0, or -1 when OpenSSL refuses; et_certs_free() is due in both cases. */
int et_certs_make(struct et_certs *c);
void et_certs_free(struct et_certs *c);

/* Gives a server context a fresh leaf for the host (`mx1.a.example`, or `*.a.example`) with the
 * key of that kind, and the issuer when chain is set. 0 or -1. */
int et_certs_give(struct et_certs *c, SSL_CTX *ctx, const char *host, enum et_key kind, bool chain);

#endif
