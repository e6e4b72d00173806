/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Does everything that a worker tells arrive once, whatever the state of the ring: records with
 * their words, sums where records found no room, and the counters of every minute?
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "et_feed.h"
#include "unit.h"

#define MINUTE ET_NS_PER_MIN

struct stand {
	struct et_ring_id id;
	struct et_ring *writer, *reader;
	struct et_books books, read;
	struct et_feed_outlet *outlet;
	struct et_feed_inlet *inlet;
};

static void stand_open(
	struct stand *s, uint32_t dict_entries, uint32_t max_peers, uint32_t max_cells)
{
	static unsigned number;
	struct et_ring_options options = {
		.bytes = ET_RING_BYTES_MIN,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	struct et_feed_outlet_options feed = { .max_peers = max_peers, .max_cells = max_cells };
	char error[ET_RING_ERROR];

	*s = (struct stand){ .id = { .worker = number++ } };
	snprintf(s->id.sensor, sizeof(s->id.sensor), "test-feed-%ld", (long)getpid());
	s->id.generation = 1;
	options.id = s->id;
	s->writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->writer);
	s->reader = et_ring_attach(error, &s->id, et_feed_layout());
	CU_ASSERT_PTR_NOT_NULL_FATAL(s->reader);
	et_ring_unlink(&s->id); /* both ends are attached: nothing can be left behind */
	CU_ASSERT_FATAL(et_books_init_turning(&s->books, dict_entries, 1 << 20) == 0);
	CU_ASSERT_FATAL(et_books_init(&s->read, 1 << 20, 1 << 28) == 0);
	feed.books = &s->books;
	s->outlet = et_feed_outlet_new(s->writer, &feed);
	s->inlet = et_feed_inlet_new(s->reader, &s->read);
	CU_ASSERT_FATAL(s->outlet && s->inlet);
}

static void stand_free(struct stand *s)
{
	et_feed_inlet_free(s->inlet);
	et_feed_outlet_free(s->outlet);
	et_books_free(&s->books);
	et_books_free(&s->read);
	et_ring_close(s->reader);
	et_ring_close(s->writer);
}

static uint32_t word(struct et_dict *dict, const char *kind, unsigned i)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s %u", kind, i);

	return et_dict_put(dict, NULL, (struct et_view){ (const uint8_t *)text, n });
}

/* A session of one of `peers` peers, every field that is an id in use. */
static struct et_session session_of(struct et_books *books, unsigned i, unsigned peers)
{
	struct et_session s = { .decided_ns = i,
		.handshake_ns = 1000,
		.index = i,
		.service = ET_SERVICE_SMTP,
		.mode = ET_MODE_STARTTLS,
		.outcome = ET_OUTCOME_ESTABLISHED,
		.alert_from = -1 };

	s.addr[ET_CLIENT] =
		et_addr_v4((uint8_t[]){ 10, 0, (uint8_t)(i % peers >> 8), (uint8_t)(i % peers) });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	s.name[ET_CLIENT] = s.mail.client_name = word(books->names, "client", i % peers);
	s.name[ET_SERVER] = s.mail.server_name = word(books->names, "server", 0);
	s.tls.sni = word(books->names, "sni", i % 7);
	s.tls.hello = word(books->hellos, "hello", i % 11);
	s.tls.server_hello = word(books->server_hellos, "server hello", i % 3);
	s.tls.chain[ET_SERVER] = word(books->chains, "chain", i % 5);
	s.tls.version = ET_TLSV1_3;
	s.tls.cipher = 0x1301;
	s.tls.group = 29;
	return s;
}

static bool is_word(const struct et_dict *dict, uint32_t id, const char *kind, unsigned i)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s %u", kind, i);
	struct et_view got = et_dict_get(dict, id);

	return got.n == n && memcmp(got.p, text, n) == 0;
}

static bool is_right(
	const struct stand *s, const struct et_session *session, unsigned i, unsigned peers)
{
	const struct et_books *b = &s->read;

	return session->index == i &&
	       is_word(b->names, session->name[ET_CLIENT], "client", i % peers) &&
	       is_word(b->names, session->mail.client_name, "client", i % peers) &&
	       is_word(b->names, session->name[ET_SERVER], "server", 0) &&
	       is_word(b->names, session->mail.server_name, "server", 0) &&
	       is_word(b->names, session->tls.sni, "sni", i % 7) &&
	       is_word(b->hellos, session->tls.hello, "hello", i % 11) &&
	       is_word(b->server_hellos, session->tls.server_hello, "server hello", i % 3) &&
	       is_word(b->chains, session->tls.chain[ET_SERVER], "chain", i % 5) &&
	       session->tls.chain[ET_CLIENT] == ET_DICT_NONE;
}

