/* SPDX-License-Identifier: BSD-3-Clause */

/* From keys to EAL arguments: CPUs, memory, devices. */

#include "config_keys.h"

#include <ctype.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 63 /* of a device in DPDK */

static_assert(CONFIG_ARGS * 2 >= CONFIG_ARGS + 2 * CONFIG_PORTS + 16, "all EAL arguments fit");

const char *const config_eal_ports[] = { "-a", "--allow", "--vdev", NULL };
static const char *const pci_args[] = { "-a", "--allow", "-b", "--block", "--no-pci", NULL };
static const char *const core_args[] = { "-c", "-l", "-s", "-S", "--lcores", "--main-lcore", NULL };
static const char *const memory_args[] = { "-m", "--socket-mem", NULL };
static const char *const huge_args[] = { "--no-huge", NULL };
static const char *const prefix_args[] = { "--file-prefix", NULL };

/* "-l", "-l0,1", "--lcores", "--lcores=0,1" are all `which`. */
static bool is_arg(const char *arg, const char *which)
{
	size_t n = strlen(which);

	if (strncmp(arg, which, n) != 0)
		return false;
	return which[1] != '-' || arg[n] == '\0' || arg[n] == '=';
}

bool config_eal_has(const struct config *config, size_t from, const char *const *which)
{
	for (size_t i = from; i < config->eal_args_cnt; i++)
		for (const char *const *one = which; *one; one++)
			if (is_arg(config->eal_args[i], *one))
				return true;
	return false;
}

/* ---- ports ---- */

static bool is_vdev(const char *text)
{
	return strncmp(text, "net_", 4) == 0 || strncmp(text, "eth_", 4) == 0;
}

/* Length of a PCI address, [DOMAIN:]BUS:DEVICE.FUNCTION, at the begin of text; 0: there is none. */
static size_t pci_len(const char *text, bool *domain)
{
	size_t hex[3], n = 0, parts = 0;

	while (parts < 3) {
		hex[parts] = strspn(text + n, "0123456789abcdefABCDEF");
		n += hex[parts++];
		if (text[n] != ':')
			break;
		n++;
	}
	*domain = parts == 3;
	if (parts < 2 || hex[parts - 1] != 2 || hex[parts - 2] != 2 ||
		(*domain && (hex[0] < 4 || hex[0] > 8)))
		return 0;
	if (text[n] != '.' || text[n + 1] < '0' || text[n + 1] > '7')
		return 0;
	return n + 2;
}

static int refuse_port(char error[static CONFIG_ERROR], const char *text)
{
	char shown[CONFIG_SHOWN];

	snprintf(error, CONFIG_ERROR,
		"takes a PCI address (0000:3b:00.0) or a vdev (net_af_packet0,iface=eth1), not "
		"\"%s\"; a kernel interface is taken by net_af_packet or net_af_xdp",
		config_show(shown, text));
	return -1;
}

int config_port(struct config *config, char error[static CONFIG_ERROR], const char *text)
{
	char name[NAME_MAX_LEN + 1], *whole = NULL;
	bool domain;
	size_t n = strcspn(text, ","), pci = pci_len(text, &domain);
	const char *zero = pci && !domain ? "0000:" : "";

	if (strpbrk(text, " \t\r\n") || (pci ? pci != n : !is_vdev(text) || n == 4))
		return refuse_port(error, text);
	if (snprintf(name, sizeof(name), "%s%.*s", zero, (int)(n < 100 ? n : 100), text) >
		NAME_MAX_LEN)
		return refuse_port(error, text);
	for (char *p = name; pci && *p;
		p++) /* DPDK writes addresses so, and compares them as text */
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < config->ports_cnt; i++) {
		if (strcmp(config->port_names[i], name) == 0) {
			snprintf(error, CONFIG_ERROR, "names %s a second time", name);
			return -1;
		}
	}
	if (config->ports_cnt == CONFIG_PORTS) {
		snprintf(error, CONFIG_ERROR, "is there more than %d times", CONFIG_PORTS);
		return -1;
	}
	if (asprintf(&whole, "%s%s", name, text + n) < 0)
		whole = NULL;
	config->ports[config->ports_cnt] = whole ? config_keep(config, whole) : NULL;
	config->port_names[config->ports_cnt] = config_keep(config, name);
	free(whole);
	if (!config->ports[config->ports_cnt] || !config->port_names[config->ports_cnt]) {
		snprintf(error, CONFIG_ERROR, "finds no memory");
		return -1;
	}
	config->ports_cnt++;
	return 0;
}

size_t config_port_names(const struct config *config, const char *names[static CONFIG_PORTS])
{
	for (size_t i = 0; i < config->ports_cnt; i++)
		names[i] = config->port_names[i];
	return config->ports_cnt;
}

/* ---- CPUs ---- */

static bool read_cpu(unsigned *out, const char **text)
{
	char *end;
	unsigned long value = strtoul(*text, &end, 10);

	if (!isdigit((unsigned char)**text) || value >= CPU_SETSIZE)
		return false;
	*out = (unsigned)value;
	*text = end;
	return true;
}

/* The same CPU may be there twice: two workers share it then, which is for tests. */
int config_cores(struct config *config, char error[static CONFIG_ERROR], const char *text)
{
	char shown[CONFIG_SHOWN];
	const char *p = text;
	unsigned first, last;

	config->cpus_cnt = 0;
	do {
		if (!read_cpu(&first, &p))
			goto bad;
		last = first;
		if (*p == '-' && (p++, !read_cpu(&last, &p) || last < first))
			goto bad;
		for (; first <= last; first++) {
			if (config->cpus_cnt == CONFIG_CPUS) {
				snprintf(error, CONFIG_ERROR, "names more than %d CPUs",
					CONFIG_CPUS);
				return -1;
			}
			config->cpus[config->cpus_cnt++] = first;
		}
	} while (*p == ',' && *++p);
	if (!*p && p[-1] != ',')
		return 0;
bad:
	snprintf(error, CONFIG_ERROR, "takes CPU numbers as 2,4-7, not \"%s\"",
		config_show(shown, text));
	return -1;
}

