/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/tls: hellos, handshakes, and records of mail. */

#include "rooms.h"

#include <stdlib.h>

#define WARM         16 /* connections */
#define RECORD_HEAD  5
#define MESSAGE_HEAD 4

struct picked {
	uint32_t *v, cnt; /* numbers of segments, connection by connection */
	uint32_t conns;
};

/* TLS of the first connections: up to the decision, or all. */
static struct picked pick(const struct corpus *c, uint32_t conns, bool all)
{
	struct picked p = { .v = rooms_memory(c->cnt, sizeof(*p.v)) };

	for (uint32_t n = 0; n < c->conns && p.conns < conns; n++) {
		uint32_t before = p.cnt;

		for (uint32_t k = c->first[n]; k < c->first[n + 1]; k++) {
			uint32_t i = c->by_conn[k];

			if (c->places[i].tls && (all || c->places[i].undecided))
				p.v[p.cnt++] = i;
		}
		p.conns += p.cnt > before;
	}
	return p;
}

static void feed(struct bench *b, struct inputs *in, const struct corpus *c, struct picked p,
	uint32_t rounds, const char *name)
{
	struct et_tls_env *env = &in->parsers.env.tls;
	uint64_t fed = 0, bytes = 0, right = 0;
	struct et_tls tls;

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++) {
		for (uint32_t i = 0; i < p.cnt; i++) {
			uint32_t n = p.v[i], conn = c->places[n].conn;

			if (i == 0 || c->places[p.v[i - 1]].conn != conn)
				et_tls_init(&tls);
			fed += et_tls_feed(&tls, env, (enum et_dir)c->places[n].dir,
				c->segments[n].payload, (int64_t)i + 1);
			if (i + 1 < p.cnt && c->places[p.v[i + 1]].conn == conn)
				continue;
			right += tls.facts.cipher == c->sessions[conn].tls.cipher &&
				 tls.facts.version == c->sessions[conn].tls.version;
			et_tls_done(&tls, env);
		}
	}
	bench_stop(b);
	for (uint32_t i = 0; i < p.cnt; i++)
		bytes += c->segments[p.v[i]].payload.n;
	bench_check(b, fed == bytes * rounds, "%s: bytes were not taken for TLS", name);
	bench_check(b, right == (uint64_t)rounds * p.conns, "%s: %u of %u as in the records", name,
		(unsigned)right, p.conns);
	bench_row(b, "segment", (uint64_t)p.cnt * rounds, fed, "%s", name);
	free(p.v);
}

/* The body of a ClientHello that fills a segment, else an empty cursor. */
static struct et_cur hello_in(const struct corpus *c, uint32_t i)
{
	struct et_view v = c->segments[i].payload;
	size_t head = RECORD_HEAD + MESSAGE_HEAD;

	if (v.n <= head || v.p[0] != ET_TLS_HANDSHAKE || v.p[RECORD_HEAD] != 1)
		return et_cur(v.p, 0);
	return et_cur(v.p + head, v.n - head);
}

static void hellos(struct bench *b, struct inputs *in, bool encode, const char *name)
{
	const struct corpus *c = &in->storm;
	struct et_cur *v = rooms_memory(c->conns * 2, sizeof(*v));
	uint8_t out[ET_TLS_PROFILE_MAX];
	uint64_t right = 0, sum = 0;
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < c->cnt && cnt < 2 * c->conns; i++) {
		v[cnt] = hello_in(c, i);
		cnt += c->places[i].tls && v[cnt].n > 0;
	}
	bench_start(b);
	for (uint32_t i = 0; i < cnt; i++) {
		struct et_tls_hello hello;

		right += et_tls_parse_hello(&hello, v[i]) == ET_PARSE_OK && hello.suites.n > 0;
		sum += hello.suites.n + hello.exts.n;
		if (encode)
			sum += et_tls_profile_encode(out, sizeof(out), &hello);
	}
	bench_stop(b);
	bench_check(b, cnt > 0 && right == cnt, "hellos were not understood");
	bench_row(b, "ClientHello", cnt, sum, "%s", name);
	free(v);
}

void room_tls(struct bench *b, struct inputs *in)
{
	hellos(b, in, false, "ClientHello: parse");
	hellos(b, in, true, "ClientHello: parse, encode its profile");
	feed(b, in, &in->storm, pick(&in->storm, WARM, false), bench_options(b)->quick ? 10 : 500,
		"handshake, warm");
	feed(b, in, &in->storm, pick(&in->storm, UINT32_MAX, false), 1, "handshake");
	feed(b, in, &in->gateway, pick(&in->gateway, UINT32_MAX, true), 1,
		"whole connection, gateway");
}
