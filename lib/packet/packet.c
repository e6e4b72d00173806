/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_packet.h"

#include <string.h>

#include <pcap/dlt.h>

#include "et_source.h"
#include "walk.h"

/* More than a VLAN-tagged GENEVE tunnel around a tagged MPLS frame needs. */
#define STEPS_MAX 24

/*
 * RFC 9293 3.1. Fills the segment, whose addresses are there already. The options are stepped
 * over: nothing after the SYN depends on them here.
 */
static enum et_drop take_tcp(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk->cur.p;
	size_t len;

	if (et_unlikely(walk->cur.n < 20))
		return ET_DROP_TCP_SHORT;
	len = (size_t)(header[12] >> 4) * 4;
	if (et_unlikely(len < 20 || len > walk->wire))
		return ET_DROP_TCP_HEADER;
	if (et_unlikely(len > walk->cur.n))
		return ET_DROP_TCP_SHORT;
	segment->src_port = be16(header);
	segment->dst_port = be16(header + 2);
	segment->seq = be32(header + 4);
	segment->ack = be32(header + 8);
	segment->flags = header[13];
	segment->inner = walk->ips > 1;
	segment->window = be16(header + 14);
	segment->payload = (struct et_view){ .p = header + len, .n = walk->cur.n - len };
	segment->len = (uint32_t)(walk->wire - len);
	return ET_KEEP;
}

/* RFC 791 3.1 */
static enum et_drop packet_ipv4(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk->cur.p;
	size_t len, total;
	uint8_t protocol;

	walk_note_ip(walk);
	if (et_unlikely(walk->cur.n < 20))
		return ET_DROP_IP_SHORT;
	len = (size_t)(header[0] & 0xf) * 4;
	if (et_unlikely(header[0] >> 4 != 4 || len < 20))
		return ET_DROP_IP_HEADER;
	/* total length 0: not yet cut and filled in by the NIC; the frame's length holds */
	total = be16(header + 2);
	if (total != 0) {
		if (et_unlikely(total < len))
			return ET_DROP_IP_HEADER;
		walk_trim(walk, total);
	}
	if (et_unlikely(!walk_take(walk, len)))
		return ET_DROP_IP_SHORT;
	if (et_unlikely(be16(header + 6) & 0x3fff))
		return ET_DROP_FRAGMENT;
	et_addr_put_v4(&segment->src, header + 12);
	et_addr_put_v4(&segment->dst, header + 16);
	segment->ip_id = be16(header + 4);
	protocol = header[9];
	if (et_likely(protocol == 6)) {
		walk->next = LAYER_TCP;
		return ET_KEEP;
	}
	if (protocol == 51) { /* AH; the other numbers of extension headers mean nothing in IPv4 */
		enum et_drop drop = packet_extensions(walk, &protocol);

		if (drop != ET_KEEP)
			return drop;
	}
	walk->next = packet_ip_protocol(protocol);
	return walk->next == LAYER_NONE ? ET_DROP_NOT_TCP : ET_KEEP;
}

/* The loop over the layers; walk->next is the first of them. The walk stays where it ended. */
static enum et_drop follow_layers(struct walk *walk, struct et_segment *segment)
{
	static packet_step *const steps[LAYER_MAX] = {
		[LAYER_ETHERNET] = packet_ethernet,
		[LAYER_TYPED] = packet_typed,
		[LAYER_LLC] = packet_llc,
		[LAYER_SLL] = packet_sll,
		[LAYER_SLL2] = packet_sll2,
		[LAYER_FAMILY] = packet_family,
		[LAYER_PPP] = packet_ppp,
		[LAYER_HDLC] = packet_hdlc,
		[LAYER_PPPOE] = packet_pppoe,
		[LAYER_MPLS] = packet_mpls,
		[LAYER_IP] = packet_ip,
		[LAYER_IPV4] = packet_ipv4,
		[LAYER_IPV6] = packet_ipv6,
		[LAYER_UDP] = packet_udp,
		[LAYER_VXLAN] = packet_vxlan,
		[LAYER_VXLAN_GPE] = packet_vxlan_gpe,
		[LAYER_GENEVE] = packet_geneve,
		[LAYER_GRE] = packet_gre,
		[LAYER_ERSPAN2] = packet_erspan2,
		[LAYER_ERSPAN3] = packet_erspan3,
	};

	for (unsigned int i = 0; i < STEPS_MAX; i++) {
		enum et_drop drop;

		if (walk->next == LAYER_TCP)
			return take_tcp(walk, segment);
		drop = steps[walk->next](walk, segment);
		if (drop != ET_KEEP)
			return drop;
	}
	return ET_DROP_TAGS;
}

