/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/conn: a connection from its SYN to its record. */

#include "rooms.h"

#include <stdlib.h>
#include <string.h>

#define WARM  16 /* connections */
#define BURST 64

struct run {
	struct corpus *c;
	struct et_conn_env *env;
	struct et_conn_pool *pool;
	struct et_flow *flows; /* one for each connection */
	uint32_t *index;       /* of its parsers + 1; 0: none, or decided */
	uint64_t established, decided, segments;
};

static struct run run_new(struct inputs *in, struct corpus *c)
{
	struct run run = { .c = c, .env = &in->parsers.env };

	run.flows = aligned_alloc(ET_CACHE_LINE, c->conns * sizeof(*run.flows));
	run.index = rooms_memory(c->conns, sizeof(*run.index));
	run.pool = et_conn_pool_new(c->conns);
	return run;
}

static void run_free(struct run *run)
{
	et_conn_pool_free(run->pool);
	free(run->index);
	free(run->flows);
}

static void begin(struct run *run, uint32_t n)
{
	uint32_t index;
	struct et_conn *conn = et_conn_get(run->pool, &index);

	et_conn_init(conn);
	run->index[n] = index + 1;
	memset(&run->flows[n], 0, sizeof(run->flows[n]));
	run->flows[n].key = run->c->flows[n].key;
}

static void segment(struct run *run, uint32_t i)
{
	uint32_t n = run->c->places[i].conn;
	struct et_conn *conn = et_conn_at(run->pool, run->index[n] - 1);
	struct et_flow *flow = &run->flows[n];
	struct et_session session;

	run->segments++;
	if (corpus_feed(run->c, conn, run->env, flow, i) == ET_CONN_OPEN)
		return;
	if (et_conn_finish(conn, run->env, &session, flow, run->c->frames[i].ts_ns)) {
		run->decided++;
		run->established += session.outcome == ET_OUTCOME_ESTABLISHED;
	}
	et_conn_put(run->pool, run->index[n] - 1);
	run->index[n] = 0;
}

/* One connection after the other. */
static void alone(struct bench *b, struct inputs *in, struct corpus *c, uint32_t conns,
	uint32_t rounds, const char *name)
{
	struct run run = run_new(in, c);

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++) {
		for (uint32_t n = 0; n < conns; n++) {
			begin(&run, n);
			for (uint32_t k = c->first[n];
				k < c->first[n + 1] && c->places[c->by_conn[k]].undecided; k++)
				segment(&run, c->by_conn[k]);
		}
	}
	bench_stop(b);
	bench_check(b, run.decided == (uint64_t)rounds * conns, "connections are left undecided");
	bench_row(b, "connection", run.decided, run.established, "%s", name);
	run_free(&run);
}

/* The first lines of all, then those of the parsers that these name. */
static void prefetch(struct run *run, const uint32_t *v, uint32_t cnt)
{
	for (unsigned stage = 0; stage < 2; stage++) {
		for (uint32_t i = 0; i < cnt; i++) {
			const struct corpus_place *place = &run->c->places[v[i]];
			const struct et_conn *conn;

			if (run->index[place->conn] == 0)
				continue;
			conn = et_conn_at(run->pool, run->index[place->conn] - 1);
			if (stage == 0)
				et_conn_prefetch(conn, place->side);
			else
				et_conn_prefetch_parser(conn, place->side);
		}
	}
}

/* All at a time, as captured, in bursts. */
static void mixed(struct bench *b, struct inputs *in, struct corpus *c)
{
	struct run run = run_new(in, c);
	uint32_t *v = rooms_memory(c->cnt, sizeof(*v)), cnt = 0;

	for (uint32_t i = 0; i < c->cnt; i++)
		if (c->places[i].undecided)
			v[cnt++] = i;
	bench_start(b);
	for (uint32_t at = 0; at < cnt; at += BURST) {
		uint32_t n = cnt - at < BURST ? cnt - at : BURST;

		prefetch(&run, v + at, n);
		for (uint32_t i = at; i < at + n; i++) {
			if (v[i] == c->by_conn[c->first[c->places[v[i]].conn]])
				begin(&run, c->places[v[i]].conn);
			segment(&run, v[i]);
		}
	}
	bench_stop(b);
	bench_check(b, run.decided == c->conns, "connections are left undecided");
	bench_check(b, run.established == c->established, "%u established, the truth has %u",
		(unsigned)run.established, c->established);
	bench_row(b, "connection", run.decided, run.segments, "all at a time, as captured");
	run_free(&run);
	free(v);
}

void room_conn(struct bench *b, struct inputs *in)
{
	uint32_t conns = in->storm.conns, few = conns < WARM ? conns : WARM;

	alone(b, in, &in->storm, few, bench_options(b)->quick ? 10 : 200, "one by one, warm");
	alone(b, in, &in->storm, conns, 1, "one by one");
	mixed(b, in, &in->storm);
}
