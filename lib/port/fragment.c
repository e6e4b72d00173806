/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_ip_frag_table_del_expired_entries */

#include "fragment.h"

#include <stdatomic.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ip_frag.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_random.h>

/* Twice as many places as datagrams (rte_ip_frag doubles the product), so that few collide. */
#define BUCKETS        256
#define BUCKET_ENTRIES 16

#define SIGHTS         8192 /* fragments of which a copy is told; a power of two */
#define EXTENSIONS_MAX 8
#define SEGMENTS_MAX   64 /* of one frame: far more than 64 KiB need */
#define DATAGRAM_MAX   65535

static_assert(2 * BUCKETS * BUCKET_ENTRIES >= 2 * FRAGMENTS_DATAGRAMS, "room for all datagrams");

/*
 * What makes a fragment the same as another one. Words only, as rte_jhash reads words.
 * kind: the version, whether more follow, and the protocol, part of the identity in IPv4 only.
 */
struct piece {
	uint32_t src[4], dst[4];
	uint32_t id; /* as it stands in the header */
	uint32_t offset, len, kind;
};
#define PIECE_WORDS (sizeof(struct piece) / sizeof(uint32_t))

struct sight {
	struct piece piece;
	uint64_t until_cycles;
};

struct fragments {
	struct rte_ip_frag_tbl *table;
	struct rte_ip_frag_death_row dying; /* empty between calls */
	struct sight *sights;               /* by hash; a later fragment takes the place */
	uint64_t wait_cycles;
	_Atomic uint64_t lost, repeated; /* written by the reader's lcore, read by any */
	uint32_t held;                   /* mbufs in the table */
	uint32_t seed;
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

struct fragments *fragments_new(int numa)
{
	struct fragments *f =
		rte_zmalloc_socket("fragments", sizeof(*f), RTE_CACHE_LINE_SIZE, numa);

