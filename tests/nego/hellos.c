/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "et_iana.h"

#include <gnutls/gnutls.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

void hellos_init(struct hellos *hellos)
{
	*hellos = (struct hellos){ .seen = et_dict_new(1u << 20, 1u << 28) };
}

void hellos_free(struct hellos *hellos)
{
	for (size_t i = 0; i < hellos->cnt; i++)
		free(hellos->all[i].p);
	free(hellos->all);
	et_dict_free(hellos->seen);
}

/*
 * The hello in SSLv2's format, or in the first records; its profile. *n becomes what it takes: what a
 * client sends behind it is not the matter here.
 */
static bool read_profile(
	struct et_tls_profile *out, struct et_view *key, const uint8_t *p, size_t *bytes)
{
	const size_t n = *bytes;
	static uint8_t message[1 << 16], profile[ET_TLS_PROFILE_MAX];
	struct et_cur cur = et_cur(p, n);
	struct et_tls_hello hello;
	size_t len = 0, want;

	if (n > 11 && (p[0] & 0x80) && p[2] == 1) {
		size_t record = (size_t)((p[0] & 0x7f) << 8 | p[1]);

		if (record + 2 > n ||
			et_tls_parse_sslv2_hello(&hello, et_cur(p + 2, record)) != ET_PARSE_OK)
			return false;
		hello.record_version = ET_SSLV2;
		*bytes = record + 2;
	} else {
		want = 4;
		while (len < want && cur.n > 5 && cur.p[0] == 22) {
			struct et_cur record;

			et_take(&cur, 3);
			record = et_block(&cur, 2);
			if (!et_ok(&cur) || len + record.n > sizeof(message))
				break;
			if (record.n)
				memcpy(message + len, record.p, record.n);
			len += record.n;
			if (len >= 4)
				want = 4 + ((size_t)message[1] << 16 | (size_t)message[2] << 8 |
						   message[3]);
		}
		if (len < 4 || message[0] != 1 || want > len ||
			et_tls_parse_hello(&hello, et_cur(message + 4, want - 4)) != ET_PARSE_OK)
			return false;
		hello.record_version = (uint16_t)(p[1] << 8 | p[2]);
		*bytes = n - cur.n;
	}
	*key = (struct et_view){ profile, et_tls_profile_encode(profile, sizeof(profile), &hello) };
	return et_tls_profile_decode(out, *key);
}

bool hellos_add(struct hellos *hellos, const char *from, const uint8_t *p, size_t n)
{
	static struct et_tls_profile profile;
	struct et_view key;
	bool added = false;

	if (!read_profile(&profile, &key, p, &n))
		return false;
	et_dict_put(hellos->seen, &added, key);
	if (!added)
		return true;
	if (hellos->cnt == hellos->cap) {
		hellos->cap = hellos->cap ? 2 * hellos->cap : 256;
		hellos->all = realloc(hellos->all, hellos->cap * sizeof(*hellos->all));
	}
	hellos->all[hellos->cnt] = (struct hello){ malloc(n), n, from, profile };
	memcpy(hellos->all[hellos->cnt++].p, p, n);
	return true;
}

/* The inside of an extension; empty and bad if it is not there. */
static struct et_cur find_ext(const struct hello *hello, uint16_t want)
{
	struct et_cur cur = et_cur(hello->p, hello->n), exts;

	et_take(&cur, 5 + 4 + 2 + 32); /* one record; hellos over several are not looked into */
	et_block(&cur, 1);
	et_block(&cur, 2);
	et_block(&cur, 1);
	exts = et_block(&cur, 2);
	while (exts.n > 0) {
		uint16_t type = et_u16(&exts);
		struct et_cur ext = et_block(&exts, 2);

		if (type == want && et_ok(&exts))
			return ext;
	}
	exts.bad = true;
	return exts;
}

