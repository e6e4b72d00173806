/* SPDX-License-Identifier: BSD-3-Clause */
#include "way.h"

#include <string.h>

/*
 * What each hit says: the protocol whose parser is tried, and who sent the bytes. Client or server
 * is believed only where no SYN told it. Order: a hit that says more stands first.
 */
static const struct {
	uint32_t hit;
	enum et_mail_proto proto; /* ET_MAIL_UNKNOWN: TLS */
	int dir;                  /* enum et_dir, -1: says nothing */
} hints[] = {
	{ ET_MATCH_TLS_CLIENT | ET_MATCH_SSLV2_CLIENT, ET_MAIL_UNKNOWN, ET_CLIENT },
	{ ET_MATCH_TLS_SERVER, ET_MAIL_UNKNOWN, ET_SERVER },
	{ ET_MATCH_TLS_RECORD, ET_MAIL_UNKNOWN, -1 },
	{ ET_MATCH_SMTP_EHLO | ET_MATCH_SMTP_COMMAND, ET_MAIL_SMTP, ET_CLIENT },
	{ ET_MATCH_IMAP_CLIENT, ET_MAIL_IMAP, ET_CLIENT },
	{ ET_MATCH_IMAP_SERVER, ET_MAIL_IMAP, ET_SERVER },
	{ ET_MATCH_SIEVE_CLIENT, ET_MAIL_SIEVE, ET_CLIENT },
	{ ET_MATCH_SIEVE_SERVER, ET_MAIL_SIEVE, ET_SERVER },
	{ ET_MATCH_POP3_CLIENT, ET_MAIL_POP3, ET_CLIENT },
	{ ET_MATCH_POP3_SERVER, ET_MAIL_POP3, ET_SERVER },
	{ ET_MATCH_SMTP_GREETING, ET_MAIL_SMTP, ET_SERVER },
	{ ET_MATCH_SMTP_REPLY, ET_MAIL_SMTP, ET_SERVER },
};

#define HINTS (sizeof(hints) / sizeof(hints[0]))

static enum et_mail_proto proto_of_port(enum et_service service)
{
	switch (service) {
	case ET_SERVICE_SMTP:
	case ET_SERVICE_SUBMISSION:
	case ET_SERVICE_SMTPS: return ET_MAIL_SMTP;
	case ET_SERVICE_LMTP: return ET_MAIL_LMTP;
	case ET_SERVICE_IMAP:
	case ET_SERVICE_IMAPS: return ET_MAIL_IMAP;
	case ET_SERVICE_POP3:
	case ET_SERVICE_POP3S: return ET_MAIL_POP3;
	case ET_SERVICE_SIEVE: return ET_MAIL_SIEVE;
	default: return ET_MAIL_UNKNOWN;
	}
}

/*
 * The protocol to try for these hits: the port's own if one of the hits fits it, else the first of
 * the table. Some words belong to several protocols ("AUTH", "STARTTLS", "220 " also to FTP), so a
 * port that is no mail port needs more than a server's reply.
 */
static int choose(const struct et_conn *conn, uint32_t hits)
{
	enum et_mail_proto port = proto_of_port((enum et_service)conn->port_service);

	for (unsigned i = 0; i < HINTS; i++)
		if (hits & hints[i].hit && hints[i].proto == ET_MAIL_UNKNOWN)
			return (int)i;
	for (unsigned i = 0; i < HINTS; i++)
		if (hits & hints[i].hit &&
			(hints[i].proto == port ||
				(hints[i].proto == ET_MAIL_SMTP && port == ET_MAIL_LMTP)))
			return (int)i;
	for (unsigned i = 0; i < HINTS; i++)
		if (hits & hints[i].hit && hints[i].hit != ET_MATCH_SMTP_REPLY)
			return (int)i;
	return -1;
}

static void set_client(struct et_conn *conn, unsigned side, int dir)
{
	if (conn->client_known || dir < 0)
		return;
	conn->client_side = (uint8_t)(dir == ET_CLIENT ? side : 1 - side);
	conn->client_known = true;
}

/* Do these bytes begin with the hello of this direction, so that nothing of TLS stood before them? */
static bool begins_with_hello(enum et_dir dir, struct et_view bytes)
{
	if (bytes.n > 0 && bytes.p[0] & 0x80)
		return dir == ET_CLIENT; /* in SSLv2 format */
	return bytes.n > 5 && bytes.p[0] == ET_TLS_HANDSHAKE &&
	       bytes.p[5] == (dir == ET_CLIENT ? 1 : 2);
}

/* Bytes for a side whose parser is known. Moves between MAIL and TLS where the bytes say so. */
static void route(struct et_conn *conn, struct et_conn_env *env, unsigned side,
	struct et_view bytes, int64_t ts_ns)
{
	enum et_dir dir = way_dir(conn, side);

	while (bytes.n > 0 && conn->way[side] != WAY_DEAD) {
		bool mail = conn->way[side] == WAY_MAIL;
		size_t used = mail ? et_mail_feed(&conn->mail, &env->mail, dir, bytes)
				   : et_tls_feed(&conn->tls, &env->tls, dir, bytes, ts_ns);

		bytes.p += used;
		bytes.n -= used;
		if (bytes.n == 0)
			return;
		if (mail) {
			conn->way[side] = WAY_TLS;
			if (et_unlikely(et_mail_is_lost(&conn->mail, dir)) &&
				!begins_with_hello(dir, bytes))
				et_tls_gap(&conn->tls, &env->tls, dir, 1);
			used = et_tls_feed(&conn->tls, &env->tls, dir, bytes, ts_ns);
			if (used == 0) { /* a stray byte, and the line that it is part of */
				conn->way[side] = WAY_MAIL;
				et_mail_force_line(&conn->mail, dir);
			}
			bytes.p += used;
			bytes.n -= used;
		} else if (conn->mail.proto == ET_MAIL_UNKNOWN) {
			conn->way[side] =
				WAY_DEAD; /* TLS from the first byte does not end in clear */
		} else {
			/* RFC 3207 knows no way back, but gateways answer a failed handshake
			 * with 454 in clear and go on. */
			conn->way[side] = WAY_MAIL;
			et_mail_resume(&conn->mail, dir);
			et_mail_force_line(&conn->mail, dir);
		}
	}
}

