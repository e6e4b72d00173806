/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RULES_H
#define RULES_H

/*
 * rte_flow: rules of one port that keep other traffic off the queues, and that drop connections of
 * which everything is known. The control thread only. What the port does not take is told once.
 *
 * A rule that drops must name what it drops exactly, as what a rule has dropped no counter shows:
 * "not a fragment" is part of it, and a driver that cannot match that gets no such rules.
 */

#include "et_packet.h"

#define RULES_SHED_MAX   4096 /* connections, of two rules each */
#define RULES_QUEUES_MAX 128

struct rules;

struct rte_flow;
struct rte_flow_attr;
struct rte_flow_item;
struct rte_flow_action;
struct rte_flow_error;

/* rte_flow_validate, rte_flow_create and rte_flow_destroy, or what a test puts in their place. */
struct rules_calls {
	int (*validate)(uint16_t port, const struct rte_flow_attr *attr,
		const struct rte_flow_item *items, const struct rte_flow_action *actions,
		struct rte_flow_error *error);
	struct rte_flow *(*create)(uint16_t port, const struct rte_flow_attr *attr,
		const struct rte_flow_item *items, const struct rte_flow_action *actions,
		struct rte_flow_error *error);
	int (*destroy)(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error);
};

struct rules_options {
	uint16_t port;   /* DPDK's number */
	unsigned queues; /* mail goes to queues 0 .. queues - 1, spread as the port's RSS does */
	const uint8_t *rss_key;
	unsigned rss_key_len;
	uint64_t rss_types;         /* RTE_ETH_RSS_ bits; 0: no RSS, all to queue 0 */
	const uint16_t *mail_ports; /* none: no other traffic is kept off */
	size_t mail_ports_cnt;
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
	const struct rules_calls *calls; /* NULL: rte_flow's own; else kept */
};

/*
 * Validates and installs rules by which TCP segments from or to mail ports, fragments, and
 * everything that is encapsulated or not plain IP still reach the queues, and other TCP and UDP is
 * dropped. All or nothing: when one rule is refused, those before it are taken back, one line says
 * so, and software does the work. NULL only when memory is short.
 *
 * Mail and the tunnels of UDP (the ports of et_packet.h) go to the queues by rules before those
 * that drop; fragments and all else match none, and go where they went without rules.
 */
struct rules *rules_new(const struct rules_options *options);
void rules_free(struct rules *rules); /* takes the rules out; NULL is allowed */

/*
 * Drops both directions of the connection for `seconds`; a second time only makes it longer. false:
 * not taken, as the port refuses, the table is full, or a tunnel carries the connection, within
 * which a rule of five fields does not look.
 */
bool rules_shed(
	struct rules *rules, const struct et_segment *segment, unsigned seconds, int64_t now_ns);
/* Takes out what is due, not more than some hundred rules at a time. */
void rules_age(struct rules *rules, int64_t now_ns);

struct rules_counts {
	unsigned static_rules; /* in the port now */
	unsigned shed;         /* connections that the port drops now */
	uint64_t refused;      /* times that the port did not take something */
};
void rules_counts(struct rules_counts *out, const struct rules *rules);

#endif
