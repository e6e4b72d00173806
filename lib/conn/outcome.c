/* SPDX-License-Identifier: BSD-3-Clause */
#include "outcome.h"

#include "way.h"

/* The client's records of which two can be commands and a third an alert, behind its flight. */
#define ANSWERED_RECORDS 2

/* Records that a client's flight takes at most where its end cannot be told, by guess. */
#define FLIGHT_MAX 5

/* What servers send behind the client's flight without being asked: as a rule, two tickets. */
#define TICKETS_MAX 2

static bool is_13(const struct et_tls_facts *tls)
{
	return tls->version == ET_TLSV1_3;
}

static bool saw(const struct et_tls_facts *tls, enum et_dir dir, uint32_t what)
{
	return (tls->side[dir].seen & what) != 0;
}

/* TLS 1.3: the client's only protected record so far is an alert: it never sent Finished. */
static bool client_refused_13(const struct et_tls_facts *tls)
{
	const struct et_tls_side_facts *client = &tls->side[ET_CLIENT];

	return client->app_records == 1 && client->app_len[0] == ET_TLS_ALERT_LEN;
}

/* Both Finished were sent, as far as the wire shows it. */
static bool is_complete(const struct et_tls_facts *tls)
{
	if (is_13(tls))
		return tls->side[ET_CLIENT].app_records > 0 &&
		       tls->side[ET_SERVER].app_records > 0 && !client_refused_13(tls);
	return saw(tls, ET_CLIENT, ET_TLS_SAW_FINISHED) && saw(tls, ET_SERVER, ET_TLS_SAW_FINISHED);
}

/* The client sent more than its flight, and no alert only. */
static bool has_client_spoken_13(const struct et_tls_facts *tls)
{
	const struct et_tls_side_facts *client = &tls->side[ET_CLIENT];
	enum et_tls_flight kind;
	unsigned flight = et_tls_client_flight(&kind, tls);

	/* The server's first message brings the flight, its second is an answer to it. */
	if (flight == 0)
		return client->talk.turns >= 2 || client->app_records > FLIGHT_MAX;
	return client->app_records > flight + 1 ||
	       (client->app_records == flight + 1 && client->app_last_len != ET_TLS_ALERT_LEN);
}

/* Whether a side sent application data after the handshake. */
static bool has_spoken(const struct et_tls_facts *tls, enum et_dir dir)
{
	if (!is_13(tls))
		return tls->side[dir].app_records > 0;
	return dir == ET_CLIENT ? has_client_spoken_13(tls) : tls->side[ET_SERVER].talk.replies > 0;
}

/* The side that closed the connection first, as a set of 1 << enum et_dir; 0 while it is open. */
static unsigned closer(const struct et_conn *conn, const struct et_flow *flow)
{
	if (flow->first_end == 0)
		return 0;
	return 1u << way_dir(conn, (flow->first_end - 1u) & 1);
}

/*
 * A TLS 1.3 server that judges the client behind the handshake: tickets may have gone out, but no
 * command was answered, and it closed behind an alert.
 */
static bool is_turned_away(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_tls_side_facts *server = &conn->tls.facts.side[ET_SERVER];

	return is_13(&conn->tls.facts) && closer(conn, flow) == 1 << ET_SERVER &&
	       server->app_last_len == ET_TLS_ALERT_LEN && server->app_last_is_end &&
	       server->talk.replies <= TICKETS_MAX && server->talk.turns < 2;
}

static bool is_in_use(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_tls_facts *tls = &conn->tls.facts;

	return has_spoken(tls, ET_CLIENT) && has_spoken(tls, ET_SERVER) &&
	       !is_turned_away(conn, flow);
}

/*
 * Behind a hole the client's bytes were held while the server's were read, so that what the server
 * said to them seems to come before. A client that sends so much has had answers.
 */
static bool is_answered(const struct et_conn *conn)
{
	const struct et_tls_facts *tls = &conn->tls.facts;
	enum et_tls_flight kind;
	unsigned flight;

	if (!conn->hole || !is_13(tls))
		return false;
	flight = et_tls_client_flight(&kind, tls);
	return tls->side[ET_CLIENT].app_records > (flight ? flight : FLIGHT_MAX) + ANSWERED_RECORDS;
}

/*
 * The client's second command behind an answer of the server. In TLS 1.3 what comes behind the
 * client's flight may be tickets, or an alert that rejects its certificate: where the flight cannot
 * be told from a command, an answer more is waited for.
 */
