/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SENSOR_H
#define SENSOR_H

/*
 * One sensor: its rings, as they come and go, and its files. It decides when a minute is over.
 *
 * Minute M is closed when every ring that has a writer has shown a mark of M or later, or when
 * `grace` seconds have passed since the first did. A ring without a writer holds nothing up: it is
 * read to its end and goes with the next minute, or alone once the wall clock has left its last
 * minute behind.
 */

#include <sys/types.h>

#include "options.h"

struct sensor;

/*
 * Takes the sensor's files over (folder.h). NULL with *err, 0 < *err: EBUSY with *pid of the other
 * exporter; ENOMEM; or what the folder says.
 */
struct sensor *sensor_new(
	int *err, pid_t *pid, const struct options *options, const char *name, bool (*go_on)(void));
void sensor_free(struct sensor *sensor); /* NULL is allowed */
const char *sensor_name(const struct sensor *sensor);

/*
 * Once a second or more often: attaches new rings, reads, writes what is ready, releases it, lets
 * go of rings that are done. What goes wrong is said on standard error, once.
 */
enum sensor_step {
	SENSOR_IDLE,    /* nothing more to be done now */
	SENSOR_WAITING, /* as idle, but something is held up that time will solve (--once waits) */
	SENSOR_BUSY,    /* come again at once */
	SENSOR_FATAL,   /* memory is short: the only way on is a new process */
};
enum sensor_step sensor_step(struct sensor *sensor);

struct sensor_state {
	unsigned rings;     /* attached */
	bool damaged;       /* a ring was, or could not be read */
	bool failing;       /* the last try to write did not succeed */
	int64_t written_ns; /* minute of the newest file of this process; INT64_MIN: none */
	uint64_t files, items;
};
struct sensor_state sensor_state(const struct sensor *sensor);

#endif
