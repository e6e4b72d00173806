/* SPDX-License-Identifier: BSD-3-Clause */
#include "rows.h"

#include <pcap/dlt.h>

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
#define VXLAN                IP4("005e", "11") "c00012b5004a00000800000000000100" FRAME
#define FRAG4(field)         "4500002c1234" field "400600000a0000010a000002" SEG

/* name, link type, frame, result, extra, payload, len */
const struct row kept[] = {
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
	{ "ah", DLT_RAW, IP4("0044", "33") "0604000000000001" EIGHT EIGHT SEG, ET_KEEP, 0, 4, 4 },
	{ "802.1ad and 802.1q", DLT_EN10MB, MACS "88a800018100000286dd" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "802.1q twice", DLT_EN10MB, MACS "81000001810000020800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "0x9100 twice", DLT_EN10MB, MACS "91000001910000020800" PACKET, ET_KEEP, 0, 4, 4 },
	{ "4 labels", DLT_EN10MB,
		MACS "8847"
		     "00001040000020400000304000004140" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "mpls in a tag", DLT_EN10MB, MACS "81000001884700012140" PACKET, ET_KEEP, 0, 4, 4 },
	{ "pppoe in two tags", DLT_EN10MB,
		MACS "88a80001810000028864"
		     "1100000100420057" PACKET6,
		ET_KEEP, 0, 4, 4 },
	{ "ipv6, whole in a fragment header", DLT_RAW, IP6("0020", "2c") "0600000000000007" SEG,
		ET_KEEP, 0, 4, 4 },
};

const struct row carried[] = {
	{ "ip in ip", DLT_EN10MB, MACS "0800" IPIP PACKET, ET_KEEP, 0, 4, 4 },
	{ "6in4", DLT_RAW, IP4("0054", "29") PACKET6, ET_KEEP, 0, 4, 4 },
	{ "4in6", DLT_RAW, IP6("002c", "04") PACKET, ET_KEEP, 0, 4, 4 },
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
	{ "ip in ip, three deep", DLT_RAW, IP4("0054", "04") IPIP PACKET, ET_KEEP, 0, 4, 4 },
	{ "6in6", DLT_RAW, IP6("0040", "29") PACKET6, ET_KEEP, 0, 4, 4 },
	{ "6in4, tagged twice", DLT_EN10MB,
		MACS "88a80001810000020800" IP4("0054", "29") PACKET6 "0000", ET_KEEP, 0, 4, 4 },
	{ "gre, checksum", DLT_RAW, IP4("0048", "2f") "8000080000000000" PACKET, ET_KEEP, 0, 4, 4 },
	{ "gre, key", DLT_RAW, IP4("0048", "2f") "2000080000000007" PACKET, ET_KEEP, 0, 4, 4 },
	{ "gre, sequence number", DLT_RAW, IP4("0048", "2f") "1000080000000009" PACKET, ET_KEEP, 0,
		4, 4 },
	{ "gre over ipv6, ipv6", DLT_RAW, IP6("0044", "2f") "000086dd" PACKET6, ET_KEEP, 0, 4, 4 },
	{ "gre, mpls", DLT_RAW, IP4("0048", "2f") "0000884700012140" PACKET, ET_KEEP, 0, 4, 4 },
	{ "nvgre", DLT_RAW, IP4("0056", "2f") "2000655800000701" FRAME, ET_KEEP, 0, 4, 4 },
	{ "erspan 1, tagged within", DLT_EN10MB,
		MACS "0800" IP4("0056", "2f") "000088be" MACS "810000010800" PACKET, ET_KEEP, 0, 4,
		4 },
	{ "erspan 2 in a tag, tagged within", DLT_EN10MB,
		MACS "810000010800" IP4("0062", "2f") "100088be"
						      "00000001"
						      "1000000000000000" MACS "810000020800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 3 over ipv6", DLT_EN10MB,
		MACS "86dd" IP6("004e", "2f") "100022eb"
					      "00000001"
					      "200000000000000000000000" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "erspan 2, vxlan within", DLT_RAW,
		IP4("009e", "2f") "100088be"
				  "00000001"
				  "1000000000000000" MACS "0800" VXLAN,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan, 8472", DLT_RAW,
		IP4("005e", "11") "c0002118004a0000"
				  "0800000000000100" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan over ipv6", DLT_EN10MB,
		MACS "86dd" IP6("004a", "11") "c00012b5004a0000"
					      "0800000000000100" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan, group policy", DLT_RAW,
		IP4("005e", "11") "c00012b5004a0000"
				  "8800000100000100" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan, four tags around and within", DLT_EN10MB,
		MACS "88a80001810000028100000391000004"
		     "0800" IP4("006e", "11") "c00012b5005a0000"
					      "0800000000000100" MACS
					      "88a80001810000028100000391000004"
					      "0800" PACKET,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan in pppoe", DLT_EN10MB,
		MACS "8864"
		     "1100000100600021" VXLAN,
		ET_KEEP, 0, 4, 4 },
	{ "vxlan-gpe, ipv6", DLT_RAW,
		IP4("0064", "11") "c00012b600500000"
				  "0c00000200000100" PACKET6,
		ET_KEEP, 0, 4, 4 },
	{ "geneve without options", DLT_RAW,
		IP4("005e", "11") "c00017c1004a0000"
				  "0000655800000100" FRAME,
		ET_KEEP, 0, 4, 4 },
	{ "geneve over ipv6, bare ip", DLT_RAW,
		IP6("004c", "11") "c00017c1004c0000"
				  "0440080000000100" EIGHT EIGHT PACKET,
		ET_KEEP, 0, 4, 4 },
};

const struct row dropped[] = {
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
	{ "vxlan without a network", DLT_RAW,
		IP4("005e", "11") "c00012b5004a0000"
				  "0000000000000100" FRAME,
		ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "geneve, version 1", DLT_RAW,
		IP4("005e", "11") "c00017c1004a0000"
				  "4000655800000100" FRAME,
		ET_DROP_NOT_TCP, 0, 0, 0 },
	{ "gre, version 2", DLT_RAW, IP4("0044", "2f") "00020800" PACKET, ET_DROP_NOT_TCP, 0, 0,
		0 },
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

/* name, link type, frame, offset of the IP header, whether it is carried by another */
const struct fragment_row fragments[] = {
	{ "first", DLT_EN10MB, MACS "0800" FRAG4("2000"), 14, false },
	{ "last", DLT_EN10MB, MACS "0800" FRAG4("0001"), 14, false },
	{ "between", DLT_EN10MB, MACS "0800" FRAG4("3fff"), 14, false },
	{ "raw", DLT_RAW, FRAG4("2000"), 0, false },
	{ "in a tag", DLT_EN10MB, MACS "810000010800" FRAG4("2000"), 18, false },
	{ "in pppoe and mpls", DLT_EN10MB,
		MACS "8864"
		     "1100000100320281"
		     "00001140" FRAG4("2000"),
		26, false },
	{ "ipv6 first", DLT_RAW, IP6("0020", "2c") "0600000100000007" SEG, 0, false },
	{ "ipv6 last", DLT_RAW, IP6("0020", "2c") "0600000800000007" SEG, 0, false },
	{ "ipv6, behind options", DLT_EN10MB,
		MACS "86dd" IP6("0028", "00") "2c00010400000000"
					      "0600000100000007" SEG,
		14, false },
	{ "ipv6, behind a whole one", DLT_EN10MB,
		MACS "86dd" IP6("0028", "2c") "2c00000000000007"
					      "0600000100000007" SEG,
		14, false },
	{ "of the outer packet", DLT_EN10MB,
		MACS "0800"
		     "4500004012342000400400000a0000010a000002" PACKET,
		14, false },
	{ "in ip", DLT_RAW, IPIP FRAG4("2000"), 20, true },
	{ "in ip, three deep", DLT_RAW, IP4("0054", "04") IPIP FRAG4("2000"), 40, true },
	{ "ipv6 in ip", DLT_RAW, IP4("005c", "29") IP6("0020", "2c") "0600000100000007" SEG, 20,
		true },
	{ "in gre", DLT_RAW, IP4("0044", "2f") "00000800" FRAG4("2000"), 24, true },
	{ "in erspan 2, in a tag", DLT_EN10MB,
		MACS "810000010800" IP4("005e", "2f") "100088be"
						      "00000001"
						      "1000000000000000" MACS "0800" FRAG4("0001"),
		68, true },
	{ "in vxlan over ipv6", DLT_EN10MB,
		MACS "86dd" IP6("004a", "11") "c00012b5004a0000"
					      "0800000000000100" MACS "0800" FRAG4("2000"),
		84, true },
	{ "in geneve", DLT_RAW,
		IP4("0066", "11") "c00017c100520000"
				  "0200655800000100" EIGHT MACS "0800" FRAG4("2000"),
		58, true },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const size_t kept_cnt = COUNT(kept);
const size_t carried_cnt = COUNT(carried);
const size_t dropped_cnt = COUNT(dropped);
const size_t fragments_cnt = COUNT(fragments);
