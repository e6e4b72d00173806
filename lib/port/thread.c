/* SPDX-License-Identifier: BSD-3-Clause */

/* Worker lcores and the time stamp counter. */

#include <errno.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "port_parts.h"

int et_port_launch(unsigned lcore, int (*run)(void *arg), void *arg)
{
	if (lcore >= RTE_MAX_LCORE || !rte_lcore_is_enabled(lcore) || lcore == rte_get_main_lcore())
		return -EINVAL;
	return rte_eal_remote_launch(run, arg, lcore);
}

void et_port_join(void)
{
	rte_eal_mp_wait_lcore();
}

uint64_t et_port_cycles(void)
{
	return rte_rdtsc();
}

uint64_t et_port_cycles_per_s(void)
{
	return rte_get_tsc_hz();
}
