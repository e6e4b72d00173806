/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <stdio.h>

enum {
	UNEXPECTED_MESSAGE = 10,
	BAD_RECORD_MAC = 20,
	RECORD_OVERFLOW = 22,
	HANDSHAKE_FAILURE = 40,
	ACCESS_DENIED = 49,
	DECODE_ERROR = 50,
	DECRYPT_ERROR = 51,
	INTERNAL_ERROR = 80,
	MISSING_EXTENSION = 109,
	UNSUPPORTED_EXTENSION = 110,
	UNRECOGNIZED_NAME = 112,
	UNKNOWN_PSK_IDENTITY = 115,
	NO_APPLICATION_PROTOCOL = 120,
};

static void say_name(struct et_cause *cause, const struct scene *scene)
{
	char name[128];

	et_text_safe(name, sizeof(name),
		et_dict_get(scene->policy->books->names, scene->session->tls.sni));
	set_code(cause, ET_CERTAIN, "unrecognized_name");
	why(cause,
		"The server knows no host %.120s, which the client asked for by SNI. Add the name "
		"to the server's certificates, or let it answer with its default one.",
		name[0] ? name : "of the name");
}

static void say_alpn(struct et_cause *cause, const struct scene *scene)
{
	struct et_cur names = { 0 };
	char text[64];
	const char *comma = "";

	set_code(cause, ET_CERTAIN, "no_application_protocol");
	if (scene->hello)
		names = et_cur(scene->hello->alpn, scene->hello->alpn_n);
	why(cause, "The server takes none of the client's ALPN protocols (");
	while (names.n > 0) {
		et_text_safe(text, sizeof(text), et_view_cur(et_block(&names, 1)));
		why(cause, "%s%s", comma, text);
		comma = ", ";
	}
	why(cause, "). Mail needs no ALPN: take it out of the client's settings.");
}

/* What such an alert mostly comes from; NULL: nothing can be said in general. */
static const char *hint(int code)
{
	switch (code) {
	case UNEXPECTED_MESSAGE:
	case DECODE_ERROR:
		return "One side does not understand the other's message: an old or broken stack, "
		       "or a "
		       "middlebox.";
	case BAD_RECORD_MAC:
	case RECORD_OVERFLOW:
	case DECRYPT_ERROR:
		return "What arrived is not what was sent, or the keys differ: look for a "
		       "middlebox or a "
		       "broken stack.";
	case INTERNAL_ERROR:
		return "An error of its own, often a key or certificate that it cannot load: see "
		       "its log.";
	case HANDSHAKE_FAILURE:
		return "It found no acceptable set of parameters; its log has the reason.";
	case ACCESS_DENIED: return "An access rule of that side refused the other.";
	case MISSING_EXTENSION:
	case UNSUPPORTED_EXTENSION:
		return "The two stacks disagree about the extensions of the handshake.";
	case UNKNOWN_PSK_IDENTITY: return "A resumed session was offered that the server forgot.";
	default: return "That side's log has the reason.";
	}
}

bool cause_alert(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;
	enum et_dir from = session->alert_from == ET_CLIENT ? ET_CLIENT : ET_SERVER;
	int code = alert_code(session, from);
	const char *name;

	if (session->alert_from < 0)
		return false;
	if (code < 0 && !alert_inferred(session, from))
		return false;
	if (code < 0) {
		set_code(cause, ET_POSSIBLE, "alert/encrypted");
		why(cause,
			"The %s ended the handshake %s with what looks like an encrypted alert. "
			"Its "
			"log has the reason.",
			side_name(from), progress_words(session));
		return true;
	}
	if (from == ET_SERVER && code == UNRECOGNIZED_NAME) {
		say_name(cause, scene);
		return true;
	}
	if (from == ET_SERVER && code == NO_APPLICATION_PROTOCOL) {
		say_alpn(cause, scene);
		return true;
	}
	name = et_iana_alert((uint8_t)code);
	if (name)
		set_code(cause, ET_CERTAIN, "alert/%s", name);
	else
		set_code(cause, ET_CERTAIN, "alert/%d", code);
	why(cause, "The %s sent alert %d", side_name(from), code);
	if (name)
		why(cause, " (%s)", name);
	why(cause, " %s. %s", progress_words(session), hint(code));
	return true;
}