static bool has_value(struct et_cur list, uint16_t value)
{
	while (list.n > 0)
		if (et_u16(&list) == value)
			return true;
	return false;
}

const char *hello_beyond_profile(const struct hello *hello)
{
	struct et_cur shares = find_ext(hello, 51), groups = find_ext(hello, 10);
	struct et_cur alpn = find_ext(hello, 16), psk = find_ext(hello, 41);
	struct et_cur sigalgs = find_ext(hello, 13);

	if (hello->profile.sslv2)
		return NULL;
	shares = et_block(&shares, 2);
	groups = et_block(&groups, 2);
	if ((groups.n > 0 && hello->profile.groups.n == 0) ||
		(et_block(&sigalgs, 2).n > 0 && hello->profile.sigalgs.n == 0))
		return "a list of GREASE alone";
	while (shares.n > 0) {
		uint16_t group = et_u16(&shares);

		et_block(&shares, 2);
		if (et_iana_is_grease(group) && !has_value(groups, group))
			return "a GREASE key share without such a group";
	}
	if (et_ok(&alpn) && et_block(&alpn, 2).n == 0)
		return "an empty ALPN list";
	if (et_ok(&psk) && et_block(&psk, 2).n == 0)
		return "an empty pre_shared_key";
	return NULL;
}

/* --- OpenSSL as client --- */

struct client {
	int min, max;
	const char *ciphers, *suites, *groups, *sigalgs;
	unsigned long options;
	int mode;
};

static void openssl_hello(struct hellos *hellos, const struct client *client, bool sni)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *out = BIO_new(BIO_s_mem()), *in = BIO_new(BIO_s_mem());
	SSL *ssl;
	char *bytes;
	long len;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, client->min);
	SSL_CTX_set_max_proto_version(ctx, client->max);
	SSL_CTX_set_options(ctx, client->options);
	SSL_CTX_set_mode(ctx, client->mode);
	if (client->ciphers)
		SSL_CTX_set_cipher_list(ctx, client->ciphers);
	if (client->suites)
		SSL_CTX_set_ciphersuites(ctx, client->suites);
	if (client->groups)
		SSL_CTX_set1_groups_list(ctx, client->groups);
	if (client->sigalgs)
		SSL_CTX_set1_sigalgs_list(ctx, client->sigalgs);
	ssl = SSL_new(ctx);
	if (sni)
		SSL_set_tlsext_host_name(ssl, "mx.example.net");
	SSL_set_bio(ssl, in, out);
	SSL_connect(ssl);
	len = BIO_get_mem_data(out, &bytes);
	if (len > 0)
		hellos_add(hellos, "openssl", (const uint8_t *)bytes, (size_t)len);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
}

void hellos_of_openssl(struct hellos *hellos)
{
	static const int versions[][2] = { { 0, 0 }, { TLS1_3_VERSION, TLS1_3_VERSION },
		{ TLS1_2_VERSION, TLS1_3_VERSION }, { TLS1_2_VERSION, TLS1_2_VERSION },
		{ TLS1_VERSION, TLS1_2_VERSION }, { TLS1_1_VERSION, TLS1_1_VERSION },
		{ TLS1_VERSION, TLS1_VERSION }, { TLS1_VERSION, TLS1_3_VERSION } };
	static const char *const ciphers[] = { NULL, "ALL:COMPLEMENTOFALL", "aRSA",
		"ECDHE-ECDSA-AES256-GCM-SHA384", "kRSA", "DHE", "aNULL", "ECDHE+AESGCM:DHE+AESGCM",
		"CHACHA20:AES128", "PSK" };
	static const char *const groups[] = { NULL, "P-256", "P-384:P-256", "X25519", "X448:P-521",
		"ffdhe2048:ffdhe3072", "brainpoolP256r1:secp256k1:P-256" };
	static const char *const sigalgs[] = { NULL, "RSA+SHA256", "ECDSA+SHA256:ECDSA+SHA384",
		"RSA+SHA1:ECDSA+SHA1", "ed25519:ed448", "rsa_pss_rsae_sha512:rsa_pss_pss_sha256" };

	for (size_t v = 0; v < 8; v++) {
		struct client plain = { .min = versions[v][0], .max = versions[v][1] };

		for (size_t c = 0; c < 10; c++) {
			struct client client = plain;

			client.ciphers = ciphers[c];
			openssl_hello(hellos, &client, c % 2);
			client.mode = SSL_MODE_SEND_FALLBACK_SCSV;
			openssl_hello(hellos, &client, c % 2);
		}
		for (size_t g = 0; g < 7; g++)
			for (size_t s = 0; s < 6; s++) {
				struct client client = plain;

				client.groups = groups[g];
				client.sigalgs = sigalgs[s];
				client.options = s % 2 ? SSL_OP_NO_EXTENDED_MASTER_SECRET : 0;
				openssl_hello(hellos, &client, true);
			}
	}
}

