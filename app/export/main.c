/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap export: takes what ehlotap live has seen out of its rings and writes minute files.
 *
 * One thread. Once a second it looks for new rings and lets each sensor do a step (sensor.h).
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "et_ring.h"
#include "notify.h"
#include "options.h"
#include "sensor.h"

#define STEP_MS 1000
#define ONCE_MS 100

struct exporter {
	const struct options *options;
	struct sensor **sensors;
	size_t cnt;
	/* sensors whose files another exporter writes: said once each */
	char (*taken)[ET_RING_SENSOR];
	size_t taken_cnt;
	bool failed; /* something could not be done: exit code 1 */
};

static bool stopping;

/* Takes the signals that wait. They are blocked, so that no system call breaks off. */
static bool go_on(void)
{
	const struct timespec at_once = { 0 };
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP); /* there is nothing to read anew */
	while ((signal = sigtimedwait(&set, NULL, &at_once)) > 0)
		if (signal != SIGHUP)
			stopping = true;
	notify_watchdog();
	return !stopping;
}

static void wait_ms(int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal = sigtimedwait(&set, NULL, &time);
	if (signal == SIGTERM || signal == SIGINT)
		stopping = true;
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
}

static int check_folder(const char *dir)
{
	struct stat st;
	int err = stat(dir, &st) ? errno : S_ISDIR(st.st_mode) ? 0 : ENOTDIR;

	if (!err && access(dir, R_OK | W_OK | X_OK) != 0)
		err = errno;
	if (!err)
		return 0;
	fprintf(stderr, "ehlotap export: cannot write into the folder %s: %s%s\n", dir,
		strerror(err), err == ENOENT ? "; make it first" : "");
	return 2;
}

static bool is_known(const struct exporter *exporter, const char *name)
{
	for (size_t i = 0; i < exporter->cnt; i++)
		if (strcmp(sensor_name(exporter->sensors[i]), name) == 0)
			return true;
	return false;
}

/* True the first time that it is asked for a sensor. */
static bool is_news(struct exporter *exporter, const char *name)
{
	char(*taken)[ET_RING_SENSOR];

	for (size_t i = 0; i < exporter->taken_cnt; i++)
		if (strcmp(exporter->taken[i], name) == 0)
			return false;
	taken = reallocarray(exporter->taken, exporter->taken_cnt + 1, sizeof(*taken));
	if (!taken)
		return true;
	exporter->taken = taken;
	snprintf(taken[exporter->taken_cnt++], ET_RING_SENSOR, "%s", name);
	return true;
}

static void complain(struct exporter *exporter, const char *name, int err, pid_t pid)
{
	exporter->failed = true;
	if (!is_news(exporter, name))
		return;
	if (err == EBUSY)
		fprintf(stderr,
			"ehlotap export: another exporter (process %ld) writes the files of sensor "
			"%s in %s\n",
			(long)pid, name, exporter->options->dir);
	else
		fprintf(stderr, "ehlotap export: sensor %s in %s: %s\n", name,
			exporter->options->dir, strerror(err));
}

/* Takes a sensor on; false when that cannot be done now. */
static bool add(struct exporter *exporter, const char *name)
{
	struct sensor **more =
		reallocarray(exporter->sensors, exporter->cnt + 1, sizeof(struct sensor *));
	struct sensor *sensor = NULL;
	int err = ENOMEM;
	pid_t pid = 0;

	if (more) {
		exporter->sensors = more;
		sensor = sensor_new(&err, &pid, exporter->options, name, go_on);
	}
	if (!sensor) {
		complain(exporter, name, err, pid);
		return false;
	}
	exporter->sensors[exporter->cnt++] = sensor;
	return true;
}

/* Without --sensor: every sensor that has rings. */
static void find_sensors(struct exporter *exporter)
{
	struct et_ring_id *ids;
	size_t cnt;

	if (exporter->options->sensor || et_ring_list(&ids, &cnt, NULL) != 0)
		return;
	for (size_t i = 0; i < cnt; i++) {
		if (i > 0 && strcmp(ids[i].sensor, ids[i - 1].sensor) == 0)
			continue;
		if (!is_known(exporter, ids[i].sensor))
			add(exporter, ids[i].sensor);
	}
	free(ids);
}

static void tell_status(const struct exporter *exporter)
{
	static uint64_t told = UINT64_MAX;
	struct sensor_state sum = { .written_ns = INT64_MIN };
	char text[160], minute[ET_TIME_TEXT] = "none yet";

	for (size_t i = 0; i < exporter->cnt; i++) {
		struct sensor_state state = sensor_state(exporter->sensors[i]);

		sum.rings += state.rings;
		sum.files += state.files;
		sum.failing = sum.failing || state.failing;
		if (state.written_ns > sum.written_ns)
			sum.written_ns = state.written_ns;
	}
	if (told == (sum.files << 16 | sum.rings << 1 | sum.failing))
		return;
	told = sum.files << 16 | sum.rings << 1 | sum.failing;
	if (sum.written_ns != INT64_MIN)
		et_time_s(minute, sum.written_ns);
	snprintf(text, sizeof(text), "%u rings, %llu files written, newest %s%s", sum.rings,
		(unsigned long long)sum.files, minute, sum.failing ? "; cannot write" : "");
	notify_status(text);
}

/* One round over all sensors. The most urgent answer. */
static enum sensor_step step(struct exporter *exporter)
{
	enum sensor_step most = SENSOR_IDLE;

	find_sensors(exporter);
	for (size_t i = 0; i < exporter->cnt && !stopping; i++) {
		enum sensor_step answer = sensor_step(exporter->sensors[i]);

		if (answer > most)
			most = answer;
	}
	tell_status(exporter);
	return most;
}

/* Until a signal, or with --once until nothing is left to do. */
static void run(struct exporter *exporter)
{
	const struct options *options = exporter->options;
	bool any = false;

	while (go_on()) {
		enum sensor_step answer = step(exporter);

		for (size_t i = 0; i < exporter->cnt; i++) {
			struct sensor_state state = sensor_state(exporter->sensors[i]);

			any = any || state.rings > 0 || state.files > 0 || state.damaged;
		}
		if (answer == SENSOR_FATAL) {
			fputs("ehlotap export: not enough memory; what is not written stays in "
			      "the rings\n",
				stderr);
			exporter->failed = true;
			return;
		}
		if (answer == SENSOR_BUSY)
			continue;
		if (options->once && answer == SENSOR_IDLE)
			break;
		wait_ms(options->once ? ONCE_MS : STEP_MS);
	}
	if (options->once && !any && !exporter->failed && !options->quiet && !stopping)
		fprintf(stderr, "ehlotap export: there are no rings%s%s\n",
			options->sensor ? " of sensor " : "",
			options->sensor ? options->sensor : "");
}

static int finish(struct exporter *exporter)
{
	bool failed = exporter->failed;

	notify_stopping();
	for (size_t i = 0; i < exporter->cnt; i++) {
		struct sensor_state state = sensor_state(exporter->sensors[i]);

		failed = failed || state.failing || state.damaged;
		sensor_free(exporter->sensors[i]);
	}
	free(exporter->sensors);
	free(exporter->taken);
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct exporter exporter = { .options = &options };
	int code = options_read(&options, argc, argv);

	if (code < 0 && check_folder(options.dir) != 0)
		code = 2;
	if (code >= 0)
		return code;
	block_signals();
	if (options.sensor && !add(&exporter, options.sensor)) {
		finish(&exporter);
		return 2;
	}
	notify_ready();
	run(&exporter);
	return finish(&exporter);
}
