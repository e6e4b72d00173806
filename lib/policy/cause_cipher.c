/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#define HANDSHAKE_FAILURE     40
#define ILLEGAL_PARAMETER     47
#define INSUFFICIENT_SECURITY 71

/* What the server did instead of a ServerHello, and how strong a word that is. */
enum refusal {
	REFUSAL_NONE,
	REFUSAL_CLOSE, /* closed without a word */
	REFUSAL_OTHER, /* an alert that fits, but has other uses */
	REFUSAL_ALERT, /* handshake_failure, insufficient_security */
};

static enum refusal refusal(const struct et_session *session)
{
	if (session->outcome != ET_OUTCOME_FAILED ||
		saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO))
		return REFUSAL_NONE;
	switch (alert_code(session, ET_SERVER)) {
	case HANDSHAKE_FAILURE:
	case INSUFFICIENT_SECURITY: return REFUSAL_ALERT;
	case ILLEGAL_PARAMETER: return REFUSAL_OTHER;
	case -1: break;
	default: return REFUSAL_NONE;
	}
	if (session->alert_from >= 0 && !alert_is_echo(session))
		return REFUSAL_NONE;
	return session->end == ET_END_FIN_SERVER || session->end == ET_END_RST_SERVER
		       ? REFUSAL_CLOSE
		       : REFUSAL_NONE;
}

/* All that is weighed for one refusal. */
struct brief {
	struct et_cause *cause;
	const struct scene *scene;
	enum refusal refusal;
	struct key keys[SERVER_KEYS];
	size_t key_cnt;
	bool now_only; /* keys that came later were left out */
	struct fits fits;
	bool tls13;    /* the server would go on in TLS 1.3 with this client */
	bool maybe_13; /* the client offers it, and nothing is known of the server */
};

static void take_keys(struct brief *b, bool seen_before)
{
	const struct server *server = b->scene->server;

	b->key_cnt = 0;
	for (size_t i = 0; i < server->key_cnt; i++)
		if (!seen_before || server->keys[i].first_ns <= b->scene->session->start_ns)
			b->keys[b->key_cnt++] = server->keys[i].key;
	fits_judge(&b->fits, b->scene->hello, b->keys, b->key_cnt, server->ignores_curve);
}

static bool is_excluded(const struct brief *b)
{
	return b->key_cnt > 0 && !b->scene->server->more_keys && b->fits.cnt[FIT_OK] == 0 &&
	       b->fits.nearest >= FIT_VERSION;
}

/* How sure "none of the suites can be used" makes: docs/causes.md, "How sure". */
static enum et_confidence confidence_of(const struct brief *b)
{
	if (b->refusal != REFUSAL_ALERT || b->now_only || b->maybe_13)
		return ET_LIKELY;
	/* anonymous suites need no certificate; whether the server has them is not known */
	return b->fits.cnt[FIT_ANONYMOUS] == 0 ? ET_CERTAIN : ET_LIKELY;
}

static void why_refusal(struct brief *b)
{
	int code = alert_code(b->scene->session, ET_SERVER);

	if (b->refusal == REFUSAL_CLOSE) {
		why(b->cause, "The server closed instead of answering. ");
		why_echo(b->cause, b->scene->session);
	} else {
		why(b->cause, "The server refused (%s). ", et_iana_alert((uint8_t)code));
	}
}

static void why_key(struct et_cause *cause, struct key key)
{
	static const char *const names[] = { "another", "an RSA", "an ECDSA", "an Ed25519",
		"an Ed448", "a DSA" };
	char curve[NAME_TEXT];

	why(cause, "%s", names[key.type]);
	if (key.type != KEY_EC || key.curve == 0)
		return;
	name_text(curve, NAME_GROUP, key.curve);
	why(cause, " %s", curve);
}

static void why_keys(struct brief *b)
{
	why(b->cause, "Its certificate%s seen in other sessions: ", b->key_cnt > 1 ? "s" : "");
	for (size_t i = 0; i < b->key_cnt; i++) {
		why(b->cause, i ? ", " : "");
		why_key(b->cause, b->keys[i]);
	}
	why(b->cause, " key%s. ", b->key_cnt > 1 ? "s" : "");
}

static bool would_serve(const struct brief *b, struct key extra)
{
	struct fits fits;

	if (b->tls13)
		return fits_13(b->scene->hello, extra);
	fits_judge(&fits, b->scene->hello, &extra, 1, false);
	return fits.cnt[FIT_OK] > 0;
}

