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
		/* the first is looked at at once: it tells the number */
		CU_ASSERT_EQUAL(et_ring_bad(reader), rows[i].slot == 0 && rows[i].good == 0);
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

/* Longer than any message, in a ring that holds enough behind it. */
static void too_long(void)
{
	struct et_ring *writer = make(24), *reader;
	struct ring_header *third = (struct ring_header *)(writer->slots + 3 * ET_RING_SLOT);
	struct et_ring_message message;

	CU_ASSERT(pattern_put_len(writer, ET_RING_MESSAGE_MAX) &&
		  pattern_put_len(writer, ET_RING_MESSAGE_MAX));
	third->len = ET_RING_MESSAGE_MAX + 1;
	reader = attach(writer);
	CU_ASSERT(et_ring_read(reader, &message) && et_ring_read(reader, &message));
	CU_ASSERT(!et_ring_read(reader, &message) && et_ring_bad(reader));
	et_ring_release(reader, 3);
	CU_ASSERT_EQUAL(et_ring_released(reader), 3);
	et_ring_close(reader);
	drop(writer);
}

/* Headers that change behind the reader's back are not followed when slots are given back. */
static void release_changed(void)
{
	static const struct ring_header changed[] = { { 1, 0, 30 }, { 3, 0, 30 }, { 0, 0, 30 },
		{ 2, 0, UINT32_MAX }, { 2, 0, 4 * 64 - 16 + 1 } };

	for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
		struct et_ring *writer = make(25), *reader = attach(writer);
		struct et_ring_message message;

		while (et_ring_read(reader, &message))
			;
		CU_ASSERT(message.number == 3 && !et_ring_bad(reader));
		memcpy(writer->slots + 2 * ET_RING_SLOT, &changed[i], sizeof(changed[i]));
		et_ring_release(reader, 2); /* the one before it is as it was */
		CU_ASSERT(!et_ring_bad(reader) && et_ring_released(reader) == 2);
		CU_ASSERT_EQUAL(et_ring_used(writer), 4 * ET_RING_SLOT);
		et_ring_release(reader, 3);
		CU_ASSERT(et_ring_bad(reader) && et_ring_released(reader) == 2);
		CU_ASSERT_EQUAL(et_ring_used(writer), 4 * ET_RING_SLOT);
		et_ring_close(reader);
		drop(writer);
	}
}

