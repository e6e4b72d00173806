/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Frames that wait for a worker: some milliseconds of a 10 Gbit/s link. */
#define LANE_SLOTS 4096
/* Generations of rings without a writer that are kept for an exporter that may come back. */
#define ORPHANS_KEPT 8

void setup_say(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "ehlotap live: %s\n", sentence);
}

static bool fail(const char *sentence)
{
	setup_say(NULL, sentence);
	return false;
}

void setup_sweep(const char *sensor)
{
	struct et_ring_id *ids = NULL;
	size_t cnt = 0, generations = 0;
	char name[ET_RING_NAME], line[ET_RING_NAME + 100];

	if (et_ring_list(&ids, &cnt, sensor) != 0)
		return;
	for (size_t i = cnt; i-- > 0;) { /* sorted: the newest are last */
		if (i + 1 == cnt || ids[i].generation != ids[i + 1].generation)
			generations++;
		if (generations <= ORPHANS_KEPT)
			continue;
		et_ring_name(name, &ids[i]);
		if (et_ring_unlink(&ids[i]) != 0)
			continue;
		snprintf(line, sizeof(line),
			"deleted %s, left by an earlier run; no exporter has read it", name);
		setup_say(NULL, line);
	}
	free(ids);
}

static size_t mail_ports(uint16_t *out, size_t max, const struct et_ports *ports)
{
	size_t cnt = 0;

	for (unsigned port = 1; port < 65536 && cnt < max; port++)
		if (ports->service[port] != ET_SERVICE_NONE)
			out[cnt++] = (uint16_t)port;
	return cnt;
}

static bool open_ports(struct engine *engine, unsigned workers)
{
	const struct config *config = engine->config;
	const char *names[CONFIG_PORTS];
	uint16_t mail[256];
	char error[ET_PORT_ERROR];
	struct et_port_options options = { .names = names,
		.names_cnt = config_port_names(config, names),
		.workers = workers,
		.queues = config->queues,
		.rx_descriptors = config->rx_descriptors,
		.mbufs = config->mbufs,
		.mbuf_bytes = config->mbuf_bytes,
		.mtu = config->mtu,
		.private_bytes = sizeof(struct parcel),
		.rss = config->rss ? ET_PORT_RSS_AUTO : ET_PORT_RSS_OFF,
		.promiscuous = config->promiscuous,
		.hardware_stamps = config->stamps != CONFIG_OFF,
		.flow_rules = config->flow_rules,
		.wait = config->idle_us > 0,
		.mail_ports = mail,
		.mail_ports_cnt =
			mail_ports(mail, sizeof(mail) / sizeof(mail[0]), config->mail_ports),
		.say = setup_say };

	engine->ports = et_port_open(error, &options);
	return engine->ports ? true : fail(error);
}

static struct loop *add_loop(struct engine *engine, unsigned lcore)
{
	struct loop *loop = aligned_alloc(ET_CACHE_LINE, sizeof(*loop));

	if (!loop)
		return NULL;
	memset(loop, 0, sizeof(*loop));
	loop->engine = engine;
	loop->lcore = lcore;
	engine->loops[engine->loops_cnt++] = loop;
	return loop;
}

/* many: several lcores pass frames to this worker. */
static bool add_worker(struct engine *engine, unsigned lcore, bool many)
{
	struct loop *loop = add_loop(engine, lcore);

	if (!loop)
		return false;
	loop->number = engine->workers_cnt;
	engine->workers[engine->workers_cnt++] = loop;
	loop->lane = et_port_lane_new(LANE_SLOTS, many, lcore);
	return loop->lane != NULL;
}

static bool add_reader(struct engine *engine, struct loop *loop, unsigned queue)
{
	if (!loop)
		return false;
	loop->reader_number = engine->readers_cnt++;
	loop->reader = et_port_reader_new(engine->ports, queue, loop->lcore);
	loop->replays = loop->reader && et_port_replays(loop->reader);
	return loop->reader != NULL;
}

/* Every worker reads its own queue. */
static bool make_readers(struct engine *engine, const unsigned *lcores, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		if (!add_worker(engine, lcores[i], true) ||
			!add_reader(engine, engine->loops[i], i))
			return false;
	return true;
}

/* The first lcore reads, the others work. */
static bool make_distributor(struct engine *engine, const unsigned *lcores, unsigned cnt)
{
	engine->spreads = true;
	if (!add_reader(engine, add_loop(engine, lcores[0]), 0))
		return false;
	for (unsigned i = 1; i < cnt; i++)
		if (!add_worker(engine, lcores[i], false))
			return false;
	return true;
}

static bool make_loops(struct engine *engine, const unsigned *lcores, unsigned cnt)
{
	const struct config *config = engine->config;
	bool spread = config->distributor == CONFIG_ON && cnt > 1;
	struct et_port_plan plan;
	char line[200];
	bool made;

	if (!open_ports(engine, spread ? 1 : cnt))
		return false;
	et_port_plan(&plan, engine->ports);
	if (cnt > 1 && !spread && (!plan.symmetric || plan.queues < 2)) {
		if (config->distributor == CONFIG_OFF)
			return fail("the ports cannot bring both directions of a connection to one "
				    "queue: give one core, or leave distributor at auto");
		spread = true;
	}
	if (spread) {
		made = make_distributor(engine, lcores, cnt);
		snprintf(line, sizeof(line), "one core reads, %u work", cnt - 1);
	} else {
		unsigned used = plan.queues < cnt ? plan.queues : cnt;

		made = make_readers(engine, lcores, used);
		snprintf(line, sizeof(line),
			used < cnt ? "%u of %u cores are used: the ports have "
				     "no more queues"
				   : "%u cores read and work",
			used, cnt);
	}
	if (!made)
		return fail("not enough memory for readers; see --memory");
	if (cnt > 1)
		setup_say(NULL, line);
	atomic_store(&engine->reading, engine->readers_cnt);
	return true;
}

/* Waits until every loop is open. */
static bool launch(struct engine *engine)
{
	bool good = true;

	for (unsigned i = 0; i < engine->loops_cnt; i++) {
		struct loop *loop = engine->loops[i];

		if (et_port_launch(loop->lcore, loop_run, loop) != 0)
			return fail("cannot start a thread on its core");
		/* one after the other: each touches much memory */
		while (atomic_load(&loop->state) == LOOP_OPENING)
			usleep(500);
		if (atomic_load(&loop->state) == LOOP_FAILED) {
			setup_say(NULL, loop->error);
			good = false;
			break;
		}
	}
	return good;
}

bool setup_open(struct engine *engine)
{
	unsigned lcores[ET_PORT_LCORES];
	unsigned cnt = et_port_lcores(lcores);

	if (cnt == 0)
		return fail("no core for a worker: give --cores, or EAL at least two lcores");
	return make_loops(engine, lcores, cnt) && launch(engine);
}

void setup_stop(struct engine *engine)
{
	atomic_store(&engine->stop, true);
	et_port_join();
}

void setup_close(struct engine *engine)
{
	for (unsigned i = 0; i < engine->loops_cnt; i++) {
		loop_close(engine->loops[i]);
		free(engine->loops[i]);
	}
	et_port_close(engine->ports);
}