static struct et_feed_mark mark_of(int64_t minute)
{
	return (struct et_feed_mark){ .minute_ns = minute * MINUTE,
		.first_ns = minute * MINUTE,
		.end_ns = minute * MINUTE + MINUTE - 1,
		.minutes = 1,
		.workers = 1,
		.frames = 10,
		.drops = { 1, 2, 3 } };
}

/* Every stretch stands alone: read and released, the next one is understood with other books. */
static void test_stretches(void)
{
	struct stand s;
	struct et_feed_item item;
	uint64_t bad = 0;

	stand_open(&s, 1000, 16, 256);
	for (unsigned minute = 0; minute < 50; minute++) {
		struct et_feed_mark mark = mark_of(minute);

		for (unsigned i = 0; i < 100; i++) {
			struct et_session session = session_of(&s.books, i, 10);

			et_feed_session(s.outlet, &session);
		}
		et_feed_mark(s.outlet, &mark);
		et_books_free(&s.read);
		CU_ASSERT_FATAL(et_books_init(&s.read, 1000, 1 << 20) == 0);
		et_feed_inlet_books(s.inlet, &s.read);
		for (unsigned i = 0; i < 100; i++) {
			CU_ASSERT_FATAL(et_feed_read(s.inlet, &item, &bad));
			CU_ASSERT_EQUAL_FATAL(item.kind, ET_FEED_SESSION);
			CU_ASSERT_FATAL(is_right(&s, &item.session, i, 10));
		}
		CU_ASSERT_FATAL(et_feed_read(s.inlet, &item, &bad));
		CU_ASSERT_EQUAL_FATAL(item.kind, ET_FEED_MARK);
		CU_ASSERT_EQUAL(memcmp(&item.mark, &mark, sizeof(mark)), 0);
		CU_ASSERT_FALSE(et_feed_read(s.inlet, &item, &bad));
		et_ring_release(s.reader, item.number + 1);
	}
	CU_ASSERT_EQUAL(bad, 0);
	stand_free(&s);
}

/* What the dictionaries have forgotten is no value; all else still arrives. */
static void test_turned(void)
{
	struct stand s;
	struct et_session old, last;
	struct et_feed_item item;

	stand_open(&s, 20, 16, 256);
	old = session_of(&s.books, 0, 1);
	for (unsigned i = 0; i < 60; i++)
		last = session_of(&s.books, i, 1000);
	et_feed_session(s.outlet, &old);
	et_feed_session(s.outlet, &last);
	CU_ASSERT_FATAL(et_feed_read(s.inlet, &item, NULL));
	CU_ASSERT_EQUAL(item.session.name[ET_CLIENT], ET_DICT_NONE);
	CU_ASSERT_EQUAL(item.session.tls.version, ET_TLSV1_3);
	CU_ASSERT_FATAL(et_feed_read(s.inlet, &item, NULL));
	CU_ASSERT(is_right(&s, &item.session, 59, 1000));
	stand_free(&s);
}

/* Reads all there is, adding sessions and sums up; releases it. */
static void drain(struct stand *s, struct et_peer_table *peers, struct et_feed_mark *marks)
{
	struct et_feed_item item;
	uint64_t bad = 0, last = 0;

	while (et_feed_read(s->inlet, &item, &bad)) {
		last = item.number;
		switch (item.kind) {
		case ET_FEED_SESSION: et_peer_add(peers, &item.session, NULL, false); break;
		case ET_FEED_PEER: et_peer_merge(peers, item.peers); break;
		case ET_FEED_NOTE: break;
		case ET_FEED_MARK: et_feed_mark_add(marks, &item.mark); break;
		}
	}
	CU_ASSERT_EQUAL(bad, 0);
	et_ring_release(s->reader, last + 1);
}

