/* SPDX-License-Identifier: BSD-3-Clause */

/* A capture in memory, and what must be known of its frames to rewrite and to split them. */

#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#define ETHER_LEN   14
#define TYPE_V4     0x0800
#define TYPE_V6     0x86dd
#define TYPE_VLAN   0x8100
#define TYPE_QINQ   0x88a8
#define TCP         6
#define TCP_FLAGS   13
#define SYN         0x02
#define ACK         0x10
#define V6_LOW_WORD 8 /* of an address: in the interface's half */

static uint32_t be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t words(const uint8_t *p, size_t n)
{
	uint32_t sum = 0, word;

	for (size_t i = 0; i < n; i += 4) {
		memcpy(&word, p + i, 4);
		sum ^= word;
	}
	return sum;
}

static void look_at_tcp(struct replay_frame *f, uint32_t at)
{
	const uint8_t *p = f->data + at;

	if (f->len < at + TCP_FLAGS + 1)
		return;
	f->hash ^= be16(p) ^ be16(p + 2);
	f->opens = (p[TCP_FLAGS] & (SYN | ACK)) == SYN;
}

/* Fragments and extension headers: addresses alone choose the queue. */
static void look_at(struct replay_frame *f)
{
	uint32_t at = ETHER_LEN, type = f->len >= at ? be16(f->data + 12) : 0;
	const uint8_t *ip;

	for (; (type == TYPE_VLAN || type == TYPE_QINQ) && f->len >= at + 4; at += 4)
		type = be16(f->data + at + 2);
	ip = f->data + at;
	if (type == TYPE_V4 && f->len >= at + 20) {
		f->src_at = (uint16_t)(at + 12);
		f->dst_at = (uint16_t)(at + 16);
		f->hash = words(ip + 12, 8);
		if (ip[9] == TCP && (be16(ip + 6) & 0x3fff) == 0)
			look_at_tcp(f, at + 4 * (ip[0] & 15u));
	} else if (type == TYPE_V6 && f->len >= at + 40) {
		f->src_at = (uint16_t)(at + 8 + V6_LOW_WORD);
		f->dst_at = (uint16_t)(at + 24 + V6_LOW_WORD);
		f->hash = words(ip + 8, 32);
		if (ip[6] == TCP)
			look_at_tcp(f, at + 40);
	}
	f->hash *= 0x9e3779b1u;
}

static int refuse(char error[static REPLAY_ERROR], const char *path, const char *what)
{
	snprintf(error, REPLAY_ERROR, "%s: %s", path, what);
	return -1;
}

static void take(struct replay_capture *c, const struct pcap_pkthdr *header, const u_char *data)
{
	struct replay_frame *f = &c->frames[c->cnt];

	memcpy(c->bytes + c->bytes_cnt, data, header->caplen);
	*f = (struct replay_frame){ .data = c->bytes + c->bytes_cnt, .len = header->caplen };
	look_at(f);
}

/* Twice: to know how much there is, and, where there is room for it, to take it. */
static int pass(struct replay_capture *c, char error[static REPLAY_ERROR], const char *path)
{
	size_t most = c->cnt, most_bytes = c->bytes_cnt;
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const u_char *data;
	int ret;

	if (!pcap)
		return -1;
	c->cnt = c->bytes_cnt = 0;
	while ((ret = pcap_next_ex(pcap, &header, &data)) == 1) {
		if (c->frames && (c->cnt == most || header->caplen > most_bytes - c->bytes_cnt))
			break; /* somebody still writes it */
		if (c->frames)
			take(c, header, data);
		c->cnt++;
		c->bytes_cnt += header->caplen;
	}
	if (ret == -1)
		ret = refuse(error, path, pcap_geterr(pcap));
	else if (pcap_datalink(pcap) != DLT_EN10MB)
		ret = refuse(error, path, "its link type is not Ethernet");
	pcap_close(pcap);
	return ret == -1 ? -1 : 0;
}

int replay_load(struct replay_capture *out, char error[static REPLAY_ERROR], const char *path)
{
	static_assert(REPLAY_ERROR >= PCAP_ERRBUF_SIZE, "libpcap's sentences fit");

	*out = (struct replay_capture){ 0 };
	if (pass(out, error, path) != 0)
		return -1;
	if (out->cnt == 0)
		return refuse(error, path, "there is no frame in it");
	out->frames = calloc(out->cnt, sizeof(*out->frames));
	out->bytes = malloc(out->bytes_cnt);
	if (!out->frames || !out->bytes) {
		replay_unload(out);
		return refuse(error, path, "no memory for it");
	}
	return pass(out, error, path);
}

void replay_unload(struct replay_capture *capture)
{
	free(capture->frames);
	free(capture->bytes);
	*capture = (struct replay_capture){ 0 };
}
