/* SPDX-License-Identifier: BSD-3-Clause */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "dialogue.h"
#include "fixed.h"
#include "truth.h"
#include "verdict.h"
#include "wiretap.h"

#define RECORD_HEAD  5
#define BULK_RECORDS 8
#define BULK_PLAIN   8192 /* bytes of mail in a record */
#define ROUNDS_MAX   8

/* How far the handshake is let go. */
enum cut { CUT_NEVER, CUT_HELLO, CUT_FLIGHT };

/* A client and a server whose bytes are carried by hand; script is NULL while nothing is kept. */
struct pair {
	const struct gen_stack_ops *ops;
	void *context[2];
	void *end[2];
	struct gen_script *script;
	enum cut cut;
	bool is_cut;
};

static enum cut cut_of(enum gen_story story)
{
	if (story == GEN_SERVER_CLOSE || story == GEN_TIMEOUT)
		return CUT_HELLO;
	return story == GEN_CLIENT_RESET ? CUT_FLIGHT : CUT_NEVER;
}

/* Carries what one side has written to the other, as one flight. */
static int carry(struct pair *pr, uint8_t dir)
{
	size_t len = 0;
	const uint8_t *bytes = pr->ops->take(pr->end[dir], &len);

	if (len == 0)
		return 0;
	if (pr->script &&
		gen_script_put(pr->script, dir, bytes, (uint32_t)len, GEN_THINK_CRYPTO) != 0)
		return -1;
	if (pr->cut == (dir == GEN_CLIENT ? CUT_HELLO : CUT_FLIGHT))
		pr->is_cut = true;
	return pr->ops->give(pr->end[!dir], bytes, len);
}

/* Which side failed, or -1: none did. */
static int handshake(struct pair *pr)
{
	enum gen_shake now[2] = { GEN_SHAKE_WAITS, GEN_SHAKE_WAITS };

	for (unsigned i = 0; i < 2 * ROUNDS_MAX; i++) {
		uint8_t dir = i % 2 == 0 ? GEN_CLIENT : GEN_SERVER;

		if (now[dir] != GEN_SHAKE_DONE)
			now[dir] = pr->ops->handshake(pr->end[dir]);
		if (carry(pr, dir) != 0)
			return -2;
		if (now[dir] == GEN_SHAKE_FAILED)
			return dir;
		if (pr->is_cut || (now[0] == GEN_SHAKE_DONE && now[1] == GEN_SHAKE_DONE))
			return -1;
	}
	gen_stack_fail("the handshake does not end");
	return -2;
}

static void pair_close(struct pair *pr)
{
	for (unsigned i = 0; i < 2; i++) {
		pr->ops->close(pr->end[i]);
		pr->end[i] = NULL;
	}
}

static int pair_open(struct pair *pr, void *session)
{
	for (int dir = 0; dir < 2; dir++) {
		pr->end[dir] = pr->ops->open(pr->context[dir], dir == GEN_CLIENT ? session : NULL);
		if (!pr->end[dir])
			return -1;
	}
	return 0;
}

/* One side writes, the other reads. */
static int say(struct pair *pr, uint8_t dir, const void *text, size_t len, enum gen_think think)
{
	unsigned before = pr->script ? pr->script->flight_cnt : 0;

	if (pr->ops->write(pr->end[dir], text, len) != 0 || carry(pr, dir) != 0 ||
		pr->ops->read_all(pr->end[!dir]) != 0)
		return -1;
	if (pr->script && pr->script->flight_cnt > before)
		pr->script->flights[pr->script->flight_cnt - 1].think = (uint8_t)think;
	return carry(pr, !dir);
}

