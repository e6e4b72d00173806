/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <string.h>

#define ETH_HEAD 14
#define ETH_MIN  60
#define SYN_OPTS 20
#define TS_OPTS  12

#define GENEVE_OPTS 8

static const uint8_t overhead[GEN_ENCAPS] = {
	[GEN_PLAIN] = ETH_HEAD,
	[GEN_VLAN] = ETH_HEAD + 4,
	[GEN_QINQ] = ETH_HEAD + 8,
	[GEN_MPLS] = ETH_HEAD + 4,
	[GEN_GRE] = ETH_HEAD + 20 + 4,
	[GEN_ERSPAN] = ETH_HEAD + 20 + 8 + 8 + ETH_HEAD,
	[GEN_VXLAN] = ETH_HEAD + 20 + 8 + 8 + ETH_HEAD,
	[GEN_GENEVE] = ETH_HEAD + 20 + 8 + 8 + GENEVE_OPTS + ETH_HEAD,
	[GEN_ERSPAN3] = ETH_HEAD + 20 + 8 + 12 + ETH_HEAD,
};

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint32_t ip_head(const struct gen_wire *w)
{
	return w->v6 ? 40 : 20;
}

static uint32_t tcp_opts(const struct gen_wire *w, const struct gen_packet *p)
{
	if (p->flags & GEN_TCP_SYN)
		return w->timestamps ? SYN_OPTS : TS_OPTS;
	return w->timestamps ? TS_OPTS : 0;
}

uint32_t gen_frame_segment_max(const struct gen_wire *w)
{
	return w->mss - (w->timestamps ? TS_OPTS : 0u) - (w->v6 ? 20u : 0u);
}

/* Sum of 16-bit words as they lie in memory: the folded result is in network order too. */
static uint64_t sum_bytes(const uint8_t *p, uint32_t len)
{
	uint64_t sum = 0, more = 0, word[2];

	for (; len >= 16; p += 16, len -= 16) {
		memcpy(word, p, 16);
		sum += (word[0] & UINT32_MAX) + (word[0] >> 32);
		more += (word[1] & UINT32_MAX) + (word[1] >> 32);
	}
	word[0] = word[1] = 0;
	memcpy(word, p, len);
	sum += (word[0] & UINT32_MAX) + (word[0] >> 32);
	return sum + more + (word[1] & UINT32_MAX) + (word[1] >> 32);
}

static void put_sum(uint8_t *at, uint64_t sum)
{
	uint16_t folded;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)~sum;
	memcpy(at, &folded, 2);
}

uint32_t gen_frame_ip_at(const struct gen_wire *w)
{
	return overhead[w->encap];
}

uint32_t gen_frame_longest(uint32_t mss, bool encapsulated)
{
	uint32_t head = ETH_HEAD;

	for (unsigned i = 0; encapsulated && i < GEN_ENCAPS; i++)
		head = overhead[i] > head ? overhead[i] : head;
	return head + 40 + mss;
}

uint8_t *gen_frame_room(uint8_t *out, const struct gen_wire *w, const struct gen_packet *p)
{
	return out + overhead[w->encap] + ip_head(w) + 20 + tcp_opts(w, p);
}

/* ---- what is around it */

static uint8_t *put_eth(uint8_t *p, uint16_t type, bool from_client)
{
	static const uint8_t mac[2][6] = { { 2, 0, 0x5e, 0, 0, 1 }, { 2, 0, 0x5e, 0, 0, 0x19 } };

	memcpy(p, mac[from_client], 6);
	memcpy(p + 6, mac[!from_client], 6);
	put16(p + 12, type);
	return p + ETH_HEAD;
}

/* The tunnel's own IPv4 header, from the mirror to the sensor. */
static uint8_t *put_outer(uint8_t *p, struct gen_wire *w, uint8_t proto, uint32_t len)
{
	static const uint8_t ends[8] = { 192, 0, 2, 1, 192, 0, 2, 2 };

	p = put_eth(p, 0x0800, true);
	put32(p, 0x45000000 | (len + 20));
	put16(p + 4, w->outer_id++);
	put16(p + 6, 0x4000);
	p[8] = 64;
	p[9] = proto;
	put16(p + 10, 0);
	memcpy(p + 12, ends, 8);
	put_sum(p + 10, sum_bytes(p, 20));
	return p + 20;
}

