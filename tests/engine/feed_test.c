/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Does a worker that feeds rings tell what one that keeps would have kept: the same records, and
 * the same counts in marks that stand in order, whatever the clock does?
 */

#include <string.h>

#include "pair.h"
#include "unit.h"

#define C     ET_CLIENT
#define S     ET_SERVER
#define FLOWS 1000

/* ---- conversations ---- */

static void established(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
	for (int i = 0; i < 5; i++)
		script_sealed(s, C, ET_TLS_APPLICATION, 60);
	script_sealed(s, S, ET_TLS_APPLICATION, 60);
}

static void established_and_left(struct script *s)
{
	established(s);
	script_fin(s, C);
	script_fin(s, S);
	script_text(s, S, "late");
}

static void refused(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
	script_fin(s, C);
}

static void slow(struct script *s) /* begun in one minute, decided in another */
{
	script_open(s);
	script_starttls(s);
	script_wait(s, 70);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
	script_fin(s, C);
}

static void clear(struct script *s)
{
	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 PIPELINING\r\n");
	script_text(s, C, "QUIT\r\n");
	script_text(s, S, "221 bye\r\n");
	script_rst(s, C);
}

static void silent(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
}

static void torn(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_skip(s, S, 900);
	script_client_finish(s);
	script_fin(s, C);
	script_fin(s, S);
}

/* The server's side comes when nobody waits for it any more. */
static void half(struct script *s)
{
	script_open(s);
	s->parcels[s->cnt - 2] = s->parcels[s->cnt - 1]; /* no SYN-ACK was seen */
	s->cnt--;
	script_client_hello(s, false);
	script_rst(s, C);
	script_alert(s, S, 2, 40);
}

