/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_RING_H
#define ET_RING_H

/*
 * ring: the messages of one worker on their way to another process, in POSIX shared memory.
 *
 * A *ring* is one file under /dev/shm with a header page and an rte_ring of slots of 64 bytes.
 * A *message* is a kind, a length and bytes, takes as many slots as it needs, and has a *number*:
 * the first message of a ring is number 1, the next 2, and so on for the ring's whole life. One
 * thread of one process writes; one thread of one process reads.
 *
 * The reader reads ahead without giving anything back: a message stays in the ring until
 * et_ring_release() names it. A reader that dies and comes back finds all that it had not released.
 * That, and the numbers, are what lets a reader count every message exactly once: it notes what
 * it has put on disk by number, and releases only afterwards.
 *
 * A ring's name is "ehlotap.SENSOR.GENERATION.WORKER". Each start of a writer is a new *generation*
 * (its start in microseconds since 1970, sixteen hex digits), so a restart never writes into what a
 * crash has left. The writer holds an exclusive flock(2) on its rings for as long as it lives,
 * however it dies: a ring without that lock gets nothing more. The reader deletes such a ring when
 * it is empty.
 *
 * The header's magic is written last; a reader refuses another magic, version or layout. The
 * reader needs no EAL and no library of DPDK. It does not trust the writer's lengths: what
 * contradicts itself makes the ring `bad`, and the reader leaves it alone from there on.
 *
 * Functions of one ring are called by one thread at a time, but for those marked "any thread".
 */

#include <sys/types.h>

#include "et_base.h"

#define ET_RING_VERSION 1
#define ET_RING_SLOT    64
/* A message's header in its first slot: 48 bytes fit beside it; every further slot adds 64. */
#define ET_RING_HEADER 16
/* The longest message. The smallest ring has room for 15 of them. */
#define ET_RING_MESSAGE_MAX (256u << 10)
#define ET_RING_BYTES_MIN   ((size_t)4 << 20)
#define ET_RING_BYTES_MAX   ((size_t)64 << 30)

/* A sensor's name: 1 to 64 of A-Z a-z 0-9 . _ - and no dot in front. */
#define ET_RING_SENSOR 65
#define ET_RING_NAME   112
#define ET_RING_ERROR  320

struct et_ring_id {
	char sensor[ET_RING_SENSOR];
	uint64_t generation;
	uint32_t worker;
};

/* "ehlotap.gw1.000649f2b1c3d4e5.0" and back; false when text is no name of a ring. */
void et_ring_name(char out[static ET_RING_NAME], const struct et_ring_id *id);
bool et_ring_parse_name(struct et_ring_id *id, const char *text);

struct et_ring;

/* ---- writer ---- */

struct et_ring_options {
	struct et_ring_id id;
	size_t bytes;    /* of all slots; rounded up to a power of two of slots */
	uint64_t layout; /* a number that changes when the meaning of messages does */
	mode_t mode;     /* 0640 is usual: who reads must be able to release, so it is the owner;
			    0660: or the group. Others get nothing */
	uid_t owner;     /* (uid_t)-1: as the process */
	gid_t group;     /* (gid_t)-1: as the process */
};

/*
 * Makes the ring, touches its memory on the calling thread's NUMA node, and locks it. NULL with a
 * sentence in error; nothing is left behind then. An existing file of that name is an error.
 */
struct et_ring *et_ring_create(
	char error[static ET_RING_ERROR], const struct et_ring_options *options);

/*
 * Writes one message of head_len + body_len <= ET_RING_MESSAGE_MAX bytes, body behind head (either
 * may be empty). False when there are not `keep` bytes left behind it, or it is too long: nothing
 * is written then, and nothing is lost that was. Never waits, locks or allocates.
 */
bool et_ring_put(struct et_ring *ring, uint32_t kind, const void *head, size_t head_len,
	const void *body, size_t body_len, size_t keep);

/* The number that the next message will get. */
uint64_t et_ring_next_number(const struct et_ring *ring);

/* ---- reader ---- */

/*
 * Names of the sensor's rings, of all sensors if NULL, sorted by sensor, generation and worker. 0,
 * or -errno; free(names) by the caller.
 */
int et_ring_list(struct et_ring_id **ids, size_t *cnt, const char *sensor);

/*
 * Attaches as the reader, at the first message that is not released. NULL with a sentence in error
 * and errno: EBUSY another reader has it (the lock goes with its process), ENOENT it is gone,
 * EPROTO wrong magic, version or layout, EACCES no permission, or a stranger's file.
 */
struct et_ring *et_ring_attach(
	char error[static ET_RING_ERROR], const struct et_ring_id *id, uint64_t layout);

struct et_ring_message {
	uint64_t number;
	uint32_t kind;
	struct et_view bytes; /* 16-byte aligned; valid until the next et_ring_read or _release */
};

/* The next message behind those read so far. False: none yet, or the ring is bad. */
bool et_ring_read(struct et_ring *ring, struct et_ring_message *message);

/* The next et_ring_read gives the first message that is not released again. */
void et_ring_rewind(struct et_ring *ring);

/* Gives back all messages read so far with a number below `number`. */
void et_ring_release(struct et_ring *ring, uint64_t number);

/* The number of the first message that is not released; every message has been if none is left. */
uint64_t et_ring_released(const struct et_ring *ring);

/* True when no writer holds the ring any more. Ask, then read until false: that was all. */
bool et_ring_orphan(struct et_ring *ring);

/* True once a message contradicted itself. */
bool et_ring_bad(const struct et_ring *ring);

/* ---- both ---- */

const struct et_ring_id *et_ring_id(const struct et_ring *ring);
/* Bytes that fit in all, and bytes that wait for the reader; whole slots. Any thread. */
size_t et_ring_bytes(const struct et_ring *ring);
size_t et_ring_used(const struct et_ring *ring);

/* Detaches and gives the lock up; the file stays. NULL is allowed. */
void et_ring_close(struct et_ring *ring);
/* Deletes the file; who is attached keeps what is there. 0 or -errno. */
int et_ring_unlink(const struct et_ring_id *id);

/*
 * One writer per sensor: holds a lock file beside the rings until closed (or the process ends).
 * A descriptor >= 0, or -errno: -EBUSY when another process holds it, *pid is then its number.
 */
int et_ring_lock_sensor(pid_t *pid, const char *sensor);

#endif