/* "0-3,6" of the set. */
static void print_cpus(FILE *to, const cpu_set_t *set)
{
	const char *comma = "";

	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		unsigned last = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, set))
			last++;
		fprintf(to, last > cpu ? "%s%u-%u" : "%s%u", comma, cpu, last);
		comma = ",";
		cpu = last;
	}
}

/*
 * A CPU can be used if the thread can be put there: that is so for isolated CPUs too, which
 * sched_getaffinity does not name.
 */
static bool can_use(unsigned cpu, const cpu_set_t *back)
{
	cpu_set_t one;
	bool ok;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ok = sched_setaffinity(0, sizeof(one), &one) == 0;
	sched_setaffinity(0, sizeof(*back), back);
	return ok;
}

/* lcore 0 floats over what the process may use; lcore i + 1 is on CPU i of the list. */
static int set_lcores(struct config *config, char error[static CONFIG_ERROR])
{
	cpu_set_t mine;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to || sched_getaffinity(0, sizeof(mine), &mine) != 0)
		goto no_memory;
	if (!config->cores)
		for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &mine)) {
				config->cpus[0] = cpu;
				config->cpus_cnt = 1;
			}
	fputs("0@(", to);
	print_cpus(to, &mine);
	fputs(")", to);
	for (size_t i = 0; i < config->cpus_cnt; i++) {
		if (!can_use(config->cpus[i], &mine)) {
			snprintf(error, CONFIG_ERROR,
				"cores names CPU %u, which this machine does not have or this "
				"process may not use; see: lscpu -e, taskset -p $$",
				config->cpus[i]);
			fclose(to);
			free(text);
			return -1;
		}
		fprintf(to, ",%zu@%u", i + 1, config->cpus[i]);
	}
	if (fclose(to) == 0)
		config->lcores = config_keep(config, text);
	to = NULL;
no_memory:
	if (to)
		fclose(to);
	free(text);
	if (!config->lcores)
		snprintf(error, CONFIG_ERROR, "no memory");
	return config->lcores ? 0 : -1;
}

/* ---- all together ---- */

static int set_memory(struct config *config, char error[static CONFIG_ERROR])
{
	char text[16];

	if (!config->huge && config->memory_mib == 0)
		config->memory_mib = 1024; /* EAL alone would take 64 MiB */
	if (config->memory_mib == 0)
		return 0;
	snprintf(text, sizeof(text), "%u", config->memory_mib);
	config->memory = config_keep(config, text);
	if (config->memory)
		return 0;
	snprintf(error, CONFIG_ERROR, "no memory");
	return -1;
}

int config_finish(struct config *config, char error[static CONFIG_ERROR])
{
	if (config->ports_cnt == 0 && !config_eal_has(config, 0, config_eal_ports)) {
		snprintf(error, CONFIG_ERROR,
			"no port is given. \"dpdk-devbind.py --status\" lists NICs: --port "
			"0000:3b:00.0. "
			"A kernel interface, without hugepages or binding: "
			"--no-huge --port net_af_packet0,iface=eth1");
		return -1;
	}
	if (config->shed_bytes && !config->flow_rules) {
		snprintf(error, CONFIG_ERROR, "shed-bytes needs flow-rules = yes");
		return -1;
	}
	if (config->undecided > config->flows)
		config->undecided = config->flows;
	if (config_eal_has(config, 0, huge_args))
		config->huge = false;
	if (!config_eal_has(config, 0, memory_args) && set_memory(config, error) != 0)
		return -1;
	if (config_eal_has(config, 0, core_args)) {
		config->cpus_cnt = 0;
		return 0;
	}
	if (set_lcores(config, error) != 0)
		return -1;
	if (config->distributor == CONFIG_ON && config->cpus_cnt < 2) {
		snprintf(error, CONFIG_ERROR,
			"distributor = yes needs two CPUs in cores: one spreads, the others work");
		return -1;
	}
	return 0;
}

size_t config_eal(const struct config *config, const char *args[static CONFIG_ARGS * 2])
{
	bool pci = config_eal_has(config, 0, pci_args);
	size_t n = 0;

	if (config->lcores) {
		args[n++] = "--lcores";
		args[n++] = config->lcores;
		args[n++] = "--main-lcore";
		args[n++] = "0";
	}
	if (!config->huge && !config_eal_has(config, 0, huge_args))
		args[n++] = "--no-huge";
	if (config->memory) {
		args[n++] = "-m";
		args[n++] = config->memory;
	}
	if (!config_eal_has(config, 0, prefix_args)) {
		args[n++] = "--file-prefix";
		args[n++] = config->file_prefix;
	}
	for (size_t i = 0; i < config->ports_cnt; i++) {
		bool vdev = is_vdev(config->ports[i]);

		args[n++] = vdev ? "--vdev" : "-a";
		args[n++] = config->ports[i];
		pci = pci || !vdev;
	}
	if (config->ports_cnt > 0 && !pci)
		args[n++] = "--no-pci";
	for (size_t i = 0; i < config->eal_args_cnt; i++)
		args[n++] = config->eal_args[i];
	return n;
}
