/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Do the frames that are sent arrive, all, once, in order and as they are, whatever the driver; and
 * what does the port refuse? Both ends are virtual devices of one process, or of the kernel.
 */

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "port_child.h"
#include "unit.h"

#define NOW    INT64_C(1700000000000000000)
#define FRAMES 5000

struct tx_case {
	const char *vdevs[CHILD_VDEVS];
	const char *from, *to; /* to: a port of the same process; NULL: file */
	const char *file;
	bool other_thread; /* frames come by et_port_tx_put */
	unsigned frame_max;
	bool server; /* the sender has to be there first */
};

static uint32_t len_of(unsigned i, unsigned frame_max)
{
	return 60 + i * 7 % (frame_max - 59);
}

/* Frame i of len bytes: nothing of it is like another's. */
static void fill(uint8_t *bytes, uint32_t len, unsigned i)
{
	for (uint32_t k = 0; k < len; k++)
		bytes[k] = (uint8_t)(k * 31 + i * 17 + (k ^ i) / 256);
	memcpy(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2\x88\xb5", 14);
	memcpy(bytes + 14, &i, sizeof(i));
}

static bool is_frame(const struct et_frame *frame, unsigned i, unsigned frame_max)
{
	static uint8_t want[16384];
	uint32_t len = len_of(i, frame_max);

	fill(want, len, i);
	return frame->cap_len == len && !memcmp(frame->data, want, len);
}

/* Puts one frame in the burst, directly or by the ring. False: no room now. */
static bool give(struct et_port_tx *tx, const struct tx_case *row, unsigned i)
{
	static uint8_t bytes[16384];
	uint32_t len = len_of(i, row->frame_max), got_len = 0;
	uint64_t number = 0;
	uint8_t *to;

	if (!row->other_thread) {
		to = et_port_tx_add(tx, len);
		if (to)
			fill(to, len, i);
		return to != NULL;
	}
	fill(bytes, len, i);
	if (!et_port_tx_put(tx, bytes, len, UINT64_C(1) << 40 | i))
		return false;
	CHECK(et_port_tx_peek(tx, &got_len, &number) && got_len == len);
	CHECK(number == (UINT64_C(1) << 40 | i));
	CHECK(et_port_tx_peek(tx, &got_len, &number) && number == (UINT64_C(1) << 40 | i));
	if (!et_port_tx_take(tx)) { /* the burst is full: it stays the first */
		et_port_tx_send(tx);
		return et_port_tx_take(tx);
	}
	return true;
}

/* What has come, in order from *at on. */
static void receive(struct et_port_reader *reader, unsigned *at, unsigned frame_max)
{
	struct et_frame frames[ET_PORT_BURST];
	unsigned n = et_port_read(reader, frames, NOW);

	for (unsigned i = 0; i < n; i++) {
		if (frames[i].cap_len >= 14 && memcmp(frames[i].data + 12, "\x88\xb5", 2))
			continue; /* the kernel's own: neighbour discovery */
		CHECK(is_frame(&frames[i], *at, frame_max));
		(*at)++;
	}
	et_port_done(reader);
}

static void wait_link(struct et_port_tx *tx)
{
	for (unsigned i = 0; i < 2000 && !et_port_tx_link(tx); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	CHECK(et_port_tx_link(tx));
}

static void send_all(
	struct et_port_tx *tx, struct et_port_reader *reader, const struct tx_case *row)
{
	unsigned given = 0, sent = 0, got = 0;

	for (unsigned round = 0; round < 200000 && (sent < FRAMES || (reader && got < FRAMES));
		round++) {
		while (given < FRAMES && given - sent < ET_PORT_TX_BURST && give(tx, row, given))
			given++;
		sent += et_port_tx_send(tx);
		if (reader)
			receive(reader, &got, row->frame_max);
		if (round % 64 == 63)
			sched_yield();
	}
	CHECK(sent == FRAMES);
	CHECK(!reader || got == FRAMES);
}

static void check_file(const struct tx_case *row)
{
	struct child_capture capture;

	CHECK(child_load(&capture, row->file));
	CHECK(capture.cnt == FRAMES);
	for (unsigned i = 0; i < capture.cnt && i < FRAMES; i++)
		CHECK(is_frame(&capture.frames[i], i, row->frame_max));
	child_free(&capture);
}

static void sending(const void *arg)
{
	const struct tx_case *row = arg;
	struct et_port_tx_options options = { .name = row->from,
		.frame_max = row->frame_max,
		.waiting = row->other_thread ? 64 : 0,
		.lcore = 1 };
	struct et_port_set *set = NULL;
	struct et_port_reader *reader = NULL;
	struct et_port_tx_counts counts;
	char error[ET_PORT_ERROR] = "";
	struct et_port_tx *tx = NULL;

	CHECK(child_eal(row->vdevs));
	if (row->server) /* net_memif's client connects when it starts, or never */
		tx = et_port_tx_open(error, &options);
	if (row->to) {
		set = et_port_open(
			error, &(struct et_port_options){
				       .names = &row->to, .names_cnt = 1, .workers = 1 });
		reader = set ? et_port_reader_new(set, 0, 1) : NULL;
		CHECK(reader);
	}
	if (!row->server)
		tx = et_port_tx_open(error, &options);
	CHECK(tx);
	if (!tx)
		fprintf(stderr, "%s: %s\n", row->from, error);
	if (tx && (!row->to || reader)) {
		wait_link(tx);
		send_all(tx, reader, row);
		et_port_tx_counts(&counts, tx);
		CHECK(counts.packets == FRAMES && counts.errors == 0);
		CHECK(et_port_tx_drop(tx) == 0);
	}
	et_port_tx_close(tx);
	/* net_memif hears of its peer's end in EAL's interrupt thread, which must not be cleaned up
	 * meanwhile; two ends in one process are for tests */
	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	if (tx && row->file)
		check_file(row);
	et_port_reader_free(reader);
	et_port_close(set);
}

void test_tx(const char *folder)
{
	char file[128], pcap[160], memif[2][200];
	const char *const name = strrchr(folder, '/') + 1;
	const struct tx_case rows[] = {
		{ { pcap }, "net_pcap0", NULL, file, false, 1514, false },
		{ { pcap }, "net_pcap0", NULL, file, true, 1514, false },
		{ { pcap }, "net_pcap0", NULL, file, false, 9018, false },
		{ { memif[0], memif[1] }, "net_memif0", "net_memif1", NULL, false, 1514, true },
		{ { memif[0], memif[1] }, "net_memif1", "net_memif0", NULL, true, 1514, false },
		{ { memif[0], memif[1] }, "net_memif0", "net_memif1", NULL, true, 2018, true },
		{ { "net_null0" }, "net_null0", NULL, NULL, true, 1514, false },
	};

	snprintf(file, sizeof(file), "%s/sent.pcap", folder);
	snprintf(pcap, sizeof(pcap), "net_pcap0,tx_pcap=%s", file);
	for (unsigned i = 0; i < 2; i++)
		snprintf(memif[i], sizeof(memif[i]),
			"net_memif%u,role=%s,socket=tx-%s,socket-abstract=yes", i,
			i ? "client" : "server", name);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = child_run(sending, &rows[i]);

		if (!good)
			fprintf(stderr, "sending %zu\n", i);
		CU_ASSERT(good);
	}
}

/* ---- what cannot be sent ---- */

/* A ring that nobody empties holds what it can; the rest is refused, in order, and can be dropped. */
static void full(const void *arg)
{
	struct et_port_tx_options options = {
		.name = "net_ring0", .frame_max = 1514, .waiting = 4, .lcore = 1
	};
	char error[ET_PORT_ERROR];
	struct et_port_tx *tx;
	unsigned taken = 0, n = 0, puts = 0;

	(void)arg;
	CHECK(child_eal((const char *const[CHILD_VDEVS]){ "net_ring0" }));
	tx = et_port_tx_open(error, &options);
	CHECK(tx);
	if (!tx)
		return;
	CHECK(et_port_tx_send(tx) == 0);
	for (unsigned i = 0; i < 200; i++) {
		for (n = 0; et_port_tx_add(tx, 60); n++)
			;
		taken += et_port_tx_send(tx);
	}
	CHECK(taken >= 512 && taken < 200 * ET_PORT_TX_BURST);
	CHECK(et_port_tx_send(tx) == 0);
	CHECK(et_port_tx_add(tx, 60) == NULL);
	n = et_port_tx_drop(tx);
	CHECK(n > 0 && n <= ET_PORT_TX_BURST);
	CHECK(et_port_tx_drop(tx) == 0);
	CHECK(et_port_tx_add(tx, 5000) == NULL); /* longer than frame_max, and than a buffer */
	while (puts < 100 && et_port_tx_put(tx, error, 60, puts))
		puts++;
	CHECK(puts == 4);
	CHECK(!et_port_tx_put(tx, error, 5000, 0));
	et_port_tx_close(tx); /* with frames in the ring and in the driver's hands */
	et_port_close(NULL);
}

struct refusal {
	const char *vdev, *name;
	unsigned waiting;
	const char *words;
};

static void refused(const void *arg)
{
	const struct refusal *row = arg;
	struct et_port_tx_options options = {
		.name = row->name, .frame_max = 1514, .waiting = row->waiting, .lcore = 1
	};
	char error[ET_PORT_ERROR] = "";
	struct et_port_tx *tx;

	CHECK(child_eal((const char *const[CHILD_VDEVS]){ row->vdev }));
	tx = et_port_tx_open(error, &options);
	CHECK(!tx && strstr(error, row->words));
	if (tx || !strstr(error, row->words))
		fprintf(stderr, "%s\n", error);
	et_port_tx_close(tx);
	et_port_close(NULL);
}

void test_tx_refusals(void)
{
	static const struct refusal rows[] = {
		{ "net_null0", "net_nul0", 0, "no port net_nul0; there are net_null0" },
		{ "net_null0", "net_null0", 1 << 22, "--no-huge" },
	};

	CU_ASSERT(child_run(full, NULL));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT(child_run(refused, &rows[i]));
}

/* ---- the kernel's interfaces ---- */

void test_tx_veth(const void *arg)
{
	const struct tx_case rows[] = { { { "net_af_packet0,iface=tx0,framesz=2048,blocksz=4096",
						  "net_af_packet1,iface=tx1,framesz=2048,blocksz="
						  "4096,framecnt=8192" },
		"net_af_packet0", "net_af_packet1", NULL, true, 1514, false } };

	(void)arg;
	if (unshare(CLONE_NEWNET) || system("ip link add name tx0 type veth peer name tx1 && "
					    "ip link set tx0 up && ip link set tx1 up")) {
		fprintf(stderr, "skipped: no network namespace or no virtual interfaces here\n");
		return;
	}
	sending(&rows[0]);
}