/* --- GnuTLS as client --- */

struct sent {
	uint8_t p[1 << 14];
	size_t n;
};

static ssize_t push(gnutls_transport_ptr_t to, const void *bytes, size_t n)
{
	struct sent *sent = to;

	if (n > sizeof(sent->p) - sent->n)
		return -1;
	memcpy(sent->p + sent->n, bytes, n);
	sent->n += n;
	return (ssize_t)n;
}

static ssize_t pull(gnutls_transport_ptr_t from, void *bytes, size_t n)
{
	(void)from, (void)bytes, (void)n;
	return 0;
}

void hellos_of_gnutls(struct hellos *hellos)
{
	static const char *const priorities[] = { "NORMAL", "PERFORMANCE", "SECURE128", "SECURE192",
		"SECURE256", "PFS", "LEGACY", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
		"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.0:+SIGN-RSA-SHA1",
		"NORMAL:-VERS-ALL:+VERS-TLS1.1", "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:%COMPAT",
		"NORMAL:-KX-ALL:+RSA", "NORMAL:-KX-ALL:+DHE-RSA", "NORMAL:-KX-ALL:+ECDHE-ECDSA",
		"NORMAL:+ANON-ECDH:+ANON-DH", "NORMAL:-GROUP-ALL:+GROUP-SECP384R1",
		"NORMAL:-GROUP-ALL:+GROUP-FFDHE2048:+GROUP-FFDHE3072",
		"NORMAL:-SIGN-ALL:+SIGN-RSA-SHA256", "NORMAL:-SIGN-ALL:+SIGN-EDDSA-ED25519",
		"NORMAL:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-ECDSA-SECP521R1-SHA512",
		"NORMAL:%NO_EXTENSIONS:-VERS-ALL:+VERS-TLS1.2",
		"NORMAL:%DISABLE_SAFE_RENEGOTIATION",
		"NORMAL:%FALLBACK_SCSV:-VERS-ALL:+VERS-TLS1.2", "NORMAL:%NO_SESSION_HASH",
		"NONE:+VERS-TLS1.2:+CTYPE-X509:+MAC-ALL:+CIPHER-ALL:+KX-ALL:+COMP-NULL" };

	for (size_t i = 0; i < sizeof(priorities) / sizeof(*priorities); i++) {
		gnutls_certificate_credentials_t credentials;
		gnutls_session_t session;
		static struct sent sent;

		sent.n = 0;
		gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
		gnutls_certificate_allocate_credentials(&credentials);
		gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
		if (gnutls_priority_set_direct(session, priorities[i], NULL) == 0) {
			gnutls_transport_set_ptr(session, &sent);
			gnutls_transport_set_push_function(session, push);
			gnutls_transport_set_pull_function(session, pull);
			gnutls_handshake(session);
			hellos_add(hellos, "gnutls", sent.p, sent.n);
		}
		gnutls_deinit(session);
		gnutls_certificate_free_credentials(credentials);
	}
}
