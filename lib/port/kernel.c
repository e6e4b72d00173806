/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Frames that the kernel dropped before net_af_packet got to see them. The driver does not ask for
 * them, so we do, on the sockets that it has opened in this process.
 */

#include <dirent.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "port_parts.h"

/* Packet sockets of this process that are bound to the interface. */
static bool is_of(int fd, uint32_t if_index)
{
	struct sockaddr_ll bound = { 0 };
	socklen_t len = sizeof(bound);

	return getsockname(fd, (struct sockaddr *)&bound, &len) == 0 &&
	       bound.sll_family == AF_PACKET && bound.sll_ifindex == (int)if_index;
}

uint64_t port_kernel_drops(uint32_t if_index)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	uint64_t drops = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		struct tpacket_stats stats = { 0 };
		socklen_t len = sizeof(stats);
		int fd = atoi(entry->d_name);

		/* the kernel's counter begins anew each time it is asked for */
		if (entry->d_name[0] != '.' && is_of(fd, if_index) &&
			getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
			drops += stats.tp_drops;
	}
	if (dir)
		closedir(dir);
	return drops;
}
