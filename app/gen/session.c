/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST_FIRST  10    /* RFC 6928 */
#define BURST_BYTES  56000 /* below what the ends' windows of about 64 KB allow */
#define SEGMENT_NS   12000
#define SAME_SIDE_NS 18000 /* between two writes of one side */
#define LOCAL_ACK_NS 15000
#define PARTIAL_MIN  64 /* plaintext bytes of a last record */

enum phase {
	PHASE_SYN,
	PHASE_SYNACK,
	PHASE_ACK,
	PHASE_TALK,
	PHASE_FIN,
	PHASE_FIN2,
	PHASE_LAST,
	PHASE_RST
};

static const uint32_t think_us[] = {
	[GEN_THINK_LINE] = 700,
	[GEN_THINK_BANNER] = 9000,
	[GEN_THINK_CRYPTO] = 1800,
	[GEN_THINK_QUEUE] = 25000,
};

/* ---- the pool of mail text */

int gen_world_make(struct gen_world *world, const struct gen_profile *profile, uint64_t seed)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	/* lines that a careless analyzer takes for dialogue */
	static const char *const odd[] = { "250-STARTTLS", "STARTTLS", "220 2.0.0 Ready", "QUIT" };
	struct gen_rng rng;

	*world = (struct gen_world){ .profile = profile, .seed = seed };
	world->text = malloc((size_t)GEN_TEXT_LINES * GEN_TEXT_LINE);
	if (!world->text)
		return -1;
	gen_rng_seed(&rng, seed, UINT64_MAX - 1);
	for (unsigned i = 0; i < GEN_TEXT_LINES; i++) {
		uint8_t *line = world->text + (size_t)i * GEN_TEXT_LINE;

		for (unsigned k = 0; k < GEN_TEXT_LINE - 2; k++)
			line[k] = (uint8_t)digits[gen_rng_below(&rng, 64)];
		if (i % 64 == 10) {
			memset(line, ' ', GEN_TEXT_LINE - 2);
			memcpy(line, odd[i / 64 % 4], strlen(odd[i / 64 % 4]));
		}
		line[GEN_TEXT_LINE - 2] = '\r';
		line[GEN_TEXT_LINE - 1] = '\n';
	}
	return 0;
}

void gen_world_free(struct gen_world *world)
{
	free(world->text);
}

/* ---- the beginning */

static void set_address(uint8_t ip[16], bool v6, bool server, uint32_t number)
{
	uint32_t host = number + 1, net = server ? 0xac100000 : 0x0a000000; /* 172.16/12, 10/8 */

	memset(ip, 0, 16);
	if (v6) {
		const uint8_t prefix[6] = { 0x20, 0x01, 0x0d, 0xb8, 0, server ? 2 : 1 };

		memcpy(ip, prefix, 6);
		ip += 12;
		net = 0;
	}
	host |= net;
	ip[0] = (uint8_t)(host >> 24);
	ip[1] = (uint8_t)(host >> 16);
	ip[2] = (uint8_t)(host >> 8);
	ip[3] = (uint8_t)host;
}

static uint8_t draw_encap(struct gen_rng *rng, const struct gen_profile *p)
{
	double u = gen_rng_unit(rng);

	for (unsigned i = GEN_PLAIN + 1; i < GEN_ENCAPS; i++) {
		if (u < p->encap[i])
			return (uint8_t)i;
		u -= p->encap[i];
	}
	return GEN_PLAIN;
}

/* What belongs to a client for good. */
static uint64_t habit_of(const struct gen_world *world, uint32_t client)
{
	return gen_rng_hash(world->seed ^ 0x9e37, client);
}

bool gen_world_is_v6(const struct gen_world *world, uint32_t client)
{
	return (double)(habit_of(world, client) >> 11) * 0x1p-53 < world->profile->ipv6;
}

