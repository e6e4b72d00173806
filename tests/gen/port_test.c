/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Is a rate what its words say, does a schedule keep it without drift, and are the clients of each
 * loop others, with checksums that are still right?
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port_rate.h"
#include "port_store.h"
#include "unit.h"

#define HZ UINT64_C(2995200317) /* of a counter: no round number */

static void test_rate(void)
{
	static const struct {
		const char *text;
		bool good;
		enum gen_rate_kind kind;
		double per_s;
	} rows[] = {
		{ "max", true, GEN_RATE_MAX, 0 },
		{ "time", true, GEN_RATE_TIME, 0 },
		{ "1pps", true, GEN_RATE_PACKETS, 1 },
		{ "500kpps", true, GEN_RATE_PACKETS, 5e5 },
		{ "1.25Mpps", true, GEN_RATE_PACKETS, 1.25e6 },
		{ "64kbit", true, GEN_RATE_BITS, 64e3 },
		{ "3Gbit", true, GEN_RATE_BITS, 3e9 },
		{ "0.5Mbit", true, GEN_RATE_BITS, 5e5 },
		{ "0pps", false, 0, 0 },
		{ "0.5pps", false, 0, 0 },
		{ "5", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "pps", false, 0, 0 },
		{ "-1pps", false, 0, 0 },
		{ "1 pps", false, 0, 0 },
		{ "1mpps", false, 0, 0 },
		{ "1ppsx", false, 0, 0 },
		{ "1e300Gbit", false, 0, 0 },
		{ "infpps", false, 0, 0 },
		{ "maximum", false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gen_rate rate;
		bool good = gen_rate_read(&rate, rows[i].text);

		CU_ASSERT_EQUAL(good, rows[i].good);
		if (good && rows[i].good) {
			CU_ASSERT_EQUAL(rate.kind, rows[i].kind);
			CU_ASSERT_DOUBLE_EQUAL(rate.per_s, rows[i].per_s, 1e-6);
		}
	}
	CU_ASSERT_EQUAL(gen_wire_bytes(60), 84);
	CU_ASSERT_EQUAL(gen_wire_bytes(20), 84);
	CU_ASSERT_EQUAL(gen_wire_bytes(61), 85);
	CU_ASSERT_EQUAL(gen_wire_bytes(1514), 1538);
}

/* After any number of frames the next is due where one division of integers has it. */
static void test_no_drift(void)
{
	static const struct {
		const char *rate;
		uint32_t len;
		uint64_t units; /* of a frame */
	} rows[] = { { "3pps", 60, 1 }, { "333333pps", 60, 1 }, { "14.88Mpps", 60, 1 },
		{ "1Gbit", 1514, 1538 * 8 }, { "7kbit", 60, 84 * 8 },
		{ "400Gbit", 9018, 9042 * 8 } };
	const uint64_t begin = UINT64_C(1) << 60;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct gen_schedule s;
		struct gen_rate rate;
		uint64_t last = 0, wrong = 0;

		CU_ASSERT(gen_rate_read(&rate, rows[i].rate));
		gen_schedule_begin(&s, &rate, begin, HZ, 0);
		for (uint64_t n = 0; n < 3000000; n++) {
			uint64_t due = gen_schedule_due(&s, 0);
			unsigned __int128 want =
				(unsigned __int128)n * rows[i].units * HZ / (uint64_t)rate.per_s;
			uint64_t far = due - begin - (uint64_t)want;

			wrong += far + 1 > 2 || due < last; /* one cycle of rounding */
			last = due;
			gen_schedule_pass(&s, rows[i].len);
		}
		CU_ASSERT_EQUAL(wrong, 0);
	}
}

static void test_own_time(void)
{
	struct gen_schedule s;
	const uint64_t first = UINT64_C(1795341600000000000);

	gen_schedule_begin(&s, &(struct gen_rate){ GEN_RATE_TIME, 0 }, 1000, HZ, first);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first), 1000);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first - 5), 1000);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first + 1000000000), 1000 + HZ);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first + 500000000), 1000 + HZ / 2);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first + UINT64_C(86400000000000)), 1000 + 86400 * HZ);
	gen_schedule_begin(&s, &(struct gen_rate){ GEN_RATE_MAX, 0 }, 1000, HZ, first);
	CU_ASSERT_EQUAL(gen_schedule_due(&s, first + 1000000000), 0);
}

/* ---- loops */

