/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

/*
 * Hellos that a server, or a box before it, does not survive, while it answers others: what no
 * answered hello had is the suspect. Nobody says so on the wire, so it is never certain.
 */

enum {
	UNEXPECTED_MESSAGE = 10,
	RECORD_OVERFLOW = 22,
	ILLEGAL_PARAMETER = 47,
	DECODE_ERROR = 50,
	INTERNAL_ERROR = 80,
	UNSUPPORTED_EXTENSION = 110,
};

/* A client that closes sooner did not wait for an answer. */
#define PATIENCE_NS (3 * ET_NS_PER_S)
/* Answered sessions before a small difference counts. */
#define ENOUGH_SESSIONS 5
/* Bytes that make a hello another one: names and tickets vary, and are not in the profile. */
#define LONGER 64
/* Of a ClientHello with empty lists: header, version, random, session id, lengths. */
#define HELLO_BASE 80
/* What fits into one segment on most paths. */
#define SEGMENT 1400

static const struct {
	uint16_t group, len; /* of the client's key share */
	bool post_quantum;
} shares[] = {
	{ 0x001d, 32, false },  /* x25519 */
	{ 0x001e, 56, false },  /* x448 */
	{ 0x0017, 65, false },  /* secp256r1 */
	{ 0x0018, 97, false },  /* secp384r1 */
	{ 0x0019, 133, false }, /* secp521r1 */
	{ 0x0100, 256, false }, /* ffdhe2048 */
	{ 0x0101, 384, false }, /* ffdhe3072 */
	{ 0x0102, 512, false }, /* ffdhe4096 */
	{ 0x0200, 800, true },  /* MLKEM512 */
	{ 0x0201, 1184, true }, /* MLKEM768 */
	{ 0x0202, 1568, true }, /* MLKEM1024 */
	{ 0x11eb, 1249, true }, /* SecP256r1MLKEM768 */
	{ 0x11ec, 1216, true }, /* X25519MLKEM768 */
	{ 0x11ed, 1665, true }, /* SecP384r1MLKEM1024 */
	{ 0x6399, 1216, true }, /* X25519Kyber768Draft00 */
	{ 0x639a, 1249, true }, /* SecP256r1Kyber768Draft00 */
};

static bool has_post_quantum_share(const struct et_tls_profile *hello)
{
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
		if (shares[i].post_quantum && et_tls_list_has(&hello->key_shares, shares[i].group))
			return true;
	return false;
}

/* The length of a hello at the least: names, tickets and padding are not in the profile. */
static uint32_t least_len(const struct et_tls_profile *hello)
{
	uint32_t len = HELLO_BASE + 2u * hello->ciphers.n + 4u * hello->extensions.n +
		       2u * hello->groups.n + 2u * hello->sigalgs.n + 2u * hello->versions.n +
		       hello->alpn_n;

	for (uint16_t k = 0; k < hello->key_shares.n; k++)
		for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
			if (shares[i].group == hello->key_shares.v[k])
				len += 4u + shares[i].len;
	return len;
}

/* Types from 64 on are rare and new: one bit for all of them. */
static uint64_t extension_bits(const struct et_tls_profile *hello)
{
	uint64_t bits = 0;

	for (uint16_t i = 0; i < hello->extensions.n; i++)
		bits |= UINT64_C(1) << (hello->extensions.v[i] < 63 ? hello->extensions.v[i] : 63);
	return bits;
}

void hello_learn(struct server_hellos *answered, const struct et_tls_profile *hello)
{
	uint16_t version = offered_version(hello, ET_TLSV1_3);
	uint32_t len = least_len(hello);

	answered->cnt++;
	answered->post_quantum |= has_post_quantum_share(hello);
	answered->extensions |= extension_bits(hello);
	if (version > answered->version)
		answered->version = version;
	if (len > answered->len)
		answered->len = len;
}

