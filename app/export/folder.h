/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FOLDER_H
#define FOLDER_H

/*
 * The minute files of one sensor in DIR: which are there, what their first row says, and which go.
 * One exporter at a time holds a sensor's files, by a lock on DIR/.ehlotap-SENSOR.lock.
 */

#include <sys/types.h>

#include "et_stats.h"

struct folder {
	const char *path;
	const char *sensor; /* borrowed */
	int fd, lock_fd;
};

struct folder_file {
	int64_t minute_ns;
	uint64_t bytes;
	bool packed; /* .zst; a minute may be there in both forms */
};

/* 0 or -errno; -EBUSY: *pid (0: not known) has the lock. */
int folder_open(struct folder *folder, pid_t *pid, const char *path, const char *sensor);
void folder_close(struct folder *folder);

/* Removes what exporters have left behind that died while they wrote. */
void folder_sweep(const struct folder *folder);

/* All minute files by minute; with their sizes if asked for. free(*files). 0 or -errno. */
int folder_list(struct folder_file **files, size_t *cnt, const struct folder *folder, bool sizes);

/* The minute row of a file; NULL if it cannot be read. json_decref. */
struct json_t *folder_first_row(const struct folder *folder, const struct folder_file *file);

/* Deletes the oldest files, never the newest: those before `before_ns`, and what is above bytes. */
void folder_retain(const struct folder *folder, int64_t before_ns, uint64_t bytes);

#endif
