/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * RFC 2253 text has escapes of its own ("\,", "\0A"), which must stay readable as such: only what
 * stands between them is made safe.
 */
static void safe_between_escapes(char *out, size_t cap, struct et_view in)
{
	size_t at = 0;

	out[0] = '\0';
	while (in.n && at + 1 < cap) {
		const uint8_t *slash = memchr(in.p, '\\', in.n);
		size_t n = slash ? (size_t)(slash - in.p) : in.n;

		at += et_text_safe(out + at, cap - at, (struct et_view){ .p = in.p, .n = n });
		if (!slash || at + 3 >= cap)
			return; /* never end within an escape */
		out[at++] = '\\';
		in.p += n + 1;
		in.n -= n + 1;
		/* the escaped character belongs to its slash, also if it is another slash */
		if (in.n && *in.p == '\\') {
			out[at++] = '\\';
			in.p++;
			in.n--;
		}
		out[at] = '\0';
	}
}

static void name_text(char *out, size_t cap, X509_NAME *name)
{
	/* UTF-8 as it is; where a string is not what its type says, its bytes in hex escapes */
	static const unsigned long flags[] = {
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB,
		(XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_UTF8_CONVERT) |
			ASN1_STRFLGS_IGNORE_TYPE,
	};

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		BIO *bio = BIO_new(BIO_s_mem());
		char *text = NULL;
		long n;

		if (!bio)
			return;
		if (X509_NAME_print_ex(bio, name, 0, flags[i]) >= 0) {
			n = BIO_get_mem_data(bio, &text);
			if (n > 0)
				safe_between_escapes(out, cap,
					(struct et_view){ .p = (uint8_t *)text, .n = (size_t)n });
			BIO_free(bio);
			return;
		}
		BIO_free(bio);
	}
}

static int add_name(struct et_cert *out, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	out->names[out->names_cnt++] = copy;
	return 0;
}

static int add_general_name(struct et_cert *out, const GENERAL_NAME *gn)
{
	char text[ET_CERT_TEXT];
	struct et_view v;
	char ip[INET6_ADDRSTRLEN];

	if (gn->type == GEN_DNS) {
		v.p = ASN1_STRING_get0_data(gn->d.dNSName);
		v.n = (size_t)ASN1_STRING_length(gn->d.dNSName);
		et_text_safe(text, sizeof(text), v);
		return add_name(out, text);
	}
	if (gn->type != GEN_IPADD)
		return 0;
	v.p = ASN1_STRING_get0_data(gn->d.iPAddress);
	v.n = (size_t)ASN1_STRING_length(gn->d.iPAddress);
	if (v.n != 4 && v.n != 16) /* RFC 5280 4.2.1.6 knows no other length: it names nobody */
		return 0;
	inet_ntop(v.n == 4 ? AF_INET : AF_INET6, v.p, ip, sizeof(ip));
	return add_name(out, ip);
}

static int read_names(struct et_cert *out, X509 *x509)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int rc = 0;

	for (int i = 0; rc == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		if (out->names_cnt == ET_CERT_NAMES)
			break;
		rc = add_general_name(out, sk_GENERAL_NAME_value(names, i));
	}
	GENERAL_NAMES_free(names);
	return rc;
}

/* OpenSSL calls two curves by their X9.62 names; records use IANA's. */
static const char *curve_name(const char *openssl)
{
	if (strcmp(openssl, "prime256v1") == 0)
		return "secp256r1";
	if (strcmp(openssl, "prime192v1") == 0)
		return "secp192r1";
	return openssl;
}

static void read_key(struct et_cert *out, X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	ASN1_OBJECT *oid = NULL;
	const char *name = NULL;
	char curve[80];
	int bits;

	switch (key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA: name = "rsa"; break;
	case EVP_PKEY_EC: name = "ecdsa"; break;
	case EVP_PKEY_ED25519: name = "ed25519"; break;
	case EVP_PKEY_ED448: name = "ed448"; break;
	case EVP_PKEY_DSA: name = "dsa"; break;
	default: break;
	}
	if (name) {
		snprintf(out->key, sizeof(out->key), "%s", name);
	} else if (X509_PUBKEY_get0_param(&oid, NULL, NULL, NULL, X509_get_X509_PUBKEY(x509))) {
		char text[80];

		OBJ_obj2txt(text, sizeof(text), oid, 0);
		et_text_safe(out->key, sizeof(out->key),
			(struct et_view){ .p = (uint8_t *)text, .n = strlen(text) });
	}
	if (!key)
		return;
	bits = EVP_PKEY_get_bits(key);
	out->bits = bits > 0 ? (uint32_t)bits : 0;
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
		EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1)
		snprintf(out->curve, sizeof(out->curve), "%.31s", curve_name(curve));
}

