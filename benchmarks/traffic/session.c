#include "session.h"

#include <math.h>
#include <string.h>

#define SAME_SIDE_NS 18000 /* between two writes of one side */
#define RESET_SHARE  0.08  /* established sessions that end in RST */
#define PARTIAL_MIN  64    /* plaintext bytes of a last record */

/* The writes' think times, in microseconds: what a mail server does before it answers. */
#define THINK_NET    60
#define THINK_LINE   700
#define THINK_CRYPTO 1800
#define THINK_BANNER 9000
#define THINK_QUEUE  25000

struct builder {
	struct et_session *s;
	const struct et_mix *mix;
	struct et_rng rng;
	uint8_t last_dir;
};

static uint8_t local_dir(const struct et_session *s)
{
	return s->inbound ? ET_SERVER : ET_CLIENT;
}

static struct et_step *add_step(
	struct builder *b, enum et_step_kind kind, uint8_t dir, double think_us)
{
	struct et_session *s = b->s;
	struct et_step *st = &s->steps[s->step_cnt++];
	double think = et_rng_lognormal(&b->rng, think_us, 0.6) * 1000.0;

	*st = (struct et_step){ .kind = (uint8_t)kind, .dir = dir };
	st->lone_ack = et_rng_unit(&b->rng) < b->mix->lone_ack;
	if (s->step_cnt > 1 && dir == b->last_dir)
		st->wait_ns = SAME_SIDE_NS + et_rng_below(&b->rng, 40000);
	else
		st->wait_ns = (uint64_t)think + (dir == local_dir(s) ? 0 : s->rtt_ns);
	b->last_dir = dir;
	return st;
}

static void add_data(struct builder *b, uint8_t dir, const void *data, size_t len, double think_us)
{
	struct et_step *st = add_step(b, ET_STEP_DATA, dir, think_us);

	st->data = data;
	st->len = len;
}

static void add_opening(struct builder *b)
{
	add_step(b, ET_STEP_SYN, ET_CLIENT, THINK_NET);
	add_step(b, ET_STEP_SYNACK, ET_SERVER, THINK_NET);
	add_step(b, ET_STEP_ACK, ET_CLIENT, THINK_NET);
}

static void add_ending(struct builder *b)
{
	uint8_t first = b->last_dir;

	add_step(b, ET_STEP_FIN, first, THINK_NET);
	add_step(b, ET_STEP_FIN, !first, THINK_NET);
	add_step(b, ET_STEP_ACK, first, THINK_NET);
}

static void add_lines(struct builder *b)
{
	const struct et_dialogue *d = &b->s->dialogue;

	for (unsigned i = 0; i < d->cnt; i++) {
		const struct et_line *line = &d->lines[i];
		double think = i == 0 ? THINK_BANNER : THINK_LINE;

		if (line->bulk) {
			struct et_step *st = add_step(b, ET_STEP_BULK, line->dir, THINK_LINE);

			st->len = b->s->bulk.head_len + b->s->bulk.body_len + b->s->bulk.tail_len;
			continue;
		}
		if (i > 0 && d->lines[i - 1].bulk)
			think = THINK_QUEUE;
		add_data(b, line->dir, line->text, strlen(line->text), think);
	}
}

/* The flight as this session sends it: with its own randoms where the recording has randoms. */
static const uint8_t *patched(
	struct et_session *s, const struct et_flight *f, const uint8_t random[2][32])
{
	const struct et_recording *r = s->rec;
	uint8_t *copy = NULL;

	for (uint32_t i = 0; i < r->patch_cnt; i++) {
		const struct et_patch *p = &r->patches[i];

		if (p->off < f->off || p->off >= f->off + f->len)
			continue;
		if (!copy) {
			if (s->used + f->len > sizeof(s->buf))
				break; /* larger than any flight here: stays as recorded */
			copy = s->buf + s->used;
			memcpy(copy, r->bytes + f->off, f->len);
			s->used += f->len;
		}
		memcpy(copy + (p->off - f->off), random[p->dir], p->keep_tail ? 24 : 32);
	}
	return copy ? copy : r->bytes + f->off;
}