static void set_ends(struct gen_session *s, const struct gen_world *world)
{
	static const uint16_t ports[] = { 25, 587, 465, 24, 143, 993, 110, 995, 4190 };
	uint64_t habit = habit_of(world, s->client);
	bool windows = habit % 4 == 0;

	s->wire = (struct gen_wire){
		.v6 = gen_world_is_v6(world, s->client),
		.timestamps = !windows,
		.mss = (uint16_t)world->profile->mss,
		.encap = draw_encap(&s->rng, world->profile),
		.outer_id = (uint16_t)gen_rng_next(&s->rng),
		.number = (uint32_t)(habit >> 40) % 4000 + 1,
	};
	for (unsigned i = 0; i < 2; i++) {
		uint64_t r = gen_rng_next(&s->rng), q = gen_rng_next(&s->rng);

		s->end[i] = (struct gen_end_state){ .seq = (uint32_t)r,
			.ip_id = (uint16_t)(r >> 32),
			.ts_base = (uint32_t)q,
			.port = s->end[i].port };
		set_address(s->end[i].ip, s->wire.v6, i == GEN_SERVER,
			i == GEN_SERVER ? s->server : s->client);
	}
	s->end[GEN_SERVER].port = ports[s->script->kind->protocol];
	s->end[GEN_SERVER].ttl = 64;
	s->end[GEN_SERVER].win_scale = 7;
	s->end[GEN_SERVER].window = 501;
	s->end[GEN_CLIENT].ttl = (uint8_t)((windows ? 123u : 59u) - habit % 14);
	s->end[GEN_CLIENT].win_scale = windows ? 8 : 7;
	s->end[GEN_CLIENT].window = windows ? 1026 : 501;
	/* 0.25 to 4 times the median, by client */
	s->rtt_ns = (uint32_t)(world->profile->rtt_ms * 1e6 *
			       exp2((double)(habit >> 20 & 0xffff) * 0x1p-14 - 2));
}

static void set_body(struct gen_session *s, const struct gen_profile *p)
{
	const struct gen_script *script = s->script;
	double size = gen_rng_lognormal(&s->rng, p->mail_mu, p->mail_sigma);

	s->body = (uint64_t)(size < p->mail_max ? size : p->mail_max) + 1;
	s->text_at = gen_rng_below(&s->rng, GEN_TEXT_LINES);
	if (!script->bulk) {
		s->body = (s->body + GEN_TEXT_LINE - 1) / GEN_TEXT_LINE * GEN_TEXT_LINE;
		s->bulk_len = s->body;
		return;
	}
	/* Whole records and a shorter one. It is shorter by whole cipher blocks: the length of a
	 * CBC record stays possible. */
	s->bulk_last = (uint32_t)(s->body % script->bulk_plain);
	if (s->bulk_last < PARTIAL_MIN)
		s->bulk_last = PARTIAL_MIN;
	s->bulk_last = script->bulk_wire - (script->bulk_plain - s->bulk_last) / 16 * 16;
	s->bulk_len = s->body / script->bulk_plain * script->bulk_wire + s->bulk_last;
}

void gen_session_begin(struct gen_session *s, const struct gen_world *world, uint64_t id,
	const struct gen_script *script, uint64_t start_ns)
{
	struct gen_session fresh = { .id = id,
		.script = script,
		.next_ns = start_ns,
		.base_ns = start_ns,
		.client = s->client,
		.server = s->server };

	fresh.end[GEN_CLIENT].port = s->end[GEN_CLIENT].port;
	fresh.seen.spared = s->seen.spared;
	*s = fresh;
	gen_rng_seed(&s->rng, world->seed, id);
	set_ends(s, world);
	set_body(s, world->profile);
	gen_rng_bytes(&s->rng, &s->random[0][0], sizeof(s->random));
	gen_rng_bytes(&s->rng, &s->id_bytes[0][0], sizeof(s->id_bytes));
	s->rst = script->kind->story == GEN_ESTABLISHED &&
		 gen_rng_chance(&s->rng, world->profile->rst);
	for (unsigned i = 0; i < 2; i++)
		s->acked[i] = s->end[i].seq;
	s->burst[0] = s->burst[1] = BURST_FIRST;
	s->burst_left = BURST_FIRST;
}

/* ---- bytes */

static void put_digits(uint8_t *to, uint64_t value, unsigned digits)
{
	while (digits-- > 0) {
		to[digits] = (uint8_t)('0' + value % 10);
		value /= 10;
	}
}

static void patch_value(uint8_t out[64], const struct gen_session *s, const struct gen_patch *p)
{
	switch ((enum gen_patch_kind)p->kind) {
	case GEN_PATCH_CLIENT: put_digits(out, s->client, p->len); break;
	case GEN_PATCH_SERVER: put_digits(out, s->server, p->len); break;
	case GEN_PATCH_SIZE: put_digits(out, s->body, p->len); break;
	case GEN_PATCH_RANDOM: memcpy(out, s->random[p->which], p->len); break;
	case GEN_PATCH_ID: memcpy(out, s->id_bytes[p->which], p->len); break;
	}
}

