/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_CERT_H
#define GEN_CERT_H

/*
 * Keys and certificates of the recorded servers and clients, made anew in each run from the seeded
 * generator.
 *
 * One CA signs every leaf. A leaf is handed out as DER and key, so that every stack can take it.
 * The set belongs to the caller.
 */

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define GEN_KEYS_MAX 10

struct gen_certs {
	EVP_PKEY *ca_key;
	X509 *ca;
	struct {
		const char *type;
		bool client;
		EVP_PKEY *key;
	} keys[GEN_KEYS_MAX]; /* leaves of one type share their key: key generation is slow */
	unsigned key_cnt;
	long serial;
	uint64_t now_s;
};

/* now_s: the time of the traffic; certificates are valid around it. 0, or -1 when OpenSSL refuses;
 * gen_certs_free() is due in both cases. */
int gen_certs_make(struct gen_certs *certs, uint64_t now_s);
void gen_certs_free(struct gen_certs *certs);

enum gen_leaf { GEN_LEAF_SERVER, GEN_LEAF_EXPIRED, GEN_LEAF_CLIENT };

/* A leaf for the host with a key of that type ("rsa:2048"). The caller frees the X509; the key
 * belongs to the set. 0 or -1. */
int gen_certs_leaf(struct gen_certs *certs, X509 **leaf, EVP_PKEY **key, const char *type,
	const char *host, enum gen_leaf which);

#endif
