/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_CRYPTO_H
#define ET_CRYPTO_H

/*
 * crypto: the door to OpenSSL. Digests and X.509 certificates; no other room includes OpenSSL.
 *
 * Not for the poll loop: everything here allocates inside OpenSSL. Any thread, no shared state.
 */

#include "et_base.h"

#define ET_SHA256_LEN 32
#define ET_MD5_LEN    16

/*
 * MD5 is here for JA3 alone, which is defined by it. Where the machine's policy forbids a digest,
 * zeros are given.
 */
void et_crypto_sha256(uint8_t out[static ET_SHA256_LEN], struct et_view in);
void et_crypto_md5(uint8_t out[static ET_MD5_LEN], struct et_view in);

#define ET_CERT_TEXT  512
#define ET_CERT_NAMES 64

/* Whether a TLS server can show it as its own: RFC 5280 4.2.1.3, 4.2.1.9, 4.2.1.12. */
enum et_cert_use {
	ET_CERT_USE_SERVER,   /* nothing in it forbids that, or its extensions cannot be read */
	ET_CERT_USE_EXTENDED, /* an extended key usage without serverAuth */
	ET_CERT_USE_KEY,      /* a key usage that allows neither signatures nor key exchange */
	ET_CERT_USE_CA,       /* it is that of a CA */
};

/*
 * What the records say of a certificate. Texts are safe UTF-8, cut to the field: the bytes of names
 * as et_text_safe gives them; subject and issuer keep the backslash escapes of RFC 2253 2.4
 * ("O=Example\, Inc"), in which a control byte is "\0A".
 */
struct et_cert {
	char sha256[2 * ET_SHA256_LEN + 1];
	bool parsed;                /* false: the bytes are no certificate; only sha256 is set */
	char subject[ET_CERT_TEXT]; /* RFC 2253 order, "CN=mx.example.net,O=Example" */
	char issuer[ET_CERT_TEXT];
	char *names[ET_CERT_NAMES]; /* subjectAltName dNSName and iPAddress, owned by this struct */
	size_t names_cnt;
	char key[16];    /* "rsa", "ecdsa", "ed25519", "ed448", "dsa", or OpenSSL's name */
	uint32_t bits;   /* of the key */
	char curve[32];  /* "secp384r1" by IANA's name; "" if none */
	char sigalg[64]; /* "ecdsa-with-SHA256", "sha256WithRSAEncryption": OpenSSL's long name */
	/* Clamped to what 64 bits hold; INT64_MIN and INT64_MAX also if they cannot be read. */
	int64_t not_before_ns, not_after_ns;
	/* The same for people, "9999-12-31T23:59:59Z", not clamped; "" if they cannot be read. */
	char not_before[24], not_after[24];
	bool self_signed; /* subject equals issuer */
	enum et_cert_use use;
};

/*
 * Parses DER. Always sets sha256; bytes behind the certificate make it none. et_cert_free gives the
 * names back, also where nothing was parsed or memory was short. -ENOMEM or 0.
 */
int et_cert_parse(struct et_cert *out, struct et_view der);
void et_cert_free(struct et_cert *cert);

#endif
