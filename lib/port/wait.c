/* SPDX-License-Identifier: BSD-3-Clause */

/* Sleep until a frame comes, by RX interrupts. */

#include <rte_interrupts.h>

#include "reader.h"

bool et_port_can_wait(const struct et_port_reader *reader)
{
	for (unsigned i = 0; i < reader->sources_cnt; i++)
		if (!reader->sources[i].port->can_wait)
			return false;
	return reader->sources_cnt > 0;
}

/* Events are per thread, so a source is tied to the thread that waits, when it first does. */
static void arm(struct reader_source *source)
{
	if (!source->armed)
		source->armed = !rte_eth_dev_rx_intr_ctl_q(
			source->id, source->queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL);
	rte_eth_dev_rx_intr_enable(source->id, source->queue);
}

static bool is_gone(const struct reader_source *source)
{
	return atomic_load_explicit(&source->port->gone, memory_order_relaxed);
}

void et_port_wait(struct et_port_reader *reader, unsigned us)
{
	struct rte_epoll_event events[READER_BURST];

	for (unsigned i = 0; i < reader->sources_cnt; i++)
		if (!is_gone(&reader->sources[i]))
			arm(&reader->sources[i]);
	rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, READER_BURST, (int)((us + 999) / 1000));
	for (unsigned i = 0; i < reader->sources_cnt; i++)
		if (!is_gone(&reader->sources[i]))
			rte_eth_dev_rx_intr_disable(
				reader->sources[i].id, reader->sources[i].queue);
}
