/* SPDX-License-Identifier: BSD-3-Clause */
/* What lies below IP: link layers, tags, labels. */
#include "walk.h"

#define ETHER_TYPE_MIN 0x0600 /* below: a length, IEEE 802.3 3.2.6 */

enum layer packet_ether_type(uint16_t type)
{
	switch (type) {
	case 0x0800: return LAYER_IPV4;
	case 0x86dd: return LAYER_IPV6;
	case 0x6558: return LAYER_ETHERNET; /* transparent bridging, in GRE and GENEVE */
	case 0x8847:
	case 0x8848: /* RFC 5332: upstream-assigned labels */ return LAYER_MPLS;
	case 0x8864: return LAYER_PPPOE;
	case 0x880b: return LAYER_PPP; /* in GRE, RFC 2637 */
	case 0x88be: return LAYER_ERSPAN2;
	case 0x22eb: return LAYER_ERSPAN3;
	default: return LAYER_NONE;
	}
}

/* Tags: bytes between their EtherType and the next one. 0: not a tag. */
static size_t tag_len(uint16_t type)
{
	switch (type) {
	case 0x8100: /* IEEE 802.1Q */
	case 0x88a8: /* IEEE 802.1ad */
	case 0x9100: /* QinQ before 802.1ad */
	case 0x9200: return 2;
	case 0x8926: return 4; /* VN-Tag */
	case 0x893f:           /* IEEE 802.1BR E-Tag */
	case 0x8909: /* Cisco MetaData with one option: version, length, type, value */ return 6;
	default: return 0;
	}
}

static enum et_drop go(struct walk *walk, enum layer next)
{
	walk->next = next;
	return next == LAYER_NONE ? ET_DROP_NOT_IP : ET_KEEP;
}

/* What an EtherType announces: a layer, or a tag, behind which stands a further EtherType. */
static enum et_drop go_ether_type(struct walk *walk, uint16_t type)
{
	size_t len = tag_len(type);

	if (len == 0)
		return go(walk, packet_ether_type(type));
	if (walk->tags++ == TAGS_MAX)
		return ET_DROP_TAGS;
	walk->next = LAYER_TYPED;
	return walk_take(walk, len) ? ET_KEEP : ET_DROP_LINK_SHORT;
}

/* An EtherType, or in its place a length, behind which stands LLC. */
static enum et_drop go_type_or_len(struct walk *walk, uint16_t type)
{
	if (type >= ETHER_TYPE_MIN)
		return go_ether_type(walk, type);
	walk->next = LAYER_LLC;
	return ET_KEEP;
}

enum et_drop packet_ethernet(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 14);

	(void)segment;
	walk->tags = 0;
	return header ? go_type_or_len(walk, be16(header + 12)) : ET_DROP_LINK_SHORT;
}

enum et_drop packet_typed(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 2);

	(void)segment;
	return header ? go_type_or_len(walk, be16(header)) : ET_DROP_LINK_SHORT;
}

/* IEEE 802.2 with SNAP, RFC 1042; OUI 00-00-f8 is the bridge tunnel of IEEE 802.1H. */
enum et_drop packet_llc(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 8);
	uint32_t oui;

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	oui = be32(header + 2) & 0xffffff;
	if (be16(header) != 0xaaaa || header[2] != 3 || (oui != 0 && oui != 0xf8))
		return ET_DROP_NOT_IP;
	return go_ether_type(walk, be16(header + 6));
}

enum et_drop packet_sll(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 16);

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	/* below 0x0600 stand Linux's own numbers, of which 4 is 802.2 */
	if (be16(header + 14) == 4)
		return go(walk, LAYER_LLC);
	return go_ether_type(walk, be16(header + 14));
}

enum et_drop packet_sll2(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 20);

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	if (be16(header) == 4)
		return go(walk, LAYER_LLC);
	return go_ether_type(walk, be16(header));
}

/* The family is in the byte order of the capturing host, which may be another than ours. */
enum et_drop packet_family(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 4);
	uint32_t family;

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	family = be32(header);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2: return go(walk, LAYER_IPV4);
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */ return go(walk, LAYER_IPV6);
	default: return ET_DROP_NOT_IP;
	}
}

/* RFC 1661 2, with or without the address and control bytes of RFC 1662. */
enum et_drop packet_ppp(struct walk *walk, struct et_segment *segment)
{
	struct et_view bytes = et_view_cur(walk->cur);
	const uint8_t *header;

	(void)segment;
	/* the first byte is a direction in the captures of pppd */
	if (bytes.n >= 2 && (bytes.p[0] == 0xff || bytes.p[0] <= 1) && bytes.p[1] == 3)
		walk_take(walk, 2);
	/* a first byte that is odd is a protocol in one byte, RFC 1661 6.5 */
	if (walk->cur.n > 0 && walk->cur.p[0] & 1) {
		header = walk_take(walk, 1);
		return go(walk, header[0] == 0x21   ? LAYER_IPV4
				: header[0] == 0x57 ? LAYER_IPV6
						    : LAYER_NONE);
	}
	header = walk_take(walk, 2);
	if (!header)
		return ET_DROP_LINK_SHORT;
	switch (be16(header)) {
	case 0x0021: return go(walk, LAYER_IPV4);
	case 0x0057: return go(walk, LAYER_IPV6);
	case 0x0281: return go(walk, LAYER_MPLS);
	default: return ET_DROP_NOT_IP;
	}
}

/* Cisco HDLC: address, control, EtherType. */
enum et_drop packet_hdlc(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 4);

	(void)segment;
	return header ? go_ether_type(walk, be16(header + 2)) : ET_DROP_LINK_SHORT;
}

/* A session packet of RFC 2516: version and type 1, code 0. */
enum et_drop packet_pppoe(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header = walk_take(walk, 6);

	(void)segment;
	if (!header)
		return ET_DROP_LINK_SHORT;
	if (header[0] != 0x11 || header[1] != 0)
		return ET_DROP_NOT_IP;
	if (be16(header + 4) != 0)
		walk_trim(walk, be16(header + 4));
	return go(walk, LAYER_PPP);
}

/* Whether an Ethernet header stands here; asked where only a look at it can tell. */
static bool is_ethernet(const struct walk *walk)
{
	uint16_t type = walk->cur.n < 14 ? 0 : be16(walk->cur.p + 12);

	return tag_len(type) > 0 || packet_ether_type(type) != LAYER_NONE;
}

/*
 * A label stack of RFC 3032. It does not say what it carries, so the first bits behind it do: the
 * version of IP, or 0 for the control word of RFC 4385 before an Ethernet frame, which may lack.
 */
enum et_drop packet_mpls(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header;
	unsigned int labels = 0;

	(void)segment;
	do {
		if (labels++ == TAGS_MAX)
			return ET_DROP_TAGS;
		header = walk_take(walk, 4);
		if (!header)
			return ET_DROP_LINK_SHORT;
	} while (!(header[2] & 1));
	if (walk->cur.n == 0)
		return ET_DROP_LINK_SHORT;
	if (walk->cur.p[0] >> 4 == 4)
		return go(walk, LAYER_IPV4);
	if (walk->cur.p[0] >> 4 == 6)
		return go(walk, LAYER_IPV6);
	if (is_ethernet(walk))
		return go(walk, LAYER_ETHERNET);
	if (walk->cur.p[0] >> 4 != 0)
		return ET_DROP_NOT_IP;
	walk->next = LAYER_ETHERNET;
	return walk_take(walk, 4) ? ET_KEEP : ET_DROP_LINK_SHORT;
}
