/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs.h"

#include "hellos.h"

#include <stdio.h>
#include <string.h>

#define ALL0 "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

/* Servers as people set them up, and some that hit a rule. */
static const struct server_words fixed[] = {
	{ { { "cert", "rsa:2048" } } },
	{ { { "cert", "ecdsa:P-256" } } },
	{ { { "cert", "ecdsa:P-384" } } },
	{ { { "cert", "ecdsa:P-384" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "ecdsa:P-384,rsa:2048" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "ecdsa:P-256,rsa:2048" }, { "server-order", "yes" } } },
	{ { { "cert", "ed25519" } } },
	{ { { "cert", "ed448" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "ed25519,rsa:2048" }, { "security-level", "1" } } },
	{ { { "cert", "ecdsa:P-384,ed25519" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa-pss:2048" } } },
	{ { { "cert", "rsa-pss:2048,ecdsa:P-521" }, { "security-level", "0" } } },
	{ { { "cert", "rsa:1024" }, { "security-level", "1" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:1024,ecdsa:P-256" } } },
	{ { { "cert", "ecdsa:brainpoolP256r1" } } },
	{ { { "cert", "ecdsa:brainpoolP256r1" }, { "servername-callback", "yes" } } },
	{ { { "cert", "ecdsa:secp224r1,rsa:2048" }, { "ciphers", ALL0 },
		{ "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:2048" }, { "ciphers", ALL0 } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" }, { "ciphers", ALL0 },
		{ "max-version", "TLSv1.1" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" }, { "ciphers", ALL0 }, { "max-version", "TLSv1.0" },
		{ "server-order", "yes" } } },
	{ { { "cert", "rsa:2048" }, { "max-version", "TLSv1.1" } } },
	{ { { "cert", "ecdsa:P-256" }, { "max-version", "TLSv1.1" } } },
	{ { { "cert", "rsa:2048" }, { "ciphers", ALL0 }, { "dh", "none" },
		{ "server-order", "yes" } } },
	{ { { "cert", "none" }, { "ciphers", "aNULL:@SECLEVEL=0" }, { "dh", "2048" } } },
	{ { { "cert", "none" }, { "ciphers", "aNULL:@SECLEVEL=0" },
		{ "servername-callback", "yes" } } },
	{ { { "cert", "rsa:2048" }, { "ciphers", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH" },
		{ "security-level", "0" },
		{ "groups", "X25519:X448:prime256v1:secp521r1:secp384r1" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" },
		{ "ciphers", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH" }, { "security-level", "0" },
		{ "server-order", "yes" } } },
	{ { { "cert", "rsa:2048" }, { "min-version", "TLSv1.3" } } },
	{ { { "cert", "ecdsa:P-256,rsa:2048" }, { "min-version", "TLSv1.3" },
		{ "ciphersuites", "TLS_AES_128_CCM_8_SHA256:TLS_AES_128_CCM_SHA256" } } },
	{ { { "cert", "ecdsa:P-256" }, { "ciphersuites", "TLS_CHACHA20_POLY1305_SHA256" },
		{ "sigalgs", "RSA+SHA256:ECDSA+SHA384" } } },
	{ { { "cert", "rsa:2048" }, { "groups", "P-384:P-256" }, { "server-order", "yes" } } },
	{ { { "cert", "rsa:2048" }, { "groups", "ffdhe2048" } } },
	{ { { "cert", "rsa:2048" }, { "groups", "X448:ffdhe3072:P-521" }, { "dh", "1024" } } },
	{ { { "cert", "rsa:2048" }, { "sigalgs", "rsa_pss_rsae_sha256" } } },
	{ { { "cert", "rsa:2048" }, { "sigalgs", "RSA+SHA1:RSA+SHA256" }, { "ciphers", ALL0 },
		{ "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" }, { "sigalgs", "ECDSA+SHA256:RSA+SHA256" },
		{ "server-order", "yes" } } },
	{ { { "cert", "rsa:3072,ecdsa:P-384" }, { "security-level", "3" } } },
	{ { { "cert", "ecdsa:P-384" }, { "security-level", "4" } } },
	{ { { "cert", "ed448,ecdsa:P-521" }, { "security-level", "4" },
		{ "max-version", "TLSv1.2" } } },
	{ { { "cert", "ecdsa:P-521" }, { "security-level", "5" } } },
	{ { { "cert", "rsa:2048" }, { "ciphers", "kRSA" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:2048" }, { "ciphers", "DHE" }, { "max-version", "TLSv1.2" },
		{ "dh", "1024" }, { "security-level", "1" } } },
	{ { { "cert", "rsa:3072" }, { "ciphers", "DHE" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256,ed25519,ed448,rsa-pss:2048" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256,ed25519,ed448,rsa-pss:2048" }, { "ciphers", ALL0 },
		{ "server-order", "yes" }, { "max-version", "TLSv1.2" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" }, { "min-version", "TLSv1.2" },
		{ "ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384" },
		{ "groups", "X25519:prime256v1:secp384r1" } } },
	{ { { "cert", "rsa:2048,ecdsa:P-256" }, { "ciphers", ALL0 } } },
};

const struct server_words *configs_fixed(size_t *cnt)
{
	*cnt = sizeof(fixed) / sizeof(*fixed);
	return fixed;
}

/* One of the words; NULL leaves the option alone. */
static const char *one_of(uint64_t *rng, const char *const *words, size_t cnt)
{
	return words[draw(rng, (uint32_t)cnt)];
}

void configs_random(struct server_words *out, uint64_t *rng)
{
	static const char *const mins[] = { NULL, NULL, "TLSv1.0", "TLSv1.1", "TLSv1.2" };
	static const char *const maxs[] = { NULL, NULL, "TLSv1.2", "TLSv1.2", "TLSv1.3" };
	static const char *const ciphers[] = { NULL, "ALL", "ALL:COMPLEMENTOFALL", ALL0,
		"HIGH:!aNULL", "ECDHE+AESGCM", "kRSA:DHE", "ECDSA:kRSA", "CHACHA20:AES128",
		"AES256+ECDHE:DHE", "aRSA:@SECLEVEL=1",
		"ECDHE-ECDSA-AES256-SHA:AES128-SHA:@SECLEVEL=0" };
	static const char *const suites[] = { NULL, NULL, "TLS_AES_128_GCM_SHA256",
		"TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384",
		"TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256" };
	static const char *const groups[] = { NULL, NULL, "P-256", "X25519:P-256",
		"P-384:P-521:X448", "brainpoolP256r1:P-384", "secp256k1:P-256:ffdhe2048",
		"ffdhe2048:X25519", "P-521" };
	static const char *const sigalgs[] = { NULL, NULL, NULL, "RSA+SHA256:ECDSA+SHA256",
		"rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384:ed25519", "ECDSA+SHA512:RSA+SHA512",
		"RSA+SHA1:ECDSA+SHA1:RSA+SHA256", "ed448:rsa_pss_pss_sha384:RSA-PSS+SHA512" };
	static const char *const certs[] = { "rsa:2048", "ecdsa:P-256", "ecdsa:P-384",
		"ecdsa:P-521", "rsa:2048,ecdsa:P-256", "rsa:2048,ecdsa:P-384", "rsa:1024",
		"rsa:1024,ed25519", "rsa-pss:2048", "rsa-pss:2048,rsa:2048", "ed25519,ecdsa:P-256",
		"ed448", "rsa:3072,ecdsa:brainpoolP384r1", "ecdsa:secp256k1,rsa:2048", "none" };
	static const char *const orders[] = { NULL, "yes" }, *const levels[] = { NULL, NULL, "0",
		"1", "3" };
	static const char *const dhs[] = { NULL, "none", "1024", "2048", "1536" };
	static const struct {
		const char *name;
		const char *const *words;
		size_t cnt;
	} options[] = { { "security-level", levels, 5 }, { "min-version", mins, 5 },
		{ "max-version", maxs, 5 }, { "ciphers", ciphers, 12 },
		{ "ciphersuites", suites, 5 }, { "groups", groups, 9 }, { "sigalgs", sigalgs, 8 },
		{ "cert", certs, 15 }, { "server-order", orders, 2 }, { "dh", dhs, 5 } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		const char *word = one_of(rng, options[i].words, options[i].cnt);

		if (word)
			out->options[n++] = (struct server_option){ options[i].name, word };
	}
	out->options[n].name = NULL;
}