static void read_sigalg(struct et_cert *out, const X509 *x509)
{
	const X509_ALGOR *alg = NULL;
	const ASN1_OBJECT *oid = NULL;
	char text[80];

	X509_get0_signature(NULL, &alg, x509);
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	OBJ_obj2txt(text, sizeof(text), oid, 0); /* the long name, digits if it has none */
	et_text_safe(out->sigalg, sizeof(out->sigalg),
		(struct et_view){ .p = (uint8_t *)text, .n = strlen(text) });
}

/* `otherwise` and an empty text if the time cannot be read. */
static int64_t time_ns(char *text, size_t cap, const ASN1_TIME *when, int64_t otherwise)
{
	struct tm tm;
	time_t s;
	size_t n;

	text[0] = '\0';
	/* a NULL here would mean "now" to OpenSSL */
	if (!when || ASN1_TIME_to_tm(when, &tm) != 1)
		return otherwise;
	/* strftime writes the year 1 as "1" */
	n = (size_t)snprintf(text, cap, "%04u", (unsigned)(tm.tm_year + 1900) % 10000);
	strftime(text + n, cap - n, "-%m-%dT%H:%M:%SZ", &tm);
	s = timegm(&tm);
	if (s > INT64_MAX / ET_NS_PER_S)
		return INT64_MAX;
	if (s < INT64_MIN / ET_NS_PER_S)
		return INT64_MIN;
	return s * ET_NS_PER_S;
}

static enum et_cert_use use_of(X509 *x509)
{
	/* reads the extensions, and says 0 only where a rule forbids a server */
	bool forbidden = X509_check_purpose(x509, X509_PURPOSE_SSL_SERVER, 0) == 0;
	uint32_t flags = X509_get_extension_flags(x509);

	if (flags & EXFLAG_INVALID)
		return ET_CERT_USE_SERVER;
	if (forbidden && (flags & EXFLAG_XKUSAGE) &&
		!(X509_get_extended_key_usage(x509) & (XKU_SSL_SERVER | XKU_SGC)))
		return ET_CERT_USE_EXTENDED;
	if (flags & EXFLAG_CA)
		return ET_CERT_USE_CA;
	return forbidden ? ET_CERT_USE_KEY : ET_CERT_USE_SERVER;
}

static int read_x509(struct et_cert *out, X509 *x509)
{
	name_text(out->subject, sizeof(out->subject), X509_get_subject_name(x509));
	name_text(out->issuer, sizeof(out->issuer), X509_get_issuer_name(x509));
	out->self_signed =
		X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)) == 0;
	out->use = use_of(x509);
	read_key(out, x509);
	read_sigalg(out, x509);
	/* no claim of "expired" or "not yet valid" can be made from a time that is not readable */
	out->not_before_ns = time_ns(
		out->not_before, sizeof(out->not_before), X509_get0_notBefore(x509), INT64_MIN);
	out->not_after_ns = time_ns(
		out->not_after, sizeof(out->not_after), X509_get0_notAfter(x509), INT64_MAX);
	return read_names(out, x509);
}

int et_cert_parse(struct et_cert *out, struct et_view der)
{
	uint8_t sha256[ET_SHA256_LEN];
	const unsigned char *p = der.p;
	X509 *x509 = NULL;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	et_crypto_sha256(sha256, der);
	et_hex(out->sha256, sha256, sizeof(sha256));
	if (der.n > 0 && der.n <= LONG_MAX)
		x509 = d2i_X509(NULL, &p, (long)der.n);
	/* bytes behind the certificate: no TLS stack takes that either */
	if (x509 && p == der.p + der.n) {
		out->parsed = true;
		rc = read_x509(out, x509);
	}
	X509_free(x509);
	ERR_clear_error(); /* the queue of this thread must not grow with bad input */
	if (rc != 0)
		et_cert_free(out);
	return rc;
}

void et_cert_free(struct et_cert *cert)
{
	for (size_t i = 0; i < cert->names_cnt; i++)
		free(cert->names[i]);
	cert->names_cnt = 0;
}
