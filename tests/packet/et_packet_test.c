/* SPDX-License-Identifier: BSD-3-Clause */
/* Does every way to wrap a TCP segment give the same segment, and every fault its own reason? */
#include "et_packet.h"
#include "et_source.h"
#include "unit.h"

#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 512

/* Frames are written as hex digits, so that a row reads from the outside in. */
#define MACS                 "020000000001020000000002"
#define TCP                  "9c40001900000001000000025018040000000000"
#define DATA                 "45484c4f" /* EHLO */
#define SEG                  TCP DATA
#define IP4(total, protocol) "4500" total "1234400040" protocol "00000a0000010a000002"
#define V6A                  "20010db8000000000000000000000001"
#define V6B                  "20010db8000000000000000000000002"
#define IP6(len, next)       "60000000" len next "40" V6A V6B
#define PACKET               IP4("002c", "06") SEG
#define PACKET6              IP6("0018", "06") SEG
#define FRAME                MACS "0800" PACKET
#define EIGHT                "0001020304050607"
#define IPIP                 IP4("0040", "04")

struct row {
	const char *name;
	uint32_t link_type;
	const char *hex;
	enum et_drop drop;
	unsigned int extra; /* bytes on the wire behind what was captured */
	size_t payload;     /* captured bytes of it */
	uint32_t len;       /* bytes of it on the wire */
};

