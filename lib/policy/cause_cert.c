/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

enum {
	HANDSHAKE_FAILURE = 40,
	BAD_CERTIFICATE = 42,
	UNSUPPORTED_CERTIFICATE = 43,
	CERTIFICATE_REVOKED = 44,
	CERTIFICATE_EXPIRED = 45,
	CERTIFICATE_UNKNOWN = 46,
	ILLEGAL_PARAMETER = 47,
	UNKNOWN_CA = 48,
	ACCESS_DENIED = 49,
	DECRYPT_ERROR = 51,
	INSUFFICIENT_SECURITY = 71,
	CERTIFICATE_UNOBTAINABLE = 111,
	BAD_STATUS_RESPONSE = 113,
	BAD_HASH_VALUE = 114,
	CERTIFICATE_REQUIRED = 116,
};

/* An explicit DHE prime below this is refused by current clients: RFC 9325 4.4. */
#define DH_BITS_MIN 2048

/* The alerts about certificates, as the last part of a code; NULL for all others. */
static const char *certificate_alert(int code)
{
	switch (code) {
	case BAD_CERTIFICATE: return "bad_certificate";
	case UNSUPPORTED_CERTIFICATE: return "unsupported";
	case CERTIFICATE_REVOKED: return "revoked";
	case CERTIFICATE_EXPIRED: return "expired";
	case CERTIFICATE_UNKNOWN: return "unknown";
	case UNKNOWN_CA: return "unknown_ca";
	case ACCESS_DENIED: return "access_denied";
	case DECRYPT_ERROR: return "decrypt_error";
	case CERTIFICATE_UNOBTAINABLE: return "unobtainable";
	case BAD_STATUS_RESPONSE: return "bad_status_response";
	case BAD_HASH_VALUE: return "bad_hash_value";
	default: return NULL;
	}
}

/* Whether the alert is one that stacks send for this flaw. */
static bool explains(int code, enum flaw flaw)
{
	switch (flaw) {
	case FLAW_EXPIRED:
	case FLAW_NOT_YET_VALID:
		return code == CERTIFICATE_EXPIRED || code == BAD_CERTIFICATE ||
		       code == CERTIFICATE_UNKNOWN;
	case FLAW_SELF_SIGNED:
		return code == UNKNOWN_CA || code == BAD_CERTIFICATE || code == CERTIFICATE_UNKNOWN;
	case FLAW_NAME: return code == BAD_CERTIFICATE || code == CERTIFICATE_UNKNOWN;
	case FLAW_USAGE:
	case FLAW_WEAK_SIGNATURE:
	case FLAW_WEAK_KEY:
		return code == BAD_CERTIFICATE || code == CERTIFICATE_UNKNOWN ||
		       code == UNSUPPORTED_CERTIFICATE;
	default: return false;
	}
}

static const char *flaw_action(enum flaw flaw)
{
	switch (flaw) {
	case FLAW_EXPIRED: return "Renew it, and reload the server.";
	case FLAW_NOT_YET_VALID: return "Put a valid one in its place, or set the clocks right.";
	case FLAW_SELF_SIGNED: return "Serve one of a CA that the client trusts.";
	case FLAW_USAGE: return "Serve one that is made for servers (serverAuth).";
	case FLAW_WEAK_SIGNATURE: return "Serve one that is signed with SHA-256.";
	case FLAW_WEAK_KEY: return "Serve one with an RSA key of 2048 bits or a P-256 key.";
	default: return "Serve one with that name, or correct the name in the client.";
	}
}

static void why_action(struct et_cause *cause, int code, const struct leaf *leaf)
{
	if (leaf->flaw != FLAW_NONE && explains(code, leaf->flaw)) {
		why(cause, "%s", flaw_action(leaf->flaw));
		return;
	}
	switch (code) {
	case UNKNOWN_CA:
		if (leaf->cert && leaf->chain_cnt == 1 && !leaf->cert->self_signed)
			why(cause, "No intermediate came with it: serve the whole chain.");
		else
			why(cause,
				"The client does not trust the issuer: serve the whole chain, or "
				"add the CA to the client.");
		break;
	case CERTIFICATE_EXPIRED:
		why(cause, leaf->cert ? "Check the intermediates and the client's clock."
				      : "Renew it, or check the client's clock.");
		break;
	case DECRYPT_ERROR:
		why(cause, "A signature did not verify: check that key and certificate belong "
			   "together.");
		break;
	default: why(cause, "The reason is in the client's log."); break;
	}
}

