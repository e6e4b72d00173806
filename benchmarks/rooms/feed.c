/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/feed: what a worker publishes, and what the exporter reads. */

#include "rooms.h"
#include "shared.h"

#include <stdlib.h>

#define SLICE 4 /* as the poll loop does */
#define KIND  99
#define KEEP  65536

static struct et_feed_outlet *outlet_new(
	const struct bench *b, struct shared *s, const struct et_books *books)
{
	struct et_feed_outlet_options options = {
		.books = books, .max_peers = 1u << 17, .max_cells = 1u << 20
	};
	struct et_feed_outlet *outlet = et_feed_outlet_new(s->writer, &options);

	bench_check(b, outlet != NULL, "not enough memory");
	return outlet;
}

/* Each minute has the records of the corpus, and ends in a mark. */
static void publish(
	struct bench *b, struct shared *s, struct et_feed_outlet *outlet, const struct corpus *c)
{
	struct et_feed_mark mark = { .minutes = 1, .workers = 1 };
	uint32_t minutes = bench_options(b)->quick ? 5 : 50;
	struct et_feed_counts counts;

	for (uint32_t m = 0; m < minutes; m++) {
		bench_start(b);
		for (uint32_t i = 0; i < c->conns; i++)
			et_feed_session(outlet, &c->sessions[i]);
		bench_stop(b);
		et_feed_mark(outlet, &mark);
		shared_drain(s);
	}
	et_feed_counts(&counts, outlet);
	bench_check(b, counts.sessions == (uint64_t)minutes * c->conns && counts.folded == 0,
		"records are lost");
	bench_row(b, "record", counts.sessions, counts.marks, "record, and its words");
	for (uint32_t m = 0; m < minutes; m++) {
		bench_start(b);
		for (uint32_t i = 0; i < 100; i++)
			et_feed_mark(outlet, &mark);
		bench_stop(b);
		shared_drain(s);
	}
	et_feed_counts(&counts, outlet);
	bench_check(b, counts.marks == 101u * minutes, "marks are lost");
	bench_row(b, "mark", 100u * minutes, counts.marks, "mark");
}

/* The exporter's end, with dictionaries of its own. */
static void take_in(
	struct bench *b, struct shared *s, struct et_feed_outlet *outlet, const struct corpus *c)
{
	struct et_feed_mark mark = { .minutes = 1, .workers = 1 };
	uint32_t minutes = bench_options(b)->quick ? 5 : 50;
	uint64_t sessions = 0, ids = 0, bad = 0;
	struct et_feed_inlet *inlet;
	struct et_feed_item *item = rooms_memory(1, sizeof(*item));
	struct et_books books;

	bench_check(b, et_books_init(&books, 1u << 20, (size_t)256 << 20) == 0, "no memory");
	inlet = et_feed_inlet_new(s->reader, &books);
	bench_check(b, inlet != NULL, "not enough memory");
	for (uint32_t m = 0; m < minutes; m++) {
		uint64_t last = 0;

		for (uint32_t i = 0; i < c->conns; i++)
			et_feed_session(outlet, &c->sessions[i]);
		et_feed_mark(outlet, &mark);
		bench_start(b);
		while (et_feed_read(inlet, item, &bad)) {
			sessions += item->kind == ET_FEED_SESSION;
			ids += item->kind == ET_FEED_SESSION && item->session.tls.hello != 0;
			last = item->number;
		}
		et_ring_release(s->reader, last + 1);
		bench_stop(b);
	}
	bench_check(b, sessions == (uint64_t)minutes * c->conns && bad == 0, "records are lost");
	bench_check(b, ids > 0, "no hello was told");
	bench_row(b, "record", sessions, ids, "take in a record, and its words");
	et_feed_inlet_free(inlet);
	et_books_free(&books);
	free(item);
}

static void set_client(struct et_session *session, uint32_t peer)
{
	session->addr[ET_CLIENT] = et_addr_v4(
		(uint8_t[]){ 10, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer });
}

/* The ring is full: sessions become sums, and these go out in slices when there is room. */
static void fold(
	struct bench *b, struct shared *s, struct et_feed_outlet *outlet, const struct corpus *c)
{
	uint32_t peers = bench_options(b)->quick ? 5000 : 100000;
	struct et_session *sessions = rooms_memory(peers, sizeof(*sessions));
	struct et_feed_counts before, counts;
	uint64_t slices = 0;
	bool more = true;

	for (uint32_t i = 0; i < peers; i++) {
		sessions[i] = c->sessions[i % c->conns];
		set_client(&sessions[i], i);
	}
	et_feed_counts(&before, outlet);
	while (et_ring_put(s->writer, KIND, NULL, 0, NULL, 0, KEEP))
		;
	bench_start(b);
	for (uint32_t i = 0; i < peers; i++)
		et_feed_session(outlet, &sessions[i]);
	bench_stop(b);
	et_feed_counts(&counts, outlet);
	bench_check(b, counts.folded - before.folded == peers, "the ring was not full");
	bench_row(b, "record", peers, counts.folded, "record of a new peer into a full ring");

	shared_drain(s);
	while (more) {
		bench_start(b);
		for (unsigned i = 0; i < 1000 && more; i++, slices++)
			more = et_feed_slice(outlet, SLICE);
		bench_stop(b);
		shared_drain(s);
	}
	et_feed_counts(&counts, outlet);
	bench_check(b, counts.peers_waiting == 0, "peers are left");
	bench_row(b, "slice", slices, counts.marks, "slice of %d peers", SLICE);
	free(sessions);
}

void room_feed(struct bench *b, struct inputs *in)
{
	struct et_feed_outlet *outlet;
	struct shared s;

	shared_open(&s, b, (size_t)64 << 20);
	outlet = outlet_new(b, &s, &in->parsers.books);
	publish(b, &s, outlet, &in->storm);
	take_in(b, &s, outlet, &in->storm);
	fold(b, &s, outlet, &in->storm);
	et_feed_outlet_free(outlet);
	shared_close(&s);
}
