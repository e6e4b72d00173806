/* SPDX-License-Identifier: BSD-3-Clause */

/* The door to libssl: which suites a cipher string means is OpenSSL's to say. */

#include "nego_parts.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static const struct {
	int nid;
	uint8_t value;
} exchanges[] = {
	{ NID_kx_rsa, ET_KX_RSA },
	{ NID_kx_dhe, ET_KX_DHE },
	{ NID_kx_ecdhe, ET_KX_ECDHE },
	{ NID_kx_any, ET_KX_ANY },
}, auths[] = {
	{ NID_auth_rsa, ET_AUTH_RSA },
	{ NID_auth_ecdsa, ET_AUTH_ECDSA },
	{ NID_auth_null, ET_AUTH_ANON },
	{ NID_auth_any, ET_AUTH_ANY },
};

/* False: a suite that needs what no configuration here has. */
static bool kinds(struct et_nego_suite *out, const SSL_CIPHER *cipher)
{
	bool kx = false, auth = false;

	for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++)
		if (exchanges[i].nid == SSL_CIPHER_get_kx_nid(cipher)) {
			out->kx = exchanges[i].value;
			kx = true;
		}
	for (size_t i = 0; i < sizeof(auths) / sizeof(*auths); i++)
		if (auths[i].nid == SSL_CIPHER_get_auth_nid(cipher)) {
			out->auth = auths[i].value;
			auth = true;
		}
	return kx && auth;
}

static bool read_suite(struct et_nego_suite *out, const SSL_CIPHER *cipher)
{
	const char *version = SSL_CIPHER_get_version(cipher);

	*out = (struct et_nego_suite){
		.id = SSL_CIPHER_get_protocol_id(cipher),
		.bits = (uint16_t)SSL_CIPHER_get_bits(cipher, NULL),
		.max_version = ET_TLSV1_2,
		.sha1_mac = SSL_CIPHER_get_digest_nid(cipher) == NID_sha1,
	};
	if (strcmp(version, "TLSv1.3") == 0)
		out->min_version = out->max_version = ET_TLSV1_3;
	else if (strcmp(version, "TLSv1.2") == 0)
		out->min_version = ET_TLSV1_2;
	else
		out->min_version = strcmp(version, "TLSv1.0") == 0 ? ET_TLSV1_0 : ET_SSLV3;
	return kinds(out, cipher);
}

/* What ctx has, of TLS 1.3 or of all before. Returns the number. */
static uint16_t read_suites(struct et_nego_suite *out, size_t cap, SSL_CTX *ctx, bool of_13)
{
	const STACK_OF(SSL_CIPHER) *stack = SSL_CTX_get_ciphers(ctx);
	uint16_t cnt = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(stack); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(stack, i);
		struct et_nego_suite suite;

		if (read_suite(&suite, cipher) && (suite.min_version == ET_TLSV1_3) == of_13 &&
			cnt < cap)
			out[cnt++] = suite;
	}
	return cnt;
}

static SSL_CTX *fresh(unsigned level)
{
	/* the machine's openssl.cnf is not the server's */
	SSL_CTX *ctx = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)
			       ? SSL_CTX_new(TLS_server_method())
			       : NULL;

	if (ctx)
		SSL_CTX_set_security_level(ctx, (int)level);
	else
		ERR_clear_error();
	return ctx;
}

int library_ciphers(struct et_nego_config *config, const char *text)
{
	SSL_CTX *ctx = fresh(config->level);
	int rc = 0, level;

	if (!ctx)
		return -ENOMEM;
	if (SSL_CTX_set_cipher_list(ctx, text ? text : OSSL_default_cipher_list()) != 1) {
		rc = -EINVAL;
	} else {
		level = SSL_CTX_get_security_level(ctx);
		config->level = (uint8_t)(level < 0 ? 0 : level > 5 ? 5 : level);
		config->suite_cnt = read_suites(config->suites, ET_NEGO_SUITES, ctx, false);
	}
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

int library_ciphersuites(struct et_nego_config *config, const char *text)
{
	const size_t cap = sizeof(config->suites13) / sizeof(*config->suites13);
	SSL_CTX *ctx = fresh(config->level);
	int rc = 0;

	if (!ctx)
		return -ENOMEM;
	if (SSL_CTX_set_ciphersuites(ctx, text ? text : OSSL_default_ciphersuites()) != 1)
		rc = -EINVAL;
	else
		config->suite13_cnt = read_suites(config->suites13, cap, ctx, true);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return rc;
}

bool library_has(const char *name)
{
	SSL_CTX *ctx = fresh(0);
	bool has = false;

	if (ctx) {
		SSL_CTX_set_ciphersuites(ctx, "");
		has = SSL_CTX_set_cipher_list(ctx, name) == 1 ||
		      SSL_CTX_set_ciphersuites(ctx, name) == 1;
	}
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return has;
}