/* What is wrong with the message that a reader finds first, or with the number beside it. */
static void bad_begin(void)
{
	static const struct {
		uint64_t released, first; /* in the page; in the first message, 0: none is there */
		bool bad;
	} rows[] = { { 1, 1, false }, { 1, 2, true }, { 0, 1, true }, { 3, 1, false },
		{ UINT64_MAX, 1, false }, { 1, 0, false }, { 0, 0, true }, { 9, 0, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct et_ring *writer = make(26), *reader;
		struct et_ring_message message;

		writer->page->released = rows[i].released;
		if (rows[i].first > 0)
			((struct ring_header *)writer->slots)->number = rows[i].first;
		else
			writer->rte->cons.tail = writer->rte->prod.tail;
		reader = attach(writer);
		CU_ASSERT_EQUAL(et_ring_bad(reader), rows[i].bad);
		CU_ASSERT_EQUAL(et_ring_read(reader, &message), rows[i].first > 0 && !rows[i].bad);
		et_ring_close(reader);
		drop(writer);
	}
}

/* One word of the rte_ring, by name. */
static volatile uint32_t *word_of(struct rte_ring *rte, int field)
{
	volatile uint32_t *words[] = { &rte->prod.tail, &rte->cons.tail, &rte->cons.head,
		(volatile uint32_t *)&rte->cons.sync_type };

	return words[field];
}

/* Values that no honest writer leaves there, when 6 slots are written and none is released. */
static const struct {
	int field;
	uint32_t value;
	bool early; /* a new reader can tell, too; cons.head it sets itself */
} positions[] = {
	{ 0, 6 + 65536, true },
	{ 0, 65536, true },
	{ 0, 0x80000000, true },
	{ 0, UINT32_MAX, true },
	{ 1, 6 + 1, true },
	{ 1, 6 + 65535, true },
	{ 1, 0x80000000, true },
	{ 1, UINT32_MAX, false },
	{ 1, 5, true },
	{ 2, 6 + 65536, false },
	{ 2, 7, false },
	{ 2, 5, false },
	{ 2, 0, false },
	{ 2, UINT32_MAX, false },
	{ 3, RTE_RING_SYNC_MT, false },
	{ 3, RTE_RING_SYNC_MT_RTS, false },
	{ 3, RTE_RING_SYNC_MT_HTS, false },
};
#define POSITIONS (sizeof(positions) / sizeof(positions[0]))

/* Found by a reader that comes: it reads nothing. */
static void positions_early(size_t i)
{
	struct et_ring *writer = make(22), *reader;
	struct et_ring_message message;

	*word_of(writer->rte, positions[i].field) = positions[i].value;
	reader = attach(writer);
	CU_ASSERT(et_ring_bad(reader));
	CU_ASSERT_FALSE(et_ring_read(reader, &message));
	et_ring_release(reader, UINT64_MAX);
	CU_ASSERT_EQUAL(*word_of(writer->rte, positions[i].field), positions[i].value);
	et_ring_close(reader);
	drop(writer);
}

/*
 * Found by a reader at work: what it has taken is read, nothing beyond, and from there on the file
 * is left alone, even if it is put right.
 */
static void positions_late(size_t i)
{
	struct et_ring *writer = make(22), *reader = attach(writer);
	volatile uint32_t *word = word_of(writer->rte, positions[i].field);
	const uint32_t good = *word, head = writer->rte->cons.head;
	struct ring_header unpublished = { .number = 4, .len = 1 };
	struct et_ring_message message;
	uint64_t n = 0;

	memcpy(writer->slots + 6 * ET_RING_SLOT, &unpublished, sizeof(unpublished));
	CU_ASSERT(et_ring_read(reader, &message) && message.number == ++n);
	*word = positions[i].value;
	while (et_ring_read(reader, &message))
		CU_ASSERT(message.number == ++n && pattern_ok_len(&message, n == 2 ? 30 : 150));
	CU_ASSERT_EQUAL(n, 3);
	CU_ASSERT(et_ring_bad(reader));
	if (positions[i].field != 0) {
		*word = good;
		writer->rte->cons.head = head;
		CU_ASSERT(pattern_put_len(writer, 5));
		CU_ASSERT_FALSE(et_ring_read(reader, &message));
		CU_ASSERT_EQUAL(writer->rte->cons.head, head);
	}
	et_ring_release(reader, 2); /* the number is told all the same */
	CU_ASSERT_EQUAL(et_ring_released(reader), 2);
	CU_ASSERT(!et_ring_read(reader, &message) && et_ring_bad(reader));
	et_ring_close(reader);
	drop(writer);
}

/* Found when slots are given back: the positions stay as they are. */
static void positions_release(size_t i)
{
	struct et_ring *writer = make(22), *reader = attach(writer);
	struct rte_ring *rte = writer->rte;
	struct et_ring_message message;
	uint32_t tail;

	CU_ASSERT(et_ring_read(reader, &message) && et_ring_read(reader, &message) &&
		  et_ring_read(reader, &message));
	*word_of(rte, positions[i].field) = positions[i].value;
	tail = rte->cons.tail;
	et_ring_release(reader, 2);
	CU_ASSERT(et_ring_bad(reader) && et_ring_released(reader) == 2);
	CU_ASSERT_EQUAL(rte->cons.tail, tail);
	et_ring_close(reader);
	drop(writer);
}

/* A producer's position that has gone back: fewer are written than the reader has taken. */
static void written_less(void)
{
	struct et_ring *writer = make(22), *reader = attach(writer);
	struct et_ring_message message;

	while (et_ring_read(reader, &message))
		;
	writer->rte->prod.tail = 4;
	et_ring_release(reader, 2);
	CU_ASSERT(et_ring_bad(reader) && et_ring_released(reader) == 2);
	et_ring_close(reader);
	drop(writer);
}

/* Positions that cannot be, before and after the reader has come. */
void test_bad_positions(void)
{
	for (size_t i = 0; i < POSITIONS; i++) {
		if (positions[i].early)
			positions_early(i);
		positions_late(i);
		if (positions[i].field != 0)
			positions_release(i);
	}
	written_less();
	release_when_bad();
	release_changed();
	too_long();
	bad_begin();
}

/* A reader that lies: the writer believes its own memory, refuses, and waits for nobody. */
void test_bad_reader(void)
{
	static const uint32_t tails[] = { 7, 6 + 65536, 6 - 65536u, 0x80000000,
		UINT32_MAX - 65535 };
	static const uint32_t modes[] = { RTE_RING_SYNC_MT, RTE_RING_SYNC_MT_RTS,
		RTE_RING_SYNC_MT_HTS };
	struct et_ring *writer = make(27);
	struct rte_ring *rte = writer->rte;

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		rte->cons.tail = tails[i];
		CU_ASSERT_FALSE(pattern_put_len(writer, 5));
		CU_ASSERT(et_ring_used(writer) <= et_ring_bytes(writer));
		CU_ASSERT(rte->prod.head == 6 && rte->prod.tail == 6);
	}
	rte->cons.tail = 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		rte->prod.sync_type = (enum rte_ring_sync_type)modes[i];
		CU_ASSERT_FALSE(pattern_put_len(writer, 5));
		CU_ASSERT(rte->prod.head == 6 && rte->prod.tail == 6);
	}
	rte->prod.sync_type = RTE_RING_SYNC_ST;
	rte->prod.head = rte->capacity; /* as if all were in use */
	CU_ASSERT_FALSE(pattern_put_len(writer, 5));
	CU_ASSERT_EQUAL(rte->prod.tail, 6);
	rte->prod.head = 6;
	CU_ASSERT_EQUAL(et_ring_next_number(writer), 4);
	rte->capacity = rte->size = rte->mask = UINT32_MAX;
	while (pattern_put_len(writer, 1000))
		;
	while (pattern_put_len(writer, 48))
		;
	CU_ASSERT_EQUAL(et_ring_used(writer), et_ring_bytes(writer));
	CU_ASSERT_EQUAL(rte->prod.tail, 65535);
	drop(writer);
}

