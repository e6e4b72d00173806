/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#include <string.h>

#define TYPE_HEARTBEAT 24 /* RFC 6520 */

void et_tls_init(struct et_tls *tls)
{
	memset(tls, 0, sizeof(*tls));
}

void et_tls_done(struct et_tls *tls, struct et_tls_env *env)
{
	for (int dir = ET_CLIENT; dir <= ET_SERVER; dir++) {
		struct tls_ctx c = { .tls = tls, .env = env, .side = &tls->side[dir] };

		et_tls_collect_end(&c);
	}
}

uint32_t et_tls_put(struct tls_ctx *c, struct et_dict *dict, struct et_view bytes)
{
	uint32_t id = et_dict_put(dict, NULL, bytes);

	if (id == ET_DICT_NONE)
		et_tls_drop(c, ET_DROP_DICT);
	return id;
}

/* RFC 8446 5.1; the limit on length is the laxer one of RFC 5246 6.2.3. */
enum et_parse et_tls_judge_record(const uint8_t *p, size_t n)
{
	if (n > 0 && (p[0] < ET_TLS_CCS || p[0] > TYPE_HEARTBEAT))
		return ET_PARSE_BAD;
	if (n > 1 && p[1] != 3)
		return ET_PARSE_BAD;
	if (n > 2 && p[2] > 4)
		return ET_PARSE_BAD;
	if (n > 3 && p[3] > TLS_RECORD_MAX >> 8)
		return ET_PARSE_BAD;
	if (n < TLS_RECORD_HEAD)
		return ET_PARSE_MORE;
	return (p[3] << 8 | p[4]) <= TLS_RECORD_MAX ? ET_PARSE_OK : ET_PARSE_BAD;
}

static enum et_parse judge_tls(enum et_dir dir, const uint8_t *p, size_t n)
{
	(void)dir;
	return et_tls_judge_record(p, n);
}

/* The first record of TLS is a hello, or the alert of a server that wants none. */
static enum et_parse probe_tls(const uint8_t *p, size_t n)
{
	enum et_parse verdict = et_tls_judge_record(p, n < TLS_RECORD_HEAD ? n : TLS_RECORD_HEAD);
	bool alert = n > 0 && p[0] == ET_TLS_ALERT;

	if (verdict == ET_PARSE_BAD || (n > 0 && !alert && p[0] != ET_TLS_HANDSHAKE))
		return ET_PARSE_BAD;
	if (n < TLS_RECORD_HEAD)
		return ET_PARSE_MORE;
	if (alert ? p[3] != 0 || p[4] != 2 : p[3] == 0 && p[4] == 0)
		return ET_PARSE_BAD;
	if (n == TLS_RECORD_HEAD)
		return ET_PARSE_MORE;
	if (alert)
		return p[5] == 1 || p[5] == 2 ? ET_PARSE_OK : ET_PARSE_BAD;
	return p[5] <= TLS_SERVER_HELLO || p[5] == TLS_HELLO_RETRY_DRAFT ? ET_PARSE_OK
									 : ET_PARSE_BAD;
}

enum et_parse et_tls_probe(struct et_view bytes)
{
	enum et_parse client, server;

	if (bytes.n == 0 || !(bytes.p[0] & 0x80))
		return probe_tls(bytes.p, bytes.n);
	client = et_tls_judge_sslv2(ET_CLIENT, bytes.p, bytes.n);
	server = et_tls_judge_sslv2(ET_SERVER, bytes.p, bytes.n);
	if (client == ET_PARSE_OK || server == ET_PARSE_OK)
		return ET_PARSE_OK;
	return client == ET_PARSE_MORE || server == ET_PARSE_MORE ? ET_PARSE_MORE : ET_PARSE_BAD;
}

enum et_parse et_tls_take_head(struct tls_ctx *c, const uint8_t **head, struct et_cur *in,
	size_t want, enum et_parse (*judge)(enum et_dir, const uint8_t *, size_t))
{
	struct et_tls_side *side = c->side;
	size_t n = want - side->head_n;
	enum et_parse verdict;

	if (n > in->n)
		n = in->n;
	if (side->head_n == 0 && n == want) {
		*head = in->p;
	} else {
		memcpy(side->head + side->head_n, in->p, n);
		*head = side->head;
	}
	verdict = judge(c->dir, *head, side->head_n + n);
	if (verdict == ET_PARSE_BAD) {
		side->head_n = 0;
		return verdict;
	}
	et_take(in, n);
	side->head_n = verdict == ET_PARSE_OK ? 0 : (uint8_t)(side->head_n + n);
	return verdict;
}

