/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define SEED 7

static void pipe_open(struct pipe *p, const struct et_books *books, unsigned mark)
{
	static uint32_t number;
	struct et_ring_options options = { .id = { .generation = 1, .worker = number++ },
		.bytes = ET_RING_BYTES_MIN,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
	struct et_feed_outlet_options feed = {
		.books = books, .mark = mark, .max_peers = 16, .max_cells = 256
	};
	char error[ET_RING_ERROR];

	snprintf(options.id.sensor, sizeof(options.id.sensor), "test-ledger-%d", (int)getpid());
	p->writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->writer);
	p->reader = et_ring_attach(error, &options.id, et_feed_layout());
	et_ring_unlink(&options.id); /* both ends are attached: nothing can be left behind */
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->reader);
	CU_ASSERT_FATAL(et_books_init(&p->books, 1000, 1 << 20) == 0);
	p->outlet = et_feed_outlet_new(p->writer, &feed);
	p->inlet = et_feed_inlet_new(p->reader, &p->books);
	CU_ASSERT_FATAL(p->outlet && p->inlet);
}

static void pipe_free(struct pipe *p)
{
	if (!p->writer)
		return;
	et_feed_inlet_free(p->inlet);
	et_feed_outlet_free(p->outlet);
	et_books_free(&p->books);
	et_ring_close(p->reader);
	et_ring_close(p->writer);
}

static void complete(void *ctx, struct et_feed_mark *mark)
{
	struct pair *pair = ctx;

	pair->completed++;
	mark->workers = PAIR_WORKERS;
}

struct pair *pair_new(uint32_t records, uint32_t flows)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct worker_limits limits = { .flows = flows,
		.undecided = 100,
		.hold_blocks = 1000,
		.message_bytes = 1 << 20,
		.dict_entries = 1000,
		.dict_bytes = 1 << 20 };
	struct ledger_feed feed = {
		.records = records ? records : flows, .complete = complete, .ctx = p
	};

	CU_ASSERT_FATAL(p && (p->script = script_new(25)));
	p->keeps = worker_new(&limits, p->script->db, &p->script->ports, SEED);
	limits.endless = true;
	p->feeds = worker_new(&limits, p->script->db, &p->script->ports, SEED);
	CU_ASSERT_FATAL(p->keeps && p->feeds);
	pipe_open(&p->all, worker_books(p->feeds), 0);
	feed.outlet = p->all.outlet;
	if (records > 0) {
		pipe_open(&p->closed, worker_books(p->feeds), 1);
		feed.closed = p->closed.outlet;
	}
	CU_ASSERT_FATAL(worker_feed(p->feeds, &feed) == 0);
	return p;
}

void pair_free(struct pair *p)
{
	worker_free(p->feeds);
	worker_free(p->keeps);
	pipe_free(&p->all);
	pipe_free(&p->closed);
	script_free(p->script);
	free(p);
}

void pair_give(struct pair *p)
{
	struct script *s = p->script;

	for (size_t i = 0; i < s->cnt; i++) {
		s->parcels[i].hash = et_flow_hash(&s->parcels[i].key, SEED);
		worker_burst(p->feeds, &s->parcels[i], 1);
		worker_burst(p->keeps, &s->parcels[i], 1);
	}
	s->cnt = s->used = 0;
}

void pair_idle(struct pair *p, int64_t clock_ns)
{
	worker_idle(p->feeds, clock_ns);
	worker_idle(p->keeps, clock_ns);
}

void pair_drain(struct pipe *p)
{
	struct et_feed_item item;
	uint64_t bad = 0;

	while (p->inlet && et_feed_read(p->inlet, &item, &bad)) {
		if (item.kind == ET_FEED_SESSION) {
			CU_ASSERT_FATAL(p->sessions_cnt < SESSIONS);
			p->stretch[p->sessions_cnt] = p->marks_cnt;
			p->sessions[p->sessions_cnt++] = item.session;
		} else {
			CU_ASSERT_FATAL(item.kind == ET_FEED_MARK && p->marks_cnt < MARKS);
			p->marks[p->marks_cnt++] = item.mark;
		}
	}
	CU_ASSERT_EQUAL(bad, 0);
}

/* What holds for the marks of any ring, and for sessions between them. */
static void check_marks(const struct pipe *p)
{
	for (size_t i = 0; i < p->marks_cnt; i++) {
		const struct et_feed_mark *m = &p->marks[i];

		CU_ASSERT_EQUAL(m->minute_ns, et_time_minute(m->minute_ns));
		CU_ASSERT_EQUAL(m->minutes, 1);
		CU_ASSERT_EQUAL(m->workers, PAIR_WORKERS);
		CU_ASSERT(m->first_ns <= m->end_ns);
		CU_ASSERT_EQUAL(et_time_minute(m->first_ns), m->minute_ns);
		CU_ASSERT_EQUAL(et_time_minute(m->end_ns - m->minute_ns), 0);
		CU_ASSERT_EQUAL(m->flows_evicted, m->drops[ET_DROP_FLOW_TABLE]);
		if (i == 0)
			continue;
		CU_ASSERT(m->minute_ns > m[-1].minute_ns);
		CU_ASSERT_EQUAL(m->first_ns, m->minute_ns);
	}
	for (size_t i = 0; i < p->sessions_cnt; i++) {
		CU_ASSERT_FATAL(p->stretch[i] < p->marks_cnt);
		/* it may be noticed later, when a connection has ended by silence */
		CU_ASSERT(p->sessions[i].decided_ns >= p->sessions[i].start_ns);
		CU_ASSERT(p->sessions[i].decided_ns <= p->marks[p->stretch[i]].end_ns);
	}
}

