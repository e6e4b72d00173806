/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack.h"

#define BUFFER_MAX (1u << 20)

struct context {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	const char *sni;
	bool verify, tickets;
	bool ask, demand;
	int dir;
};

struct buffer {
	uint8_t *bytes;
	size_t n, at;
};

struct end {
	gnutls_session_t session;
	const struct context *context;
	struct buffer in, out;
};

static int fail(const char *what, int rc)
{
	gen_stack_fail("GnuTLS: %s: %s", what, gnutls_strerror(rc));
	return -1;
}

/* ---- buffers */

static int put(struct buffer *b, const void *bytes, size_t len)
{
	uint8_t *more;

	if (b->at == b->n)
		b->at = b->n = 0;
	if (b->n + len > BUFFER_MAX)
		return -1;
	more = realloc(b->bytes, b->n + len + 1);
	if (!more)
		return -1;
	memcpy(more + b->n, bytes, len);
	b->bytes = more;
	b->n += len;
	return 0;
}

static ssize_t push(gnutls_transport_ptr_t to, const void *bytes, size_t len)
{
	struct end *e = to;

	return put(&e->out, bytes, len) == 0 ? (ssize_t)len : -1;
}

static ssize_t pull(gnutls_transport_ptr_t from, void *bytes, size_t cap)
{
	struct end *e = from;
	size_t left = e->in.n - e->in.at, n = left < cap ? left : cap;

	if (n == 0) {
		gnutls_transport_set_errno(e->session, EAGAIN);
		return -1;
	}
	memcpy(bytes, e->in.bytes + e->in.at, n);
	e->in.at += n;
	return (ssize_t)n;
}

/* ---- the profile's words in GnuTLS's */

static void add(char *out, size_t cap, const char *before, const char *word)
{
	size_t n = strlen(out);

	snprintf(out + n, cap - n, ":%s%s", before, word);
}

static void add_groups(char *out, size_t cap, const char *groups)
{
	static const struct {
		const char *openssl, *gnutls;
	} names[] = { { "X25519", "X25519" }, { "P-256", "SECP256R1" }, { "P-384", "SECP384R1" },
		{ "P-521", "SECP521R1" }, { "X448", "X448" }, { "ffdhe2048", "FFDHE2048" },
		{ "ffdhe3072", "FFDHE3072" } };

	add(out, cap, "-", "GROUP-ALL");
	while (*groups) {
		size_t n = strcspn(groups, ":");

		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (strlen(names[i].openssl) == n &&
				strncasecmp(names[i].openssl, groups, n) == 0)
				add(out, cap, "+GROUP-", names[i].gnutls);
		groups += n + (groups[n] == ':');
	}
}

static void make_priority(char *out, size_t cap, const struct gen_setup *setup,
	const struct gen_side *side, const uint16_t versions[2])
{
	static const char *const names[] = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" };

	snprintf(out, cap, "NORMAL:-VERS-ALL");
	for (uint16_t v = versions[1]; v >= versions[0]; v--)
		add(out, cap, "+VERS-", names[v - 0x0301]);
	if (versions[0] < 0x0303)
		add(out, cap, "+", "SIGN-RSA-SHA1:%VERIFY_ALLOW_SIGN_WITH_SHA1");
	if (side->groups)
		add_groups(out, cap, side->groups);
	if (setup->gnutls_priority)
		add(out, cap, "", setup->gnutls_priority);
}

/* ---- contexts */

static void context_free(void *context)
{
	struct context *c = context;

	if (!c)
		return;
	if (c->credentials)
		gnutls_certificate_free_credentials(c->credentials);
	if (c->priority)
		gnutls_priority_deinit(c->priority);
	gnutls_free(c->ticket_key.data);
	free(c);
}

