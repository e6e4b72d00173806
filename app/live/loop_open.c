/* SPDX-License-Identifier: BSD-3-Clause */

/* What a loop needs, made by its own thread, so that all memory is on its NUMA node. */

#include <stdio.h>
#include <unistd.h>

#include "loop_parts.h"

/* Memory of one worker besides the table of connections. */
#define HOLD_BLOCKS   (1u << 13)         /* 16 MiB for data out of order */
#define MESSAGE_BYTES ((size_t)16 << 20) /* handshake messages split over segments */
#define DICT_ENTRIES  (1u << 16)
#define DICT_BYTES    ((size_t)32 << 20) /* chains; twice, and less for the others */
/* Sums of peers, for when the ring is full. */
#define SUMS_PEERS (1u << 17)
#define SUMS_CELLS (1u << 20)
/* Records of ended connections wait here for the thread that writes them. */
#define SESSIONS_RING ((size_t)64 << 20)

static bool fail(struct loop *l, const char *what)
{
	snprintf(l->error, sizeof(l->error),
		"not enough memory for %s of worker %u; try fewer cores, or smaller --flows, "
		"--undecided or --ring-size",
		what, l->number);
	return false;
}

static bool open_worker(struct loop *l)
{
	const struct config *config = l->engine->config;
	struct worker_limits limits = { .flows = config->flows,
		.undecided = config->undecided,
		.hold_blocks = HOLD_BLOCKS,
		.message_bytes = MESSAGE_BYTES,
		.dict_entries = DICT_ENTRIES,
		.dict_bytes = DICT_BYTES,
		.endless = true };

	et_area_ready(true);
	l->worker = worker_new(&limits, l->engine->db, config->mail_ports, l->engine->hash_seed);
	et_area_ready(false);
	return l->worker ? true : fail(l, "the tables");
}

static bool open_ring(struct loop *l)
{
	const struct engine *engine = l->engine;
	struct et_ring_options options = { .id = { .generation = engine->generation,
						   .worker = l->number },
		.bytes = engine->config->ring_bytes,
		.layout = et_feed_layout(),
		.mode = engine->config->ring_mode,
		.owner = engine->ring_owner,
		.group = engine->ring_group };
	struct et_feed_outlet_options feed = {
		.books = worker_books(l->worker), .max_peers = SUMS_PEERS, .max_cells = SUMS_CELLS
	};

	snprintf(options.id.sensor, sizeof(options.id.sensor), "%s", engine->config->sensor);
	l->ring = et_ring_create(l->error, &options);
	if (!l->ring)
		return false;
	l->outlet = et_feed_outlet_new(l->ring, &feed);
	return l->outlet ? true : fail(l, "the sums");
}

/* A ring of this process alone: both ends are here, and its file is gone at once. */
static bool open_sessions(struct loop *l)
{
	const struct engine *engine = l->engine;
	struct et_ring_options options = { .id = { .generation = engine->generation,
						   .worker = l->number },
		.bytes = SESSIONS_RING,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
	struct et_feed_outlet_options feed = {
		.books = worker_books(l->worker), .mark = 1, .max_peers = 1, .max_cells = 1
	};

	snprintf(options.id.sensor, sizeof(options.id.sensor), "sessions-%ld", (long)getpid());
	l->sessions_ring = et_ring_create(l->error, &options);
	if (!l->sessions_ring)
		return false;
	l->sessions_reader = et_ring_attach(l->error, &options.id, et_feed_layout());
	et_ring_unlink(&options.id);
	if (!l->sessions_reader)
		return false;
	l->sessions_outlet = et_feed_outlet_new(l->sessions_ring, &feed);
	return l->sessions_outlet ? true : fail(l, "session records");
}

static void shed(void *loop, const struct et_segment *segment)
{
	struct loop *l = loop;

	/* as long as the table keeps it */
	et_port_shed(l->engine->loops[0]->reader, segment, ET_FLOW_IDLE_S);
}

bool loop_open(struct loop *l)
{
	const struct config *config = l->engine->config;
	struct ledger_feed feed = { .records = config->flows, .complete = loop_complete, .ctx = l };

	l->minute_end_ns = INT64_MIN;
	if (!l->lane)
		return true; /* the distributor has no worker */
	if (!open_worker(l) || !open_ring(l) || (config->sessions && !open_sessions(l)))
		return false;
	feed.outlet = l->outlet;
	feed.closed = l->sessions_outlet;
	if (worker_feed(l->worker, &feed) != 0)
		return fail(l, "records");
	if (config->shed_bytes > 0)
		worker_shed(l->worker, config->shed_bytes, shed, l);
	return true;
}

void loop_close(struct loop *l)
{
	et_feed_outlet_free(l->sessions_outlet);
	et_feed_outlet_free(l->outlet);
	worker_free(l->worker);
	et_ring_close(l->sessions_reader);
	et_ring_close(l->sessions_ring);
	/* a start that failed leaves nothing behind */
	if (l->ring && !atomic_load(&l->engine->go))
		et_ring_unlink(et_ring_id(l->ring));
	et_ring_close(l->ring);
	et_port_lane_free(l->lane);
	et_port_reader_free(l->reader);
}
