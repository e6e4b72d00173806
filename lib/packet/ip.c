/* SPDX-License-Identifier: BSD-3-Clause */
/* IP apart from IPv4's own header, which is on the fast path of packet.c. */
#include "walk.h"

#include <string.h>

#define EXTENSIONS_MAX 8

enum layer packet_ip_protocol(uint8_t protocol)
{
	switch (protocol) {
	case 4: return LAYER_IPV4; /* RFC 2003 */
	case 6: return LAYER_TCP;
	case 17: return LAYER_UDP;
	case 41: return LAYER_IPV6; /* RFC 4213 */
	case 47: return LAYER_GRE;
	default: return LAYER_NONE;
	}
}

enum et_drop packet_ip(struct walk *walk, struct et_segment *segment)
{
	(void)segment;
	if (walk->cur.n == 0)
		return ET_DROP_IP_SHORT;
	switch (walk->cur.p[0] >> 4) {
	case 4: walk->next = LAYER_IPV4; return ET_KEEP;
	case 6: walk->next = LAYER_IPV6; return ET_KEEP;
	default: return ET_DROP_NOT_IP;
	}
}

/* The length of an extension header, of which 8 bytes are there. 0: not an extension header. */
static size_t extension_len(uint8_t protocol, const uint8_t *header)
{
	switch (protocol) {
	case 0:   /* hop-by-hop options, RFC 8200 4.3 */
	case 43:  /* routing, 4.4 */
	case 60:  /* destination options, 4.6 */
	case 135: /* mobility, RFC 6275 */
	case 139: /* host identity, RFC 7401 */
	case 140: /* shim6, RFC 5533 */ return 8 * ((size_t)header[1] + 1);
	case 44: /* fragment, RFC 8200 4.5 */ return 8;
	case 51: /* authentication, RFC 4302 2.2 */ return 4 * ((size_t)header[1] + 2);
	default: return 0;
	}
}

enum et_drop packet_extensions(struct walk *walk, uint8_t *protocol)
{
	static const uint8_t none[8];
	const uint8_t *header;
	size_t len;

	for (unsigned int i = 0; extension_len(*protocol, none) > 0; i++) {
		if (i == EXTENSIONS_MAX || walk->cur.n < 8)
			return ET_DROP_IP_EXT;
		header = walk->cur.p;
		len = extension_len(*protocol, header);
		if (!walk_take(walk, len))
			return ET_DROP_IP_EXT;
		/* offset and "more"; both 0 is a whole packet, RFC 6946 */
		if (*protocol == 44 && be16(header + 2) & 0xfff9)
			return ET_DROP_FRAGMENT;
		*protocol = header[0];
	}
	return ET_KEEP;
}

/* RFC 8200 3 */
enum et_drop packet_ipv6(struct walk *walk, struct et_segment *segment)
{
	const uint8_t *header;
	enum et_drop drop;
	uint8_t protocol;

	walk_note_ip(walk);
	header = walk_take(walk, 40);
	if (!header)
		return ET_DROP_IP_SHORT;
	if (header[0] >> 4 != 6)
		return ET_DROP_IP_HEADER;
	memcpy(segment->src.b, header + 8, 16);
	memcpy(segment->dst.b, header + 24, 16);
	segment->ip_id = 0;
	/* length 0: a jumbogram (RFC 2675) or not yet cut by the NIC; the frame's length holds */
	if (be16(header + 4) != 0)
		walk_trim(walk, be16(header + 4));
	protocol = header[6];
	drop = packet_extensions(walk, &protocol);
	if (drop != ET_KEEP)
		return drop;
	walk->next = packet_ip_protocol(protocol);
	return walk->next == LAYER_NONE ? ET_DROP_NOT_TCP : ET_KEEP;
}
