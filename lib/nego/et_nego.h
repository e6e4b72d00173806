/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_NEGO_H
#define ET_NEGO_H

/*
 * nego: "if this server had ...": what a server that uses OpenSSL 3.0 answers to a ClientHello.
 *
 * A *configuration* is what a mail server sets in OpenSSL: versions, suites, groups, signature
 * algorithms, keys. The judge takes it and a client's hello profile and goes through OpenSSL's
 * decisions in OpenSSL's order, so that it gives the same version, suite, group and key, or the
 * same alert. tests/nego compares it with a real libssl. What was learnt there that the RFCs do
 * not say stands in docs/whatif.md.
 *
 * What is simulated: libssl 3.0 as Debian 12 builds it (no SSLv2, SSLv3, RC4, DES or export suites
 * compiled in; level 2 by default) in a full handshake: no session of the client is known, no PSK,
 * no SRP, no client certificate, no ALPN choice. Postfix, Dovecot and Exim with OpenSSL work so.
 * GnuTLS, Schannel and BoringSSL decide otherwise in places.
 *
 * Setting up a configuration allocates (only within OpenSSL) and is for the start of a program. A
 * finished configuration is plain data without pointers: it may be copied, and shared by threads.
 * The judge allocates nothing and keeps nothing; any thread.
 */

#include "et_iana.h"
#include "et_tls.h"

/* --- the configuration --- */

/* Kinds of keys, in the order of OpenSSL's slots: a server holds at most one key of each. */
enum et_nego_key {
	ET_NEGO_RSA,
	ET_NEGO_RSA_PSS, /* a certificate for RSASSA-PSS only */
	ET_NEGO_ECDSA,
	ET_NEGO_ED25519,
	ET_NEGO_ED448,
	ET_NEGO_KEYS,
};
struct et_nego_cert {
	bool present;
	uint16_t bits;  /* RSA: of the modulus */
	uint16_t curve; /* ECDSA: the curve's group */
};

/* One suite as OpenSSL knows it. */
struct et_nego_suite {
	uint16_t id;
	uint16_t min_version, max_version;
	uint16_t bits; /* of security, as OpenSSL counts them */
	bool sha1_mac;
	uint8_t kx;   /* enum et_iana_kx */
	uint8_t auth; /* enum et_iana_auth */
};

#define ET_NEGO_SUITES  192
#define ET_NEGO_GROUPS  40
#define ET_NEGO_SIGALGS 40
#define ET_NEGO_DH_NONE 0
#define ET_NEGO_DH_AUTO 1 /* a prime that fits the key, chosen by OpenSSL */
#define ET_NEGO_NOTES   512

struct et_nego_config {
	uint16_t min_version, max_version;
	uint8_t level;            /* OpenSSL's security level, 0 to 5 */
	bool server_order;        /* the server's order decides, not the client's */
	bool servername_callback; /* the program chooses certificates by server name */
	uint16_t dh;              /* ET_NEGO_DH_*, or the bits of the prime that is configured */
	uint16_t suite_cnt, suite13_cnt, group_cnt, sigalg_cnt;
	struct et_nego_suite suites[ET_NEGO_SUITES]; /* up to TLS 1.2, by preference */
	struct et_nego_suite suites13[8];            /* TLS 1.3, by preference */
	uint16_t groups[ET_NEGO_GROUPS];
	uint16_t sigalgs[ET_NEGO_SIGALGS];
	struct et_nego_cert certs[ET_NEGO_KEYS];
	/* Sentences for the user that are no errors, each ended by a newline: names that this
	 * OpenSSL does not have, keys that it would not load. */
	char notes[ET_NEGO_NOTES];
};

/* One sentence that says what is wrong and what would be right. */
#define ET_NEGO_ERROR 256

/*
 * OpenSSL's own defaults on Debian 12: TLS 1.0 to 1.3 (though level 2 lets no client of TLS 1.0 or
 * 1.1 succeed), its default suites, groups and signature algorithms, the client's order, level 2,
 * no certificate; and automatic DH primes, which a program has to ask OpenSSL for. 0, or -ENOMEM.
 */
int et_nego_init(struct et_nego_config *config);

/*
 * Options of the command line, which are also the keys of a preset's file. Ends with a NULL name.
 *
 *   min-version, max-version  TLSv1.0 .. TLSv1.3 (also TLSv1, "1.2", "tls1.2"); SSLv3 as minimum
 *                             is taken, with a note that this OpenSSL has none
 *   ciphers                   an OpenSSL cipher string for TLS <= 1.2, expanded by OpenSSL
 *                             itself; @SECLEVEL=n in it sets the level
 *   ciphersuites              TLS 1.3: names with colons between; "" none
 *   groups                    "X25519:P-256:secp384r1:ffdhe2048"; colons, commas or spaces
 *   sigalgs                   "ECDSA+SHA256:rsa_pss_rsae_sha256"; likewise
 *   cert                      "rsa:2048,rsa-pss:3072,ecdsa:P-256,ed25519,ed448", all at once;
 *                             one of each kind. "none": anonymous suites only
 *   server-order              yes, no
 *   security-level            0 .. 5
 *   dh                        none, auto, or bits of the prime: 1024, 2048, 3072, 4096, 8192
 *   servername-callback       yes, no
 */
