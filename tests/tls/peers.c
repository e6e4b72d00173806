/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static struct identity identities[2]; /* RSA, ECDSA; made once */

static struct identity make_identity(bool ecdsa)
{
	struct identity id = { .key = ecdsa ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048),
		.cert = X509_new() };
	X509_NAME *name = X509_get_subject_name(id.cert);

	X509_set_version(id.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), 86400);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)"mx.example.net", -1, -1, 0);
	X509_set_issuer_name(id.cert, name);
	X509_sign(id.cert, id.key, EVP_sha256());
	return id;
}

static const struct identity *identity(bool ecdsa)
{
	if (!identities[ecdsa].key)
		identities[ecdsa] = make_identity(ecdsa);
	return &identities[ecdsa];
}

static unsigned client_psk(SSL *ssl, const char *hint, char *name, unsigned name_cap,
	unsigned char *key, unsigned key_cap)
{
	(void)ssl;
	(void)hint;
	(void)key_cap;
	snprintf(name, name_cap, "client");
	memset(key, 7, 16);
	return 16;
}

static unsigned server_psk(SSL *ssl, const char *name, unsigned char *key, unsigned key_cap)
{
	(void)ssl;
	(void)name;
	(void)key_cap;
	memset(key, 7, 16);
	return 16;
}

static int any_cert(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static int no_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *arg)
{
	(void)ssl;
	(void)out;
	(void)out_n;
	(void)in;
	(void)in_n;
	(void)arg;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *context(const struct peers_case *how, enum et_dir dir)
{
	SSL_CTX *ctx = SSL_CTX_new(dir == ET_CLIENT ? TLS_client_method() : TLS_server_method());
	const char *ciphers = how->ciphers ? how->ciphers : "ALL:@SECLEVEL=0";
	const char *groups = dir == ET_CLIENT ? how->client_groups : how->server_groups;
	const struct identity *id = identity(how->ecdsa);
	uint16_t max = dir == ET_CLIENT ? how->client_max : how->server_max;

	if (dir == ET_SERVER && how->server_ciphers)
		ciphers = how->server_ciphers;
	SSL_CTX_set_min_proto_version(
		ctx, dir == ET_CLIENT && how->client_min ? how->client_min : ET_TLSV1_0);
	SSL_CTX_set_max_proto_version(ctx, max);
	if (!SSL_CTX_set_cipher_list(ctx, ciphers) ||
		(groups && !SSL_CTX_set1_groups_list(ctx, groups)))
		return SSL_CTX_free(ctx), NULL;
	SSL_CTX_set_security_level(ctx, 0);
	if (how->no_ticket)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (how->psk && dir == ET_CLIENT)
		SSL_CTX_set_psk_client_callback(ctx, client_psk);
	if (how->psk && dir == ET_SERVER) {
		SSL_CTX_set_psk_server_callback(ctx, server_psk);
		SSL_CTX_use_psk_identity_hint(ctx, "a hint");
	}
	if (dir == ET_SERVER || how->client_cert) {
		SSL_CTX_use_certificate(ctx, id->cert);
		SSL_CTX_use_PrivateKey(ctx, id->key);
	}
	if (dir == ET_SERVER) {
		SSL_CTX_set_dh_auto(ctx, 1);
		SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"et", 2);
		if (how->ask_cert)
			SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, any_cert);
		if (how->alpn_clash)
			SSL_CTX_set_alpn_select_cb(ctx, no_alpn, NULL);
	} else if (how->distrust) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	return ctx;
}

static SSL *end_new(SSL_CTX *ctx, const struct peers_case *how, enum et_dir dir)
{
	SSL *ssl = SSL_new(ctx);

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (dir == ET_SERVER) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	if (how->sni)
		SSL_set_tlsext_host_name(ssl, how->sni);
	if (how->alpn_clash)
		SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2", 3);
	return ssl;
}

/* What one end wrote becomes a flight, and input of the other. */
static bool carry(struct peers *out, SSL *ends[2], enum et_dir dir)
{
	struct peers_flight *flight = &out->flights[out->cnt];
	char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(ends[dir]), &p);

	if (n <= 0 || out->cnt == PEERS_FLIGHTS)
		return false;
	*flight = (struct peers_flight){ .dir = dir, .p = malloc((size_t)n), .n = (size_t)n };
	memcpy(flight->p, p, (size_t)n);
	out->cnt++;
	BIO_write(SSL_get_rbio(ends[et_dir_other(dir)]), p, (int)n);
	(void)BIO_reset(SSL_get_wbio(ends[dir]));
	return true;
}

static uint16_t group_number(int nid)
{
	static const struct {
		int nid;
		uint16_t id;
	} groups[] = { { NID_X9_62_prime256v1, 23 }, { NID_secp384r1, 24 }, { NID_secp521r1, 25 },
		{ NID_X25519, 29 }, { NID_X448, 30 }, { NID_ffdhe2048, 256 },
		{ NID_ffdhe3072, 257 } };

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].nid == nid)
			return groups[i].id;
	}
	return 0;
}

static void converse(struct peers *out, SSL *ends[2])
{
	char buf[256];

	for (int round = 0; round < 8; round++) {
		bool moved = false;

		for (int dir = ET_CLIENT; dir <= ET_SERVER; dir++) {
			SSL_do_handshake(ends[dir]);
			moved |= carry(out, ends, (enum et_dir)dir);
		}
		if (!moved)
			break;
	}
	out->done = SSL_is_init_finished(ends[0]) && SSL_is_init_finished(ends[1]);
	if (!out->done)
		return;
	for (int round = 0; round < 2; round++) {
		for (int dir = ET_CLIENT; dir <= ET_SERVER; dir++) {
			SSL_write(ends[dir], "EHLO mail\r\n", 11);
			carry(out, ends, (enum et_dir)dir);
			SSL_read(ends[1 - dir], buf, sizeof(buf));
		}
	}
	for (int dir = ET_CLIENT; dir <= ET_SERVER; dir++) {
		SSL_shutdown(ends[dir]);
		carry(out, ends, (enum et_dir)dir);
	}
}

bool peers_run(struct peers *out, const struct peers_case *how)
{
	SSL_CTX *ctx[2] = { context(how, ET_CLIENT), context(how, ET_SERVER) };
	SSL_SESSION *session = NULL;
	SSL *ends[2];

	memset(out, 0, sizeof(*out));
	for (int turn = how->resume ? 0 : 1; turn < 2 && ctx[0] && ctx[1]; turn++) {
		peers_free(out);
		ends[0] = end_new(ctx[0], how, ET_CLIENT);
		ends[1] = end_new(ctx[1], how, ET_SERVER);
		if (session)
			SSL_set_session(ends[0], session);
		converse(out, ends);
		SSL_SESSION_free(session);
		session = SSL_get1_session(ends[0]);
		out->reused = SSL_session_reused(ends[0]);
		out->version = (uint16_t)SSL_version(ends[0]);
		out->cipher = SSL_get_current_cipher(ends[0])
				      ? SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ends[0]))
				      : 0;
		out->group = out->done ? group_number((int)SSL_get_negotiated_group(ends[0])) : 0;
		SSL_free(ends[0]);
		SSL_free(ends[1]);
	}
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx[0]);
	SSL_CTX_free(ctx[1]);
	ERR_clear_error();
	if (out->cnt == 0)
		fprintf(stderr, "%s: OpenSSL cannot do this\n", how->name);
	return out->cnt > 0;
}

void peers_free(struct peers *peers)
{
	for (size_t i = 0; i < peers->cnt; i++)
		free(peers->flights[i].p);
	memset(peers, 0, sizeof(*peers));
}
