/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "dialogue.h"

static bool has_own_pool(const struct gen_profile *p, const struct gen_kind *kind)
{
	for (size_t i = 0; i < p->kind_cnt; i++)
		if (&p->kinds[i] != kind && p->kinds[i].name != kind->name &&
			strcmp(gen_kind_pool(&p->kinds[i]), gen_kind_pool(kind)) == 0)
			return false;
	return true;
}

static void set_cause(struct gen_script *s, bool known, const char *code)
{
	snprintf(s->cause, sizeof(s->cause), "%s", code);
	s->truth.cause = s->cause;
	s->truth.cause_known = known;
}

/* The client's judgement of the certificate, as docs/causes.md has it. */
static void cause_of_rejection(struct gen_script *s, bool own, bool expired)
{
	static const struct {
		uint8_t code;
		const char *cause;
	} names[] = { { 42, "certificate_rejected/bad_certificate" },
		{ 45, "certificate_rejected/expired" }, { 46, "certificate_rejected/unknown" },
		{ 48, "certificate_rejected/unknown_ca" } };
	bool general = s->truth.alert_code == 42 || s->truth.alert_code == 46;

	if (s->truth.alert_inferred) { /* of TLS 1.3: the certificate cannot be read */
		set_cause(s, own, "certificate_rejected");
		return;
	}
	if (expired && general && s->truth.version < 0x0304) {
		set_cause(s, true, "certificate_rejected/expired");
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].code == s->truth.alert_code)
			set_cause(s, own || !general, names[i].cause);
}

/* The one reason for which the causes can be argued here: the curve of the server's key. */
static bool is_curve(const struct gen_kind *kind)
{
	const char *groups = kind->client.groups ? kind->client.groups : kind->both.groups;
	const char *curve = strchr(kind->certificate, ':');
	uint16_t versions[2];
	const char *version = kind->client.version ? kind->client.version : kind->both.version;

	return strncmp(kind->certificate, "ecdsa", 5) == 0 && groups && curve &&
	       !strstr(groups, curve + 1) && kind->teach &&
	       gen_stack_versions(versions, version) == 0 && versions[1] <= 0x0303;
}

/* What the server says of the client's certificate, or of its absence. */
static void cause_of_client_cert(struct gen_script *s)
{
	unsigned code = s->truth.alert_code;
	bool missing = s->kind->story == GEN_CLIENT_CERT_MISSING;
	bool told = code == 116 || code == 40 || (code >= 42 && code <= 46) || code == 48;

	/* of TLS 1.3 lengths tell it: of the client's flight, and of the alert behind it */
	set_cause(s, told || s->truth.alert_inferred,
		missing ? "client_certificate/missing" : "client_certificate/rejected");
}

static void set_tls_cause(struct gen_script *s, bool own, const struct gen_wiretap *tap)
{
	struct gen_truth *t = &s->truth;

	switch ((enum gen_story)s->kind->story) {
	case GEN_ESTABLISHED: t->cause_known = true; break;
	case GEN_NO_SHARED_CIPHER:
		set_cause(s,
			t->alert_from == GEN_SERVER && t->alert_code == 40 && is_curve(s->kind),
			"no_shared_cipher/certificate_curve");
		break;
	case GEN_NO_COMMON_VERSION: set_cause(s, t->alert_code == 70, "protocol_version"); break;
	case GEN_UNKNOWN_CA:
	case GEN_EXPIRED: cause_of_rejection(s, own, s->kind->story == GEN_EXPIRED); break;
	case GEN_CLIENT_RESET:
		set_cause(s, own || t->version < 0x0304,
			t->version == 0x0304 ? "lost/reset_by_client/after_server_flight"
					     : "lost/reset_by_client/after_server_hello_done");
		if (t->version < 0x0304 && !tap->server_done)
			t->cause_known = false;
		break;
	case GEN_SERVER_CLOSE: set_cause(s, own, "lost/closed_by_server/after_client_hello"); break;
	case GEN_TIMEOUT: set_cause(s, true, "lost/timeout/after_client_hello"); break;
	case GEN_BROKEN: set_cause(s, true, "broken/after_handshake"); break;
	case GEN_CLIENT_CERT_MISSING:
	case GEN_CLIENT_CERT_REJECTED: cause_of_client_cert(s); break;
	default: break;
	}
}

