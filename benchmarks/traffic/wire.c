#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUF_SIZE (1u << 20)
#define ROOM     2048 /* more than one packet with its record header */
#define REC_HEAD 16
#define ETH_HEAD 14
#define ETH_MIN  60
#define SYN_OPTS 20
#define TS_OPTS  12

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

static uint32_t ip_head(const struct et_packet *p)
{
	return p->v6 ? 40 : 20;
}

static uint32_t tcp_opts(const struct et_packet *p)
{
	if (p->flags & ET_TCP_SYN)
		return p->timestamps ? SYN_OPTS : TS_OPTS;
	return p->timestamps ? TS_OPTS : 0;
}

/* Sum of 16-bit words as they lie in memory: the folded result is in network order too. */
static uint64_t sum_bytes(const uint8_t *p, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t word;

	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	word = 0;
	memcpy(&word, p, len);
	return sum + word;
}

static void put_sum(uint8_t *at, uint64_t sum)
{
	uint16_t folded;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)~sum;
	memcpy(at, &folded, 2);
}

static int flush(struct et_wire *w)
{
	uint32_t done = 0;

	while (done < w->used) {
		ssize_t n = write(w->fd, w->buf + done, w->used - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (uint32_t)n : 0;
	}
	w->used = 0;
	return 0;
}

int et_wire_open(struct et_wire *w, const char *path)
{
	/* microseconds, version 2.4, Ethernet, in the byte order of the machine */
	static const uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 };

	*w = (struct et_wire){ .fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) };
	if (w->fd < 0)
		return -errno;
	w->buf = malloc(BUF_SIZE);
	if (!w->buf)
		return -ENOMEM;
	memcpy(w->buf, head, sizeof(head));
	w->used = sizeof(head);
	return 0;
}

int et_wire_close(struct et_wire *w)
{
	int rc;

	if (!w->buf)
		return 0;
	rc = flush(w);
	if (close(w->fd) && !rc)
		rc = -errno;
	free(w->buf);
	w->buf = NULL;
	return rc;
}

uint8_t *et_wire_begin(struct et_wire *w, const struct et_packet *p)
{
	if (w->used + ROOM > BUF_SIZE) {
		int rc = flush(w);

		if (rc) {
			errno = -rc;
			return NULL;
		}
	}
	return w->buf + w->used + REC_HEAD + ETH_HEAD + ip_head(p) + 20 + tcp_opts(p);
}

static void put_ip4(uint8_t *ip, struct et_end *from, const struct et_end *to, uint32_t tcp_len)
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

static void put_ip6(
	uint8_t *ip, const struct et_end *from, const struct et_end *to, uint32_t tcp_len)
{
	put32(ip, 0x60000000);
	put16(ip + 4, tcp_len);
	ip[6] = 6;
	ip[7] = from->ttl;
	memcpy(ip + 8, from->ip, 16);
	memcpy(ip + 24, to->ip, 16);
}

static void put_opts(uint8_t *o, const struct et_end *from, const struct et_packet *p, uint32_t now)
{
	if (p->flags & ET_TCP_SYN) {
		put32(o, 0x02040000u | (p->v6 ? ET_MSS - 20 : ET_MSS));
		if (p->timestamps) {
			put16(o + 4, 0x0402); /* SACK permitted */
			put16(o + 6, 0x080a);
			put32(o + 8, now);
			put32(o + 12, from->ts_last);
			put32(o + 16, 0x01030300 | from->win_scale);
		} else {
			put32(o + 4, 0x01030300 | from->win_scale);
			put32(o + 8, 0x01010402);
		}
	} else if (p->timestamps) {
		put32(o, 0x0101080a);
		put32(o + 4, now);
		put32(o + 8, from->ts_last);
	}
}

static void put_tcp(uint8_t *t, struct et_end *from, struct et_end *to, const struct et_packet *p)
{
	uint32_t opts = tcp_opts(p), len = 20 + opts + p->len;
	uint32_t now = from->ts_base + (uint32_t)(p->ts_ns / 1000000);
	const uint8_t *a = from->ip, *b = to->ip;
	uint8_t pseudo[4] = { 0, 6, (uint8_t)(len >> 8), (uint8_t)len };
	uint32_t alen = p->v6 ? 16 : 4;

	put16(t, from->port);
	put16(t + 2, to->port);
	put32(t + 4, from->seq);
	put32(t + 8, p->ack);
	t[12] = (uint8_t)((20 + opts) / 4 << 4);
	t[13] = p->flags;
	/* unscaled in a SYN: RFC 7323 2.2 */
	put16(t + 14, p->flags & ET_TCP_SYN ? 64240 : from->window);
	put32(t + 16, 0);
	put_opts(t + 20, from, p, now);
	put_sum(t + 16,
		sum_bytes(a, alen) + sum_bytes(b, alen) + sum_bytes(pseudo, 4) + sum_bytes(t, len));
	to->ts_last = now;
	from->seq += p->len + (p->flags & (ET_TCP_SYN | ET_TCP_FIN) ? 1 : 0);
}

void et_wire_end(
	struct et_wire *w, struct et_end *from, struct et_end *to, const struct et_packet *p)
{
	uint8_t *rec = w->buf + w->used, *eth = rec + REC_HEAD, *ip = eth + ETH_HEAD;
	uint32_t tcp_len = 20 + tcp_opts(p) + p->len;
	uint32_t len = ETH_HEAD + ip_head(p) + tcp_len;
	uint32_t head[4];

	memcpy(eth, to->mac, 6);
	memcpy(eth + 6, from->mac, 6);
	put16(eth + 12, p->v6 ? 0x86dd : 0x0800);
	if (p->v6)
		put_ip6(ip, from, to, tcp_len);
	else
		put_ip4(ip, from, to, tcp_len);
	put_tcp(ip + ip_head(p), from, to, p);
	if (len < ETH_MIN) { /* a mirror port shows the padding of the wire */
		memset(eth + len, 0, ETH_MIN - len);
		len = ETH_MIN;
	}
	head[0] = (uint32_t)(p->ts_ns / 1000000000);
	head[1] = (uint32_t)(p->ts_ns % 1000000000 / 1000);
	head[2] = head[3] = len;
	memcpy(rec, head, sizeof(head));
	w->used += REC_HEAD + len;
	w->packets++;
	w->bytes += len;
}