/* Reads what there is: in order, within what may be read, and nothing once the ring is bad. */
static void read_noise(struct et_ring *reader, uint64_t *next)
{
	const uint8_t *file = (const uint8_t *)reader->page;
	struct et_ring_message message;
	uintptr_t p;

	for (int n = 0; n < 200 && et_ring_read(reader, &message); n++) {
		p = (uintptr_t)message.bytes.p;
		CU_ASSERT(message.number == (*next)++ && !et_ring_bad(reader));
		CU_ASSERT(message.bytes.n <= ET_RING_MESSAGE_MAX);
		CU_ASSERT(message.bytes.p == reader->scratch ||
			  (p >= (uintptr_t)reader->slots &&
				  p + message.bytes.n <= (uintptr_t)file + reader->file_len));
	}
	if (et_ring_bad(reader))
		CU_ASSERT_FALSE(et_ring_read(reader, &message));
	CU_ASSERT(et_ring_used(reader) <= et_ring_bytes(reader));
}

/* What was read can be released, no more and not back, whatever the ring has become. */
static void release_noise(struct et_ring *reader, uint64_t number, uint64_t next)
{
	uint64_t before = et_ring_released(reader), after;
	bool bad = et_ring_bad(reader);

	et_ring_release(reader, number);
	after = et_ring_released(reader);
	CU_ASSERT(after >= before && (after <= next || after == before));
	CU_ASSERT(!bad || et_ring_bad(reader)); /* it does not become good again */
	CU_ASSERT(et_ring_bad(reader) || after == (number < next ? number : next));
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
	uint64_t next = 1;

	reader = early ? NULL : attach(writer);
	if (reader && seed % 4 == 1)
		CU_ASSERT(et_ring_read(reader, &message) && message.number == next++);
	for (size_t i = 0; i < 1 + seed % 4; i++)
		file[at + i] = (uint8_t)mix(seed + i + 1000000);
	if (early)
		reader = et_ring_attach(error, et_ring_id(writer), LAYOUT);
	if (reader && early)
		next = et_ring_released(reader);
	for (int lap = 0; lap < 3; lap++) {
		uint64_t number = et_ring_next_number(writer);

		for (int n = 0; n < 20; n++)
			number += pattern_put_len(writer, mix(seed + (uint64_t)n) % 4096);
		CU_ASSERT_EQUAL(et_ring_next_number(writer), number);
		CU_ASSERT(et_ring_used(writer) <= et_ring_bytes(writer));
		if (!reader)
			continue;
		read_noise(reader, &next);
		release_noise(reader, et_ring_released(reader) + seed % 30, next);
	}
	et_ring_close(reader);
	drop(writer);
}

/* Any bytes in any place: no crash, no waiting, and nothing read or released that was not there. */
void test_noise(void)
{
	for (uint64_t seed = 0; seed < 600; seed++)
		noise_round(seed);
}