	if (!f)
		return NULL;
	f->wait_cycles = FRAGMENTS_WAIT_S * rte_get_tsc_hz();
	f->seed = (uint32_t)rte_rand();
	f->sights = rte_zmalloc_socket(
		"fragments seen", SIGHTS * sizeof(*f->sights), RTE_CACHE_LINE_SIZE, numa);
	f->table = rte_ip_frag_table_create(
		BUCKETS, BUCKET_ENTRIES, FRAGMENTS_DATAGRAMS, f->wait_cycles, numa);
	if (!f->sights || !f->table) {
		fragments_free(f);
		return NULL;
	}
	return f;
}

void fragments_free(struct fragments *f)
{
	if (!f)
		return;
	if (f->table)
		rte_ip_frag_table_destroy(f->table);
	rte_free(f->sights);
	rte_free(f);
}

/* Whether the first n bytes are there, in one piece. */
static bool is_flat(struct rte_mbuf *mbuf, uint32_t n)
{
	return mbuf->data_len >= n || (mbuf->pkt_len >= n && rte_pktmbuf_linearize(mbuf) == 0);
}

/* Ends the frame after len bytes, 0 < len <= pkt_len, which may be in any of its segments. */
static void trim(struct rte_mbuf *mbuf, uint32_t len)
{
	struct rte_mbuf *last = mbuf;
	uint32_t left = len;
	uint16_t segments = 1;

	while (last->data_len < left) {
		left -= last->data_len;
		last = last->next;
		segments++;
	}
	last->data_len = (uint16_t)left;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	mbuf->nb_segs = segments;
	mbuf->pkt_len = len;
}

/*
 * Sets what rte_ip_frag reads. l4_len, which nobody reads, is made the mark of a fragment's first
 * segment: by it fragments are counted after they were chained.
 */
static void set_lengths(struct rte_mbuf *mbuf, uint32_t header_len)
{
	for (struct rte_mbuf *segment = mbuf; segment; segment = segment->next)
		segment->tx_offload = 0;
	mbuf->l3_len = header_len & 0x1ff;
	mbuf->l4_len = 1;
}

/* What holds for both versions; max: how far the payload may reach. */
static bool is_piece(struct piece *piece, uint32_t offset, bool more, uint32_t len, uint32_t max)
{
	piece->offset = offset;
	piece->len = len;
	piece->kind |= more;
	/* only the last one may end between two units: RFC 791 3.2, RFC 8200 4.5 */
	return len > 0 && (offset > 0 || more) && (!more || len % 8 == 0) && offset + len <= max;
}

/* RFC 791 3.1 */
static bool take_ipv4(struct piece *piece, struct rte_mbuf *mbuf)
{
	const struct rte_ipv4_hdr *header = rte_pktmbuf_mtod(mbuf, const struct rte_ipv4_hdr *);
	uint32_t header_len, total, field;

	if (!is_flat(mbuf, sizeof(*header)))
		return false;
	header_len = rte_ipv4_hdr_len(header);
	total = rte_be_to_cpu_16(header->total_length);
	if (header_len < sizeof(*header) || !is_flat(mbuf, header_len) || total <= header_len ||
		total > mbuf->pkt_len)
		return false;
	trim(mbuf, total);
	set_lengths(mbuf, header_len);
	field = rte_be_to_cpu_16(header->fragment_offset);
	memcpy(piece->src, &header->src_addr, 4);
	memcpy(piece->dst, &header->dst_addr, 4);
	piece->kind = 4 << 16 | (uint32_t)header->next_proto_id << 8;
	piece->id = header->packet_id;
	return is_piece(piece, 8 * (field & RTE_IPV4_HDR_OFFSET_MASK), field & RTE_IPV4_HDR_MF_FLAG,
		total - header_len, DATAGRAM_MAX - header_len);
}

/*
 * The offset of the fragment header, 0 when there is none within the first segment. What stands
 * before it are the extension headers that every fragment repeats; one with offset 0 and nothing
 * to follow is a whole packet's, RFC 6946.
 */
static uint32_t find_fragment_header(struct rte_mbuf *mbuf)
{
	const struct rte_ipv6_hdr *header = rte_pktmbuf_mtod(mbuf, const struct rte_ipv6_hdr *);
	uint32_t at = sizeof(*header);
	int next = header->proto;

	for (unsigned i = 0; i <= EXTENSIONS_MAX; i++) {
		const struct rte_ipv6_fragment_ext *fragment;
		size_t len = 0;

		if (!is_flat(mbuf, at + sizeof(*fragment)))
			return 0;
		fragment = rte_pktmbuf_mtod_offset(mbuf, const struct rte_ipv6_fragment_ext *, at);
		if (next == IPPROTO_FRAGMENT && rte_be_to_cpu_16(fragment->frag_data) & 0xfff9)
			return at;
		next = rte_ipv6_get_next_ext((const uint8_t *)fragment, next, &len);
		if (next < 0)
			return 0;
		at += (uint32_t)len;
	}
	return 0;
}

/* RFC 8200 3 and 4.5. Moves the header to stand right before the fragment header. */
static bool take_ipv6(struct piece *piece, struct rte_mbuf *mbuf)
{
	struct rte_ipv6_hdr *header = rte_pktmbuf_mtod(mbuf, struct rte_ipv6_hdr *);
	const struct rte_ipv6_fragment_ext *fragment;
	uint32_t total, at, field;

	if (!is_flat(mbuf, sizeof(*header)))
		return false;
	total = (uint32_t)sizeof(*header) + rte_be_to_cpu_16(header->payload_len);
	if (total > mbuf->pkt_len)
		return false;
	trim(mbuf, total);
	at = find_fragment_header(mbuf);
	if (at == 0)
		return false;
	memmove(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at - sizeof(*header)), header,
		sizeof(*header));
	header = (struct rte_ipv6_hdr *)rte_pktmbuf_adj(mbuf, (uint16_t)(at - sizeof(*header)));
	header->proto = IPPROTO_FRAGMENT;
	header->payload_len = rte_cpu_to_be_16((uint16_t)(mbuf->pkt_len - sizeof(*header)));
	set_lengths(mbuf, sizeof(*header) + sizeof(*fragment));
	fragment = (const struct rte_ipv6_fragment_ext *)(header + 1);
	field = rte_be_to_cpu_16(fragment->frag_data);
	memcpy(piece->src, &header->src_addr, 16);
	memcpy(piece->dst, &header->dst_addr, 16);
	piece->kind = 6 << 16;
	piece->id = fragment->id;
	return is_piece(
		piece, field & 0xfff8, field & 1, mbuf->pkt_len - mbuf->l3_len, DATAGRAM_MAX);
}

