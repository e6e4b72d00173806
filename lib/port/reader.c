/* SPDX-License-Identifier: BSD-3-Clause */

/* Bursts from every port's queue to frames, and fragments to datagrams. */

#include <assert.h>
#include <string.h>

#include <pcap/dlt.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_ring.h>

#include "reader.h"

#define BIG_CNT     127
#define CROWD_LOOKS 32   /* fragments between two looks at the buffers that are left */
#define AGE_POLLS   4096 /* between two looks at fragments that wait */

static void add(_Atomic uint64_t *count, uint64_t n)
{
	atomic_store_explicit(
		count, atomic_load_explicit(count, memory_order_relaxed) + n, memory_order_relaxed);
}

static bool reads(const struct et_port_set *set, unsigned q, unsigned queue)
{
	return q % set->queues == queue; /* a port may have more queues than there are readers */
}

static void find_sources(struct et_port_reader *reader, struct et_port_set *set, unsigned queue)
{
	for (unsigned i = 0; i < set->ports_cnt; i++) {
		struct port *port = &set->ports[i];

		for (uint16_t q = 0; q < port->queues; q++)
			if (reads(set, q, queue))
				reader->sources[reader->sources_cnt++] = (struct reader_source){
					.port = port, .id = port->id, .queue = q
				};
	}
}

struct et_port_reader *et_port_reader_new(struct et_port_set *set, unsigned queue, unsigned lcore)
{
	static _Atomic unsigned number; /* pools have names, and those must differ */
	int numa = (int)rte_lcore_to_socket_id(lcore);
	struct et_port_reader *reader;
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned cnt = 0;

	for (unsigned i = 0; i < set->ports_cnt; i++)
		for (unsigned q = 0; q < set->ports[i].queues; q++)
			cnt += reads(set, q, queue);
	reader = rte_zmalloc_socket(
		"reader", sizeof(*reader) + cnt * sizeof(reader->sources[0]), ET_CACHE_LINE, numa);
	if (!reader)
		return NULL;
	reader->set = set;
	reader->clock_ns = INT64_MIN;
	find_sources(reader, set, queue);
	reader->merging = set->stamped && reader->sources_cnt > 1;
	snprintf(name, sizeof(name), "big%u", atomic_fetch_add(&number, 1));
	reader->big = rte_pktmbuf_pool_create(name, BIG_CNT, 0, set->private_len, UINT16_MAX, numa);
	reader->fragments = fragments_new(numa);
	if (!reader->big || !reader->fragments) {
		et_port_reader_free(reader);
		return NULL;
	}
	return reader;
}

void et_port_reader_free(struct et_port_reader *reader)
{
	if (!reader)
		return;
	et_port_done(reader);
	for (unsigned i = 0; i < reader->sources_cnt; i++) {
		struct reader_source *source = &reader->sources[i];

		rte_pktmbuf_free_bulk(source->pending + source->at, source->cnt - source->at);
	}
	if (reader->fragments)
		fragments_free(reader->fragments);
	rte_mempool_free(reader->big);
	rte_free(reader);
}

/* What came for a source, at most cnt. */
static unsigned burst(const struct reader_source *source, struct rte_mbuf **mbufs, unsigned cnt)
{
	if (et_unlikely(atomic_load_explicit(&source->port->gone, memory_order_relaxed)))
		return 0;
	return rte_eth_rx_burst(source->id, source->queue, mbufs, (uint16_t)cnt);
}

/* The stamps of frames from one port; the host's clock where there are none. */
static void stamp(int64_t *ts_ns, struct rte_mbuf *const *mbufs, unsigned cnt,
	const struct et_port_reader *reader, const struct port *port, int64_t now_ns)
{
	const struct et_port_set *set = reader->set;

	for (unsigned i = 0; i < cnt; i++) {
		uint64_t value;

		ts_ns[i] = now_ns;
		if (port->stamp == PORT_STAMP_NONE || !(mbufs[i]->ol_flags & set->stamp_flag))
			continue;
		value = *RTE_MBUF_DYNFIELD(mbufs[i], (size_t)set->stamp_offset, uint64_t *);
		ts_ns[i] = port->stamp == PORT_STAMP_TICKS
				   ? port_clock_ns(&port->clock, value)
				   : (int64_t)(value * (uint64_t)ET_NS_PER_US);
	}
}