/* Two bytes of alert and their wrapping are no message. */
static void talk(struct et_tls_side_facts *mine, struct et_tls_side_facts *other)
{
	if (other->app_records > 0 && mine->talk.replies < UINT16_MAX)
		mine->talk.replies++;
	if (mine->talk.heard && mine->talk.turns < UINT8_MAX)
		mine->talk.turns++;
	mine->talk.heard = false;
	other->talk.heard = true;
}

/* O(1) a record: what is known of application data without looking at it. */
void et_tls_application(struct tls_ctx *c)
{
	struct et_tls_side_facts *mine = c->mine;

	if (mine->app_records < ET_TLS_LENS)
		mine->app_len[mine->app_records] = (uint16_t)c->side->record_len;
	if (mine->app_records++ == 0)
		mine->app_first_ns = c->ts_ns;
	if (c->side->record_len > ET_TLS_ALERT_LEN)
		talk(mine, &c->tls->facts.side[et_dir_other(c->dir)]);
	mine->app_last_len = (uint16_t)c->side->record_len;
	mine->app_last_is_end = true;
}

/*
 * Whether this direction's CCS means that keys are used from here on. It does not in TLS 1.3
 * (RFC 8446 D.4), where a second hello or an alert in clear can follow it. Only what the same
 * direction said counts, so that the answer does not depend on which one is shown first.
 */
static bool ccs_means_keys(const struct tls_ctx *c)
{
	if (c->dir == ET_SERVER)
		return (c->mine->seen & ET_TLS_SAW_SERVER_HELLO) &&
		       c->tls->facts.version < ET_TLSV1_3;
	return (c->mine->seen & ET_TLS_SAW_CLIENT_KEY_EXCHANGE) ||
	       ((c->mine->seen & ET_TLS_SAW_CLIENT_HELLO) && !c->tls->offers_tls13);
}

static void ccs_record(struct tls_ctx *c)
{
	const uint32_t full = ET_TLS_SAW_CERTIFICATE | ET_TLS_SAW_SERVER_KEY_EXCHANGE |
			      ET_TLS_SAW_SERVER_HELLO_DONE;

	if (c->side->keys == TLS_ENCRYPTED)
		return;
	if (c->side->record_len != 1) {
		et_tls_drop(c, ET_DROP_TLS_RECORD);
		return;
	}
	c->mine->seen |= ET_TLS_SAW_CCS;
	c->side->keys = ccs_means_keys(c) ? TLS_ENCRYPTED : TLS_COMPAT;
	/* abbreviated handshake: RFC 5246 7.3 figure 2 */
	if (c->dir == ET_SERVER && c->side->keys == TLS_ENCRYPTED && !(c->mine->seen & full) &&
		!c->mine->lost)
		c->tls->facts.resumed = true;
}

void et_tls_saw_finished(struct tls_ctx *c)
{
	if (c->mine->seen & ET_TLS_SAW_FINISHED)
		return;
	c->mine->seen |= ET_TLS_SAW_FINISHED;
	c->mine->finished_ns = c->ts_ns;
}

void et_tls_begin_record(struct tls_ctx *c, const uint8_t head[static TLS_RECORD_HEAD])
{
	struct et_tls_side *side = c->side;

	side->type = head[0];
	side->record_version = (uint16_t)(head[1] << 8 | head[2]);
	side->record_len = side->record_left = (uint32_t)(head[3] << 8 | head[4]);
	side->state = side->record_left ? TLS_BODY : TLS_HEAD;
	c->mine->records++;
	c->mine->app_last_is_end = false;
	/* a message may not be interleaved with keys or data: RFC 8446 5.1 */
	if ((side->type == ET_TLS_CCS || side->type == ET_TLS_APPLICATION) && side->msg_head_n) {
		et_tls_lose(c, ET_DROP_TLS_MESSAGE);
		et_tls_collect_end(c);
	}
	switch (side->type) {
	case ET_TLS_APPLICATION: et_tls_application(c); break;
	case ET_TLS_CCS: ccs_record(c); break;
	case ET_TLS_ALERT: et_tls_alert_record(c); break;
	case ET_TLS_HANDSHAKE:
		if (side->keys == TLS_ENCRYPTED && side->record_len > 0)
			et_tls_saw_finished(c);
		break;
	default: break;
	}
}

