/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_IANA_H
#define ET_IANA_H

/*
 * iana: what the numbers of TLS are called, and what a cipher suite asks for.
 *
 * The tables are made at build time from tls_registry.tsv, which also says which registries they
 * come from and of which date. To add or rename a value, edit that file only.
 *
 * All results are static and const: nobody frees them, they live as long as the program. No
 * function allocates or keeps state; all may be called from any thread. A lookup is a binary
 * search. A number that has no name gives NULL: the caller writes the number then.
 */

#include <stdbool.h>
#include <stdint.h>

/*
 * How the secret is agreed. DH and ECDH are the static forms, whose key is in the certificate;
 * DHE and ECDHE with ET_AUTH_ANON are the anonymous suites.
 */
enum et_iana_kx {
	ET_KX_NONE, /* not a real suite: GREASE, SCSV */
	ET_KX_NULL, /* 0000, the state before the first handshake */
	ET_KX_ANY,  /* TLS 1.3: groups and PSK modes decide, not the suite */
	ET_KX_RSA,
	ET_KX_DH,
	ET_KX_DHE,
	ET_KX_ECDH,
	ET_KX_ECDHE,
	ET_KX_PSK,
	ET_KX_DHE_PSK,
	ET_KX_ECDHE_PSK,
	ET_KX_RSA_PSK,
	ET_KX_KRB5,
	ET_KX_SRP,
	ET_KX_GOST,
	ET_KX_ECCPWD,
	ET_KX_ECJPAKE,
	ET_KX_CECPQ1,
	ET_KX_SM2,
	ET_KX_OTHER,
};

/*
 * What signs. For ET_KX_DH and ET_KX_ECDH this names what signed the certificate, not the key in
 * it (RFC 8422 5.3): to know which certificate a suite needs, ask cert_key.
 */
enum et_iana_auth {
	ET_AUTH_NONE,
	ET_AUTH_NULL,
	ET_AUTH_ANY, /* TLS 1.3 */
	ET_AUTH_RSA,
	ET_AUTH_DSS,
	ET_AUTH_ECDSA,
	ET_AUTH_ANON,
	ET_AUTH_PSK,
	ET_AUTH_KRB5,
	ET_AUTH_SRP,
	ET_AUTH_GOST,
	ET_AUTH_ECCPWD,
	ET_AUTH_ECJPAKE,
	ET_AUTH_SM2,
	ET_AUTH_OTHER,
};

/* The key that the server's certificate must hold for the suite. */
enum et_iana_key {
	ET_KEY_NONE, /* no certificate: anonymous, PSK, SRP, ... */
	ET_KEY_ANY,  /* TLS 1.3 */
	ET_KEY_RSA,
	ET_KEY_DSS,
	ET_KEY_EC,
	ET_KEY_DH,
	ET_KEY_GOST,
	ET_KEY_SM2,
	ET_KEY_OTHER,
};

/* The bulk cipher; its key length is in the suite's name. */
enum et_iana_enc {
	ET_ENC_NONE, /* not a real suite */
	ET_ENC_NULL, /* integrity at most, no secrecy */
	ET_ENC_RC2,
	ET_ENC_RC4,
	ET_ENC_DES,
	ET_ENC_3DES,
	ET_ENC_IDEA,
	ET_ENC_SEED,
	ET_ENC_AES,
	ET_ENC_CAMELLIA,
	ET_ENC_ARIA,
	ET_ENC_CHACHA20,
	ET_ENC_AEGIS,
	ET_ENC_GOST,
	ET_ENC_SM1,
	ET_ENC_SM4,
	ET_ENC_SALSA20,
	ET_ENC_FORTEZZA,
};

/* Bits of et_iana_suite.flags. */
#define ET_IANA_GREASE       0x01 /* RFC 8701: means nothing */
#define ET_IANA_SCSV         0x02 /* a signal, not a suite: RFC 5746, RFC 7507 */
#define ET_IANA_UNREGISTERED 0x04 /* not with IANA, but seen on the wire or in stacks */
#define ET_IANA_AEAD         0x08
#define ET_IANA_EXPORT       0x10

struct et_iana_suite {
	const char *name;    /* IANA's; "GREASE" for the sixteen of RFC 8701 */
	const char *openssl; /* OpenSSL's; NULL if OpenSSL never had the suite */
	uint16_t id;
	uint16_t min_version; /* on the wire: 0x0300 .. 0x0304; 0 if not a real suite */
	uint8_t kx;           /* enum et_iana_kx */
	uint8_t auth;         /* enum et_iana_auth */
	uint8_t cert_key;     /* enum et_iana_key */
	uint8_t enc;          /* enum et_iana_enc */
	uint8_t flags;
	char recommended; /* IANA's column: 'Y', 'N', 'D' discouraged (RFC 9847), '-' none */
};

/* Any suite with a name, GREASE and the SCSVs included; NULL if the number has none. */
const struct et_iana_suite *et_iana_suite(uint16_t id);

/*
 * SSLv2 cipher kind, 3 bytes on the wire. In an SSLv2 CLIENT-HELLO that offers SSLv3 or later,
 * kinds that begin with a zero byte are cipher suites (RFC 5246 E.2): those give the suite's name.
 */
const char *et_iana_sslv2_cipher(uint32_t kind);

/*
 * "SSLv2", "SSLv3", "TLSv1.0" .. "TLSv1.3" for 0x0002 and 0x0300 .. 0x0304; NULL for all else.
 * A draft of TLS 1.3 is no version: ask et_iana_is_tls13_draft.
 */
const char *et_iana_version(uint16_t version);
/* 0x7f00 .. 0x7fff: the drafts of RFC 8446 numbered themselves 0x7f00 + draft. */
bool et_iana_is_tls13_draft(uint16_t version);

/* Names as in IANA's registries; "GREASE" for the values of RFC 8701. */
const char *et_iana_group(uint16_t id);
const char *et_iana_extension(uint16_t type);
/* TLS 1.3 schemes and the hash and signature pairs of TLS 1.2: 0x0202 is "dsa_sha1". */
const char *et_iana_sigalg(uint16_t id);

/* Names as in RFC 8446 without "_RESERVED": 40 "handshake_failure", 21 "decryption_failed". */
const char *et_iana_alert(uint8_t code);
const char *et_iana_handshake(uint8_t type);

/*
 * The name by which OpenSSL knows it where that differs ("prime256v1", "RSA+SHA256"), else the
 * IANA name; NULL if the number has no name.
 */
const char *et_iana_group_openssl(uint16_t id);
const char *et_iana_sigalg_openssl(uint16_t id);

/*
 * The group of a curve named by IANA, OpenSSL or NIST ("secp384r1", "prime256v1", "P-521"), in
 * any case. 0 if there is none, or name is NULL. Group 0 is reserved, so 0 is never an answer.
 */
uint16_t et_iana_group_by_curve(const char *name);

/* One of the sixteen values 0x0a0a, 0x1a1a .. 0xfafa: RFC 8701 2. Suites, groups, extensions,
 * signature schemes and versions use the same values. */
bool et_iana_is_grease(uint16_t value);
/* 0x00ff TLS_EMPTY_RENEGOTIATION_INFO_SCSV and 0x5600 TLS_FALLBACK_SCSV. */
bool et_iana_is_scsv(uint16_t suite);

#endif