/* Cuts the frame down to one fragment that keeps to the rules. */
static bool take_piece(struct piece *piece, struct rte_mbuf *mbuf, uint32_t at)
{
	if (mbuf->nb_segs > SEGMENTS_MAX || at >= mbuf->pkt_len || at > UINT16_MAX ||
		!is_flat(mbuf, at + 1) || !rte_pktmbuf_adj(mbuf, (uint16_t)at))
		return false;
	switch (*rte_pktmbuf_mtod(mbuf, const uint8_t *) >> 4) {
	case 4: return take_ipv4(piece, mbuf);
	case 6: return take_ipv6(piece, mbuf);
	default: return false;
	}
}

/* Whether it came before; it has from now on. */
static bool is_copy(struct fragments *f, const struct piece *piece, uint64_t now_cycles)
{
	struct sight *sight =
		&f->sights[rte_jhash_32b((const uint32_t *)piece, PIECE_WORDS, f->seed) &
			   (SIGHTS - 1)];

	if (sight->until_cycles >= now_cycles && !memcmp(&sight->piece, piece, sizeof(*piece)))
		return true;
	*sight = (struct sight){ .piece = *piece, .until_cycles = now_cycles + f->wait_cycles };
	return false;
}

/* Frees what rte_ip_frag has given up. */
static void bury(struct fragments *f)
{
	for (uint32_t i = 0; i < f->dying.cnt; i++) {
		const struct rte_mbuf *segment = f->dying.row[i];

		f->held -= segment->nb_segs;
		for (; segment; segment = segment->next)
			add(&f->lost, segment->l4_len);
	}
	if (f->dying.cnt > 0)
		rte_ip_frag_free_death_row(&f->dying, 4);
}

static struct rte_mbuf *reassemble(struct fragments *f, struct rte_mbuf *mbuf, uint64_t now_cycles)
{
	struct rte_ipv6_hdr *v6 = rte_pktmbuf_mtod(mbuf, struct rte_ipv6_hdr *);
	struct rte_mbuf *whole;

	f->held += mbuf->nb_segs;
	if (*(const uint8_t *)v6 >> 4 == 4)
		whole = rte_ipv4_frag_reassemble_packet(f->table, &f->dying, mbuf, now_cycles,
			rte_pktmbuf_mtod(mbuf, struct rte_ipv4_hdr *));
	else
		whole = rte_ipv6_frag_reassemble_packet(f->table, &f->dying, mbuf, now_cycles, v6,
			rte_ipv6_frag_get_ipv6_fragment_header(v6));
	if (whole)
		f->held -= whole->nb_segs;
	/* at once: the row has room for what few calls give up */
	bury(f);
	return whole;
}

struct rte_mbuf *fragments_take(
	struct fragments *f, struct rte_mbuf *mbuf, uint32_t at, uint64_t now_cycles)
{
	struct piece piece = { .kind = 0 };

	if (!take_piece(&piece, mbuf, at) || f->held + mbuf->nb_segs > FRAGMENTS_MBUFS) {
		add(&f->lost, 1);
	} else if (is_copy(f, &piece, now_cycles)) {
		add(&f->repeated, 1);
	} else {
		return reassemble(f, mbuf, now_cycles);
	}
	rte_pktmbuf_free(mbuf);
	return NULL;
}

void fragments_age(struct fragments *f, uint64_t now_cycles)
{
	rte_ip_frag_table_del_expired_entries(f->table, &f->dying, now_cycles);
	bury(f);
}

uint64_t fragments_lost(const struct fragments *f)
{
	return atomic_load_explicit(&f->lost, memory_order_relaxed);
}

uint64_t fragments_repeated(const struct fragments *f)
{
	return atomic_load_explicit(&f->repeated, memory_order_relaxed);
}