static void body(struct tls_ctx *c, struct et_cur *in)
{
	struct et_tls_side *side = c->side;
	size_t n = in->n < side->record_left ? in->n : side->record_left;
	struct et_view view = et_take(in, n);
	struct et_cur part = et_cur_view(view);

	side->record_left -= (uint32_t)n;
	if (side->record_left == 0)
		side->state = TLS_HEAD;
	if (side->type == ET_TLS_ALERT) {
		et_tls_alert_bytes(c, &part);
	} else if (side->type == ET_TLS_HANDSHAKE) {
		if (side->keys == TLS_CLEAR)
			et_tls_message_bytes(c, &part);
		else if (side->keys != TLS_ENCRYPTED)
			et_tls_settle(c, &part);
	}
}

/* False: what is next in this direction is not TLS. */
static bool head(struct tls_ctx *c, struct et_cur *in)
{
	bool typed = c->side->head_n > 0 || et_tls_judge_record(in->p, 1) != ET_PARSE_BAD;
	const uint8_t *p;

	switch (et_tls_take_head(c, &p, in, TLS_RECORD_HEAD, judge_tls)) {
	case ET_PARSE_OK: et_tls_begin_record(c, p); return true;
	case ET_PARSE_MORE: return true;
	default:
		/* text that follows an alert is no damage; half a record header is */
		if (typed)
			et_tls_lose(c, ET_DROP_TLS_RECORD);
		return false;
	}
}

static bool start(struct tls_ctx *c, struct et_cur *in)
{
	struct et_tls_side *side = c->side;
	const uint8_t *first = side->head_n ? side->head : in->p;
	size_t first_n = side->head_n ? side->head_n : in->n;
	size_t want;
	const uint8_t *p;

	if (!(first[0] & 0x80))
		return head(c, in);
	want = et_tls_sslv2_head(c->dir, first, first_n);
	switch (et_tls_take_head(c, &p, in, want, et_tls_judge_sslv2)) {
	case ET_PARSE_OK: et_tls_sslv2_begin(c, p, want, in); return true;
	case ET_PARSE_MORE: return true;
	default: return false;
	}
}

static bool step(struct tls_ctx *c, struct et_cur *in)
{
	switch ((enum tls_state)c->side->state) {
	case TLS_START: return start(c, in);
	case TLS_HEAD: return head(c, in);
	case TLS_BODY: body(c, in); return true;
	case TLS_RESYNC: et_tls_resync(c, in); return true;
	case TLS_V2_NEXT:
		if (c->side->head_n == 0 && et_tls_judge_record(in->p, 1) != ET_PARSE_BAD)
			c->side->state = TLS_HEAD;
		else
			c->side->state = TLS_V2_HEAD;
		return true;
	case TLS_V2_HEAD: return et_tls_sslv2_next(c, in);
	case TLS_V2_BODY: et_tls_sslv2_body(c, in); return true;
	case TLS_V2_BLIND: et_take(in, in->n); return true;
	}
	return false;
}

size_t et_tls_feed(struct et_tls *tls, struct et_tls_env *env, enum et_dir dir,
	struct et_view bytes, int64_t ts_ns)
{
	struct et_tls_side *side = &tls->side[dir];
	struct tls_ctx c = { .tls = tls,
		.env = env,
		.side = side,
		.mine = &tls->facts.side[dir],
		.dir = dir,
		.ts_ns = ts_ns };
	struct et_cur in = et_cur_view(bytes);

	while (in.n > 0 && step(&c, &in))
		;
	if (in.n < bytes.n && c.mine->first_ns == 0)
		c.mine->first_ns = ts_ns;
	c.mine->cut_message = side->head_n > 0 || side->msg_head_n > 0 || side->doubt_n > 0 ||
			      side->state == TLS_BODY || side->state == TLS_V2_BODY;
	return bytes.n - in.n;
}
