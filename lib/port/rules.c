/* SPDX-License-Identifier: BSD-3-Clause */
#include "rules.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>

#define AGED_MAX 128 /* connections per call: a rule takes long to destroy on some NICs */

/* The first to match wins: 0 is the highest. */
enum { PRIORITY_SHED, PRIORITY_KEEP, PRIORITY_DROP };

/* VXLAN, VXLAN-GPE, GENEVE, VXLAN before its registration; as in the packet room. */
static const uint16_t tunnels[] = { 4789, 4790, 6081, 8472 };
#define TUNNELS (sizeof(tunnels) / sizeof(tunnels[0]))
#define DROPS   4

/* A rule in few words: what it matches, by how it is ranked what it does. */
struct want {
	unsigned priority;
	bool v6;
	uint8_t protocol;                /* IPPROTO_TCP or IPPROTO_UDP */
	uint16_t src_port, dst_port;     /* 0: any */
	const struct et_addr *src, *dst; /* NULL: any */
};

/* The same as rte_flow wants it. Points into itself. */
struct rule {
	struct rte_flow_attr attr;
	struct rte_flow_item items[4];
	struct rte_flow_item_ipv4 ipv4, ipv4_mask;
	struct rte_flow_item_ipv6 ipv6, ipv6_mask;
	struct rte_flow_item_tcp tcp, tcp_mask;
	struct rte_flow_item_udp udp, udp_mask;
	struct rte_flow_action actions[2];
	struct rte_flow_action_queue queue;
	struct rte_flow_action_rss rss;
	uint16_t queues[RULES_QUEUES_MAX];
};

/* A connection; free when flows[0] is NULL. */
struct shed {
	struct et_addr src, dst;
	uint16_t src_port, dst_port;
	struct rte_flow *flows[2];
	int64_t due_ns;
};

struct rules {
	struct rules_options options; /* without what is not kept: key and mail ports */
	struct rte_flow **flows;      /* those that stay; flows_cnt of them */
	size_t flows_cnt;
	struct shed *sheds;
	unsigned shed_cnt, shed_next; /* the entry that rules_age looks at first */
	bool sheds_refused, shed_told;
	uint64_t refused;
};

static const struct rules_calls rte_flow_calls = {
	.validate = rte_flow_validate,
	.create = rte_flow_create,
	.destroy = rte_flow_destroy,
};

/* ---- from want to rte_flow's structures ---- */

static void match_ipv4(struct rule *rule, const struct want *want)
{
	if (want->src) {
		memcpy(&rule->ipv4.hdr.src_addr, want->src->b + 12, 4);
		memset(&rule->ipv4_mask.hdr.src_addr, 0xff, 4);
	}
	if (want->dst) {
		memcpy(&rule->ipv4.hdr.dst_addr, want->dst->b + 12, 4);
		memset(&rule->ipv4_mask.hdr.dst_addr, 0xff, 4);
	}
	/* neither an offset nor more to follow; what names ports is no later fragment anyway */
	if (want->priority == PRIORITY_DROP)
		rule->ipv4_mask.hdr.fragment_offset = RTE_BE16(0x3fff);
}

static void match_ipv6(struct rule *rule, const struct want *want)
{
	if (want->src) {
		memcpy(&rule->ipv6.hdr.src_addr, want->src->b, 16);
		memset(&rule->ipv6_mask.hdr.src_addr, 0xff, 16);
	}
	if (want->dst) {
		memcpy(&rule->ipv6.hdr.dst_addr, want->dst->b, 16);
		memset(&rule->ipv6_mask.hdr.dst_addr, 0xff, 16);
	}
	if (want->priority == PRIORITY_DROP)
		rule->ipv6_mask.has_frag_ext = 1;
}

static void match_ports(struct rule *rule, const struct want *want)
{
	rte_be16_t src = rte_cpu_to_be_16(want->src_port), dst = rte_cpu_to_be_16(want->dst_port);
	rte_be16_t src_mask = src ? 0xffff : 0, dst_mask = dst ? 0xffff : 0;

	rule->tcp.hdr = (struct rte_tcp_hdr){ .src_port = src, .dst_port = dst };
	rule->tcp_mask.hdr = (struct rte_tcp_hdr){ .src_port = src_mask, .dst_port = dst_mask };
	rule->udp.hdr = (struct rte_udp_hdr){ .src_port = src, .dst_port = dst };
	rule->udp_mask.hdr = (struct rte_udp_hdr){ .src_port = src_mask, .dst_port = dst_mask };
}

