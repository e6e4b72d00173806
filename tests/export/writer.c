/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * writer SENSOR GENERATION WORKERS [RING_BYTES]: an engine that captures nothing. It makes one ring
 * for each worker and obeys the lines of its standard input, each answered by "ok":
 *
 *   sessions W M N      N sessions, of worker W, decided in minute M (since 1970)
 *   mark W M MINUTES    minute M of worker W is over; stands for so many marks
 *   slice W BUDGET      sends sums that wait
 *   junk W              a message that no reader can understand
 *   auto M CNT N US     all workers: CNT minutes from M on with N sessions each, US us for each
 *   steps W M N         as sessions, with a line "." behind each one
 *
 * What a session is follows from W, M and its number alone: run.py has the same rule (`truth`).
 * At the end of the input it just ends, as a process does that is killed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "et_feed.h"

#define WORKERS_MAX 8

struct worker {
	struct et_ring *ring;
	struct et_books books;
	struct et_feed_outlet *outlet;
};

static struct worker workers[WORKERS_MAX];
static unsigned workers_cnt;

static void die(const char *sentence)
{
	fprintf(stderr, "writer: %s\n", sentence);
	exit(2);
}

static void open_worker(unsigned i, const char *sensor, uint64_t generation, size_t bytes)
{
	struct et_ring_options options = { .id = { .generation = generation, .worker = i },
		.bytes = bytes,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
	struct et_feed_outlet_options outlet = { .max_peers = 1000, .max_cells = 20000 };
	struct worker *w = &workers[i];
	char error[ET_RING_ERROR];

	snprintf(options.id.sensor, sizeof(options.id.sensor), "%s", sensor);
	w->ring = et_ring_create(error, &options);
	if (!w->ring)
		die(error);
	if (et_books_init(&w->books, 100000, 10000000) != 0)
		die("no memory");
	outlet.books = &w->books;
	w->outlet = et_feed_outlet_new(w->ring, &outlet);
	if (!w->outlet)
		die("no memory");
}

static void session(unsigned worker, int64_t minute, unsigned i)
{
	struct worker *w = &workers[worker];
	unsigned client = (unsigned)((minute * 31 + worker * 7 + i) % 97);
	unsigned what = (unsigned)((minute + worker + i) % 4);
	char name[32];
	struct et_session s = { .decided_ns = minute * ET_NS_PER_MIN + (int64_t)i * 1000,
		.handshake_ns = -1,
		.index = i + 1,
		.service = ET_SERVICE_SMTP,
		.mode = ET_MODE_STARTTLS,
		.alert_from = -1,
		.alert_code = -1,
		.packets = { 9, 9 } };

	s.start_ns = s.decided_ns - 1000000;
	s.end_ns = s.decided_ns;
	s.addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ 198, 51, 100, (uint8_t)client });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	s.port[ET_SERVER] = 25;
	snprintf(name, sizeof(name), "client-%u.example", client);
	s.name[ET_CLIENT] = et_dict_put(w->books.names, NULL,
		(struct et_view){ .p = (const uint8_t *)name, .n = strlen(name) });
	if (what < 2) {
		s.outcome = ET_OUTCOME_ESTABLISHED;
		s.tls.version = what == 0 ? ET_TLSV1_3 : ET_TLSV1_2;
		s.tls.cipher = what == 0 ? 0x1301 : 0xc02f;
		s.handshake_ns = 7000000;
	} else if (what == 2) {
		s.outcome = ET_OUTCOME_FAILED;
		s.alert_from = ET_SERVER;
		s.alert_level = 2;
		s.alert_code = 40;
	} else {
		s.mode = ET_MODE_CLEAR;
		s.mail.clear_mail = 1;
	}
	et_feed_session(w->outlet, &s);
}

static void sessions(unsigned worker, int64_t minute, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		session(worker, minute, i);
}

static void mark(unsigned worker, int64_t minute, unsigned minutes)
{
	struct et_feed_mark m = { .minute_ns = minute * ET_NS_PER_MIN,
		.minutes = minutes,
		.workers = workers_cnt,
		.frames = 1000,
		.bytes = 100000,
		.flows_new = 10,
		.flows_open = 5,
		.lane_lost = 1 };

	m.first_ns = m.minute_ns - (int64_t)(minutes - 1) * ET_NS_PER_MIN;
	m.end_ns = m.minute_ns + ET_NS_PER_MIN;
	m.order.gaps = 2;
	m.drops[ET_DROP_NOT_TCP] = 3;
	et_feed_mark(workers[worker].outlet, &m);
}

static void run_auto(int64_t minute, unsigned cnt, unsigned each, unsigned pause_us)
{
	for (unsigned m = 0; m < cnt; m++) {
		for (unsigned w = 0; w < workers_cnt; w++) {
			sessions(w, minute + m, each);
			mark(w, minute + m, 1);
			while (et_feed_slice(workers[w].outlet, 100))
				;
		}
		usleep(pause_us);
	}
}

static bool obey(const char *line)
{
	int64_t m;
	unsigned w, n, us;

	if (sscanf(line, "auto %" SCNd64 " %u %u %u", &m, &w, &n, &us) == 4) {
		run_auto(m, w, n, us);
		return true;
	}
	if (sscanf(line, "%*s %u", &w) != 1 || w >= workers_cnt)
		return false;
	if (sscanf(line, "sessions %u %" SCNd64 " %u", &w, &m, &n) == 3) {
		sessions(w, m, n);
	} else if (sscanf(line, "steps %u %" SCNd64 " %u", &w, &m, &n) == 3) {
		for (unsigned i = 0; i < n; i++) {
			session(w, m, i);
			puts(".");
			fflush(stdout);
		}
	} else if (sscanf(line, "mark %u %" SCNd64 " %u", &w, &m, &n) == 3) {
		mark(w, m, n);
	} else if (sscanf(line, "slice %u %u", &w, &n) == 2) {
		et_feed_slice(workers[w].outlet, n);
	} else if (strncmp(line, "junk", 4) == 0) {
		et_ring_put(workers[w].ring, 99, "junk", 4, NULL, 0, 0);
	} else {
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : ET_RING_BYTES_MIN;
	char line[256];

	if (argc < 4 || (workers_cnt = (unsigned)atoi(argv[3])) > WORKERS_MAX)
		die("usage: writer SENSOR GENERATION WORKERS [RING_BYTES]");
	for (unsigned i = 0; i < workers_cnt; i++)
		open_worker(i, argv[1], strtoull(argv[2], NULL, 10), bytes);
	puts("ok");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		puts(obey(line) ? "ok" : "what?");
		fflush(stdout);
	}
	return 0;
}
