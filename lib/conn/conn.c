/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_conn.h"

#include <string.h>

#include "outcome.h"
#include "way.h"

void et_conn_init(struct et_conn *conn)
{
	/* The line and carry buffers need no zeroes: their counts say what is in them. */
	static_assert(offsetof(struct et_conn, reach) + sizeof(conn->reach) <= ET_CACHE_LINE,
		"a bare ACK touches one cache line");

	conn->client_side = 0;
	conn->client_known = false;
	conn->truncated = false;
	conn->inside = false;
	conn->hole = false;
	conn->alert_level = 0;
	conn->port_service = ET_SERVICE_NONE;
	for (unsigned side = 0; side < 2; side++) {
		conn->way[side] = WAY_PROBE;
		conn->fin[side] = conn->reached[side] = conn->bye[side] = false;
		conn->probed[side] = 0;
		conn->carry[side].n = 0;
		conn->carry[side].begun = false;
	}
	memset(conn->order, 0, sizeof(conn->order));
	et_mail_init(&conn->mail, ET_MAIL_UNKNOWN);
	et_tls_init(&conn->tls);
}

static inline void prefetch(const void *begin, size_t bytes)
{
	const char *p = begin;

	for (size_t at = 0; at < bytes; at += ET_CACHE_LINE)
		__builtin_prefetch(p + at, 1);
}

void et_conn_prefetch(const struct et_conn *conn, unsigned side)
{
	prefetch(conn, 1);
	prefetch(&conn->order[side], 1);
	prefetch(&conn->tls.facts, sizeof(conn->tls.facts));
}

void et_conn_prefetch_parser(const struct et_conn *conn, unsigned side)
{
	const struct et_mail *mail = &conn->mail;

	switch (conn->way[side]) {
	case WAY_PROBE: prefetch(&conn->carry[side], sizeof(conn->carry[side])); break;
	case WAY_MAIL:
		prefetch(&mail->facts, 1);
		prefetch(&mail->queue_head, 1);
		prefetch(&mail->side[way_dir(conn, side)], 2 * (size_t)ET_CACHE_LINE);
		break;
	case WAY_TLS: prefetch(&conn->tls.side[way_dir(conn, side)], ET_CACHE_LINE); break;
	default: break;
	}
}

/* Who is the client, as far as ports tell: a mail port is the server's, else the lower one. */
static void guess_client(
	struct et_conn *conn, const struct et_ports *ports, const struct et_flow *flow)
{
	uint8_t service[2] = { ports->service[flow->key.port[0]],
		ports->service[flow->key.port[1]] };
	unsigned server;

	if (conn->client_known)
		server = 1u - conn->client_side;
	else if ((service[0] == ET_SERVICE_NONE) != (service[1] == ET_SERVICE_NONE))
		server = service[0] == ET_SERVICE_NONE;
	else
		server = flow->key.port[0] > flow->key.port[1];
	conn->client_side = (uint8_t)(1 - server);
	conn->port_service = service[server];
}

/* A side was followed from a later byte on than its first: what stood before is lost. */
static void lose_begin(struct et_conn *conn, struct et_conn_env *env, unsigned side, uint32_t len)
{
	enum et_dir dir = way_dir(conn, side);
	struct et_tls_side_facts *tls = &conn->tls.facts.side[dir];

	conn->order[side].guessed = false; /* once is enough */
	conn->order[side].gaps++;
	env->order.counts->gaps++;
	env->order.counts->gap_bytes += len;
	et_mail_missed(&conn->mail, dir, len);
	if (conn->way[side] == WAY_TLS && tls->app_records == 0 &&
		!(tls->seen & ET_TLS_SAW_FINISHED))
		conn->hole = tls->lost = true;
}

/*
 * The first payload of a side whose SYN was not seen: the other side's ACK tells where it begins,
 * unless that ACK is for more than this.
 */
static void guess_begin(struct et_conn *conn, unsigned side, uint32_t seq)
{
	uint32_t ahead = seq - conn->reach[side];

	if (conn->reached[side] && ahead > 0 && ahead <= ET_ORDER_AHEAD)
		et_order_syn(&conn->order[side], conn->reach[side] - 1);
}

static void take_syn(struct et_conn *conn, struct et_conn_env *env, const struct et_flow *flow,
	unsigned side, const struct et_segment *segment)
{
	uint32_t before = conn->order[side].first - segment->seq - 1;

	/* Until data came a second SYN-ACK may have another number: the first was not taken. */
	if (!conn->order[side].begun || et_flow_bytes(flow, side) == segment->len) {
		et_order_syn(&conn->order[side], segment->seq);
		conn->reached[side] = false;
	} else if (conn->order[side].guessed && before > 0 && before <= ET_ORDER_AHEAD) {
		lose_begin(conn, env, side, before);
	}
	if (!conn->client_known) {
		conn->client_side = (uint8_t)(segment->flags & ET_TCP_ACK ? 1 - side : side);
		conn->client_known = true;
		guess_client(conn, env->ports, flow);
	}
}

