/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define MIB (1u << 20)

static uint64_t slots_for(size_t bytes)
{
	uint64_t slots = ET_RING_BYTES_MIN / ET_RING_SLOT;

	while (slots * ET_RING_SLOT < bytes)
		slots *= 2;
	return slots;
}

static bool check_options(char *error, const struct et_ring_options *options)
{
	if (!ring_id_ok(&options->id))
		return ring_fail(error, EINVAL,
			"a sensor's name is 1 to %d of A-Z a-z 0-9 . _ - without a dot in front",
			ET_RING_SENSOR - 1);
	if (options->bytes < ET_RING_BYTES_MIN || options->bytes > ET_RING_BYTES_MAX)
		return ring_fail(error, EINVAL,
			"a ring of %zu bytes is not possible: choose from %zu MiB to %zu MiB",
			options->bytes, ET_RING_BYTES_MIN / MIB, ET_RING_BYTES_MAX / MIB);
	if (options->mode & ~(mode_t)0660)
		return ring_fail(error, EINVAL,
			"a ring's mode cannot be %04o: use 0600, 0640 or 0660",
			(unsigned int)options->mode);
	return true;
}

/* So that a ring that cannot be is refused before it has taken what others need. */
static bool check_space(char *error, size_t len)
{
	struct statvfs vfs;
	unsigned long long left;

	if (statvfs(RING_FOLDER, &vfs) != 0)
		return ring_fail(error, errno, "cannot look at %s: %s: mount a tmpfs there",
			RING_FOLDER, strerror(errno));
	left = (unsigned long long)vfs.f_bavail * vfs.f_frsize;
	/* a tmpfs without a limit says that it has no blocks at all */
	if (vfs.f_blocks != 0 && left < len)
		return ring_fail(error, ENOSPC,
			"%s has only %llu MiB free and the ring takes %zu MiB: make the ring "
			"smaller, or %s larger (mount -o remount,size=...)",
			RING_FOLDER, left / MIB, (len + MIB - 1) / MIB, RING_FOLDER);
	return true;
}

/*
 * A file without a name, which nobody sees before it is complete, and which is gone when the
 * process dies before that.
 */
