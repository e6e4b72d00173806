/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * One reader: a lock on the file's first byte that belongs to the open file, as flock(2) does, and
 * that the writer's flock(2) does not know of (fcntl(2), "open file description locks").
 */
static bool lock_reader(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* /dev/shm is everybody's: a file there has to be of somebody whom the reader knows. */
static bool owner_ok(const struct stat *st)
{
	uid_t me = geteuid();
	gid_t groups[256];
	int cnt;

	if (!S_ISREG(st->st_mode) || (st->st_mode & S_IWOTH))
		return false;
	if (me == 0 || st->st_uid == me || st->st_uid == 0 || st->st_gid == getegid())
		return true;
	cnt = getgroups((int)(sizeof(groups) / sizeof(groups[0])), groups);
	for (int i = 0; i < cnt; i++)
		if (groups[i] == st->st_gid)
			return true;
	return false;
}

static bool open_file(char *error, struct et_ring *ring)
{
	char name[RING_SHM_NAME];
	struct stat st;

	ring_shm_name(name, &ring->id);
	ring->fd = shm_open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	if (ring->fd < 0 || fstat(ring->fd, &st) != 0) {
		if (errno == EACCES)
			return ring_fail(error, EACCES,
				"no permission to read and write " RING_FOLDER
				"%s: run as its owner, or start the writer with another owner",
				name);
		return ring_fail(
			error, errno, "cannot open " RING_FOLDER "%s: %s", name, strerror(errno));
	}
	if (!owner_ok(&st))
		return ring_fail(error, EACCES,
			RING_FOLDER "%s is left alone: it belongs to user %u, "
				    "who is neither root nor this user nor in a group of theirs, "
				    "or everybody may "
				    "write it",
			name, (unsigned int)st.st_uid);
	if (!lock_reader(ring->fd)) {
		if (errno == EAGAIN || errno == EACCES)
			return ring_fail(error, EBUSY,
				"another process reads " RING_FOLDER "%s: a ring "
				"has one reader",
				name);
		return ring_fail(
			error, errno, "cannot lock " RING_FOLDER "%s: %s", name, strerror(errno));
	}
	/* Now that nobody else reads it: has the last reader deleted it before it went? */
	if (fstat(ring->fd, &st) != 0 || st.st_nlink == 0)
		return ring_fail(error, ENOENT, RING_FOLDER "%s was deleted", name);
	ring->file_len = (size_t)st.st_size;
	return true;
}

/* What the header says is wrong with the ring, NULL if nothing. */
static const char *header_flaw(const struct et_ring *ring, uint64_t slots, uint64_t layout)
{
	const struct ring_page *page = ring->page;
	const struct rte_ring *rte = ring->rte;

	if (__atomic_load_n(&page->magic, __ATOMIC_ACQUIRE) != RING_MAGIC)
		return "it has no magic number: it is no ring";
	if (page->version != ET_RING_VERSION)
		return "it has another version";
	if (page->slot_len != ET_RING_SLOT || page->slots_at != ring_slots_at() ||
		page->producer_at != RING_AT + offsetof(struct rte_ring, prod.tail) ||
		page->consumer_at != RING_AT + offsetof(struct rte_ring, cons.tail))
		return "its slots are elsewhere";
	if (page->layout != layout)
		return "its messages have another layout";
	/* the file is not too short or too long, so a power of two that fits it is neither */
	if ((slots & (slots - 1)) != 0 || ring_file_len(slots) != ring->file_len ||
		rte->size != slots || rte->mask != slots - 1 || rte->capacity != slots - 1)
		return "its size contradicts itself";
	if (rte->prod.sync_type != RTE_RING_SYNC_ST || rte->cons.sync_type != RTE_RING_SYNC_ST)
		return "it is not for one writer and one reader";
	if (page->generation != ring->id.generation || page->worker != ring->id.worker ||
		strncmp(page->sensor, ring->id.sensor, sizeof(page->sensor)) != 0)
		return "it is another ring, renamed";
	return NULL;
}

static bool map(char *error, struct et_ring *ring, uint64_t layout)
{
	char name[ET_RING_NAME];
	const char *flaw;
	uint64_t slots;

	et_ring_name(name, &ring->id);
	if (ring->file_len < ring_file_len(ET_RING_BYTES_MIN / ET_RING_SLOT) ||
		ring->file_len > ring_file_len(ET_RING_BYTES_MAX / ET_RING_SLOT)) {
		flaw = "it has not the size of a ring";
	} else if (!ring_map(ring, ring->file_len)) {
		return ring_fail(
			error, errno, "cannot map " RING_FOLDER "/%s: %s", name, strerror(errno));
	} else {
		slots = __atomic_load_n(&ring->page->slots, __ATOMIC_RELAXED);
		ring->span = (size_t)slots * ET_RING_SLOT;
		ring->capacity = (uint32_t)slots - 1;
		flaw = header_flaw(ring, slots, layout);
	}
	if (flaw)
		return ring_fail(error, EPROTO,
			RING_FOLDER
			"/%s cannot be read: %s. Writer and reader "
			"have to be of one release of ehlotap; if no reader can be had for what it "
			"holds, delete it",
			name, flaw);
	return true;
}

/* Begins behind what the last reader has released. */
static void start(struct et_ring *ring)
{
	uint64_t released = __atomic_load_n(&ring->page->released, __ATOMIC_ACQUIRE);
	struct ring_header header;

	/* The last reader has read ahead, and has not come to put that back. */
	ring->tail = __atomic_load_n(&ring->rte->cons.tail, __ATOMIC_ACQUIRE);
	ring->at = ring->tail;
	ring->head = ring->tail;
	ring->rte->cons.head = ring->tail;
	ring_take(ring);
	if (!ring->bad && ring->head != ring->tail) {
		/* It may have died between the number that it stored and the position. */
		if (ring_peek(&header, ring, ring->tail, ring->head) && header.number <= released)
			released = header.number;
		else
			ring->bad = true;
	}
	if (released == 0)
		ring->bad = true;
	ring->released = released;
	ring->number = released;
}

struct et_ring *et_ring_attach(
	char error[static ET_RING_ERROR], const struct et_ring_id *id, uint64_t layout)
{
	struct et_ring *ring;
	int err;

	error[0] = '\0';
	if (!ring_id_ok(id)) {
		ring_fail(error, EINVAL, "this is no name of a ring");
		return NULL;
	}
	ring = calloc(1, sizeof(*ring));
	if (ring) {
		ring->fd = -1;
		ring->scratch = aligned_alloc(ET_RING_SLOT, ET_RING_MESSAGE_MAX);
	}
	if (!ring || !ring->scratch) {
		et_ring_close(ring);
		ring_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	ring->id = *id;
	if (open_file(error, ring) && map(error, ring, layout)) {
		start(ring);
		return ring;
	}
	err = errno;
	et_ring_close(ring);
	errno = err;
	return NULL;
}
