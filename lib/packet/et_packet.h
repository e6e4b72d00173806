/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_PACKET_H
#define ET_PACKET_H

/*
 * packet: a frame becomes a TCP segment, or a counted reason why not.
 *
 * Follows the link layer (Ethernet with LLC/SNAP, raw IP, Linux cooked v1 and v2, null/loopback,
 * PPP, Cisco HDLC), 802.1Q and QinQ tags up to four deep, MPLS, PPPoE, IPv4 with options, IPv6
 * with extension headers, TCP with options; and tunnels: IP in IP, GRE, ERSPAN of types I to III,
 * VXLAN (UDP ports 4789 and 8472, GPE on 4790), GENEVE, one within another as well.
 * The segment is that of the innermost packet. Checksums are not verified: on a mirror of the
 * sending host they are often filled in after the capture point.
 *
 * Pure functions, any thread. The segment's payload points into the frame.
 */

#include "et_drop.h"

/* The header flags of RFC 9293 3.1. */
#define ET_TCP_FIN 0x01
#define ET_TCP_SYN 0x02
#define ET_TCP_RST 0x04
#define ET_TCP_PSH 0x08
#define ET_TCP_ACK 0x10

struct et_segment {
	struct et_addr src, dst;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t window; /* as sent, unscaled */
	uint16_t ip_id;  /* IPv4 identification, 0 for IPv6; tells a copy from a retransmission */
	uint8_t flags;
	uint8_t inner; /* 1: came out of a tunnel or a mirror's encapsulation (GRE, ERSPAN, VXLAN,
			  GENEVE, IP in IP), so the ports of the frame's own IP header are others */
	struct et_view payload; /* what was captured of it */
	uint32_t len; /* payload bytes on the wire; > payload.n when the capture cut them */
};

/* ET_KEEP when segment is filled, else the reason for the drop. frame: linktype, data, lengths. */
struct et_frame;
enum et_drop et_packet_decode(struct et_segment *segment, const struct et_frame *frame);

/*
 * Where the fragment is in a frame that et_packet_decode gave up as ET_DROP_FRAGMENT, for who puts
 * fragments together: *at is the offset in the frame of the IPv4 header (RFC 791 3.1), or of the
 * IPv6 header, which the fragment header comes behind at once or after other extension headers
 * (RFC 8200 4.1, 4.5). What is before it, encapsulations too, is not part of the datagram; *inner
 * keeps of it what segment.inner would have said, as the whole datagram no longer shows it.
 * The fragment may be of an outer packet: then a tunnel is within the datagram.
 * false, and nothing filled, for a frame that is no fragment. Not for every frame: it walks from
 * the frame's begin.
 */
bool et_packet_fragment_at(uint32_t *at, bool *inner, const struct et_frame *frame);

#endif