/* Bytes that never came: each parser knows what they may have hidden. */
static void take_gap(struct et_conn *conn, struct et_conn_env *env, unsigned side, uint32_t len)
{
	enum et_dir dir = way_dir(conn, side);

	if (len == 0)
		return;
	switch (conn->way[side]) {
	case WAY_PROBE:
		conn->mail.facts.confused[dir] = true;
		conn->carry[side].n = 0;
		conn->carry[side].begun = true;
		if (conn->way[1 - side] != WAY_TLS)
			break;
		conn->way[side] = WAY_TLS; /* what answers TLS is TLS; its begin will not come */
		conn->hole = true;
		et_tls_gap(&conn->tls, &env->tls, dir, len);
		break;
	case WAY_MAIL:
		/* the other side's bytes were read while this one's were held */
		conn->hole |= conn->way[1 - side] == WAY_TLS;
		et_mail_gap(&conn->mail, dir, len);
		break;
	case WAY_TLS:
		conn->hole = true;
		et_tls_gap(&conn->tls, &env->tls, dir, len);
		break;
	default: break;
	}
}

static void take_piece(struct et_conn *conn, struct et_conn_env *env, unsigned side,
	const struct et_piece *piece, int64_t ts_ns)
{
	take_gap(conn, env, side, piece->gap);
	way_bytes(conn, env, side, piece->bytes, ts_ns);
	if (piece->cut)
		conn->truncated = true;
	take_gap(conn, env, side, piece->cut);
}

/* Bytes in front of the FIN that are still to come. */
static uint32_t missing_at_fin(const struct et_conn *conn, unsigned side)
{
	uint32_t n = conn->fin_seq[side] - conn->order[side].next;

	return conn->fin[side] && conn->order[side].begun && (int32_t)n > 0 ? n : 0;
}

/*
 * How far the side's sequence numbers are known to go beyond what was seen: by its FIN exactly, by
 * the other's ACK or its own RST at least. 1 can be a FIN that was not seen.
 */
static uint32_t missing(const struct et_conn *conn, unsigned side)
{
	const struct et_order *order = &conn->order[side];
	uint32_t n = conn->reach[side] - order->next;

	if (conn->fin[side] || !conn->reached[side] || !order->begun)
		return missing_at_fin(conn, side);
	return n <= ET_ORDER_AHEAD ? n : 0;
}

/* A FIN or RST can overtake data on the way to us, and the FIN of the other side. */
static bool is_waiting(const struct et_conn *conn)
{
	return conn->order[0].held_cnt + conn->order[1].held_cnt > 0 || missing(conn, 0) > 0 ||
	       missing(conn, 1) > 0;
}

/* An end of this side. Was it captured behind an end of the other side that already knew of it? */
static void take_end(
	struct et_conn *conn, struct et_flow *flow, unsigned side, const struct et_segment *segment)
{
	unsigned other = 1 - side;

	if (segment->flags & ET_TCP_FIN) {
		conn->fin[side] = true;
		conn->fin_seq[side] = segment->seq + segment->len;
		if (conn->bye[other] &&
			(flow->first_end == 1 + other || flow->first_end == 3 + other) &&
			(int32_t)(conn->bye_ack[other] - conn->fin_seq[side]) > 0)
			flow->first_end = (uint8_t)(1 + side);
	}
	if (!conn->bye[side] && segment->flags & ET_TCP_ACK) {
		conn->bye[side] = true;
		conn->bye_ack[side] = segment->ack;
	}
}

/* What a segment's header tells of how far the two sides have got: RFC 9293 3.10.7.4. */
static void take_header(
	struct et_conn *conn, struct et_flow *flow, unsigned side, const struct et_segment *segment)
{
	if (segment->flags & ET_TCP_ACK)
		et_conn_ack(conn, side, segment->ack);
	if (et_likely(!(segment->flags & (ET_TCP_FIN | ET_TCP_RST))))
		return;
	/* A RST that answers a segment of no connection has the number 0. */
	if (segment->flags & ET_TCP_RST && segment->seq != 0)
		et_conn_ack(conn, 1 - side, segment->seq);
	take_end(conn, flow, side, segment);
}

/* Had the client's host seen the server's FIN when it sent its alert? The ACK tells. */
static void note_alert(struct et_conn *conn, const struct et_segment *segment)
{
	const struct et_tls_alert *alert = &conn->tls.facts.side[ET_CLIENT].alert;

	if (et_likely(alert->level <= conn->alert_level) || !(segment->flags & ET_TCP_ACK))
		return;
	conn->alert_level = alert->level;
	conn->alert_ack = segment->ack;
}

enum et_conn_verdict et_conn_segment(struct et_conn *conn, struct et_conn_env *env,
	struct et_flow *flow, unsigned side, const struct et_segment *segment, int64_t ts_ns)
{
	struct et_piece piece;