/* The counts of all minutes, as a tally of the keeping worker. */
static struct tally sum_of_marks(const struct pipe *p)
{
	struct tally sum = { 0 };

	for (size_t i = 0; i < p->marks_cnt; i++) {
		const struct et_feed_mark *m = &p->marks[i];
		struct tally one = { .frames = m->frames,
			.bytes = m->bytes,
			.flows = m->flows_new,
			.aged = m->flows_aged,
			.order = m->order };

		memcpy(one.drops, m->drops, sizeof(one.drops));
		tally_add(&sum, &one);
	}
	return sum;
}

static struct tally sum_of_tallies(const struct worker *w)
{
	const struct tallies *tallies = worker_tallies(w);
	struct tally sum = { 0 };

	for (size_t i = 0; i < tallies->cnt; i++)
		tally_add(&sum, &tallies->v[i]);
	return sum;
}

void pair_finish(struct pair *p)
{
	struct tally fed, kept;

	pair_give(p);
	worker_finish(p->feeds, p->script->now_ns);
	worker_finish(p->keeps, p->script->now_ns);
	pair_drain(&p->all);
	pair_drain(&p->closed);
	check_marks(&p->all);
	check_marks(&p->closed);
	CU_ASSERT_EQUAL(p->completed, p->all.marks_cnt);
	fed = sum_of_marks(&p->all);
	kept = sum_of_tallies(p->keeps);
	CU_ASSERT_EQUAL(memcmp(&fed, &kept, sizeof(fed)), 0);
	if (!p->closed.writer)
		return;
	CU_ASSERT_EQUAL(p->closed.marks_cnt, p->all.marks_cnt);
	CU_ASSERT_EQUAL(memcmp(p->closed.marks, p->all.marks, sizeof(p->all.marks)), 0);
}

/* ---- records ---- */

static int by_start(const void *a, const void *b)
{
	return et_session_cmp(a, b);
}

/* Words by what they say, as ids are each worker's own; and puts them out of the way. */
static void same_words(struct et_session *a, const struct et_books *a_books, struct et_session *b,
	const struct et_books *b_books)
{
	struct et_session_id x[ET_SESSION_IDS], y[ET_SESSION_IDS];

	et_session_ids(x, a);
	et_session_ids(y, b);
	for (unsigned i = 0; i < ET_SESSION_IDS; i++) {
		struct et_view v = et_dict_get(et_books_dict(a_books, x[i].book), *x[i].id);
		struct et_view w = et_dict_get(et_books_dict(b_books, y[i].book), *y[i].id);

		CU_ASSERT_EQUAL(*x[i].id == ET_DICT_NONE, *y[i].id == ET_DICT_NONE);
		CU_ASSERT(v.n == w.n && (v.n == 0 || memcmp(v.p, w.p, v.n) == 0));
		*x[i].id = *y[i].id = 0;
	}
}

/* What a connection counts on after its outcome is known. */
static void forget_growth(struct et_session *s)
{
	s->end_ns = 0;
	s->end = 0;
	s->partial &= (uint8_t)~ET_PARTIAL_ONE_DIRECTION;
	for (unsigned dir = 0; dir < 2; dir++)
		s->packets[dir] = s->bytes[dir] = 0;
}

static bool equal(struct et_session *a, struct et_session *b)
{
#if defined(__GNUC__) && !defined(__clang__)
	__builtin_clear_padding(a);
	__builtin_clear_padding(b);
#endif
	return memcmp(a, b, sizeof(*a)) == 0;
}

void pair_compare(struct pair *p, struct pipe *fed, bool grown)
{
	size_t cnt;
	struct et_session *kept = worker_records(p->keeps, &cnt);

	CU_ASSERT_EQUAL_FATAL(fed->sessions_cnt, cnt);
	qsort(kept, cnt, sizeof(*kept), by_start);
	qsort(fed->sessions, cnt, sizeof(*kept), by_start);
	for (size_t i = 0; i < cnt; i++) {
		struct et_session a = kept[i], b = fed->sessions[i];

		same_words(&a, worker_books(p->keeps), &b, &fed->books);
		if (!grown) {
			CU_ASSERT(b.end_ns <= a.end_ns && b.end_ns >= b.start_ns);
			CU_ASSERT(b.end == a.end || b.end == ET_END_OPEN);
			for (unsigned dir = 0; dir < 2; dir++)
				CU_ASSERT(b.packets[dir] <= a.packets[dir] &&
					  b.bytes[dir] <= a.bytes[dir]);
			CU_ASSERT(b.packets[ET_CLIENT] + b.packets[ET_SERVER] > 0);
			forget_growth(&a);
			forget_growth(&b);
		}
		CU_ASSERT(equal(&a, &b));
	}
}
