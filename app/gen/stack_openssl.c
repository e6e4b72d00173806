/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

struct context {
	SSL_CTX *ctx;
	const char *sni; /* of a client */
	int dir;
};

struct end {
	SSL *ssl;
	char *taken; /* what take() gave out last */
	size_t taken_cap;
};

static void fail(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(code);

	gen_stack_fail("OpenSSL: %s: %s", what, reason ? reason : "failed");
	ERR_clear_error();
}

/* The names of TLS 1.3 and those before are two lists here. */
static int set_suites(SSL_CTX *ctx, const char *suites)
{
	char old[512] = "", new[512] = "", *list = strdup(suites), *rest = NULL;

	for (char *word = list ? strtok_r(list, ":", &rest) : NULL; word;
		word = strtok_r(NULL, ":", &rest)) {
		char *to = strncmp(word, "TLS_", 4) == 0 ? new : old;
		size_t n = strlen(to);

		snprintf(to + n, sizeof(old) - n, "%s%s", n ? ":" : "", word);
	}
	free(list);
	if (*new && !SSL_CTX_set_ciphersuites(ctx, new))
		return 0;
	return !*old || SSL_CTX_set_cipher_list(ctx, old);
}

static int set_identity(SSL_CTX *ctx, const struct gen_setup *setup, int dir)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	if (dir == GEN_SERVER && setup->ask)
		SSL_CTX_set_verify(ctx,
			SSL_VERIFY_PEER | (setup->demand ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
			NULL);
	if (dir == GEN_SERVER)
		return SSL_CTX_use_certificate(ctx, setup->leaf) &&
		       SSL_CTX_use_PrivateKey(ctx, setup->key) && SSL_CTX_set_dh_auto(ctx, 1) &&
		       (!setup->ask || setup->distrust ||
			       (X509_STORE_add_cert(store, setup->ca) &&
				       SSL_CTX_add_client_CA(ctx, setup->ca)));
	SSL_CTX_set_verify(ctx, setup->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	return (!setup->trust || X509_STORE_add_cert(store, setup->ca)) &&
	       (!setup->client_leaf || (SSL_CTX_use_certificate(ctx, setup->client_leaf) &&
					       SSL_CTX_use_PrivateKey(ctx, setup->client_key)));
}

static void context_free(void *context)
{
	struct context *c = context;

	if (!c)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

static void *context_new(const struct gen_setup *setup, int dir)
{
	const struct gen_side *side = &setup->side[dir];
	struct context *c = calloc(1, sizeof(*c));
	uint16_t versions[2];
	SSL_CTX *ctx;

	if (!c || gen_stack_versions(versions, side->version) != 0) {
		free(c);
		return NULL;
	}
	ctx = c->ctx = SSL_CTX_new(dir == GEN_SERVER ? TLS_server_method() : TLS_client_method());
	c->sni = setup->sni;
	c->dir = dir;
	if (ctx) {
		SSL_CTX_set_security_level(ctx, 0); /* TLS 1.0 and 1.1 are below level 1 */
		SSL_CTX_set_options(ctx, SSL_OP_ALL | SSL_OP_IGNORE_UNEXPECTED_EOF |
						 (setup->tickets ? 0 : SSL_OP_NO_TICKET));
		SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"gen", 3);
	}
	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, versions[0]) ||
		!SSL_CTX_set_max_proto_version(ctx, versions[1]) ||
		(side->suites && !set_suites(ctx, side->suites)) ||
		(side->groups && !SSL_CTX_set1_groups_list(ctx, side->groups)) ||
		(side->sigalgs && !SSL_CTX_set1_sigalgs_list(ctx, side->sigalgs)) ||
		!set_identity(ctx, setup, dir)) {
		fail("the versions, suites, groups or signature algorithms are refused");
		context_free(c);
		return NULL;
	}
	return c;
}