static uint32_t sum16(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* A frame with right checksums from client `number`, or to it. */
static struct gen_frame make(uint8_t bytes[128], bool v6, bool to_client, uint32_t number)
{
	uint32_t head = v6 ? 40 : 20, alen = v6 ? 16 : 4;
	uint8_t *ip = bytes + 14, *tcp = ip + head, *ends = ip + (v6 ? 8 : 12);
	uint8_t *client = ends + (to_client ? alen : 0), *server = ends + (to_client ? 0 : alen);
	uint32_t sum;

	memset(bytes, 0, 128);
	ip[0] = v6 ? 0x60 : 0x45;
	memcpy(server, v6 ? "\x20\x01\x0d\xb8\0\2" : "\xac\x10\0\1", v6 ? 6 : 4);
	memcpy(client, v6 ? "\x20\x01\x0d\xb8\0\1" : "\x0a\0\0\0", v6 ? 6 : 4);
	client[alen - 3] = (uint8_t)(number >> 16);
	client[alen - 2] = (uint8_t)(number >> 8);
	client[alen - 1] = (uint8_t)number;
	for (unsigned i = 0; i < 20; i++)
		tcp[i] = (uint8_t)(i * 37 + number);
	tcp[16] = tcp[17] = 0;
	if (!v6) {
		sum = ~sum16(ip, 20, 0);
		ip[10] = (uint8_t)(sum >> 8);
		ip[11] = (uint8_t)sum;
	}
	sum = ~sum16(tcp, 20, sum16(ends, 2 * alen, 6 + 20));
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
	return (struct gen_frame){
		.bytes = bytes, .len = 14 + head + 20, .ip_at = 14, .dir = to_client
	};
}

static bool sums_right(const uint8_t *bytes)
{
	const uint8_t *ip = bytes + 14;
	bool v6 = ip[0] >> 4 == 6;

	return (v6 || sum16(ip, 20, 0) == 0xffff) &&
	       sum16(ip + (v6 ? 40 : 20), 20, sum16(ip + (v6 ? 8 : 12), v6 ? 32 : 8, 6 + 20)) ==
		       0xffff;
}

static void test_turns(void)
{
	static const struct {
		uint64_t loop, clients;
		uint32_t number;
		const char *ip4; /* of the client */
	} rows[] = {
		{ 0, 100, 5, "\x0a\x00\x00\x05" },
		{ 1, 100, 5, "\x0a\x00\x00\x85" },
		{ 3, 100, 100, "\x0a\x00\x01\xe4" },
		{ 131071, 127, 127, "\x0a\xff\xff\xff" },
		{ 131072, 127, 127, "\x0b\x00\x00\x7f" },
		{ 131072 * 116, 127, 1, "\x7e\x00\x00\x01" },
		{ 131072 * 117, 127, 1, "\x01\x00\x00\x01" },
		{ 131072 * 126, 127, 1, "\x0a\x00\x00\x01" }, /* from the begin */
		{ 1, 1 << 23, 1 << 23, "\x0b\x80\x00\x00" },
		{ 2, 1 << 23, 1, "\x0c\x00\x00\x01" },
		{ 1, 1, 1, "\x0a\x00\x00\x03" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned k = 0; k < 4; k++) {
			bool v6 = k & 1, to_client = k & 2;
			struct gen_turn turn = gen_turn_of(rows[i].loop, rows[i].clients);
			uint8_t bytes[128], was[128];
			struct gen_frame frame = make(bytes, v6, to_client, rows[i].number);
			struct gen_stored stored = {
				.len = frame.len, .ip_at = frame.ip_at, .dir = frame.dir
			};
			uint32_t quarter;
			uint8_t *client =
				bytes + 14 + (v6 ? 8 : 12) + (to_client ? v6 ? 16 : 4 : 0);

			CU_ASSERT(sums_right(bytes));
			memcpy(was, bytes, sizeof(was));
			gen_turn_apply(&turn, bytes, &stored);
			CU_ASSERT(sums_right(bytes));
			CU_ASSERT_EQUAL(memcmp(was, bytes, sizeof(was)) != 0,
				(v6 ? turn.v6 : turn.v4) != 0);
			quarter = (uint32_t)client[8] << 24 | (uint32_t)client[9] << 16 |
				  (uint32_t)client[10] << 8 | client[11];
			CU_ASSERT(
				v6 ? quarter == rows[i].loop : memcmp(client, rows[i].ip4, 4) == 0);
		}
	}
}

/* Every frame comes out as it went in, and a full store says so and keeps what it has. */
static void test_store(void)
{
	struct gen_store store;
	uint8_t bytes[2048];
	uint64_t at = 0;
	unsigned put = 0, got = 0;
	const struct gen_stored *frame;

	CU_ASSERT_FATAL(gen_store_open(&store, 65536) == 0);
	for (;; put++) {
		struct gen_frame in = { .ts_ns = 1000 + put,
			.bytes = bytes,
			.len = 60 + put * 13 % 1500,
			.ip_at = (uint16_t)put,
			.dir = put & 1 };

		memset(bytes, (int)put, sizeof(bytes));
		if (store.sink.frame(&store.sink, &in) != 0)
			break;
	}
	CU_ASSERT(put > 40 && store.used <= 65536 && store.sink.frames == put);
	CU_ASSERT_EQUAL(store.first_ns, 1000);
	CU_ASSERT(store.span_ns >= put - 1);
	while ((frame = gen_store_next(&store, &at))) {
		CU_ASSERT(frame->ts_ns == 1000 + got && frame->len == 60 + got * 13 % 1500);
		CU_ASSERT(frame->ip_at == got && frame->dir == (got & 1));
		memset(bytes, (int)got, sizeof(bytes));
		CU_ASSERT_EQUAL(memcmp(frame + 1, bytes, frame->len), 0);
		got++;
	}
	CU_ASSERT_EQUAL(got, put);
	gen_store_close(&store);
	CU_ASSERT_EQUAL(gen_store_open(&store, UINT64_C(1) << 60), -ENOMEM);
}

int main(void)
{
	CU_TestInfo tests[] = { { "rates", test_rate }, { "no drift", test_no_drift },
		{ "the frames' own time", test_own_time }, { "loops", test_turns },
		{ "a store", test_store }, CU_TEST_INFO_NULL };

	return unit_run("gen-port", tests);
}
