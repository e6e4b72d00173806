/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the control thread looks after while readers read: links, ports that vanish, clocks, rules.
 *
 * A port that is gone is only marked. It is closed with the rest, because a reader may be within
 * its driver at that moment.
 */

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_ring.h>

#include "port_parts.h"
#include "rules.h"

#define SHED_AT_ONCE 4096

/* In EAL's interrupt thread. */
static int on_removal(uint16_t id, enum rte_eth_event_type event, void *ctx, void *more)
{
	struct port *port = ctx;

	(void)id;
	(void)event;
	(void)more;
	atomic_store_explicit(&port->gone, true, memory_order_relaxed);
	return 0;
}

void port_watch_start(struct port *port)
{
	port->watched =
		!rte_eth_dev_callback_register(port->id, RTE_ETH_EVENT_INTR_RMV, on_removal, port);
}

void port_watch_stop(struct port *port)
{
	if (port->watched)
		rte_eth_dev_callback_unregister(port->id, RTE_ETH_EVENT_INTR_RMV, on_removal, port);
	port->watched = false;
}

/* Of a kernel's interface: its driver here says "up" whatever happens. */
static bool interface_link(struct port *port)
{
	struct ifreq request = { 0 };
	bool up = false;
	int fd;

	if (!if_indextoname(port->if_index, request.ifr_name)) {
		if (errno == ENXIO || errno == ENODEV)
			atomic_store_explicit(&port->gone, true, memory_order_relaxed);
		return false;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return port->last.link_up;
	if (!ioctl(fd, SIOCGIFFLAGS, &request))
		up = request.ifr_flags & IFF_UP && request.ifr_flags & IFF_RUNNING;
	close(fd);
	return up;
}

bool port_link(struct port *port)
{
	struct rte_eth_link link = { 0 };

	if (port->if_index)
		return interface_link(port);
	if (rte_eth_link_get_nowait(port->id, &link))
		return port->last.link_up;
	return link.link_status == RTE_ETH_LINK_UP;
}

static void watch_port(struct et_port_set *set, struct port *port)
{
	struct et_port_counts *last = &port->last;
	bool up = false;

	if (port->told_gone)
		return;
	if (!atomic_load_explicit(&port->gone, memory_order_relaxed) &&
		rte_eth_dev_is_removed(port->id))
		atomic_store_explicit(&port->gone, true, memory_order_relaxed);
	if (!atomic_load_explicit(&port->gone, memory_order_relaxed))
		up = port_link(port);
	if (atomic_load_explicit(&port->gone, memory_order_relaxed)) {
		port_say(set,
			"Port %s (%s) was removed: the others go on; start again to take it up "
			"when it is back.",
			last->name, last->driver);
		port->told_gone = true;
		last->present = false;
		last->link_up = false;
		return;
	}
	if (up != last->link_up)
		port_say(set, "Port %s: the link %s.", last->name, up ? "is up" : "went down");
	last->link_up = up;
	port_clock_watch(port);
}

static int64_t steady_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

/* Two taps see one direction each, so that the rule goes to every port. */
static void shed(struct et_port_set *set)
{
	struct shed_request request;
	int64_t now_ns = steady_ns();

	for (unsigned n = 0; n < SHED_AT_ONCE && set->requests; n++) {
		struct et_segment segment = { 0 };

		if (rte_ring_dequeue_elem(set->requests, &request, sizeof(request)))
			break;
		segment.src = request.src;
		segment.dst = request.dst;
		segment.src_port = request.src_port;
		segment.dst_port = request.dst_port;
		for (unsigned i = 0; i < set->ports_cnt; i++)
			if (set->ports[i].rules && !set->ports[i].told_gone)
				rules_shed(set->ports[i].rules, &segment, request.seconds, now_ns);
	}
	for (unsigned i = 0; i < set->ports_cnt; i++)
		if (set->ports[i].rules && !set->ports[i].told_gone)
			rules_age(set->ports[i].rules, now_ns);
}

void et_port_watch(struct et_port_set *set)
{
	for (unsigned i = 0; i < set->ports_cnt; i++)
		watch_port(set, &set->ports[i]);
	shed(set);
}