/* Ports in turn, each its burst; a second round when the first brought much. */
static unsigned read_in_turn(struct et_port_reader *reader, int64_t now_ns)
{
	unsigned cnt = 0, at = reader->next;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < reader->sources_cnt && cnt < ET_PORT_BURST; i++) {
			const struct reader_source *source = &reader->sources[at];
			unsigned n = burst(source, reader->mbufs + cnt,
				RTE_MIN(READER_BURST, ET_PORT_BURST - cnt));

			stamp(reader->ts_ns + cnt, reader->mbufs + cnt, n, reader, source->port,
				now_ns);
			cnt += n;
			at = at + 1 == reader->sources_cnt ? 0 : at + 1;
		}
		if (cnt < READER_BURST)
			break;
	}
	reader->next = at;
	return cnt;
}

static bool refill(
	struct reader_source *source, const struct et_port_reader *reader, int64_t now_ns)
{
	source->at = 0;
	source->cnt = burst(source, source->pending, READER_BURST);
	stamp(source->pending_ns, source->pending, source->cnt, reader, source->port, now_ns);
	return source->cnt > 0;
}

/*
 * The earliest of what the sources have, as long as each of those that had something has more: a
 * source is asked again as soon as it runs dry, and left out for this burst when nothing came. The
 * search begins at another source each time, so that equal stamps favour none.
 */
static unsigned read_merged(struct et_port_reader *reader, int64_t now_ns)
{
	unsigned cnt = 0;

	for (unsigned i = 0; i < reader->sources_cnt; i++)
		if (reader->sources[i].at == reader->sources[i].cnt)
			refill(&reader->sources[i], reader, now_ns);
	while (cnt < ET_PORT_BURST) {
		struct reader_source *first = NULL;

		for (unsigned i = 0; i < reader->sources_cnt; i++) {
			struct reader_source *source =
				&reader->sources[(i + reader->next) % reader->sources_cnt];

			if (source->at < source->cnt &&
				(!first || source->pending_ns[source->at] <
						   first->pending_ns[first->at]))
				first = source;
		}
		if (!first)
			break;
		reader->ts_ns[cnt] = first->pending_ns[first->at];
		reader->mbufs[cnt++] = first->pending[first->at++];
		if (first->at == first->cnt)
			refill(first, reader, now_ns);
	}
	reader->next = reader->next + 1 == reader->sources_cnt ? 0 : reader->next + 1;
	return cnt;
}

/* A frame of several mbufs in one: in its first if there is room, else in a large one. */
static struct rte_mbuf *one_piece(struct et_port_reader *reader, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *big;
	uint8_t *out;
	unsigned room;

	if (mbuf->pkt_len - mbuf->data_len <= rte_pktmbuf_tailroom(mbuf) &&
		!rte_pktmbuf_linearize(mbuf))
		return mbuf;
	big = rte_pktmbuf_alloc(reader->big);
	if (!big) {
		add(&reader->counts.cut, 1);
		return mbuf;
	}
	big->data_off = 0;
	out = rte_pktmbuf_mtod(big, uint8_t *);
	room = big->buf_len;
	for (const struct rte_mbuf *part = mbuf; part && room; part = part->next) {
		unsigned n = RTE_MIN(room, (unsigned)part->data_len);

		memcpy(out, rte_pktmbuf_mtod(part, const uint8_t *), n);
		out += n;
		room -= n;
	}
	big->data_len = (uint16_t)(big->buf_len - room);
	big->pkt_len = big->data_len;
	rte_pktmbuf_free(mbuf);
	return big;
}

