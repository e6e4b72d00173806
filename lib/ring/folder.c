/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

static int by_id(const void *a, const void *b)
{
	const struct et_ring_id *x = a, *y = b;
	int order = strcmp(x->sensor, y->sensor);

	if (order != 0)
		return order;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return (x->worker > y->worker) - (x->worker < y->worker);
}

/* All rings of the folder that dir is open on. 0 or -errno; what is in ids stays valid. */
static int collect(struct et_ring_id **ids, size_t *cnt, DIR *dir, const char *sensor)
{
	struct dirent *entry;
	size_t cap = 0;

	while (errno = 0, (entry = readdir(dir)) != NULL) {
		struct et_ring_id id;

		if (!et_ring_parse_name(&id, entry->d_name) ||
			(sensor && strcmp(sensor, id.sensor) != 0))
			continue;
		if (*cnt == cap) {
			size_t more = cap ? cap * 2 : 16;
			struct et_ring_id *p = realloc(*ids, more * sizeof(*p));

			if (!p)
				return -ENOMEM;
			*ids = p;
			cap = more;
		}
		(*ids)[(*cnt)++] = id;
	}
	return -errno;
}

int et_ring_list(struct et_ring_id **ids, size_t *cnt, const char *sensor)
{
	DIR *dir;
	int err;

	*ids = NULL;
	*cnt = 0;
	dir = opendir(RING_FOLDER);
	if (!dir)
		return -errno;
	err = collect(ids, cnt, dir, sensor);
	closedir(dir);
	if (err != 0) {
		free(*ids);
		*ids = NULL;
		*cnt = 0;
	} else if (*cnt != 0) {
		qsort(*ids, *cnt, sizeof(**ids), by_id);
	}
	return err;
}

int et_ring_unlink(const struct et_ring_id *id)
{
	char name[RING_SHM_NAME];

	if (!ring_id_ok(id))
		return -EINVAL;
	ring_shm_name(name, id);
	return shm_unlink(name) == 0 ? 0 : -errno;
}

/*
 * Opens the lock file, makes it if need be. Not with O_CREAT alone: in a sticky folder the kernel
 * refuses that to root when the file is another user's (sysctl fs.protected_regular).
 */
static int open_lock(const char *path)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

	for (int attempt = 0; attempt < 8; attempt++) {
		int fd = open(path, flags);

		if (fd < 0 && errno == ENOENT)
			fd = open(path, flags | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || (errno != EEXIST && errno != ENOENT))
			return fd;
		/* somebody else made it, or deleted it, in between */
	}
	return -1;
}

/* The number that the holder has left in the file, 0 if there is none. */
static pid_t holder(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

int et_ring_lock_sensor(pid_t *pid, const char *sensor)
{
	char path[sizeof(RING_FOLDER) + ET_RING_NAME], text[16];
	int fd, n;

	*pid = 0;
	if (!ring_sensor_ok(sensor))
		return -EINVAL;
	snprintf(path, sizeof(path), RING_FOLDER "/ehlotap.%s.lock", sensor);
	fd = open_lock(path);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int err = errno == EWOULDBLOCK ? EBUSY : errno;

		*pid = holder(fd);
		close(fd);
		return -err;
	}
	/* Only for who asks: the lock holds even if the number cannot be written. */
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n)
		*pid = getpid();
	return fd;
}
