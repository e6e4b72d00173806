/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The ports' own counters. Asked by the control thread and by telemetry's, never by a worker: some
 * drivers talk to firmware for them.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "port_parts.h"

void et_port_counts(struct et_port_set *set, unsigned i, struct et_port_counts *out)
{
	struct port *port = &set->ports[i];
	struct et_port_counts *last = &port->last;
	struct rte_eth_stats stats;

	pthread_mutex_lock(&set->counts_lock);
	if (!atomic_load_explicit(&port->gone, memory_order_relaxed) &&
		!rte_eth_stats_get(port->id, &stats)) {
		last->packets = stats.ipackets;
		last->bytes = stats.ibytes;
		last->imissed = stats.imissed;
		if (port->if_index && !strcmp(last->driver, "net_af_packet"))
			port->kernel_drops += port_kernel_drops(port->if_index);
		last->imissed += port->kernel_drops;
		last->ierrors = stats.ierrors;
		last->rx_nombuf = stats.rx_nombuf;
	}
	*out = *last;
	pthread_mutex_unlock(&set->counts_lock);
}

void et_port_xstats(struct et_port_set *set, unsigned i,
	void (*row)(void *ctx, const char *name, uint64_t value), void *ctx)
{
	const struct port *port = &set->ports[i];
	struct rte_eth_xstat_name *names = NULL;
	struct rte_eth_xstat *values = NULL;
	int cnt = 0;

	if (!atomic_load_explicit(&port->gone, memory_order_relaxed))
		cnt = rte_eth_xstats_get_names(port->id, NULL, 0);
	if (cnt <= 0)
		return;
	names = calloc((size_t)cnt, sizeof(*names));
	values = calloc((size_t)cnt, sizeof(*values));
	if (names && values && rte_eth_xstats_get_names(port->id, names, (unsigned)cnt) == cnt &&
		rte_eth_xstats_get(port->id, values, (unsigned)cnt) == cnt) {
		for (int k = 0; k < cnt; k++)
			if (values[k].value && values[k].id < (uint64_t)cnt)
				row(ctx, names[values[k].id].name, values[k].value);
	}
	free(names);
	free(values);
}
