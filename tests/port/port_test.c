/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Do frames come through DPDK as they are, in the order of their stamps and each to one reader, and
 * does the user learn in plain words what is missing? Virtual devices only; what needs root or an
 * interface of the kernel says that it is skipped.
 */

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "port_child.h"
#include "unit.h"

#define SAMPLE      "data/sample.pcap"
#define SAMPLE_VDEV "net_pcap0,rx_pcap=" SAMPLE
#define NOW         INT64_C(1700000000000000000)

static char folder[40]; /* of captures made here */

/* ---- frames of one reader ---- */

struct frames_case {
	const char *vdevs[CHILD_VDEVS];
	struct et_port_options options;
	bool segments; /* some frames need several mbufs */
};

/* Reads until nothing comes, against the sample in its order. */
static void check_sample(struct et_port_reader *reader)
{
	struct child_capture sample;
	struct et_frame frames[ET_PORT_BURST];
	size_t at = 0;
	int64_t clock_ns = 0;
	unsigned n;

	CHECK(child_load(&sample, SAMPLE));
	while ((n = et_port_read(reader, frames, NOW)) > 0) {
		for (unsigned i = 0; i < n && at < sample.cnt; i++, at++) {
			const struct et_frame *want = &sample.frames[at], *have = &frames[i];

			clock_ns = have->ts_ns > clock_ns ? have->ts_ns : clock_ns;
			CHECK(have->cap_len == want->cap_len);
			CHECK(have->len == want->cap_len); /* net_pcap knows no more */
			CHECK(have->ts_ns == want->ts_ns);
			CHECK(have->clock_ns == clock_ns);
			CHECK(have->index == at + 1);
			CHECK(have->link_type == DLT_EN10MB);
			if (have->cap_len == want->cap_len)
				CHECK(!memcmp(have->data, want->data, want->cap_len));
		}
		et_port_done(reader);
	}
	CHECK(at == sample.cnt);
	child_free(&sample);
}

static void frames_of(const void *arg)
{
	const struct frames_case *row = arg;
	struct et_port_set *set = child_open(row->vdevs, &row->options);
	struct et_port_reader *reader;
	struct et_port_reader_counts counts;
	struct et_port_counts port;
	struct et_port_plan plan;

	CHECK(set);
	if (!set)
		return;
	et_port_plan(&plan, set);
	CHECK(plan.queues == 1 && plan.symmetric);
	reader = et_port_reader_new(set, 0, 1);
	CHECK(reader);
	check_sample(reader);
	et_port_reader_counts(&counts, reader);
	et_port_counts(set, 0, &port);
	CHECK(counts.frames >= port.packets && port.packets > 0);
	CHECK(!strcmp(port.driver, "net_pcap") && port.present && port.link_up);
	CHECK((counts.segments > 0) == row->segments && counts.cut == 0);
	CHECK(!et_port_can_wait(reader));
	et_port_reader_free(reader);
	et_port_close(set);
}

/* The sample in two files by direction: what a pair of taps sees. */
static void split_sample(char ports[2][128])
{
	struct child_capture sample;
	pcap_dumper_t *out[2];

	if (!child_load(&sample, SAMPLE))
		abort();
	for (unsigned i = 0; i < 2; i++) {
		snprintf(ports[i], 128, "%s/half%u.pcap", folder, i);
		out[i] = child_write_begin(ports[i]);
	}
	for (size_t i = 0; i < sample.cnt; i++) {
		const uint8_t *ip = sample.frames[i].data + 14;
		bool v4 = *ip >> 4 == 4;
		bool back = memcmp(ip + (v4 ? 12 : 8), ip + (v4 ? 16 : 24), v4 ? 4 : 16) > 0;

		child_write(out[back], &sample.frames[i]);
	}
	pcap_dump_close(out[0]);
	pcap_dump_close(out[1]);
	child_free(&sample);
}