static uint8_t *put_erspan(uint8_t *p, struct gen_wire *w, uint32_t len)
{
	p = put_outer(p, w, 47, 16 + len);
	put32(p, 0x100088be); /* sequence number there; ERSPAN */
	put32(p + 4, w->tunnel_seq++);
	put32(p + 8, 0x10000000 | (w->number & 0x3ff)); /* version 1 is type II; session */
	put32(p + 12, 0);
	return p + 16;
}

static uint8_t *put_vxlan(uint8_t *p, struct gen_wire *w, uint32_t len)
{
	p = put_outer(p, w, 17, 16 + len);
	put16(p, 49152 + (w->number & 0x3fff));
	put16(p + 2, 4789);
	put16(p + 4, 16 + len);
	put16(p + 6, 0); /* no checksum: RFC 7348 5 */
	put32(p + 8, 0x08000000);
	put32(p + 12, w->number << 8);
	return p + 16;
}

/* RFC 8926 3.4, with one option that a receiver may pass over (3.5). */
static uint8_t *put_geneve(uint8_t *p, struct gen_wire *w, uint32_t len)
{
	p = put_outer(p, w, 17, 16 + GENEVE_OPTS + len);
	put16(p, 49152 + (w->number & 0x3fff));
	put16(p + 2, 6081);
	put16(p + 4, 16 + GENEVE_OPTS + len);
	put16(p + 6, 0); /* may be none over IPv4: RFC 8926 3.3 */
	put32(p + 8, GENEVE_OPTS / 4 << 24 | 0x6558);
	put32(p + 12, w->number << 8);
	put32(p + 16, 0xffff0001); /* class for experiments; one word of data */
	put32(p + 20, w->tunnel_seq++);
	return p + 16 + GENEVE_OPTS;
}

/* draft-foschiano-erspan 4.3, without a subheader. */
static uint8_t *put_erspan3(uint8_t *p, struct gen_wire *w, uint32_t len, uint64_t ts_ns)
{
	p = put_outer(p, w, 47, 20 + len);
	put32(p, 0x100022eb);
	put32(p + 4, w->tunnel_seq++);
	put32(p + 8, 0x20000000 | (w->number & 0x3ff)); /* version 2 is type III; session */
	put32(p + 12, (uint32_t)(ts_ns / 100));
	put32(p + 16, 0x00000002); /* frame type Ethernet; the stamp counts 100 ns */
	return p + 20;
}

/* All before the IP header; len: from there on. */
static void put_link(uint8_t *p, struct gen_wire *w, uint32_t len, uint64_t ts_ns, bool from_client)
{
	uint16_t type = w->v6 ? 0x86dd : 0x0800;

	switch ((enum gen_encap)w->encap) {
	case GEN_VLAN:
		p = put_eth(p, 0x8100, from_client);
		put32(p, (w->number & 0xfff) << 16 | type);
		break;
	case GEN_QINQ:
		p = put_eth(p, 0x88a8, from_client);
		put32(p, (w->number & 0xfff) << 16 | 0x8100);
		put32(p + 4, 7 << 16 | type);
		break;
	case GEN_MPLS:
		p = put_eth(p, 0x8847, from_client);
		put32(p, (16 + (w->number & 0xffff)) << 12 | 0x100 | 64); /* bottom of the stack */
		break;
	case GEN_GRE:
		p = put_outer(p, w, 47, 4 + len);
		put32(p, type);
		break;
	case GEN_ERSPAN: put_eth(put_erspan(p, w, ETH_HEAD + len), type, from_client); break;
	case GEN_VXLAN: put_eth(put_vxlan(p, w, ETH_HEAD + len), type, from_client); break;
	case GEN_GENEVE: put_eth(put_geneve(p, w, ETH_HEAD + len), type, from_client); break;
	case GEN_ERSPAN3:
		put_eth(put_erspan3(p, w, ETH_HEAD + len, ts_ns), type, from_client);
		break;
	default: put_eth(p, type, from_client); break;
	}
}

