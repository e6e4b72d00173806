/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAKE_CERT_H
#define MAKE_CERT_H

/* Certificates made to order, so that no test depends on a file that expires. */

#include <stdint.h>
#include <stddef.h>

struct cert_order {
	const char *key;    /* "RSA", "P-256", "P-384", "ED25519" */
	const char *digest; /* "SHA256"; NULL for Ed25519 */
	const char *cn;
	size_t cn_len;         /* 0: strlen */
	const char *not_after; /* ASN.1 GeneralizedTime or UTCTime */
	const char *dns[4];
	size_t dns_len[4]; /* 0: strlen */
	uint8_t ip[4];
	size_t ip_len; /* 0: no iPAddress */
	/* in OpenSSL's words; NULL: none */
	const char *extended_key_usage, *key_usage, *basic_constraints;
};

/* DER in a buffer of the caller's to free. Ends the program if OpenSSL refuses. */
uint8_t *make_cert(size_t *len, const struct cert_order *order);

#endif