static bool same_cell(const struct et_peer_table *table, const struct et_peer *peer,
	const struct et_peer_cell *cell)
{
	for (const struct et_peer_cell *c = et_peer_next(table, peer, NULL); c;
		c = et_peer_next(table, peer, c))
		if (c->kind == cell->kind && c->key == cell->key)
			return c->count == cell->count;
	return false;
}

/* Whether sums keep cells of this kind: et_peer_table_new_fixed. */
static bool in_sums(const struct et_peer_cell *cell)
{
	return cell->kind <= ET_PEER_HANDSHAKE_MS;
}

/* Both tables have cells by ids of the same books. */
static void compare(const struct et_peer_table *a, const struct et_peer_table *b)
{
	CU_ASSERT_EQUAL_FATAL(et_peer_cnt(a), et_peer_cnt(b));
	for (uint32_t i = 0; i < et_peer_cnt(a); i++) {
		const struct et_peer *x = et_peer_at(a, i), *y = et_peer_at(b, i);
		unsigned n = 0, m = 0;

		CU_ASSERT_EQUAL_FATAL(memcmp(x->addr, y->addr, sizeof(x->addr)), 0);
		CU_ASSERT_EQUAL(memcmp(x->counts, y->counts, sizeof(x->counts)), 0);
		for (const struct et_peer_cell *c = et_peer_next(a, x, NULL); c;
			c = et_peer_next(a, x, c)) {
			n += in_sums(c);
			CU_ASSERT(!in_sums(c) || same_cell(b, y, c));
		}
		for (const struct et_peer_cell *c = et_peer_next(b, y, NULL); c;
			c = et_peer_next(b, y, c))
			m += in_sums(c);
		CU_ASSERT_EQUAL(n, m);
	}
}

/* A reader that is away for long and comes back: nothing is missing, nothing counted twice. */
static void test_full(void)
{
	struct stand s;
	struct et_peer_table *want = et_peer_table_new(1 << 16, 1 << 20);
	struct et_peer_table *got = et_peer_table_new(1 << 16, 1 << 20);
	struct et_feed_mark marks = { 0 };
	struct et_feed_counts counts;
	unsigned sent = 0, minutes = 0;

	stand_open(&s, 4096, 4096, 1 << 17);
	for (unsigned round = 0; round < 6; round++) {
		/* 3000 peers; the fewer rounds, the more of it fits */
		for (unsigned i = 0; i < 30000 * (round + 1); i++) {
			struct et_session session = session_of(&s.books, sent++, 3000);

			et_feed_session(s.outlet, &session);
			if (i % 10000 == 9999) {
				struct et_feed_mark mark = mark_of(minutes++);

				et_feed_mark(s.outlet, &mark);
			}
			et_feed_slice(s.outlet, 2);
		}
		et_feed_counts(&counts, s.outlet);
		CU_ASSERT(counts.folded > 0);
		do {
			drain(&s, got, &marks);
		} while (et_feed_slice(s.outlet, 100));
		et_feed_counts(&counts, s.outlet);
		CU_ASSERT_EQUAL(counts.peers_waiting, 0);
		CU_ASSERT_EQUAL(counts.marks_waiting, 0);
		drain(&s, got, &marks);
	}
	{
		/* the last mark tells what was folded since the one before */
		struct et_feed_mark mark = mark_of(minutes++);

		et_feed_mark(s.outlet, &mark);
		drain(&s, got, &marks);
	}
	/* what was to arrive, by ids of the books that were read into */
	for (unsigned i = 0; i < sent; i++) {
		struct et_session session = session_of(&s.read, i, 3000);

		et_peer_add(want, &session, NULL, false);
	}
	et_peer_sort(want);
	et_peer_sort(got);
	compare(want, got);
	CU_ASSERT_EQUAL(marks.minutes, minutes);
	CU_ASSERT_EQUAL(marks.frames, 10u * minutes);
	CU_ASSERT_EQUAL(marks.drops[2], 3u * minutes);
	CU_ASSERT_EQUAL(marks.folded, counts.folded);
	CU_ASSERT_EQUAL(marks.table_lost, 0);
	et_peer_table_free(want);
	et_peer_table_free(got);
	stand_free(&s);
}