/* n bytes of the flight from the place that was sent, with the session's own values. */
static void copy_flight(
	uint8_t *out, const struct gen_session *s, const struct gen_flight *f, uint32_t n)
{
	const struct gen_script *script = s->script;
	uint32_t from = f->off + (uint32_t)s->sent, to = from + n;

	memcpy(out, script->bytes + from, n);
	for (unsigned i = f->patch_first; i < f->patch_first + f->patch_cnt; i++) {
		const struct gen_patch *p = &script->patches[i];
		uint32_t a = p->off > from ? p->off : from;
		uint32_t b = p->off + p->len < to ? p->off + p->len : to;
		uint8_t value[64];

		if (a >= b)
			continue;
		patch_value(value, s, p);
		memcpy(out + (a - from), value + (a - p->off), b - a);
	}
}

/* One piece of the body inside TLS, which does not cross the border of a record. */
static uint32_t secret_piece(uint8_t *out, const struct gen_session *s, uint64_t off, uint32_t n)
{
	const struct gen_script *r = s->script;
	uint64_t record = off / r->bulk_wire;
	uint32_t at = (uint32_t)(off % r->bulk_wire);
	bool last = record == (s->bulk_len - s->bulk_last) / r->bulk_wire;
	uint32_t wire = last ? s->bulk_last : r->bulk_wire;
	uint32_t left = wire - at;

	if (n > left)
		n = left;
	memcpy(out, r->bulk + record % r->bulk_cnt * r->bulk_wire + at, n);
	for (uint32_t i = at; last && i < 5 && i < at + n; i++)
		if (i >= 3) /* the shorter record's own length */
			out[i - at] = (uint8_t)(i == 3 ? (wire - 5) >> 8 : wire - 5);
	return n;
}

static uint32_t clear_piece(uint8_t *out, const struct gen_session *s,
	const struct gen_world *world, uint64_t off, uint32_t n)
{
	uint64_t pool = (uint64_t)GEN_TEXT_LINES * GEN_TEXT_LINE;
	uint64_t at = ((uint64_t)s->text_at * GEN_TEXT_LINE + off) % pool;

	if (n > pool - at)
		n = (uint32_t)(pool - at);
	memcpy(out, world->text + at, n);
	return n;
}

static void copy_bulk(
	uint8_t *out, const struct gen_session *s, const struct gen_world *world, uint32_t n)
{
	uint64_t off = s->sent;

	while (n > 0) {
		uint32_t done = s->script->bulk ? secret_piece(out, s, off, n)
						: clear_piece(out, s, world, off, n);

		out += done;
		off += done;
		n -= done;
	}
}

/* ---- packets */

static int send(struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror,
	uint8_t dir, uint8_t flags, uint32_t len, uint64_t *out_ns)
{
	uint8_t frame[GEN_FRAME_MAX + 256];
	struct gen_packet packet = { .ts_ns = s->next_ns, .flags = flags, .len = len };
	struct gen_frame out = { .ts_ns = s->next_ns,
		.bytes = frame,
		.ip_at = (uint16_t)gen_frame_ip_at(&s->wire),
		.dir = dir };

	if (flags & GEN_TCP_ACK)
		packet.ack = s->acked[!dir];
	if (len > 0) {
		const struct gen_flight *f = &s->script->flights[s->flight];
		uint8_t *room = gen_frame_room(frame, &s->wire, &packet);

		if (f->bulk)
			copy_bulk(room, s, world, len);
		else
			copy_flight(room, s, f, len);
	}
	s->packets[dir]++;
	s->payload[dir] += len;
	out.len = gen_frame_build(
		frame, &s->wire, &s->end[dir], &s->end[!dir], &packet, dir == GEN_CLIENT);
	return gen_mirror_send(mirror, &s->seen, out_ns, &out);
}

/* When the side `dir` does something, behind what was seen last. */
static void wait_for(struct gen_session *s, uint8_t dir, bool same_side, enum gen_think think)
{
	uint64_t wait, at;

	if (same_side)
		wait = SAME_SIDE_NS + gen_rng_below(&s->rng, 40000);
	else
		wait = think_us[think] * (500ull + gen_rng_below(&s->rng, 1000)) +
		       (dir == GEN_CLIENT ? s->rtt_ns : 0);
	at = s->base_ns + wait;
	s->next_ns = at > s->next_ns ? at : s->next_ns + 2000;
}

static void begin_end(struct gen_session *s, int last_dir)
{
	const struct gen_script *script = s->script;
	bool rst = s->rst || script->end == GEN_END_RST;

	s->phase = rst ? PHASE_RST : PHASE_FIN;
	wait_for(s, script->closer, last_dir == script->closer, GEN_THINK_LINE);
}

