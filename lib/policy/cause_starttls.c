/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

static bool is_tls_service(const struct et_session *session)
{
	return session->service == ET_SERVICE_SMTPS || session->service == ET_SERVICE_IMAPS ||
	       session->service == ET_SERVICE_POP3S;
}

/* The others say no more than OK or not. */
static bool is_smtp(const struct et_session *session)
{
	return session->service == ET_SERVICE_SMTP || session->service == ET_SERVICE_SUBMISSION ||
	       session->service == ET_SERVICE_LMTP;
}

/* "; it went on in clear" */
static void why_clear(struct et_cause *cause, const struct et_session *session)
{
	if (session->mail.clear_mail > 0)
		why(cause, " Mail went on in clear (%u).", session->mail.clear_mail);
	if (session->mail.auth_clear)
		why(cause, " Credentials went in clear.");
}

/* A server that has just offered the command does not know it: it got another one. */
static bool is_garbled(const struct et_mail_facts *mail)
{
	return mail->offered == ET_YES &&
	       (mail->reply == 500 || mail->reply == 501 || mail->reply == 502);
}

static void say_garbled(struct et_cause *cause, const struct et_session *session)
{
	set_code(cause, ET_LIKELY, "starttls_refused/%u/garbled", session->mail.reply);
	why(cause,
		"The server offered STARTTLS and then answered %u, as to a command that it does "
		"not know: something on the path overwrites the verb, such as a firewall that "
		"inspects SMTP (Cisco ASA: inspect esmtp).",
		session->mail.reply);
	why_clear(cause, session);
}

static void say_refused(struct et_cause *cause, const struct et_session *session)
{
	set_code(cause, ET_CERTAIN, "starttls_refused/%u", session->mail.reply);
	why(cause, "The server%s refused STARTTLS with %u. ",
		session->mail.offered == ET_YES ? " offered and then" : "", session->mail.reply);
	if (session->mail.reply < 500)
		why(cause,
			"A temporary refusal: mostly a key or certificate that it cannot read, or "
			"too much to do; see its log.");
	else
		why(cause, "It does not know the command here, or forbids it to this client; or "
			   "something on the path garbled it.");
	why_clear(cause, session);
}

static void say_unanswered(struct et_cause *cause, const struct et_session *session)
{
	bool hidden = session->packets[ET_SERVER] == 0 || session->mail.confused[ET_SERVER] ||
		      (session->partial & ~ET_PARTIAL_MIDSTREAM) != 0 ||
		      session->gaps[ET_SERVER] > 0;

	set_code(cause, hidden ? ET_POSSIBLE : ET_CERTAIN, "starttls_unanswered");
	why(cause, "The client sent STARTTLS and no reply was seen%s. ",
		hidden ? ", but the capture has holes" : "");
	if (session->end == ET_END_OPEN)
		why(cause, "Look for a middlebox between the two that swallows it.");
	else
		why(cause, "The %s ended the connection.",
			session->end == ET_END_FIN_CLIENT || session->end == ET_END_RST_CLIENT
				? "client"
				: "server");
}

static void say_masked(struct et_cause *cause, const struct scene *scene)
{
	set_code(cause, ET_CERTAIN, "starttls_masked");
	why(cause,
		"A capability of the server was overwritten on the path (as XXXXXXXA): a firewall "
		"that inspects SMTP hides STARTTLS. On a Cisco ASA turn off inspect esmtp or its "
		"masking.");
	if (scene->server->offered > 0)
		why(cause, " The same server offers STARTTLS to others.");
	why_clear(cause, scene->session);
}

static void say_not_offered(struct et_cause *cause, const struct scene *scene)
{
	if (scene->pair->was_offered) {
		set_code(cause, ET_LIKELY, "starttls_not_offered/vanished");
		why(cause,
			"The server offered STARTTLS to this client before and does not any more: "
			"its TLS was turned off, or something on the path removes the offer.");
	} else if (scene->server->offered > 0) {
		set_code(cause, ET_LIKELY, "starttls_not_offered/to_this_client");
		why(cause,
			"The server offers STARTTLS in other sessions (%u), but not to this "
			"client: "
			"something on the path removes it, or a rule of the server withholds it.",
			scene->server->offered);
	} else {
		set_code(cause, ET_CERTAIN, "starttls_not_offered");
		why(cause,
			"The server offers no STARTTLS, in no session of this capture. Configure a "
			"certificate and TLS on it; if it has both, look at what is on the path.");
	}
	why_clear(cause, scene->session);
}

static void say_not_used(struct et_cause *cause, const struct et_session *session)
{
	set_code(cause, ET_CERTAIN, "starttls_not_used");
	why(cause, "The server offers STARTTLS and the client does not use it: turn TLS on in the "
		   "client, or require it on the server.");
	why_clear(cause, session);
}

bool cause_starttls(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	const struct et_mail_facts *mail = &session->mail;

	if (mail->requested) {
		/* also where the client sent its hello all the same */
		if (mail->reply >= 400 && !saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO)) {
			if (is_smtp(session) && is_garbled(mail))
				say_garbled(cause, session);
			else
				say_refused(cause, session);
			return true;
		}
		if (mail->reply == 0 && session->outcome == ET_OUTCOME_NONE) {
			say_unanswered(cause, session);
			return true;
		}
		return false;
	}
	if (session->outcome != ET_OUTCOME_NONE || session->mode != ET_MODE_CLEAR ||
		is_tls_service(session))
		return false;
	if (mail->offered == ET_YES)
		say_not_used(cause, session);
	else if (mail->masked)
		say_masked(cause, scene);
	else if (mail->offered == ET_NO)
		say_not_offered(cause, scene);
	else
		return false;
	return true;
}

bool cause_wrong_port(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	unsigned port = session->port[ET_SERVER];

	if (session->outcome == ET_OUTCOME_NONE && session->mode == ET_MODE_CLEAR &&
		is_tls_service(session) && session->mail.lines[ET_CLIENT] > 0) {
		set_code(cause, ET_CERTAIN, "plaintext_to_tls_port");
		why(cause,
			"The client speaks plain text to port %u, where TLS is expected from the "
			"first byte: set it to TLS (SSL/TLS, wrapper mode), or to the STARTTLS "
			"port.",
			port);
		return true;
	}
	if (session->mode == ET_MODE_IMPLICIT && !is_tls_service(session) &&
		session->mail.lines[ET_SERVER] > 0 &&
		!saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO)) {
		set_code(cause, ET_CERTAIN, "tls_to_plaintext_port");
		why(cause,
			"The client begins TLS at once on port %u, where the server speaks plain "
			"text "
			"until STARTTLS: set the client to STARTTLS, or to the TLS port.",
			port);
		return true;
	}
	return false;
}
