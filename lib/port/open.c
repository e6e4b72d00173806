/* SPDX-License-Identifier: BSD-3-Clause */

/* Which ports, how many queues, and whether both directions of a flow meet in one of them. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include "port_parts.h"
#include "rules.h"

#define REQUESTS 4096

/* The first port from this number on that no other port is made of; RTE_MAX_ETHPORTS: none. */
static uint16_t next_port(unsigned from)
{
	return (uint16_t)rte_eth_find_next_owned_by((uint16_t)from, RTE_ETH_DEV_NO_OWNER);
}

static int unknown(char error[static ET_PORT_ERROR], const char *name)
{
	char known[ET_PORT_ERROR / 2] = "";
	size_t n = 0;

	for (uint16_t id = next_port(0); id < RTE_MAX_ETHPORTS; id = next_port(id + 1U)) {
		char have[RTE_ETH_NAME_MAX_LEN];

		if (!rte_eth_dev_get_name_by_port(id, have) && n < sizeof(known))
			n += (size_t)snprintf(
				known + n, sizeof(known) - n, "%s%s", n ? ", " : "", have);
	}
	snprintf(error, ET_PORT_ERROR, "There is no port %.64s; %s%s.", name,
		known[0] ? "there are " : "there is none at all", known);
	return -ENODEV;
}

/* A PCI address may lack its domain. */
int port_find(char error[static ET_PORT_ERROR], uint16_t *id, const char *name)
{
	char full[ET_PORT_NAME];

	if (!rte_eth_dev_get_port_by_name(name, id))
		return 0;
	snprintf(full, sizeof(full), "0000:%s", name);
	return rte_eth_dev_get_port_by_name(full, id) ? unknown(error, name) : 0;
}

static int add_port(char error[static ET_PORT_ERROR], struct et_port_set *set, uint16_t id)
{
	if (set->ports_cnt == ET_PORT_MAX) {
		snprintf(error, ET_PORT_ERROR, "More than %d ports; name fewer.", ET_PORT_MAX);
		return -E2BIG;
	}
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		if (set->ports[i].id == id) {
			snprintf(error, ET_PORT_ERROR, "Port %u is named twice.", id);
			return -EINVAL;
		}
	}
	set->ports[set->ports_cnt++].id = id;
	return 0;
}

static int choose(char error[static ET_PORT_ERROR], struct et_port_set *set,
	const struct et_port_options *options)
{
	uint16_t id;
	int ret = 0;

	for (size_t i = 0; i < options->names_cnt && !ret; i++) {
		ret = port_find(error, &id, options->names[i]);
		if (!ret)
			ret = add_port(error, set, id);
	}
	if (!options->names_cnt) {
		for (id = next_port(0); id < RTE_MAX_ETHPORTS && !ret; id = next_port(id + 1U))
			ret = add_port(error, set, id);
	}
	if (!ret && !set->ports_cnt) {
		snprintf(error, ET_PORT_ERROR,
			"DPDK found no port; bind a NIC to vfio-pci (dpdk-devbind.py -b vfio-pci "
			"ADDRESS) or give a virtual one, as --vdev net_af_packet0,iface=eth0.");
		ret = -ENODEV;
	}
	return ret;
}

/* As many queues as were asked for, or as many as bring both directions together on all ports. */
static int decide(char error[static ET_PORT_ERROR], struct et_port_set *set,
	const struct rte_eth_dev_info *infos, const struct et_port_options *options)
{
	bool rss = options->rss != ET_PORT_RSS_OFF;

	set->queues = options->queues ? options->queues : rss ? options->workers : 1;
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		const struct port *port = &set->ports[i];
		unsigned most = port_rss_most(port, &infos[i]);

		if (options->queues > infos[i].max_rx_queues) {
			snprintf(error, ET_PORT_ERROR,
				"Port %s (%s) has %u RX queues, not %u; ask for fewer, or give its "
				"--vdev more.",
				port->last.name, port->last.driver, infos[i].max_rx_queues,
				options->queues);
			return -EINVAL;
		}
		if (options->queues || most >= set->queues)
			continue;
		port_say(set,
			"Port %s (%s) can bring both directions of a flow together in %u queue%s: "
			"%u %s used.",
			port->last.name, port->last.driver, most, most == 1 ? "" : "s", most,
			most == 1 ? "is" : "are");
		set->queues = RTE_MAX(most, 1U);
	}
	return 0;
}

static int start_all(char error[static ET_PORT_ERROR], struct et_port_set *set,
	const struct rte_eth_dev_info *infos, const struct et_port_options *options)
{
	bool rss = options->rss != ET_PORT_RSS_OFF;

	set->symmetric = true;
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		struct port *port = &set->ports[i];
		int ret;

		port->queues = port->all_queues ? infos[i].max_rx_queues : (uint16_t)set->queues;
		port_rss_plan(port, &infos[i], rss ? set->queues : 1);
		ret = port_start(error, port, set, &infos[i], options);
		if (ret)
			return ret;
		if (!port_rss_settle(port, &infos[i])) {
			port_say(set,
				"Port %s (%s) does not take a symmetric RSS key: the directions of "
				"a flow may come to different queues.",
				port->last.name, port->last.driver);
			port->spread.kind = PORT_SPREAD_ONE;
		}
		if (set->queues > 1 && (port->spread.kind == PORT_SPREAD_ONE ||
					       !port_rss_same(port, &set->ports[0])))
			set->symmetric = false;
	}
	return 0;
}