/* Full records of mail, kept apart from the flights: a body of any size is cut from them. */
static int say_bulk(struct pair *pr, uint8_t dir)
{
	struct gen_script *s = pr->script;
	char *text = malloc(BULK_PLAIN);
	const uint8_t *bytes;
	size_t len = 0;
	int rc = text ? 0 : -1;

	if (text)
		memset(text, 'm', BULK_PLAIN);
	for (unsigned i = 0; i < BULK_RECORDS && rc == 0; i++)
		rc = pr->ops->write(pr->end[dir], text, BULK_PLAIN);
	free(text);
	bytes = rc == 0 ? pr->ops->take(pr->end[dir], &len) : NULL;
	s->bulk = len > 0 && bytes ? malloc(len) : NULL;
	if (!s->bulk)
		return -1;
	memcpy(s->bulk, bytes, len);
	s->bulk_cnt = BULK_RECORDS;
	s->bulk_plain = BULK_PLAIN;
	s->bulk_wire = (uint32_t)len / BULK_RECORDS;
	for (unsigned i = 0; i < BULK_RECORDS; i++) {
		const uint8_t *p = s->bulk + i * s->bulk_wire;

		if (RECORD_HEAD + (uint32_t)(p[3] << 8 | p[4]) == s->bulk_wire)
			continue;
		gen_stack_fail("the stack splits records of %u bytes", BULK_PLAIN);
		return -1;
	}
	if (gen_script_put(s, dir, NULL, 0, GEN_THINK_LINE) != 0)
		return -1;
	return pr->ops->give(pr->end[!dir], s->bulk, len) == 0 ? pr->ops->read_all(pr->end[!dir])
							       : -1;
}

static enum gen_think think_of(const struct gen_lines *lines, unsigned i)
{
	/* behind the body comes its end, then the server's reply, for which it syncs its disk */
	return i > 1 && lines->line[i - 2].bulk ? GEN_THINK_QUEUE : GEN_THINK_LINE;
}

static int talk_inside(struct pair *pr, const struct gen_kind *kind)
{
	struct gen_lines lines;

	gen_dialogue_after(&lines, (enum gen_protocol)kind->protocol, true);
	for (unsigned i = 0; i < lines.cnt; i++) {
		const struct gen_line *line = &lines.line[i];
		int rc = line->bulk ? say_bulk(pr, line->dir)
				    : say(pr, line->dir, line->text, strlen(line->text),
					      think_of(&lines, i));

		if (rc != 0)
			return -1;
	}
	for (int dir = GEN_SERVER; dir >= GEN_CLIENT; dir--) {
		unsigned before = pr->script->flight_cnt;

		if (pr->ops->bye(pr->end[dir]) != 0 || carry(pr, (uint8_t)dir) != 0)
			return -1;
		pr->script->byes += pr->script->flight_cnt - before;
	}
	return 0;
}

static int talk_clear(struct gen_script *s, const struct gen_lines *lines)
{
	for (unsigned i = 0; i < lines->cnt; i++) {
		const struct gen_line *line = &lines->line[i];
		int rc = line->bulk
				 ? gen_script_put(s, line->dir, NULL, 0, GEN_THINK_LINE)
				 : gen_dialogue_put(s, line->text, line->dir, think_of(lines, i));

		if (rc != 0)
			return -1;
	}
	return 0;
}

/* A first connection, not recorded, that leaves the client a session to resume. */
static void *earlier_session(struct pair *pr)
{
	static const char noop[] = "NOOP\r\n", ok[] = "250 ok\r\n";
	void *session = NULL;

	if (pair_open(pr, NULL) == 0 && handshake(pr) == -1 &&
		say(pr, GEN_CLIENT, noop, strlen(noop), GEN_THINK_LINE) == 0 &&
		say(pr, GEN_SERVER, ok, strlen(ok), GEN_THINK_LINE) == 0)
		session = pr->ops->session(pr->end[GEN_CLIENT]);
	pair_close(pr);
	return session;
}

