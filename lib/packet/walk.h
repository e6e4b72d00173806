/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_WALK_H
#define PACKET_WALK_H

/*
 * A frame is walked layer by layer. Each layer is a step: it proves that its header is there,
 * moves the walk behind it and names the layer that follows. packet.c holds the loop, which is
 * bounded; a new encapsulation is a new layer, a row in its table and a step.
 *
 * Private to the packet room.
 */

#include "et_packet.h"
#include "et_wire.h"

enum layer {
	LAYER_NONE, /* nothing known follows; a step gives a reason instead */
	LAYER_ETHERNET,
	LAYER_TYPED, /* an EtherType and what it announces */
	LAYER_LLC,
	LAYER_SLL,
	LAYER_SLL2,
	LAYER_FAMILY, /* null/loopback: an address family and what it announces */
	LAYER_PPP,
	LAYER_HDLC,
	LAYER_PPPOE,
	LAYER_MPLS,
	LAYER_IP, /* told by the version field */
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_UDP,
	LAYER_VXLAN,
	LAYER_VXLAN_GPE,
	LAYER_GENEVE,
	LAYER_GRE,
	LAYER_ERSPAN2,
	LAYER_ERSPAN3,
	LAYER_TCP,
	LAYER_MAX,
};

/* Tags (VLAN and their like) behind one Ethernet header, labels in one MPLS stack. */
#define TAGS_MAX 4

struct walk {
	struct et_cur cur; /* what was captured, from the next header on */
	uint64_t wire;     /* as long as it was on the wire; may be more than cur.n */
	enum layer next;
	unsigned int tags;
	const uint8_t *ip; /* the last IP header come to */
	unsigned int ips;  /* how many there were: all but the first are carried by another */
	bool stated;       /* wire is what a header said */
};

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/*
 * Moves the walk behind a header of n bytes and returns the header. NULL when the capture does
 * not hold it all. The wire length never falls behind what was captured.
 */
static inline const uint8_t *walk_take(struct walk *walk, size_t n)
{
	struct et_view header = et_take(&walk->cur, n);

	if (et_unlikely(!et_ok(&walk->cur)))
		return NULL;
	walk->wire = walk->wire > n ? walk->wire - n : 0;
	return header.p;
}

/*
 * A header says that n bytes follow on the wire: what is behind them is padding or a trailer. It
 * is believed also when the frame is shorter, as a frame may be cut without saying so, but not
 * against an outer header that said less.
 */
static inline void walk_trim(struct walk *walk, size_t n)
{
	if (!walk->stated || n < walk->wire)
		walk->wire = n;
	walk->stated = true;
	if (walk->cur.n > n)
		walk->cur.n = n;
}

/* The walk stands before what should be an IP header. */
static inline void walk_note_ip(struct walk *walk)
{
	walk->ip = walk->cur.p;
	walk->ips++;
}

/* The layer that a number announces, LAYER_NONE when it is none that is followed. */
enum layer packet_ether_type(uint16_t type);
enum layer packet_ip_protocol(uint8_t protocol);

/* ET_KEEP when walk stands before walk->next. */
typedef enum et_drop packet_step(struct walk *walk, struct et_segment *segment);

packet_step packet_ethernet, packet_typed, packet_llc, packet_sll, packet_sll2, packet_family,
	packet_ppp, packet_hdlc, packet_pppoe, packet_mpls;                        /* link.c */
packet_step packet_ip, packet_ipv6;                                                /* ip.c */
packet_step packet_udp, packet_vxlan, packet_vxlan_gpe, packet_geneve, packet_gre, /* tunnel.c */
	packet_erspan2, packet_erspan3;

/* IPv6 extension headers, and AH in IPv4: moves behind them, *protocol becomes what follows. */
enum et_drop packet_extensions(struct walk *walk, uint8_t *protocol);

#endif