static bool is_going_on_13(const struct et_tls_facts *tls)
{
	const struct et_tls_side_facts *client = &tls->side[ET_CLIENT];
	enum et_tls_flight kind;
	unsigned flight;

	if (client->talk.turns < 2 || client->app_last_len == ET_TLS_ALERT_LEN)
		return false;
	flight = et_tls_client_flight(&kind, tls);
	return flight ? client->app_records >= flight + 2 : client->talk.turns >= 3;
}

bool outcome_is_final(const struct et_conn *conn)
{
	const struct et_tls_facts *tls = &conn->tls.facts;

	/*
	 * A client that sends its second command has had an answer to its first. One that fails on
	 * the first data (3DES of Exchange 2003) does not get that far.
	 */
	if (tls->side[ET_CLIENT].app_records < 2 || tls->version == 0 || !is_complete(tls))
		return false;
	return is_13(tls) ? is_going_on_13(tls) : tls->side[ET_SERVER].app_records > 0;
}

static bool is_fatal(const struct et_tls_alert *alert)
{
	return alert->seen && !alert->encrypted && alert->level == 2 && alert->code != 0;
}

/* Who had to send the next handshake message; a set of 1 << enum et_dir. */
static unsigned whose_turn(const struct et_tls_facts *tls)
{
	bool client_done = saw(tls, ET_CLIENT, ET_TLS_SAW_FINISHED);
	bool server_done = saw(tls, ET_SERVER, ET_TLS_SAW_FINISHED);

	if (!saw(tls, ET_SERVER, ET_TLS_SAW_SERVER_HELLO))
		/* After a HelloRetryRequest either side may have been the one to stop. */
		return tls->hello_retry ? 3 : 1 << ET_SERVER;
	if (is_13(tls))
		return tls->side[ET_CLIENT].app_records == 0 ? 1 << ET_CLIENT : 1 << ET_SERVER;
	if (tls->resumed)
		return server_done ? 1 << ET_CLIENT : 1 << ET_SERVER;
	if (!saw(tls, ET_SERVER, ET_TLS_SAW_SERVER_HELLO_DONE))
		return 1 << ET_SERVER;
	return client_done ? 1 << ET_SERVER : 1 << ET_CLIENT;
}

/* What is missing of a side that was not understood may be its hello. */
static bool may_be_hello(const struct et_conn *conn)
{
	for (unsigned side = 0; side < 2; side++)
		if (conn->order[side].gaps > 0 &&
			(conn->way[side] == WAY_PROBE || conn->way[side] == WAY_DEAD))
			return true;
	return false;
}

/* The server sent what only a hello can come before, and no hello was seen. */
static bool is_hello_missing(const struct et_tls_facts *tls)
{
	return !saw(tls, ET_SERVER, ET_TLS_SAW_SERVER_HELLO) &&
	       (tls->side[ET_SERVER].app_records > 0 ||
		       saw(tls, ET_SERVER, ET_TLS_SAW_CCS | ET_TLS_SAW_SERVER_HELLO_DONE));
}

static bool is_hidden(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_tls_facts *tls = &conn->tls.facts;

	if (is_hello_missing(tls))
		return true;
	return may_be_hello(conn) || tls->side[0].lost || tls->side[1].lost ||
	       et_flow_packets(flow, 0) == 0 || et_flow_packets(flow, 1) == 0 ||
	       !saw(tls, ET_CLIENT, ET_TLS_SAW_CLIENT_HELLO);
}

/* A FIN was acknowledged and not seen: who closed first is not known. */
static bool is_fin_lost(const struct et_conn *conn)
{
	for (unsigned side = 0; side < 2; side++)
		if (conn->order[side].begun && !conn->fin[side] && conn->reached[side] &&
			conn->reach[side] - conn->order[side].next == 1)
			return true;
	return false;
}

/* A handshake was completed, and the application data did not come both ways. */
static enum et_outcome unused(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_tls_facts *tls = &conn->tls.facts;

	if (is_turned_away(conn, flow) && !conn->hole)
		return ET_OUTCOME_BROKEN;
	if (flow->first_end == 0 && !is_fin_lost(conn))
		return is_13(tls) ? ET_OUTCOME_INCOMPLETE : ET_OUTCOME_ESTABLISHED;
	if (conn->hole)
		return ET_OUTCOME_UNKNOWN;
	for (unsigned side = 0; side < 2; side++) {
		enum et_dir dir = way_dir(conn, side);
		bool spoke = has_spoken(tls, dir);

		if (!spoke && (flow->closed || flow->fin >> side & 1))
			return ET_OUTCOME_BROKEN;
	}
	if (is_fin_lost(conn))
		return ET_OUTCOME_UNKNOWN;
	return ET_OUTCOME_INCOMPLETE; /* who still had to speak has not closed */
}