/* An item with nothing to match but its type has no spec: some drivers want it so. */
static struct rte_flow_item item(
	enum rte_flow_item_type type, bool any, const void *spec, const void *mask)
{
	return (struct rte_flow_item){
		.type = type, .spec = any ? NULL : spec, .mask = any ? NULL : mask
	};
}

static void set_items(struct rule *rule, const struct want *want)
{
	bool any_ip = !want->src && !want->dst && want->priority != PRIORITY_DROP;
	bool any_port = want->src_port == 0 && want->dst_port == 0;

	match_ipv4(rule, want);
	match_ipv6(rule, want);
	match_ports(rule, want);
	rule->items[0] = item(RTE_FLOW_ITEM_TYPE_ETH, true, NULL, NULL);
	rule->items[1] =
		want->v6 ? item(RTE_FLOW_ITEM_TYPE_IPV6, any_ip, &rule->ipv6, &rule->ipv6_mask)
			 : item(RTE_FLOW_ITEM_TYPE_IPV4, any_ip, &rule->ipv4, &rule->ipv4_mask);
	rule->items[2] =
		want->protocol == IPPROTO_TCP
			? item(RTE_FLOW_ITEM_TYPE_TCP, any_port, &rule->tcp, &rule->tcp_mask)
			: item(RTE_FLOW_ITEM_TYPE_UDP, any_port, &rule->udp, &rule->udp_mask);
	rule->items[3].type = RTE_FLOW_ITEM_TYPE_END;
}

static void set_actions(
	struct rule *rule, const struct want *want, const struct rules_options *options)
{
	struct rte_flow_action *action = &rule->actions[0];

	rule->actions[1].type = RTE_FLOW_ACTION_TYPE_END;
	if (want->priority != PRIORITY_KEEP) {
		action->type = RTE_FLOW_ACTION_TYPE_DROP;
		return;
	}
	if (options->rss_types == 0 || options->queues < 2) {
		*action = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_QUEUE,
			.conf = &rule->queue };
		return;
	}
	rule->rss = (struct rte_flow_action_rss){ .types = options->rss_types,
		.key = options->rss_key,
		.key_len = options->rss_key_len,
		.queue = rule->queues,
		.queue_num = RTE_MIN(options->queues, (unsigned)RULES_QUEUES_MAX) };
	for (unsigned i = 0; i < rule->rss.queue_num; i++)
		rule->queues[i] = (uint16_t)i;
	*action = (struct rte_flow_action){ .type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &rule->rss };
}

static void build(struct rule *rule, const struct want *want, const struct rules_options *options)
{
	memset(rule, 0, sizeof(*rule));
	rule->attr.ingress = 1;
	rule->attr.priority = want->priority;
	set_items(rule, want);
	set_actions(rule, want, options);
}

/* ---- to the port ---- */

/* One line; what: the rules' purpose, instead: what is done without them. */
static void tell(struct rules *rules, const char *what, const char *instead,
	const struct rte_flow_error *error)
{
	char sentence[512], name[RTE_ETH_NAME_MAX_LEN];

	if (!rules->options.say)
		return;
	if (rte_eth_dev_get_name_by_port(rules->options.port, name) != 0)
		snprintf(name, sizeof(name), "%u", (unsigned)rules->options.port);
	snprintf(sentence, sizeof(sentence), "port %s takes no flow rules that %s (%s): %s", name,
		what, error->message ? error->message : rte_strerror(rte_errno), instead);
	rules->options.say(rules->options.say_ctx, sentence);
}

static bool validate(struct rules *rules, const struct want *want,
	const struct rules_options *options, struct rte_flow_error *error)
{
	struct rule rule;
	int rc;

	build(&rule, want, options);
	*error = (struct rte_flow_error){ .type = RTE_FLOW_ERROR_TYPE_NONE };
	rc = options->calls->validate(options->port, &rule.attr, rule.items, rule.actions, error);
	if (rc != 0) {
		rte_errno = abs(rc);
		rules->refused++;
	}
	return rc == 0;
}

