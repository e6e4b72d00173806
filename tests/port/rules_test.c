/* SPDX-License-Identifier: BSD-3-Clause */
/* Are the rules those that were meant, all or none, and is what a driver refuses told once? */
#include "rules.h"
#include "test_eal.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_flow.h>

#define SECOND 1000000000ll

/* ---- a port that takes rules, and writes them down ---- */

#define RULES_MAX 20000

static struct {
	char *texts[RULES_MAX]; /* NULL: destroyed */
	unsigned created, destroyed, validated;
	unsigned refuse_validate, refuse_create; /* the call that fails, from 1; 0: none */
	unsigned sentences;
	char sentence[512];
} port;

static void add(char text[static 512], const char *word)
{
	size_t n = strlen(text);

	snprintf(text + n, 512 - n, "%s%s", n ? " " : "", word);
}

static void add_addr(
	char text[static 512], int family, const void *addr, const void *mask, size_t n)
{
	static const uint8_t all[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t none[16];
	char word[64] = "bad mask";

	if (!memcmp(mask, none, n))
		strcpy(word, "*");
	else if (!memcmp(mask, all, n))
		inet_ntop(family, addr, word, sizeof(word));
	add(text, word);
}

static void add_port(char text[static 512], rte_be16_t value, rte_be16_t mask)
{
	char word[16];

	snprintf(word, sizeof(word), "%u", (unsigned)rte_be_to_cpu_16(value));
	add(text, mask == 0 ? "*" : mask == 0xffff ? word : "bad mask");
}

static void add_item(char text[static 512], const struct rte_flow_item *item)
{
	const struct rte_flow_item_ipv4 *v4 = item->spec, *v4_mask = item->mask;
	const struct rte_flow_item_ipv6 *v6 = item->spec, *v6_mask = item->mask;
	const struct rte_flow_item_tcp *tcp = item->spec, *tcp_mask = item->mask;
	const struct rte_flow_item_udp *udp = item->spec, *udp_mask = item->mask;
	static const char *const names[] = { [RTE_FLOW_ITEM_TYPE_ETH] = "eth",
		[RTE_FLOW_ITEM_TYPE_IPV4] = "ipv4",
		[RTE_FLOW_ITEM_TYPE_IPV6] = "ipv6",
		[RTE_FLOW_ITEM_TYPE_UDP] = "udp",
		[RTE_FLOW_ITEM_TYPE_TCP] = "tcp" };

	add(text, names[item->type]);
	if (!item->spec || !item->mask || item->last) {
		if (item->spec || item->mask || item->last)
			add(text, "half an item");
		return;
	}
	if (item->type == RTE_FLOW_ITEM_TYPE_IPV4) {
		add_addr(text, AF_INET, &v4->hdr.src_addr, &v4_mask->hdr.src_addr, 4);
		add_addr(text, AF_INET, &v4->hdr.dst_addr, &v4_mask->hdr.dst_addr, 4);
		if (v4_mask->hdr.fragment_offset == RTE_BE16(0x3fff) && !v4->hdr.fragment_offset)
			add(text, "whole");
	} else if (item->type == RTE_FLOW_ITEM_TYPE_IPV6) {
		add_addr(text, AF_INET6, &v6->hdr.src_addr, &v6_mask->hdr.src_addr, 16);
		add_addr(text, AF_INET6, &v6->hdr.dst_addr, &v6_mask->hdr.dst_addr, 16);
		if (v6_mask->has_frag_ext && !v6->has_frag_ext)
			add(text, "whole");
	} else if (item->type == RTE_FLOW_ITEM_TYPE_TCP) {
		add_port(text, tcp->hdr.src_port, tcp_mask->hdr.src_port);
		add_port(text, tcp->hdr.dst_port, tcp_mask->hdr.dst_port);
	} else if (item->type == RTE_FLOW_ITEM_TYPE_UDP) {
		add_port(text, udp->hdr.src_port, udp_mask->hdr.src_port);
		add_port(text, udp->hdr.dst_port, udp_mask->hdr.dst_port);
	}
}

static void add_action(char text[static 512], const struct rte_flow_action *action)
{
	const struct rte_flow_action_queue *queue = action->conf;
	const struct rte_flow_action_rss *rss = action->conf;
	char word[100] = "?";

	if (action->type == RTE_FLOW_ACTION_TYPE_DROP)
		strcpy(word, "drop");
	else if (action->type == RTE_FLOW_ACTION_TYPE_QUEUE)
		snprintf(word, sizeof(word), "queue %u", (unsigned)queue->index);
	else if (action->type == RTE_FLOW_ACTION_TYPE_RSS)
		snprintf(word, sizeof(word), "rss %u..%u types %llx key %u of %u", rss->queue[0],
			rss->queue[rss->queue_num - 1], (unsigned long long)rss->types, rss->key[0],
			rss->key_len);
	add(text, word);
}

static char *render(const struct rte_flow_attr *attr, const struct rte_flow_item *items,
	const struct rte_flow_action *actions)
{
	static char text[512];

	snprintf(text, sizeof(text), "%u", attr->priority);
	if (!attr->ingress || attr->egress || attr->transfer || attr->group)
		add(text, "bad attributes");
	for (; items->type != RTE_FLOW_ITEM_TYPE_END; items++)
		add_item(text, items);
	add(text, ":");
	for (; actions->type != RTE_FLOW_ACTION_TYPE_END; actions++)
		add_action(text, actions);
	return text;
}

static int fake_validate(uint16_t id, const struct rte_flow_attr *attr,
	const struct rte_flow_item *items, const struct rte_flow_action *actions,
	struct rte_flow_error *error)
{
	(void)id;
	render(attr, items, actions);
	if (++port.validated != port.refuse_validate)
		return 0;
	error->message = "no such match";
	return -ENOTSUP;
}

static struct rte_flow *fake_create(uint16_t id, const struct rte_flow_attr *attr,
	const struct rte_flow_item *items, const struct rte_flow_action *actions,
	struct rte_flow_error *error)
{
	(void)id;
	if (port.created + 1 == port.refuse_create || port.created == RULES_MAX) {
		port.refuse_create = 0;
		error->message = "no room";
		return NULL;
	}
	port.texts[port.created] = strdup(render(attr, items, actions));
	return (struct rte_flow *)&port.texts[port.created++];
}

static int fake_destroy(uint16_t id, struct rte_flow *flow, struct rte_flow_error *error)
{
	char **text = (char **)flow;

	(void)id;
	(void)error;
	CU_ASSERT_PTR_NOT_NULL_FATAL(*text); /* not twice */
	free(*text);
	*text = NULL;
	port.destroyed++;
	return 0;
}

static const struct rules_calls fake = { fake_validate, fake_create, fake_destroy };

static void say(void *ctx, const char *sentence)
{
	(void)ctx;
	port.sentences++;
	snprintf(port.sentence, sizeof(port.sentence), "%s", sentence);
}

static struct rules_options options(unsigned queues, uint64_t types, size_t mail_ports)
{
	static const uint16_t mail[] = { 25, 993 };
	static const uint8_t key[40] = { 0x6d };

	memset(&port, 0, sizeof(port));
	return (struct rules_options){ .queues = queues,
		.rss_key = key,
		.rss_key_len = sizeof(key),
		.rss_types = types,
		.mail_ports = mail,
		.mail_ports_cnt = mail_ports,
		.say = say,
		.calls = &fake };
}

static unsigned installed(void)
{
	return port.created - port.destroyed;
}

/* ---- what is asked of it ---- */

static const char *const expected[] = { "1 eth ipv4 tcp * 25 : KEEP", "1 eth ipv6 tcp * 25 : KEEP",
	"1 eth ipv4 tcp 25 * : KEEP", "1 eth ipv6 tcp 25 * : KEEP", "1 eth ipv4 tcp * 993 : KEEP",
	"1 eth ipv6 tcp * 993 : KEEP", "1 eth ipv4 tcp 993 * : KEEP", "1 eth ipv6 tcp 993 * : KEEP",
	"1 eth ipv4 udp * 4789 : KEEP", "1 eth ipv6 udp * 4789 : KEEP",
	"1 eth ipv4 udp * 4790 : KEEP", "1 eth ipv6 udp * 4790 : KEEP",
	"1 eth ipv4 udp * 6081 : KEEP", "1 eth ipv6 udp * 6081 : KEEP",
	"1 eth ipv4 udp * 8472 : KEEP", "1 eth ipv6 udp * 8472 : KEEP",
	"2 eth ipv4 * * whole tcp : drop", "2 eth ipv6 * * whole tcp : drop",
	"2 eth ipv4 * * whole udp : drop", "2 eth ipv6 * * whole udp : drop" };
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static void check_static(unsigned queues, uint64_t types, const char *keep)
{
	struct rules_options o = options(queues, types, 2);
	struct rules *rules = rules_new(&o);
	struct rules_counts counts;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	CU_ASSERT_EQUAL_FATAL(port.created, EXPECTED);
	for (size_t i = 0; i < EXPECTED; i++) {
		const char *mark = strstr(expected[i], "KEEP");
		char text[512];

		snprintf(text, sizeof(text), "%.*s%s",
			(int)(mark ? mark - expected[i] : (long)strlen(expected[i])), expected[i],
			mark ? keep : "");
		if (strcmp(text, port.texts[i]) != 0) {
			fprintf(stderr, "%s\nis not %s\n", port.texts[i], text);
			CU_FAIL("see above");
		}
	}
	rules_counts(&counts, rules);
	CU_ASSERT_EQUAL(counts.static_rules, EXPECTED);
	CU_ASSERT_EQUAL(counts.refused, 0);
	CU_ASSERT_EQUAL(port.sentences, 0);
	rules_free(rules);
	CU_ASSERT_EQUAL(installed(), 0);
}

static void test_static(void)
{
	check_static(4, 0x1234, "rss 0..3 types 1234 key 109 of 40");
	check_static(1000, 0x1, "rss 0..127 types 1 key 109 of 40");
	check_static(1, 0x1234, "queue 0");
	check_static(4, 0, "queue 0");
}

/* Refused at any point: nothing stays, one sentence, and connections are dropped nevertheless. */
static void test_refused(void)
{
	for (unsigned i = 1; i <= 2 * EXPECTED; i++) {
		struct rules_options o = options(2, 1, 2);
		struct rules_counts counts;
		struct rules *rules;

		*(i <= EXPECTED ? &port.refuse_validate : &port.refuse_create) =
			i <= EXPECTED ? i : i - (unsigned)EXPECTED;
		rules = rules_new(&o);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
		CU_ASSERT_EQUAL(installed(), 0);
		CU_ASSERT_EQUAL(port.created, i <= EXPECTED ? 0 : i - EXPECTED - 1);
		CU_ASSERT_EQUAL(port.sentences, 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(port.sentence, "port "));
		CU_ASSERT_PTR_NOT_NULL(
			strstr(port.sentence, i <= EXPECTED ? "(no such match)" : "(no room)"));
		rules_counts(&counts, rules);
		CU_ASSERT_EQUAL(counts.static_rules, 0);
		CU_ASSERT_EQUAL(counts.refused, 1);
		CU_ASSERT(rules_shed(rules, &(struct et_segment){ .src_port = 1 }, 1, 0));
		rules_free(rules);
		CU_ASSERT_EQUAL(installed(), 0);
	}
}

static struct et_segment segment(uint32_t n, bool v6)
{
	struct et_segment s = { .src_port = 40000, .dst_port = 25 };

	s.src = et_addr_v4((const uint8_t[]){ 10, 0, (uint8_t)(n >> 8), (uint8_t)n });
	s.dst = et_addr_v4((const uint8_t[]){ 10, 9, 0, 1 });
	if (v6)
		s.src.b[0] = s.dst.b[0] = 0xfd;
	return s;
}

static struct et_segment back(struct et_segment s)
{
	return (struct et_segment){ .src = s.dst, .dst = s.src, .src_port = 25, .dst_port = 40000 };
}

static void test_shed(void)
{
	struct rules_options o = options(2, 1, 0);
	struct rules *rules = rules_new(&o);
	struct et_segment v4 = segment(1, false), v6 = segment(2, true), v4_back = back(v4);
	struct et_segment inner = segment(3, false);
	struct rules_counts counts;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	CU_ASSERT_EQUAL_FATAL(port.created, 0); /* no mail port: nothing is kept off */
	CU_ASSERT(rules_shed(rules, &v4, 10, 0));
	CU_ASSERT(rules_shed(rules, &v6, 20, 0));
	CU_ASSERT_EQUAL_FATAL(port.created, 4);
	CU_ASSERT_STRING_EQUAL(port.texts[0], "0 eth ipv4 10.0.0.1 10.9.0.1 tcp 40000 25 : drop");
	CU_ASSERT_STRING_EQUAL(port.texts[1], "0 eth ipv4 10.9.0.1 10.0.0.1 tcp 25 40000 : drop");
	CU_ASSERT_STRING_EQUAL(
		port.texts[2], "0 eth ipv6 fd00::ffff:a00:2 fd00::ffff:a09:1 tcp 40000 25 : drop");
	CU_ASSERT_STRING_EQUAL(
		port.texts[3], "0 eth ipv6 fd00::ffff:a09:1 fd00::ffff:a00:2 tcp 25 40000 : drop");
	inner.inner = 1;
	CU_ASSERT(!rules_shed(rules, &inner, 10, 0));
	CU_ASSERT(rules_shed(rules, &v4_back, 30, 0)); /* the same one, for longer */
	CU_ASSERT_EQUAL(port.created, 4);
	rules_age(rules, 20 * SECOND - 1);
	CU_ASSERT_EQUAL(port.destroyed, 0);
	rules_age(rules, 20 * SECOND);
	CU_ASSERT_EQUAL(port.destroyed, 2);
	CU_ASSERT_PTR_NULL(port.texts[2]);
	rules_age(rules, 30 * SECOND);
	CU_ASSERT_EQUAL(port.destroyed, 4);
	rules_counts(&counts, rules);
	CU_ASSERT_EQUAL(counts.shed + counts.refused + port.sentences, 0);
	rules_free(rules);
}

/* The table fills, empties in portions, and takes connections again. */
static void test_shed_full(void)
{
	struct rules_options o = options(2, 1, 1);
	struct rules *rules = rules_new(&o);
	struct rules_counts counts;
	unsigned before, calls = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	before = installed();
	for (uint32_t i = 0; i < RULES_SHED_MAX + 10; i++) {
		struct et_segment s = segment(i, i & 1);

		if (rules_shed(rules, &s, 5, i) != (i < RULES_SHED_MAX))
			CU_FAIL("taken beyond the table");
	}
	rules_counts(&counts, rules);
	CU_ASSERT_EQUAL(counts.shed, RULES_SHED_MAX);
	CU_ASSERT_EQUAL(installed(), before + 2 * RULES_SHED_MAX);
	for (; counts.shed > 0 && calls < 1000; calls++) {
		unsigned was = installed();

		rules_age(rules, 6 * SECOND);
		CU_ASSERT(was - installed() <= 256);
		rules_counts(&counts, rules);
	}
	CU_ASSERT(calls < 100);
	CU_ASSERT_EQUAL(installed(), before);
	CU_ASSERT(rules_shed(rules, &(struct et_segment){ .src_port = 1 }, 5, 0));
	rules_free(rules); /* with one in it */
	CU_ASSERT_EQUAL(installed(), 0);
}

/* Either direction refused: the other one goes too; told once. Refused from the start: not tried. */
static void test_shed_refused(void)
{
	struct rules_options o = options(2, 1, 0);
	struct rules *rules = rules_new(&o);
	struct et_segment s = segment(1, false);
	struct rules_counts counts;

	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	for (unsigned i = 1; i <= 2; i++) {
		port.refuse_create = port.created + i;
		CU_ASSERT(!rules_shed(rules, &s, 5, 0));
		CU_ASSERT_EQUAL(installed(), 0);
		CU_ASSERT_EQUAL(port.sentences, 1);
	}
	CU_ASSERT(rules_shed(rules, &s, 5, 0));
	rules_counts(&counts, rules);
	CU_ASSERT_EQUAL(counts.refused, 2);
	rules_free(rules);
	for (unsigned i = 1; i <= 2; i++) {
		o = options(2, 1, 0);
		port.refuse_validate = i;
		rules = rules_new(&o);
		CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
		CU_ASSERT(!rules_shed(rules, &s, 5, 0));
		CU_ASSERT_EQUAL(port.sentences, 1);
		CU_ASSERT_EQUAL(port.created, 0);
		rules_free(rules);
	}
}

/* A driver without rte_flow: DPDK's own answer comes through. */
static void test_driver(void)
{
	struct rules_options o = options(1, 0, 2);
	struct et_segment s = segment(1, false);
	struct rules_counts counts;
	struct rules *rules;

	o.calls = NULL;
	rules = rules_new(&o);
	CU_ASSERT_PTR_NOT_NULL_FATAL(rules);
	CU_ASSERT_EQUAL(port.sentences, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(port.sentence, "port net_null0 takes no flow rules"));
	CU_ASSERT(!rules_shed(rules, &s, 5, 0));
	rules_age(rules, 10 * SECOND);
	rules_counts(&counts, rules);
	CU_ASSERT_EQUAL(counts.static_rules + counts.shed, 0);
	CU_ASSERT_EQUAL(counts.refused, 2);
	rules_free(rules);
}

int main(void)
{
	static char vdev[] = "--vdev=net_null0";
	CU_TestInfo tests[] = { { "rules that stay", test_static }, { "refused", test_refused },
		{ "connections", test_shed }, { "connections, full", test_shed_full },
		{ "connections, refused", test_shed_refused }, { "driver", test_driver },
		CU_TEST_INFO_NULL };

	return test_eal(vdev) ? unit_run("rules", tests) : 2;
}