/* Takes the TLS part from the stacks. What came out of it stands in tap. 0 or -1. */
static int play_tls(struct pair *pr, struct gen_script *s, struct gen_wiretap *tap, bool resume)
{
	enum gen_story story = (enum gen_story)s->kind->story;
	unsigned first = s->flight_cnt, talk;
	struct gen_stack_facts facts = { 0 };
	void *session = NULL;
	int failed, rc;

	if (resume && !(session = earlier_session(pr)))
		return -1;
	pr->script = s;
	pr->cut = cut_of(story);
	rc = pair_open(pr, session);
	pr->ops->session_free(session);
	if (rc != 0)
		return -1;
	failed = handshake(pr);
	talk = s->flight_cnt;
	if (failed == -2)
		return -1;
	if (failed >= 0 && (story == GEN_ESTABLISHED || story == GEN_BROKEN))
		return -1;
	if (failed < 0 && pr->cut == CUT_NEVER && story != GEN_ESTABLISHED && story != GEN_BROKEN) {
		gen_stack_fail("the handshake does not fail");
		return -1;
	}
	if (story == GEN_ESTABLISHED && talk_inside(pr, s->kind) != 0)
		return -1;
	if (gen_wiretap_read(tap, s, first, talk) != 0)
		return -1;
	if (failed >= 0 || pr->is_cut)
		return 0;
	pr->ops->facts(pr->end[GEN_CLIENT], &facts);
	s->truth.resumed = facts.resumed;
	if (facts.version != tap->version || facts.resumed != resume) {
		gen_stack_fail(facts.resumed != resume
				       ? "the session is not resumed"
				       : "the stack and its bytes differ in the version");
		return -1;
	}
	return 0;
}

/* ---- one script */

static int play_clear(struct gen_script *s)
{
	struct gen_lines lines;

	if (s->kind->story == GEN_REFUSED && s->kind->quit) {
		lines = (struct gen_lines){ .cnt = 2,
			.line = { { GEN_CLIENT, false, "QUIT\r\n" },
				{ GEN_SERVER, false, "221 bye\r\n" } } };
		if (s->kind->protocol > GEN_LMTP)
			lines.cnt = 0;
	} else {
		gen_dialogue_after(&lines, (enum gen_protocol)s->kind->protocol, false);
	}
	return talk_clear(s, &lines);
}

static const char *either(const char *own, const char *both)
{
	return own ? own : both;
}

static struct gen_setup setup_of(const struct gen_kind *kind, struct gen_certs *certs)
{
	struct gen_setup setup = {
		.gnutls_priority = kind->gnutls_priority,
		.sni = kind->sni,
		.tickets = kind->tickets,
		.verify = kind->story == GEN_UNKNOWN_CA || kind->story == GEN_EXPIRED,
		.trust = kind->story != GEN_UNKNOWN_CA,
		.ask = kind->client_cert != GEN_CLIENT_CERT_NONE,
		.demand = kind->story == GEN_CLIENT_CERT_MISSING ||
			  kind->story == GEN_CLIENT_CERT_REJECTED,
		.distrust = kind->story == GEN_CLIENT_CERT_REJECTED,
		.ca = certs->ca,
	};
	const struct gen_side *own[2] = { &kind->client, &kind->server };

	for (unsigned i = 0; i < 2; i++)
		setup.side[i] = (struct gen_side){
			.version = (char *)either(own[i]->version, kind->both.version),
			.suites = (char *)either(own[i]->suites, kind->both.suites),
			.groups = (char *)either(own[i]->groups, kind->both.groups),
			.sigalgs = (char *)either(own[i]->sigalgs, kind->both.sigalgs),
		};
	return setup;
}

static int record_tls(struct gen_script *s, const struct gen_profile *p, struct gen_certs *certs,
	enum gen_stack stack, bool resume)
{
	struct pair pr = { .ops = stack == GEN_GNUTLS ? &gen_gnutls : &gen_openssl };
	struct gen_setup setup = setup_of(s->kind, certs);
	struct gen_wiretap tap = { 0 };
	int rc = -1;