/* A ring that even marks find full: their counters wait, and none is lost. */
static void test_marks_wait(void)
{
	struct stand s;
	struct et_peer_table *got = et_peer_table_new(16, 256);
	struct et_feed_mark marks = { 0 };
	struct et_feed_counts counts;
	const unsigned cnt = 20000;

	stand_open(&s, 100, 16, 256);
	for (unsigned i = 0; i < cnt; i++) {
		struct et_feed_mark mark = mark_of(i);

		et_feed_mark(s.outlet, &mark);
	}
	et_feed_counts(&counts, s.outlet);
	CU_ASSERT(counts.marks_waiting > 0);
	drain(&s, got, &marks);
	CU_ASSERT_EQUAL(marks.minutes + counts.marks_waiting, cnt);
	struct et_feed_mark mark = mark_of(cnt);

	et_feed_mark(s.outlet, &mark);
	drain(&s, got, &marks);
	CU_ASSERT_EQUAL(marks.minutes, cnt + 1);
	CU_ASSERT_EQUAL(marks.frames, 10u * (cnt + 1));
	CU_ASSERT_EQUAL(marks.minute_ns, (int64_t)cnt * MINUTE);
	CU_ASSERT_EQUAL(marks.first_ns, 0);
	et_peer_table_free(got);
	stand_free(&s);
}

/* One peer with more names than a message takes; and a table of sums that is too small. */
static void test_many_cells(void)
{
	struct stand s;
	struct et_peer_table *got = et_peer_table_new(16, 1 << 16);
	struct et_feed_mark marks = { 0 }, mark = mark_of(1);
	unsigned sent = 0, names = 0;
	struct et_feed_counts counts;

	stand_open(&s, 1 << 16, 2, 2000);
	do {
		struct et_session session = session_of(&s.books, sent, 1);

		session.name[ET_CLIENT] = word(s.books.names, "name", sent++);
		et_feed_session(s.outlet, &session);
		et_feed_counts(&counts, s.outlet);
	} while (counts.folded < 5000);
	do {
		drain(&s, got, &marks);
	} while (et_feed_slice(s.outlet, 3));
	et_feed_mark(s.outlet, &mark);
	drain(&s, got, &marks);
	CU_ASSERT_EQUAL(et_peer_cnt(got), 1);
	CU_ASSERT_EQUAL(et_peer_at(got, 0)->counts[ET_PEER_SESSIONS], sent);
	for (const struct et_peer_cell *c = et_peer_next(got, et_peer_at(got, 0), NULL); c;
		c = et_peer_next(got, et_peer_at(got, 0), c))
		names += c->kind == ET_PEER_CLIENT_NAMES;
	CU_ASSERT(names > 1900 && names <= sent);
	CU_ASSERT_EQUAL(marks.folded, counts.folded);
	CU_ASSERT(marks.table_lost > 3000);
	et_peer_table_free(got);
	stand_free(&s);
}

/* Bytes that no outlet wrote are counted, and what follows is read. */
static void test_damage(void)
{
	struct stand s;
	struct et_session session, unsound;
	struct et_feed_item item;
	uint64_t bad = 0, rng = 1;
	unsigned good = 0;

	stand_open(&s, 100, 16, 256);
	session = unsound = session_of(&s.books, 3, 10);
	unsound.service = ET_SERVICE_MAX;
	et_feed_session(s.outlet, &unsound);
	for (unsigned round = 0; round < 5000; round++) {
		uint8_t bytes[600];
		size_t n;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = rng >> 62 ? 0 : (uint8_t)(rng >> 40);
		}
		n = (rng >> 33) % sizeof(bytes);
		et_ring_put(s.writer, (uint32_t)(rng >> 20) % 6, bytes, n, NULL, 0, 0);
		while (et_feed_read(s.inlet, &item, &bad))
			good++;
		et_ring_release(s.reader, et_ring_next_number(s.writer));
	}
	CU_ASSERT(bad > 3000);
	et_feed_session(s.outlet, &session);
	while (et_feed_read(s.inlet, &item, &bad))
		;
	CU_ASSERT_EQUAL(item.kind, ET_FEED_SESSION);
	CU_ASSERT_EQUAL(item.session.index, 3);
	stand_free(&s);
}

int main(void)
{
	CU_TestInfo tests[] = { { "stretches", test_stretches }, { "turned", test_turned },
		{ "full", test_full }, { "marks wait", test_marks_wait },
		{ "many cells", test_many_cells }, { "damage", test_damage }, CU_TEST_INFO_NULL };

	return unit_run("feed", tests);
}
