/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_CHILD_H
#define PORT_CHILD_H

/*
 * EAL starts once in a process, so each test runs in a child of its own, where CHECK counts what
 * CU_ASSERT would.
 */

#include <pcap/pcap.h>

#include "et_port.h"

extern unsigned child_failed;

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			child_failed++;                                                 \
		}                                                                       \
	} while (0)

/* Runs test(arg) in a child; true when it ended by itself and every CHECK held. */
bool child_run(void (*test)(const void *arg), const void *arg);

#define CHILD_VDEVS 4

/* EAL with these vdevs (NULL ends), 3 lcores on one CPU and without hugepages; false: said why. */
bool child_eal(const char *const vdevs[CHILD_VDEVS]);

/* EAL and all ports; NULL: said why. Every sentence is added to child_said. */
struct et_port_set *child_open(
	const char *const vdevs[CHILD_VDEVS], const struct et_port_options *options);
extern char child_said[4096];
void child_say(void *ctx, const char *sentence);

/* All frames of a capture in memory. */
struct child_capture {
	struct et_frame *frames;
	size_t cnt;
};
bool child_load(struct child_capture *capture, const char *path);
void child_free(struct child_capture *capture);

/* A capture that is written; to be closed by child_write_end. */
pcap_dumper_t *child_write_begin(const char *path);
void child_write(pcap_dumper_t *dumper, const struct et_frame *frame);

/* An Ethernet frame with a TCP segment without payload; v6 by what addresses are. Its length. */
uint32_t child_tcp(uint8_t out[static 128], const struct et_segment *segment);
struct et_segment child_random_segment(bool v6);
struct et_segment child_turned(const struct et_segment *segment);

/* port_eal.c: what EAL refuses. Whole tests. */
void test_eal(void);
void test_same_prefix(void);

/* port_tx.c: what is sent. Whole tests. */
void test_tx(const char *folder);
void test_tx_refusals(void);

void test_tx_veth(const void *arg); /* in a child, with root */

/* port_veth.c: with real interfaces of the kernel, in network namespaces. A whole test. */
void test_interfaces(void);

#endif
