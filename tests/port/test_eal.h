/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_EAL_H
#define TEST_EAL_H

/* EAL for a unit test: real mempools and virtual ports, no hugepages, no devices, no files. */

#include <stdbool.h>
#include <stddef.h>

#include <rte_eal.h>

/* vdev: e.g. "--vdev=net_null0", or NULL. */
static inline bool test_eal(char *vdev)
{
	static char words[][32] = { "test", "--no-huge", "--no-pci", "--no-shconf", "-m256",
		"--no-telemetry", "--log-level=5", "-l0" };
	char *args[sizeof(words) / sizeof(words[0]) + 2];
	int cnt = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		args[cnt++] = words[i];
	if (vdev)
		args[cnt++] = vdev;
	args[cnt] = NULL;
	return rte_eal_init(cnt, args) >= 0;
}

#endif
