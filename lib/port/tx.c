/* SPDX-License-Identifier: BSD-3-Clause */

/* One port that sends. Frames of another thread come through a ring, their number beside the bytes. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include "port_parts.h"

#define TX_DESCRIPTORS 1024U
#define POOL_CACHE     256
#define HELD           (4 * ET_PORT_TX_BURST) /* by the sender and by who fills the ring */
#define ETHERNET       (RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN + 0U)

struct et_port_tx {
	struct port port;
	struct rte_mempool *pool;
	struct rte_ring *ring; /* NULL: no other thread gives frames */
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
	/* the sender's thread */
	_Alignas(ET_CACHE_LINE) unsigned cnt;
	struct rte_mbuf *burst[ET_PORT_TX_BURST];
	struct rte_mbuf *next; /* of the ring, looked at and not yet taken */
	uint64_t packets;      /* taken by the port */
	/* the other thread */
	_Alignas(ET_CACHE_LINE) struct rte_mbuf *spare; /* found no room in the ring */
};

static int refuse(char error[static ET_PORT_ERROR], const struct port *port, int ret)
{
	const char *complaint = port_complaint();

	snprintf(error, ET_PORT_ERROR, "Port %s (%s) cannot be made ready to send: %s.",
		port->last.name, port->last.driver, complaint[0] ? complaint : strerror(-ret));
	return ret;
}

/* ---- opening ---- */

/*
 * Some drivers want an RX queue, and net_memif gets no link from some peers without one. What comes
 * there is never read.
 */
static int configure(unsigned *rx_queues, struct port *port, const struct rte_eth_conf *conf)
{
	const unsigned least = !strcmp(port->last.driver, "net_memif");
	const unsigned tries[] = { least, 1 };
	int ret = 0;

	port_log_mute(true);
	for (size_t i = 0; i < RTE_DIM(tries); i++) {
		*rx_queues = tries[i];
		ret = rte_eth_dev_configure(port->id, (uint16_t)tries[i], 1, conf);
		if (!ret)
			break;
	}
	port_log_mute(false);
	return ret;
}