/* name, link type, frame, result, extra, payload, len */
static const struct row kept[] = {
	{ "ethernet", DLT_EN10MB, FRAME, ET_KEEP, 0, 4, 4 },
	{ "padding", DLT_EN10MB, FRAME "00000000000000", ET_KEEP, 0, 4, 4 },
	{ "cut", DLT_EN10MB, MACS "0800" IP4("03e8", "06") SEG, ET_KEEP, 956, 4, 960 },
	{ "cut, not told", DLT_EN10MB, MACS "0800" IP4("03e8", "06") SEG, ET_KEEP, 0, 4, 960 },
	{ "total 0", DLT_EN10MB, MACS "0800" IP4("0000", "06") SEG, ET_KEEP, 0, 4, 4 },
	{ "total 0, cut", DLT_EN10MB, MACS "0800" IP4("0000", "06") SEG, ET_KEEP, 70000, 4, 70004 },
	{ "ip options", DLT_EN10MB, MACS "08004600003012344000400600000a0000010a00000294040000" SEG,
		ET_KEEP, 0, 4, 4 },
	{ "tcp options", DLT_EN10MB,
		MACS "0800" IP4("0038", "06") "9c4000190000000100000002801804000000000001010402"
					      "0101010101010101"
					      "45484c4f",
		ET_KEEP, 0, 4, 4 },
	{ "1 tag", DLT_EN10MB, MACS "810000010800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "4 tags", DLT_EN10MB,
		MACS "88a80001910000029200000381000004"
		     "0800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "vn-tag, e-tag", DLT_EN10MB, MACS "892600000001893f0000000000000800" PACKET, ET_KEEP, 0,
		4, 4 },
	{ "metadata", DLT_EN10MB,
		MACS "8909010100010002"
		     "0800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "snap", DLT_EN10MB, MACS "0034aaaa030000000800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "tag and snap", DLT_EN10MB, MACS "810000010034aaaa030000f80800" PACKET, ET_KEEP, 0, 4,
		4 },
	{ "ipv6", DLT_EN10MB, MACS "86dd" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "ipv6 padding", DLT_EN10MB, MACS "86dd" PACKET6 "0000", ET_KEEP, 0, 4, 4 },
	{ "ipv6 length 0", DLT_EN10MB, MACS "86dd" IP6("0000", "06") SEG, ET_KEEP, 9, 4, 13 },
	{ "ipv6 extensions", DLT_EN10MB,
		MACS "86dd" IP6("0058", "00") "2b00010400000000"
					      "3c01000000000000" EIGHT "3300010400000000"
					      "2c04000000000000" EIGHT EIGHT "0600000000000007" SEG,
		ET_KEEP, 0, 4, 4 },
	{ "raw 4", DLT_RAW, PACKET, ET_KEEP, 0, 4, 4 },
	{ "raw 6", DLT_RAW, PACKET6, ET_KEEP, 0, 4, 4 },
	{ "raw 101", 101, PACKET, ET_KEEP, 0, 4, 4 },
	{ "raw 14", 14, PACKET, ET_KEEP, 0, 4, 4 },
	{ "ipv4", DLT_IPV4, PACKET, ET_KEEP, 0, 4, 4 },
	{ "ipv6 only", DLT_IPV6, PACKET6, ET_KEEP, 0, 4, 4 },
	{ "sll", DLT_LINUX_SLL, "00000001000602000000000100000800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "sll tag", DLT_LINUX_SLL,
		"00000001000602000000000100008100"
		"000186dd" PACKET6,
		ET_KEEP, 0, 4, 4 },
	{ "sll llc", DLT_LINUX_SLL, "00000001000602000000000100000004aaaa030000000800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "sll2", DLT_LINUX_SLL2, "0800000000000001000100060200000000010000" PACKET, ET_KEEP, 0, 4,
		4 },
	{ "sll2 tag", DLT_LINUX_SLL2,
		"8100000000000001000100060200000000010000"
		"00010800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "null le", DLT_NULL, "02000000" PACKET, ET_KEEP, 0, 4, 4 },
	{ "null be", DLT_NULL, "00000002" PACKET, ET_KEEP, 0, 4, 4 },
	{ "null 24", DLT_NULL, "18000000" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "null 28", DLT_NULL, "0000001c" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "null 30", DLT_NULL, "1e000000" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "null 10", DLT_NULL, "0a000000" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "loop", DLT_LOOP, "00000018" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "ppp", DLT_PPP, "ff030021" PACKET, ET_KEEP, 0, 4, 4 },
	{ "ppp, compressed", DLT_PPP, "21" PACKET, ET_KEEP, 0, 4, 4 },
	{ "ppp 6", DLT_PPP_SERIAL, "0057" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "pppd", DLT_PPP_PPPD, "01030021" PACKET, ET_KEEP, 0, 4, 4 },
	{ "ppp mpls", DLT_PPP,
		"ff030281"
		"00001140" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "hdlc", DLT_C_HDLC, "0f000800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "pppoe", DLT_EN10MB,
		MACS "8864"
		     "11000001002e0021" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "mpls", DLT_EN10MB,
		MACS "8847"
		     "0001004000012140" PACKET6,
		ET_KEEP, 0, 4, 4 },
	{ "mpls, control word", DLT_EN10MB,
		MACS "8847"
		     "00012140"
		     "00000000" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "mpls, ethernet", DLT_EN10MB,
		MACS "8847"
		     "00012140" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "ip in ip", DLT_EN10MB, MACS "0800" IPIP PACKET, ET_KEEP, 0, 4, 4 },
	{ "6in4", DLT_RAW, IP4("0054", "29") PACKET6, ET_KEEP, 0, 4, 4 },
	{ "4in6", DLT_RAW, IP6("002c", "04") PACKET, ET_KEEP, 0, 4, 4 },
	{ "ah", DLT_RAW, IP4("0044", "33") "0604000000000001" EIGHT EIGHT SEG, ET_KEEP, 0, 4, 4 },
	{ "gre", DLT_RAW, IP4("0044", "2f") "00000800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "gre, all fields", DLT_RAW,
		IP4("0050", "2f") "b0000800"
				  "00000000" EIGHT PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "gre bridge", DLT_RAW, IP4("0052", "2f") "00006558" FRAME, ET_KEEP, 0, 4, 4 },
	{ "pptp", DLT_RAW,
		IP4("0054", "2f") "3081880b" EIGHT "00000000"
				  "ff030021" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 1", DLT_RAW, IP4("0052", "2f") "000088be" FRAME, ET_KEEP, 0, 4, 4 },
	{ "erspan 2", DLT_RAW,
		IP4("005e", "2f") "100088be"
				  "00000001"
				  "1000000000000000" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 3", DLT_RAW,
		IP4("0062", "2f") "100022eb"
				  "00000001"
				  "200000000000000000000000" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 3, subheader", DLT_RAW,
		IP4("006a", "2f") "100022eb"
				  "00000001"
				  "200000000000000000000001" EIGHT FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 3, ip", DLT_RAW,
		IP4("0054", "2f") "100022eb"
				  "00000001"
				  "200000000000000000000800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan", DLT_RAW,
		IP4("005e", "11") "c00012b5004a0000"
				  "0800000000000100" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan-gpe", DLT_RAW,
		IP4("0050", "11") "c00012b6003c0000"
				  "0c00000100000100" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "geneve", DLT_RAW,
		IP4("0066", "11") "c00017c100520000"
				  "0200655800000100" EIGHT FRAME,
		ET_KEEP, 0, 4, 4 },
};

static const struct row dropped[] = {
	{ "link type", 105, FRAME, ET_DROP_LINK_TYPE, 0, 0, 0 },
	{ "empty", DLT_EN10MB, "", ET_DROP_LINK_SHORT, 0, 0, 0 },
	{ "arp", DLT_EN10MB, MACS "0806" EIGHT EIGHT, ET_DROP_NOT_IP, 0, 0, 0 },
	{ "stp", DLT_EN10MB, MACS "0026424203" EIGHT, ET_DROP_NOT_IP, 0, 0, 0 },
	{ "snap of others", DLT_EN10MB, MACS "0026aaaa0300000c2000" EIGHT, ET_DROP_NOT_IP, 0, 0,
		0 },
	{ "null of others", DLT_NULL, "07000000" PACKET, ET_DROP_NOT_IP, 0, 0, 0 },
	{ "ppp lcp", DLT_PPP, "ff03c021" EIGHT, ET_DROP_NOT_IP, 0, 0, 0 },
	{ "pppoe discovery", DLT_EN10MB,
		MACS "8864"
		     "110900000000" EIGHT,
		ET_DROP_NOT_IP, 0, 0, 0 },
	{ "raw 5", DLT_RAW, "55" PACKET, ET_DROP_NOT_IP, 0, 0, 0 },
	{ "5 tags", DLT_EN10MB, MACS "81000001810000028100000381000004810000050800" PACKET,
		ET_DROP_TAGS, 0, 0, 0 },
	{ "5 labels", DLT_EN10MB,
		MACS "8847"
		     "0000004000000040000000400000004000000140" PACKET,
		ET_DROP_TAGS, 0, 0, 0 },
	{ "ip in ip without end", DLT_RAW,
		IP4("0000", "04") IP4("0000", "04") IP4("0000", "04") IP4("0000", "04") IP4(
			"0000", "04") IP4("0000", "04") IP4("0000", "04") IP4("0000", "04")
			IP4("0000", "04") IP4("0000", "04") IP4("0000", "04") IP4("0000", "04") IP4(
				"0000", "04") IP4("0000", "04") IP4("0000", "04") IP4("0000", "04")
				IP4("0000", "04") IP4("0000", "04") IP4("0000", "04")
					IP4("0000", "04") IP4("0000", "04") IP4("0000", "04")
						IP4("0000", "04") IP4("0000", "04"),
		ET_DROP_TAGS, 0, 0, 0 },
	{ "ip short", DLT_EN10MB,
		MACS "0800"
		     "4500002c1234",
		ET_DROP_IP_SHORT, 0, 0, 0 },
	{ "ip options short", DLT_RAW, "4f00004012344000400600000a0000010a000002" EIGHT,
		ET_DROP_IP_SHORT, 40, 0, 0 },
	{ "ip version", DLT_EN10MB, MACS "0800" PACKET6, ET_DROP_IP_HEADER, 0, 0, 0 },
	{ "ip header length", DLT_RAW, "4400002c12344000400600000a0000010a000002" SEG,
		ET_DROP_IP_HEADER, 0, 0, 0 },
	{ "ip total length", DLT_RAW, IP4("0013", "06") SEG, ET_DROP_IP_HEADER, 0, 0, 0 },
	{ "ipv6 short", DLT_EN10MB,
		MACS "86dd"
		     "60000000001806",
		ET_DROP_IP_SHORT, 0, 0, 0 },
	{ "ipv6 version", DLT_EN10MB, MACS "86dd" PACKET "0000", ET_DROP_IP_HEADER, 0, 0, 0 },
	{ "ipv6 extension short", DLT_RAW, IP6("0020", "00") "06ff000000000000" SEG, ET_DROP_IP_EXT,
		0, 0, 0 },
	{ "9 extensions", DLT_RAW,
		IP6("0060", "00") "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0000000000000000"
				  "0600000000000000" SEG,
		ET_DROP_IP_EXT, 0, 0, 0 },
	{ "first fragment", DLT_EN10MB,
		MACS "0800"
		     "4500002c12342000400600000a0000010a000002" SEG,
		ET_DROP_FRAGMENT, 0, 0, 0 },
	{ "last fragment", DLT_EN10MB,
		MACS "0800"
		     "4500002c12340001400600000a0000010a000002" SEG,
		ET_DROP_FRAGMENT, 0, 0, 0 },
	{ "ipv6 first fragment", DLT_RAW, IP6("0020", "2c") "0600000100000007" SEG,
		ET_DROP_FRAGMENT, 0, 0, 0 },
	{ "ipv6 last fragment", DLT_RAW, IP6("0020", "2c") "0600000800000007" SEG, ET_DROP_FRAGMENT,
		0, 0, 0 },
	{ "icmp", DLT_RAW, IP4("001c", "01") EIGHT, ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "esp", DLT_RAW, IP6("0008", "32") EIGHT, ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "no next header", DLT_RAW, IP6("0000", "3b"), ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "dns", DLT_RAW, IP4("001c", "11") "c000003500080000", ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "gre routing", DLT_RAW, IP4("0044", "2f") "40000800" PACKET, ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "tcp short", DLT_RAW, IP4("002c", "06") "9c400019", ET_DROP_TCP_SHORT, 40, 0, 0 },
	{ "tcp options cut", DLT_RAW,
		IP4("003c", "06") "9c40001900000001000000028018040000000000"
				  "0101",
		ET_DROP_TCP_SHORT, 18, 0, 0 },
	{ "tcp header length", DLT_RAW, IP4("002c", "06") "9c400019000000010000000240180400" EIGHT,
		ET_DROP_TCP_HEADER, 0, 0, 0 },
	{ "tcp header too long", DLT_RAW,
		IP4("002c", "06") "9c4000190000000100000002f018040000000000" DATA,
		ET_DROP_TCP_HEADER, 0, 0, 0 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct et_frame build(uint8_t out[static FRAME_MAX], const struct row *row)
{
	size_t n = strlen(row->hex) / 2;

	for (size_t i = 0; i < n && i < FRAME_MAX; i++)
		out[i] = (uint8_t)(nibble(row->hex[2 * i]) << 4 | nibble(row->hex[2 * i + 1]));
	return (struct et_frame){ .data = out,
		.cap_len = (uint32_t)n,
		.len = (uint32_t)n + row->extra,
		.link_type = row->link_type };
}

static void fail(const struct row *row, const char *what, size_t at)
{
	fprintf(stderr, "%s: %s at %zu\n", row->name, what, at);
	CU_FAIL("see above");
}

static bool is_sound(const struct et_segment *segment, const struct et_frame *frame)
{
	const uint8_t *end = frame->data + frame->cap_len;

	return segment->payload.p >= frame->data && segment->payload.p <= end &&
	       segment->payload.n <= (size_t)(end - segment->payload.p) &&
	       segment->len >= segment->payload.n;
}

static bool has_fields(const struct et_segment *segment)
{
	static const uint8_t v6[] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	bool is_v4 = et_addr_is_v4(&segment->src);
	const uint8_t v4[] = { 10, 0, 0, 1 };
	struct et_addr src = et_addr_v4(v4);
	struct et_addr dst;

	if (!is_v4) {
		memcpy(src.b, v6, sizeof(v6));
		src.b[15] = 1;
	}
	dst = src;
	dst.b[15] = 2;
	return !et_addr_cmp(&segment->src, &src) && !et_addr_cmp(&segment->dst, &dst) &&
	       segment->src_port == 40000 && segment->dst_port == 25 && segment->seq == 1 &&
	       segment->ack == 2 && segment->flags == (ET_TCP_ACK | ET_TCP_PSH) &&
	       segment->window == 1024 && segment->ip_id == (is_v4 ? 0x1234 : 0);
}

static void test_kept(void)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < COUNT(kept); i++) {
		struct et_frame frame = build(bytes, &kept[i]);
		struct et_segment segment;

		memset(&segment, 0xee, sizeof(segment));
		if (et_packet_decode(&segment, &frame) != ET_KEEP)
			fail(&kept[i], "dropped", 0);
		else if (!has_fields(&segment))
			fail(&kept[i], "fields", 0);
		else if (segment.payload.n != kept[i].payload || segment.len != kept[i].len)
			fail(&kept[i], "length", segment.len);
		else if (memcmp(segment.payload.p + segment.payload.n - 4, "EHLO", 4) != 0)
			fail(&kept[i], "payload", 0);
	}
}

static void test_dropped(void)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < COUNT(dropped); i++) {
		struct et_frame frame = build(bytes, &dropped[i]);
		struct et_segment segment;
		enum et_drop drop = et_packet_decode(&segment, &frame);

		if (drop != dropped[i].drop)
			fail(&dropped[i], drop == ET_KEEP ? "kept" : et_drop_name(drop), 0);
	}
}