static enum et_outcome outcome(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_tls_facts *tls = &conn->tls.facts;
	bool any = tls->side[0].records + tls->side[1].records > 0 || tls->side[0].seen ||
		   tls->side[1].seen || tls->side[0].lost || tls->side[1].lost;

	if (!any)
		return may_be_hello(conn) || et_mail_hides_tls(&conn->mail) ? ET_OUTCOME_UNKNOWN
									    : ET_OUTCOME_NONE;
	if (is_fatal(&tls->side[ET_CLIENT].alert) || is_fatal(&tls->side[ET_SERVER].alert))
		return ET_OUTCOME_FAILED;
	if (is_complete(tls) && (is_in_use(conn, flow) || is_answered(conn)))
		return ET_OUTCOME_ESTABLISHED;
	if (is_hidden(conn, flow))
		return ET_OUTCOME_UNKNOWN;
	if (is_complete(tls))
		return unused(conn, flow);
	if (client_refused_13(tls) && is_13(tls))
		return ET_OUTCOME_FAILED;
	if (is_fin_lost(conn))
		return ET_OUTCOME_UNKNOWN;
	return closer(conn, flow) & whose_turn(tls) ? ET_OUTCOME_FAILED : ET_OUTCOME_INCOMPLETE;
}

/* The alert that the record names: what ended the handshake, readable or inferred. */
static void set_alert(struct et_session *session, const struct et_tls_facts *tls)
{
	/* An alert of the client answers what the server sent: after a ServerHello look there. */
	enum et_dir order[2] = { ET_SERVER, ET_CLIENT };

	session->alert_from = -1;
	session->alert_code = -1;
	if (saw(tls, ET_SERVER, ET_TLS_SAW_SERVER_HELLO)) {
		order[0] = ET_CLIENT;
		order[1] = ET_SERVER;
	}
	for (int fatal = 1; fatal >= 0; fatal--) {
		for (unsigned i = 0; i < 2; i++) {
			const struct et_tls_alert *alert = &tls->side[order[i]].alert;

			if (!alert->seen || alert->encrypted || (fatal && !is_fatal(alert)))
				continue;
			if (alert->code == 0 && session->outcome == ET_OUTCOME_ESTABLISHED)
				continue; /* close_notify is how TLS ends */
			session->alert_from = (int8_t)order[i];
			session->alert_level = alert->level;
			session->alert_code = alert->code;
			return;
		}
	}
	if (session->outcome != ET_OUTCOME_FAILED && session->outcome != ET_OUTCOME_BROKEN)
		return;
	for (unsigned i = 0; i < 2; i++) {
		const struct et_tls_side_facts *side = &tls->side[order[i]];
		bool short_record = is_13(tls) && side->app_records > 0 &&
				    side->app_last_len == ET_TLS_ALERT_LEN && side->app_last_is_end;

		if (!short_record && !(side->alert.seen && side->alert.encrypted))
			continue;
		session->alert_from = (int8_t)order[i];
		session->inferred = short_record ? 1 + ET_LIKELY : 1 + ET_CERTAIN;
		return;
	}
}

/* The server's FIN was acknowledged by the segment that carried the client's alert. */
static bool is_closed_before_alert(const struct et_conn *conn)
{
	unsigned server = 1u - conn->client_side;

	return conn->alert_level > 0 && conn->fin[server] &&
	       (int32_t)(conn->alert_ack - conn->fin_seq[server]) > 0;
}

static int64_t handshake_ns(const struct et_tls_facts *tls)
{
	int64_t begin = tls->side[ET_CLIENT].first_ns, end;

	if (!is_complete(tls) || !saw(tls, ET_CLIENT, ET_TLS_SAW_CLIENT_HELLO))
		return -1;
	if (is_13(tls)) {
		end = tls->side[ET_CLIENT].app_first_ns;
	} else {
		end = tls->side[ET_CLIENT].finished_ns;
		if (tls->side[ET_SERVER].finished_ns > end)
			end = tls->side[ET_SERVER].finished_ns;
	}
	return begin > 0 && end >= begin ? end - begin : -1;
}

static enum et_service service_of(const struct et_conn *conn)
{
	enum et_service port = (enum et_service)conn->port_service;