/* Which certificate beside the present ones would do, by the same rules. */
static void why_cure(struct brief *b)
{
	static const struct key cures[] = {
		{ .type = KEY_RSA },
		{ .type = KEY_EC, .curve = 0x0017 },
		{ .type = KEY_EC, .curve = 0x0018 },
		{ .type = KEY_EC, .curve = 0x0019 },
	};
	unsigned shown = 0;

	for (size_t i = 0; i < sizeof(cures) / sizeof(*cures) && shown < 2; i++) {
		if (!would_serve(b, cures[i]))
			continue;
		why(b->cause, shown++ ? " or " : "A certificate beside it with ");
		why_key(b->cause, cures[i]);
	}
	why(b->cause, shown ? " key would serve this client."
			    : "No certificate would serve this client.");
}

static const struct et_tls_list *groups(const struct brief *b)
{
	return &b->scene->hello->groups;
}

static void say_curve(struct brief *b)
{
	set_code(b->cause, confidence_of(b), "no_shared_cipher/certificate_curve");
	why_refusal(b);
	why_keys(b);
	why(b->cause, "The client's supported_groups (");
	why_names(b->cause, NAME_GROUP, groups(b)->v, groups(b)->n);
	why(b->cause,
		") lack that curve, which up to TLS 1.2 rules out its ECDSA suites "
		"(RFC 8422 5.1)%s. ",
		b->fits.cnt[FIT_KEY_TYPE] ? "; the others need another key" : "");
	why_cure(b);
}

static void say_key_type(struct brief *b)
{
	set_code(b->cause, confidence_of(b), "no_shared_cipher/certificate_key_type");
	why_refusal(b);
	why_keys(b);
	why(b->cause, "All suites that the client offers need another kind of key (");
	why_names(b->cause, NAME_SUITE, b->fits.missed,
		b->fits.cnt[FIT_KEY_TYPE] > 3 ? 3 : b->fits.cnt[FIT_KEY_TYPE]);
	why(b->cause, "%s). ", b->fits.cnt[FIT_KEY_TYPE] > 3 ? ", ..." : "");
	why_cure(b);
}

static void say_sigalg(struct brief *b)
{
	const struct et_tls_list *sigalgs = &b->scene->hello->sigalgs;

	set_code(b->cause, confidence_of(b), "no_shared_cipher/signature_algorithm");
	why_refusal(b);
	why_keys(b);
	if (sigalgs->n) {
		why(b->cause, "The client takes no signature of such a key, only ");
		why_names(b->cause, NAME_SIGALG, sigalgs->v, sigalgs->n);
		why(b->cause, ". ");
	} else {
		why(b->cause, "The client does not say that it takes signatures of such a key. ");
	}
	why_cure(b);
}

static void say_no_group(struct brief *b)
{
	set_code(b->cause, confidence_of(b), "no_shared_cipher/group");
	why_refusal(b);
	why(b->cause, "The client offers only suites with ECDHE, but no elliptic curve in its "
		      "supported_groups (");
	why_names(b->cause, NAME_GROUP, groups(b)->v, groups(b)->n);
	why(b->cause,
		"). Add a curve to the client's groups, or suites without ECDHE on both sides.");
}

static void say_version(struct brief *b)
{
	char name[NAME_TEXT];

	name_text(name, NAME_VERSION, offered_version(b->scene->hello, ET_TLSV1_2));
	set_code(b->cause, confidence_of(b), "no_shared_cipher/suites");
	why_refusal(b);
	why(b->cause,
		"None of the suites that the client offers exists in %s, its highest version: ",
		name);
	why_names(b->cause, NAME_SUITE, b->fits.missed,
		b->fits.cnt[FIT_VERSION] > 3 ? 3 : b->fits.cnt[FIT_VERSION]);
	why(b->cause, ". The client's cipher list has to be widened.");
}

static void say_excluded(struct brief *b)
{
	switch (b->fits.nearest) {
	case FIT_CURVE: say_curve(b); break;
	case FIT_SIGALG: say_sigalg(b); break;
	case FIT_GROUP: say_no_group(b); break;
	case FIT_KEY_TYPE: say_key_type(b); break;
	default: say_version(b); break;
	}
}

static bool any_of(const uint16_t *list, size_t cnt, const struct et_tls_list *in)
{
	for (size_t i = 0; i < cnt; i++)
		if (et_tls_list_has(in, list[i]))
			return true;
	return false;
}

/* Sessions after which what a server was never seen to take counts for something. */
#define ENOUGH_SESSIONS 5

/* Windows Server 2003, and with it Exchange 2003, reads no further. */
#define FIRST_SUITES 64

static bool say_first_64(struct brief *b, enum et_confidence sure)
{
	const struct server *server = b->scene->server;
	const struct et_tls_list *offered = &b->scene->hello->ciphers;

	if (server->suite_cnt == 0 || offered->n <= FIRST_SUITES ||
		!any_of(server->suites, server->suite_cnt, offered))
		return false;
	for (uint16_t i = 0; i < FIRST_SUITES; i++)
		for (size_t k = 0; k < server->suite_cnt; k++)
			if (offered->v[i] == server->suites[k])
				return false;
	set_code(b->cause, sure, "no_shared_cipher/first_64_suites");
	why_refusal(b);
	why(b->cause, "The suites that the server was seen to use (");
	why_names(b->cause, NAME_SUITE, server->suites, server->suite_cnt);
	why(b->cause,
		") stand behind the first 64 of the client's %u: Exchange 2003 reads no further. A "
		"shorter list, or these in front, would do.",
		offered->n);
	return true;
}