	if (gen_certs_leaf(certs, &setup.leaf, &setup.key, s->kind->certificate,
		    s->kind->sni ? s->kind->sni : "mx.server.example",
		    s->kind->story == GEN_EXPIRED ? GEN_LEAF_EXPIRED : GEN_LEAF_SERVER) != 0 ||
		(s->kind->client_cert == GEN_CLIENT_CERT_SENT &&
			gen_certs_leaf(certs, &setup.client_leaf, &setup.client_key,
				s->kind->certificate, "out.client.example",
				GEN_LEAF_CLIENT) != 0)) {
		X509_free(setup.leaf);
		gen_stack_fail("OpenSSL makes no such certificate");
		return -1;
	}
	pr.context[GEN_CLIENT] = pr.ops->context(&setup, GEN_CLIENT);
	pr.context[GEN_SERVER] =
		pr.context[GEN_CLIENT] ? pr.ops->context(&setup, GEN_SERVER) : NULL;
	if (pr.context[GEN_SERVER])
		rc = play_tls(&pr, s, &tap, resume);
	if (rc == 0)
		rc = gen_verdict_tls(s, p, &tap);
	pair_close(&pr);
	pr.ops->context_free(pr.context[GEN_CLIENT]);
	pr.ops->context_free(pr.context[GEN_SERVER]);
	X509_free(setup.leaf);
	X509_free(setup.client_leaf);
	return rc;
}

static int record_one(struct gen_script *s, const struct gen_profile *p, struct gen_certs *certs,
	enum gen_stack stack, bool resume)
{
	const struct gen_kind *kind = s->kind;
	bool implicit = gen_protocol_is_implicit((enum gen_protocol)kind->protocol);
	static const char *const services[] = { "smtp", "submission", "smtps", "lmtp", "imap",
		"imaps", "pop3", "pop3s", "sieve" };
	struct gen_truth *t = &s->truth;
	struct gen_lines lines;
	int rc;

	t->service = services[kind->protocol];
	t->requested = !implicit && (gen_story_has_tls((enum gen_story)kind->story) ||
					    kind->story == GEN_REFUSED);
	t->mode = implicit ? "implicit" : t->requested ? "starttls" : "clear";
	t->offered = implicit ? -1 : kind->story != GEN_NOT_OFFERED && kind->story != GEN_MASKED;
	t->reply = t->requested ? 220 : 0;
	t->server_name = t->client_name = !implicit && kind->protocol <= GEN_LMTP;
	gen_dialogue_before(&lines, kind);
	rc = talk_clear(s, &lines);
	if (s->flight_cnt > 0)
		s->flights[0].think = GEN_THINK_BANNER;
	if (rc == 0 && gen_story_has_tls((enum gen_story)kind->story)) {
		rc = record_tls(s, p, certs, stack, resume);
	} else if (rc == 0) {
		gen_verdict_clear(s, p);
		rc = play_clear(s);
	}
	if (rc == 0)
		rc = gen_script_seal(s);
	return rc == 0 ? gen_truth_fix(s) : rc;
}

/* ---- all of a profile */

struct maker {
	struct gen_scripts *out;
	const struct gen_profile *profile;
	struct gen_certs certs;
	char *error;
};

static unsigned pool_of(const struct gen_profile *p, const struct gen_kind *kind)
{
	unsigned pool = 0;

	for (size_t i = 0; i < p->kind_cnt; i++) {
		bool first = true;

		if (strcmp(gen_kind_pool(&p->kinds[i]), gen_kind_pool(kind)) == 0)
			return pool;
		for (size_t k = 0; k < i; k++)
			if (strcmp(gen_kind_pool(&p->kinds[k]), gen_kind_pool(&p->kinds[i])) == 0)
				first = false;
		pool += first;
	}
	return pool;
}

