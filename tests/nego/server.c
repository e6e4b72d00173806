/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- keys, each made once --- */

struct identity {
	char spec[32];
	EVP_PKEY *key;
	X509 *cert;
};
static struct identity identities[32];

static EVP_PKEY *make_key(const char *spec)
{
	const char *size = strchr(spec, ':') ? strchr(spec, ':') + 1 : "";

	if (strncmp(spec, "rsa-pss", 7) == 0) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
		EVP_PKEY *key = NULL;

		EVP_PKEY_keygen_init(ctx);
		EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, atoi(size));
		EVP_PKEY_generate(ctx, &key);
		EVP_PKEY_CTX_free(ctx);
		return key;
	}
	if (strncmp(spec, "rsa", 3) == 0)
		return EVP_RSA_gen((unsigned)atoi(size));
	if (strncmp(spec, "ecdsa", 5) == 0)
		return EVP_EC_gen(size);
	return EVP_PKEY_Q_keygen(NULL, NULL, strcmp(spec, "ed448") == 0 ? "ED448" : "ED25519");
}

static X509 *make_cert(EVP_PKEY *key)
{
	bool own_hash = EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
	X509 *cert = X509_new();

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
		(const unsigned char *)"mx.example.net", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, own_hash ? NULL : EVP_sha256());
	return cert;
}

static const struct identity *identity(const char *spec)
{
	struct identity *id = identities;

	while (id->key && strcmp(id->spec, spec) != 0)
		id++;
	if (id->key)
		return id;
	snprintf(id->spec, sizeof(id->spec), "%s", spec);
	id->key = make_key(spec);
	id->cert = make_cert(id->key);
	return id;
}

/* --- set-up by libssl's own functions --- */

static enum et_nego_key key_kind(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA")       ? ET_NEGO_RSA
	       : EVP_PKEY_is_a(key, "RSA-PSS") ? ET_NEGO_RSA_PSS
	       : EVP_PKEY_is_a(key, "EC")      ? ET_NEGO_ECDSA
	       : EVP_PKEY_is_a(key, "ED25519") ? ET_NEGO_ED25519
					       : ET_NEGO_ED448;
}

static void load_certs(struct server *server, const char *value)
{
	char list[256], *rest = list, *spec;

	snprintf(list, sizeof(list), "%s", value);
	while ((spec = strsep(&rest, ",")) != NULL) {
		const struct identity *id;

		if (strcmp(spec, "none") == 0)
			continue;
		id = identity(spec);
		if (SSL_CTX_use_cert_and_key(server->ctx, id->cert, id->key, NULL, 1) == 1)
			server->loaded[key_kind(id->key)] = true;
		ERR_clear_error();
	}
}

static BIGNUM *prime(int bits)
{
	switch (bits) {
	case 1024: return BN_get_rfc2409_prime_1024(NULL);
	case 1536: return BN_get_rfc3526_prime_1536(NULL);
	case 3072: return BN_get_rfc3526_prime_3072(NULL);
	default: return BN_get_rfc3526_prime_2048(NULL);
	}
}

static void set_dh(SSL_CTX *ctx, const char *value)
{
	EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *p = prime(atoi(value));
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_P, p);
	OSSL_PARAM_BLD_push_uint(bld, OSSL_PKEY_PARAM_FFC_G, 2);
	params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_fromdata_init(pctx);
	EVP_PKEY_fromdata(pctx, &key, EVP_PKEY_KEY_PARAMETERS, params);
	if (SSL_CTX_set0_tmp_dh_pkey(ctx, key) != 1)
		EVP_PKEY_free(key); /* too small for the level: no DHE */
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(pctx);
	BN_free(p);
	ERR_clear_error();
}

static int servername(SSL *ssl, int *alert, void *arg)
{
	(void)ssl, (void)alert, (void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static int version_number(const char *value)
{
	return strcmp(value, "TLSv1.3") == 0   ? TLS1_3_VERSION
	       : strcmp(value, "TLSv1.2") == 0 ? TLS1_2_VERSION
	       : strcmp(value, "TLSv1.1") == 0 ? TLS1_1_VERSION
					       : TLS1_VERSION;
}

static const char *value_of(
	const struct server_words *words, const char *name, const char *otherwise)
{
	for (const struct server_option *o = words->options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o->value;
	return otherwise;
}

bool server_open(struct server *server, const struct server_words *words)
{
	const char *groups = value_of(words, "groups", NULL);
	const char *sigalgs = value_of(words, "sigalgs", NULL);
	const char *ciphers = value_of(words, "ciphers", NULL);
	const char *suites = value_of(words, "ciphersuites", NULL);
	const char *dh = value_of(words, "dh", "auto");
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok;

	*server = (struct server){ .ctx = ctx };
	SSL_CTX_set_security_level(ctx, atoi(value_of(words, "security-level", "2")));
	ok = SSL_CTX_set_min_proto_version(
		     ctx, version_number(value_of(words, "min-version", "TLSv1.0"))) &&
	     SSL_CTX_set_max_proto_version(
		     ctx, version_number(value_of(words, "max-version", "TLSv1.3"))) &&
	     (!ciphers || SSL_CTX_set_cipher_list(ctx, ciphers)) &&
	     (!suites || SSL_CTX_set_ciphersuites(ctx, suites)) &&
	     (!groups || SSL_CTX_set1_groups_list(ctx, groups)) &&
	     (!sigalgs || SSL_CTX_set1_sigalgs_list(ctx, sigalgs));
	if (!ok)
		ERR_print_errors_fp(stderr);
	if (strcmp(value_of(words, "server-order", "no"), "yes") == 0)
		SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_options(ctx, SSL_OP_ALL); /* as mail servers do */
	if (strcmp(value_of(words, "servername-callback", "no"), "yes") == 0)
		SSL_CTX_set_tlsext_servername_callback(ctx, servername);
	if (strcmp(dh, "auto") == 0)
		SSL_CTX_set_dh_auto(ctx, 1);
	else if (strcmp(dh, "none") != 0)
		set_dh(ctx, dh);
	load_certs(server, value_of(words, "cert", "none"));
	return ok;
}

void server_close(struct server *server)
{
	SSL_CTX_free(server->ctx);
}

/* --- one flight --- */

static enum et_nego_key chosen_key(const SSL *ssl)
{
	const X509 *cert = SSL_get_certificate(ssl);

	return cert ? key_kind(X509_get0_pubkey(cert)) : ET_NEGO_NO_KEY;
}

bool server_ask(struct answer *out, const struct server *server, const uint8_t *p, size_t n)
{
	SSL *ssl = SSL_new(server->ctx);
	BIO *in = BIO_new_mem_buf(p, (int)n), *wire = BIO_new(BIO_s_mem());
	char *bytes;
	long len;
	bool any;

	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, wire);
	SSL_accept(ssl);
	len = BIO_get_mem_data(wire, &bytes);
	any = answer_read(out, (const uint8_t *)bytes, len > 0 ? (size_t)len : 0);
	if (out->server_hello && out->version == ET_TLSV1_3) {
		out->key = (uint8_t)chosen_key(ssl);
		SSL_get_signature_type_nid(ssl, &out->sign);
		SSL_get_signature_nid(ssl, &out->hash);
	}
	SSL_free(ssl);
	ERR_clear_error();
	return any;
}