/* Suites or groups that the server was never seen to take: likely at most, it may know more. */
static bool say_disjoint(struct brief *b)
{
	const struct server *server = b->scene->server;
	const struct et_tls_profile *hello = b->scene->hello;
	bool enough = server->established >= ENOUGH_SESSIONS;
	enum et_confidence sure = b->refusal == REFUSAL_ALERT && enough ? ET_LIKELY : ET_POSSIBLE;

	if (say_first_64(b, sure))
		return true;
	if (!server->more_suites && server->suite_cnt && hello->ciphers.n &&
		!any_of(server->suites, server->suite_cnt, &hello->ciphers)) {
		set_code(b->cause, sure, "no_shared_cipher/suites");
		why_refusal(b);
		why(b->cause,
			"The client offers none of the suites that the server was seen to use (");
		why_names(b->cause, NAME_SUITE, server->suites, server->suite_cnt);
		why(b->cause, "), but ");
		why_names(b->cause, NAME_SUITE, hello->ciphers.v, hello->ciphers.n);
		why(b->cause, ".");
		return true;
	}
	if (hello->has_groups && !server->more_groups && server->group_cnt &&
		(b->tls13 || b->fits.ok_needs_group) &&
		!any_of(server->groups, server->group_cnt, &hello->groups)) {
		set_code(b->cause, sure, "no_shared_cipher/group");
		why_refusal(b);
		why(b->cause, "The client's supported_groups (");
		why_names(b->cause, NAME_GROUP, hello->groups.v, hello->groups.n);
		why(b->cause, ") hold none that the server was seen to use (");
		why_names(b->cause, NAME_GROUP, server->groups, server->group_cnt);
		why(b->cause, "). Allow one of the client's groups on the server.");
		return true;
	}
	return false;
}

/* TLS 1.3 with a server of known keys: suites do not depend on them, the signature does. */
static bool say_13(struct brief *b)
{
	const struct server *server = b->scene->server;

	if (b->key_cnt == 0 || server->more_keys || !b->scene->hello->has_sigalgs)
		return false;
	for (size_t i = 0; i < b->key_cnt; i++)
		if (fits_13(b->scene->hello, b->keys[i]))
			return false;
	say_sigalg(b);
	return true;
}

static void say_plain(struct brief *b)
{
	set_code(b->cause, ET_LIKELY, "no_shared_cipher");
	why_refusal(b);
	if (!b->scene->hello) {
		why(b->cause, "That is what servers say when no suite, group or signature fits. "
			      "The ClientHello was not captured.");
		return;
	}
	why(b->cause, "The client offers ");
	why_names(b->cause, NAME_SUITE, b->scene->hello->ciphers.v, b->scene->hello->ciphers.n);
	if (b->scene->hello->has_groups) {
		why(b->cause, "; groups ");
		why_names(b->cause, NAME_GROUP, groups(b)->v, groups(b)->n);
	}
	why(b->cause, b->scene->server->key_cnt
			      ? ". By what is known of its certificates some of these should work."
			      : ". The server's certificate was not seen in any session.");
}

static bool weigh(struct brief *b)
{
	const struct server *server = b->scene->server;
	bool offers_13 = offered_version(b->scene->hello, ET_TLSV1_3) == ET_TLSV1_3;

	b->tls13 = offers_13 && (server->versions & version_bit(ET_TLSV1_3));
	b->maybe_13 = offers_13 && !b->tls13 && !server->declined_13;
	if (b->refusal == REFUSAL_CLOSE && version_guess(b->cause, b->scene))
		return true;
	take_keys(b, false);
	if (b->tls13)
		return say_13(b) || say_disjoint(b);
	if (!is_excluded(b)) {
		/* a certificate that came later was perhaps the cure */
		take_keys(b, true);
		b->now_only = true;
	}
	if (is_excluded(b)) {
		say_excluded(b);
		return true;
	}
	take_keys(b, false);
	b->now_only = false;
	return say_disjoint(b) || version_guess(b->cause, b->scene);
}

bool cause_cipher(struct et_cause *cause, const struct scene *scene)
{
	struct brief b = { .cause = cause, .scene = scene, .refusal = refusal(scene->session) };

	if (b.refusal == REFUSAL_NONE)
		return false;
	if (scene->hello && weigh(&b))
		return true;
	if (b.refusal != REFUSAL_ALERT)
		return false; /* a close or illegal_parameter without a reason to think of suites */
	say_plain(&b);
	return true;
}