static enum layer first_layer(uint32_t link_type)
{
	switch (link_type) {
	case DLT_EN10MB: return LAYER_ETHERNET;
	case DLT_RAW:
	case 14:  /* DLT_RAW where the capture comes from OpenBSD */
	case 101: /* LINKTYPE_RAW, which libpcap turns into DLT_RAW */
	case DLT_IPV4:
	case DLT_IPV6: return LAYER_IP;
	case DLT_LINUX_SLL: return LAYER_SLL;
	case DLT_LINUX_SLL2: return LAYER_SLL2;
	case DLT_NULL:
	case DLT_LOOP: return LAYER_FAMILY;
	case DLT_PPP:
	case DLT_PPP_SERIAL:
	case DLT_PPP_PPPD: return LAYER_PPP;
	case DLT_PPP_ETHER: return LAYER_PPPOE;
	case DLT_C_HDLC: return LAYER_HDLC;
	default: return LAYER_NONE;
	}
}

/* From the link layer on. */
static __attribute__((noinline)) enum et_drop decode_any(
	struct walk *walk, struct et_segment *segment, const struct et_frame *frame)
{
	*walk = (struct walk){
		.cur = et_cur(frame->data, frame->cap_len),
		.wire = frame->len,
		.next = first_layer(frame->link_type),
	};
	return walk->next == LAYER_NONE ? ET_DROP_LINK_TYPE : follow_layers(walk, segment);
}

/* Lengths of headers without options. */
#define ETHERNET 14
#define IPV4     20
#define IPV6     40
#define TCP      20

/* The segment of a TCP header with `n` bytes from it on, n >= TCP; false: its length is wrong. */
static inline bool plain_tcp(struct et_segment *segment, const uint8_t *tcp, size_t n)
{
	size_t len = (size_t)(tcp[12] >> 4) * 4;

	if (et_unlikely(len < TCP || len > n))
		return false;
	segment->src_port = be16(tcp);
	segment->dst_port = be16(tcp + 2);
	segment->seq = be32(tcp + 4);
	segment->ack = be32(tcp + 8);
	segment->window = be16(tcp + 14);
	segment->flags = tcp[13];
	segment->inner = 0;
	segment->payload = (struct et_view){ .p = tcp + len, .n = n - len };
	segment->len = (uint32_t)(n - len);
	return true;
}

static inline bool plain_ipv4(struct et_segment *segment, const uint8_t *ip, size_t n)
{
	size_t total = be16(ip + 2);

	if (et_unlikely(ip[0] != 0x45 || ip[9] != 6 || be16(ip + 6) & 0x3fff ||
			total < IPV4 + TCP || total > n))
		return false;
	et_addr_put_v4(&segment->src, ip + 12);
	et_addr_put_v4(&segment->dst, ip + 16);
	segment->ip_id = be16(ip + 4);
	return plain_tcp(segment, ip + IPV4, total - IPV4);
}

static inline bool plain_ipv6(struct et_segment *segment, const uint8_t *ip, size_t n)
{
	size_t len = be16(ip + 4);

	if (et_unlikely(
		    n < IPV6 + TCP || ip[0] >> 4 != 6 || ip[6] != 6 || len < TCP || len > n - IPV6))
		return false;
	for (unsigned i = 0; i < 16; i += 8) { /* by halves: see et_addr_put_v4 */
		uint64_t src, dst;

		memcpy(&src, ip + 8 + i, 8);
		memcpy(&dst, ip + 24 + i, 8);
		memcpy(segment->src.b + i, &src, 8);
		memcpy(segment->dst.b + i, &dst, 8);
	}
	segment->ip_id = 0;
	return plain_tcp(segment, ip + IPV6, len);
}

/*
 * By far the most frames: Ethernet, IP without options, TCP, all of it there. Straight through, and
 * the same as the layers one by one would give. False: anything else.
 */
static inline bool decode_plain(struct et_segment *segment, const struct et_frame *frame)
{
	const uint8_t *ip = frame->data + ETHERNET;
	size_t n = frame->cap_len - ETHERNET;

	if (et_unlikely(frame->link_type != DLT_EN10MB || frame->cap_len < ETHERNET + IPV4 + TCP))
		return false;
	switch (be16(frame->data + 12)) {
	case 0x0800: return plain_ipv4(segment, ip, n);
	case 0x86dd: return plain_ipv6(segment, ip, n);
	default: return false;
	}
}

enum et_drop et_packet_decode(struct et_segment *segment, const struct et_frame *frame)
{
	struct walk walk;

	if (et_likely(decode_plain(segment, frame)))
		return ET_KEEP;
	return decode_any(&walk, segment, frame);
}

bool et_packet_fragment_at(uint32_t *at, bool *inner, const struct et_frame *frame)
{
	struct et_segment segment;
	struct walk walk;

	if (decode_any(&walk, &segment, frame) != ET_DROP_FRAGMENT)
		return false;
	*at = (uint32_t)(walk.ip - frame->data);
	*inner = walk.ips > 1;
	return true;
}
