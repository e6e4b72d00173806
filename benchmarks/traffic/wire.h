/*
 * Frames and the capture file: Ethernet, IPv4 or IPv6, TCP, with correct lengths and checksums.
 *
 * Packets are built in place in one output buffer: et_wire_begin() says where the payload goes, the
 * caller writes it there, et_wire_end() puts the headers before it. The writer owns its buffer.
 */
#ifndef ET_WIRE_H
#define ET_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define ET_TCP_FIN 0x01
#define ET_TCP_SYN 0x02
#define ET_TCP_RST 0x04
#define ET_TCP_PSH 0x08
#define ET_TCP_ACK 0x10

#define ET_MSS         1460u
#define ET_PAYLOAD_MAX ET_MSS

/* One end of a connection, as its packets show it. */
struct et_end {
	uint8_t ip[16]; /* the first 4 bytes for IPv4 */
	uint8_t mac[6];
	uint16_t port;
	uint16_t ip_id;
	uint8_t ttl;
	uint8_t win_scale;
	uint16_t window;
	uint32_t seq;     /* of the next byte */
	uint32_t ts_base; /* of the timestamp option's clock, in ms */
	uint32_t ts_last; /* what this end has last received of the other's clock */
};

/* What a packet is, beside its ends. */
struct et_packet {
	uint64_t ts_ns;
	bool v6;
	bool timestamps;
	uint8_t flags;
	uint32_t ack;
	uint32_t len; /* of the payload */
};

struct et_wire {
	int fd;
	uint8_t *buf;
	uint32_t used;
	uint64_t packets;
	uint64_t bytes; /* of frames */
};

/* Creates the file and writes its header. 0 or -errno. */
int et_wire_open(struct et_wire *w, const char *path);

/* Flushes, closes, frees. 0 or -errno; a second close is harmless. */
int et_wire_close(struct et_wire *w);

/* Where the payload of the next packet goes: room for ET_PAYLOAD_MAX bytes. NULL when the file
 * cannot be written (errno). */
uint8_t *et_wire_begin(struct et_wire *w, const struct et_packet *p);

/* Completes the packet begun last; the sender's ip_id and seq move on, the receiver's ts_last too. */
void et_wire_end(
	struct et_wire *w, struct et_end *from, struct et_end *to, const struct et_packet *p);

#endif
