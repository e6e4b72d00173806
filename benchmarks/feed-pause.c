/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How long does a worker stand still to publish? 100,000 peers whose sessions found the ring full
 * are sent in slices, and a mark after every thousand of them; each call is timed by itself. Beside
 * it, the same number of empty intervals: what they show is the machine's.
 *
 *	feed-pause [PEERS]
 *
 * Prints nanoseconds: median, 99 %, 99.9 %, longest.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "et_feed.h"

#define SLICE   4 /* as the poll loop does */
#define SAMPLES 4000000

struct times {
	const char *name;
	uint32_t *ns;
	size_t cnt;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

static void took(struct times *times, int64_t since_ns)
{
	int64_t ns = now_ns() - since_ns;

	if (times->cnt < SAMPLES)
		times->ns[times->cnt++] = ns > UINT32_MAX ? UINT32_MAX : (uint32_t)ns;
}

static int cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void show(struct times *times)
{
	qsort(times->ns, times->cnt, sizeof(*times->ns), cmp);
	if (times->cnt > 0)
		printf("%-22s %9zu calls  median %6u  99%% %6u  99.9%% %6u  longest %9u ns\n",
			times->name, times->cnt, times->ns[times->cnt / 2],
			times->ns[times->cnt * 99 / 100], times->ns[times->cnt * 999 / 1000],
			times->ns[times->cnt - 1]);
}

static struct et_session session_of(const struct et_books *books, uint32_t i, uint32_t peers)
{
	struct et_session s = { .service = ET_SERVICE_SMTP,
		.outcome = ET_OUTCOME_ESTABLISHED,
		.handshake_ns = 1000000,
		.alert_from = -1 };
	uint32_t peer = i % peers;
	char name[32];
	size_t n = (size_t)snprintf(name, sizeof(name), "mail%u.example.org", peer);

	s.addr[ET_CLIENT] = et_addr_v4(
		(uint8_t[]){ 10, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	s.name[ET_CLIENT] =
		et_dict_put(books->names, NULL, (struct et_view){ (const uint8_t *)name, n });
	s.tls.version = ET_TLSV1_3;
	s.tls.cipher = 0x1301;
	s.tls.group = 29;
	return s;
}

static void drain(struct et_ring *reader)
{
	struct et_ring_message message;
	uint64_t last = 0;

	while (et_ring_read(reader, &message))
		last = message.number;
	et_ring_release(reader, last + 1);
}

static void run(struct et_ring *writer, struct et_ring *reader, uint32_t peers)
{
	struct times adds = { .name = "record into a full ring" }, slices = { .name = "slice" };
	struct times marks = { .name = "mark" }, empty = { .name = "empty interval" };
	struct times *all[] = { &empty, &adds, &slices, &marks };
	struct et_feed_mark mark = { .minutes = 1, .workers = 1 };
	struct et_books books;
	struct et_feed_outlet *outlet;
	bool more = true;

	for (size_t i = 0; i < 4; i++) {
		all[i]->ns = malloc(SAMPLES * sizeof(*all[i]->ns));
		memset(all[i]->ns, 1, SAMPLES * sizeof(*all[i]->ns));
	}
	if (et_books_init_turning(&books, 1u << 18, (size_t)64 << 20) != 0)
		exit(1);
	outlet = et_feed_outlet_new(
		writer, &(struct et_feed_outlet_options){
				.books = &books, .max_peers = 1u << 17, .max_cells = 1u << 20 });
	while (et_ring_put(writer, 99, NULL, 0, NULL, 0, 65536))
		;
	for (uint32_t i = 0; i < 3 * peers; i++) {
		struct et_session session = session_of(&books, i, peers);
		int64_t begin = now_ns();

		et_feed_session(outlet, &session);
		took(&adds, begin);
	}
	drain(reader);
	for (size_t i = 0; more || i % 1000 != 1; i++) {
		int64_t begin = now_ns();

		more = et_feed_slice(outlet, SLICE);
		took(&slices, begin);
		begin = now_ns();
		if (i % 1000 == 0) {
			et_feed_mark(outlet, &mark);
			took(&marks, begin);
		}
		begin = now_ns();
		took(&empty, begin);
		if (i % 10000 == 0)
			drain(reader);
	}
	for (size_t i = 0; i < 4; i++) {
		show(all[i]);
		free(all[i]->ns);
	}
	et_feed_outlet_free(outlet);
	et_books_free(&books);
}

int main(int argc, char **argv)
{
	struct et_ring_options options = { .id = { .generation = 1 },
		.bytes = (size_t)64 << 20,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
	uint32_t peers = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
	char error[ET_RING_ERROR];
	struct et_ring *writer, *reader;

	snprintf(options.id.sensor, sizeof(options.id.sensor), "pause-%ld", (long)getpid());
	writer = et_ring_create(error, &options);
	reader = writer ? et_ring_attach(error, &options.id, options.layout) : NULL;
	if (writer)
		et_ring_unlink(&options.id);
	if (!reader || peers == 0 || peers > 1u << 17) {
		fprintf(stderr, "feed-pause: %s\n", reader ? "1 to 131072 peers" : error);
		return 1;
	}
	run(writer, reader, peers);
	et_ring_close(reader);
	et_ring_close(writer);
	return 0;
}