/* The client said in an alert what it holds of the certificate. */
static void say_alert(struct et_cause *cause, const struct scene *scene, int code)
{
	struct leaf leaf = leaf_of(scene);
	bool both, general;

	/* what 43 is for: it comes before all else that may be wrong */
	if (code == UNSUPPORTED_CERTIFICATE && leaf.cert && leaf.cert->use != ET_CERT_USE_SERVER)
		leaf.flaw = FLAW_USAGE;
	both = leaf.flaw != FLAW_NONE && explains(code, leaf.flaw);
	/* bad_certificate and certificate_unknown fit many reasons: the flaw is one of them */
	general = code == BAD_CERTIFICATE || code == CERTIFICATE_UNKNOWN || leaf.elsewhere ||
		  (code == UNSUPPORTED_CERTIFICATE &&
			  (leaf.flaw != FLAW_USAGE || is_weakly_signed(leaf.cert)));

	set_code(cause, both && general ? ET_LIKELY : ET_CERTAIN, "certificate_rejected/%s",
		both ? flaw_code(leaf.flaw) : certificate_alert(code));
	why(cause, "The client rejects the server's certificate (%s). ",
		et_iana_alert((uint8_t)code));
	if (!leaf.cert && is_13(scene->session))
		why(cause, "TLS 1.3 encrypts it. ");
	why_flaw(cause, scene, &leaf);
	why_action(cause, code, &leaf);
}

/* Some stacks take a key on any curve when they serve, and refuse it when they are the client. */
static bool say_curve(struct et_cause *cause, const struct scene *scene)
{
	const struct et_cert *leaf =
		chains_leaf(&scene->policy->chains, scene->session->tls.chain[ET_SERVER]);
	uint16_t curve = leaf ? et_iana_group_by_curve(leaf->curve) : 0;

	if (curve == 0 || is_13(scene->session) || !scene->hello || !scene->hello->has_groups ||
		et_tls_list_has(&scene->hello->groups, curve))
		return false;
	set_code(cause, ET_CERTAIN, "certificate_rejected/curve");
	why(cause,
		"The client rejects the server's certificate (illegal_parameter): its key is on "
		"%s, and the client's supported_groups list only ",
		leaf->curve);
	why_names(cause, NAME_GROUP, scene->hello->groups.v, scene->hello->groups.n);
	why(cause,
		" (RFC 8422 5.1). A certificate with an RSA key or one on these curves, or %s "
		"among the client's groups, would do.",
		leaf->curve);
	return true;
}

static bool say_dh(struct et_cause *cause, const struct scene *scene)
{
	uint16_t bits = scene->session->tls.dh_bits;

	if (bits == 0 || bits >= DH_BITS_MIN)
		return false;
	set_code(cause, ET_LIKELY, "dh_too_small");
	why(cause,
		"The client refuses the server's DHE prime of %u bits. Give the server one of 2048 "
		"bits or more, or leave the choice to ECDHE.",
		bits);
	return true;
}

/* What a bare close or an encrypted alert behind the server's certificate means. */
static bool say_inferred(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	bool alert = alert_inferred(session, ET_CLIENT);
	bool reset = session->end == ET_END_RST_CLIENT;
	struct leaf leaf = leaf_of(scene);
	bool tls13 = is_13(session);

	if (session->outcome != ET_OUTCOME_FAILED || session->tls.resumed ||
		session->tls.psk_selected)
		return false;
	if (!alert && session->end != ET_END_FIN_CLIENT && !(reset && leaf.flaw != FLAW_NONE))
		return false;
	if (tls13 ? session->tls.side[ET_SERVER].app_records == 0
		  : !saw(session, ET_SERVER, ET_TLS_SAW_CERTIFICATE) ||
				saw(session, ET_CLIENT, ET_TLS_SAW_CLIENT_KEY_EXCHANGE))
		return false;
	set_code(cause,
		alert || (leaf.flaw != FLAW_NONE && !reset && !leaf.elsewhere) ? ET_LIKELY
									       : ET_POSSIBLE,
		leaf.flaw != FLAW_NONE ? "certificate_rejected/%s" : "certificate_rejected%s",
		flaw_code(leaf.flaw));
	why(cause,
		alert ? "The client ended the handshake with an encrypted alert as soon as it had "
			"the server's certificate"
		      : "The client closed without a word as soon as it had the server's "
			"certificate");
	why(cause,
		tls13 && !leaf.cert ? " (encrypted in TLS 1.3): it rejects it, it seems. " : ". ");
	why_flaw(cause, scene, &leaf);
	why(cause, "The client's log has the reason.");
	return true;
}