static int make_buffers(char error[static ET_PORT_ERROR], struct et_port_tx *tx,
	unsigned descriptors, const struct et_port_tx_options *options)
{
	unsigned slots = options->waiting ? rte_align32pow2(options->waiting) : 0;
	unsigned cnt = descriptors + slots + HELD + 2 * POOL_CACHE * 3 / 2;
	unsigned room = RTE_MAX(options->frame_max, 2048U) + RTE_PKTMBUF_HEADROOM;
	int numa = tx->port.numa;

	room = RTE_MIN(room, (unsigned)UINT16_MAX);
	for (unsigned i = 0; i < 2 && !tx->pool; i++, numa = SOCKET_ID_ANY)
		tx->pool = rte_pktmbuf_pool_create(
			"tx", cnt, POOL_CACHE, sizeof(uint64_t), (uint16_t)room, numa);
	if (tx->pool && slots)
		tx->ring = rte_ring_create("tx", slots, (int)rte_lcore_to_socket_id(options->lcore),
			RING_F_EXACT_SZ | RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (tx->pool && (!slots || tx->ring))
		return 0;
	snprintf(error, ET_PORT_ERROR,
		"No memory for %u packet buffers of %u bytes; reserve more hugepages, or with "
		"--no-huge give more by -m (it is 64 MiB without).",
		cnt, room);
	return -ENOMEM;
}

/* 0: the usual one does, or the port takes no other. */
static unsigned mtu_for(const struct rte_eth_dev_info *info, unsigned frame_max)
{
	unsigned around = info->max_rx_pktlen > info->max_mtu ? info->max_rx_pktlen - info->max_mtu
							      : ETHERNET;
	unsigned most = RTE_MIN((unsigned)info->max_mtu,
		info->max_rx_pktlen > around ? info->max_rx_pktlen - around : 0U);
	unsigned wanted = frame_max - RTE_MIN(frame_max, (unsigned)RTE_ETHER_HDR_LEN);

	wanted = RTE_MIN(wanted, most);
	return wanted > RTE_ETHER_MTU ? wanted : 0;
}

static void say_mtu(const struct et_port_tx *tx, unsigned frame_max)
{
	char sentence[ET_PORT_ERROR];
	uint16_t mtu = 0;

	if (!tx->say || rte_eth_dev_get_mtu(tx->port.id, &mtu) ||
		mtu + RTE_ETHER_HDR_LEN + 0U >= frame_max)
		return;
	snprintf(sentence, sizeof(sentence),
		"Port %s has an MTU of %u: it may not send the frames of up to %u bytes.",
		tx->port.last.name, mtu, frame_max);
	tx->say(tx->say_ctx, sentence);
}

static int start(char error[static ET_PORT_ERROR], struct et_port_tx *tx,
	const struct rte_eth_dev_info *info, const struct et_port_tx_options *options)
{
	struct port *port = &tx->port;
	unsigned mtu = mtu_for(info, options->frame_max);
	struct rte_eth_conf conf = { .rxmode = { .mtu = mtu } };
	uint16_t rx = info->default_rxportconf.ring_size;
	uint16_t sent = (uint16_t)RTE_MAX(info->default_txportconf.ring_size + 0U, TX_DESCRIPTORS);
	unsigned rx_queues, numa = (unsigned)port->numa;
	int ret;

	port_complaint_forget();
	ret = configure(&rx_queues, port, &conf);
	if (!ret)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &sent);
	if (ret)
		return refuse(error, port, ret);
	ret = make_buffers(error, tx, sent + (rx_queues ? rx : 0U), options);
	if (ret)
		return ret;
	if (rx_queues)
		ret = rte_eth_rx_queue_setup(
			port->id, 0, rx, numa, &info->default_rxconf, tx->pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(port->id, 0, sent, numa, &info->default_txconf);
	if (!ret && mtu)
		rte_eth_dev_set_mtu(port->id, (uint16_t)mtu); /* say_mtu tells what it is then */
	if (!ret)
		ret = rte_eth_dev_start(port->id);
	if (ret)
		return refuse(error, port, ret);
	port->started = true;
	say_mtu(tx, options->frame_max);
	return 0;
}

struct et_port_tx *et_port_tx_open(
	char error[static ET_PORT_ERROR], const struct et_port_tx_options *options)
{
	struct et_port_tx *tx = rte_zmalloc("tx", sizeof(*tx), ET_CACHE_LINE);
	struct rte_eth_dev_info info;
	int ret;

	error[0] = '\0';
	if (!tx) {
		snprintf(error, ET_PORT_ERROR, "No memory for the port.");
		return NULL;
	}
	tx->say = options->say;
	tx->say_ctx = options->say_ctx;
	ret = port_find(error, &tx->port.id, options->name);
	if (!ret)
		ret = port_look(error, &info, &tx->port);
	if (!ret && info.max_tx_queues == 0) {
		snprintf(error, ET_PORT_ERROR,
			"Port %s (%s) has no queue to send by; give its --vdev one (net_pcap: "
			"tx_pcap=FILE or tx_iface=NAME).",
			tx->port.last.name, tx->port.last.driver);
		ret = -EINVAL;
	}
	if (!ret)
		ret = start(error, tx, &info, options);
	if (!ret)
		return tx;
	if (tx->port.last.name[0])
		et_port_tx_close(tx);
	else
		rte_free(tx);
	return NULL;
}

/* The port sends on its own what it has; there is no call that waits for it. */
static void wait_sent(const struct et_port_tx *tx)
{
	struct et_port_tx_counts counts;

	for (unsigned i = 0; i < 1000; i++) {
		et_port_tx_counts(&counts, tx);
		if (counts.packets + counts.errors >= tx->packets)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

void et_port_tx_close(struct et_port_tx *tx)
{
	struct rte_mbuf *mbuf;

	if (!tx)
		return;
	if (tx->port.started)
		wait_sent(tx);
	et_port_tx_drop(tx);
	rte_pktmbuf_free(tx->next);
	rte_pktmbuf_free(tx->spare);
	while (tx->ring && !rte_ring_sc_dequeue(tx->ring, (void **)&mbuf))
		rte_pktmbuf_free(mbuf);
	port_stop(&tx->port);
	rte_eth_dev_close(tx->port.id);
	rte_ring_free(tx->ring);
	rte_mempool_free(tx->pool); /* after close: until then the port holds its buffers */
	rte_free(tx);
}

bool et_port_tx_link(struct et_port_tx *tx)
{
	return port_link(&tx->port);
}

void et_port_tx_counts(struct et_port_tx_counts *out, const struct et_port_tx *tx)
{
	struct rte_eth_stats stats = { 0 };

	rte_eth_stats_get(tx->port.id, &stats);
	*out = (struct et_port_tx_counts){
		.packets = stats.opackets, .bytes = stats.obytes, .errors = stats.oerrors
	};
}

/* ---- the sender's thread ---- */

uint8_t *et_port_tx_add(struct et_port_tx *tx, uint32_t len)
{
	struct rte_mbuf *mbuf;
	uint8_t *bytes;

	if (tx->cnt == ET_PORT_TX_BURST)
		return NULL;
	mbuf = rte_pktmbuf_alloc(tx->pool);
	if (!mbuf)
		return NULL;
	bytes = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)len);
	if (!bytes || len > UINT16_MAX) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	tx->burst[tx->cnt++] = mbuf;
	return bytes;
}

unsigned et_port_tx_send(struct et_port_tx *tx)
{
	unsigned n;

	if (!tx->cnt)
		return 0;
	n = rte_eth_tx_burst(tx->port.id, 0, tx->burst, (uint16_t)tx->cnt);
	tx->cnt -= n;
	tx->packets += n;
	memmove(tx->burst, tx->burst + n, tx->cnt * sizeof(tx->burst[0]));
	return n;
}

unsigned et_port_tx_drop(struct et_port_tx *tx)
{
	unsigned n = tx->cnt;

	rte_pktmbuf_free_bulk(tx->burst, n);
	tx->cnt = 0;
	return n;
}

/* Single consumer of the ring. */
bool et_port_tx_peek(struct et_port_tx *tx, uint32_t *len, uint64_t *number)
{
	if (!tx->next && rte_ring_sc_dequeue(tx->ring, (void **)&tx->next))
		return false;
	*len = rte_pktmbuf_pkt_len(tx->next);
	memcpy(number, rte_mbuf_to_priv(tx->next), sizeof(*number));
	return true;
}

bool et_port_tx_take(struct et_port_tx *tx)
{
	if (tx->cnt == ET_PORT_TX_BURST)
		return false;
	tx->burst[tx->cnt++] = tx->next;
	tx->next = NULL;
	return true;
}

/* ---- the other thread ---- */

/* Single producer of the ring. */
bool et_port_tx_put(struct et_port_tx *tx, const void *bytes, uint32_t len, uint64_t number)
{
	struct rte_mbuf *mbuf = tx->spare ? tx->spare : rte_pktmbuf_alloc(tx->pool);
	uint8_t *to;

	tx->spare = mbuf;
	if (!mbuf || rte_ring_full(tx->ring))
		return false;
	to = len <= UINT16_MAX ? (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)len) : NULL;
	if (!to)
		return false;
	memcpy(to, bytes, len);
	memcpy(rte_mbuf_to_priv(mbuf), &number, sizeof(number));
	tx->spare = NULL;
	/* one producer: what was not full is not full now */
	rte_ring_sp_enqueue(tx->ring, mbuf);
	return true;
}
