/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * export-rows DIR [ROWS [ZSTD_LEVEL]]: how long does a minute file of so many peers take?
 *
 * Every peer is a client with a name of its own that has spoken TLS with one of 16 servers: 9 cells
 * each. The table is filled first; only et_stats_file is timed, with sorting, fsync and rename. The
 * file stays in DIR.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "et_stats.h"

#define HELLOS   200
#define SERVERS  16
#define START_NS INT64_C(1795343460000000000)

static double now_s(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *sentence)
{
	fprintf(stderr, "export-rows: %s\n", sentence);
	exit(2);
}

/* A ClientHello of one suite that differs from the others. */
static uint32_t put_hello(struct et_books *books, unsigned i)
{
	uint8_t bytes[41] = { 3, 3, [35] = 0, 2, (uint8_t)(0xc0 + i / 100), (uint8_t)(i % 100), 1 };
	uint8_t encoded[1024];
	struct et_tls_hello hello;
	size_t n;

	if (et_tls_parse_hello(&hello, et_cur(bytes, sizeof(bytes))) != ET_PARSE_OK)
		die("the hello is none");
	n = et_tls_profile_encode(encoded, sizeof(encoded), &hello);
	return et_dict_put(books->hellos, NULL, (struct et_view){ encoded, n });
}

static void add_peer(
	struct et_peer_table *table, struct et_books *books, uint32_t hello, unsigned i)
{
	/* multiplied so that they do not come in order */
	uint32_t client = (uint32_t)i * 2654435761u;
	char name[64];
	struct et_session s = { .service = ET_SERVICE_SMTP,
		.mode = ET_MODE_STARTTLS,
		.outcome = ET_OUTCOME_ESTABLISHED,
		.alert_from = -1,
		.handshake_ns = (int64_t)(i % 200) * 1000000 };

	s.addr[ET_CLIENT] = et_addr_v4((uint8_t[]){ (uint8_t)(client >> 24),
		(uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client });
	s.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, (uint8_t)(i % SERVERS) });
	snprintf(name, sizeof(name), "mail-%u.customer-%u.example.net", i % 7, i);
	s.name[ET_CLIENT] = et_dict_put(
		books->names, NULL, (struct et_view){ (const uint8_t *)name, strlen(name) });
	snprintf(name, sizeof(name), "mx%u.example.org", i % SERVERS);
	s.name[ET_SERVER] = et_dict_put(
		books->names, NULL, (struct et_view){ (const uint8_t *)name, strlen(name) });
	s.tls.hello = hello;
	s.tls.version = i % 3 ? ET_TLSV1_3 : ET_TLSV1_2;
	s.tls.cipher = i % 3 ? 0x1302 : 0xc030;
	s.tls.group = 0x1d;
	et_peer_add(table, &s, NULL, false);
}

int main(int argc, char **argv)
{
	unsigned rows = argc > 2 ? (unsigned)atoi(argv[2]) : 1000000;
	struct et_peer_table *table = et_peer_table_new(1u << 24, 1u << 27);
	struct et_stats_run run = { .sensor = "bench" };
	struct et_stats_capture capture;
	struct et_stats_file file = { .minute_ns = START_NS,
		.capture = &capture,
		.table = table,
		.zstd_level = argc > 3 ? atoi(argv[3]) : 0 };
	char error[ET_STATS_ERROR], plain[ET_STATS_NAME], name[ET_STATS_NAME + 8];
	struct et_stats_writer *writer;
	struct et_books books;
	uint32_t hellos[HELLOS];
	struct rusage usage;
	struct stat st;
	double wall, cpu;

	if (argc < 2 || (file.dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY)) < 0)
		die("usage: export-rows DIR [ROWS [ZSTD_LEVEL]]");
	file.dir = argv[1];
	if (!table || et_books_init(&books, 1u << 24, (size_t)1 << 32) != 0)
		die("no memory");
	for (unsigned i = 0; i < HELLOS; i++)
		hellos[i] = put_hello(&books, i);
	for (unsigned i = 0; i < rows; i++)
		add_peer(table, &books, hellos[i % HELLOS], i);
	run.books = &books;
	run.policy = et_policy_new(&books, NULL, 0);
	writer = et_stats_writer_new(&run);
	et_stats_capture_init(&capture);
	wall = now_s(CLOCK_MONOTONIC);
	cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
	if (et_stats_file(writer, error, &file) != 0)
		die(error);
	wall = now_s(CLOCK_MONOTONIC) - wall;
	cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	et_stats_minute_name(plain, run.sensor, START_NS);
	snprintf(name, sizeof(name), "%s%s", plain, file.zstd_level ? ".zst" : "");
	fstatat(file.dir_fd, name, &st, 0);
	getrusage(RUSAGE_SELF, &usage);
	printf("%u rows, %.0f MB: %.2f s, %.2f s CPU, %.0f rows/s of CPU, peak %ld MiB\n",
		et_peer_cnt(table), (double)st.st_size / 1e6, wall, cpu, rows / cpu,
		usage.ru_maxrss / 1024);
	return 0;
}
