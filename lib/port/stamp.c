/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From the ticks of a port's clock to CLOCK_REALTIME. The rate is measured, not asked for, and
 * measured again from time to time, since neither clock is the other's.
 */

#define ALLOW_EXPERIMENTAL_API /* for rte_eth_read_clock, which has no other name */

#include <time.h>

#include "port_parts.h"

#define FIRST_NS (50 * 1000 * ET_NS_PER_US) /* between the two readings at the start */
#define AGAIN_NS (4 * ET_NS_PER_S)

int64_t port_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

/* Reads both clocks as near to each other as can be. */
static bool read_both(const struct port *port, uint64_t *ticks, int64_t *ns)
{
	int64_t before = port_now_ns();

	if (rte_eth_read_clock(port->id, ticks))
		return false;
	*ns = before + (port_now_ns() - before) / 2;
	return true;
}

bool port_clock_start(struct port *port)
{
	struct port_rate *rate = &port->clock.rates[0];
	struct timespec pause = { .tv_nsec = FIRST_NS };
	uint64_t ticks;
	int64_t ns;

	if (!read_both(port, &ticks, &ns))
		return false;
	nanosleep(&pause, NULL);
	if (!read_both(port, &rate->ticks, &rate->ns) || rate->ticks <= ticks || rate->ns <= ns)
		return false;
	rate->ns_per_tick = (double)(rate->ns - ns) / (double)(rate->ticks - ticks);
	atomic_store_explicit(&port->clock.current, 0, memory_order_release);
	port->calibrated_ns = rate->ns;
	return true;
}

void port_clock_watch(struct port *port)
{
	unsigned current = atomic_load_explicit(&port->clock.current, memory_order_relaxed);
	const struct port_rate *old = &port->clock.rates[current];
	struct port_rate rate;

	if (port->stamp != PORT_STAMP_TICKS || port_now_ns() - port->calibrated_ns < AGAIN_NS)
		return;
	if (!read_both(port, &rate.ticks, &rate.ns))
		return;
	port->calibrated_ns = rate.ns;
	rate.ns_per_tick = old->ns_per_tick;
	if (rate.ticks > old->ticks && rate.ns > old->ns) /* else the host's clock was set back */
		rate.ns_per_tick = (double)(rate.ns - old->ns) / (double)(rate.ticks - old->ticks);
	port->clock.rates[1 - current] = rate;
	atomic_store_explicit(&port->clock.current, 1 - current, memory_order_release);
}

int64_t port_clock_ns(const struct port_clock *clock, uint64_t ticks)
{
	const struct port_rate *rate =
		&clock->rates[atomic_load_explicit(&clock->current, memory_order_acquire)];

	return rate->ns + (int64_t)((double)(int64_t)(ticks - rate->ticks) * rate->ns_per_tick);
}
