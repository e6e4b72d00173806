/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#define ILLEGAL_PARAMETER      47
#define PROTOCOL_VERSION       70
#define INAPPROPRIATE_FALLBACK 86

static void why_offer(struct et_cause *cause, const struct et_tls_profile *hello)
{
	unsigned versions = 0;
	char name[NAME_TEXT];

	if (!hello) {
		why(cause, "The ClientHello was not captured. ");
		return;
	}
	if (!hello->has_versions) {
		name_text(name, NAME_VERSION, offered_version(hello, ET_TLSV1_3));
		why(cause, "The client offers %s at most%s. ", name,
			hello->sslv2 ? ", in a hello of SSLv2 format" : "");
		return;
	}
	for (uint16_t i = 0; i < hello->versions.n; i++)
		versions |= version_bit(hello->versions.v[i]);
	why(cause, "The client offers ");
	why_versions(cause, versions);
	why(cause, ". ");
}

/* Nobody may speak it any more: RFC 6176. */
static bool is_sslv2_only(const struct et_tls_profile *hello)
{
	return hello && hello->sslv2 && hello->legacy_version == ET_SSLV2;
}

static void why_known(struct et_cause *cause, const struct server *server)
{
	if (server->versions == 0) {
		why(cause, "In no other session was the server seen to agree on a version. ");
		return;
	}
	why(cause, "The server was seen to speak ");
	why_versions(cause, server->versions);
	why(cause, ". ");
}

static void say_refused(struct et_cause *cause, const struct scene *scene, enum et_dir by)
{
	char name[NAME_TEXT];

	set_code(cause, ET_CERTAIN,
		is_sslv2_only(scene->hello) ? "protocol_version/sslv2_only" : "protocol_version");
	if (by == ET_CLIENT && scene->session->tls.version != 0) {
		name_text(name, NAME_VERSION, scene->session->tls.version);
		why(cause, "The client refuses %s, which the server chose. ", name);
	} else {
		why(cause, "The %s refuses the other side's versions (protocol_version). ",
			side_name(by));
	}
	why_offer(cause, scene->hello);
	why_known(cause, scene->server);
	why(cause, "One side has to allow a version of the other's.");
}

bool cause_version(struct et_cause *cause, const struct scene *scene)
{
	const struct et_session *session = scene->session;

	for (int dir = ET_CLIENT; dir <= ET_SERVER; dir++) {
		switch (alert_code(session, (enum et_dir)dir)) {
		case PROTOCOL_VERSION: say_refused(cause, scene, (enum et_dir)dir); return true;
		case INAPPROPRIATE_FALLBACK:
			set_code(cause, ET_CERTAIN, "inappropriate_fallback");
			why(cause, "The client came back with a lower version and said so "
				   "(TLS_FALLBACK_SCSV), but the server speaks a higher one (RFC "
				   "7507). ");
			why_offer(cause, scene->hello);
			why_known(cause, scene->server);
			why(cause, "Find out why the client's first try failed.");
			return true;
		default: break;
		}
	}
	/* the mark says what the server can: it accuses nobody if the client cannot do more */
	if (alert_code(session, ET_CLIENT) == ILLEGAL_PARAMETER && session->tls.downgrade != 0 &&
		(!scene->hello ||
			offered_version(scene->hello, ET_TLSV1_3) > session->tls.version)) {
		set_code(cause, ET_LIKELY, "inappropriate_fallback/downgrade_sentinel");
		why(cause, "The server chose a lower version than both sides speak, and the client "
			   "saw its mark of a downgrade (RFC 8446 4.1.3). ");
		why_offer(cause, scene->hello);
		why(cause, "Something on the path changes the ClientHello, or the server's own "
			   "settings contradict each other.");
		return true;
	}
	return false;
}

bool version_guess(struct et_cause *cause, const struct scene *scene)
{
	const struct server *server = scene->server;
	unsigned offered;

	if (is_sslv2_only(scene->hello)) {
		set_code(cause, ET_LIKELY, "protocol_version/sslv2_only");
		why(cause, "The client speaks nothing but SSLv2, which RFC 6176 forbids, and the "
			   "server did not go on. ");
		why_echo(cause, scene->session);
		why_known(cause, server);
		why(cause, "Replace the client's stack.");
		return true;
	}
	if (!scene->hello || server->versions == 0)
		return false;
	offered = version_bit(offered_version(scene->hello, ET_TLSV1_3));
	/* the bits ascend: below all that the server was seen with */
	if (offered == 0 || (server->versions & (2 * offered - 1)) != 0)
		return false;
	set_code(cause, ET_POSSIBLE, "protocol_version");
	why(cause, "The server did not say why. ");
	why_echo(cause, scene->session);
	why_offer(cause, scene->hello);
	why_known(cause, server);
	why(cause, "Perhaps it requires a higher version than the client has.");
	return true;
}
