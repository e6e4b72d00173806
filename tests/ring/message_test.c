/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "help.h"
#include "ring_file.h"
#include "ring_tests.h"
#include "unit.h"

static char error[ET_RING_ERROR];

struct ends {
	struct et_ring *writer, *reader;
};

static struct ends open_ends(uint64_t generation)
{
	struct et_ring_options options = ring_options(generation);
	struct ends e;

	e.writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e.writer);
	e.reader = et_ring_attach(error, &options.id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e.reader);
	return e;
}

static void close_ends(struct ends *e)
{
	et_ring_unlink(et_ring_id(e->writer));
	et_ring_close(e->writer);
	et_ring_close(e->reader);
}

static void reattach(struct ends *e)
{
	struct et_ring_id id = *et_ring_id(e->reader);

	et_ring_close(e->reader);
	e->reader = et_ring_attach(error, &id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(e->reader);
}

/* Writes a message of len bytes, reads it, gives it back. */
static bool pass(struct ends *e, size_t len)
{
	uint64_t number = et_ring_next_number(e->writer);
	struct et_ring_message message;

	if (!pattern_put_len(e->writer, len) ||
		et_ring_used(e->writer) != (size_t)ring_slots(len) * ET_RING_SLOT ||
		!et_ring_read(e->reader, &message) || message.number != number ||
		!pattern_ok_len(&message, len) || et_ring_read(e->reader, &message))
		return false;
	et_ring_release(e->reader, number + 1);
	return et_ring_released(e->reader) == number + 1 && et_ring_used(e->reader) == 0 &&
	       !et_ring_bad(e->reader);
}

/* Passes messages until `left` slots are left before the first slot comes again. */
static bool go_before_wrap(struct ends *e, uint32_t left)
{
	uint32_t slots = e->writer->capacity + 1;
	uint32_t way = (slots - left - e->writer->pos) & (slots - 1);
	const uint32_t most = ring_slots(ET_RING_MESSAGE_MAX);

	while (way != 0) {
		uint32_t n = way < most ? way : most;

		if (!pass(e, (size_t)n * ET_RING_SLOT - ET_RING_HEADER - (n == most ? 48 : 0)))
			return false;
		way -= n;
	}
	return true;
}

/* Every length of the first slots, and those around each power of two up to the longest. */
void test_lengths(void)
{
	struct ends e = open_ends(10);

	for (size_t len = 0; len < 700; len++)
		CU_ASSERT(pass(&e, len));
	for (size_t border = 1024; border <= ET_RING_MESSAGE_MAX; border *= 2)
		for (size_t len = border - 65; len <= border + 65 && len <= ET_RING_MESSAGE_MAX;
			len++)
			CU_ASSERT(pass(&e, len));
	CU_ASSERT(!pattern_put_len(e.writer, ET_RING_MESSAGE_MAX + 1));
	CU_ASSERT(!et_ring_put(e.writer, 1, "", SIZE_MAX, "", 2, 0));
	CU_ASSERT(!et_ring_put(e.writer, 1, "", 2, "", SIZE_MAX, 0));
	CU_ASSERT_EQUAL(et_ring_used(e.writer), 0);
	CU_ASSERT(pass(&e, 3));
	close_ends(&e);
}

/* Messages of 1 to 6 slots, each border, that end, begin or go on at the first slot. */
void test_wrap(void)
{
	static const size_t lens[] = { 0, 1, 47, 48, 49, 63, 64, 65, 111, 112, 113, 175, 176, 177,
		239, 240, 241, 303, 304, 305, 368 };
	static const uint32_t long_lefts[] = { 1, 2, 3, 2048, 4095, 4096, 4097 };
	struct ends e = open_ends(11);

	for (uint32_t left = 1; left <= 7; left++)
		for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
			CU_ASSERT(go_before_wrap(&e, left) && pass(&e, lens[i]));
	for (size_t i = 0; i < sizeof(long_lefts) / sizeof(long_lefts[0]); i++)
		CU_ASSERT(go_before_wrap(&e, long_lefts[i]) && pass(&e, ET_RING_MESSAGE_MAX));
	close_ends(&e);
}

/* rte_ring's positions have 32 bits: nothing happens where they begin again. */
void test_positions_wrap(void)
{
	struct ends e = open_ends(12);
	struct rte_ring *rte = e.writer->rte;
	const uint32_t pos = UINT32_MAX - 70000;

	rte->prod.head = pos;
	rte->prod.tail = pos;
	rte->cons.head = pos;
	rte->cons.tail = pos;
	e.writer->pos = pos;
	reattach(&e);
	for (int i = 0; i < 60; i++)
		CU_ASSERT(pass(&e, ET_RING_MESSAGE_MAX - 1000));
	CU_ASSERT(rte->cons.tail < pos);
	close_ends(&e);
}

/* The largest ring has more bytes than 32 bits of words can count. */
void test_offsets(void)
{
	struct et_ring ring = { .span = ET_RING_BYTES_MAX };

	CU_ASSERT_EQUAL(ring_offset(&ring, 0), 0);
	CU_ASSERT_EQUAL(ring_offset(&ring, 1u << 28), (size_t)16 << 30);
	CU_ASSERT_EQUAL(ring_offset(&ring, (1u << 30) - 1), ET_RING_BYTES_MAX - ET_RING_SLOT);
	CU_ASSERT_EQUAL(ring_offset(&ring, (1u << 30) + 1), ET_RING_SLOT);
	CU_ASSERT_EQUAL(ring_offset(&ring, UINT32_MAX), ET_RING_BYTES_MAX - ET_RING_SLOT);
}

/* A full ring refuses, keeps what it has, and goes on as slots come back, one by one. */
void test_full(void)
{
	struct ends e = open_ends(13);
	struct et_ring_message message;
	uint64_t written = 0, seen = 0;

	for (int lap = 0; lap < 3; lap++) {
		while (pattern_put(e.writer))
			written++;
		while (pattern_put_len(e.writer, 48)) /* one slot: to the last */
			written++;
		CU_ASSERT_EQUAL(et_ring_used(e.reader), et_ring_bytes(e.reader));
		CU_ASSERT_EQUAL(et_ring_next_number(e.writer), written + 1);
		while (et_ring_read(e.reader, &message)) {
			CU_ASSERT(pattern_ok(&message) || pattern_ok_len(&message, 48));
			CU_ASSERT_EQUAL(message.number, ++seen);
			CU_ASSERT(!pattern_put_len(e.writer, 0)); /* reading is not releasing */
			if (seen % 64 == 0 && lap > 0)
				et_ring_release(e.reader, seen - 32);
			if (seen % 64 == 0 && lap > 0)
				break;
		}
		CU_ASSERT(lap > 0 || seen == written);
		et_ring_release(e.reader, seen + 1);
		CU_ASSERT_EQUAL(et_ring_released(e.reader), seen + 1);
	}
	CU_ASSERT(!et_ring_bad(e.reader));
	close_ends(&e);
}

/* `keep` bytes stay free behind a message, to the slot. */
void test_keep(void)
{
	struct ends e = open_ends(14);
	const size_t all = et_ring_bytes(e.writer);

	CU_ASSERT(!et_ring_put(e.writer, 1, NULL, 0, NULL, 0, SIZE_MAX));
	CU_ASSERT(!et_ring_put(e.writer, 1, NULL, 0, NULL, 0, all));
	CU_ASSERT(!et_ring_put(e.writer, 1, NULL, 0, NULL, 0, all - 63));
	CU_ASSERT(et_ring_put(e.writer, 1, NULL, 0, NULL, 0, all - 64));
	CU_ASSERT(!et_ring_put(e.writer, 1, "", 1, NULL, 0, all - 127));
	CU_ASSERT(!et_ring_put(e.writer, 1, "0123456789", 10, "0123456789", 10, all - 127));
	CU_ASSERT(et_ring_put(e.writer, 1, "0123456789", 10, "0123456789", 10, all - 128));
	CU_ASSERT_EQUAL(et_ring_used(e.writer), 128);
	while (et_ring_put(e.writer, 1, NULL, 0, NULL, 0, 1024))
		;
	CU_ASSERT_EQUAL(all - et_ring_used(e.writer), 1024);
	CU_ASSERT(et_ring_put(e.writer, 1, NULL, 0, NULL, 0, 1024 - 64));
	close_ends(&e);
}

/* Which messages come back after rewind, release and a new reader. */
void test_release(void)
{
	struct ends e = open_ends(15);
	struct et_ring_message message;

	for (int i = 0; i < 100; i++)
		CU_ASSERT(pattern_put(e.writer));
	for (int i = 0; i < 10; i++)
		CU_ASSERT(et_ring_read(e.reader, &message));
	CU_ASSERT_EQUAL(message.number, 10);
	et_ring_release(e.reader, 5);
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 5);
	et_ring_release(e.reader, 3); /* not backwards */
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 5);
	CU_ASSERT(et_ring_read(e.reader, &message) && message.number == 11);
	et_ring_rewind(e.reader);
	CU_ASSERT(et_ring_read(e.reader, &message) && message.number == 5);
	CU_ASSERT(pattern_ok(&message));
	et_ring_release(e.reader, UINT64_MAX); /* what is read, and no more */
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 6);
	CU_ASSERT(et_ring_read(e.reader, &message) && message.number == 6);
	reattach(&e);
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 6);
	for (uint64_t n = 6; n <= 100; n++)
		CU_ASSERT(et_ring_read(e.reader, &message) && message.number == n &&
			  pattern_ok(&message));
	CU_ASSERT(!et_ring_read(e.reader, &message));
	reattach(&e);
	et_ring_release(e.reader, 101); /* this one has read nothing yet */
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 6);
	while (et_ring_read(e.reader, &message))
		;
	et_ring_release(e.reader, 101);
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 101);
	CU_ASSERT_EQUAL(et_ring_used(e.writer), 0);
	CU_ASSERT(!et_ring_bad(e.reader));
	close_ends(&e);
}