	if (et_unlikely(segment->flags & ET_TCP_SYN))
		take_syn(conn, env, flow, side, segment);
	take_header(conn, flow, side, segment);
	/* What a RST carries is a note for people, not data: RFC 9293 3.5.2. */
	if (segment->len > 0 && et_likely(!(segment->flags & ET_TCP_RST))) {
		if (et_unlikely(!conn->client_known && conn->way[0] == WAY_PROBE &&
				conn->way[1] == WAY_PROBE))
			guess_client(conn, env->ports, flow);
		if (et_unlikely(!conn->order[side].begun))
			guess_begin(conn, side, segment->seq);
		if (et_order_push(&conn->order[side], &env->order, &piece, segment, ts_ns)) {
			take_piece(conn, env, side, &piece, ts_ns);
			while (et_order_next(&conn->order[side], &env->order, &piece, false))
				take_piece(conn, env, side, &piece, ts_ns);
			if (way_dir(conn, side) == ET_CLIENT)
				note_alert(conn, segment);
		} else if (et_unlikely(conn->order[side].guessed) && flow->syn != 0 &&
			   et_order_is_early(&conn->order[side], segment)) {
			lose_begin(conn, env, side, segment->len);
		}
	}
	if (et_unlikely(flow->closed) && !is_waiting(conn))
		return ET_CONN_DECIDED;
	if (outcome_is_final(conn))
		return ET_CONN_DECIDED;
	if (et_unlikely(conn->way[0] == WAY_DEAD && conn->way[1] == WAY_DEAD &&
			conn->port_service == ET_SERVICE_NONE && !way_is_recognised(conn))) {
		env->drops[ET_DROP_NOT_MAIL]++;
		return ET_CONN_IGNORE;
	}
	return ET_CONN_OPEN;
}

/* Reads what is held behind holes, and notes a hole at the end. */
static void flush(struct et_conn *conn, struct et_conn_env *env, int64_t ts_ns)
{
	bool final = outcome_is_final(conn); /* then this is not the end, and ACKs may be ahead */

	for (unsigned side = 0; side < 2; side++) {
		struct et_order *order = &conn->order[side];
		struct et_piece piece;
		uint32_t gap;

		while (et_order_next(order, &env->order, &piece, true))
			take_piece(conn, env, side, &piece, ts_ns);
		gap = final ? 0 : missing(conn, side);
		if (gap == 1 && !conn->fin[side])
			gap = 0; /* a FIN that was lost, which is no harm */
		if (gap > 0) {
			order->gaps++;
			env->order.counts->gaps++;
			env->order.counts->gap_bytes += gap;
			take_gap(conn, env, side, gap);
		}
		way_end(conn, env, side);
	}
}

bool et_conn_finish(struct et_conn *conn, struct et_conn_env *env, struct et_session *session,
	const struct et_flow *flow, int64_t decided_ns)
{
	bool worth;

	flush(conn, env, decided_ns);
	worth = way_is_recognised(conn) ||
		(conn->port_service != ET_SERVICE_NONE &&
			et_flow_bytes(flow, 0) + et_flow_bytes(flow, 1) > 0);
	if (worth)
		outcome_record(session, conn, flow, decided_ns);
	et_conn_drop(conn, env);
	return worth;
}

void et_conn_drop(struct et_conn *conn, struct et_conn_env *env)
{
	for (unsigned side = 0; side < 2; side++)
		et_order_done(&conn->order[side], &env->order);
	et_tls_done(&conn->tls, &env->tls);
}

/* Which end of the connection the flow saw first, by direction. */
static enum et_end end_of(const struct et_flow *flow, unsigned client_side)
{
	unsigned side;

	if (flow->first_end == 0)
		return ET_END_OPEN;
	side = (flow->first_end - 1u) & 1;
	if (flow->first_end <= 2)
		return side == client_side ? ET_END_FIN_CLIENT : ET_END_FIN_SERVER;
	return side == client_side ? ET_END_RST_CLIENT : ET_END_RST_SERVER;
}

void et_conn_close(struct et_session *session, const struct et_flow *flow)
{
	/* The record was made from this flow: its client is one of the two endpoints. */
	unsigned client =
		session->port[ET_CLIENT] == flow->key.port[0] &&
				et_addr_cmp(&session->addr[ET_CLIENT], &flow->key.addr[0]) == 0
			? 0
			: 1;

	session->end_ns = flow->end_ns;
	session->end = (uint8_t)end_of(flow, client);
	/* Two taps can show the client's FIN first; that the server's was answered proves more. */
	if (session->closed_before_alert && session->end != ET_END_RST_SERVER)
		session->end = ET_END_FIN_SERVER;
	for (unsigned side = 0; side < 2; side++) {
		enum et_dir dir = side == client ? ET_CLIENT : ET_SERVER;

		session->packets[dir] = et_flow_packets(flow, side);
		session->bytes[dir] = et_flow_bytes(flow, side);
	}
	session->partial &= (uint8_t)~ET_PARTIAL_ONE_DIRECTION; /* the other may have come since */
	if (session->packets[ET_CLIENT] == 0 || session->packets[ET_SERVER] == 0)
		session->partial |= ET_PARTIAL_ONE_DIRECTION;
}