/* Prefetches mbufs eight frames ahead and their bytes four, then fills the frames. */
static void fill(struct et_port_reader *reader, struct et_frame *frames, unsigned cnt)
{
	struct rte_mbuf **mbufs = reader->mbufs;
	uint64_t bytes = 0, segments = 0;
	int64_t clock_ns = reader->clock_ns;

	for (unsigned i = 0; i < RTE_MIN(cnt, 8U); i++)
		rte_prefetch0(mbufs[i]);
	for (unsigned i = 0; i < RTE_MIN(cnt, 4U); i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (unsigned i = 0; i < cnt; i++) {
		uint32_t len = mbufs[i]->pkt_len;

		if (i + 8 < cnt)
			rte_prefetch0(mbufs[i + 8]);
		if (i + 4 < cnt)
			rte_prefetch0(rte_pktmbuf_mtod(mbufs[i + 4], void *));
		if (et_unlikely(mbufs[i]->nb_segs > 1)) {
			mbufs[i] = one_piece(reader, mbufs[i]);
			segments++;
		}
		clock_ns = RTE_MAX(clock_ns, reader->ts_ns[i]);
		reader->clocks_ns[i] = clock_ns;
		frames[i] = (struct et_frame){ .data = rte_pktmbuf_mtod(mbufs[i], const uint8_t *),
			.cap_len = mbufs[i]->data_len,
			.len = len,
			.ts_ns = reader->ts_ns[i],
			.clock_ns = clock_ns,
			.index = ++reader->index,
			.link_type = DLT_EN10MB };
		bytes += len;
	}
	reader->clock_ns = clock_ns;
	add(&reader->counts.frames, cnt);
	add(&reader->counts.bytes, bytes);
	if (segments)
		add(&reader->counts.segments, segments);
}

unsigned et_port_read(
	struct et_port_reader *reader, struct et_frame frames[static ET_PORT_BURST], int64_t now_ns)
{
	assert(!reader->cnt);
	if (et_unlikely(++reader->polls % AGE_POLLS == 0))
		fragments_age(reader->fragments, rte_rdtsc());
	reader->cnt = reader->merging ? read_merged(reader, now_ns) : read_in_turn(reader, now_ns);
	if (reader->cnt)
		fill(reader, frames, reader->cnt);
	return reader->cnt;
}

void et_port_done(struct et_port_reader *reader)
{
	rte_pktmbuf_free_bulk(reader->mbufs, reader->cnt); /* passes over those that are NULL */
	reader->cnt = 0;
}

void *et_port_private(struct et_port_reader *reader, unsigned i)
{
	return rte_mbuf_to_priv(reader->mbufs[i]);
}

bool et_port_fragment(
	struct et_port_reader *reader, struct et_frame *whole, unsigned i, uint32_t at)
{
	struct rte_mbuf *mbuf = reader->mbufs[i];
	uint64_t now = rte_rdtsc();
	uint32_t len;

	reader->mbufs[i] = NULL;
	/* those that wait must not take the buffers that the port needs; counting them is slow */
	if (reader->fragments_cnt++ % CROWD_LOOKS == 0)
		reader->crowded = rte_mempool_avail_count(mbuf->pool) < mbuf->pool->size / 8;
	if (reader->crowded) {
		rte_pktmbuf_free(mbuf);
		add(&reader->counts.fragments_lost, 1);
		mbuf = NULL;
	} else {
		mbuf = fragments_take(reader->fragments, mbuf, at, now);
	}
	fragments_age(reader->fragments, now);
	if (!mbuf)
		return false;
	len = mbuf->pkt_len;
	if (mbuf->nb_segs > 1)
		mbuf = one_piece(reader, mbuf);
	reader->mbufs[i] = mbuf;
	*whole = (struct et_frame){ .data = rte_pktmbuf_mtod(mbuf, const uint8_t *),
		.cap_len = mbuf->data_len,
		.len = len,
		.ts_ns = reader->ts_ns[i],
		.clock_ns = reader->clocks_ns[i],
		.index = reader->index - reader->cnt + i + 1,
		.link_type = DLT_RAW };
	return true;
}

void et_port_reader_counts(struct et_port_reader_counts *out, const struct et_port_reader *reader)
{
#define GET(name) atomic_load_explicit(&reader->counts.name, memory_order_relaxed)
	*out = (struct et_port_reader_counts){ .frames = GET(frames),
		.bytes = GET(bytes),
		.fragments_lost = GET(fragments_lost) + fragments_lost(reader->fragments),
		.segments = GET(segments),
		.cut = GET(cut) };
#undef GET
}

void et_port_shed(struct et_port_reader *reader, const struct et_segment *segment, unsigned seconds)
{
	struct shed_request request = { .src = segment->src,
		.dst = segment->dst,
		.src_port = segment->src_port,
		.dst_port = segment->dst_port,
		.seconds = seconds };

	/* many producers; when the list is full software goes on with the connection */
	if (reader->set->requests)
		rte_ring_enqueue_elem(reader->set->requests, &request, sizeof(request));
}

bool et_port_replays(const struct et_port_reader *reader)
{
	for (unsigned i = 0; i < reader->sources_cnt; i++)
		if (reader->sources[i].port->stamp == PORT_STAMP_MICROSECONDS)
			return true;
	return false;
}
