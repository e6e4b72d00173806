/* SPDX-License-Identifier: BSD-3-Clause */

/* EAL's faults: does the user learn in plain words what is missing? */

#include "port_child.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

struct eal_case {
	const char *args[8];
	const char *words;
	bool nobody; /* as a user without rights */
};

static void eal_of(const void *arg)
{
	const struct eal_case *row = arg;
	const char *args[16] = { "--no-pci", "--no-telemetry", "--no-shconf" };
	char error[ET_PORT_ERROR] = "";
	int cnt = 3, ret;

	for (size_t i = 0; row->args[i]; i++)
		args[cnt++] = row->args[i];
	if (row->nobody && (setgid(65534) || setuid(65534)))
		return;
	ret = et_port_eal(error, cnt, args);
	fprintf(stderr, "  %s\n", error);
	CHECK(ret < 0);
	CHECK(strstr(error, row->words));
}

/* Then a start without them cannot be tried; true as well where nothing tells. */
static bool has_hugepages(void)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "r");
	unsigned long cnt = 1;

	if (file) {
		if (fscanf(file, "%lu", &cnt) != 1)
			cnt = 1;
		fclose(file);
	}
	return cnt > 0;
}

void test_eal(void)
{
#define FINE "--no-huge", "-l", "0"
	static const struct eal_case rows[] = {
		{ { "-l", "0" }, "echo 512 > /proc/sys/vm/nr_hugepages", false },
		{ { "-l", "0" }, "--no-huge", true },
		{ { "--no-huge", "-l", "0,900" }, "core list", false },
		{ { "--no-huge", "-l", "x" }, "core list", false },
		{ { "--no-huge", "-l", "0", "--main-lcore", "7" }, "core list", false },
		{ { FINE }, "No lcore is left", false },
		{ { FINE, "--frob" }, "does not take these arguments", false },
		{ { FINE, "--vdev", "nothing0" }, "no driver for the device \"nothing0\"", false },
		{ { FINE, "--vdev", "net_pcap0,rx_pcap=/nowhere" }, "/nowhere", false },
		{ { FINE, "--vdev", "net_pcap0,foo=1" }, "does not know", false },
		{ { FINE, "--vdev", "net_af_packet0,iface=nowhere0" }, "net_af_packet0", false },
		{ { FINE, "--vdev", "net_af_packet0,iface=lo" }, "for want of rights", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((rows[i].nobody && geteuid()) ||
			(strstr(rows[i].words, "echo") && has_hugepages()))
			continue;
		CU_ASSERT(child_run(eal_of, &rows[i]));
	}
}

/* Two processes with one prefix: the second learns whose fault it is. */
static void same_prefix(const void *arg)
{
	char prefix[32], error[ET_PORT_ERROR] = "";
	int up[2], down[2];
	char byte = 0;
	pid_t pid;

	(void)arg;
	snprintf(prefix, sizeof(prefix), "ehlotap_test%d", (int)getpid());
	const char *args[] = { "--no-huge", "--no-pci", "--no-telemetry", "--file-prefix", prefix,
		"--lcores", "0@0,1@0" };

	CHECK(!pipe(up) && !pipe(down));
	pid = fork();
	if (!pid) {
		byte = (char)(et_port_eal(error, 7, args) == 0);
		if (write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(1);
		et_port_close(NULL);
		_exit(0);
	}
	CHECK(read(up[0], &byte, 1) == 1 && byte == 1);
	CHECK(et_port_eal(error, 7, args) < 0);
	CHECK(strstr(error, "Another DPDK process") && strstr(error, prefix));
	CHECK(write(down[1], &byte, 1) == 1);
}

void test_same_prefix(void)
{
	CU_ASSERT(child_run(same_prefix, NULL));
}
