/* SPDX-License-Identifier: BSD-3-Clause */
#include "cert.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

static int add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
	return ok ? 0 : -1;
}

static X509 *blank(struct gen_certs *c, EVP_PKEY *key, const char *name, int from_days, int to_days)
{
	X509 *x = X509_new();
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	bool ok = subject && X509_set_version(x, X509_VERSION_3) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(x), 0x20261100L + c->serial++) &&
		  ASN1_TIME_set(X509_getm_notBefore(x), (time_t)c->now_s + from_days * DAY_S) &&
		  ASN1_TIME_set(X509_getm_notAfter(x), (time_t)c->now_s + to_days * DAY_S) &&
		  X509_NAME_add_entry_by_txt(
			  subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
		  X509_set_pubkey(x, key);

	if (!ok) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static EVP_PKEY *make_key(const char *type)
{
	if (strncmp(type, "rsa:", 4) == 0)
		return EVP_RSA_gen((unsigned)atoi(type + 4));
	if (strncmp(type, "ecdsa:", 6) == 0)
		return EVP_EC_gen(type + 6);
	return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static EVP_PKEY *key_of(struct gen_certs *c, const char *type, bool client)
{
	for (unsigned i = 0; i < c->key_cnt; i++)
		if (c->keys[i].client == client && strcmp(c->keys[i].type, type) == 0)
			return c->keys[i].key;
	if (c->key_cnt == GEN_KEYS_MAX)
		return NULL;
	c->keys[c->key_cnt].type = type;
	c->keys[c->key_cnt].client = client;
	c->keys[c->key_cnt].key = make_key(type);
	return c->keys[c->key_cnt++].key;
}

int gen_certs_make(struct gen_certs *c, uint64_t now_s)
{
	*c = (struct gen_certs){ .serial = 1, .now_s = now_s };
	c->ca_key = make_key("rsa:2048");
	c->ca = c->ca_key ? blank(c, c->ca_key, "Traffic Generator CA", -400, 3650) : NULL;
	if (!c->ca || !X509_set_issuer_name(c->ca, X509_get_subject_name(c->ca)) ||
		add_ext(c->ca, c->ca, NID_basic_constraints, "critical,CA:TRUE") ||
		add_ext(c->ca, c->ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		add_ext(c->ca, c->ca, NID_subject_key_identifier, "hash"))
		return -1;
	return X509_sign(c->ca, c->ca_key, EVP_sha256()) ? 0 : -1;
}

void gen_certs_free(struct gen_certs *c)
{
	for (unsigned i = 0; i < c->key_cnt; i++)
		EVP_PKEY_free(c->keys[i].key);
	EVP_PKEY_free(c->ca_key);
	X509_free(c->ca);
	*c = (struct gen_certs){ 0 };
}

int gen_certs_leaf(struct gen_certs *c, X509 **leaf, EVP_PKEY **key, const char *type,
	const char *host, enum gen_leaf which)
{
	bool expired = which == GEN_LEAF_EXPIRED;
	X509 *x = NULL;
	char names[300];

	*leaf = NULL;
	*key = key_of(c, type, which == GEN_LEAF_CLIENT);
	if (*key)
		x = blank(c, *key, host, expired ? -400 : -60, expired ? -30 : 300);
	if (!x)
		return -1;
	snprintf(names, sizeof(names), "DNS:%s", host);
	if (!X509_set_issuer_name(x, X509_get_subject_name(c->ca)) ||
		add_ext(x, c->ca, NID_basic_constraints, "critical,CA:FALSE") ||
		add_ext(x, c->ca, NID_key_usage,
			strncmp(type, "rsa", 3) == 0 ? "critical,digitalSignature,keyEncipherment"
						     : "critical,digitalSignature") ||
		add_ext(x, c->ca, NID_ext_key_usage, "serverAuth,clientAuth") ||
		add_ext(x, c->ca, NID_subject_key_identifier, "hash") ||
		add_ext(x, c->ca, NID_authority_key_identifier, "keyid") ||
		add_ext(x, c->ca, NID_subject_alt_name, names) ||
		!X509_sign(x, c->ca_key, EVP_sha256())) {
		X509_free(x);
		return -1;
	}
	*leaf = x;
	return 0;
}
