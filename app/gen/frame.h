/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_FRAME_H
#define GEN_FRAME_H

/*
 * Frames: Ethernet, what is around it, IPv4 or IPv6, TCP, with right lengths and checksums. A frame
 * is built in place: gen_frame_room() says where the payload goes, the caller writes it there,
 * gen_frame_build() puts the headers before it.
 */

#include "profile.h"

#define GEN_TCP_FIN 0x01
#define GEN_TCP_SYN 0x02
#define GEN_TCP_RST 0x04
#define GEN_TCP_PSH 0x08
#define GEN_TCP_ACK 0x10

#define GEN_FRAME_MAX 9216

/* One end of a connection, as its packets show it. */
struct gen_end_state {
	uint8_t ip[16]; /* the first 4 bytes for IPv4 */
	uint16_t port;
	uint16_t ip_id;
	uint16_t window;
	uint8_t ttl, win_scale;
	uint32_t seq;     /* of the next byte */
	uint32_t ts_base; /* of the timestamp option's clock, in ms */
	uint32_t ts_last; /* what this end has last received of the other's clock */
};

/* What all frames of a connection have in common. */
struct gen_wire {
	uint8_t encap; /* enum gen_encap */
	bool v6, timestamps;
	uint16_t mss;
	uint16_t outer_id; /* IP id of the tunnel's next packet */
	uint32_t number;   /* VLAN, label, VNI, ERSPAN session */
	uint32_t tunnel_seq;
};

struct gen_packet {
	uint64_t ts_ns;
	uint8_t flags;
	uint32_t ack;
	uint32_t len; /* of the payload */
};

/* A frame on its way. */
struct gen_frame {
	uint64_t ts_ns;
	const uint8_t *bytes;
	uint32_t len;
	uint16_t ip_at; /* where the connection's own IP header begins */
	uint8_t dir;    /* who sends it: GEN_CLIENT, GEN_SERVER */
};

/* Offset of the connection's IP header in each of its frames. */
uint32_t gen_frame_ip_at(const struct gen_wire *wire);

/* Bytes of the longest frame of connections with that MSS. */
uint32_t gen_frame_longest(uint32_t mss, bool encapsulated);

/* Where the payload goes in a frame that begins at out. */
uint8_t *gen_frame_room(uint8_t *out, const struct gen_wire *wire, const struct gen_packet *packet);

/* Puts the headers; returns the frame's length. The sender's ip_id and seq move on, and the
 * receiver's ts_last. */
uint32_t gen_frame_build(uint8_t *out, struct gen_wire *wire, struct gen_end_state *from,
	struct gen_end_state *to, const struct gen_packet *packet, bool from_client);

/* Bytes of payload that a full segment holds: the MSS counts without options, RFC 6691. */
uint32_t gen_frame_segment_max(const struct gen_wire *wire);

#endif
