/* SPDX-License-Identifier: BSD-3-Clause */

/* Rings of mbufs between lcores. The private bytes travel within the mbuf. */

#include <assert.h>
#include <stdatomic.h>

#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include "reader.h"

struct et_port_lane {
	struct rte_ring *ring;
	unsigned cnt; /* the consumer's, of its last burst */
	struct rte_mbuf *mbufs[ET_PORT_BURST];
};

struct et_port_lane *et_port_lane_new(unsigned slots, bool many, unsigned lcore)
{
	static _Atomic unsigned number; /* DPDK's rings have names, and those must differ */
	int numa = (int)rte_lcore_to_socket_id(lcore);
	struct et_port_lane *lane = rte_zmalloc_socket("lane", sizeof(*lane), ET_CACHE_LINE, numa);
	char name[RTE_RING_NAMESIZE];

	if (!lane)
		return NULL;
	snprintf(name, sizeof(name), "lane%u", atomic_fetch_add(&number, 1));
	lane->ring = rte_ring_create(
		name, slots, numa, RING_F_EXACT_SZ | RING_F_SC_DEQ | (many ? 0 : RING_F_SP_ENQ));
	if (!lane->ring) {
		rte_free(lane);
		return NULL;
	}
	return lane;
}

void et_port_lane_free(struct et_port_lane *lane)
{
	if (!lane)
		return;
	do { /* what nobody took */
		et_port_lane_done(lane);
		lane->cnt = rte_ring_dequeue_burst(
			lane->ring, (void **)lane->mbufs, ET_PORT_BURST, NULL);
	} while (lane->cnt);
	rte_ring_free(lane->ring);
	rte_free(lane);
}

/* One producer, or many: as the lane was made. */
unsigned et_port_pass(struct et_port_reader *reader, struct et_port_lane *lane,
	const uint8_t *frames, unsigned cnt)
{
	void *mbufs[ET_PORT_BURST];
	unsigned went;

	assert(cnt <= ET_PORT_BURST);
	for (unsigned i = 0; i < cnt; i++) {
		assert(frames[i] < reader->cnt && reader->mbufs[frames[i]]);
		mbufs[i] = reader->mbufs[frames[i]];
	}
	went = rte_ring_enqueue_burst(lane->ring, mbufs, cnt, NULL);
	for (unsigned i = 0; i < went; i++)
		reader->mbufs[frames[i]] = NULL;
	return went;
}

/* Single consumer. */
unsigned et_port_lane_read(struct et_port_lane *lane, void *privates[static ET_PORT_BURST])
{
	assert(!lane->cnt);
	lane->cnt = rte_ring_dequeue_burst(lane->ring, (void **)lane->mbufs, ET_PORT_BURST, NULL);
	for (unsigned i = 0; i < lane->cnt; i++) {
		privates[i] = rte_mbuf_to_priv(lane->mbufs[i]);
		rte_prefetch0(privates[i]);
	}
	return lane->cnt;
}

void et_port_lane_done(struct et_port_lane *lane)
{
	rte_pktmbuf_free_bulk(lane->mbufs, lane->cnt);
	lane->cnt = 0;
}

unsigned et_port_lane_used(const struct et_port_lane *lane)
{
	return rte_ring_count(lane->ring);
}

unsigned et_port_lane_size(const struct et_port_lane *lane)
{
	return rte_ring_get_capacity(lane->ring);
}