static int set_certificate(struct context *c, X509 *x509, EVP_PKEY *pkey)
{
	unsigned char *leaf = NULL, *key = NULL;
	int leaf_len = i2d_X509(x509, &leaf), rc = -1;
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	int key_len = p8 ? i2d_PKCS8_PRIV_KEY_INFO(p8, &key) : 0;
	gnutls_datum_t cert = { leaf, leaf_len > 0 ? (unsigned)leaf_len : 0 };
	gnutls_datum_t private = { key, key_len > 0 ? (unsigned)key_len : 0 };

	if (cert.size > 0 && private.size > 0)
		rc = gnutls_certificate_set_x509_key_mem(
			c->credentials, &cert, &private, GNUTLS_X509_FMT_DER);
	OPENSSL_free(leaf);
	OPENSSL_free(key);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return rc < 0 ? fail("certificate", rc) : 0;
}

static int set_ca(struct context *c, const struct gen_setup *setup)
{
	unsigned char *ca = NULL;
	int len = i2d_X509(setup->ca, &ca), rc;
	gnutls_datum_t der = { ca, len > 0 ? (unsigned)len : 0 };

	rc = gnutls_certificate_set_x509_trust_mem(c->credentials, &der, GNUTLS_X509_FMT_DER);
	OPENSSL_free(ca);
	return rc < 0 ? fail("CA", rc) : 0;
}

static int set_server(struct context *c, const struct gen_setup *setup)
{
	int rc = set_certificate(c, setup->leaf, setup->key);

	if (rc == 0 && setup->ask && !setup->distrust)
		rc = set_ca(c, setup);
	if (rc < 0)
		return rc;
	rc = gnutls_session_ticket_key_generate(&c->ticket_key);
	return rc < 0 ? fail("ticket key", rc) : 0;
}

static int set_client(struct context *c, const struct gen_setup *setup)
{
	int rc = setup->trust ? set_ca(c, setup) : 0;

	if (rc == 0 && setup->client_leaf)
		rc = set_certificate(c, setup->client_leaf, setup->client_key);
	return rc;
}

static void *context_new(const struct gen_setup *setup, int dir)
{
	struct context *c = calloc(1, sizeof(*c));
	const char *bad = NULL;
	char priority[768];
	uint16_t versions[2];
	int rc;

	if (!c || gen_stack_versions(versions, setup->side[dir].version) != 0) {
		free(c);
		return NULL;
	}
	/* its generator has to start from the seed, not from what it was loaded with */
	gnutls_rnd_refresh();
	c->sni = setup->sni;
	c->verify = setup->verify;
	c->tickets = setup->tickets;
	c->ask = setup->ask;
	c->demand = setup->demand;
	c->dir = dir;
	make_priority(priority, sizeof(priority), setup, &setup->side[dir], versions);
	rc = gnutls_priority_init(&c->priority, priority, &bad);
	if (rc < 0)
		gen_stack_fail("GnuTLS: priority string \"%.180s\": %s", bad ? bad : priority,
			gnutls_strerror(rc));
	else if ((rc = gnutls_certificate_allocate_credentials(&c->credentials)) < 0)
		fail("credentials", rc);
	else
		rc = dir == GEN_SERVER ? set_server(c, setup) : set_client(c, setup);
	if (rc < 0) {
		context_free(c);
		return NULL;
	}
	return c;
}

/* ---- ends */

static void end_close(void *end)
{
	struct end *e = end;

	if (!e)
		return;
	if (e->session)
		gnutls_deinit(e->session);
	free(e->in.bytes);
	free(e->out.bytes);
	free(e);
}