/* The flight is over. 0: the script ends here, and nobody closes. */
static int next_flight(struct gen_session *s)
{
	const struct gen_script *script = s->script;
	/* RST: the goodbyes are left out */
	unsigned cnt = script->flight_cnt - (s->rst ? script->byes : 0);
	const struct gen_flight *next;
	int last_dir = -1;

	if (s->phase == PHASE_TALK)
		last_dir = script->flights[s->flight++].dir;
	s->phase = PHASE_TALK;
	s->sent = 0;
	if (s->flight >= cnt) {
		if (script->end == GEN_END_OPEN)
			return 0;
		begin_end(s, last_dir);
		return 1;
	}
	next = &script->flights[s->flight];
	s->burst_left = s->burst[next->dir];
	wait_for(s, next->dir, last_dir == next->dir, (enum gen_think)next->think);
	return 1;
}

static uint64_t flight_len(const struct gen_session *s, const struct gen_flight *f)
{
	return f->bulk ? s->bulk_len : f->len;
}

/* The receiver acknowledges all that has come. */
static int next_ack(struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror)
{
	const struct gen_flight *f = &s->script->flights[s->flight];
	uint32_t most = BURST_BYTES / gen_frame_segment_max(&s->wire);
	uint64_t at;
	int rc;

	s->acked[f->dir] = s->end[f->dir].seq;
	rc = send(s, world, mirror, !f->dir, GEN_TCP_ACK, 0, &at);
	s->acking = false;
	if (rc < 0)
		return rc;
	if (s->sent == flight_len(s, f))
		return next_flight(s);
	s->burst[f->dir] = 2 * s->burst[f->dir] < most ? 2 * s->burst[f->dir] : most;
	if (s->burst[f->dir] < 2)
		s->burst[f->dir] = 2;
	s->burst_left = s->burst[f->dir];
	s->next_ns += SEGMENT_NS;
	return 1;
}

static int next_segment(
	struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror)
{
	const struct gen_flight *f = &s->script->flights[s->flight];
	uint64_t total = flight_len(s, f), at;
	uint32_t len = gen_frame_segment_max(&s->wire);
	bool over;
	int rc;

	if (len > total - s->sent)
		len = (uint32_t)(total - s->sent);
	over = s->sent + len == total;
	/* whoever sends acknowledges all that it has got, by the way */
	s->acked[!f->dir] = s->end[!f->dir].seq;
	rc = send(s, world, mirror, f->dir, GEN_TCP_ACK | (over ? GEN_TCP_PSH : 0), len, &at);
	if (rc < 0)
		return rc;
	s->sent += len;
	s->base_ns = s->next_ns;
	if (over && f->decides)
		s->decided_ns = at;
	if (s->burst_left > 0)
		s->burst_left--;
	if (over ? gen_rng_chance(&s->rng, world->profile->delayed_ack) : s->burst_left == 0) {
		s->acking = true;
		s->next_ns += f->dir == GEN_CLIENT ? LOCAL_ACK_NS : s->rtt_ns;
		return 1;
	}
	if (over)
		return next_flight(s);
	s->next_ns += SEGMENT_NS;
	return 1;
}

/* The opening and the ending. */
static int next_event(
	struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror)
{
	static const uint8_t flags[] = {
		[PHASE_SYN] = GEN_TCP_SYN,
		[PHASE_SYNACK] = GEN_TCP_SYN | GEN_TCP_ACK,
		[PHASE_ACK] = GEN_TCP_ACK,
		[PHASE_FIN] = GEN_TCP_FIN | GEN_TCP_ACK,
		[PHASE_FIN2] = GEN_TCP_FIN | GEN_TCP_ACK,
		[PHASE_LAST] = GEN_TCP_ACK,
		[PHASE_RST] = GEN_TCP_RST | GEN_TCP_ACK,
	};
	uint8_t closer = s->script->closer;
	uint8_t dir = s->phase == PHASE_SYNACK ? GEN_SERVER
		      : s->phase <= PHASE_ACK  ? GEN_CLIENT
		      : s->phase == PHASE_FIN2 ? !closer
					       : closer;
	uint64_t at;
	int rc;

	s->acked[!dir] = s->end[!dir].seq;
	rc = send(s, world, mirror, dir, flags[s->phase], 0, &at);
	s->base_ns = s->next_ns;
	if (s->phase >= PHASE_FIN2 && s->phase != PHASE_LAST && s->decided_ns == 0)
		s->decided_ns = at;
	if (rc < 0 || s->phase == PHASE_LAST || s->phase == PHASE_RST)
		return rc;
	if (s->phase == PHASE_ACK)
		return next_flight(s);
	s->phase++;
	wait_for(s, !dir, false, GEN_THINK_LINE);
	return 1;
}

int gen_session_next(
	struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror)
{
	if (s->acking)
		return next_ack(s, world, mirror);
	return s->phase == PHASE_TALK ? next_segment(s, world, mirror)
				      : next_event(s, world, mirror);
}
