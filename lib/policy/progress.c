/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#define CLOSE_NOTIFY      0
#define DECODE_ERROR      50
#define USER_CANCELED     90
#define NO_RENEGOTIATION  100
#define UNRECOGNIZED_NAME 112

bool alert_is_echo(const struct et_session *session)
{
	if (!session->closed_before_alert || session->alert_from != ET_CLIENT)
		return false;
	if (!saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO))
		return true;
	/* Of what came of the server's flight the client may still judge; of its end it cannot. */
	return session->alert_code == DECODE_ERROR && !is_13(session) && !session->tls.resumed &&
	       !saw(session, ET_SERVER, ET_TLS_SAW_SERVER_HELLO_DONE);
}

int alert_code(const struct et_session *session, enum et_dir from)
{
	if (session->alert_from != (int8_t)from || session->alert_code < 0 ||
		alert_is_echo(session) || session->alert_code > UINT8_MAX)
		return -1;
	if (session->alert_code == CLOSE_NOTIFY)
		return -1;
	/* these warnings end nothing; RFC 6066 3 lets the handshake go on after a strange name */
	if (session->alert_level == 1 &&
		(session->alert_code == USER_CANCELED || session->alert_code == NO_RENEGOTIATION ||
			session->alert_code == UNRECOGNIZED_NAME))
		return -1;
	return session->alert_code;
}

void why_echo(struct et_cause *cause, const struct et_session *session)
{
	const char *name;

	if (!alert_is_echo(session) || session->alert_code < 0 || session->alert_code > UINT8_MAX)
		return;
	name = et_iana_alert((uint8_t)session->alert_code);
	why(cause, "The client's %s only answers the close. ", name ? name : "alert");
}

bool alert_inferred(const struct et_session *session, enum et_dir from)
{
	return session->alert_from == (int8_t)from && session->alert_code < 0 &&
	       session->inferred != 0;
}

/* From the end of the handshake to its beginning: the first row that holds. */
struct step {
	uint8_t dir;
	uint32_t seen;
	const char *code, *words;
};

static const struct step steps[] = {
	{ ET_CLIENT, ET_TLS_SAW_FINISHED, "client_finished", "after the client's Finished" },
	{ ET_CLIENT, ET_TLS_SAW_CLIENT_KEY_EXCHANGE, "client_key_exchange",
		"after the client's ClientKeyExchange" },
	{ ET_SERVER, ET_TLS_SAW_SERVER_HELLO_DONE, "server_hello_done",
		"after the server's ServerHelloDone" },
	{ ET_SERVER, ET_TLS_SAW_SERVER_KEY_EXCHANGE, "server_key_exchange",
		"after the server's ServerKeyExchange" },
	{ ET_SERVER, ET_TLS_SAW_CERTIFICATE, "certificate", "after the server's Certificate" },
	{ ET_SERVER, ET_TLS_SAW_SERVER_HELLO, "server_hello", "after the ServerHello" },
	{ ET_SERVER, ET_TLS_SAW_HELLO_RETRY, "hello_retry", "after the HelloRetryRequest" },
	{ ET_CLIENT, ET_TLS_SAW_CLIENT_HELLO, "client_hello", "after the ClientHello" },
};

static const struct step step_13_client = { ET_CLIENT, 0, "client_flight",
	"after the client's encrypted flight" };
static const struct step step_13_server = { ET_SERVER, 0, "server_flight",
	"after the server's encrypted flight" };
static const struct step step_go_ahead = { ET_SERVER, 0, "starttls",
	"after the go-ahead to STARTTLS" };
static const struct step step_none = { ET_CLIENT, 0, "nothing", "before any handshake message" };

static const struct step *progress(const struct et_session *session)
{
	if (is_13(session) && session->tls.side[ET_CLIENT].app_records > 0)
		return &step_13_client;
	if (is_13(session) && session->tls.side[ET_SERVER].app_records > 0)
		return &step_13_server;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (saw(session, steps[i].dir, steps[i].seen))
			return &steps[i];
	return session->mail.requested && session->mail.reply >= 200 ? &step_go_ahead : &step_none;
}

const char *progress_words(const struct et_session *session)
{
	return progress(session)->words;
}

const char *progress_code(const struct et_session *session)
{
	return progress(session)->code;
}