static void add_flights(struct builder *b)
{
	struct et_session *s = b->s;
	const struct et_recording *r = s->rec;
	bool reset = r->version && et_rng_unit(&b->rng) < RESET_SHARE;
	uint8_t random[2][32];
	double think = THINK_CRYPTO;

	et_rng_bytes(&b->rng, random[0], sizeof(random));
	for (uint32_t i = 0; i < r->flight_cnt; i++) {
		const struct et_flight *f = &r->flights[i];

		if (reset && i + 1 == r->flight_cnt) {
			add_step(b, ET_STEP_RST, f->dir, THINK_NET);
			return;
		}
		if (f->bulk) {
			struct et_step *st = add_step(b, ET_STEP_BULK, f->dir, THINK_LINE);

			st->len = s->bulk.body_len;
			think = THINK_QUEUE;
			continue;
		}
		add_data(b, f->dir, patched(s, f, random), f->len, think);
		think = i < 4 ? THINK_CRYPTO : THINK_LINE;
	}
	add_ending(b);
}

/* A body of about that many bytes, as records cut from the recording's bulk. */
static void size_secret(struct et_session *s, uint64_t body_len)
{
	const struct et_recording *r = s->rec;
	uint32_t record = r->profile->record, rest = (uint32_t)(body_len % record);

	if (!r->bulk)
		return;
	if (rest < PARTIAL_MIN)
		rest = PARTIAL_MIN;
	/* whole cipher blocks less than a full record: the length of a CBC record stays possible */
	s->bulk.last_wire = r->bulk_wire - (record - rest) / 16 * 16;
	s->bulk.body_len = body_len / record * r->bulk_wire + s->bulk.last_wire;
}

static void set_local(struct et_end *e, const struct et_session *s)
{
	static const uint8_t mac[6] = { 0x02, 0, 0x5e, 0, 0, 0x19 };
	uint8_t host = !s->inbound ? 30 : !s->rec ? 25 : s->rec->server_name[2] == '2' ? 26 : 25;

	if (s->peer->v6) {
		const uint8_t ip[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = host };

		memcpy(e->ip, ip, 16);
	} else {
		const uint8_t ip[4] = { 192, 0, 2, host };

		memcpy(e->ip, ip, 4);
	}
	memcpy(e->mac, mac, 6);
	e->ttl = 64;
	e->win_scale = 7;
	e->window = 501;
}

static void set_remote(struct et_end *e, const struct et_peer *p)
{
	static const uint8_t mac[6] = { 0x02, 0, 0x5e, 0, 0, 0x01 };

	memcpy(e->ip, p->ip, 16);
	memcpy(e->mac, mac, 6);
	e->ttl = (uint8_t)((p->windows ? 128 : 64) - p->hops);
	e->win_scale = p->windows ? 8 : 7;
	e->window = p->windows ? 1026 : 501;
}

static void set_ends(struct builder *b, struct et_peer *peer)
{
	struct et_session *s = b->s;
	uint8_t local = local_dir(s);

	memset(s->end, 0, sizeof(s->end));
	set_local(&s->end[local], s);
	set_remote(&s->end[!local], peer);
	for (unsigned i = 0; i < 2; i++) {
		s->end[i].seq = (uint32_t)et_rng_next(&b->rng);
		s->end[i].ip_id = (uint16_t)et_rng_next(&b->rng);
		s->end[i].ts_base = (uint32_t)et_rng_next(&b->rng);
	}
	s->end[ET_CLIENT].port = peer->next_port++;
	if (peer->next_port >= 61000)
		peer->next_port = 32768;
	s->end[ET_SERVER].port = peer->service_port;
	s->timestamps = !peer->windows;
}

static enum et_class draw_class(const struct et_mix *mix, struct et_rng *rng)
{
	double u = et_rng_unit(rng);

	for (enum et_class c = 0; c + 1 < ET_CLASS_CNT; c++) {
		u -= mix->share[c];
		if (u < 0)
			return c;
	}
	return ET_CLASS_CNT - 1;
}

