/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "et_flow.h"
#include "unit.h"

#define SEED 0x5eed

static struct et_segment segment(uint32_t n, bool back)
{
	struct et_segment s = { .src = et_addr_v4((const uint8_t[]){
					198, 51, (uint8_t)(n >> 8), (uint8_t)n }),
		.dst = et_addr_v4((const uint8_t[]){ 192, 0, 2, 25 }),
		.src_port = (uint16_t)(1024 + n % 60000),
		.dst_port = 25 };

	if (back)
		return (struct et_segment){
			.src = s.dst, .dst = s.src, .src_port = s.dst_port, .dst_port = s.src_port
		};
	return s;
}

/* Both directions have one key and one hash, and opposite sides. */
static void test_symmetry(void)
{
	for (uint32_t n = 0; n < 1000; n++) {
		struct et_segment there = segment(n, false), back = segment(n, true);
		struct et_flow_key a, b;
		uint64_t a_hash, b_hash;
		unsigned side = et_flow_key(&a, &a_hash, &there, SEED);

		CU_ASSERT_EQUAL(et_flow_key(&b, &b_hash, &back, SEED), 1 - side);
		CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof(a)), 0);
		CU_ASSERT_EQUAL(a_hash, b_hash);
		CU_ASSERT_EQUAL(a_hash, et_flow_hash(&a, SEED));
		CU_ASSERT_NOT_EQUAL(et_flow_hash(&a, SEED), et_flow_hash(&b, SEED + 1));
	}
}

/* Adds, finds and removes many times what the first buckets hold, checked against a plain array. */
static void test_many(void)
{
	enum { N = 50000 };
	struct et_flow_table *table = et_flow_table_new(8, N, SEED);
	bool *in = calloc(N, sizeof(*in));
	uint32_t cnt = 0;

	CU_ASSERT_FATAL(table && in);
	srand(1);
	for (uint32_t step = 0; step < 4 * N; step++) {
		uint32_t n = (uint32_t)rand() % N;
		struct et_segment s = segment(n, step & 1);
		struct et_flow_key key;
		uint64_t hash;
		struct et_flow *flow;

		et_flow_key(&key, &hash, &s, SEED);
		flow = et_flow_find(table, &key, hash);
		CU_ASSERT_EQUAL(flow != NULL, in[n]);
		if (flow && n % 3 == 0) {
			CU_ASSERT_EQUAL(flow->first_frame, n);
			et_flow_remove(table, flow);
			in[n] = false;
			cnt--;
		} else if (!flow) {
			flow = et_flow_add(table, &key, hash);
			CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
			flow->first_frame = n;
			in[n] = true;
			cnt++;
		}
		CU_ASSERT_EQUAL(et_flow_count(table), cnt);
	}
	for (uint32_t n = 0; n < N; n++) {
		struct et_segment s = segment(n, false);
		struct et_flow_key key;
		uint64_t hash;

		et_flow_key(&key, &hash, &s, SEED);
		CU_ASSERT_EQUAL(et_flow_find(table, &key, hash) != NULL, in[n]);
	}
	for (struct et_flow *flow; (flow = et_flow_any(table)) != NULL; cnt--)
		et_flow_remove(table, flow);
	CU_ASSERT_EQUAL(cnt, 0);
	free(in);
	et_flow_table_free(table);
}

static struct et_flow *add(struct et_flow_table *table, uint32_t n)
{
	struct et_segment s = segment(n, false);
	struct et_flow_key key;
	uint64_t hash;

	et_flow_key(&key, &hash, &s, SEED);
	return et_flow_add(table, &key, hash);
}

static void test_full(void)
{
	struct et_flow_table *table = et_flow_table_new(4, 40, SEED);
	struct et_flow *victim;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	CU_ASSERT_PTR_NULL(et_flow_victim(table));
	for (uint32_t n = 0; n < 40; n++) {
		struct et_flow *flow = add(table, n);

		CU_ASSERT_PTR_NOT_NULL_FATAL(flow);
		flow->last = n == 7 ? 1 : 100 + n;
	}
	CU_ASSERT_PTR_NULL(add(table, 40));
	victim = et_flow_victim(table);
	CU_ASSERT_PTR_NOT_NULL_FATAL(victim);
	CU_ASSERT_EQUAL(victim->last, 1); /* the stalest of those looked at */
	et_flow_remove(table, victim);
	victim = add(table, 40);
	CU_ASSERT_PTR_NOT_NULL_FATAL(victim);
	victim->last = 1000;
	victim->closed = 1;
	victim->state = ET_FLOW_UNDECIDED;
	for (unsigned i = 0; i < 3; i++) /* somewhere in a walk all around */
		CU_ASSERT_PTR_NOT_EQUAL(et_flow_victim(table), victim);
	victim->state = ET_FLOW_DECIDED;
	for (unsigned i = 0; i < 3 && et_flow_victim(table) != victim; i++)
		CU_ASSERT(i < 2); /* it is over: found when the hand comes by */
	et_flow_table_free(table);
}

static void test_aging(void)
{
	struct et_flow_table *table = et_flow_table_new(64, 64, SEED);
	uint32_t idle = ET_FLOW_IDLE_S * 16, closed = ET_FLOW_CLOSED_S * 16;
	struct et_flow *a, *b;

	CU_ASSERT_PTR_NOT_NULL_FATAL(table);
	a = add(table, 1);
	b = add(table, 2);
	a->last = UINT32_MAX - 10; /* the clock is about to wrap */
	b->last = UINT32_MAX - 10;
	b->closed = 1;
	/* a clock that is behind the last packet ages nothing; one that is far off does */
	for (uint32_t behind = 1; behind <= ET_FLOW_BEHIND_S * 16; behind += 7)
		CU_ASSERT_PTR_NULL(et_flow_sweep(table, UINT32_MAX - 10 - behind, 64));
	CU_ASSERT(et_flow_is_old(a, UINT32_MAX - 10 - 2 * ET_FLOW_BEHIND_S * 16));
	CU_ASSERT_PTR_NULL(et_flow_sweep(table, UINT32_MAX - 10 + closed, 64));
	CU_ASSERT_PTR_EQUAL(et_flow_sweep(table, UINT32_MAX - 10 + closed + 1, 64), b);
	et_flow_remove(table, b);
	CU_ASSERT_PTR_NULL(et_flow_sweep(table, UINT32_MAX - 10 + idle, 64));
	CU_ASSERT_PTR_EQUAL(et_flow_sweep(table, UINT32_MAX - 10 + idle + 1, 64), a);
	et_flow_table_free(table);
}

static void test_counts(void)
{
	struct et_flow flow = { 0 };

	for (unsigned i = 0; i < 200000; i++)
		et_flow_count_packet(&flow, 1, 40000);
	CU_ASSERT_EQUAL(et_flow_packets(&flow, 1), 200000);
	CU_ASSERT_EQUAL(et_flow_bytes(&flow, 1), UINT64_C(8000000000));
	CU_ASSERT_EQUAL(et_flow_packets(&flow, 0), 0);
}

int main(void)
{
	CU_TestInfo tests[] = { { "symmetry", test_symmetry }, { "many", test_many },
		{ "full", test_full }, { "aging", test_aging }, { "counts", test_counts },
		CU_TEST_INFO_NULL };

	return unit_run("flow", tests);
}
