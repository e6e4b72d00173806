/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * To be loaded by LD_PRELOAD: when a port of net_null starts, its receive function is replaced by
 * ours. rte_eth_fp_ops, which rte_eth_rx_burst calls through, is public, and ethdev fills it anew at
 * each start.
 */

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_telemetry.h>

#include "replay.h"

#define QUEUES  64
#define BUFFERS 32768 /* of a queue, with flows */

static struct {
	struct replay_capture capture;
	struct rte_mempool *pools[QUEUES]; /* the program's: ours are to look the same */
	struct replay_queue *queues[QUEUES];
	unsigned cnt;
	uint16_t port;
	bool on;
} replay;

/* The function that ours stands in front of. */
#define NEXT(type, name) ((type)next_of(name))

static void *next_of(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (!next) {
		fprintf(stderr, "replay: %s is not to be found\n", name);
		abort();
	}
	return next;
}

/* ---- settings ---- */

static bool says_no(const char *name)
{
	const char *text = getenv(name);

	return text && (strcmp(text, "no") == 0 || strcmp(text, "0") == 0);
}

static bool number(uint32_t *out, const char *name, uint32_t preset, uint32_t most)
{
	const char *text = getenv(name);
	unsigned long value;
	char *end;

	*out = preset;
	if (!text || !*text)
		return true;
	value = strtoul(text, &end, 10);
	if (*end || value == 0 || value > most) {
		fprintf(stderr, "replay: %s takes 1 to %u\n", name, most);
		return false;
	}
	*out = (uint32_t)value;
	return true;
}

/* ---- counters ---- */

