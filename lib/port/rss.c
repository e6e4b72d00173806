/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * RSS that brings both directions of a flow to one queue. The NICs' hash is Toeplitz's: bit i of
 * the input, when set, adds the 32 bits of the key that begin at bit i. With a key that repeats
 * every 16 bits, fields that change places by a multiple of 16 bits add the same: addresses (32 or
 * 128 bits) and ports (16). 0x6d5a is a pattern whose 16 rotations still tell addresses apart.
 */

#include <errno.h>
#include <string.h>

#include <rte_thash.h>

#include "port_parts.h"

#define KEY_HIGH 0x6d
#define KEY_LOW  0x5a
#define KEY_LEN  40 /* of most NICs: enough for two IPv6 addresses and ports */

#define TYPES_V4 (RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP)
#define TYPES_V6                                                                   \
	(RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_TCP | \
		RTE_ETH_RSS_IPV6_EX | RTE_ETH_RSS_IPV6_TCP_EX)

static uint64_t usable_types(const struct rte_eth_dev_info *info)
{
	uint64_t types = info->flow_type_rss_offloads & (TYPES_V4 | TYPES_V6);

	/* without one of the versions its flows would all come to one queue */
	return types & TYPES_V4 && types & TYPES_V6 ? types : 0;
}

unsigned port_rss_most(const struct port *port, const struct rte_eth_dev_info *info)
{
	/* PACKET_FANOUT_HASH takes the kernel's symmetric hash */
	if (!strcmp(port->last.driver, "net_af_packet"))
		return info->max_rx_queues;
	if (port->all_queues || !usable_types(info) || info->hash_key_size > PORT_KEY_MAX)
		return 1;
	return info->max_rx_queues;
}

void port_rss_plan(struct port *port, const struct rte_eth_dev_info *info, unsigned queues)
{
	struct port_spread *spread = &port->spread;

	memset(spread, 0, sizeof(*spread));
	if (queues < 2 || port_rss_most(port, info) < queues)
		return;
	if (port->all_queues) {
		spread->kind = PORT_SPREAD_KERNEL;
		return;
	}
	spread->kind = PORT_SPREAD_RSS;
	spread->types = usable_types(info);
	spread->key_len = info->hash_key_size ? info->hash_key_size : KEY_LEN;
	for (unsigned i = 0; i < sizeof(spread->key); i++)
		spread->key[i] = i % 2 ? KEY_LOW : KEY_HIGH;
}

/* Whether the port hashes with our key, by what it says or by its taking it a second time. */
static bool key_holds(struct port *port)
{
	struct port_spread *spread = &port->spread;
	uint8_t key[PORT_KEY_MAX] = { 0 };
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = (uint8_t)spread->key_len };
	struct rte_eth_rss_conf ours = { .rss_key = spread->key,
		.rss_key_len = (uint8_t)spread->key_len,
		.rss_hf = spread->types };
	int ret = rte_eth_dev_rss_hash_conf_get(port->id, &conf);

	if (!ret && memcmp(key, spread->key, spread->key_len) != 0) {
		if (rte_eth_dev_rss_hash_update(port->id, &ours))
			return false;
		ret = rte_eth_dev_rss_hash_conf_get(port->id, &conf);
	}
	if (ret)
		return !rte_eth_dev_rss_hash_update(port->id, &ours);
	if (conf.rss_hf & spread->types)
		spread->types &= conf.rss_hf;
	return !memcmp(key, spread->key, spread->key_len);
}

/* Fills the table in turn and reads it again; what cannot be known stays unknown. */
static void settle_reta(struct port *port, unsigned cnt)
{
	struct rte_eth_rss_reta_entry64 table[PORT_RETA_MAX / RTE_ETH_RETA_GROUP_SIZE] = { 0 };
	struct port_spread *spread = &port->spread;
	bool set;

	if (!cnt || cnt > PORT_RETA_MAX)
		return;
	for (unsigned i = 0; i < cnt; i++) {
		struct rte_eth_rss_reta_entry64 *group = &table[i / RTE_ETH_RETA_GROUP_SIZE];

		group->mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
		group->reta[i % RTE_ETH_RETA_GROUP_SIZE] = (uint16_t)(i % port->queues);
	}
	set = !rte_eth_dev_rss_reta_update(port->id, table, (uint16_t)cnt);
	if (rte_eth_dev_rss_reta_query(port->id, table, (uint16_t)cnt) && !set)
		return;
	for (unsigned i = 0; i < cnt; i++) {
		spread->reta[i] =
			table[i / RTE_ETH_RETA_GROUP_SIZE].reta[i % RTE_ETH_RETA_GROUP_SIZE];
		if (spread->reta[i] >= port->queues)
			return;
	}
	spread->reta_cnt = cnt;
}

bool port_rss_settle(struct port *port, const struct rte_eth_dev_info *info)
{
	bool holds = true;

	if (port->spread.kind != PORT_SPREAD_RSS)
		return true;
	port_log_mute(true);
	holds = key_holds(port);
	if (holds)
		settle_reta(port, info->reta_size);
	port_log_mute(false);
	return holds;
}

bool port_rss_same(const struct port *a, const struct port *b)
{
	const struct port_spread *x = &a->spread, *y = &b->spread;

	return x->kind == y->kind && a->queues == b->queues && x->types == y->types &&
	       x->reta_cnt == y->reta_cnt &&
	       !memcmp(x->reta, y->reta, x->reta_cnt * sizeof(x->reta[0]));
}

static uint32_t load_be(const uint8_t b[4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

int et_port_queue_of(const struct et_port_set *set, const struct et_segment *segment)
{
	const struct port_spread *spread = &set->ports[0].spread;
	bool v4 = et_addr_is_v4(&segment->src);
	uint64_t by_ports = v4 ? RTE_ETH_RSS_NONFRAG_IPV4_TCP : RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	uint32_t input[9], words = 0;

	if (!set->symmetric)
		return -1;
	if (set->queues == 1)
		return 0;
	if (spread->kind != PORT_SPREAD_RSS || !spread->reta_cnt)
		return -1;
	for (unsigned i = v4 ? 12 : 0; i < 16; i += 4)
		input[words++] = load_be(segment->src.b + i);
	for (unsigned i = v4 ? 12 : 0; i < 16; i += 4)
		input[words++] = load_be(segment->dst.b + i);
	if (spread->types & by_ports)
		input[words++] = (uint32_t)segment->src_port << 16 | segment->dst_port;
	return spread->reta[rte_softrss(input, words, spread->key) % spread->reta_cnt];
}