/* A frame cut by the snap length: dropped, or the same segment with less payload. */
static void cut(const struct row *row, size_t n)
{
	uint8_t bytes[FRAME_MAX];
	struct et_frame frame = build(bytes, row);
	uint8_t *exact = malloc(n ? n : 1);
	struct et_segment segment;

	if (!exact)
		return;
	memcpy(exact, bytes, n);
	frame.data = exact;
	frame.cap_len = (uint32_t)n;
	if (et_packet_decode(&segment, &frame) == ET_KEEP) {
		if (!is_sound(&segment, &frame))
			fail(row, "view leaves the frame", n);
		else if (row->drop == ET_KEEP && (!has_fields(&segment) || segment.len != row->len))
			fail(row, "segment changes with the snap length", n);
	}
	free(exact);
}

static void test_cut(void)
{
	for (size_t i = 0; i < COUNT(kept); i++) {
		for (size_t n = 0; n <= strlen(kept[i].hex) / 2; n++)
			cut(&kept[i], n);
	}
	for (size_t i = 0; i < COUNT(dropped); i++) {
		for (size_t n = 0; n <= strlen(dropped[i].hex) / 2; n++)
			cut(&dropped[i], n);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/*
 * Ethernet with IPv4 goes a shorter way through the code than raw IPv4: both must say the same.
 */
static void same_as_raw(const struct row *row, const struct et_frame *frame)
{
	struct et_frame raw = *frame;
	struct et_segment a, b;
	enum et_drop drop;

	if (frame->link_type != DLT_EN10MB || frame->cap_len < 15 || frame->data[12] != 8 ||
		frame->data[13] != 0 || frame->data[14] >> 4 != 4)
		return;
	raw.data += 14;
	raw.cap_len -= 14;
	raw.len -= 14;
	raw.link_type = DLT_RAW;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	drop = et_packet_decode(&a, frame);
	if (drop != et_packet_decode(&b, &raw))
		fail(row, "the short way decides otherwise", 0);
	else if (drop == ET_KEEP && memcmp(&a, &b, sizeof(a)) != 0)
		fail(row, "the short way finds another segment", 0);
}

static void test_mutated(void)
{
	uint32_t state = 20261122;

	for (size_t i = 0; i < COUNT(kept); i++) {
		for (unsigned int round = 0; round < 5000; round++) {
			uint8_t bytes[FRAME_MAX];
			struct et_frame frame = build(bytes, &kept[i]);
			uint8_t *exact = malloc(frame.cap_len);
			struct et_segment segment;

			if (!exact)
				return;
			for (unsigned int k = next_random(&state) % 4 + 1; k > 0; k--)
				bytes[next_random(&state) % frame.cap_len] =
					(uint8_t)next_random(&state);
			memcpy(exact, bytes, frame.cap_len);
			frame.data = exact;
			if (et_packet_decode(&segment, &frame) == ET_KEEP &&
				!is_sound(&segment, &frame))
				fail(&kept[i], "view leaves the frame, round", round);
			same_as_raw(&kept[i], &frame);
			free(exact);
		}
	}
}

/* Every link type over bytes that were never meant for it. */
static void test_random(void)
{
	uint32_t state = 7;

	for (uint32_t link_type = 0; link_type < 300; link_type++) {
		for (unsigned int round = 0; round < 300; round++) {
			struct row row = kept[next_random(&state) % COUNT(kept)];
			uint8_t bytes[FRAME_MAX];
			struct et_segment segment;
			struct et_frame frame;

			row.link_type = link_type;
			frame = build(bytes, &row);
			if (et_packet_decode(&segment, &frame) == ET_KEEP &&
				!is_sound(&segment, &frame))
				fail(&row, "view leaves the frame, link type", link_type);
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "kept", test_kept }, { "dropped", test_dropped },
		{ "cut at every length", test_cut }, { "mutated", test_mutated },
		{ "other link types", test_random }, CU_TEST_INFO_NULL };

	return unit_run("packet", tests);
}