/* The number is right for a reader who finds the ring empty, and for one whose predecessor died
 * between the two stores of a release. */
void test_released_number(void)
{
	struct ends e = open_ends(16);
	struct et_ring_message message;
	struct ring_page *page = e.writer->page;

	CU_ASSERT_EQUAL(et_ring_released(e.reader), 1);
	CU_ASSERT(pattern_put(e.writer) && pattern_put(e.writer) && pattern_put(e.writer));
	while (et_ring_read(e.reader, &message))
		;
	et_ring_release(e.reader, 4);
	reattach(&e);
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 4);
	CU_ASSERT(pattern_put(e.writer) && pattern_put(e.writer));
	CU_ASSERT_EQUAL(page->released, 4);
	page->released = 6; /* and the tail has not moved */
	reattach(&e);
	CU_ASSERT_EQUAL(et_ring_released(e.reader), 4);
	CU_ASSERT(et_ring_read(e.reader, &message) && message.number == 4);
	CU_ASSERT(pattern_ok(&message) && !et_ring_bad(e.reader));
	et_ring_release(e.reader, 5);
	CU_ASSERT_EQUAL(page->released, 5);
	close_ends(&e);
}

/* To DPDK's own functions it is an rte_ring like any other: they read what was put. */
void test_rte_ring(void)
{
	struct ends e = open_ends(17);
	struct rte_ring *rte = e.reader->rte;
	struct rte_ring_zc_data data = { 0 };
	struct ring_header header;
	unsigned int n;

	CU_ASSERT(et_ring_put(e.writer, 7, "head ", 5, "body", 4, 0));
	CU_ASSERT_EQUAL(rte_ring_count(rte), 1);
	CU_ASSERT_EQUAL(rte_ring_get_prod_sync_type(rte), RTE_RING_SYNC_ST);
	CU_ASSERT_EQUAL(rte_ring_get_cons_sync_type(rte), RTE_RING_SYNC_ST);
	n = rte_ring_dequeue_zc_burst_elem_start(rte, ET_RING_SLOT, 10, &data, NULL);
	CU_ASSERT_EQUAL_FATAL(n, 1);
	memcpy(&header, data.ptr1, sizeof(header));
	CU_ASSERT(header.number == 1 && header.kind == 7 && header.len == 9);
	CU_ASSERT_EQUAL(memcmp((uint8_t *)data.ptr1 + sizeof(header), "head body", 9), 0);
	rte_ring_dequeue_zc_elem_finish(rte, n);
	CU_ASSERT_EQUAL(et_ring_used(e.writer), 0);
	close_ends(&e);
}
