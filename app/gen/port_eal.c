/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_eal.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define ARGS_MORE 16
#define MEMORY    "512" /* MiB without hugepages; EAL alone would take 64 */

static const char *const core_args[] = { "-c", "-l", "-s", "-S", "--lcores", NULL };
static const char *const device_args[] = { "-a", "--allow", "--vdev", NULL };
static const char *const pci_args[] = { "-a", "--allow", "-b", "--block", "--no-pci", NULL };
static const char *const memory_args[] = { "-m", "--socket-mem", NULL };
static const char *const process_args[] = { "--file-prefix", "--in-memory", NULL };
static const char *const huge_args[] = { "--no-huge", NULL };

/* "-l", "-l0,1", "--lcores" and "--lcores=0,1" are all found by the first. */
static bool has(const struct gen_port_args *a, const char *const *names)
{
	for (int i = 0; i < a->args_cnt; i++)
		for (const char *const *name = names; *name; name++) {
			size_t n = strlen(*name);
			char behind = '\0';

			if (strncmp(a->args[i], *name, n) != 0)
				continue;
			behind = a->args[i][n];
			if ((*name)[1] != '-' || behind == '\0' || behind == '=')
				return true;
		}
	return false;
}

/* The main thread may run on all CPUs of this process, the sender on the last of them. */
static void put_lcores(char *out, size_t cap)
{
	const char *comma = "";
	cpu_set_t mine;
	unsigned last = 0;
	size_t n;

	CPU_ZERO(&mine);
	sched_getaffinity(0, sizeof(mine), &mine);
	n = (size_t)snprintf(out, cap, "0@(");
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < cap; cpu++) {
		if (!CPU_ISSET(cpu, &mine))
			continue;
		n += (size_t)snprintf(out + n, cap - n, "%s%u", comma, cpu);
		comma = ",";
		last = cpu;
	}
	if (n < cap)
		snprintf(out + n, cap - n, "),1@%u", last);
}

static int start_eal(char error[static ET_PORT_ERROR], const struct gen_port_args *a)
{
	const char **args = calloc((size_t)a->args_cnt + ARGS_MORE, sizeof(*args));
	bool vdev = strncmp(a->port, "net_", 4) == 0 || strncmp(a->port, "eth_", 4) == 0;
	bool no_huge = a->no_huge || has(a, huge_args);
	char lcores[8192];
	int n = 0, rc;

	if (!args) {
		snprintf(error, ET_PORT_ERROR, "no memory");
		return -1;
	}
	if (!has(a, core_args)) {
		put_lcores(lcores, sizeof(lcores));
		args[n++] = "--lcores";
		args[n++] = lcores;
	}
	if (a->no_huge && !has(a, huge_args))
		args[n++] = "--no-huge";
	if (no_huge && !has(a, memory_args)) {
		args[n++] = "-m";
		args[n++] = MEMORY;
	}
	if (!has(a, process_args)) { /* leaves no files, and runs beside `ehlotap live` */
		args[n++] = "--in-memory";
		args[n++] = "--no-telemetry";
	}
	if (!has(a, device_args)) {
		args[n++] = vdev ? "--vdev" : "-a";
		args[n++] = a->port;
	}
	if (vdev && !has(a, pci_args))
		args[n++] = "--no-pci";
	for (int i = 0; i < a->args_cnt; i++)
		args[n++] = a->args[i];
	rc = et_port_eal(error, n, args);
	free(args);
	return rc;
}

static void say(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "ehlotap gen: %s\n", sentence);
}

struct et_port_tx *gen_port_open(const struct gen_port_args *a, unsigned *lcore)
{
	char error[ET_PORT_ERROR], name[ET_PORT_NAME];
	unsigned lcores[ET_PORT_LCORES];
	struct et_port_tx *tx = NULL;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(a->port, ","), a->port);
	if (start_eal(error, a) == 0) {
		et_port_lcores(lcores);
		*lcore = lcores[0];
		tx = et_port_tx_open(error, &(struct et_port_tx_options){ .name = name,
						    .frame_max = a->frame_max,
						    .waiting = a->waiting,
						    .lcore = *lcore,
						    .say = say });
	}
	if (!tx)
		say(NULL, error);
	return tx;
}