static void no_mail(struct script *s)
{
	uint16_t port = s->server_port;

	s->server_port = 80;
	script_open(s);
	script_text(s, C, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
	for (int i = 0; i < 10; i++)
		script_sealed(s, S, 0, 1000);
	s->server_port = port;
}

static void nothing(struct script *s) /* opened, and left without a word */
{
	script_open(s);
	script_rst(s, C);
}

static void (*const conversations[])(struct script *) = { established_and_left, refused, clear,
	silent, torn, half, slow, no_mail, nothing, established };
#define CONVERSATIONS (sizeof(conversations) / sizeof(conversations[0]))

/* All conversations one after the other, each from a port of its own. */
static void give_all(struct pair *p, unsigned wait_s)
{
	for (size_t i = 0; i < CONVERSATIONS; i++) {
		p->script->client_port++;
		conversations[i](p->script);
		script_wait(p->script, wait_s);
		pair_give(p);
	}
}

static void test_records(void)
{
	struct pair *p = pair_new(FLOWS, FLOWS);

	for (int round = 0; round < 5; round++) {
		p->script->mss = round % 2 ? 1460 : 50;
		give_all(p, round % 2 ? 40 : 1);
	}
	pair_finish(p);
	pair_compare(p, &p->all, false);
	pair_compare(p, &p->closed, true);
	CU_ASSERT(p->all.sessions_cnt >= 5 * 8);
	pair_free(p);
}

static void test_no_closed_records(void)
{
	struct pair *p = pair_new(0, FLOWS);

	give_all(p, 10);
	pair_finish(p);
	pair_compare(p, &p->all, false);
	pair_free(p);
}

/* ---- minutes ---- */

/* While nobody falls silent, each minute's mark is the tally of the other. */
static void test_marks(void)
{
	struct pair *p = pair_new(0, FLOWS);
	const struct tallies *tallies;
	struct et_feed_mark soon;
	int64_t first_ns = p->script->now_ns;

	pair_idle(p, first_ns);
	for (int i = 0; i < 8; i++) {
		conversations[i % 3](p->script);
		pair_give(p);
		p->script->client_port++;
		worker_now(p->feeds)->frames += 10;
		worker_now(p->keeps)->frames += 10;
		worker_now(p->feeds)->bytes += 1000;
		worker_now(p->keeps)->bytes += 1000;
		worker_mark(p->feeds, &soon);
		CU_ASSERT(soon.frames > 0 && soon.frames % 10 == 0);
		CU_ASSERT_EQUAL(soon.minute_ns, et_time_minute(p->script->now_ns));
		CU_ASSERT_EQUAL(soon.flows_open, worker_flows(p->feeds));
		CU_ASSERT_EQUAL(soon.undecided_open, worker_undecided(p->feeds));
		script_wait(p->script, 25);
		pair_idle(p, p->script->now_ns);
	}
	pair_finish(p);
	tallies = worker_tallies(p->keeps);
	CU_ASSERT_FATAL(tallies->cnt == p->all.marks_cnt && tallies->cnt >= 3);
	for (size_t i = 0; i < tallies->cnt; i++) {
		const struct et_feed_mark *m = &p->all.marks[i];
		const struct tally *t = &tallies->v[i];

		CU_ASSERT_EQUAL(m->minute_ns, t->minute_ns);
		CU_ASSERT(i == 0 || m->minute_ns == m[-1].minute_ns + ET_NS_PER_MIN);
		CU_ASSERT(m->frames == t->frames && m->bytes == t->bytes);
		CU_ASSERT(m->flows_new == t->flows && m->flows_aged == t->aged);
		CU_ASSERT_EQUAL(memcmp(m->drops, t->drops, sizeof(t->drops)), 0);
	}
	CU_ASSERT_EQUAL(p->all.marks[0].first_ns, first_ns);
	CU_ASSERT_EQUAL(p->all.marks[p->all.marks_cnt - 1].end_ns, p->script->now_ns);
	for (size_t i = 0; i < p->all.sessions_cnt; i++)
		CU_ASSERT_EQUAL(et_time_minute(p->all.sessions[i].decided_ns),
			p->all.marks[p->all.stretch[i]].minute_ns);
	pair_free(p);
}

/* The mark says what worker_mark said last before it. */
static void test_mark_now(void)
{
	struct pair *p = pair_new(0, FLOWS);
	struct et_feed_mark soon;

	refused(p->script);
	pair_give(p);
	worker_now(p->feeds)->frames += 3;
	worker_now(p->keeps)->frames += 3;
	worker_mark(p->feeds, &soon);
	CU_ASSERT(soon.frames == 3 && soon.flows_new == 1 && soon.flows_open == 1);
	CU_ASSERT_EQUAL(soon.end_ns, soon.minute_ns + ET_NS_PER_MIN - 1);
	pair_idle(p, soon.end_ns); /* the last nanosecond is still of it */
	worker_mark(p->feeds, &soon);
	CU_ASSERT(soon.flows_aged == 0 && soon.flows_open == 0); /* it was closed: not aged */
	pair_drain(&p->all);
	CU_ASSERT_EQUAL(p->all.marks_cnt, 0);
	pair_idle(p, soon.end_ns + 1);
	pair_drain(&p->all);
	CU_ASSERT_EQUAL_FATAL(p->all.marks_cnt, 1);
	soon.workers = PAIR_WORKERS;
	soon.flows_open = soon.undecided_open = 0; /* what `complete` would have added */
	CU_ASSERT_EQUAL(memcmp(&p->all.marks[0], &soon, sizeof(soon)), 0);
	worker_mark(p->feeds, &soon);
	CU_ASSERT(soon.frames == 0 && soon.flows_new == 0);
	p->script->now_ns = soon.end_ns;
	pair_finish(p);
	pair_free(p);
}

/* An end long after the last frame: its minute is covered, and no more. */
static void test_late_end(void)
{
	struct pair *p = pair_new(0, FLOWS);

	refused(p->script);
	pair_give(p);
	script_wait(p->script, 200);
	pair_finish(p);
	CU_ASSERT_EQUAL_FATAL(p->all.marks_cnt, 1);
	CU_ASSERT_EQUAL(p->all.marks[0].end_ns, p->all.marks[0].minute_ns + ET_NS_PER_MIN - 1);
	pair_free(p);
}

/* Silence is noticed by the hand and by a late segment; both are counted and leave a record. */
static void test_aged(void)
{
	for (int late = 0; late < 2; late++) {
		struct pair *p = pair_new(FLOWS, FLOWS);
		uint64_t aged = 0;

		silent(p->script);
		pair_give(p);
		script_wait(p->script, ET_FLOW_IDLE_S - 1);
		pair_idle(p, p->script->now_ns);
		CU_ASSERT_EQUAL(worker_flows(p->feeds), 1);
		script_wait(p->script, 2);
		if (late)
			script_text(p->script, C, "late");
		pair_give(p);
		pair_idle(p, p->script->now_ns);
		CU_ASSERT_EQUAL(worker_flows(p->feeds), late);
		pair_drain(&p->closed);
		CU_ASSERT_EQUAL(p->closed.sessions_cnt, 1);
		pair_finish(p);
		for (size_t i = 0; i < p->all.marks_cnt; i++)
			aged += p->all.marks[i].flows_aged;
		CU_ASSERT_EQUAL(aged, 1);
		pair_compare(p, &p->closed, true);
		pair_free(p);
	}
}

/* A clock that goes back, by a little or by hours: what is counted stays in the minute told last. */
static void test_clock_goes_back(void)
{
	static const unsigned back_s[] = { 1, 30, 61, 3600, 86400 };

	for (size_t i = 0; i < sizeof(back_s) / sizeof(back_s[0]); i++) {
		struct pair *p = pair_new(FLOWS, FLOWS);
		int64_t top_ns;

		script_wait(p->script, 90);
		refused(p->script);
		pair_give(p);
		top_ns = p->script->now_ns;
		p->script->now_ns -= back_s[i] * ET_NS_PER_S;
		p->script->client_port++;
		refused(p->script);
		pair_give(p);
		pair_idle(p, p->script->now_ns);
		p->script->now_ns = top_ns;
		pair_finish(p);
		CU_ASSERT_EQUAL(p->all.marks_cnt, 1);
		CU_ASSERT_EQUAL(p->all.marks[0].minute_ns, et_time_minute(top_ns));
		CU_ASSERT_EQUAL(p->all.marks[0].flows_new, 2);
		CU_ASSERT_EQUAL(p->all.sessions_cnt, 2);
		pair_free(p);
	}
}

/* Stamps from damaged frames: each minute that is told is told once, later ones still count. */
static void test_far_times(void)
{
	static const int64_t stamps[] = { INT64_MIN, INT64_MIN + 1, -ET_NS_PER_MIN, -1, 0, 1,
		ET_NS_PER_MIN - 1, ET_NS_PER_MIN, INT64_C(1795343467) * ET_NS_PER_S,
		INT64_C(1795343467) * ET_NS_PER_S + 7 * 60 * ET_NS_PER_MIN, INT64_MAX / 2,
		INT64_MAX - ET_NS_PER_MIN, INT64_MAX - 1, INT64_MAX };
	const size_t cnt = sizeof(stamps) / sizeof(stamps[0]);

	for (size_t from = 0; from < cnt; from++) {
		struct pair *p = pair_new(FLOWS, FLOWS);
		struct script *s = p->script;
		int64_t clock_ns = INT64_MIN;

		/* once forward; then all again, while time stands */
		for (size_t i = from; i < 2 * cnt; i++) {
			int64_t ts_ns = stamps[i % cnt];

			clock_ns = ts_ns > clock_ns ? ts_ns : clock_ns;
			s->client_port++;
			if (i % 3 != 0)
				established(s);
			else
				silent(s);
			for (size_t j = 0; j < s->cnt; j++) {
				s->parcels[j].ts_ns = ts_ns;
				s->parcels[j].clock_ns = clock_ns;
			}
			pair_give(p);
			pair_idle(p, clock_ns);
		}
		s->now_ns = clock_ns;
		pair_finish(p);
		CU_ASSERT_EQUAL(p->all.sessions_cnt, 2 * cnt - from);
		CU_ASSERT_EQUAL(p->closed.sessions_cnt, 2 * cnt - from);
		CU_ASSERT_EQUAL(p->all.marks[p->all.marks_cnt - 1].end_ns, INT64_MAX);
		pair_free(p);
	}
}

/* ---- limits ---- */

static const struct et_session *session_of_port(const struct pipe *p, uint16_t client_port)
{
	for (size_t i = 0; i < p->sessions_cnt; i++)
		if (p->sessions[i].port[C] == client_port)
			return &p->sessions[i];
	return NULL;
}

/* Connections beyond the places: no closed record of theirs, all else as if there were room. */
static void test_places(void)
{
	struct pair *p = pair_new(2, FLOWS);
	struct script *s = p->script;
	const uint16_t first = s->client_port;
	uint32_t seq[5][2];

	for (uint16_t i = 0; i < 5; i++) {
		s->client_port = (uint16_t)(first + i);
		established(s);
		memcpy(seq[i], s->seq, sizeof(seq[i]));
	}
	for (uint16_t i = 0; i < 5; i++) {
		s->client_port = (uint16_t)(first + i);
		memcpy(s->seq, seq[i], sizeof(seq[i]));
		script_fin(s, C);
		script_fin(s, S);
	}
	pair_give(p);
	script_wait(s, ET_FLOW_CLOSED_S + 1);
	for (int i = 0; i < 10; i++)
		pair_idle(p, s->now_ns);
	CU_ASSERT_EQUAL(worker_flows(p->feeds), 0);
	for (uint16_t i = 5; i < 7; i++) { /* there is room again */
		s->client_port = (uint16_t)(first + i);
		established_and_left(s);
	}
	pair_finish(p);
	pair_compare(p, &p->all, false);
	CU_ASSERT_EQUAL(p->all.sessions_cnt, 7);
	CU_ASSERT_EQUAL(p->closed.sessions_cnt, 4);
	for (uint16_t i = 0; i < 7; i++)
		CU_ASSERT_EQUAL(session_of_port(&p->closed, (uint16_t)(first + i)) != NULL,
			i < 2 || i >= 5);
	pair_free(p);
}

/* A place comes back when its connection ends, and when it turns out that there is no record. */
static void test_places_come_back(void)
{
	struct pair *p = pair_new(1, FLOWS);
	struct script *s = p->script;

	for (unsigned i = 0; i < 10; i++) { /* the same endpoints: the new one ends the old */
		s->seq[C] += 100000;
		s->seq[S] += 100000;
		(i % 2 ? nothing : refused)(s);
		pair_give(p);
	}
	pair_finish(p);
	pair_compare(p, &p->closed, true);
	CU_ASSERT_EQUAL(p->closed.sessions_cnt, 5);
	pair_free(p);
}

/* A full table: who is evicted is counted, and has a record. */
static void test_evicted(void)
{
	struct pair *p = pair_new(FLOWS, 16);
	uint64_t evicted = 0;

	for (int i = 0; i < 40; i++) {
		p->script->client_port++;
		silent(p->script);
		pair_give(p);
	}
	pair_finish(p);
	for (size_t i = 0; i < p->all.marks_cnt; i++)
		evicted += p->all.marks[i].flows_evicted;
	CU_ASSERT(evicted > 0 && evicted < 40);
	CU_ASSERT_EQUAL(p->closed.sessions_cnt, 40);
	pair_free(p);
}

/* ---- shedding ---- */

struct shed {
	unsigned cnt[2]; /* by who sent the segment */
	uint16_t server_port;
};

static void count_shed(void *ctx, const struct et_segment *segment)
{
	struct shed *shed = ctx;

	shed->cnt[segment->src_port == shed->server_port ? S : C]++;
}

/* A segment without bytes to read, as they are of no interest any more. */
static void long_segment(struct script *s, enum et_dir dir, uint32_t len)
{
	script_segment(s, dir, ET_TCP_ACK, NULL, 0);
	s->parcels[s->cnt - 1].segment.len = len;
	script_skip(s, dir, len);
}

/* Once for each side, by the byte that reaches the limit, and not again when counters wrap. */
static void test_shed(void)
{
	static const struct {
		enum et_dir dir;
		uint32_t len;
		unsigned client, server;
	} rows[] = {
		{ S, 9000, 0, 0 },
		{ C, 9998, 0, 0 },
		{ C, 1, 0, 0 },
		{ C, 1, 1, 0 },
		{ C, 1, 1, 0 },
		{ S, 999, 1, 0 },
		{ S, 70000, 1, 1 },
		{ S, UINT32_MAX - 80000 + 2, 1, 1 }, /* 2^32 and a few */
		{ S, 20000, 1, 1 },
		{ C, UINT32_MAX - 5, 1, 1 },
		{ C, 20000, 1, 1 },
	};
	struct pair *p = pair_new(0, FLOWS);
	struct script *s = p->script;
	struct shed shed = { .server_port = s->server_port };
	uint32_t sent[2] = { 0 };

	established(s);
	for (size_t i = 0; i < s->cnt; i++)
		sent[s->parcels[i].segment.src_port == s->server_port ? S : C] +=
			s->parcels[i].segment.len;
	CU_ASSERT_FATAL(sent[C] != sent[S]);
	pair_give(p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		/* the rows are written for sides that have sent nothing before */
		worker_shed(p->feeds, 10000 + (rows[i].dir == C ? sent[C] : sent[S]), count_shed,
			&shed);
		long_segment(s, rows[i].dir, rows[i].len);
		pair_give(p);
		CU_ASSERT_EQUAL(shed.cnt[C], rows[i].client);
		CU_ASSERT_EQUAL(shed.cnt[S], rows[i].server);
	}
	pair_free(p);
}

/* Not while it is parsed; and a limit of 0 is none. */
static void test_shed_undecided(void)
{
	struct pair *p = pair_new(0, FLOWS);
	struct shed shed = { .server_port = p->script->server_port };
	struct et_feed_mark soon;

	worker_shed(p->feeds, 10, count_shed, &shed);
	silent(p->script);
	pair_give(p);
	worker_mark(p->feeds, &soon);
	CU_ASSERT(soon.undecided_open == 1 && soon.flows_open == 1);
	CU_ASSERT_EQUAL(shed.cnt[C] + shed.cnt[S], 0);
	worker_shed(p->feeds, 0, count_shed, &shed);
	p->script->client_port++;
	established(p->script);
	long_segment(p->script, S, 1 << 20);
	pair_give(p);
	CU_ASSERT_EQUAL(shed.cnt[C] + shed.cnt[S], 0);
	pair_free(p);
}

int main(void)
{
	CU_TestInfo tests[] = { { "records", test_records },
		{ "no closed records", test_no_closed_records }, { "marks", test_marks },
		{ "mark now", test_mark_now }, { "late end", test_late_end }, { "aged", test_aged },
		{ "clock goes back", test_clock_goes_back }, { "far times", test_far_times },
		{ "places", test_places }, { "places come back", test_places_come_back },
		{ "evicted", test_evicted }, { "shed", test_shed },
		{ "shed undecided", test_shed_undecided }, CU_TEST_INFO_NULL };

	return unit_run("engine-feed", tests);
}
