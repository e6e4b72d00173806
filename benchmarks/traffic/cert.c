#include "cert.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

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

static X509 *blank(struct et_certs *c, EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	bool ok = subject && X509_set_version(x, X509_VERSION_3) &&
		  ASN1_INTEGER_set(X509_get_serialNumber(x), 0x20261100L + c->serial++) &&
		  ASN1_TIME_set_string(X509_getm_notBefore(x), "20260901000000Z") &&
		  ASN1_TIME_set_string(X509_getm_notAfter(x), "20270831235959Z") &&
		  X509_NAME_add_entry_by_txt(
			  subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
		  X509_set_pubkey(x, key);

	if (!ok) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static int make_issuer(struct et_certs *c)
{
	X509_NAME *name;

	c->issuer = blank(c, c->issuer_key, "Benchmark Issuing CA R1");
	if (!c->issuer)
		return -1;
	/* sent as an intermediate: its own issuer is a root that nobody sends */
	name = X509_NAME_new();
	if (!name)
		return -1;
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		(const unsigned char *)"Benchmark Trust Services", -1, -1, 0);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"Benchmark Root X1", -1, -1, 0);
	X509_set_issuer_name(c->issuer, name);
	X509_NAME_free(name);
	if (add_ext(c->issuer, c->issuer, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		add_ext(c->issuer, c->issuer, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		add_ext(c->issuer, c->issuer, NID_subject_key_identifier, "hash"))
		return -1;
	return X509_sign(c->issuer, c->issuer_key, EVP_sha256()) ? 0 : -1;
}

int et_certs_make(struct et_certs *c)
{
	*c = (struct et_certs){ .serial = 1 };
	c->issuer_key = EVP_RSA_gen(2048);
	c->key[ET_KEY_RSA] = EVP_RSA_gen(2048);
	c->key[ET_KEY_P256] = EVP_EC_gen("P-256");
	c->key[ET_KEY_P384] = EVP_EC_gen("P-384");
	if (!c->issuer_key)
		return -1;
	for (unsigned i = 0; i < ET_KEY_CNT; i++)
		if (!c->key[i])
			return -1;
	return make_issuer(c);
}

void et_certs_free(struct et_certs *c)
{
	for (unsigned i = 0; i < ET_KEY_CNT; i++)
		EVP_PKEY_free(c->key[i]);
	EVP_PKEY_free(c->issuer_key);
	X509_free(c->issuer);
	*c = (struct et_certs){ 0 };
}

static X509 *make_leaf(struct et_certs *c, const char *host, enum et_key kind)
{
	X509 *x = blank(c, c->key[kind], host);
	char names[160];

	snprintf(names, sizeof(names), "DNS:%s,DNS:autodiscover.%s", host,
		host[0] == '*' ? host + 2 : host);
	if (!x)
		return NULL;
	if (!X509_set_issuer_name(x, X509_get_subject_name(c->issuer)) ||
		add_ext(x, c->issuer, NID_basic_constraints, "critical,CA:FALSE") ||
		add_ext(x, c->issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment") ||
		add_ext(x, c->issuer, NID_ext_key_usage, "serverAuth,clientAuth") ||
		add_ext(x, c->issuer, NID_subject_key_identifier, "hash") ||
		add_ext(x, c->issuer, NID_authority_key_identifier, "keyid") ||
		add_ext(x, c->issuer, NID_info_access,
			"OCSP;URI:http://ocsp.ca.example/r1,caIssuers;URI:http://ca.example/"
			"r1.der") ||
		add_ext(x, c->issuer, NID_subject_alt_name, names) ||
		!X509_sign(x, c->issuer_key, EVP_sha256())) {
		X509_free(x);
		return NULL;
	}
	return x;
}

int et_certs_give(struct et_certs *c, SSL_CTX *ctx, const char *host, enum et_key kind, bool chain)
{
	X509 *x = make_leaf(c, host, kind);
	int ok;

	if (!x)
		return -1;
	ok = SSL_CTX_use_certificate(ctx, x) && SSL_CTX_use_PrivateKey(ctx, c->key[kind]) &&
	     (!chain || SSL_CTX_add1_chain_cert(ctx, c->issuer));
	X509_free(x);
	return ok ? 0 : -1;
}
