/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap live: DPDK ports in, shared-memory rings out. The main thread sets everything up, gives
 * its privileges up, and then waits for signals, watches the ports and shows counters.
 */

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"
#include "patterns.h"
#include "sessions.h"
#include "setup.h"
#include "show.h"
#include "user.h"

#define TICK_NS     (100 * 1000 * 1000)
#define TICKS_PER_S 10

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

/* What the ports have lost, where workers find it for their marks. */
static void count_ports(struct engine *engine)
{
	struct et_port_plan plan;
	struct et_port_counts port;
	uint64_t imissed = 0, ierrors = 0, rx_nombuf = 0;

	et_port_plan(&plan, engine->ports);
	for (unsigned i = 0; i < plan.ports; i++) {
		et_port_counts(engine->ports, i, &port);
		imissed += port.imissed;
		ierrors += port.ierrors;
		rx_nombuf += port.rx_nombuf;
	}
	atomic_store(&engine->imissed, imissed);
	atomic_store(&engine->ierrors, ierrors);
	atomic_store(&engine->rx_nombuf, rx_nombuf);
}

static void add_xstat(void *ctx, const char *name, uint64_t value)
{
	json_object_set_new(ctx, name, json_integer((json_int_t)value));
}

/* The extended statistics of all ports, for the minute rows; left as they were if too long. */
static void tell_ports(struct engine *engine)
{
	unsigned next = 1 - atomic_load(&engine->nic_current);
	struct nic_text *nic = &engine->nic[next];
	json_t *all = json_object();
	struct et_port_plan plan;
	struct et_port_counts port;

	et_port_plan(&plan, engine->ports);
	for (unsigned i = 0; all && i < plan.ports; i++) {
		json_t *one = json_object();

		et_port_counts(engine->ports, i, &port);
		et_port_xstats(engine->ports, i, add_xstat, one);
		json_object_set_new(all, port.name, one);
	}
	nic->n = all ? json_dumpb(all, nic->text, sizeof(nic->text), JSON_COMPACT) : 0;
	json_decref(all);
	if (nic->n > 0 && nic->n <= sizeof(nic->text))
		atomic_store_explicit(&engine->nic_current, next, memory_order_release);
}

/* Tells the watchdog that all is well, if every loop has gone round since the last time. */
static void pat_watchdog(const struct engine *engine, uint64_t *rounds)
{
	bool all = true;

	for (unsigned i = 0; i < engine->loops_cnt; i++) {
		uint64_t now = atomic_load(&engine->loops[i]->seen.rounds);

		all = all && now != rounds[i];
		rounds[i] = now;
	}
	if (all)
		notify_watchdog();
}

static void hang_up(struct config *config, struct sessions *sessions)
{
	if (config_reread(config) == 0)
		setup_say(NULL, "read the configuration again");
	if (sessions)
		sessions_reopen(sessions);
}

/* Until SIGTERM or SIGINT. */
static void control(struct engine *engine, struct config *config, struct show *show,
	struct sessions *sessions, const sigset_t *signals)
{
	uint64_t rounds[LOOPS_MAX] = { 0 };

	for (unsigned tick = 1;; tick++) {
		int signal = sigtimedwait(signals, NULL, &(struct timespec){ .tv_nsec = TICK_NS });

		if (signal == SIGTERM || signal == SIGINT)
			break;
		if (signal == SIGHUP)
			hang_up(config, sessions);
		et_port_watch(engine->ports);
		if (tick % TICKS_PER_S != 0)
			continue;
		count_ports(engine);
		tell_ports(engine);
		pat_watchdog(engine, rounds);
		if (config->stats_s > 0 && tick / TICKS_PER_S % config->stats_s == 0)
			show_line(show);
	}
	et_port_watch(engine->ports);
	count_ports(engine);
	tell_ports(engine);
}

static bool become_user(const struct config *config)
{
	int err;

	if (!config->user && !config->group)
		return true;
	err = user_become(config->user, config->group);
	if (err == 0)
		return true;
	fprintf(stderr,
		"ehlotap live: cannot become user %s: %s; start as root, or leave --user away\n",
		config->user ? config->user : "(same)", strerror(-err));
	return false;
}

static int run(struct engine *engine, struct config *config, const sigset_t *signals)
{
	struct sessions *sessions = NULL;
	struct show show;
	bool ready;

	show_begin(&show, engine);
	if (show_telemetry(&show) != 0)
		setup_say(NULL, "no telemetry: its socket could not be opened");
	/* files are opened as the user who may have to open them again */
	ready = become_user(config) &&
		(!config->sessions || (sessions = sessions_start(engine)) != NULL);
	if (ready) {
		atomic_store(&engine->go, true);
		notify_ready();
		fprintf(stderr, "ehlotap live: sensor %s listens\n", config->sensor);
		control(engine, config, &show, sessions, signals);
		notify_stopping();
	}
	setup_stop(engine);
	if (!ready)
		return 2;
	ready = !sessions || sessions_end(sessions) == 0;
	show_all(&show);
	return ready ? 0 : 1;
}

static int start(struct engine *engine, struct config *config, const sigset_t *signals)
{
	const char *args[CONFIG_ARGS * 2];
	char error[ET_PORT_ERROR];
	int code = 2;

	if (et_port_eal(error, (int)config_eal(config, args), args) != 0) {
		fprintf(stderr, "ehlotap live: %s\n", error);
		return 2;
	}
	if (setup_open(engine))
		code = run(engine, config, signals);
	setup_stop(engine);
	setup_close(engine);
	return code;
}

/* Whose the rings are: as told, else the user that this process will be. */
static bool find_owner(struct engine *engine, const struct config *config)
{
	engine->ring_owner = (uid_t)-1;
	engine->ring_group = (gid_t)-1;
	return user_find(&engine->ring_owner, &engine->ring_group, config->user, config->group) &&
	       user_find(&engine->ring_owner, &engine->ring_group, config->ring_owner,
		       config->ring_group);
}

static int lock_and_start(struct engine *engine, struct config *config, const sigset_t *signals)
{
	pid_t pid = 0;
	int code, fd = et_ring_lock_sensor(&pid, config->sensor);

	if (fd < 0) {
		if (fd == -EBUSY)
			fprintf(stderr,
				"ehlotap live: sensor %s is taken by process %ld; stop that one, "
				"or "
				"give this one another --sensor\n",
				config->sensor, (long)pid);
		else
			fprintf(stderr, "ehlotap live: cannot lock sensor %s in /dev/shm: %s\n",
				config->sensor, strerror(-fd));
		return 2;
	}
	setup_sweep(config->sensor);
	code = start(engine, config, signals);
	close(fd);
	return code;
}

int main(int argc, char **argv)
{
	static struct engine engine;
	static struct config config;
	int code = config_read(&config, argc, argv);
	struct et_match_db *db = NULL;
	char error[512];
	sigset_t signals;

	if (code >= 0) {
		config_free(&config);
		return code;
	}
	/* before any thread is there: all of them leave these to the main one */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	engine.config = &config;
	engine.generation = (uint64_t)(wall_ns() / ET_NS_PER_US);
	engine.hash_seed = hash_seed_new();
	engine.db = db = patterns_open(error, sizeof(error));
	code = 2;
	if (!db)
		fprintf(stderr, "ehlotap live: %s\n", error);
	else if (!find_owner(&engine, &config))
		fputs("ehlotap live: there is no such user or group\n", stderr);
	else
		code = lock_and_start(&engine, &config, &signals);
	et_match_db_free(db);
	config_free(&config);
	return code;
}