struct et_nego_option {
	const char *name;
	const char *argument; /* "LIST", for a usage text */
	const char *help;     /* one line */
};
extern const struct et_nego_option et_nego_options[];

/*
 * Sets one option. 0; -ENOENT if there is no such option; -EINVAL if the value cannot be; -ENOMEM.
 * At a failure `error` has a sentence, and the configuration is unchanged. Options may come in any
 * order, but "ciphers" with @SECLEVEL and "security-level" set the same thing, the later one wins.
 */
int et_nego_set(struct et_nego_config *config, char error[static ET_NEGO_ERROR], const char *name,
	const char *value);

/*
 * A preset: sets all options that the file names. `preset` is a name ("mozilla-old": the file
 * mozilla-old.ini in `folder`) or a path (it holds a slash). The format is described in
 * presets/README. -ENOENT if there is none, -EINVAL with file and line in `error`.
 */
int et_nego_preset(struct et_nego_config *config, char error[static ET_NEGO_ERROR],
	const char *folder, const char *preset);
/*
 * Where presets are: $EHLOTAP_PRESETS, or "<datadir>/ehlotap/presets", or in the build folder. Valid
 * until the next call.
 */
const char *et_nego_folder(void);

/*
 * To be called after the last option: what one option says of another. A key or DH prime that is
 * too weak for the security level would not be loaded by OpenSSL: it is taken out, with a note.
 * -EINVAL if nothing is left to negotiate: minimum above maximum, no suite in any version.
 */
int et_nego_finish(struct et_nego_config *config, char error[static ET_NEGO_ERROR]);

/* --- the judge --- */

enum et_nego_result {
	ET_NEGO_ACCEPT,
	ET_NEGO_REFUSE,
	ET_NEGO_UNKNOWN, /* cannot be said from what is known; `cause` says why */
};

#define ET_NEGO_NO_KEY ET_NEGO_KEYS /* anonymous */

/*
 * What the verdict takes for granted, a set of bits: the profile does not tell it. Nearly always
 * right; a printed answer may stay silent about it.
 */
#define ET_NEGO_ASSUMES_CERT_SIGALGS 1u /* signature_algorithms_cert allows the certificates */
#define ET_NEGO_ASSUMES_NO_SESSION   2u /* the offered session or PSK is not the server's */

struct et_nego_verdict {
	uint8_t result; /* enum et_nego_result */
	uint8_t alert;  /* REFUSE: its code */
	uint8_t key;    /* enum et_nego_key, or ET_NEGO_NO_KEY; also when signatures are not used */
	bool hello_retry; /* ACCEPT: after a HelloRetryRequest, which costs a round trip */
	bool forward_secret;
	bool ems, secure_renegotiation; /* granted; always true in TLS 1.3 */
	uint8_t assumes;                /* ET_NEGO_ASSUMES_* */
	uint16_t version;               /* chosen; also at a refusal if it came so far, else 0 */
	uint16_t suite;                 /* likewise */
	uint16_t group;                 /* ECDHE or TLS 1.3; 0: none */
	uint16_t dh_bits;               /* DHE of TLS <= 1.2; 0: none */
	uint16_t sigalg;   /* scheme of the server's signature (TLS 1.2, 1.3); 0: none */
	const char *cause; /* code of docs/causes.md or docs/whatif.md; "" for ACCEPT. Static */
};

/*
 * Judges one hello. `hello` is as et_tls_profile_decode gives it, or filled from the lists of a
 * minute file. Used are: legacy_version, sslv2; versions, groups and sigalgs with their has_* flags
 * (which stand for the extensions 43, 10 and 13); ciphers, the SCSVs included; key_shares,
 * extensions, compression, point_formats; kinds_n; alpn, which may be left empty. The rest is not
 * looked at. A list of ET_TLS_LIST entries may have been cut: that is unknown.
 */
void et_nego_judge(struct et_nego_verdict *out, const struct et_nego_config *config,
	const struct et_tls_profile *hello);

/*
 * One or two sentences about a verdict for an operator, without a newline: "TLSv1.2 with cipher
 * ECDHE-RSA-AES256-GCM-SHA384, key rsa:2048, group x25519". Cut to what fits.
 */
#define ET_NEGO_TEXT 400
void et_nego_text(char out[static ET_NEGO_TEXT], const struct et_nego_verdict *verdict,
	const struct et_nego_config *config, const struct et_tls_profile *hello);

/* "rsa:2048", "ecdsa:secp384r1", "ed25519"; "none" for ET_NEGO_NO_KEY or a key that is not there. */
#define ET_NEGO_KEY_TEXT 32
void et_nego_key_text(
	char out[static ET_NEGO_KEY_TEXT], const struct et_nego_config *config, unsigned key);

#endif
