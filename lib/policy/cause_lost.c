/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

/* Outcomes that nothing decides because of the capture, most general hole first. */
bool cause_capture(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	uint64_t gaps = (uint64_t)session->gaps[0] + session->gaps[1];

	if (session->outcome != ET_OUTCOME_UNKNOWN)
		return false;
	if ((session->partial & ET_PARTIAL_ONE_DIRECTION) || session->packets[0] == 0 ||
		session->packets[1] == 0) {
		set_code(cause, ET_CERTAIN, "capture/one_direction");
		why(cause,
			"Only packets of the %s were captured: check that the mirror port copies "
			"both "
			"directions.",
			side_name(session->packets[ET_CLIENT] == 0 ? ET_SERVER : ET_CLIENT));
	} else if (session->partial & ET_PARTIAL_TRUNCATED) {
		set_code(cause, ET_CERTAIN, "capture/truncated");
		why(cause,
			"Packets were cut when captured: capture them whole (snaplen 0 or 65535).");
	} else if ((session->partial & ET_PARTIAL_GAP) || gaps > 0) {
		set_code(cause, ET_CERTAIN, "capture/gap");
		why(cause,
			"Packets of the handshake are missing from the capture: the mirror port or "
			"the capture drops some.");
	} else if (session->partial & ET_PARTIAL_MIDSTREAM) {
		set_code(cause, ET_CERTAIN, "capture/midstream");
		why(cause, "The capture began after the connection: the handshake was not seen.");
	} else {
		set_code(cause, ET_LIKELY, "capture/unreadable");
		why(cause, "Bytes of the handshake cannot be read as TLS, so how it ended is not "
			   "known.");
	}
	return true;
}

static bool is_3des(const struct et_session *session)
{
	const struct et_iana_suite *suite = session->tls.version != ET_SSLV2
						    ? et_iana_suite((uint16_t)session->tls.cipher)
						    : NULL;

	return suite && suite->enc == ET_ENC_3DES;
}

static bool by_client(const struct et_session *session)
{
	return session->end == ET_END_FIN_CLIENT || session->end == ET_END_RST_CLIENT;
}

static bool by_server(const struct et_session *session)
{
	return session->end == ET_END_FIN_SERVER || session->end == ET_END_RST_SERVER;
}

bool cause_broken(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	struct leaf leaf;

	if (session->outcome != ET_OUTCOME_BROKEN)
		return false;
	leaf = leaf_of(scene);
	if (is_3des(session)) {
		set_code(cause, ET_POSSIBLE, "broken/after_handshake/3des");
		why(cause,
			"The connection died right after a complete handshake with 3DES: old "
			"Windows "
			"stacks (Exchange 2003) fail so. Take 3DES out of the list of one side.");
	} else if (saw(session, ET_CLIENT, ET_TLS_SAW_CERTIFICATE) &&
		   session->tls.chain[ET_CLIENT] != ET_DICT_NONE && by_server(session)) {
		set_code(cause, ET_POSSIBLE, "broken/after_handshake/client_certificate");
		why(cause, "The server closed right after a complete handshake in which it got a "
			   "client "
			   "certificate: it may have rejected it. Its log has the reason.");
	} else if (by_client(session) && leaf.flaw != FLAW_NONE) {
		set_code(cause, ET_POSSIBLE, "broken/after_handshake/certificate_%s",
			flaw_code(leaf.flaw));
		why(cause,
			"The client closed right after a complete handshake, as some do when they "
			"reject the certificate. ");
		why_flaw(cause, scene, &leaf);
	} else {
		set_code(cause, ET_CERTAIN, "broken/after_handshake");
		why(cause,
			"The handshake was completed, then the %s closed before any mail dialogue "
			"went both ways. Clients that reject a certificate only then (Exim, "
			"Node.js) "
			"look so; the log of that side has the reason.",
			by_client(session) ? "client" : "server");
	}
	return true;
}

static const struct {
	const char *code, *words;
} ends[] = {
	[ET_END_OPEN] = { "timeout", "Neither side closed or answered" },
	[ET_END_FIN_CLIENT] = { "closed_by_client", "The client closed the connection" },
	[ET_END_FIN_SERVER] = { "closed_by_server", "The server closed the connection" },
	[ET_END_RST_CLIENT] = { "reset_by_client", "The client reset the connection" },
	[ET_END_RST_SERVER] = { "reset_by_server", "The server reset the connection" },
};

bool cause_lost(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	uint16_t reply = session->mail.last_reply;
	unsigned end = session->end <= ET_END_RST_SERVER ? session->end : ET_END_OPEN;
	bool echo = alert_is_echo(session);
	/* no TLS byte came: that is of interest only behind a go-ahead to STARTTLS */
	bool none = session->outcome == ET_OUTCOME_NONE;

	if (none && !(session->mail.requested && session->mail.reply >= 200))
		return false;
	/* a hole in the capture could hide an alert; and a lost RST looks as silence does */
	set_code(cause,
		session->partial & ~ET_PARTIAL_MIDSTREAM || end == ET_END_OPEN ? ET_LIKELY
									       : ET_CERTAIN,
		"lost/%s/after_%s", ends[end].code, progress_code(session));
	why(cause, "%s %s, without an alert%s", ends[end].words, progress_words(session),
		echo ? " of its own" : "");
	if (reply >= 400 && reply < 600)
		why(cause, "; the server's last reply in clear was %u", reply);
	why(cause, ". ");
	why_echo(cause, session);
	if (end == ET_END_OPEN)
		why(cause, "Look for a firewall or middlebox that drops these packets (large ones "
			   "first), or a capture that ended too early.");
	else
		why(cause, "%s has the reason; a middlebox can also end a connection in its name.",
			echo ? "The server's log" : "The log of that side");
	return true;
}