static int prepare(struct end *e, const struct context *c, const gnutls_datum_t *old)
{
	int rc = gnutls_priority_set(e->session, c->priority);

	if (rc >= 0)
		rc = gnutls_credentials_set(e->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
	if (rc >= 0 && c->dir == GEN_SERVER && c->tickets)
		rc = gnutls_session_ticket_enable_server(e->session, &c->ticket_key);
	if (rc >= 0 && c->dir == GEN_CLIENT && c->sni)
		rc = gnutls_server_name_set(e->session, GNUTLS_NAME_DNS, c->sni, strlen(c->sni));
	if (rc >= 0 && old)
		rc = gnutls_session_set_data(e->session, old->data, old->size);
	if (c->dir == GEN_SERVER && c->ask)
		gnutls_certificate_server_set_request(
			e->session, c->demand ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
	/* a server that only asks judges nothing: without a certificate that would be a failure */
	if (c->dir == GEN_CLIENT ? c->verify : c->demand)
		gnutls_session_set_verify_cert(e->session, NULL, 0);
	gnutls_handshake_set_timeout(e->session, 0);
	gnutls_transport_set_ptr(e->session, e);
	gnutls_transport_set_push_function(e->session, push);
	gnutls_transport_set_pull_function(e->session, pull);
	return rc;
}

static void *end_open(void *context, void *session)
{
	const struct context *c = context;
	struct end *e = calloc(1, sizeof(*e));
	/* forced: also where the server names no CA that fits */
	unsigned flags =
		c->dir == GEN_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT | GNUTLS_FORCE_CLIENT_CERT;
	int rc;

	if (!e)
		return NULL;
	e->context = c;
	flags |= GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | (c->tickets ? 0 : GNUTLS_NO_TICKETS);
	rc = gnutls_init(&e->session, flags);
	if (rc >= 0)
		rc = prepare(e, c, session);
	if (rc < 0) {
		fail("session", rc);
		end_close(e);
		return NULL;
	}
	return e;
}

static enum gen_shake end_handshake(void *end)
{
	struct end *e = end;
	int rc;

	do
		rc = gnutls_handshake(e->session);
	while (rc == GNUTLS_E_WARNING_ALERT_RECEIVED || rc == GNUTLS_E_GOT_APPLICATION_DATA);
	if (rc == GNUTLS_E_SUCCESS)
		return GEN_SHAKE_DONE;
	if (rc == GNUTLS_E_AGAIN || rc == GNUTLS_E_INTERRUPTED)
		return GEN_SHAKE_WAITS;
	fail("handshake", rc);
	/* as programs do: the library leaves it to them */
	if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
		gnutls_alert_send_appropriate(e->session, rc);
	return GEN_SHAKE_FAILED;
}

static int end_write(void *end, const void *bytes, size_t len)
{
	ssize_t rc = gnutls_record_send(((struct end *)end)->session, bytes, len);

	return rc == (ssize_t)len ? 0 : fail("write", (int)rc);
}

static int end_read_all(void *end)
{
	struct end *e = end;
	char buf[16384];
	ssize_t rc;

	do
		rc = gnutls_record_recv(e->session, buf, sizeof(buf));
	while (rc > 0);
	return rc == 0 || rc == GNUTLS_E_AGAIN ? 0 : fail("read", (int)rc);
}

static int end_bye(void *end)
{
	int rc = gnutls_bye(((struct end *)end)->session, GNUTLS_SHUT_WR);

	return rc < 0 ? fail("close_notify", rc) : 0;
}

static const uint8_t *end_take(void *end, size_t *len)
{
	struct end *e = end;
	const uint8_t *bytes = e->out.bytes + e->out.at;

	*len = e->out.n - e->out.at;
	e->out.at = e->out.n;
	return bytes;
}

static int end_give(void *end, const uint8_t *bytes, size_t len)
{
	return put(&((struct end *)end)->in, bytes, len);
}

static void end_facts(void *end, struct gen_stack_facts *out)
{
	gnutls_session_t s = ((struct end *)end)->session;
	gnutls_group_t group = gnutls_group_get(s);

	out->version = (uint16_t)(0x0301 + (gnutls_protocol_get_version(s) - GNUTLS_TLS1_0));
	out->resumed = gnutls_session_is_resumed(s);
	out->group = group != GNUTLS_GROUP_INVALID ? gnutls_group_get_name(group) : NULL;
}

static void *end_session(void *end)
{
	gnutls_datum_t *out = calloc(1, sizeof(*out));

	if (out && gnutls_session_get_data2(((struct end *)end)->session, out) < 0) {
		free(out);
		return NULL;
	}
	return out;
}

static void session_free(void *session)
{
	gnutls_datum_t *s = session;

	if (!s)
		return;
	gnutls_free(s->data);
	free(s);
}

const struct gen_stack_ops gen_gnutls = {
	.name = "GnuTLS",
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