static const char *group_name(uint16_t id)
{
	static const struct {
		uint16_t id;
		const char *name;
	} names[] = { { 0x17, "secp256r1" }, { 0x18, "secp384r1" }, { 0x19, "secp521r1" },
		{ 0x1d, "x25519" }, { 0x1e, "x448" }, { 0x100, "ffdhe2048" },
		{ 0x101, "ffdhe3072" }, { 0x102, "ffdhe4096" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].id == id)
			return names[i].name;
	return NULL;
}

static const char *suite_name(uint16_t id)
{
	uint8_t bytes[2] = { (uint8_t)(id >> 8), (uint8_t)id };
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl = ctx ? SSL_new(ctx) : NULL;
	const SSL_CIPHER *cipher = ssl ? SSL_CIPHER_find(ssl, bytes) : NULL;
	const char *name = cipher ? SSL_CIPHER_standard_name(cipher) : NULL;

	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return name;
}

static bool is_about_client_cert(enum gen_story story)
{
	return story == GEN_CLIENT_CERT_MISSING || story == GEN_CLIENT_CERT_REJECTED;
}

/* Ended behind a whole handshake. In TLS 1.3 the server judges the client only then. */
static bool is_broken(const struct gen_script *s, const struct gen_wiretap *tap)
{
	enum gen_story story = (enum gen_story)s->kind->story;

	return story == GEN_BROKEN || (is_about_client_cert(story) && tap->version == 0x0304);
}

/* As far as it is said in clear: up to TLS 1.2. */
static void set_client_cert(struct gen_truth *t, const struct gen_wiretap *tap)
{
	bool flight = tap->version < 0x0304 && (t->resumed || tap->server_done);

	t->cert_requested = tap->cert_asked ? 1 : flight ? 0 : -1;
	t->cert_sent = tap->cert_sent ? 1 : -1;
	if (!tap->cert_sent && (t->cert_requested == 0 || tap->client_keyed))
		t->cert_sent = 0;
}

static void set_tls_truth(struct gen_script *s, const struct gen_wiretap *tap)
{
	struct gen_truth *t = &s->truth;
	enum gen_story story = (enum gen_story)s->kind->story;

	t->version = tap->version;
	t->cipher_id = tap->cipher_id;
	t->cipher = tap->version ? suite_name(tap->cipher_id) : NULL;
	t->group = group_name(tap->group);
	t->group_known = tap->group == 0 || t->group;
	t->hello_retry = tap->hello_retry;
	set_client_cert(t, tap);
	t->alert_from = -1;
	t->outcome = story == GEN_ESTABLISHED ? "established"
		     : is_broken(s, tap)      ? "broken"
		     : story == GEN_TIMEOUT   ? "incomplete"
					      : "failed";
	if (story == GEN_ESTABLISHED || story == GEN_BROKEN)
		return;
	t->alert_from = tap->alert_from;
	t->alert_inferred = tap->alert_inferred;
	t->alert_level = tap->alert_level;
	t->alert_code = tap->alert_code;
}

static void set_tls_end(struct gen_script *s, const struct gen_wiretap *tap)
{
	switch ((enum gen_story)s->kind->story) {
	case GEN_TIMEOUT: s->end = GEN_END_OPEN; break;
	case GEN_CLIENT_RESET: s->end = GEN_END_RST; break;
	case GEN_CLIENT_CERT_MISSING:
	case GEN_CLIENT_CERT_REJECTED:
	case GEN_SERVER_CLOSE: s->closer = GEN_SERVER; break;
	case GEN_ESTABLISHED:
	case GEN_BROKEN: break;
	default: s->closer = (uint8_t)(tap->alert_from == GEN_SERVER); break;
	}
	if (s->kind->story == GEN_ESTABLISHED && tap->decider >= 0)
		s->flights[tap->decider].decides = true;
}