	switch (conn->mail.proto) {
	case ET_MAIL_SMTP:
		return port == ET_SERVICE_SUBMISSION || port == ET_SERVICE_SMTPS ||
				       port == ET_SERVICE_LMTP
			       ? port
			       : ET_SERVICE_SMTP;
	case ET_MAIL_LMTP: return ET_SERVICE_LMTP;
	case ET_MAIL_IMAP: return port == ET_SERVICE_IMAPS ? port : ET_SERVICE_IMAP;
	case ET_MAIL_POP3: return port == ET_SERVICE_POP3S ? port : ET_SERVICE_POP3;
	case ET_MAIL_SIEVE: return ET_SERVICE_SIEVE;
	default: return port;
	}
}

static enum et_mode mode_of(const struct et_conn *conn, const struct et_flow *flow)
{
	const struct et_mail_facts *mail = &conn->mail.facts;
	const struct et_tls_facts *tls = &conn->tls.facts;
	enum et_service port = (enum et_service)conn->port_service;

	if (mail->requested)
		return ET_MODE_STARTTLS;
	if (tls->side[0].records + tls->side[1].records == 0 && !tls->side[0].seen &&
		!tls->side[1].seen)
		return mail->lines[0] + mail->lines[1] > 0 && !et_mail_hides_request(&conn->mail)
			       ? ET_MODE_CLEAR
			       : ET_MODE_NONE;
	if (mail->lines[ET_CLIENT] > 0 || conn->inside || et_mail_hides_request(&conn->mail))
		return ET_MODE_NONE; /* what asked for it was not seen, or is not one we know */
	/* Picked up in the middle on a port where STARTTLS is usual, what came before the hello is not
	 * known. Elsewhere what is seen first came first. */
	if (flow->syn == 0 && port != ET_SERVICE_NONE && port != ET_SERVICE_SMTPS &&
		port != ET_SERVICE_IMAPS && port != ET_SERVICE_POP3S)
		return ET_MODE_NONE;
	return ET_MODE_IMPLICIT;
}

static uint8_t partial_of(const struct et_conn *conn, const struct et_flow *flow)
{
	uint8_t partial = 0;

	if (conn->order[0].gaps + conn->order[1].gaps > 0)
		partial |= ET_PARTIAL_GAP;
	if (flow->syn == 0)
		partial |= ET_PARTIAL_MIDSTREAM;
	if (conn->truncated)
		partial |= ET_PARTIAL_TRUNCATED;
	return partial;
}

/* What the server said in bytes that are missing, as far as the rest of the handshake tells it. */
static void infer(struct et_session *session, const struct et_conn *conn)
{
	struct et_tls_facts *tls = &session->tls;

	if (et_likely(session->gaps[ET_SERVER] == 0))
		return;
	/* RFC 5246 7.4.1.3; in TLS 1.3 every server echoes the session id */
	if (tls->version >= ET_SSLV3 && tls->version <= ET_TLSV1_2 && tls->session_id_echoed)
		tls->resumed = true;
	/* RFC 8446 4.1.2; behind an alert the hello may be that of another attempt */
	if (conn->tls.second_hello && conn->tls.offers_tls13 && !tls->side[ET_CLIENT].alert.seen &&
		!tls->side[ET_SERVER].alert.seen)
		tls->hello_retry = true;
}

void outcome_record(struct et_session *session, const struct et_conn *conn,
	const struct et_flow *flow, int64_t decided_ns)
{
	*session = (struct et_session){
		.start_ns = flow->start_ns,
		.end_ns = flow->end_ns,
		.decided_ns = decided_ns,
		.handshake_ns = handshake_ns(&conn->tls.facts),
		.index = flow->first_frame,
		.service = (uint8_t)service_of(conn),
		.mode = (uint8_t)mode_of(conn, flow),
		.outcome = (uint8_t)outcome(conn, flow),
		.partial = partial_of(conn, flow),
		.name = { conn->mail.facts.client_name, conn->mail.facts.server_name },
		.mail = conn->mail.facts,
		.tls = conn->tls.facts,
	};
	for (unsigned side = 0; side < 2; side++) {
		enum et_dir dir = way_dir(conn, side);

		session->addr[dir] = flow->key.addr[side];
		session->port[dir] = flow->key.port[side];
		session->gaps[dir] = conn->order[side].gaps;
	}
	infer(session, conn);
	set_alert(session, &conn->tls.facts);
	session->closed_before_alert =
		session->alert_from == ET_CLIENT && is_closed_before_alert(conn);
}
