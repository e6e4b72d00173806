/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEGO_PARTS_H
#define NEGO_PARTS_H

/*
 * What the files of the nego room share. tables.c: OpenSSL's facts about groups, schemes and keys.
 * library.c: the door to libssl. options.c, config.c, preset.c: a configuration from text.
 * judge.c: the order of OpenSSL's decisions; choose.c: those that choose; text.c: sentences.
 */

#include "et_nego.h"

/* --- tables.c --- */

/* A group that libssl 3.0 knows. */
struct group {
	uint16_t id;
	uint16_t bits; /* of security */
	uint16_t min_version, max_version;
	bool key; /* a curve that can be in an ECDSA certificate */
};
/* NULL: unknown to OpenSSL. */
const struct group *group_find(uint16_t id);

enum sign_kind { SIGN_PKCS1, SIGN_PSS, SIGN_ECDSA, SIGN_EDDSA, SIGN_DSA };
/* A signature scheme that libssl 3.0 knows. */
struct sign {
	uint16_t id;
	uint8_t kind; /* enum sign_kind */
	uint8_t key;  /* enum et_nego_key; ET_NEGO_KEYS: a kind that no configuration here has */
	uint8_t hash; /* bytes of the digest; 0: none of its own */
	uint16_t bits;
	uint16_t curve; /* that TLS 1.3 ties it to; 0: none */
};
const struct sign *sign_find(uint16_t id);
/* By index in OpenSSL's order of preference; NULL behind the last. */
const struct sign *sign_at(size_t index);
/* What stands for a scheme where the client names none: SHA-1, and MD5 with SHA-1 for RSA before
 * TLS 1.2; bits of security as OpenSSL counts them. */
#define SIGN_BITS_SHA1     64
#define SIGN_BITS_MD5_SHA1 67

/* Bits of security that a level asks for. */
unsigned level_bits(unsigned level);
/* Whether a level allows it. */
bool level_suite(unsigned level, const struct et_nego_suite *suite);
bool level_version(unsigned level, uint16_t version);
bool level_group(unsigned level, const struct group *group);
/* Bits of security of an RSA key; 0: not a size that is used. */
unsigned rsa_bits(unsigned modulus);
unsigned dh_bits(unsigned prime);
unsigned cert_bits(const struct et_nego_cert *cert, enum et_nego_key key);

/* --- library.c --- */

/*
 * OpenSSL's own expansion of a cipher string, of which NULL is its default: sets suites, and the
 * level if the string does. What no configuration here can use (PSK, SRP, DSS) is left out; what
 * the level forbids is not, since the level may yet change. 0; -EINVAL: no suite; -ENOMEM.
 */
int library_ciphers(struct et_nego_config *config, const char *text);
/* The same for TLS 1.3's names; NULL is the default. */
int library_ciphersuites(struct et_nego_config *config, const char *text);
/* Whether OpenSSL has a suite by this name. */
bool library_has(const char *name);

/* --- config.c --- */

/* Appends a sentence to the notes, as printf does; what does not fit is dropped whole. */
void nego_note(struct et_nego_config *config, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Writes the error's sentence and returns -EINVAL. */
int nego_wrong(char error[static ET_NEGO_ERROR], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* --- options.c: each parses one option's text --- */

typedef int option_set(
	struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *value);
option_set option_min_version, option_max_version, option_ciphers, option_ciphersuites,
	option_groups, option_sigalgs, option_cert, option_server_order, option_level, option_dh,
	option_servername_callback;

/* --- judge.c --- */

enum cause {
	CAUSE_NONE,
	CAUSE_HELLO_CUT,
	CAUSE_NO_HELLO,
	CAUSE_SSLV3,
	CAUSE_PROTOCOL_VERSION,
	CAUSE_FALLBACK,
	CAUSE_NO_SUITES,
	CAUSE_EXTENSION,
	CAUSE_LIST,
	CAUSE_COMPRESSION,
	CAUSE_KEY_SHARE,
	CAUSE_MISSING,
	CAUSE_MISSING_PSK_MODES,
	CAUSE_SUITES,
	CAUSE_KEY_TYPE,
	CAUSE_DHE,
	CAUSE_GROUP,
	CAUSE_SIGALG,
	CAUSE_CURVE,
	CAUSE_LEGACY_SIGNATURE,
	CAUSE_MAX,
};
/* The code, and a sentence that explains it. */
const char *cause_code(enum cause cause);
const char *cause_words(const char *code);

enum alert {
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_DECODE_ERROR = 50,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_INAPPROPRIATE_FALLBACK = 86,
	ALERT_MISSING_EXTENSION = 109,
};

/* One judgement under way. */
struct scene {
	const struct et_nego_config *config;
	const struct et_tls_profile *hello;
	struct et_nego_verdict *out;
	const struct et_nego_suite *suite; /* chosen */
	/* schemes that both sides have and the level allows, in the order that counts */
	const struct sign *shared[ET_NEGO_SIGALGS];
	size_t shared_cnt;
};

/* Ends the judgement; always false. */
bool nego_refuse(struct scene *scene, enum alert alert, enum cause cause);

static inline bool is_13(const struct scene *scene)
{
	return scene->out->version == ET_TLSV1_3;
}

/* --- choose.c: each fills the verdict and returns true, or ends the judgement --- */

bool choose_suite_13(struct scene *scene);
bool choose_key_share(struct scene *scene);
bool share_sigalgs(struct scene *scene);
bool choose_suite(struct scene *scene);
bool choose_signature(struct scene *scene);
bool choose_exchange(struct scene *scene);

#endif
