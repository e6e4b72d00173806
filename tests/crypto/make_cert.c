/* SPDX-License-Identifier: BSD-3-Clause */
#include "make_cert.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "make_cert: %s failed\n", what);
	exit(2);
}

static EVP_PKEY *make_key(const char *kind)
{
	EVP_PKEY *key;

	if (strcmp(kind, "RSA") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	else if (strcmp(kind, "ED25519") == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	must(key != NULL, "key generation");
	return key;
}

static void add_names(X509 *x509, const struct cert_order *order)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

	for (size_t i = 0; i < 4 && order->dns[i]; i++) {
		GENERAL_NAME *gn = GENERAL_NAME_new();
		ASN1_IA5STRING *s = ASN1_IA5STRING_new();
		size_t n = order->dns_len[i] ? order->dns_len[i] : strlen(order->dns[i]);

		ASN1_STRING_set(s, order->dns[i], (int)n);
		GENERAL_NAME_set0_value(gn, GEN_DNS, s);
		sk_GENERAL_NAME_push(names, gn);
	}
	if (order->ip_len) {
		GENERAL_NAME *gn = GENERAL_NAME_new();
		ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();

		ASN1_STRING_set(s, order->ip, (int)order->ip_len);
		GENERAL_NAME_set0_value(gn, GEN_IPADD, s);
		sk_GENERAL_NAME_push(names, gn);
	}
	if (sk_GENERAL_NAME_num(names) > 0)
		must(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) == 1, "names");
	GENERAL_NAMES_free(names);
}

static void add_extension(X509 *x509, int nid, const char *words)
{
	X509_EXTENSION *ext = words ? X509V3_EXT_conf_nid(NULL, NULL, nid, words) : NULL;

	must(!words || (ext && X509_add_ext(x509, ext, -1) == 1), "extension");
	X509_EXTENSION_free(ext);
}

uint8_t *make_cert(size_t *len, const struct cert_order *order)
{
	EVP_PKEY *key = make_key(order->key);
	X509 *x509 = X509_new();
	X509_NAME *name = X509_NAME_new();
	size_t cn_len = order->cn_len ? order->cn_len : strlen(order->cn);
	unsigned char *der = NULL;
	int n;

	must(X509_NAME_add_entry_by_txt(name, "O", V_ASN1_UTF8STRING,
		     (const unsigned char *)"Example, Inc", -1, -1, 0) == 1,
		"O");
	must(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
		     (const unsigned char *)order->cn, (int)cn_len, -1, 0) == 1,
		"CN");
	X509_set_version(x509, 2);
	X509_set_subject_name(x509, name);
	X509_set_issuer_name(x509, name);
	X509_NAME_free(name);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 7);
	must(ASN1_TIME_set_string(X509_getm_notBefore(x509), "20260101000000Z"), "notBefore");
	must(ASN1_TIME_set_string(X509_getm_notAfter(x509), order->not_after), "notAfter");
	must(X509_set_pubkey(x509, key) == 1, "public key");
	add_names(x509, order);
	add_extension(x509, NID_ext_key_usage, order->extended_key_usage);
	add_extension(x509, NID_key_usage, order->key_usage);
	add_extension(x509, NID_basic_constraints, order->basic_constraints);
	must(X509_sign(x509, key, order->digest ? EVP_get_digestbyname(order->digest) : NULL) > 0,
		"signature");
	n = i2d_X509(x509, &der);
	must(n > 0, "encoding");
	*len = (size_t)n;
	X509_free(x509);
	EVP_PKEY_free(key);
	return der;
}