static bool open_file(char *error, struct et_ring *ring, const struct et_ring_options *options)
{
	ring->fd = open(RING_FOLDER, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (ring->fd < 0)
		return ring_fail(error, errno,
			"cannot make a file in %s: %s: it has to be a tmpfs "
			"that this user may write",
			RING_FOLDER, strerror(errno));
	/* the mode first: a file that is given away is no longer ours to change */
	if (fchmod(ring->fd, options->mode) != 0 || flock(ring->fd, LOCK_EX | LOCK_NB) != 0)
		return ring_fail(error, errno,
			"cannot set the mode of a file in %s, or lock it: %s", RING_FOLDER,
			strerror(errno));
	if (fchown(ring->fd, options->owner, options->group) != 0)
		return ring_fail(error, errno,
			"cannot give the ring to user %d, group %d: %s: start "
			"as root, or leave the owner as it is",
			(int)options->owner, (int)options->group, strerror(errno));
	return true;
}

/* Takes the memory now: later, a full tmpfs would be a SIGBUS in the middle of the work. */
static bool allocate(char *error, struct et_ring *ring, size_t len)
{
	int err;

	if (ftruncate(ring->fd, (off_t)len) != 0)
		err = errno;
	else
		do
			err = posix_fallocate(ring->fd, 0, (off_t)len);
		while (err == EINTR);
	if (err != 0)
		return ring_fail(error, err,
			"cannot get %zu MiB of %s: %s: make the ring smaller, or "
			"give more memory to %s or to this process",
			(len + MIB - 1) / MIB, RING_FOLDER, strerror(err), RING_FOLDER);
	if (!ring_map(ring, len))
		return ring_fail(error, errno,
			"cannot map a ring of %zu MiB: %s: make it smaller, or "
			"raise the limit of address space (ulimit -v)",
			(len + MIB - 1) / MIB, strerror(errno));
	madvise(ring->page, len, MADV_HUGEPAGE); /* a wish: most tmpfs are mounted without */
	/* Page tables, too: no fault on the hot path. Older kernels are touched by hand. */
	if (madvise(ring->page, len, MADV_POPULATE_WRITE) != 0) {
		long page = sysconf(_SC_PAGESIZE);

		for (size_t at = 0; at < len; at += (size_t)page)
			((volatile uint8_t *)ring->page)[at] = 0;
	}
	return true;
}

/* As rte_ring_init(); written here because that one needs librte_ring and the EAL's log. */
static void init_rte(struct rte_ring *rte, uint32_t slots)
{
	*rte = (struct rte_ring){
		.name = "ehlotap",
		.flags = RING_F_SP_ENQ | RING_F_SC_DEQ,
		.size = slots,
		.mask = slots - 1,
		.capacity = slots - 1,
	};
	rte->prod.sync_type = RTE_RING_SYNC_ST;
	rte->cons.sync_type = RTE_RING_SYNC_ST;
}

static void init_page(struct ring_page *page, const struct et_ring_options *options, uint64_t slots)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	page->version = ET_RING_VERSION;
	page->slot_len = ET_RING_SLOT;
	page->layout = options->layout;
	page->slots = slots;
	page->producer_at = RING_AT + (uint32_t)offsetof(struct rte_ring, prod.tail);
	page->consumer_at = RING_AT + (uint32_t)offsetof(struct rte_ring, cons.tail);
	page->slots_at = (uint32_t)ring_slots_at();
	page->pid = (int32_t)getpid();
	page->start_ns = (int64_t)now.tv_sec * ET_NS_PER_S + now.tv_nsec;
	page->generation = options->id.generation;
	page->worker = options->id.worker;
	memcpy(page->sensor, options->id.sensor, sizeof(page->sensor));
	page->released = 1;
	__atomic_store_n(&page->magic, RING_MAGIC, __ATOMIC_RELEASE);
}

/* Gives the complete file its name. */
static bool name_file(char *error, const struct et_ring *ring)
{
	char from[32], to[sizeof(RING_FOLDER) + RING_SHM_NAME] = RING_FOLDER;

	snprintf(from, sizeof(from), "/proc/self/fd/%d", ring->fd);
	ring_shm_name(to + strlen(to), &ring->id);
	if (linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) == 0)
		return true;
	if (errno == EEXIST)
		return ring_fail(error, EEXIST,
			"%s exists: another process has this sensor's name and "
			"generation; if none runs, delete the file",
			to);
	return ring_fail(
		error, errno, "cannot name %s: %s: /proc has to be mounted", to, strerror(errno));
}

struct et_ring *et_ring_create(
	char error[static ET_RING_ERROR], const struct et_ring_options *options)
{
	struct et_ring *ring;
	uint64_t slots;
	size_t len;
	int err;

	error[0] = '\0';
	if (!check_options(error, options))
		return NULL;
	slots = slots_for(options->bytes);
	len = ring_file_len(slots);
	if (!check_space(error, len))
		return NULL;
	ring = calloc(1, sizeof(*ring));
	if (!ring) {
		ring_fail(error, ENOMEM, "out of memory");
		return NULL;
	}
	ring->id = options->id;
	ring->span = (size_t)slots * ET_RING_SLOT;
	ring->capacity = (uint32_t)slots - 1;
	ring->number = 1;
	if (open_file(error, ring, options) && allocate(error, ring, len)) {
		init_rte(ring->rte, (uint32_t)slots);
		init_page(ring->page, options, slots);
		if (name_file(error, ring))
			return ring;
	}
	err = errno;
	et_ring_close(ring);
	errno = err;
	return NULL;
}
