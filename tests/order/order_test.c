/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "et_order.h"
#include "et_packet.h"
#include "unit.h"

/* One direction fed by a table of segments; what comes out is written down, a hole as '.'. */
struct bench {
	struct et_order order;
	struct et_order_env env;
	struct et_order_counts counts;
	uint64_t drops[ET_DROP_MAX];
	char out[200000];
	size_t n;
	int64_t now_ns;
	uint16_t ip_id;
};

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	b->env.counts = &b->counts;
	b->env.drops = b->drops;
	b->env.pool = et_order_pool_new(1024);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b->env.pool);
	return b;
}

static void bench_free(struct bench *b)
{
	et_order_done(&b->order, &b->env);
	et_order_pool_free(b->env.pool);
	free(b);
}

static void write_down(struct bench *b, const struct et_piece *piece)
{
	memset(b->out + b->n, '.', piece->gap);
	b->n += piece->gap;
	memcpy(b->out + b->n, piece->bytes.p, piece->bytes.n);
	b->n += piece->bytes.n;
	memset(b->out + b->n, '.', piece->cut);
	b->n += piece->cut;
}

static void drain(struct bench *b, bool flush)
{
	struct et_piece piece;

	while (et_order_next(&b->order, &b->env, &piece, flush))
		write_down(b, &piece);
}

static void push(struct bench *b, uint32_t seq, const char *text, size_t captured, size_t len)
{
	struct et_segment s = { .seq = seq,
		.payload = { (const uint8_t *)text, captured },
		.len = (uint32_t)len,
		.ip_id = ++b->ip_id };
	struct et_piece piece;

	b->now_ns += 10 * 1000 * 1000;
	if (et_order_push(&b->order, &b->env, &piece, &s, b->now_ns)) {
		write_down(b, &piece);
		drain(b, false);
	}
}

static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

struct step {
	uint32_t at;
	uint32_t n;
};

static void test_orders(void)
{
	static const struct {
		struct step steps[8];
		const char *out; /* after the last step */
		const char *flushed;
	} rows[] = {
		{ { { 0, 4 }, { 4, 4 }, { 8, 4 } }, "0123456789ab", "0123456789ab" },
		{ { { 0, 4 }, { 8, 4 }, { 4, 4 } }, "0123456789ab", "0123456789ab" },
		{ { { 0, 4 }, { 0, 4 }, { 4, 4 } }, "01234567", "01234567" },
		{ { { 0, 6 }, { 2, 6 } }, "01234567", "01234567" },               /* tail is new */
		{ { { 0, 4 }, { 6, 4 }, { 2, 6 } }, "0123456789", "0123456789" }, /* fills a hole */
		{ { { 0, 2 }, { 4, 2 }, { 8, 2 } }, "01", "01..45..89" },         /* two holes */
		{ { { 0, 2 }, { 8, 2 }, { 4, 2 }, { 6, 2 } }, "01", "01..456789" },
		{ { { 0, 2 }, { 4, 4 }, { 4, 8 }, { 2, 2 } }, "0123456789ab", "0123456789ab" },
		{ { { 0, 2 }, { 6, 4 }, { 4, 8 }, { 2, 2 } }, "0123456789ab", "0123456789ab" },
		{ { { 0, 2 }, { 4, 2 }, { 8, 2 }, { 3, 9 } }, "01",
			"01.3456789ab" }, /* spans two */
		{ { { 0, 2 }, { 4, 8 }, { 6, 2 }, { 2, 2 } }, "0123456789ab", "0123456789ab" },
	};

	for (uint32_t base = 0; base < 2; base++) { /* plain, and over the wrap at 2^32 */
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct bench *b = bench_new();
			uint32_t isn = base ? UINT32_MAX - 5 : 1000;

			et_order_syn(&b->order, isn);
			for (const struct step *s = rows[i].steps; s->n; s++)
				push(b, isn + 1 + s->at, text + s->at, s->n, s->n);
			CU_ASSERT_STRING_EQUAL(b->out, rows[i].out);
			drain(b, true);
			CU_ASSERT_STRING_EQUAL(b->out, rows[i].flushed);
			bench_free(b);
		}
	}
}

/* Nine segments in any order. */
static void test_any_order(void)
{
	srand(7);
	for (unsigned round = 0; round < 2000; round++) {
		struct bench *b = bench_new();
		uint32_t isn = (uint32_t)rand() * 2u;
		uint32_t at[9];

		et_order_syn(&b->order, isn);
		for (uint32_t i = 0; i < 9; i++)
			at[i] = i * 4;
		for (uint32_t i = 8; i > 0; i--) {
			uint32_t j = (uint32_t)rand() % (i + 1), t = at[i];

			at[i] = at[j];
			at[j] = t;
		}
		for (uint32_t i = 0; i < 9; i++)
			push(b, isn + 1 + at[i], text + at[i], 4, 4);
		CU_ASSERT_STRING_EQUAL(b->out, text);
		CU_ASSERT_EQUAL(b->counts.gaps, 0);
		bench_free(b);
	}
}