/*
 * Starts a parser on a side, with the bytes that the match stage remembers in front. If they are
 * not all there any more, the parser is told of the gap.
 */
static void start(struct et_conn *conn, struct et_conn_env *env, unsigned side, enum way way,
	const struct et_match_carry *carry, int64_t ts_ns)
{
	enum et_dir dir = way_dir(conn, side);

	conn->way[side] = (uint8_t)way;
	if (carry->begun) {
		if (way == WAY_MAIL && conn->order[side].gaps > 0)
			et_mail_gap(&conn->mail, dir, UINT64_MAX);
		else if (way == WAY_MAIL)
			et_mail_astray(&conn->mail, dir);
		else
			et_tls_gap(&conn->tls, &env->tls, dir, 1);
		return; /* what is remembered begins anywhere */
	}
	route(conn, env, side, (struct et_view){ carry->b, carry->n }, ts_ns);
}

/*
 * What the match stage says of a side's next bytes; carry is what it remembered before. A hello or
 * EHLO can also begin a segment behind the words of a proxy (CONNECT, SOCKS) or of a protocol that
 * is not ours: then the segment is looked at as if it came first.
 */
static uint32_t scan(struct et_conn *conn, struct et_conn_env *env, unsigned side,
	struct et_match_carry *before, struct et_view bytes)
{
	uint32_t strong = ET_MATCH_TLS_CLIENT | ET_MATCH_TLS_SERVER | ET_MATCH_SMTP_EHLO;
	uint32_t hits = et_match_scan(env->scanner, &conn->carry[side], bytes);

	if (hits == 0 && before->n > 0) {
		struct et_match_carry fresh = { 0 };

		hits = et_match_scan(env->scanner, &fresh, bytes) & strong;
		if (hits)
			*before = (struct et_match_carry){ .begun = true };
	}
	/* SSLv2 has no pattern for the server: it answers a hello of its own kind. */
	if (hits == 0 && conn->way[1 - side] == WAY_TLS && conn->tls.facts.hello_sslv2)
		hits = ET_MATCH_TLS_RECORD;
	return hits;
}

static void probe(struct et_conn *conn, struct et_conn_env *env, unsigned side,
	struct et_view bytes, int64_t ts_ns)
{
	struct et_match_carry before = conn->carry[side];
	uint32_t hits = scan(conn, env, side, &before, bytes);
	int hint = hits ? choose(conn, hits) : -1;
	enum way way;

	if (hint < 0) {
		conn->probed[side] += (uint32_t)bytes.n;
		if (conn->probed[side] > ET_CONN_PROBE_BYTES)
			conn->way[side] = WAY_DEAD;
		return;
	}
	set_client(conn, side, hints[hint].dir);
	way = hints[hint].proto == ET_MAIL_UNKNOWN ? WAY_TLS : WAY_MAIL;
	if (way == WAY_TLS &&
		before.begun) { /* the handshake is whole, it only did not come first */
		conn->inside = true;
		before = (struct et_match_carry){ 0 };
	}
	if (way == WAY_MAIL && conn->mail.proto == ET_MAIL_UNKNOWN) {
		bool lmtp =
			conn->port_service == ET_SERVICE_LMTP && hints[hint].proto == ET_MAIL_SMTP;

		et_mail_init(&conn->mail, lmtp ? ET_MAIL_LMTP : hints[hint].proto);
	}
	start(conn, env, side, way, &before, ts_ns);
	if (conn->way[1 - side] == WAY_PROBE && way == WAY_MAIL)
		start(conn, env, 1 - side, WAY_MAIL, &conn->carry[1 - side], ts_ns);
	route(conn, env, side, bytes, ts_ns);
}

void way_bytes(struct et_conn *conn, struct et_conn_env *env, unsigned side, struct et_view bytes,
	int64_t ts_ns)
{
	if (bytes.n == 0)
		return;
	if (conn->way[side] == WAY_PROBE)
		probe(conn, env, side, bytes, ts_ns);
	else
		route(conn, env, side, bytes, ts_ns);
}

void way_end(struct et_conn *conn, struct et_conn_env *env, unsigned side)
{
	enum et_dir dir = way_dir(conn, side);

	/* what is missing of a dialogue may have begun TLS */
	if (conn->way[side] == WAY_MAIL && et_mail_is_lost(&conn->mail, dir) &&
		(conn->way[1 - side] == WAY_TLS || conn->mail.facts.reply == 220))
		et_tls_gap(&conn->tls, &env->tls, dir, 1);
}

bool way_is_recognised(const struct et_conn *conn)
{
	const struct et_tls_side_facts *side = conn->tls.facts.side;
	bool mail_port = conn->port_service != ET_SERVICE_NONE;
	uint32_t lines = conn->mail.facts.lines[0] + conn->mail.facts.lines[1];

	if (side[0].seen | side[1].seen || side[0].alert.seen || side[1].alert.seen)
		return true;
	/* Other protocols greet with 220 too: away from the mail ports both sides must speak. */
	return mail_port ? lines > 0 : conn->mail.facts.lines[0] > 0 && lines > 1;
}
