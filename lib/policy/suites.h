/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_POLICY_SUITES_H
#define ET_POLICY_SUITES_H

/*
 * suites: which of the suites that a client offers a server can use with the keys of its
 * certificates, and what stands against the others. Nothing here looks at sessions.
 */

#include "et_iana.h"
#include "et_tls.h"

/* The key in a leaf certificate. */
enum key_type {
	KEY_OTHER,
	KEY_RSA,
	KEY_EC,
	KEY_ED25519,
	KEY_ED448,
	KEY_DSA,
};
struct key {
	uint8_t type;   /* enum key_type */
	uint16_t curve; /* KEY_EC: the group of the curve; 0: not a named one */
};

/* What stands against a suite; of several keys, that of the key which comes nearest. */
enum fit {
	FIT_FOREIGN, /* PSK, SRP, Kerberos and such: not decided by certificates, nor used in mail */
	FIT_VERSION,   /* not in the version that would be negotiated */
	FIT_KEY_TYPE,  /* no certificate with such a key */
	FIT_GROUP,     /* the client lists no curve for ECDHE */
	FIT_SIGALG,    /* the client takes no signature of such a key */
	FIT_CURVE,     /* the client's groups lack the curve of the key: RFC 8422 5.1 */
	FIT_ANONYMOUS, /* needs no certificate: depends on the server's configuration */
	FIT_OK,
	FIT_MAX,
};

#define FIT_KEEP 32
struct fits {
	unsigned cnt[FIT_MAX];
	uint16_t ok[FIT_KEEP];     /* the first suites that fit */
	uint16_t missed[FIT_KEEP]; /* the first ones of `nearest` */
	enum fit nearest;    /* the most promising of those below FIT_ANONYMOUS that occurred */
	bool ok_needs_group; /* all that fit are ECDHE */
};

/*
 * Judges every offered suite for TLS <= 1.2. any_curve: the server is known not to apply the
 * curve rule to its key. cnt may be 0: then all that asks for a certificate is FIT_KEY_TYPE.
 */
void fits_judge(struct fits *out, const struct et_tls_profile *hello, const struct key *keys,
	size_t cnt, bool any_curve);
/* The same for TLS 1.3, where suites do not matter: whether the client takes the key's signature. */
bool fits_13(const struct et_tls_profile *hello, struct key key);

/* The highest version up to max that the client offers; 0: none. */
uint16_t offered_version(const struct et_tls_profile *hello, uint16_t max);

#endif