/* What the profile asked for has to be what the stacks did. */
static int check_story(const struct gen_script *s, const struct gen_wiretap *tap)
{
	enum gen_story story = (enum gen_story)s->kind->story;
	bool rejects = story == GEN_UNKNOWN_CA || story == GEN_EXPIRED;

	if (s->kind->hello_retry != tap->hello_retry) {
		gen_stack_fail(tap->hello_retry
				       ? "a HelloRetryRequest is sent; say hello_retry = yes"
				       : "no HelloRetryRequest is sent");
		return -1;
	}
	if ((story == GEN_NO_SHARED_CIPHER && tap->alert_from != GEN_SERVER) ||
		(rejects && tap->alert_from != GEN_CLIENT) ||
		(story == GEN_NO_COMMON_VERSION && (tap->alert_from < 0 || tap->version))) {
		gen_stack_fail("the handshake fails in another way");
		return -1;
	}
	if (is_about_client_cert(story) &&
		(tap->alert_from != GEN_SERVER ||
			(tap->version == 0x0304 && !tap->client_finished))) {
		gen_stack_fail("the handshake fails in another way");
		return -1;
	}
	if (s->kind->client_cert != GEN_CLIENT_CERT_NONE && tap->version < 0x0304 &&
		tap->server_done && !tap->cert_asked) {
		gen_stack_fail("the server does not ask for a client certificate");
		return -1;
	}
	if (story == GEN_ESTABLISHED && tap->decider < 0) {
		gen_stack_fail("the dialogue is too short");
		return -1;
	}
	if (tap->version && !suite_name(tap->cipher_id)) {
		gen_stack_fail("suite %04x has no name", tap->cipher_id);
		return -1;
	}
	return 0;
}

int gen_verdict_tls(
	struct gen_script *s, const struct gen_profile *p, const struct gen_wiretap *tap)
{
	if (check_story(s, tap) != 0)
		return -1;
	set_tls_truth(s, tap);
	set_tls_cause(s, has_own_pool(p, s->kind), tap);
	set_tls_end(s, tap);
	s->fails = s->kind->story != GEN_ESTABLISHED && s->kind->story != GEN_TIMEOUT;
	return 0;
}

void gen_verdict_clear(struct gen_script *s, const struct gen_profile *p)
{
	const struct gen_kind *kind = s->kind;
	struct gen_truth *t = &s->truth;
	bool mail = !(kind->story == GEN_REFUSED && kind->quit);

	t->cert_requested = t->cert_sent = -1;
	t->outcome = "none";
	t->alert_from = -1;
	t->group_known = true;
	t->clear_mails = mail && gen_protocol_sends((enum gen_protocol)kind->protocol);
	t->auth_clear = mail && (kind->protocol == GEN_SUBMISSION || kind->protocol > GEN_LMTP);
	switch ((enum gen_story)kind->story) {
	case GEN_REFUSED:
		t->reply = kind->protocol <= GEN_LMTP ? (unsigned)kind->reply : 500;
		/* a server that offers the command and does not know it got another one */
		snprintf(s->cause, sizeof(s->cause), "starttls_refused/%u%s", t->reply,
			kind->protocol <= GEN_LMTP && t->reply >= 500 && t->reply <= 502
				? "/garbled"
				: "");
		t->cause = s->cause;
		t->cause_known = true;
		s->fails = true;
		break;
	case GEN_NOT_OFFERED: set_cause(s, has_own_pool(p, kind), "starttls_not_offered"); break;
	case GEN_MASKED:
		t->masked = true;
		set_cause(s, true, "starttls_masked");
		break;
	default: set_cause(s, true, "starttls_not_used"); break;
	}
}
