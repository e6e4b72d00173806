/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_RING_FILE_H
#define ET_RING_FILE_H

/*
 * What stands in a ring's file, and what each of its two ends knows. Private to the room.
 *
 *   0        struct ring_page: who wrote it, and how it is laid out
 *   4096     struct rte_ring: size, mask, the producer's and the consumer's positions
 *   + 384    slots (on machines with cache lines of 64 bytes)
 *
 * Both ends may write the whole file, so neither believes the other: each keeps in its own memory
 * what decides where it reads or writes (position, mask, mode), and asks the file only how far the
 * other end has come. For the same reason slot addresses are made here and not taken from
 * rte_ring's zero-copy functions: these use the mask in the file, and count the distance in words
 * of 32 bits, which wraps at 16 GiB (DPDK 22.11).
 */

/* rte_ring's positions as C11 atomics: for machines with weak order, and for ThreadSanitizer. */
#ifndef RTE_USE_C11_MEM_MODEL
#define RTE_USE_C11_MEM_MODEL
#endif
#include <rte_ring_elem.h>

#include <stdalign.h>

#include "et_ring.h"

#define RING_MAGIC  UINT64_C(0x31676e6972687465) /* "ethring1" in the file */
#define RING_AT     4096
#define RING_FOLDER "/dev/shm"

struct ring_page {
	uint64_t magic; /* written last, with release; read first, with acquire */
	uint32_t version;
	uint32_t slot_len;
	uint64_t layout; /* of the messages: et_ring_options.layout */
	uint64_t slots;
	/* Where things are in the file: other builds of struct rte_ring are refused by these. */
	uint32_t producer_at; /* its tail: slots written since the start, modulo 2^32 */
	uint32_t consumer_at; /* its tail: slots released */
	uint32_t slots_at;
	int32_t pid;
	int64_t start_ns;
	uint64_t generation;
	uint32_t worker;
	char sensor[ET_RING_SENSOR];

	/*
	 * Written by the reader: the number of the first message that is not released. Stored before
	 * the consumer's tail moves. So it is right whenever the ring is empty; when it is not, the
	 * first message has its own number.
	 */
	alignas(256) uint64_t released;
};

static_assert(sizeof(struct ring_page) <= RING_AT, "the page is one page");
static_assert(offsetof(struct ring_page, slots) == 24 && offsetof(struct ring_page, pid) == 44 &&
		      offsetof(struct ring_page, sensor) == 68 &&
		      offsetof(struct ring_page, released) == 256,
	"docs/rings.md");
static_assert(ET_RING_BYTES_MAX / ET_RING_SLOT <= RTE_RING_SZ_MASK, "rte_ring counts slots");
static_assert(ET_RING_MESSAGE_MAX < ET_RING_BYTES_MIN / 2, "every message fits");

/* In a message's first slot, before its bytes. */
struct ring_header {
	uint64_t number;
	uint32_t kind;
	uint32_t len;
};

static_assert(sizeof(struct ring_header) == ET_RING_HEADER, "published");

/* One end of a ring. The fields of the other end are zero. */
struct et_ring {
	struct et_ring_id id;
	struct ring_page *page; /* the whole file is mapped here */
	struct rte_ring *rte;
	uint8_t *slots;
	size_t file_len;
	size_t span;       /* bytes of all slots, a power of two */
	uint32_t capacity; /* slots that can be in use: rte_ring leaves one free */
	int fd;            /* holds the lock */

	uint64_t number; /* writer: of the next message to write; reader: to read */

	/* writer */
	uint32_t pos;

	/* reader: tail <= at <= head */
	uint32_t tail; /* the first slot that is not released */
	uint32_t at;   /* the next to read */
	uint32_t head; /* behind the last known to be written */
	uint64_t released;
	uint8_t *scratch; /* for a message that goes on at the first slot */
	bool bad, orphan;
};

static inline uint32_t ring_slots(size_t len)
{
	return (uint32_t)((sizeof(struct ring_header) + len + ET_RING_SLOT - 1) / ET_RING_SLOT);
}

/* The offset of a position's slot, from the first slot. */
static inline size_t ring_offset(const struct et_ring *ring, uint32_t pos)
{
	return ((size_t)pos * ET_RING_SLOT) & (ring->span - 1);
}

static inline size_t ring_slots_at(void)
{
	return RING_AT + sizeof(struct rte_ring);
}

/* The length of a file with so many slots: whole pages. */
static inline size_t ring_file_len(uint64_t slots)
{
	return (ring_slots_at() + (size_t)slots * ET_RING_SLOT + RING_AT - 1) / RING_AT * RING_AT;
}

/* The name as shm_open(3) wants it. */
#define RING_SHM_NAME (ET_RING_NAME + 1)
void ring_shm_name(char out[static RING_SHM_NAME], const struct et_ring_id *id);
bool ring_sensor_ok(const char *sensor);
/* True when id is one that et_ring_parse_name could have given. */
bool ring_id_ok(const struct et_ring_id *id);

/* Maps len bytes of ring->fd and sets page, rte, slots. False with errno. */
bool ring_map(struct et_ring *ring, size_t len);

/* Writes the sentence and sets errno to err. Always false. */
bool ring_fail(char error[static ET_RING_ERROR], int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Reader: the message at pos, in slots that are taken up to end. False when it contradicts itself;
 * its number is for the caller to check.
 */
bool ring_peek(struct ring_header *header, const struct et_ring *ring, uint32_t pos, uint32_t end);
/* Reader: takes all that has been written since. Sets bad when the positions make no sense. */
void ring_take(struct et_ring *ring);

#endif