static int start(char error[static ET_PORT_ERROR], struct et_port_set *set,
	const struct rte_eth_dev_info *infos, const struct et_port_options *options)
{
	int ret = decide(error, set, infos, options);

	if (!ret)
		ret = start_all(error, set, infos, options);
	if (ret || set->symmetric || options->queues)
		return ret;
	port_say(set, "The ports do not spread flows alike: one queue of each is used.");
	for (unsigned i = 0; i < set->ports_cnt; i++)
		port_stop(&set->ports[i]);
	set->queues = 1;
	return start_all(error, set, infos, options);
}

static int make_rules(char error[static ET_PORT_ERROR], struct et_port_set *set,
	const struct et_port_options *options)
{
	for (unsigned i = 0; i < set->ports_cnt && options->flow_rules; i++) {
		struct port *port = &set->ports[i];

		port->rules = rules_new(&(struct rules_options){ .port = port->id,
			.queues = port->queues,
			.rss_key = port->spread.key,
			.rss_key_len = port->spread.key_len,
			.rss_types = port->spread.types,
			.mail_ports = options->mail_ports,
			.mail_ports_cnt = options->mail_ports_cnt,
			.say = options->say,
			.say_ctx = options->say_ctx });
		if (!port->rules) {
			snprintf(error, ET_PORT_ERROR, "No memory for the flow rules of port %s.",
				port->last.name);
			return -ENOMEM;
		}
	}
	if (!options->flow_rules)
		return 0;
	set->requests = rte_ring_create_elem(
		"requests", sizeof(struct shed_request), REQUESTS, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (set->requests)
		return 0;
	snprintf(error, ET_PORT_ERROR, "No memory for the list of decided flows.");
	return -ENOMEM;
}

static void find_stamps(struct et_port_set *set)
{
	int bit = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, NULL);

	set->stamp_offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, NULL);
	if (bit < 0 || set->stamp_offset < 0) {
		for (unsigned i = 0; i < set->ports_cnt; i++)
			set->ports[i].stamp = PORT_STAMP_NONE;
	} else {
		set->stamp_flag = UINT64_C(1) << bit;
	}
	set->stamped = true;
	for (unsigned i = 0; i < set->ports_cnt; i++)
		set->stamped &= set->ports[i].stamp != PORT_STAMP_NONE;
}

/* What the user should know of the ports as they are. */
static void tell(struct et_port_set *set)
{
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		struct port *port = &set->ports[i];

		port->last.link_up = port_link(port);
		if (!port->last.link_up)
			port_say(set, "Port %s has no link yet.", port->last.name);
	}
}

/* Frees the set, not EAL. */
static void free_set(struct et_port_set *set)
{
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		struct port *port = &set->ports[i];

		port_watch_stop(port);
		rules_free(port->rules);
		port_stop(port);
		rte_eth_dev_close(port->id);
		rte_mempool_free(port->pool); /* after close: until then queues hold its buffers */
	}
	rte_ring_free(set->requests);
	pthread_mutex_destroy(&set->counts_lock);
	free(set);
}

struct et_port_set *et_port_open(
	char error[static ET_PORT_ERROR], const struct et_port_options *options)
{
	struct et_port_set *set = aligned_alloc(ET_CACHE_LINE, sizeof(*set));
	struct rte_eth_dev_info *infos = calloc(ET_PORT_MAX, sizeof(*infos));
	int ret = set && infos ? 0 : -ENOMEM;

	error[0] = '\0';
	if (ret) {
		snprintf(error, ET_PORT_ERROR, "No memory for the ports.");
		free(set);
		free(infos);
		return NULL;
	}
	memset(set, 0, sizeof(*set));
	pthread_mutex_init(&set->counts_lock, NULL);
	set->say = options->say;
	set->say_ctx = options->say_ctx;
	set->private_len =
		(uint16_t)RTE_ALIGN_CEIL(options->private_bytes, (unsigned)ET_CACHE_LINE);
	ret = choose(error, set, options);
	for (unsigned i = 0; i < set->ports_cnt && !ret; i++)
		ret = port_look(error, &infos[i], &set->ports[i]);
	/* a driver that is asked for stamps needs the field before it starts */
	if (!ret && options->hardware_stamps)
		rte_mbuf_dyn_rx_timestamp_register(NULL, NULL);
	if (!ret)
		ret = start(error, set, infos, options);
	if (!ret)
		ret = make_rules(error, set, options);
	free(infos);
	if (ret) {
		free_set(set);
		return NULL;
	}
	find_stamps(set);
	for (unsigned i = 0; i < set->ports_cnt; i++)
		port_watch_start(&set->ports[i]);
	tell(set);
	return set;
}

void et_port_plan(struct et_port_plan *out, const struct et_port_set *set)
{
	*out = (struct et_port_plan){
		.ports = set->ports_cnt, .queues = set->queues, .symmetric = set->symmetric
	};
}

void et_port_close(struct et_port_set *set)
{
	port_telemetry_stop();
	if (set)
		free_set(set);
	port_eal_cleanup();
}