static struct rte_flow *create(struct rules *rules, const struct want *want,
	const struct rules_options *options, struct rte_flow_error *error)
{
	struct rule rule;
	struct rte_flow *flow;

	build(&rule, want, options);
	*error = (struct rte_flow_error){ .type = RTE_FLOW_ERROR_TYPE_NONE };
	flow = options->calls->create(options->port, &rule.attr, rule.items, rule.actions, error);
	if (!flow)
		rules->refused++;
	return flow;
}

/* A port that is gone has lost its rules: what destroy returns does not matter. */
static void destroy(struct rules *rules, struct rte_flow *flow)
{
	struct rte_flow_error error;

	rules->options.calls->destroy(rules->options.port, flow, &error);
}

/* ---- the rules that stay ---- */

static size_t static_cnt(const struct rules_options *options)
{
	return options->mail_ports_cnt ? 4 * options->mail_ports_cnt + 2 * TUNNELS + DROPS : 0;
}

/* Rule i: those that keep before those that drop, so that no mail is lost in between. */
static struct want static_rule(const struct rules_options *options, size_t i)
{
	struct want want = { .priority = PRIORITY_KEEP, .v6 = i & 1, .protocol = IPPROTO_TCP };

	if (i < 4 * options->mail_ports_cnt) {
		*(i & 2 ? &want.src_port : &want.dst_port) = options->mail_ports[i / 4];
		return want;
	}
	i -= 4 * options->mail_ports_cnt;
	if (i < 2 * TUNNELS) {
		want.protocol = IPPROTO_UDP;
		want.dst_port = tunnels[i / 2];
		return want;
	}
	want.priority = PRIORITY_DROP;
	if (i & 2)
		want.protocol = IPPROTO_UDP;
	return want;
}

/* Drops first, for the same reason. */
static void take_out(struct rules *rules)
{
	while (rules->flows_cnt > 0)
		destroy(rules, rules->flows[--rules->flows_cnt]);
}

static bool put_in(
	struct rules *rules, const struct rules_options *options, struct rte_flow_error *error)
{
	size_t cnt = static_cnt(options);

	for (size_t i = 0; i < cnt; i++) {
		struct want want = static_rule(options, i);

		if (!validate(rules, &want, options, error))
			return false;
	}
	for (size_t i = 0; i < cnt; i++) {
		struct want want = static_rule(options, i);
		struct rte_flow *flow = create(rules, &want, options, error);

		if (!flow)
			return false;
		rules->flows[rules->flows_cnt++] = flow;
	}
	return true;
}

/* ---- connections ---- */

static struct want shed_rule(const struct shed *shed, bool back)
{
	return (struct want){ .priority = PRIORITY_SHED,
		.v6 = !et_addr_is_v4(&shed->src),
		.protocol = IPPROTO_TCP,
		.src = back ? &shed->dst : &shed->src,
		.dst = back ? &shed->src : &shed->dst,
		.src_port = back ? shed->dst_port : shed->src_port,
		.dst_port = back ? shed->src_port : shed->dst_port };
}

