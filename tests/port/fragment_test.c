/* SPDX-License-Identifier: BSD-3-Clause */
/* Do fragments become their datagram again, whatever comes between, and is every buffer freed? */
#include "et_packet.h"
#include "et_source.h"
#include "fragment.h"
#include "test_eal.h"
#include "unit.h"

#include <pcap/dlt.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_random.h>

#define POOL      12288
#define PAYLOAD   1024 /* of the datagram: a TCP header and data */
#define WHOLE_MAX 66000

/* How a fragment is wrapped. */
struct shape {
	const char *name;
	bool v6;
	unsigned link, extensions,
		padding;  /* bytes before IP, before the fragment header, behind */
	unsigned segment; /* bytes in each mbuf */
};

static const struct shape shapes[] = {
	{ "ipv4", false, 0, 0, 0, 2048 },
	{ "ipv4 in ethernet", false, 14, 0, 7, 2048 },
	{ "ipv4 in a tunnel", false, 84, 0, 0, 2048 },
	{ "ipv4, options", false, 14, 12, 0, 2048 },
	{ "ipv4, small buffers", false, 14, 0, 90, 100 },
	{ "ipv4, headers in pieces", false, 14, 40, 90, 17 },
	{ "ipv6", true, 0, 0, 0, 2048 },
	{ "ipv6 in ethernet", true, 18, 0, 7, 2048 },
	{ "ipv6, options", true, 14, 24, 0, 2048 },
	{ "ipv6, small buffers", true, 14, 64, 90, 130 },
	{ "ipv6, headers in pieces", true, 14, 64, 90, 17 },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

struct part {
	uint32_t offset, len;
	bool more;
};

static struct rte_mempool *pool;
static struct fragments *fragments;
static uint64_t now = 1;

static void fail(const char *row, const char *what, uint64_t value)
{
	fprintf(stderr, "%s: %s: %llu\n", row, what, (unsigned long long)value);
	CU_FAIL("see above");
}

static uint32_t next_random(void)
{
	static uint32_t state = 20261122;

	state = state * 1664525u + 1013904223u;
	return state >> 8;
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* Byte i of the datagram's payload: a TCP header from port 40000 to 25, then data. */
static uint8_t payload_byte(uint32_t i)
{
	static const uint8_t tcp[20] = { 0x9c, 0x40, 0, 25, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 4 };

	return i < sizeof(tcp) ? tcp[i] : (uint8_t)(i * 7 + (i >> 8));
}

static uint32_t put_ipv4(uint8_t *p, const struct shape *shape, uint32_t id, struct part part)
{
	uint32_t len = 20 + shape->extensions;

	p[0] = (uint8_t)(0x40 | len / 4);
	put16(p + 2, len + part.len);
	put16(p + 4, id);
	put16(p + 6, part.offset / 8 | (part.more ? 0x2000 : 0));
	p[8] = 64;
	p[9] = 6;
	memcpy(p + 12, (const uint8_t[]){ 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
	memset(p + 20, 1, shape->extensions);
	return len;
}

static uint32_t put_ipv6(uint8_t *p, const struct shape *shape, uint32_t id, struct part part)
{
	uint8_t *fragment = p + 40 + shape->extensions;

	p[0] = 0x60;
	put16(p + 4, shape->extensions + 8 + part.len);
	p[6] = shape->extensions ? 0 : 44;
	p[7] = 64;
	p[8] = p[24] = 0x20;
	p[23] = 1;
	p[39] = 2;
	if (shape->extensions) {
		p[40] = 44;
		p[41] = (uint8_t)(shape->extensions / 8 - 1);
	}
	fragment[0] = 6;
	put16(fragment + 2, part.offset | (part.more ? 1 : 0));
	put16(fragment + 6, id);
	return 40 + shape->extensions + 8;
}

/* The bytes in mbufs of at most `segment` bytes each. */
static struct rte_mbuf *chain(const uint8_t *bytes, uint32_t n, unsigned segment)
{
	struct rte_mbuf *head = rte_pktmbuf_alloc(pool);

	CU_ASSERT_PTR_NOT_NULL_FATAL(head);
	for (struct rte_mbuf *mbuf = head;;) {
		uint32_t len = RTE_MIN(n, RTE_MIN(segment, mbuf->buf_len - 128u));

		memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), bytes, len);
		mbuf->data_len = (uint16_t)len;
		mbuf->pkt_len = len;
		mbuf->tx_offload = UINT64_MAX; /* drivers leave there what was */
		if (mbuf != head)
			CU_ASSERT_FATAL(rte_pktmbuf_chain(head, mbuf) == 0);
		bytes += len;
		n -= len;
		if (n == 0)
			return head;
		mbuf = rte_pktmbuf_alloc(pool);
		CU_ASSERT_PTR_NOT_NULL_FATAL(mbuf);
	}
}

static uint32_t put(
	uint8_t out[static 4096], const struct shape *shape, uint32_t id, struct part part)
{
	uint8_t *p = out + shape->link;

	memset(out, 0, 4096);
	p += shape->v6 ? put_ipv6(p, shape, id, part) : put_ipv4(p, shape, id, part);
	for (uint32_t i = 0; i < part.len && p < out + 4000; i++)
		*p++ = payload_byte(part.offset + i);
	return (uint32_t)(p - out) + shape->padding;
}

static struct rte_mbuf *send(const struct shape *shape, uint32_t id, struct part part)
{
	uint8_t bytes[4096];
	uint32_t n = put(bytes, shape, id, part);

	return fragments_take(fragments, chain(bytes, n, shape->segment), shape->link, now);
}

/* Frees whole, and says whether it is the datagram. */
static bool is_whole(struct rte_mbuf *whole)
{
	static uint8_t buf[WHOLE_MAX];
	struct et_frame frame = { .data = buf, .link_type = DLT_RAW };
	struct et_segment segment;
	bool same = false;

	if (!whole)
		return false;
	frame.cap_len = frame.len = whole->pkt_len;
	frame.data = rte_pktmbuf_read(whole, 0, whole->pkt_len, buf);
	if (frame.data && et_packet_decode(&segment, &frame) == ET_KEEP) {
		same = segment.len == PAYLOAD - 20 && segment.payload.n == segment.len &&
		       segment.src_port == 40000 && segment.dst_port == 25 && segment.seq == 1;
		for (uint32_t i = 0; same && i < segment.payload.n; i++)
			same = segment.payload.p[i] == payload_byte(20 + i);
	}
	rte_pktmbuf_free(whole);
	return same;
}

/* Starts a test: nothing waits, nothing is lost. */
static void begin(void)
{
	now = 1;
	rte_srand(20261122); /* so that no two fragments take each other's place by chance */
	fragments = fragments_new(SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(fragments);
}

/* Ends it; lets all that waits time out before, if asked to. */
static void end(const char *row, bool wait, uint64_t lost, uint64_t repeated)
{
	if (wait)
		now += 3 * rte_get_tsc_hz();
	for (unsigned i = 0; wait && i < 100; i++)
		fragments_age(fragments, now);
	if (fragments_lost(fragments) != lost)
		fail(row, "lost", fragments_lost(fragments));
	if (fragments_repeated(fragments) != repeated)
		fail(row, "repeated", fragments_repeated(fragments));
	if (wait && rte_mempool_avail_count(pool) != POOL)
		fail(row, "not freed after the wait", POOL - rte_mempool_avail_count(pool));
	fragments_free(fragments);
	if (rte_mempool_avail_count(pool) != POOL)
		fail(row, "not freed", POOL - rte_mempool_avail_count(pool));
}

/* Part i of cnt, which share the payload as equally as units of 8 bytes allow. */
static struct part part_of(unsigned i, unsigned cnt)
{
	uint32_t from = PAYLOAD / 8 * i / cnt * 8, to = PAYLOAD / 8 * (i + 1) / cnt * 8;

	return (struct part){ from, to - from, i + 1 < cnt };
}

/* Every order of up to four fragments, and the first orders of up to eight. */
static void test_orders(void)
{
	for (size_t s = 0; s < SHAPES; s++) {
		for (unsigned cnt = 2; cnt <= 8; cnt++) {
			unsigned order[8] = { 0 };

			begin();
			for (unsigned round = 0; round < 60; round++) {
				for (unsigned i = 0; i < cnt; i++) {
					unsigned j = next_random() % (i + 1);

					order[i] = order[j];
					order[j] = i;
				}
				for (unsigned i = 0; i < cnt; i++) {
					struct rte_mbuf *whole =
						send(&shapes[s], round, part_of(order[i], cnt));

					if (whole && i + 1 < cnt)
						fail(shapes[s].name, "early", i);
					if (is_whole(whole) != (i + 1 == cnt))
						fail(shapes[s].name, "not the datagram, of", cnt);
				}
			}
			end(shapes[s].name, false, 0, 0);
		}
	}
}

/* A mirror of two ports: each fragment twice, one after the other or all after all. */
static void test_copies(void)
{
	for (size_t s = 0; s < SHAPES; s++) {
		for (unsigned step = 1; step <= 3; step += 2) {
			unsigned wholes = 0;

			begin();
			for (unsigned i = 0; i < 6; i++)
				wholes += is_whole(
					send(&shapes[s], 5, part_of(step == 1 ? i / 2 : i % 3, 3)));
			CU_ASSERT_EQUAL(wholes, 1);
			end(shapes[s].name, true, 0, 3);
		}
	}
	/* long after, the same identification is another datagram's */
	begin();
	for (unsigned i = 0; i < 4; i++) {
		CU_ASSERT_EQUAL(is_whole(send(&shapes[0], 5, part_of(i % 2, 2))), i % 2 == 1);
		now += i == 1 ? 3 * rte_get_tsc_hz() : 0;
	}
	end("identification used again", true, 0, 0);
}

/* Fragments that do not make a datagram: all are lost, at once or after the wait. */
static void test_lost(void)
{
	static const struct {
		const char *name;
		struct part parts[10];
		bool at_once; /* not even kept until the wait is over */
	} rows[] = {
		{ "one", { { 0, 512, true } }, false },
		{ "last only", { { 512, 512, false } }, false },
		{ "hole", { { 0, 256, true }, { 512, 512, false } }, false },
		{ "hole, as many bytes as needed",
			{ { 0, 8, true }, { 8, 16, true }, { 16, 16, true }, { 40, 8, false } },
			false },
		{ "overlap of first", { { 0, 16, true }, { 8, 16, true }, { 24, 8, false } },
			false },
		{ "overlap of last", { { 0, 16, true }, { 16, 16, true }, { 24, 16, false } },
			false },
		{ "within another", { { 0, 512, true }, { 8, 8, true }, { 512, 512, false } },
			false },
		{ "two first", { { 0, 512, true }, { 0, 256, true }, { 512, 512, false } }, false },
		{ "two last", { { 512, 512, false }, { 768, 256, false }, { 0, 512, true } },
			false },
		{ "behind the last", { { 1024, 8, true }, { 0, 512, true }, { 512, 512, false } },
			false },
		{ "nine",
			{ { 0, 8, true }, { 8, 8, true }, { 16, 8, true }, { 24, 8, true },
				{ 32, 8, true }, { 40, 8, true }, { 48, 8, true }, { 56, 8, true },
				{ 64, 8, false } },
			false },
		{ "not a fragment", { { 0, 512, false } }, true },
		{ "nothing in it", { { 512, 0, false } }, true },
		{ "nothing in it, more", { { 0, 0, true } }, true },
		{ "not a multiple of 8", { { 0, 511, true } }, true },
		{ "ping of death", { { 65528, 100, false } }, true },
		{ "ping of death, more", { { 65528, 8, true } }, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t s = 0; s < SHAPES; s++) {
			unsigned cnt = 0;

			begin();
			for (; cnt < 10 && (rows[i].parts[cnt].len || cnt == 0); cnt++)
				if (is_whole(send(&shapes[s], 9, rows[i].parts[cnt])))
					fail(rows[i].name, "a datagram", s);
			if (rows[i].at_once && fragments_lost(fragments) != cnt)
				fail(rows[i].name, "kept", s);
			end(rows[i].name, true, cnt, 0);
		}
	}
}

/* The longest datagram there can be, and one unit more. */
static void test_longest(void)
{
	static const struct {
		const struct shape *shape;
		uint32_t total;
		bool fits;
	} rows[] = { { &shapes[0], 65535 - 20, true }, { &shapes[0], 65536 - 20, false },
		{ &shapes[3], 65535 - 32, true }, { &shapes[3], 65536 - 32, false },
		{ &shapes[6], 65535, true }, { &shapes[6], 65536, false } };
	static uint8_t bytes[WHOLE_MAX], part[WHOLE_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct shape *shape = rows[i].shape;
		struct rte_mbuf *whole = NULL;

		begin();
		for (uint32_t at = 0; at < rows[i].total; at += 16000) {
			uint32_t len = RTE_MIN(rows[i].total - at, 16000u);
			struct part p = { at, len, at + len < rows[i].total };
			uint32_t head = shape->v6 ? put_ipv6(bytes, shape, 1, p)
						  : put_ipv4(bytes, shape, 1, p);

			memcpy(part, bytes, head);
			CU_ASSERT_PTR_NULL(whole);
			whole = fragments_take(fragments, chain(part, head + len, 1900), 0, now);
		}
		if ((whole != NULL) != rows[i].fits)
			fail(shape->name, "total", rows[i].total);
		if (whole)
			CU_ASSERT_EQUAL(whole->pkt_len,
				rows[i].total + (shape->v6 ? 40 : 20 + shape->extensions));
		rte_pktmbuf_free(whole);
		end(shape->name, true, rows[i].fits ? 0 : 5, 0);
	}
}

/* Cut at every length: given up, or not a byte of it was needed. */
static void test_cut(void)
{
	for (size_t s = 0; s < SHAPES; s++) {
		uint8_t bytes[4096];
		struct part part = { 0, 64, true };
		uint32_t n = put(bytes, &shapes[s], 1, part);
		uint64_t lost = 0;

		begin();
		for (uint32_t len = 1; len <= n; len++) {
			put16(bytes + shapes[s].link +
					(shapes[s].v6 ? 40 + shapes[s].extensions + 6 : 4),
				len);
			if (fragments_take(fragments, chain(bytes, len, shapes[s].segment),
				    shapes[s].link, now))
				fail(shapes[s].name, "a datagram, of", len);
			lost += len < n - shapes[s].padding;
			if (fragments_lost(fragments) != lost)
				fail(shapes[s].name, "not lost when cut at", len);
		}
		end(shapes[s].name, true, n, 0);
	}
}

/* Neither datagrams nor buffers without bound, and when they timed out there is room again. */
static void test_full(void)
{
	for (size_t s = 0; s < SHAPES; s += 2) {
		begin();
		for (uint32_t id = 0; id < 6000; id++)
			CU_ASSERT_PTR_NULL(send(&shapes[s], id, part_of(0, 2)));
		CU_ASSERT(POOL - rte_mempool_avail_count(pool) <= FRAGMENTS_MBUFS);
		CU_ASSERT(POOL - rte_mempool_avail_count(pool) >= FRAGMENTS_MBUFS - 100);
		now += rte_get_tsc_hz();
		fragments_age(fragments, now);
		CU_ASSERT(POOL - rte_mempool_avail_count(pool) >= FRAGMENTS_MBUFS - 100);
		now += 2 * rte_get_tsc_hz();
		for (unsigned i = 0; i < 100; i++)
			fragments_age(fragments, now);
		CU_ASSERT_EQUAL(rte_mempool_avail_count(pool), POOL);
		CU_ASSERT_PTR_NULL(send(&shapes[s], 1, part_of(0, 2)));
		CU_ASSERT(is_whole(send(&shapes[s], 1, part_of(1, 2))));
		end(shapes[s].name, true, 6000, 0);
	}
}

/* Fragments that fit, overlap, repeat, are cut or garbage, for few datagrams at a time. */
static void storm(unsigned rounds, size_t shape_step)
{
	uint64_t pieces = 0, wholes = 0;

	begin();
	for (unsigned round = 0; round < rounds; round++) {
		const struct shape *shape =
			&shapes[next_random() % SHAPES / shape_step * shape_step];
		unsigned kind = next_random() % 8, cnt = next_random() % 9 + 2;
		struct part part = part_of(next_random() % cnt, cnt);
		uint8_t bytes[4096];
		uint32_t n;
		struct rte_mbuf *whole;

		if (kind < 5) /* of a datagram that is in three parts as a rule */
			part = part_of(next_random() % 3, 3);
		if (kind == 5)
			part.offset += 8 * (next_random() % 4);
		n = put(bytes, shape, next_random() % 40 + round / 512 * 40, part);
		if (kind == 6)
			n = next_random() % n + 1;
		for (unsigned i = kind == 7 ? next_random() % 4 + 1 : 0; i > 0; i--)
			bytes[shape->link + next_random() % 60] = (uint8_t)next_random();
		now += rte_get_tsc_hz() / 2000;
		whole = fragments_take(fragments,
			chain(bytes, n, shape_step == SHAPES ? 2048 : shape->segment),
			next_random() % 512 ? shape->link : next_random() % 3000, now);
		if (whole) {
			wholes++;
			pieces += whole->nb_segs;
			is_whole(whole);
		}
		if (round % 64 == 0)
			fragments_age(fragments, now);
	}
	CU_ASSERT(wholes > rounds / 100);
	now += 3 * rte_get_tsc_hz();
	for (unsigned i = 0; i < 100; i++)
		fragments_age(fragments, now);
	if (shape_step == SHAPES) /* each fragment is one buffer, and ends in one of three ways */
		CU_ASSERT_EQUAL(
			pieces + fragments_lost(fragments) + fragments_repeated(fragments), rounds);
	end("storm", true, fragments_lost(fragments), fragments_repeated(fragments));
}

static void test_storm(void)
{
	storm(200000, 1);
	storm(200000, SHAPES);
}

int main(void)
{
	CU_TestInfo tests[] = { { "orders", test_orders }, { "copies", test_copies },
		{ "lost", test_lost }, { "longest", test_longest },
		{ "cut at every length", test_cut }, { "full", test_full }, { "storm", test_storm },
		CU_TEST_INFO_NULL };

	if (!test_eal(NULL))
		return 2;
	pool = rte_pktmbuf_pool_create("test", POOL, 0, 0, 2176, SOCKET_ID_ANY);
	if (!pool)
		return 2;
	return unit_run("fragments", tests);
}