static void test_midstream(void)
{
	struct bench *b = bench_new();

	push(b, 5000, text, 4, 4);
	push(b, 5004, text + 4, 4, 4);
	CU_ASSERT_STRING_EQUAL(b->out, "01234567");
	push(b, 4990, "before", 6, 6); /* what was before the begin is old */
	CU_ASSERT_STRING_EQUAL(b->out, "01234567");
	bench_free(b);
}

static void test_cut(void)
{
	struct bench *b = bench_new();

	push(b, 1, text, 4, 10); /* the snap length cut six bytes */
	push(b, 11, text + 10, 2, 2);
	CU_ASSERT_STRING_EQUAL(b->out, "0123......ab");
	push(b, 17, text + 16, 1, 3); /* held, cut */
	push(b, 13, text + 12, 4, 4);
	CU_ASSERT_STRING_EQUAL(b->out, "0123......abcdefg..");
	bench_free(b);
}

/* When enough is held the hole is given up, so that a lost packet does not stop a direction. */
static void test_hold_limit(void)
{
	struct bench *b = bench_new();
	uint32_t i;

	et_order_syn(&b->order, 0);
	for (i = 1; i < 100 && b->n == 0; i++)
		push(b, 1 + 10 * i, text, 10, 10);
	CU_ASSERT(i <= ET_ORDER_HELD);
	CU_ASSERT_EQUAL(b->counts.gaps, 1);
	CU_ASSERT_EQUAL(b->counts.gap_bytes, 10);
	CU_ASSERT_EQUAL(b->n, 10 * i);
	bench_free(b);
}

static void test_long_segments(void)
{
	struct bench *b = bench_new();
	char big[10000];

	memset(big, 'x', sizeof(big));
	et_order_syn(&b->order, 0);
	push(b, 101, big, 9000, 9000);
	CU_ASSERT_EQUAL(b->n, 0);
	push(b, 1, big, 100, 100);
	CU_ASSERT_EQUAL(b->n, 9100);
	CU_ASSERT_EQUAL(b->counts.gaps, 0);
	push(b, 9101 + ET_ORDER_AHEAD + 1, big, 10, 10);
	CU_ASSERT_EQUAL(b->drops[ET_DROP_TCP_WINDOW], 1);
	bench_free(b);
}

static void test_copies(void)
{
	struct bench *b = bench_new();

	push(b, 1, text, 4, 4);
	b->ip_id--; /* the same packet again: a mirror's copy */
	push(b, 1, text, 4, 4);
	CU_ASSERT_EQUAL(b->counts.duplicates, 1);
	push(b, 1, text, 4, 4);
	CU_ASSERT_EQUAL(b->counts.retransmissions, 1);
	push(b, 1, "XXXX", 4, 4);
	CU_ASSERT_EQUAL(b->counts.conflicts, 1);
	CU_ASSERT_STRING_EQUAL(b->out, "0123"); /* first come, first served */
	bench_free(b);
}

static void test_pool_is_bounded(void)
{
	struct et_order orders[600] = { 0 };
	uint64_t drops[ET_DROP_MAX] = { 0 };
	struct et_order_counts counts = { 0 };
	struct et_order_env env = {
		.pool = et_order_pool_new(256), .counts = &counts, .drops = drops
	};
	struct et_piece piece;

	CU_ASSERT_PTR_NOT_NULL_FATAL(env.pool);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 600; i++) {
			struct et_segment s = {
				.seq = 100, .payload = { (const uint8_t *)text, 4 }, .len = 4
			};

			et_order_syn(&orders[i], 0);
			et_order_push(&orders[i], &env, &piece, &s, 0);
		}
		CU_ASSERT_EQUAL(drops[ET_DROP_TCP_HOLD], (round + 1) * (600 - 256));
		for (unsigned i = 0; i < 600; i++) {
			et_order_done(&orders[i], &env);
			orders[i] = (struct et_order){ 0 };
		}
	}
	et_order_pool_free(env.pool);
}

int main(void)
{
	CU_TestInfo tests[] = { { "orders", test_orders }, { "any order", test_any_order },
		{ "mid-stream", test_midstream }, { "cut by snap length", test_cut },
		{ "hold limit", test_hold_limit }, { "long segments", test_long_segments },
		{ "copies", test_copies }, { "bounded pool", test_pool_is_bounded },
		CU_TEST_INFO_NULL };

	return unit_run("order", tests);
}