static void test_frames(void)
{
	char halves[2][128], vdevs[3][300];
	struct frames_case rows[] = {
		{ { SAMPLE_VDEV }, { .workers = 1 }, false },
		{ { SAMPLE_VDEV }, { .workers = 4, .private_bytes = 100 }, false },
		{ { SAMPLE_VDEV }, { .workers = 1, .mbuf_bytes = 256 }, true },
		{ { SAMPLE_VDEV },
			{ .workers = 1,
				.hardware_stamps = true,
				.flow_rules = true,
				.promiscuous = true },
			false },
		{ { vdevs[0], vdevs[1] }, { .workers = 1 }, false },
		{ { vdevs[0], vdevs[1] }, { .workers = 1, .mbuf_bytes = 300 }, true },
		{ { vdevs[2] }, { .workers = 2 }, false }, /* one port, two queues */
	};

	split_sample(halves);
	snprintf(vdevs[0], sizeof(vdevs[0]), "net_pcap0,rx_pcap=%s", halves[0]);
	snprintf(vdevs[1], sizeof(vdevs[1]), "net_pcap1,rx_pcap=%s", halves[1]);
	snprintf(vdevs[2], sizeof(vdevs[2]), "net_pcap0,rx_pcap=%s,rx_pcap=%s", halves[0],
		halves[1]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CU_ASSERT(child_run(frames_of, &rows[i]));
}

/* No stamps: the host's clock, and a source that never ends. */
static void null_rate(const void *arg)
{
	struct et_port_set *set =
		child_open((const char *const[CHILD_VDEVS]){ "net_null0", "net_null1" },
			&(struct et_port_options){ .workers = 1 });
	struct et_port_reader *reader;
	struct et_frame frames[ET_PORT_BURST];
	uint64_t cnt = 0, cycles;

	(void)arg;
	CHECK(set);
	if (!set)
		return;
	reader = et_port_reader_new(set, 0, 1);
	CHECK(reader);
	cycles = et_port_cycles();
	for (unsigned round = 0; round < 20000; round++) {
		unsigned n = et_port_read(reader, frames, NOW + round);

		CHECK(n == ET_PORT_BURST);
		cnt += n;
		CHECK(frames[0].ts_ns == NOW + round && frames[n - 1].clock_ns == NOW + round);
		CHECK(frames[n - 1].index == cnt);
		et_port_done(reader);
	}
	cycles = et_port_cycles() - cycles;
	fprintf(stderr, "net_null: %.1f Mpps ",
		(double)cnt / 1e6 * (double)et_port_cycles_per_s() / (double)cycles);
	et_port_reader_free(reader);
	et_port_close(set);
}

static void test_null_rate(void)
{
	CU_ASSERT(child_run(null_rate, NULL));
}

/* ---- lanes ---- */

struct note { /* what the distributor tells a worker of a frame */
	const uint8_t *data;
	uint32_t len;
	uint64_t hash;
};

struct side {
	struct et_port_reader *reader;
	struct et_port_lane *lane;
	_Atomic bool *over;
	uint64_t frames, wrong;
};

static int distribute(void *arg)
{
	struct side *side = arg;
	struct et_frame frames[ET_PORT_BURST];
	unsigned n;

	while ((n = et_port_read(side->reader, frames, NOW)) > 0) {
		uint8_t numbers[ET_PORT_BURST];
		unsigned went = 0;

		for (unsigned i = 0; i < n; i++) {
			struct note *note = et_port_private(side->reader, i);

			side->wrong += (uintptr_t)note % 16 != 0;
			note->data = frames[i].data;
			note->len = frames[i].cap_len;
			note->hash = et_hash(frames[i].data, frames[i].cap_len, 1);
			numbers[i] = (uint8_t)(n - 1 - i); /* any order */
		}
		if (side->frames % 5 == 0) /* one stays with the reader */
			n--;
		for (;;) {
			went += et_port_pass(side->reader, side->lane, numbers + went, n - went);
			if (went == n)
				break;
			sched_yield();
		}
		side->frames += n;
		et_port_done(side->reader);
	}
	atomic_store(side->over, true);
	return 0;
}

static int work(void *arg)
{
	struct side *side = arg;
	void *privates[ET_PORT_BURST];

	for (;;) {
		bool over = atomic_load(side->over);
		unsigned n = et_port_lane_read(side->lane, privates);

		for (unsigned i = 0; i < n; i++) {
			const struct note *note = privates[i];

			side->wrong += et_hash(note->data, note->len, 1) != note->hash;
		}
		side->frames += n;
		et_port_lane_done(side->lane);
		if (!n && over)
			return 0;
		if (!n)
			sched_yield();
	}
}

static void lanes(const void *arg)
{
	struct et_port_options options = { .workers = 1,
		.private_bytes = sizeof(struct note),
		.mbuf_bytes = *(const unsigned *)arg };
	struct et_port_set *set =
		child_open((const char *const[CHILD_VDEVS]){ SAMPLE_VDEV }, &options);
	unsigned lcores[ET_PORT_LCORES];
	_Atomic bool over = false;
	struct side from = { .over = &over }, to = { .over = &over };
	uint8_t last = 0;
	struct et_frame frames[ET_PORT_BURST];

	CHECK(set && et_port_lcores(lcores) == 2);
	if (!set)
		return;
	CHECK(lcores[0] == 1 && lcores[1] == 2);
	from.reader = et_port_reader_new(set, 0, lcores[0]);
	from.lane = to.lane = et_port_lane_new(64, true, lcores[1]);
	CHECK(from.reader && from.lane && et_port_lane_size(from.lane) == 64);
	if (et_port_read(from.reader, frames, NOW)) { /* one that nobody takes out again */
		struct et_port_lane *lost = et_port_lane_new(8, false, 1);

		CHECK(et_port_pass(from.reader, lost, &last, 1) == 1);
		CHECK(et_port_lane_used(lost) == 1);
		et_port_done(from.reader);
		et_port_lane_free(lost);
	}
	CHECK(et_port_launch(0, work, &to) < 0); /* the main lcore */
	CHECK(!et_port_launch(lcores[1], work, &to));
	CHECK(!et_port_launch(lcores[0], distribute, &from));
	et_port_join();
	CHECK(from.frames == to.frames && to.frames > 100);
	CHECK(!from.wrong && !to.wrong);
	CHECK(et_port_lane_used(to.lane) == 0);
	et_port_lane_free(to.lane);
	et_port_reader_free(from.reader);
	et_port_close(set);
}

static void test_lanes(void)
{
	static const unsigned sizes[] = { 0, 256 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		CU_ASSERT(child_run(lanes, &sizes[i]));
}

/* ---- plans ---- */

struct plan_case {
	const char *vdevs[CHILD_VDEVS];
	const char *names[2];
	struct et_port_options options;
	unsigned queues; /* 0: fails, with these words */
	bool symmetric;
	const char *words; /* in the error, or in what was said */
};

static void plan_of(const void *arg)
{
	const struct plan_case *row = arg;
	struct et_port_options options = row->options;
	char error[ET_PORT_ERROR] = "";
	struct et_port_set *set;
	struct et_port_plan plan = { 0 };

	CHECK(child_eal(row->vdevs));
	options.names = row->names;
	options.names_cnt = row->names[0] ? row->names[1] ? 2 : 1 : 0;
	options.say = child_say;
	set = et_port_open(error, &options);
	if (set)
		et_port_plan(&plan, set);
	CHECK(plan.queues == row->queues);
	CHECK(plan.symmetric == row->symmetric);
	CHECK((set == NULL) == (error[0] != '\0'));
	if (row->words)
		CHECK(strstr(set ? child_said : error, row->words));
	if (child_failed)
		fprintf(stderr, "queues %u, error: %s, said: %s\n", plan.queues, error, child_said);
	et_port_close(set);
}

static void test_plans(void)
{
	/* without a name of its own DPDK's socket is one for all */
	static char memif[96];
	const struct plan_case rows[] = {
		{ { "net_null0" }, { 0 }, { .workers = 4 }, 4, true, NULL },
		{ { "net_null0" }, { "net_null0" }, { .workers = 4 }, 4, true, NULL },
		{ { "net_null0", "net_null1" }, { 0 }, { .workers = 3 }, 3, true, NULL },
		{ { "net_null0" }, { 0 }, { .workers = 4, .rss = ET_PORT_RSS_OFF }, 1, true, NULL },
		{ { "net_null0" }, { 0 }, { .workers = 4, .queues = 2 }, 2, true, NULL },
		{ { "net_null0" }, { 0 }, { .workers = 1, .queues = 4, .rss = ET_PORT_RSS_OFF }, 4,
			false, NULL },
		{ { SAMPLE_VDEV }, { 0 }, { .workers = 4 }, 1, true, "together in 1 queue:" },
		{ { SAMPLE_VDEV, "net_null0" }, { 0 }, { .workers = 4 }, 1, true, "1 is used" },
		{ { SAMPLE_VDEV, "net_null0" }, { "net_null0" }, { .workers = 4 }, 4, true, NULL },
		{ { "net_ring0" }, { 0 }, { .workers = 4 }, 1, true, NULL },
		{ { memif }, { 0 }, { .workers = 4 }, 1, true, "has no link" },
		{ { memif }, { 0 }, { .workers = 4, .queues = 2 }, 2, false, NULL },
		{ { "net_null0" }, { 0 }, { .workers = 1, .wait = true }, 1, true, "cannot sleep" },
		{ { "net_null0" }, { 0 }, { .workers = 1, .hardware_stamps = true }, 1, true,
			"no time stamps" },
		{ { SAMPLE_VDEV }, { 0 }, { .workers = 4, .queues = 2 }, 0, false,
			"has 1 RX queues, not 2" },
		{ { "net_null0" }, { "net_nul0" }, { .workers = 1 }, 0, false,
			"no port net_nul0; there are net_null0" },
		{ { "net_null0" }, { "net_null0", "net_null0" }, { .workers = 1 }, 0, false,
			"named twice" },
		{ { NULL }, { 0 }, { .workers = 1 }, 0, false, "found no port" },
		{ { NULL }, { "0000:01:00.0" }, { .workers = 1 }, 0, false, "none at all" },
		{ { "net_null0" }, { 0 }, { .workers = 1, .mbufs = 2000000 }, 0, false,
			"--no-huge" },
		{ { "net_null0" }, { 0 }, { .workers = 1, .mtu = 65000 }, 1, true, "larger mbufs" },
	};

	snprintf(memif, sizeof(memif), "net_memif0,role=server,socket=%s,socket-abstract=yes",
		strrchr(folder, '/') + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = child_run(plan_of, &rows[i]);

		if (!good)
			fprintf(stderr, "plan %zu\n", i);
		CU_ASSERT(good);
	}
}

/* ---- the key ---- */

/* Toeplitz bit by bit, with the key that repeats. */
static uint32_t toeplitz(const uint8_t *input, size_t n)
{
	uint32_t hash = 0;

	for (size_t bit = 0; bit < n * 8; bit++) {
		uint32_t window = 0;

		if (!(input[bit / 8] >> (7 - bit % 8) & 1))
			continue;
		for (size_t i = bit; i < bit + 32; i++)
			window = window << 1 | ((i / 8 % 2 ? 0x5aU : 0x6dU) >> (7 - i % 8) & 1);
		hash ^= window;
	}
	return hash;
}

static uint32_t naive_hash(const struct et_segment *segment)
{
	size_t n = et_addr_is_v4(&segment->src) ? 4 : 16;
	uint8_t input[36];

	memcpy(input, segment->src.b + 16 - n, n);
	memcpy(input + n, segment->dst.b + 16 - n, n);
	input[2 * n] = (uint8_t)(segment->src_port >> 8);
	input[2 * n + 1] = (uint8_t)segment->src_port;
	input[2 * n + 2] = (uint8_t)(segment->dst_port >> 8);
	input[2 * n + 3] = (uint8_t)segment->dst_port;
	return toeplitz(input, 2 * n + 4);
}

static void queue_of(const void *arg)
{
	enum { QUEUES = 3, RETA = 128, FLOWS = 6000 };
	struct et_port_set *set = child_open((const char *const[CHILD_VDEVS]){ "net_null0" },
		&(struct et_port_options){ .workers = QUEUES });
	unsigned cnt[QUEUES] = { 0 };

	(void)arg;
	CHECK(set);
	if (!set)
		return;
	srand(1);
	for (unsigned i = 0; i < FLOWS; i++) {
		struct et_segment there = child_random_segment(i & 1);
		struct et_segment back = child_turned(&there);
		int queue = et_port_queue_of(set, &there);

		CHECK(queue >= 0 && queue < QUEUES);
		CHECK(queue == et_port_queue_of(set, &back));
		CHECK(queue == (int)(naive_hash(&there) % RETA % QUEUES));
		if (queue >= 0 && queue < QUEUES)
			cnt[queue]++;
	}
	for (unsigned i = 0; i < QUEUES; i++)
		CHECK(cnt[i] > FLOWS / QUEUES * 8 / 10 && cnt[i] < FLOWS / QUEUES * 12 / 10);
	et_port_close(set);
}

static void test_queue_of(void)
{
	CU_ASSERT(child_run(queue_of, NULL));
}

/* ---- fragments through the door ---- */

static void fragments(const void *arg)
{
	enum { HEAD = 14 + 20, PART = 1200, PARTS = 3 };
	char path[128], vdev[160];
	uint8_t bytes[HEAD + PART], payload[PART * PARTS];
	pcap_dumper_t *out;
	struct et_port_set *set;
	struct et_port_reader *reader;
	struct et_frame frames[ET_PORT_BURST], whole = { 0 };
	unsigned wholes = 0, n;

	(void)arg;
	snprintf(path, sizeof(path), "%s/fragments.pcap", folder);
	snprintf(vdev, sizeof(vdev), "net_pcap0,rx_pcap=%s", path);
	out = child_write_begin(path);
	for (unsigned i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned i = 0; i < PARTS; i++) {
		struct et_segment segment = child_random_segment(false);
		unsigned offset = i * PART / 8 | (i + 1 < PARTS ? 0x2000U : 0);

		segment.src = et_addr_v4((const uint8_t[]){ 10, 0, 0, 1 });
		segment.dst = et_addr_v4((const uint8_t[]){ 10, 0, 0, 2 });
		child_tcp((uint8_t[128]){ 0 }, &segment);
		memset(bytes, 0, HEAD);
		bytes[12] = 8;
		memcpy(bytes + 14,
			(const uint8_t[]){ 0x45, 0, (PART + 20) >> 8, (PART + 20) & 0xff, 0, 7,
				(uint8_t)(offset >> 8), (uint8_t)offset, 64, 6, 0, 0, 10, 0, 0, 1,
				10, 0, 0, 2 },
			20);
		memcpy(bytes + HEAD, payload + i * PART, PART);
		child_write(out, &(struct et_frame){ .data = bytes,
					 .cap_len = sizeof(bytes),
					 .len = sizeof(bytes),
					 .ts_ns = NOW + i * ET_NS_PER_US });
	}
	pcap_dump_close(out);
	set = child_open((const char *const[CHILD_VDEVS]){ vdev },
		&(struct et_port_options){ .workers = 1, .private_bytes = 8 });
	CHECK(set);
	if (!set)
		return;
	reader = et_port_reader_new(set, 0, 1);
	while ((n = et_port_read(reader, frames, NOW)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			if (!et_port_fragment(reader, &whole, i, 14))
				continue;
			wholes++;
			CHECK(whole.link_type == DLT_RAW && whole.cap_len == 20 + sizeof(payload));
			CHECK(whole.len == whole.cap_len && whole.index == PARTS);
			CHECK(whole.ts_ns == NOW + (PARTS - 1) * ET_NS_PER_US);
			CHECK(!memcmp(whole.data + 20, payload, sizeof(payload)));
			memset(et_port_private(reader, i), 1, 8);
		}
		et_port_done(reader);
	}
	CHECK(wholes == 1);
	et_port_reader_free(reader);
	et_port_close(set);
}

static void test_fragments(void)
{
	CU_ASSERT(child_run(fragments, NULL));
}

/* ---- telemetry ---- */

static void fill(void *ctx, struct et_port_tel *tel)
{
	et_port_tel_number(tel, "frames", *(const uint64_t *)ctx);
	et_port_tel_text(tel, "state", "up");
	et_port_tel_begin(tel, "worker-1");
	et_port_tel_number(tel, "flows", 7);
	et_port_tel_end(tel);
}

static void telemetry(const void *arg)
{
	char prefix[32], error[ET_PORT_ERROR], answer[4096] = "";
	const char *args[] = { "--no-huge", "--no-pci", "--file-prefix", prefix, "--lcores",
		"0@0,1@0" };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	uint64_t frames = UINT64_C(1) << 40;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)arg;
	setenv("RUNTIME_DIRECTORY", folder, 1);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	snprintf(prefix, sizeof(prefix), "ehlotap_test%d", (int)getpid());
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/dpdk/%s/dpdk_telemetry.v2", folder,
		prefix);
	CHECK(!et_port_eal(error, 6, args));
	CHECK(!et_port_telemetry("/ehlotap/test", "For the test.", fill, &frames));
	if (connect(fd, (struct sockaddr *)&name, sizeof(name))) {
		fprintf(stderr, "no telemetry at %s: ", name.sun_path);
		perror("skipped");
		et_port_close(NULL);
		return;
	}
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0); /* who it is */
	memset(answer, 0, sizeof(answer));
	CHECK(send(fd, "/ehlotap/test", 13, 0) == 13);
	CHECK(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
	CHECK(strstr(answer, "\"frames\":1099511627776") || strstr(answer, "\"frames\": 10995"));
	CHECK(strstr(answer, "worker_1") && strstr(answer, "flows"));
	fprintf(stderr, "  %s\n", answer);
	close(fd);
	et_port_close(NULL);
}

static void test_telemetry(void)
{
	CU_ASSERT(child_run(telemetry, NULL));
}

static void test_sending(void)
{
	test_tx(folder);
}

int main(void)
{
	CU_TestInfo tests[] = { { "frames as in the capture", test_frames },
		{ "a source without end", test_null_rate }, { "lanes", test_lanes },
		{ "plans", test_plans }, { "both directions to one queue", test_queue_of },
		{ "fragments", test_fragments }, { "EAL's faults", test_eal },
		{ "one prefix twice", test_same_prefix }, { "telemetry", test_telemetry },
		{ "interfaces that come and go", test_interfaces },
		{ "frames as they were sent", test_sending },
		{ "what cannot be sent", test_tx_refusals }, CU_TEST_INFO_NULL };
	char command[128];
	int ret;

	snprintf(folder, sizeof(folder), "/tmp/ehlotap_port.XXXXXX");
	if (!mkdtemp(folder))
		return 2;
	ret = unit_run("port", tests);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	if (system(command))
		fprintf(stderr, "%s is left\n", folder);
	return ret;
}