static void write_script(struct builder *b, uint64_t body_len)
{
	struct et_session *s = b->s;
	const struct et_peer *p = s->peer;
	struct et_scene scene = {
		.server = p->mta,
		.client_name = s->inbound ? p->name : "out1.gateway.example",
		.server_name = s->rec       ? s->rec->server_name
			       : s->inbound ? ET_HOST_MX1
					    : p->name,
		.client_ip = s->inbound ? p->ip_text : "192.0.2.30",
		.offer = s->offered,
		.chunked = p->chunked && s->offered,
		.pipelined = !p->windows && s->offered,
		/* some of those that do not ask for TLS are that old */
		.helo = !s->rec && s->inbound && p->hops % 4 == 0,
	};

	add_opening(b);
	if (s->rec) {
		et_dialogue_starttls(&s->dialogue, &scene);
		add_lines(b);
		size_secret(s, body_len);
		add_flights(b);
		return;
	}
	if (scene.helo)
		scene.pipelined = scene.chunked = s->offered = false;
	body_len = (body_len / ET_TEXT_LINE + 1) * ET_TEXT_LINE;
	et_dialogue_clear(&s->dialogue, &b->rng, &scene, body_len);
	for (unsigned i = 0; i < s->dialogue.cnt; i++)
		if (s->dialogue.lines[i].bulk)
			s->bulk.head = (const uint8_t *)s->dialogue.lines[i].text;
	s->bulk.head_len = (uint32_t)strlen((const char *)s->bulk.head);
	s->bulk.start = et_rng_below(&b->rng, ET_TEXT_LINES);
	s->bulk.body_len = body_len;
	s->bulk.tail = ".\r\n";
	s->bulk.tail_len = scene.chunked ? 0 : 3;
	add_lines(b);
	add_ending(b);
}

void et_session_make(struct et_session *s, struct et_world *world, uint64_t id, uint64_t start_ns)
{
	struct builder b = { .s = s, .mix = world->mix };
	struct et_peer *peer;
	enum et_class class;
	double body;

	et_rng_seed(&b.rng, world->seed, id);
	class = draw_class(world->mix, &b.rng);
	peer = et_peers_draw(&world->peers, &b.rng, class);
	s->id = id;
	s->start_ns = start_ns;
	s->peer = peer;
	s->rec = class == ET_CLASS_TLS13_RESUMED || class == ET_CLASS_TLS12_RESUMED ? peer->resumed
										    : peer->full;
	s->inbound = peer->inbound;
	s->offered = s->rec || peer->inbound;
	s->rtt_ns = (uint64_t)((double)peer->rtt_ns * (0.95 + 0.1 * et_rng_unit(&b.rng)));
	s->step_cnt = 0;
	s->used = 0;
	s->bulk = (struct et_bulk){ 0 };
	set_ends(&b, peer);
	body = et_rng_lognormal(&b.rng, world->mix->mail_median, world->mix->mail_sigma);
	write_script(&b, (uint64_t)fmin(body, world->mix->mail_max) + 1);
}

/* One piece of the body from off on, at most n bytes, which does not cross a border. */
static uint32_t secret_piece(const struct et_session *s, uint8_t *out, uint64_t off, uint32_t n)
{
	const struct et_recording *r = s->rec;
	uint64_t record = off / r->bulk_wire;
	uint32_t at = (uint32_t)(off % r->bulk_wire);
	bool last = record == (s->bulk.body_len - s->bulk.last_wire) / r->bulk_wire;
	uint32_t wire = last ? s->bulk.last_wire : r->bulk_wire;
	const uint8_t *from = r->bulk + record % r->bulk_cnt * r->bulk_wire;
	uint32_t left = wire - at;

	if (n > left)
		n = left;
	memcpy(out, from + at, n);
	for (uint32_t i = at; last && i < 5 && i < at + n; i++)
		if (i >= 3) /* the shorter record's own length */
			out[i - at] = (uint8_t)(i == 3 ? (wire - 5) >> 8 : wire - 5);
	return n;
}

static uint32_t clear_piece(
	const struct et_session *s, const uint8_t *text, uint8_t *out, uint64_t off, uint32_t n)
{
	const struct et_bulk *b = &s->bulk;
	const uint8_t *from = b->head;
	uint64_t left = b->head_len, pool = (uint64_t)ET_TEXT_LINES * ET_TEXT_LINE;

	if (off >= b->head_len + b->body_len) {
		off -= b->head_len + b->body_len;
		from = (const uint8_t *)b->tail;
		left = b->tail_len;
	} else if (off >= b->head_len) {
		uint64_t body = off - b->head_len;

		off = ((uint64_t)b->start * ET_TEXT_LINE + body) % pool;
		from = text;
		left = b->body_len - body < pool - off ? off + b->body_len - body : pool;
	}
	if (n > left - off)
		n = (uint32_t)(left - off);
	memcpy(out, from + off, n);
	return n;
}

void et_session_bulk(const struct et_session *s, const struct et_world *world, uint8_t *out,
	uint64_t off, uint32_t n)
{
	while (n > 0) {
		uint32_t done = s->rec ? secret_piece(s, out, off, n)
				       : clear_piece(s, world->text, out, off, n);

		out += done;
		off += done;
		n -= done;
	}
}
