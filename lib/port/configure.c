/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One port, from what it can do to running. Nothing is asked of a driver that it does not offer;
 * what is missing and matters is said.
 */

#include <errno.h>
#include <string.h>

#include <rte_errno.h>

#include "port_parts.h"

#define RX_DESCRIPTORS 1024U /* at least, where the driver allows */
#define POOL_SPARE     2048  /* mbufs of a queue that are on their way: bursts, lanes, fragments */
#define POOL_CACHE     256
#define MBUF_BYTES     2048
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 2 * RTE_VLAN_HLEN)

/* Drivers whose frames come to every queue that their arguments made, asked for or not. */
static const char *const all_queues_drivers[] = { "net_af_packet", "net_pcap", "net_ring",
	"net_af_xdp", "net_vhost" };
/* Of them, those whose queues hold no mbufs: a pool for the readers is enough. */
static const char *const copying_drivers[] = { "net_af_packet", "net_pcap", "net_ring" };
/* Drivers that do not notice what becomes of the kernel's interface behind them. */
static const char *const interface_drivers[] = { "net_af_packet", "net_pcap", "net_af_xdp",
	"net_tap" };

static bool is_one_of(const char *name, const char *const *names, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

int port_look(char error[static ET_PORT_ERROR], struct rte_eth_dev_info *info, struct port *port)
{
	struct et_port_counts *last = &port->last;
	int ret;

	if (rte_eth_dev_get_name_by_port(port->id, last->name))
		snprintf(last->name, sizeof(last->name), "%u", port->id);
	ret = rte_eth_dev_info_get(port->id, info);
	if (ret) {
		snprintf(error, ET_PORT_ERROR, "Port %s does not say what it can do: %s.",
			last->name, strerror(-ret));
		return ret;
	}
	snprintf(last->driver, sizeof(last->driver), "%s", info->driver_name);
	last->present = true;
	port->numa = rte_eth_dev_socket_id(port->id);
	port->all_queues = is_one_of(last->driver, all_queues_drivers, RTE_DIM(all_queues_drivers));
	if (is_one_of(last->driver, interface_drivers, RTE_DIM(interface_drivers)))
		port->if_index = info->if_index;
	return 0;
}

/* Data room of an mbuf without its headroom. */
static unsigned room_of(const struct rte_eth_dev_info *info, const struct et_port_options *options)
{
	unsigned room = options->mbuf_bytes ? options->mbuf_bytes : MBUF_BYTES;

	room = RTE_MAX(room, RTE_MIN(info->min_rx_bufsize, (uint32_t)UINT16_MAX));
	return RTE_MIN(room, (unsigned)(UINT16_MAX - RTE_PKTMBUF_HEADROOM));
}

static struct rte_eth_conf conf_of(struct port *port, const struct et_port_set *set,
	const struct rte_eth_dev_info *info, const struct et_port_options *options)
{
	unsigned mtu = options->mtu ? options->mtu : RTE_ETHER_MTU;
	struct rte_eth_conf conf = { .rxmode = { .mtu = options->mtu } };

	if (port->spread.kind == PORT_SPREAD_RSS) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf = (struct rte_eth_rss_conf){ .rss_key = port->spread.key,
			.rss_key_len = (uint8_t)port->spread.key_len,
			.rss_hf = port->spread.types };
	}
	if (room_of(info, options) < mtu + FRAME_OVERHEAD) {
		conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
		if (!conf.rxmode.offloads && strcmp(port->last.driver, "net_pcap") != 0)
			port_say(set,
				"Port %s (%s) cannot spread a frame over several mbufs: frames of "
				"more than %u bytes may be lost; give larger mbufs.",
				port->last.name, port->last.driver, room_of(info, options));
	}
	if (options->hardware_stamps)
		conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	conf.intr_conf.lsc = (*info->dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
	conf.intr_conf.rmv = (*info->dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	conf.intr_conf.rxq = options->wait;
	return conf;
}

static int refuse(char error[static ET_PORT_ERROR], const struct port *port, int ret)
{
	const char *complaint = port_complaint();

	snprintf(error, ET_PORT_ERROR, "Port %s (%s) does not start: %s.", port->last.name,
		port->last.driver, complaint[0] ? complaint : strerror(-ret));
	return ret;
}

/*
 * Nothing is sent, but some drivers want a TX queue, and some as many as there are for RX. RX
 * interrupts are asked for without knowing, since no ability tells, and given up when refused.
 */
static int configure(unsigned *tx_queues, const struct port *port, struct rte_eth_conf *conf)
{
	/* net_memif takes none and then gets no link from a peer that sends */
	const unsigned least = !strcmp(port->last.driver, "net_memif");
	const unsigned tries[] = { least, 1, port->queues };
	int ret = 0;

	port_log_mute(true);
	for (unsigned round = 0; round < 2; round++) {
		for (size_t i = 0; i < RTE_DIM(tries); i++) {
			*tx_queues = tries[i];
			ret = rte_eth_dev_configure(
				port->id, port->queues, (uint16_t)tries[i], conf);
			if (!ret)
				break;
		}
		if (!ret || !conf->intr_conf.rxq)
			break;
		conf->intr_conf.rxq = 0;
	}
	port_log_mute(false);
	return ret;
}

static int make_pool(char error[static ET_PORT_ERROR], struct port *port,
	const struct et_port_set *set, unsigned descriptors, unsigned room,
	const struct et_port_options *options)
{
	unsigned queues = is_one_of(port->last.driver, copying_drivers, RTE_DIM(copying_drivers))
				  ? set->queues
				  : port->queues;
	unsigned wanted = queues * (descriptors + POOL_SPARE);
	unsigned cnt = options->mbufs ? options->mbufs : rte_align32pow2(wanted + 1) - 1;
	unsigned cache = RTE_MIN(cnt / 4, (unsigned)POOL_CACHE);
	uint16_t private_len =
		(uint16_t)RTE_ALIGN_CEIL(options->private_bytes, (unsigned)ET_CACHE_LINE);
	uint16_t data_room = (uint16_t)(room + RTE_PKTMBUF_HEADROOM);
	unsigned per_mbuf = (unsigned)sizeof(struct rte_mbuf) + private_len + data_room;
	char name[RTE_MEMPOOL_NAMESIZE];

	if (port->pool) /* of a start before; its buffers may still be in the driver's hands */
		return 0;
	snprintf(name, sizeof(name), "port%u", port->id);
	port->pool = rte_pktmbuf_pool_create(name, cnt, cache, private_len, data_room, port->numa);
	if (!port->pool && port->numa != SOCKET_ID_ANY) /* the far node is better than none */
		port->pool = rte_pktmbuf_pool_create(
			name, cnt, cache, private_len, data_room, SOCKET_ID_ANY);
	if (port->pool)
		return 0;
	snprintf(error, ET_PORT_ERROR,
		"No memory for %u packet buffers of port %s (%u MiB); reserve more hugepages, or "
		"with "
		"--no-huge give more by -m (it is 64 MiB without), or ask for fewer buffers.",
		cnt, port->last.name, (unsigned)((uint64_t)cnt * per_mbuf >> 20) + 1);
	return -ENOMEM;
}

static int set_up_queues(const struct port *port, const struct rte_eth_dev_info *info, uint16_t rx,
	uint16_t tx, unsigned tx_queues)
{
	int ret = 0;

	for (uint16_t q = 0; q < port->queues && !ret; q++)
		ret = rte_eth_rx_queue_setup(
			port->id, q, rx, (unsigned)port->numa, &info->default_rxconf, port->pool);
	for (uint16_t q = 0; q < tx_queues && !ret; q++)
		ret = rte_eth_tx_queue_setup(
			port->id, q, tx, (unsigned)port->numa, &info->default_txconf);
	return ret;
}

/* Some drivers' interrupts need no arming (net_tap's): a file to wait for is enough. */
static bool can_wait(const struct port *port)
{
	int ret = rte_eth_dev_rx_intr_enable(port->id, 0);

	if (!ret)
		rte_eth_dev_rx_intr_disable(port->id, 0);
	return !ret || (ret == -ENOTSUP && rte_eth_dev_rx_intr_ctl_q_get_fd(port->id, 0) >= 0);
}

/* After the start: what is nice to have. */
static void finish(struct port *port, const struct et_port_set *set,
	const struct rte_eth_conf *conf, const struct et_port_options *options)
{
	int ret;

	port_log_mute(true);
	if (options->promiscuous) {
		ret = rte_eth_promiscuous_enable(port->id);
		if (ret && ret != -ENOTSUP)
			port_say(set,
				"Port %s does not become promiscuous (%s): frames for other "
				"addresses are not seen.",
				port->last.name, strerror(-ret));
		rte_eth_allmulticast_enable(port->id);
	}
	port->can_wait = conf->intr_conf.rxq && can_wait(port);
	port_log_mute(false);
	if (options->wait && !port->can_wait)
		port_say(set, "Port %s (%s) has no RX interrupts: its readers cannot sleep.",
			port->last.name, port->last.driver);
	if (!strcmp(port->last.driver, "net_pcap"))
		port->stamp = PORT_STAMP_MICROSECONDS;
	else if (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP && port_clock_start(port))
		port->stamp = PORT_STAMP_TICKS;
	else if (options->hardware_stamps)
		port_say(set,
			"Port %s (%s) gives no time stamps that can be read: the host's clock is "
			"used.",
			port->last.name, port->last.driver);
}

int port_start(char error[static ET_PORT_ERROR], struct port *port, const struct et_port_set *set,
	const struct rte_eth_dev_info *info, const struct et_port_options *options)
{
	struct rte_eth_conf conf = conf_of(port, set, info, options);
	unsigned least = RTE_MAX(info->default_rxportconf.ring_size + 0U, RX_DESCRIPTORS);
	unsigned wanted = options->rx_descriptors ? options->rx_descriptors : least;
	uint16_t rx = (uint16_t)RTE_MIN(wanted, (unsigned)UINT16_MAX);
	uint16_t tx = info->default_txportconf.ring_size;
	unsigned tx_queues;
	int ret;

	port_complaint_forget();
	ret = configure(&tx_queues, port, &conf);
	if (!ret)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);
	if (ret)
		return refuse(error, port, ret);
	if (options->rx_descriptors && rx != options->rx_descriptors)
		port_say(set, "Port %s takes %u RX descriptors, not %u.", port->last.name, rx,
			options->rx_descriptors);
	ret = make_pool(error, port, set, rx, room_of(info, options), options);
	if (ret)
		return ret;
	ret = set_up_queues(port, info, rx, tx, tx_queues);
	if (!ret && options->mtu) {
		ret = rte_eth_dev_set_mtu(port->id, (uint16_t)RTE_MIN(options->mtu, 65535U));
		ret = ret == -ENOTSUP ? 0 : ret; /* then it was taken by configure */
	}
	if (!ret)
		ret = rte_eth_dev_start(port->id);
	if (ret)
		return refuse(error, port, ret);
	port->started = true;
	finish(port, set, &conf, options);
	return 0;
}

void port_stop(struct port *port)
{
	if (port->started)
		rte_eth_dev_stop(port->id);
	port->started = false;
}