/* ---- IP and TCP */

static void put_ip4(
	uint8_t *ip, struct gen_end_state *from, const struct gen_end_state *to, uint32_t tcp_len)
{
	ip[0] = 0x45;
	ip[1] = 0;
	put16(ip + 2, 20 + tcp_len);
	put16(ip + 4, from->ip_id++);
	put16(ip + 6, 0x4000); /* do not fragment */
	ip[8] = from->ttl;
	ip[9] = 6;
	put16(ip + 10, 0);
	memcpy(ip + 12, from->ip, 4);
	memcpy(ip + 16, to->ip, 4);
	put_sum(ip + 10, sum_bytes(ip, 20));
}

static void put_ip6(uint8_t *ip, const struct gen_end_state *from, const struct gen_end_state *to,
	uint32_t tcp_len)
{
	put32(ip, 0x60000000);
	put16(ip + 4, tcp_len);
	ip[6] = 6;
	ip[7] = from->ttl;
	memcpy(ip + 8, from->ip, 16);
	memcpy(ip + 24, to->ip, 16);
}

static void put_opts(uint8_t *o, const struct gen_wire *w, const struct gen_end_state *from,
	const struct gen_packet *p, uint32_t now)
{
	if (p->flags & GEN_TCP_SYN) {
		put32(o, 0x02040000u | (w->v6 ? w->mss - 20u : w->mss));
		if (w->timestamps) {
			put16(o + 4, 0x0402); /* SACK permitted */
			put16(o + 6, 0x080a);
			put32(o + 8, now);
			put32(o + 12, from->ts_last);
			put32(o + 16, 0x01030300 | from->win_scale);
		} else {
			put32(o + 4, 0x01030300 | from->win_scale);
			put32(o + 8, 0x01010402);
		}
	} else if (w->timestamps) {
		put32(o, 0x0101080a);
		put32(o + 4, now);
		put32(o + 8, from->ts_last);
	}
}

static void put_tcp(uint8_t *t, const struct gen_wire *w, struct gen_end_state *from,
	struct gen_end_state *to, const struct gen_packet *p)
{
	uint32_t opts = tcp_opts(w, p), len = 20 + opts + p->len, alen = w->v6 ? 16 : 4;
	uint32_t now = from->ts_base + (uint32_t)(p->ts_ns / 1000000);
	uint8_t pseudo[4] = { 0, 6, (uint8_t)(len >> 8), (uint8_t)len };

	put16(t, from->port);
	put16(t + 2, to->port);
	put32(t + 4, from->seq);
	put32(t + 8, p->ack);
	t[12] = (uint8_t)((20 + opts) / 4 << 4);
	t[13] = p->flags;
	/* unscaled in a SYN: RFC 7323 2.2 */
	put16(t + 14, p->flags & GEN_TCP_SYN ? 64240 : from->window);
	put32(t + 16, 0);
	put_opts(t + 20, w, from, p, now);
	put_sum(t + 16, sum_bytes(from->ip, alen) + sum_bytes(to->ip, alen) + sum_bytes(pseudo, 4) +
				sum_bytes(t, len));
	to->ts_last = now;
	from->seq += p->len + (p->flags & (GEN_TCP_SYN | GEN_TCP_FIN) ? 1 : 0);
}

uint32_t gen_frame_build(uint8_t *out, struct gen_wire *w, struct gen_end_state *from,
	struct gen_end_state *to, const struct gen_packet *p, bool from_client)
{
	uint32_t head = overhead[w->encap], tcp_len = 20 + tcp_opts(w, p) + p->len;
	uint32_t len = head + ip_head(w) + tcp_len;
	uint8_t *ip = out + head;

	put_link(out, w, ip_head(w) + tcp_len, p->ts_ns, from_client);
	if (w->v6)
		put_ip6(ip, from, to, tcp_len);
	else
		put_ip4(ip, from, to, tcp_len);
	put_tcp(ip + ip_head(w), w, from, to, p);
	if (len < ETH_MIN) { /* a mirror port shows the padding of the wire */
		memset(out + len, 0, ETH_MIN - len);
		len = ETH_MIN;
	}
	return len;
}
