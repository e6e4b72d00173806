/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_DROP_H
#define ET_DROP_H

/*
 * Every reason for which a packet or a part of a connection is given up. Each is a counter that
 * the user can see: in the printed summary, and in the `capture` object of the minute row under
 * the name given here.
 */

#include "et_base.h"

#define ET_DROPS(X)                                                                             \
	/* packet: what carried the frame */                                                    \
	X(LINK_TYPE, "link_type", "link type of the capture is not known")                      \
	X(LINK_SHORT, "link_short", "frame ends within the link-layer header")                  \
	X(NOT_IP, "not_ip", "neither IPv4 nor IPv6")                                            \
	X(TAGS, "tags", "more VLAN tags or encapsulations than are followed")                   \
	/* packet: the network header */                                                        \
	X(IP_SHORT, "ip_short", "packet ends within the IP header")                             \
	X(IP_HEADER, "ip_header", "IP header contradicts itself")                               \
	X(IP_EXT, "ip_ext", "IPv6 extension headers broken or too many")                        \
	X(FRAGMENT, "fragment", "IP fragment that cannot be put together")                      \
	X(NOT_TCP, "not_tcp", "not TCP")                                                        \
	/* packet: the transport header */                                                      \
	X(TCP_SHORT, "tcp_short", "packet ends within the TCP header")                          \
	X(TCP_HEADER, "tcp_header", "TCP header contradicts itself")                            \
	/* flow */                                                                              \
	X(NO_FLOW, "no_flow", "segment without data of a connection that is not followed")      \
	X(FLOW_TABLE, "flow_table", "connection evicted: the table is full")                    \
	X(UNDECIDED, "undecided", "connection not parsed: the pool of parsers is empty")        \
	X(TCP_WINDOW, "tcp_window", "segment far outside the sequence space in use")            \
	X(TCP_HOLD, "tcp_hold", "out-of-order data given up: the hold is full")                 \
	/* match, mail, tls */                                                                  \
	X(NOT_MAIL, "not_mail", "connection given up: neither mail nor TLS in its first bytes") \
	X(MAIL_LINE, "mail_line", "line longer than is kept")                                   \
	X(TLS_RECORD, "tls_record", "TLS record that contradicts itself")                       \
	X(TLS_MESSAGE, "tls_message", "handshake message that contradicts itself")              \
	X(TLS_TOO_LONG, "tls_too_long", "handshake message longer than is kept")                \
	X(TLS_MEMORY, "tls_memory", "handshake message lost: no buffer free")                   \
	X(DICT, "dict", "name, hello or certificate not kept: the dictionary is full")

enum et_drop {
#define X(id, name, text) ET_DROP_##id,
	ET_DROPS(X)
#undef X
		ET_DROP_MAX,
	ET_KEEP = -1, /* nothing is wrong with it */
};

/* The name in records, and the sentence for people. drop must be < ET_DROP_MAX. */
const char *et_drop_name(enum et_drop drop);
const char *et_drop_text(enum et_drop drop);

#endif