static uint64_t get(const _Atomic uint64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

static void tell_queue(struct rte_tel_data *out, const struct replay_queue *q)
{
	struct replay_counts counts;

	replay_queue_counts(&counts, q);
	rte_tel_data_start_dict(out);
	rte_tel_data_add_dict_u64(out, "packets", counts.packets);
	rte_tel_data_add_dict_u64(out, "bytes", counts.bytes);
	rte_tel_data_add_dict_u64(out, "rounds", counts.rounds);
	rte_tel_data_add_dict_u64(out, "opened", counts.opened);
	rte_tel_data_add_dict_u64(out, "frames", counts.frames);
	rte_tel_data_add_dict_u64(out, "opens", counts.opens);
	rte_tel_data_add_dict_u64(out, "flows", q->flows);
}

static int tell(const char *cmd, const char *params, struct rte_tel_data *out)
{
	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(out);
	for (unsigned i = 0; i < replay.cnt; i++) {
		struct rte_tel_data *one = rte_tel_data_alloc();
		char name[RTE_TEL_MAX_STRING_LEN];

		if (!one)
			return -ENOMEM;
		tell_queue(one, replay.queues[i]);
		snprintf(name, sizeof(name), "queue_%u", i);
		rte_tel_data_add_dict_container(out, name, one, 0);
	}
	return 0;
}

/* Once nothing polls any more: to be compared with what the program counted. */
static void say_counts(void)
{
	struct replay_counts counts;

	for (unsigned i = 0; i < replay.cnt; i++) {
		replay_queue_counts(&counts, replay.queues[i]);
		fprintf(stderr,
			"replay: queue %u: %" PRIu64 " packets, %" PRIu64 " rounds, %" PRIu64
			" connections opened, %u each round\n",
			i, counts.packets, counts.rounds, counts.opened, counts.opens);
	}
}

/* ---- a port ---- */

static void stop(void)
{
	for (unsigned i = 0; i < replay.cnt; i++) {
		replay_queue_fini(replay.queues[i]);
		rte_free(replay.queues[i]);
	}
	replay.cnt = 0;
}

static int add_queue(char error[static REPLAY_ERROR], struct replay_options *options)
{
	const struct rte_mempool *pool = replay.pools[options->queue];
	struct replay_queue *q =
		rte_zmalloc_socket("replay", sizeof(*q), RTE_CACHE_LINE_SIZE, options->numa);
	int ret;

	if (!q || !pool) {
		snprintf(error, REPLAY_ERROR, "no memory, or a queue that was not set up");
		rte_free(q);
		return -1;
	}
	/* as the program's own */
	options->private_len = rte_pktmbuf_priv_size((struct rte_mempool *)(uintptr_t)pool);
	options->data_room = rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
	ret = replay_queue_init(q, error, options);
	replay.queues[replay.cnt++] = q;
	return ret;
}

static int add_queues(char error[static REPLAY_ERROR], uint16_t port, unsigned queues)
{
	struct replay_options options = { .capture = &replay.capture,
		.queues = queues,
		.rewrite = !says_no("ET_REPLAY_REWRITE"),
		.open = !says_no("ET_REPLAY_OPEN"),
		.port = port,
		.numa = rte_eth_dev_socket_id(port) };
	int ret = 0;

	error[0] = '\0';
	if (!number(&options.flows, "ET_REPLAY_FLOWS", 0, 1u << 28) ||
		!number(&options.buffers, "ET_REPLAY_BUFFERS", BUFFERS, 1u << 20))
		return -1;
	for (unsigned i = 0; i < queues && !ret; i++) {
		options.queue = i;
		ret = add_queue(error, &options);
	}
	return ret;
}

static int start(uint16_t port, unsigned queues)
{
	const char *path = getenv("ET_REPLAY_FILE");
	struct rte_eth_fp_ops *ops = &rte_eth_fp_ops[port];
	bool flows = getenv("ET_REPLAY_FLOWS") != NULL;
	char error[REPLAY_ERROR];

	stop();
	replay_unload(&replay.capture);
	if (replay_load(&replay.capture, error, path) != 0) {
		fprintf(stderr, "replay: ET_REPLAY_FILE=%s: %s\n", path, error);
		return -1;
	}
	if (queues > QUEUES || add_queues(error, port, queues) != 0) {
		if (error[0])
			fprintf(stderr, "replay: %s\n", error);
		stop();
		return -1;
	}
	if (!flows) /* all is in packet buffers */
		replay_unload(&replay.capture);
	for (unsigned i = 0; i < queues; i++)
		ops->rxq.data[i] = replay.queues[i];
	ops->rx_pkt_burst = flows ? replay_burst_flows : replay_burst;
	if (!replay.on)
		rte_telemetry_register_cmd("/replay/queues", tell, "Counters of the replay");
	replay.port = port;
	replay.on = true;
	fprintf(stderr, "replay: %s in %u queue%s\n", path, queues, queues == 1 ? "" : "s");
	return 0;
}

/* ---- what stands in front of ethdev's ---- */

int rte_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned numa,
	const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	if (queue < QUEUES)
		replay.pools[queue] = pool;
	return NEXT(int (*)(uint16_t, uint16_t, uint16_t, unsigned, const struct rte_eth_rxconf *,
			    struct rte_mempool *),
		"rte_eth_rx_queue_setup")(port, queue, descriptors, numa, conf, pool);
}

int rte_eth_dev_start(uint16_t port)
{
	int ret = NEXT(int (*)(uint16_t), "rte_eth_dev_start")(port);
	struct rte_eth_dev_info info;

	if (ret || !getenv("ET_REPLAY_FILE") || rte_eth_dev_info_get(port, &info) ||
		strcmp(info.driver_name, "net_null") != 0)
		return ret;
	return start(port, info.nb_rx_queues) ? -EINVAL : 0;
}

int rte_eth_dev_stop(uint16_t port)
{
	if (replay.on && port == replay.port)
		say_counts();
	return NEXT(int (*)(uint16_t), "rte_eth_dev_stop")(port);
}

int rte_eth_stats_get(uint16_t port, struct rte_eth_stats *stats)
{
	int ret = NEXT(int (*)(uint16_t, struct rte_eth_stats *), "rte_eth_stats_get")(port, stats);

	if (ret || !replay.on || port != replay.port)
		return ret;
	for (unsigned i = 0; i < replay.cnt; i++) {
		stats->ipackets += get(&replay.queues[i]->packets);
		stats->ibytes += get(&replay.queues[i]->bytes);
	}
	return 0;
}
