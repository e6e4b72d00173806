/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_conn.h"

#include <string.h>

#include "outcome.h"
#include "way.h"

void et_conn_init(struct et_conn *conn)
{
	/* The line and carry buffers need no zeroes: their counts say what is in them. */
	conn->client_side = 0;
	conn->client_known = false;
	conn->truncated = false;
	conn->inside = false;
	conn->port_service = ET_SERVICE_NONE;
	for (unsigned side = 0; side < 2; side++) {
		conn->way[side] = WAY_PROBE;
		conn->fin[side] = false;
		conn->probed[side] = 0;
		conn->carry[side].n = 0;
		conn->carry[side].begun = false;
	}
	memset(conn->order, 0, sizeof(conn->order));
	et_mail_init(&conn->mail, ET_MAIL_UNKNOWN);
	et_tls_init(&conn->tls);
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

static void take_syn(struct et_conn *conn, const struct et_conn_env *env,
	const struct et_flow *flow, unsigned side, const struct et_segment *segment)
{
	/* Until data came a second SYN-ACK may have another number: the first was not taken. */
	if (!conn->order[side].begun || et_flow_bytes(flow, side) == segment->len)
		et_order_syn(&conn->order[side], segment->seq);
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
		conn->carry[side].n = 0;
		conn->carry[side].begun = true;
		break;
	case WAY_MAIL:
		et_mail_gap(&conn->mail, dir, len);
		if (conn->way[1 - side] == WAY_TLS) /* what is missing may have begun TLS */
			et_tls_gap(&conn->tls, &env->tls, dir, len);
		break;
	case WAY_TLS: et_tls_gap(&conn->tls, &env->tls, dir, len); break;
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

static bool is_waiting(const struct et_conn *conn)
{
	return conn->order[0].held_cnt + conn->order[1].held_cnt > 0;
}

enum et_conn_verdict et_conn_segment(struct et_conn *conn, struct et_conn_env *env,
	const struct et_flow *flow, unsigned side, const struct et_segment *segment, int64_t ts_ns)
{
	struct et_piece piece;

	if (et_unlikely(segment->flags & ET_TCP_SYN))
		take_syn(conn, env, flow, side, segment);
	if (segment->len > 0) {
		if (et_unlikely(!conn->client_known && conn->way[0] == WAY_PROBE &&
				conn->way[1] == WAY_PROBE))
			guess_client(conn, env->ports, flow);
		if (et_order_push(&conn->order[side], &env->order, &piece, segment, ts_ns)) {
			take_piece(conn, env, side, &piece, ts_ns);
			while (et_order_next(&conn->order[side], &env->order, &piece, false))
				take_piece(conn, env, side, &piece, ts_ns);
		}
	}
	if (et_unlikely(segment->flags & ET_TCP_FIN)) {
		conn->fin[side] = true;
		conn->fin_seq[side] = segment->seq + segment->len;
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

/* Reads what is held behind holes, and notes a hole in front of the FIN. */
static void flush(struct et_conn *conn, struct et_conn_env *env, int64_t ts_ns)
{
	for (unsigned side = 0; side < 2; side++) {
		struct et_order *order = &conn->order[side];
		struct et_piece piece;

		while (et_order_next(order, &env->order, &piece, true))
			take_piece(conn, env, side, &piece, ts_ns);
		if (conn->fin[side] && order->begun &&
			(int32_t)(conn->fin_seq[side] - order->next) > 0) {
			uint32_t gap = conn->fin_seq[side] - order->next;

			order->gaps++;
			env->order.counts.gaps++;
			env->order.counts.gap_bytes += gap;
			take_gap(conn, env, side, gap);
		}
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
	for (unsigned side = 0; side < 2; side++) {
		enum et_dir dir = side == client ? ET_CLIENT : ET_SERVER;

		session->packets[dir] = et_flow_packets(flow, side);
		session->bytes[dir] = et_flow_bytes(flow, side);
	}
	if (session->packets[ET_CLIENT] == 0 || session->packets[ET_SERVER] == 0)
		session->partial |= ET_PARTIAL_ONE_DIRECTION;
}
