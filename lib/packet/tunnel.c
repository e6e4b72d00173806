/* SPDX-License-Identifier: BSD-3-Clause */
/* What carries frames or packets within IP. A tunnel that is not followed counts as "not TCP". */
#include "walk.h"

static enum et_drop go(struct walk *walk, enum layer next)
{
	walk->next = next;
	return next == LAYER_NONE ? ET_DROP_NOT_TCP : ET_KEEP;
}

/* The tunnels in UDP are told by their port as destination. */
enum et_drop packet_udp(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 8);

	(void)segment;
	if (!header)
		return ET_DROP_NOT_TCP;
	switch (be16(header + 2)) {
	case 4789:
	case 8472: /* Linux, from before the registration */ return go(walk, LAYER_VXLAN);
	case 4790: return go(walk, LAYER_VXLAN_GPE);
	case 6081: return go(walk, LAYER_GENEVE);
	default: return ET_DROP_NOT_TCP;
	}
}

/* RFC 7348 5: the I bit must be set. */
enum et_drop packet_vxlan(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 8);

	(void)segment;
	return header && header[0] & 0x08 ? go(walk, LAYER_ETHERNET) : ET_DROP_NOT_TCP;
}

/* draft-ietf-nvo3-vxlan-gpe 3: the P bit announces the protocol in the fourth byte. */
enum et_drop packet_vxlan_gpe(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 8);

	(void)segment;
	if (!header || !(header[0] & 0x08))
		return ET_DROP_NOT_TCP;
	switch (header[0] & 0x04 ? header[3] : 3) {
	case 1: return go(walk, LAYER_IPV4);
	case 2: return go(walk, LAYER_IPV6);
	case 3: return go(walk, LAYER_ETHERNET);
	default: return ET_DROP_NOT_TCP;
	}
}

/* RFC 8926 3.4: version 0, options counted in words of 4 bytes. */
enum et_drop packet_geneve(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 8);

	(void)segment;
	if (!header || header[0] >> 6 != 0)
		return ET_DROP_NOT_TCP;
	if (!walk_take(walk, 4 * (size_t)(header[0] & 0x3f)))
		return ET_DROP_LINK_SHORT;
	return go(walk, packet_ether_type(be16(header + 2)));
}

/* RFC 2784 and RFC 2890; version 1 is the enhanced GRE of RFC 2637 4.1, which carries PPP. */
enum et_drop packet_gre(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 4);
	uint16_t flags;
	size_t len;

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	flags = be16(header);
	if ((flags & 7) > 1 || flags & 0x4000) /* source routes are not followed: RFC 1701 */
		return ET_DROP_NOT_TCP;
	/* checksum, key, sequence number, and version 1's acknowledgment: 4 bytes each */
	len = 4 * (size_t)__builtin_popcount(flags & ((flags & 7) == 1 ? 0xb080 : 0xb000));
	if (!walk_take(walk, len))
		return ET_DROP_LINK_SHORT;
	/* ERSPAN type I has no header of its own, and no sequence number in GRE's */
	if (be16(header + 2) == 0x88be && !(flags & 0x1000))
		return go(walk, LAYER_ETHERNET);
	return go(walk, packet_ether_type(be16(header + 2)));
}

/* draft-foschiano-erspan 4.2: type II is a fixed header. */
enum et_drop packet_erspan2(struct walk *walk, struct et_segment *segment)
{
	(void)segment;
	return walk_take(walk, 8) ? go(walk, LAYER_ETHERNET) : ET_DROP_LINK_SHORT;
}

/* draft-foschiano-erspan 4.3: type III; the O bit announces a subheader, FT 2 a bare IP packet. */
enum et_drop packet_erspan3(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 12);

	(void)segment;
	if (!header || (header[11] & 1 && !walk_take(walk, 8)))
		return ET_DROP_LINK_SHORT;
	switch (header[10] >> 2 & 0x1f) {
	case 0: return go(walk, LAYER_ETHERNET);
	case 2: return go(walk, LAYER_IP);
	default: return ET_DROP_NOT_TCP;
	}
}