bool cause_certificate(struct et_cause *cause, const struct scene *scene)
{
	int code = alert_code(scene->session, ET_CLIENT);

	if (!saw(scene->session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO))
		return false;
	if (certificate_alert(code)) {
		say_alert(cause, scene, code);
		return true;
	}
	switch (code) {
	case ILLEGAL_PARAMETER: return say_curve(cause, scene);
	case HANDSHAKE_FAILURE:
	case INSUFFICIENT_SECURITY: return say_dh(cause, scene);
	case -1: return say_inferred(cause, scene);
	default: return false;
	}
}

/* TLS 1.3: lengths tell whether the client sent a certificate, and the alert behind it is sealed. */
static bool say_client_flight(struct et_cause *cause, const struct et_session *session)
{
	enum et_tls_flight flight;
	bool missing;

	et_tls_client_flight(&flight, &session->tls);
	missing = flight == ET_TLS_FLIGHT_NO_CERTIFICATE;
	if (session->outcome != ET_OUTCOME_BROKEN || !alert_inferred(session, ET_SERVER) ||
		(!missing && flight != ET_TLS_FLIGHT_CERTIFICATE))
		return false;
	set_code(cause, ET_LIKELY, "client_certificate/%s", missing ? "missing" : "rejected");
	why(cause,
		"Behind the handshake the server ended the connection with what looks like an "
		"encrypted alert. By the lengths of its records the client was asked for a "
		"certificate and sent %s. ",
		missing ? "none" : "one");
	why(cause, missing ? "Configure one on the client, or let the server ask without "
			     "requiring it."
			   : "Check the CAs that the server trusts for clients, and the dates and "
			     "chain of the client's certificate.");
	return true;
}

/* What the server holds of the client's certificate, or of its absence. */
bool cause_client_certificate(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	int code = alert_code(session, ET_SERVER);
	bool empty = session->tls.certificate_empty[ET_CLIENT] ||
		     session->tls.chain[ET_CLIENT] == ET_DICT_NONE;
	bool inferred = alert_inferred(session, ET_SERVER) && !is_13(session);
	const struct et_cert *leaf =
		chains_leaf(&scene->policy->chains, session->tls.chain[ET_CLIENT]);

	if (code == CERTIFICATE_REQUIRED) {
		set_code(cause, ET_CERTAIN, "client_certificate/missing");
		why(cause, "The server requires a client certificate and got none "
			   "(certificate_required). Configure one on the client, or let the server "
			   "ask without requiring it.");
		return true;
	}
	if (is_13(session))
		return say_client_flight(cause, session);
	if (!saw(session, ET_CLIENT, ET_TLS_SAW_CERTIFICATE) ||
		!saw(session, ET_SERVER, ET_TLS_SAW_CERTIFICATE_REQUEST))
		return false;
	if (!inferred && code != HANDSHAKE_FAILURE && !certificate_alert(code))
		return false;
	if (!empty && leaf && is_weakly_signed(leaf)) {
		set_code(cause, ET_LIKELY, "client_certificate/weak_signature");
		why(cause,
			"The server got a client certificate that is signed with %s, and ended the "
			"handshake (%s). Replace it by one that is signed with SHA-256, or send "
			"none.",
			leaf->sigalg,
			inferred ? "the alert is encrypted" : et_iana_alert((uint8_t)code));
		return true;
	}
	set_code(cause, inferred ? ET_LIKELY : ET_CERTAIN, "client_certificate/%s",
		empty ? "missing" : "rejected");
	why(cause, "The server asked for a client certificate, %s, and ended the handshake (%s). ",
		empty ? "got none" : "got one",
		inferred ? "the alert is encrypted" : et_iana_alert((uint8_t)code));
	why(cause,
		empty ? "Configure one on the client, or let the server ask without requiring it."
		      : "Check the CAs that the server trusts for clients, and the dates and chain "
			"of "
			"the client's certificate.");
	return true;
}