/* Asks with an example of each version, so that a port that never takes any is not tried again. */
static bool takes_sheds(struct rules *rules, struct rte_flow_error *error)
{
	static const struct shed examples[] = {
		{ .src = { .b = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 } },
			.dst = { .b = { [10] = 0xff,
					 [11] = 0xff,
					 [12] = 192,
					 [14] = 2,
					 [15] = 2 } },
			.src_port = 40000,
			.dst_port = 25 },
		{ .src = { .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
			.dst = { .b = { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
			.src_port = 40000,
			.dst_port = 25 },
	};

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		struct want want = shed_rule(&examples[i], false);

		if (!validate(rules, &want, &rules->options, error))
			return false;
	}
	return true;
}

static bool is_same(const struct shed *shed, const struct et_segment *segment)
{
	bool there = shed->src_port == segment->src_port && shed->dst_port == segment->dst_port &&
		     !et_addr_cmp(&shed->src, &segment->src) &&
		     !et_addr_cmp(&shed->dst, &segment->dst);

	return there ||
	       (shed->src_port == segment->dst_port && shed->dst_port == segment->src_port &&
		       !et_addr_cmp(&shed->src, &segment->dst) &&
		       !et_addr_cmp(&shed->dst, &segment->src));
}

/* The connection's entry, or a free one; there is one. */
static struct shed *find(struct rules *rules, const struct et_segment *segment)
{
	struct shed *free_one = NULL;

	for (unsigned i = 0; i < RULES_SHED_MAX; i++) {
		struct shed *shed = &rules->sheds[i];

		if (!shed->flows[0])
			free_one = shed;
		else if (is_same(shed, segment))
			return shed;
	}
	return free_one;
}

static bool install(struct rules *rules, struct shed *shed)
{
	struct rte_flow_error error;

	for (unsigned i = 0; i < 2; i++) {
		struct want want = shed_rule(shed, i == 1);

		shed->flows[i] = create(rules, &want, &rules->options, &error);
		if (shed->flows[i])
			continue;
		if (!rules->shed_told)
			tell(rules, "drop one more decided connection",
				"software passes over its frames", &error);
		rules->shed_told = true;
		if (i == 1)
			destroy(rules, shed->flows[0]);
		shed->flows[0] = NULL;
		return false;
	}
	rules->shed_cnt++;
	return true;
}

bool rules_shed(
	struct rules *rules, const struct et_segment *segment, unsigned seconds, int64_t now_ns)
{
	int64_t due_ns = now_ns + (int64_t)seconds * 1000000000;
	struct shed *shed;

	if (rules->sheds_refused || segment->inner || rules->shed_cnt == RULES_SHED_MAX)
		return false;
	shed = find(rules, segment);
	if (shed->flows[0]) {
		shed->due_ns = RTE_MAX(shed->due_ns, due_ns);
		return true;
	}
	*shed = (struct shed){ .src = segment->src,
		.dst = segment->dst,
		.src_port = segment->src_port,
		.dst_port = segment->dst_port,
		.due_ns = due_ns };
	return install(rules, shed);
}

static void unshed(struct rules *rules, struct shed *shed)
{
	destroy(rules, shed->flows[0]);
	destroy(rules, shed->flows[1]);
	shed->flows[0] = NULL;
	rules->shed_cnt--;
}

void rules_age(struct rules *rules, int64_t now_ns)
{
	unsigned aged = 0;

	for (unsigned i = 0; i < RULES_SHED_MAX && rules->shed_cnt > 0 && aged < AGED_MAX; i++) {
		struct shed *shed = &rules->sheds[rules->shed_next];

		rules->shed_next = (rules->shed_next + 1) % RULES_SHED_MAX;
		if (shed->flows[0] && shed->due_ns <= now_ns) {
			unshed(rules, shed);
			aged++;
		}
	}
}

/* ---- the whole ---- */

struct rules *rules_new(const struct rules_options *given)
{
	struct rules *rules = calloc(1, sizeof(*rules));
	struct rules_options options = *given;
	struct rte_flow_error error;

	if (!rules)
		return NULL;
	if (!options.calls)
		options.calls = &rte_flow_calls;
	rules->options = options;
	rules->options.rss_key = NULL;
	rules->options.mail_ports = NULL;
	rules->flows = calloc(static_cnt(&options) + 1, sizeof(struct rte_flow *));
	rules->sheds = calloc(RULES_SHED_MAX, sizeof(*rules->sheds));
	if (!rules->flows || !rules->sheds) {
		free(rules->flows);
		free(rules->sheds);
		free(rules);
		return NULL;
	}
	if (!put_in(rules, &options, &error)) {
		tell(rules, "keep other traffic off the queues", "software drops it", &error);
		take_out(rules);
	}
	rules->sheds_refused = !takes_sheds(rules, &error);
	if (rules->sheds_refused)
		tell(rules, "drop decided connections", "software passes over their frames",
			&error);
	return rules;
}

void rules_free(struct rules *rules)
{
	if (!rules)
		return;
	for (unsigned i = 0; rules->shed_cnt > 0 && i < RULES_SHED_MAX; i++) {
		if (rules->sheds[i].flows[0])
			unshed(rules, &rules->sheds[i]);
	}
	take_out(rules);
	free(rules->flows);
	free(rules->sheds);
	free(rules);
}

void rules_counts(struct rules_counts *out, const struct rules *rules)
{
	*out = (struct rules_counts){ .static_rules = (unsigned)rules->flows_cnt,
		.shed = rules->shed_cnt,
		.refused = rules->refused };
}