static int add(struct maker *m, const struct gen_kind *kind, double weight, enum gen_stack stack,
	bool resume)
{
	struct gen_scripts *out = m->out;
	struct gen_script *s = &out->all[out->cnt];

	out->fallback[out->cnt] = -1;
	*s = (struct gen_script){ .kind = kind, .weight = weight, .teach = -1 };
	s->pool = pool_of(m->profile, kind);
	if (s->pool >= out->pool_cnt)
		out->pool_cnt = s->pool + 1;
	out->cnt++;
	if (record_one(s, m->profile, &m->certs, stack, resume) == 0)
		return 0;
	snprintf(m->error, GEN_ERROR, "%.200s:%d: [session %s]%s%s: %s", m->profile->path,
		kind->line, kind->name, stack == GEN_GNUTLS ? ", with GnuTLS" : "",
		resume ? ", resumed" : "", gen_stack_error());
	return -1;
}

static int add_kind(struct maker *m, size_t i)
{
	const struct gen_kind *kind = &m->profile->kinds[i];
	bool tls = gen_story_has_tls((enum gen_story)kind->story);
	unsigned first = m->out->cnt;
	struct gen_kind *late = &m->out->late[i];

	for (unsigned stack = 0; stack < GEN_STACKS; stack++) {
		double share = !tls                  ? (stack == GEN_OPENSSL ? 1 : 0)
			       : stack == GEN_GNUTLS ? kind->gnutls
						     : 1 - kind->gnutls;

		if (share <= 0)
			continue;
		share *= kind->weight;
		if (kind->resumed < 1 && add(m, kind, share * (1 - kind->resumed),
						 (enum gen_stack)stack, false) != 0)
			return -1;
		if (kind->resumed > 0 &&
			add(m, kind, share * kind->resumed, (enum gen_stack)stack, true) != 0)
			return -1;
	}
	if (kind->fallback_s < 0)
		return 0;
	*late = *kind;
	late->story = GEN_CLEAR;
	late->servers = (char *)gen_kind_pool(kind);
	for (unsigned s = first; s < m->out->cnt; s++)
		m->out->fallback[s] = (int)m->out->cnt;
	return add(m, late, 0, GEN_OPENSSL, false);
}

static void find_teachers(struct gen_scripts *out)
{
	for (unsigned i = 0; i < out->cnt; i++)
		for (unsigned k = 0; out->all[i].kind->teach && k < out->cnt; k++)
			if (out->all[i].kind->story != GEN_CLEAR && !out->all[k].truth.resumed &&
				out->all[i].teach < 0 &&
				strcmp(out->all[k].kind->name, out->all[i].kind->teach) == 0)
				out->all[i].teach = (int)k;
}

int gen_scripts_make(
	struct gen_scripts *out, char error[static GEN_ERROR], const struct gen_profile *profile)
{
	size_t most = 5 * profile->kind_cnt;
	struct maker m = { .out = out, .profile = profile, .error = error };
	int rc;

	*out = (struct gen_scripts){ 0 };
	out->all = calloc(most, sizeof(*out->all));
	out->fallback = calloc(most, sizeof(*out->fallback));
	out->late = calloc(profile->kind_cnt, sizeof(*out->late));
	rc = out->all && out->fallback && out->late ? gen_certs_make(&m.certs, profile->start_s)
						    : -1;
	if (rc != 0)
		snprintf(error, GEN_ERROR, "the certificates cannot be made");
	for (size_t i = 0; i < profile->kind_cnt && rc == 0; i++)
		rc = add_kind(&m, i);
	gen_certs_free(&m.certs);
	find_teachers(out);
	return rc;
}

void gen_scripts_free(struct gen_scripts *scripts)
{
	for (unsigned i = 0; i < scripts->cnt; i++)
		gen_script_free(&scripts->all[i]);
	free(scripts->all);
	free(scripts->fallback);
	free(scripts->late);
}