static void end_close(void *end)
{
	struct end *e = end;

	if (!e)
		return;
	/* unless it was shut down the server forgets it: session ids would not resume */
	if (e->ssl)
		SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(e->ssl);
	free(e->taken);
	free(e);
	ERR_clear_error();
}

static void *end_open(void *context, void *session)
{
	struct context *c = context;
	struct end *e = calloc(1, sizeof(*e));
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());

	if (e)
		e->ssl = SSL_new(c->ctx);
	if (!e || !e->ssl || !in || !out) {
		BIO_free(in);
		BIO_free(out);
		end_close(e);
		fail("no memory");
		return NULL;
	}
	SSL_set_bio(e->ssl, in, out);
	if (c->dir == GEN_SERVER)
		SSL_set_accept_state(e->ssl);
	else
		SSL_set_connect_state(e->ssl);
	if ((c->dir == GEN_CLIENT && c->sni && !SSL_set_tlsext_host_name(e->ssl, c->sni)) ||
		(session && !SSL_set_session(e->ssl, session))) {
		fail("the server name or session is refused");
		end_close(e);
		return NULL;
	}
	return e;
}

static enum gen_shake end_handshake(void *end)
{
	struct end *e = end;
	int rc = SSL_do_handshake(e->ssl);

	if (rc == 1)
		return GEN_SHAKE_DONE;
	if (SSL_get_error(e->ssl, rc) == SSL_ERROR_WANT_READ)
		return GEN_SHAKE_WAITS;
	fail("handshake");
	return GEN_SHAKE_FAILED;
}

static int end_write(void *end, const void *bytes, size_t len)
{
	struct end *e = end;

	if (SSL_write(e->ssl, bytes, (int)len) > 0)
		return 0;
	fail("write");
	return -1;
}

static int end_read_all(void *end)
{
	struct end *e = end;
	char buf[16384];
	int rc;

	do
		rc = SSL_read(e->ssl, buf, sizeof(buf));
	while (rc > 0);
	rc = SSL_get_error(e->ssl, rc);
	if (rc == SSL_ERROR_WANT_READ || rc == SSL_ERROR_ZERO_RETURN)
		return 0;
	fail("read");
	return -1;
}

static int end_bye(void *end)
{
	struct end *e = end;

	return SSL_shutdown(e->ssl) >= 0 ? 0 : -1;
}

static const uint8_t *end_take(void *end, size_t *len)
{
	struct end *e = end;
	BIO *out = SSL_get_wbio(e->ssl);
	size_t n = BIO_ctrl_pending(out);

	*len = 0;
	if (n > e->taken_cap) {
		char *more = realloc(e->taken, n);

		if (!more)
			return NULL;
		e->taken = more;
		e->taken_cap = n;
	}
	if (n > 0 && BIO_read(out, e->taken, (int)n) == (int)n)
		*len = n;
	return (const uint8_t *)e->taken;
}

static int end_give(void *end, const uint8_t *bytes, size_t len)
{
	struct end *e = end;

	return BIO_write(SSL_get_rbio(e->ssl), bytes, (int)len) == (int)len ? 0 : -1;
}

static void end_facts(void *end, struct gen_stack_facts *out)
{
	struct end *e = end;
	int nid = (int)SSL_get_negotiated_group(e->ssl);

	out->version = (uint16_t)SSL_version(e->ssl);
	out->resumed = SSL_session_reused(e->ssl);
	out->group = nid > 0 ? OBJ_nid2sn(nid) : NULL;
}

static void *end_session(void *end)
{
	return SSL_get1_session(((struct end *)end)->ssl);
}

static void session_free(void *session)
{
	SSL_SESSION_free(session);
}

const struct gen_stack_ops gen_openssl = {
	.name = "OpenSSL",
	.context = context_new,
	.context_free = context_free,
	.open = end_open,
	.close = end_close,
	.handshake = end_handshake,
	.write = end_write,
	.read_all = end_read_all,
	.bye = end_bye,
	.take = end_take,
	.give = end_give,
	.facts = end_facts,
	.session = end_session,
	.session_free = session_free,
};