/* No answer, or one that says that the hello was not understood. */
static bool is_stuck(const struct et_session *session)
{
	int code = alert_code(session, ET_SERVER);

	if ((session->outcome != ET_OUTCOME_FAILED && session->outcome != ET_OUTCOME_INCOMPLETE) ||
		!saw(session, ET_CLIENT, ET_TLS_SAW_CLIENT_HELLO) ||
		saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO | ET_TLS_SAW_HELLO_RETRY))
		return false;
	switch (code) {
	case UNEXPECTED_MESSAGE:
	case RECORD_OVERFLOW:
	case ILLEGAL_PARAMETER:
	case DECODE_ERROR:
	case INTERNAL_ERROR:
	case UNSUPPORTED_EXTENSION: return true;
	case -1: break;
	default: return false;
	}
	if (session->alert_from >= 0 && !alert_is_echo(session))
		return false;
	if (session->end == ET_END_FIN_CLIENT || session->end == ET_END_RST_CLIENT)
		return session->end_ns - session->start_ns >= PATIENCE_NS;
	return true;
}

static void why_stuck(struct et_cause *cause, const struct et_session *session)
{
	int code = alert_code(session, ET_SERVER);

	if (code >= 0)
		why(cause, "The server answered the ClientHello with %s. ",
			et_iana_alert((uint8_t)code));
	else if (session->end == ET_END_FIN_SERVER)
		why(cause, "The server closed at the ClientHello. ");
	else if (session->end == ET_END_RST_SERVER)
		why(cause, "The connection was reset at the ClientHello. ");
	else
		why(cause, "No answer came to the ClientHello. ");
	why_echo(cause, session);
}

static enum et_confidence how_sure(const struct scene *scene)
{
	return scene->server->answered.cnt >= ENOUGH_SESSIONS ? ET_LIKELY : ET_POSSIBLE;
}

static void why_cure(struct et_cause *cause, const struct scene *scene, const char *what)
{
	why(cause,
		" The server answered %u other hello%s, none with that: it, or a box before it, "
		"cannot take it. Try without %s.",
		scene->server->answered.cnt, scene->server->answered.cnt == 1 ? "" : "s", what);
}

static void say_extension(struct et_cause *cause, const struct scene *scene, uint64_t strange)
{
	const struct et_tls_list *list = &scene->hello->extensions;
	const char *comma = "";

	set_code(cause, how_sure(scene), "hello_intolerance/extension");
	why_stuck(cause, scene->session);
	why(cause, "The hello holds extensions that no answered one held:");
	for (uint16_t i = 0; i < list->n && i < 40; i++) {
		if (!(strange >> (list->v[i] < 63 ? list->v[i] : 63) & 1))
			continue;
		why(cause, "%s %04x", comma, list->v[i]);
		comma = ",";
	}
	why(cause, ".");
	why_cure(cause, scene, "them");
}

bool cause_hello(struct et_cause *cause, const struct scene *scene)
{
	const struct server_hellos *answered = &scene->server->answered;
	const struct et_tls_profile *hello = scene->hello;
	char name[NAME_TEXT];
	uint64_t strange;
	uint32_t len;

	if (!hello || hello->sslv2 || answered->cnt == 0 || !is_stuck(scene->session))
		return false;
	len = least_len(hello);
	strange = extension_bits(hello) & ~answered->extensions;
	if (has_post_quantum_share(hello) && !answered->post_quantum) {
		set_code(cause, how_sure(scene), "hello_intolerance/post_quantum");
		why_stuck(cause, scene->session);
		why(cause, "The hello has a post-quantum key share and at least %u bytes%s.", len,
			len > SEGMENT ? ", more than one segment" : "");
		why_cure(cause, scene, "the share");
		return true;
	}
	if (offered_version(hello, ET_TLSV1_3) > answered->version && answered->version != 0) {
		name_text(name, NAME_VERSION, offered_version(hello, ET_TLSV1_3));
		set_code(cause, how_sure(scene), "hello_intolerance/version");
		why_stuck(cause, scene->session);
		why(cause, "The client offers %s at most.", name);
		why_cure(cause, scene, "it");
		return true;
	}
	/* small differences are many: they count only against many */
	if (answered->cnt < ENOUGH_SESSIONS)
		return false;
	if (strange != 0) {
		say_extension(cause, scene, strange);
		return true;
	}
	if (len < answered->len + LONGER)
		return false;
	set_code(cause, how_sure(scene), "hello_intolerance/size");
	why_stuck(cause, scene->session);
	why(cause, "The hello has at least %u bytes, the longest one that was answered %u.", len,
		answered->len);
	why_cure(cause, scene, "so many suites and groups");
	return true;
}
