#include "play.h"

#include <errno.h>
#include <string.h>

#define BURST_FIRST  10 /* RFC 6928 */
#define BURST_MAX    44 /* below what the ends' windows of about 64 KB allow */
#define SEGMENT_NS   12000
#define LOCAL_ACK_NS 15000

static struct et_packet packet(const struct et_play *p, uint8_t dir, uint8_t flags, uint32_t len)
{
	const struct et_session *s = &p->session;

	return (struct et_packet){
		.ts_ns = p->next_ns,
		.v6 = s->peer->v6,
		.timestamps = s->timestamps,
		.flags = flags,
		.ack = flags & ET_TCP_ACK ? p->acked[!dir] : 0,
		.len = len,
	};
}

static uint32_t segment_max(const struct et_session *s)
{
	/* the MSS counts without options, the segment with: RFC 6691 */
	return (s->timestamps ? ET_MSS - 12 : ET_MSS) - (s->peer->v6 ? 20u : 0u);
}

static bool is_local(const struct et_session *s, uint8_t dir)
{
	return (dir == ET_SERVER) == s->inbound;
}

/* A packet without payload. */
static int put_bare(struct et_play *p, struct et_wire *wire, uint8_t dir, uint8_t flags)
{
	struct et_session *s = &p->session;
	struct et_packet pkt = packet(p, dir, flags, 0);

	if (!et_wire_begin(wire, &pkt))
		return -errno;
	et_wire_end(wire, &s->end[dir], &s->end[!dir], &pkt);
	return 1;
}

static int put_segment(struct et_play *p, struct et_wire *wire, const struct et_world *world,
	const struct et_step *st, uint32_t len)
{
	struct et_session *s = &p->session;
	bool last = p->sent + len == st->len;
	struct et_packet pkt = packet(p, st->dir, ET_TCP_ACK | (last ? ET_TCP_PSH : 0), len);
	uint8_t *to = et_wire_begin(wire, &pkt);

	if (!to)
		return -errno;
	if (st->kind == ET_STEP_BULK)
		et_session_bulk(s, world, to, p->sent, len);
	else
		memcpy(to, st->data + p->sent, len);
	et_wire_end(wire, &s->end[st->dir], &s->end[!st->dir], &pkt);
	return 1;
}

/* How many bytes of that direction the receiver has not acknowledged. */
static uint32_t unacked(const struct et_play *p, uint8_t dir)
{
	return p->session.end[dir].seq - p->acked[dir];
}

/* The step is over: sets when the next one starts. 0 at the end of the script. */
static int next_step(struct et_play *p)
{
	const struct et_session *s = &p->session;
	uint64_t at;

	if (++p->step == s->step_cnt)
		return 0;
	p->sent = 0;
	p->burst_left = p->burst[s->steps[p->step].dir];
	at = p->base_ns + s->steps[p->step].wait_ns;
	p->next_ns = at > p->next_ns ? at : p->next_ns + 2000;
	return 1;
}

/* After a segment: does the receiver acknowledge now, does the sender go on, or is it all said? */
static int after_segment(struct et_play *p, const struct et_step *st)
{
	const struct et_session *s = &p->session;
	uint8_t dir = st->dir;
	bool local = is_local(s, !dir), over = p->sent == st->len;
	bool two = unacked(p, dir) >= 2 * segment_max(s);

	p->base_ns = p->next_ns;
	if (p->burst_left > 0)
		p->burst_left--;
	if ((two && (local || over || p->burst_left == 0)) || (over && st->lone_ack)) {
		p->acking = true;
		p->next_ns += local ? LOCAL_ACK_NS : s->rtt_ns;
		return 1;
	}
	if (over)
		return next_step(p);
	if (p->burst_left == 0)
		p->burst_left = 1;
	p->next_ns += SEGMENT_NS;
	return 1;
}

/* One ACK per two full segments, and one for the rest when the script wants it. */
static int put_ack(struct et_play *p, struct et_wire *wire, const struct et_step *st)
{
	const struct et_session *s = &p->session;
	uint32_t two = 2 * segment_max(s), left = unacked(p, st->dir);
	bool over = p->sent == st->len;
	int rc;

	p->acked[st->dir] += left < two ? left : two;
	left = unacked(p, st->dir);
	rc = put_bare(p, wire, !st->dir, ET_TCP_ACK);
	if (rc < 0)
		return rc;
	if (left >= two || (over && left > 0 && st->lone_ack)) {
		p->next_ns += SEGMENT_NS;
		return 1;
	}
	p->acking = false;
	if (over)
		return next_step(p);
	if (p->burst_left == 0) {
		uint32_t *burst = &p->burst[st->dir];

		*burst = 2 * *burst < BURST_MAX ? 2 * *burst : BURST_MAX;
		p->burst_left = *burst;
	}
	p->next_ns += SEGMENT_NS;
	return 1;
}

static int put_event(struct et_play *p, struct et_wire *wire, const struct et_step *st)
{
	static const uint8_t flags[] = {
		[ET_STEP_SYN] = ET_TCP_SYN,
		[ET_STEP_SYNACK] = ET_TCP_SYN | ET_TCP_ACK,
		[ET_STEP_FIN] = ET_TCP_FIN | ET_TCP_ACK,
		[ET_STEP_RST] = ET_TCP_RST | ET_TCP_ACK,
		[ET_STEP_ACK] = ET_TCP_ACK,
	};
	int rc = put_bare(p, wire, st->dir, flags[st->kind]);

	p->base_ns = p->next_ns;
	return rc < 0 ? rc : next_step(p);
}

void et_play_start(struct et_play *p)
{
	p->next_ns = p->session.start_ns;
	p->base_ns = p->next_ns;
	p->step = 0;
	p->sent = 0;
	p->acking = false;
	for (unsigned i = 0; i < 2; i++) {
		p->acked[i] = p->session.end[i].seq;
		p->burst[i] = BURST_FIRST;
	}
	p->burst_left = BURST_FIRST;
}

int et_play_next(struct et_play *p, struct et_wire *wire, const struct et_world *world)
{
	const struct et_session *s = &p->session;
	const struct et_step *st = &s->steps[p->step];
	uint32_t len;
	int rc;

	if (p->acking)
		return put_ack(p, wire, st);
	/* whoever sends acknowledges all that it has got, by the way */
	p->acked[!st->dir] = s->end[!st->dir].seq;
	if (st->kind != ET_STEP_DATA && st->kind != ET_STEP_BULK)
		return put_event(p, wire, st);
	len = segment_max(s);
	if (len > st->len - p->sent)
		len = (uint32_t)(st->len - p->sent);
	rc = put_segment(p, wire, world, st, len);
	if (rc < 0)
		return rc;
	p->sent += len;
	return after_segment(p, st);
}
