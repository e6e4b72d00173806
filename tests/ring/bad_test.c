/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "help.h"
#include "ring_file.h"
#include "ring_tests.h"
#include "unit.h"

static char error[ET_RING_ERROR];

/* A ring with three messages: 2 slots, 1 slot, 3 slots. */
static struct et_ring *make(uint64_t generation)
{
	struct et_ring_options options = ring_options(generation);
	struct et_ring *writer = et_ring_create(error, &options);

	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT(pattern_put_len(writer, 100) && pattern_put_len(writer, 30) &&
		  pattern_put_len(writer, 150));
	return writer;
}

static struct et_ring *attach(const struct et_ring *writer)
{
	struct et_ring *reader = et_ring_attach(error, et_ring_id(writer), LAYOUT);

	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	return reader;
}

static void drop(struct et_ring *writer)
{
	et_ring_unlink(et_ring_id(writer));
	et_ring_close(writer);
}

/* A header that contradicts itself: what is before it is read and can be released, no more. */
void test_bad_messages(void)
{
	static const struct {
		uint32_t slot;
		struct ring_header header;
		uint64_t good; /* messages that are read before */
	} rows[] = {
		{ 0, { 0, 0, 100 }, 0 }, { 0, { 2, 0, 100 }, 0 }, { 0, { UINT64_MAX, 0, 100 }, 0 },
		{ 0, { 1, 0, UINT32_MAX }, 0 }, { 0, { 1, 0, ET_RING_MESSAGE_MAX + 1 }, 0 },
		{ 0, { 1, 0, ET_RING_MESSAGE_MAX }, 0 }, /* longer than what is there */
		{ 0, { 1, 0, 6 * 64 - 16 + 1 }, 0 },
		{ 0, { 1, 0, 6 * 64 - 16 }, 1 }, /* swallows the others: that is consistent */
		{ 2, { 1, 0, 30 }, 1 }, { 2, { 3, 0, 30 }, 1 }, { 2, { 2, 0, 300 }, 1 },
		{ 3, { 4, 0, 150 }, 2 }, { 3, { 3, 0, 177 }, 2 },
		{ 3, { 3, 0, 0 }, 3 }, /* and then a slot without header */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct et_ring *writer = make(20), *reader;
		struct et_ring_message message;
		bool swallows = rows[i].header.len == 6 * 64 - 16;
		uint64_t n = 0;

		memcpy(writer->slots + rows[i].slot * ET_RING_SLOT, &rows[i].header,
			sizeof(rows[i].header));
		reader = attach(writer);
		while (et_ring_read(reader, &message))
			CU_ASSERT_EQUAL(message.number, ++n);
		CU_ASSERT_EQUAL(n, rows[i].good);
		CU_ASSERT_EQUAL(et_ring_bad(reader), !swallows);
		et_ring_rewind(reader);
		CU_ASSERT_EQUAL(et_ring_read(reader, &message), swallows);
		if (!swallows) {
			et_ring_release(reader, UINT64_MAX);
			CU_ASSERT(!et_ring_read(reader, &message) && et_ring_bad(reader));
		}
		et_ring_close(reader);
		drop(writer);
	}
}

/* What was read before the bad one can be released; what changed since then is not followed. */
static void release_when_bad(void)
{
	struct et_ring *writer = make(21), *reader = attach(writer);
	struct ring_header *third = (struct ring_header *)(writer->slots + 3 * ET_RING_SLOT);
	struct et_ring_message message;

	third->len = UINT32_MAX;
	CU_ASSERT(et_ring_read(reader, &message) && et_ring_read(reader, &message));
	CU_ASSERT(!et_ring_read(reader, &message) && et_ring_bad(reader));
	et_ring_release(reader, 3);
	CU_ASSERT_EQUAL(et_ring_released(reader), 3);
	CU_ASSERT_EQUAL(et_ring_used(writer), 3 * ET_RING_SLOT);
	third->len = 150;
	et_ring_close(reader);
	reader = attach(writer);
	CU_ASSERT(et_ring_read(reader, &message) && message.number == 3);
	CU_ASSERT(pattern_put_len(writer, 0));
	CU_ASSERT(et_ring_read(reader, &message) && message.number == 4);
	third->len = UINT32_MAX;
	et_ring_release(reader, 4);
	CU_ASSERT(et_ring_bad(reader));
	CU_ASSERT_EQUAL(et_ring_released(reader), 3);
	et_ring_close(reader);
	drop(writer);
}

/* Positions that cannot be, before and after the reader has come. Neither end leaves its memory. */
void test_bad_positions(void)
{
	static const uint32_t values[] = { 6 + 65536, 6 + 65535, 7, 5, 0x80000000, UINT32_MAX };

	release_when_bad();
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		for (int field = 0; field < 6; field++) {
			struct et_ring *writer = make(22), *reader;
			struct rte_ring *rte = writer->rte;
			volatile uint32_t *fields[] = { &rte->prod.tail, &rte->cons.tail,
				&rte->cons.head, &rte->prod.head, &rte->size, &rte->capacity };
			struct et_ring_message message;
			bool early = field < 4 && i % 2 == 0;

			if (early)
				*fields[field] = values[i];
			reader = attach(writer);
			if (!early) {
				CU_ASSERT(et_ring_read(reader, &message));
				*fields[field] = values[i];
			}
			for (int n = 0; n < 20 && et_ring_read(reader, &message); n++)
				;
			CU_ASSERT(field > 1 || et_ring_bad(reader) || values[i] == 5);
			et_ring_release(reader, UINT64_MAX);
			for (int n = 0; n < 40; n++)
				pattern_put_len(writer, ET_RING_MESSAGE_MAX);
			for (int n = 0; n < 20 && et_ring_read(reader, &message); n++)
				;
			et_ring_close(reader);
			drop(writer);
		}
	}
}

/* One round: noise at `at`, under both ends or before a new reader comes. */
static void noise_round(uint64_t seed)
{
	struct et_ring *writer = make(23), *reader;
	uint8_t *file = (uint8_t *)writer->page;
	/* all of the rte_ring, the reader's number, and the slots in use */
	size_t at = seed % 8 == 0 ? offsetof(struct ring_page, released)
				  : RING_AT + mix(seed) % (sizeof(struct rte_ring) + 8 * 64);
	struct et_ring_message message;
	bool early = seed % 2 == 0;

	reader = early ? NULL : attach(writer);
	if (reader && seed % 4 == 1)
		et_ring_read(reader, &message);
	for (size_t i = 0; i < 1 + seed % 4; i++)
		file[at + i] = (uint8_t)mix(seed + i + 1000000);
	if (early)
		reader = et_ring_attach(error, et_ring_id(writer), LAYOUT);
	for (int lap = 0; lap < 3; lap++) {
		for (int n = 0; n < 20; n++)
			pattern_put_len(writer, mix(seed + (uint64_t)n) % 4096);
		for (int n = 0; reader && n < 200 && et_ring_read(reader, &message); n++)
			;
		if (reader)
			et_ring_release(reader, et_ring_released(reader) + seed % 30);
	}
	et_ring_close(reader);
	drop(writer);
}

/* Any bytes in any place: no crash, no waiting. */
void test_noise(void)
{
	for (uint64_t seed = 0; seed < 600; seed++)
		noise_round(seed);
	CU_PASS("still here");
}
