/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_CONN_H
#define ET_CONN_H

/*
 * conn: a connection whose outcome is still open. It takes segments, puts them in order, finds out
 * by the match stage which parser the bytes are for, moves each direction between the mail dialogue
 * and TLS (the STARTTLS seam), and ends in a record.
 *
 * Each direction goes its own way through these states; the two are joined only in the facts:
 *
 *   state   bytes go to               leaves for
 *   PROBE   match stage               MAIL or TLS on a hit, DEAD when nothing was found for long
 *   MAIL    dialogue parser           TLS where a line would begin with a TLS byte
 *   TLS     record parser             MAIL where a record would begin and none does
 *   DEAD    nobody                    -
 *
 * One worker owns the connections, the pool and the environment. After creation nothing here
 * allocates but the dictionaries and the pools of message and segment buffers, within their limits.
 */

#include "et_flow.h"
#include "et_match.h"
#include "et_order.h"
#include "et_packet.h"
#include "et_session.h"

/* Services by server port; the dialogue has the last word. */
struct et_ports {
	uint8_t service[65536]; /* enum et_service */
};
void et_ports_default(struct et_ports *ports);
/*
 * Adds "PORT=SERVICE[,PORT=SERVICE...]", service names as in the records; "none" takes a port out.
 * 0, or -EINVAL with a sentence in err.
 */
int et_ports_parse(struct et_ports *ports, char *err, size_t err_cap, const char *text);

/* What the connections of one worker share. */
struct et_conn_env {
	const struct et_ports *ports;
	struct et_match_scanner *scanner;
	struct et_mail_env mail;
	struct et_tls_env tls;
	struct et_order_env order;
	uint64_t *drops; /* [ET_DROP_MAX], the same array as in the three above */
};

/* Payload that is looked at in one direction before a connection is given up as not mail. */
#define ET_CONN_PROBE_BYTES 2048

struct et_conn {
	uint8_t client_side;  /* flow side of the client */
	bool client_known;    /* by SYN or by what was said; else by the ports */
	bool truncated;       /* the capture cut payload bytes */
	bool inside;          /* TLS did not come first, nor behind a dialogue that we know */
	bool hole;            /* bytes are missing, and a side spoke TLS */
	uint8_t port_service; /* enum et_service of the server port */
	uint8_t way[2];       /* the state of each side */
	bool fin[2];
	uint32_t fin_seq[2];
	bool reached[2];     /* reach is valid */
	bool bye[2];         /* bye_ack is valid */
	uint32_t reach[2];   /* sent up to here, as the other side's ACK or the own RST tells */
	uint32_t bye_ack[2]; /* what the side had seen of the other one when it closed */
	uint8_t alert_level; /* of the client's alert in clear; 0: none */
	uint32_t alert_ack;  /* what the segment acknowledged that completed this alert */
	uint32_t probed[2];  /* bytes the match stage has seen */
	struct et_match_carry carry[2];
	struct et_order order[2];
	struct et_mail mail;
	struct et_tls tls;
};

static_assert(sizeof(struct et_conn) <= 4096, "an undecided connection takes at most 4 KiB");

enum et_conn_verdict {
	ET_CONN_OPEN,    /* go on */
	ET_CONN_DECIDED, /* the outcome stands: et_conn_finish, and no more segments */
	ET_CONN_IGNORE,  /* neither mail nor TLS: et_conn_drop */
};

void et_conn_init(struct et_conn *conn);

/*
 * Move the cache lines that a segment of this side will touch: the first those of every segment, the
 * second, some time later, those of the parser that the connection's first line names.
 */
void et_conn_prefetch(const struct et_conn *conn, unsigned side);
void et_conn_prefetch_parser(const struct et_conn *conn, unsigned side);

/*
 * One segment of the flow, sent by `side` and already counted in it. The flow's FIN and RST bits are
 * up to date; first_end is put right where the later of two ends was captured first.
 */
enum et_conn_verdict et_conn_segment(struct et_conn *conn, struct et_conn_env *env,
	struct et_flow *flow, unsigned side, const struct et_segment *segment, int64_t ts_ns);

/*
 * A bare acknowledgement sent by `side`: all that it tells is how far the other side has got. Bytes
 * that were acknowledged and never captured are missing.
 */
static inline void et_conn_ack(struct et_conn *conn, unsigned side, uint32_t ack)
{
	unsigned other = 1 - side;

	if (conn->reached[other] && (int32_t)(ack - conn->reach[other]) <= 0)
		return;
	conn->reach[other] = ack;
	conn->reached[other] = true;
}

/*
 * Ends the connection: what is held is read, and the record is filled but for what the flow will
 * still count (et_conn_close). decided_ns is the time of the decision. False when there is nothing
 * to record: no mail port and nothing recognised, or no data at all.
 */
bool et_conn_finish(struct et_conn *conn, struct et_conn_env *env, struct et_session *session,
	const struct et_flow *flow, int64_t decided_ns);

/* Gives the buffers back without a record. */
void et_conn_drop(struct et_conn *conn, struct et_conn_env *env);

/* Writes the flow's counts and end into its record; the flow ends here. */
void et_conn_close(struct et_session *session, const struct et_flow *flow);

/* A pool of connections, at most max; an area (et_area_new). */
struct et_conn_pool;
struct et_conn_pool *et_conn_pool_new(uint32_t max);
void et_conn_pool_free(struct et_conn_pool *pool);
struct et_conn *et_conn_get(struct et_conn_pool *pool, uint32_t *index); /* NULL: none is free */
struct et_conn *et_conn_at(struct et_conn_pool *pool, uint32_t index);
void et_conn_put(struct et_conn_pool *pool, uint32_t index);
uint32_t et_conn_count(const struct et_conn_pool *pool); /* in use */

#endif
