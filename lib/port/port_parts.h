/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_PARTS_H
#define PORT_PARTS_H

/*
 * What the files of this room share. The set and its ports belong to the control thread; what a
 * reader's thread may look at meanwhile is said beside the field.
 */

#include <pthread.h>
#include <stdatomic.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "et_port.h"

#define PORT_KEY_MAX  64 /* bytes of an RSS key */
#define PORT_RETA_MAX 2048

/* What a time stamp in an mbuf means. */
enum port_stamp {
	PORT_STAMP_NONE,
	PORT_STAMP_MICROSECONDS, /* since the epoch: net_pcap */
	PORT_STAMP_TICKS,        /* of the port's own clock, see struct port_clock */
};

/*
 * ns = base_ns + (ticks - base_ticks) * ns_per_tick. The control thread fills the slot that is not
 * current and then makes it current, at most once a second, so that a reader never sees half.
 */
struct port_clock {
	struct port_rate {
		uint64_t ticks;
		int64_t ns;
		double ns_per_tick;
	} rates[2];
	_Atomic unsigned current;
};

/* How a port spreads flows over its queues. */
struct port_spread {
	enum port_spread_kind {
		PORT_SPREAD_ONE,    /* one queue, or queues that no rule of ours fills */
		PORT_SPREAD_RSS,    /* symmetric Toeplitz: key, types, reta */
		PORT_SPREAD_KERNEL, /* packet fanout by the kernel's hash, which is symmetric */
	} kind;
	uint8_t key[PORT_KEY_MAX];
	unsigned key_len;
	uint64_t types;
	unsigned reta_cnt; /* 0: not known */
	uint16_t reta[PORT_RETA_MAX];
};

struct port {
	/* What readers look at; constant after open but for the two that say otherwise. */
	uint16_t id;     /* DPDK's number */
	uint16_t queues; /* RX queues in use */
	bool can_wait;
	enum port_stamp stamp;
	_Atomic bool gone;       /* written by the control thread and by EAL's interrupt thread */
	struct port_clock clock; /* written by the control thread, seldom */

	/* The control thread's. */
	_Alignas(ET_CACHE_LINE) struct et_port_counts last;
	int numa;
	uint32_t if_index;     /* of the kernel's interface behind the port; 0: none */
	uint64_t kernel_drops; /* so far, where the driver does not tell them */
	bool all_queues;       /* the driver fills every queue it has, so all of them are read */
	bool started, told_gone, watched;
	int64_t calibrated_ns;
	struct port_spread spread;
	struct rte_mempool *pool;
	struct rules *rules;
};

struct shed_request {
	struct et_addr src, dst;
	uint16_t src_port, dst_port;
	uint32_t seconds;
};

struct et_port_set {
	struct port ports[ET_PORT_MAX];
	unsigned ports_cnt, queues;
	pthread_mutex_t counts_lock; /* of et_port_counts: some counters begin anew when read */
	bool symmetric;
	uint16_t private_len; /* of each mbuf */
	bool stamped;         /* all ports have stamps: readers merge by them */
	int stamp_offset;     /* of the field in an mbuf; < 0: none */
	uint64_t stamp_flag;
	struct rte_ring *requests; /* of readers, to drop a connection; NULL: no port can */
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
};

/* eal.c: the last thing that DPDK complained of, "" when nothing; ends with EAL. */
const char *port_complaint(void);
void port_complaint_forget(void);
/* The log's lines are kept for port_complaint and not shown: of what is tried and may fail. */
void port_log_mute(bool mute);
/* Frees what et_port_eal made. */
void port_eal_cleanup(void);

/* Says a sentence to the user. */
__attribute__((format(printf, 2, 3))) void port_say(
	const struct et_port_set *set, const char *format, ...);

/* open.c: by name as DPDK has it, or a PCI address. 0 or -ENODEV and a sentence. */
int port_find(char error[static ET_PORT_ERROR], uint16_t *id, const char *name);

/* configure.c: from abilities to a port that runs. Both return 0 or -errno and a sentence. */
int port_look(char error[static ET_PORT_ERROR], struct rte_eth_dev_info *info, struct port *port);
/* With port->queues queues, spread as port->spread says. */
int port_start(char error[static ET_PORT_ERROR], struct port *port, const struct et_port_set *set,
	const struct rte_eth_dev_info *info, const struct et_port_options *options);
/* Back to what it was before port_start. */
void port_stop(struct port *port);

/* rss.c */
/* How many readers this port can serve so that both directions of a flow meet; at least 1. */
unsigned port_rss_most(const struct port *port, const struct rte_eth_dev_info *info);
/* How it will be spread over `queues` readers: key and types to be asked for. */
void port_rss_plan(struct port *port, const struct rte_eth_dev_info *info, unsigned queues);
/* The port has started: sets the table and asks the driver what it holds. False: not symmetric. */
bool port_rss_settle(struct port *port, const struct rte_eth_dev_info *info);
bool port_rss_same(const struct port *a, const struct port *b);

/* stamp.c: CLOCK_REALTIME beside the port's own clock. False: the port has none to read. */
int64_t port_now_ns(void);
bool port_clock_start(struct port *port);
void port_clock_watch(struct port *port);
int64_t port_clock_ns(const struct port_clock *clock, uint64_t ticks);

/* watch.c */
void port_watch_start(struct port *port);
void port_watch_stop(struct port *port);
/* Whether the port has a link now; for interfaces of the kernel also whether there still is one. */
bool port_link(struct port *port);

/* kernel.c: frames that packet sockets on this interface have dropped since it was asked last. */
uint64_t port_kernel_drops(uint32_t if_index);

/* telemetry.c: no command calls back any more. */
void port_telemetry_stop(void);

#endif
