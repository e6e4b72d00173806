/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

/*
 * The aging hand looks at so many entries after so many bursts: at full rate it has been over a
 * table of a million flows in a second or two.
 */
#define SWEEP_STEPS  32
#define SWEEP_BURSTS 8

/*
 * Memory is asked for in stages, so that the waiting for one parcel is the work on others: its
 * bucket when it is pushed; its entry so many parcels later; then, for all of a burst, what its
 * connection needs, what the parser that the connection names needs, and at last the work. Parsers
 * are much code: done in between, they would push that of the stages out of the processor's cache.
 */
#define ENTRY_BEHIND 8
/* Of the bytes that will be parsed; the processor sees by itself where it goes on. */
#define PAYLOAD_PREFETCH 256

struct worker {
	struct et_flow_table *table;
	struct et_conn_pool *pool;
	struct et_conn_env env;
	struct et_books books;
	struct ledger ledger;
	uint32_t shed_bytes; /* 0: never */
	void (*shed)(void *ctx, const struct et_segment *segment);
	void *shed_ctx;
	unsigned bursts; /* since the hand moved */
	/* of the burst at hand: what the table has for each parcel, as of `changes` */
	struct et_flow *flows[BURST];
	uint32_t changes;
	/* the connections that have bytes to parse */
	unsigned inside;
	struct {
		const struct et_conn *conn;
		unsigned side;
	} conns[BURST];
};

struct worker *worker_new(const struct worker_limits *limits, const struct et_match_db *db,
	const struct et_ports *ports, uint64_t hash_seed)
{
	struct worker *w = calloc(1, sizeof(*w));
	uint32_t flows = limits->flows < 65536 ? limits->flows : 65536;
	int err;

	if (!w)
		return NULL;
	w->table = et_flow_table_new(
		limits->endless ? limits->flows : flows, limits->flows, hash_seed);
	w->pool = et_conn_pool_new(limits->undecided);
	w->env.ports = ports;
	w->env.drops = w->ledger.now.drops;
	w->env.scanner = et_match_scanner_new(db);
	w->env.order.pool = et_order_pool_new(limits->hold_blocks);
	w->env.order.counts = &w->ledger.now.order;
	w->env.order.drops = w->ledger.now.drops;
	w->env.tls.pool = et_tls_pool_new(limits->message_bytes);
	w->env.tls.drops = w->ledger.now.drops;
	w->env.mail.drops = w->ledger.now.drops;
	err = limits->endless
		      ? et_books_init_turning(&w->books, limits->dict_entries, limits->dict_bytes)
		      : et_books_init(&w->books, limits->dict_entries, limits->dict_bytes);
	if (err || (!limits->endless && ledger_init(&w->ledger, NULL) != 0) || !w->table ||
		!w->pool || !w->env.scanner || !w->env.order.pool || !w->env.tls.pool) {
		worker_free(w);
		return NULL;
	}
	w->env.mail.names = w->env.tls.names = w->books.names;
	w->env.tls.hellos = w->books.hellos;
	w->env.tls.server_hellos = w->books.server_hellos;
	w->env.tls.chains = w->books.chains;
	return w;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	et_flow_table_free(w->table);
	et_conn_pool_free(w->pool);
	et_match_scanner_free(w->env.scanner);
	et_order_pool_free(w->env.order.pool);
	et_tls_pool_free(w->env.tls.pool);
	et_books_free(&w->books);
	ledger_free(&w->ledger);
	free(w);
}

int worker_feed(struct worker *w, const struct ledger_feed *feed)
{
	ledger_free(&w->ledger);
	return ledger_init(&w->ledger, feed);
}

/* A stamp from a damaged file can stand at the end of time. */
static int64_t later(int64_t ts_ns, int64_t by_ns)
{
	return ts_ns > INT64_MAX - by_ns ? INT64_MAX : ts_ns + by_ns;
}

/* An undecided flow ends in a record, or in nothing if there is nothing to say of it. */
static void decide(struct worker *w, struct et_flow *flow, int64_t decided_ns)
{
	uint32_t index = flow->index;
	struct et_conn *conn = et_conn_at(w->pool, index);
	struct et_session *record = ledger_place(&w->ledger);

	if (!record) {
		et_conn_drop(conn, &w->env);
		flow->state = ET_FLOW_IGNORED;
	} else if (et_conn_finish(conn, &w->env, record, flow, decided_ns)) {
		flow->index = ledger_add(&w->ledger, record, flow) & ET_FLOW_INDEX_MAX;
		flow->state = ET_FLOW_DECIDED;
	} else {
		ledger_drop(&w->ledger, record);
		flow->state = ET_FLOW_IGNORED;
	}
	et_conn_put(w->pool, index);
}

/* The flow ends: by age, by a new connection of the same endpoints, or with the input. */
static void end(struct worker *w, struct et_flow *flow, int64_t decided_ns)
{
	if (flow->state == ET_FLOW_UNDECIDED) {
		if (flow->closed)
			decided_ns = flow->closed_ns;
		ledger_minute(&w->ledger, decided_ns);
		decide(w, flow, decided_ns);
	}
	if (flow->state == ET_FLOW_DECIDED)
		ledger_close(&w->ledger, flow->index, flow);
	et_flow_remove(w->table, flow);
}

/* When an aged flow counts as decided, whenever that is noticed. */
static int64_t aged_ns(const struct et_flow *flow)
{
	return later(flow->end_ns, ET_FLOW_IDLE_S * ET_NS_PER_S);
}

static struct et_flow *begin(struct worker *w, const struct parcel *parcel)
{
	const struct et_segment *segment = &parcel->segment;
	struct et_flow *flow;
	struct et_conn *conn;
	uint32_t index;

	if (!(segment->flags & ET_TCP_SYN) && segment->len == 0) {
		w->ledger.now.drops[ET_DROP_NO_FLOW]++;
		return NULL;
	}
	flow = et_flow_add(w->table, &parcel->key, parcel->hash);
	if (!flow) {
		struct et_flow *victim = et_flow_victim(w->table);

		/* one that is over and told loses nothing */
		if (!victim || !victim->closed || victim->state == ET_FLOW_UNDECIDED)
			w->ledger.now.drops[ET_DROP_FLOW_TABLE]++;
		if (victim)
			end(w, victim, parcel->clock_ns);
		flow = et_flow_add(w->table, &parcel->key, parcel->hash);
		if (!flow)
			return NULL;
		ledger_minute(&w->ledger, parcel->clock_ns);
	}
	w->ledger.now.flows++;
	flow->start_ns = flow->end_ns = parcel->ts_ns;
	flow->first_frame = parcel->frame;
	/* Without SYN: where both sides stand, so that a SYN that comes late is known (is_new). */
	flow->isn[parcel->side] = segment->seq;
	flow->isn[1 - parcel->side] = segment->flags & ET_TCP_ACK ? segment->ack : 0;
	conn = et_conn_get(w->pool, &index);
	if (!conn) {
		w->ledger.now.drops[ET_DROP_UNDECIDED]++;
		return flow;
	}
	et_conn_init(conn);
	flow->index = index & ET_FLOW_INDEX_MAX;
	flow->state = ET_FLOW_UNDECIDED;
	return flow;
}

/* A SYN this much in front of the first segment that was captured is of the same connection. */
#define LATE_SYN (1u << 16)

/* Whether a SYN on a known flow opens a new connection of the same endpoints. */
static bool is_new(const struct et_flow *flow, const struct et_segment *segment, unsigned side)
{
	bool known = flow->syn >> side & 1;

	if (segment->flags & ET_TCP_ACK)
		return known && flow->closed && flow->isn[side] != segment->seq;
	if (known)
		return flow->closed || flow->isn[side] != segment->seq;
	return flow->syn == 0 && flow->isn[side] - (segment->seq + 1) >= LATE_SYN;
}

/* SYN, FIN and RST. */
static void note_flags(struct et_flow *flow, const struct parcel *parcel)
{
	unsigned side = parcel->side;
	uint8_t bit = (uint8_t)(1u << side), flags = parcel->segment.flags;

	if (flags & ET_TCP_SYN) {
		flow->syn |= bit;
		flow->isn[side] = parcel->segment.seq;
	}
	if (flags & ET_TCP_FIN) {
		flow->fin |= bit;
		if (!flow->first_end)
			flow->first_end = (uint8_t)(1 + side);
	}
	if (flags & ET_TCP_RST) {
		flow->rst |= bit;
		if (!flow->first_end)
			flow->first_end = (uint8_t)(3 + side);
	}
	if (!flow->closed && (flow->rst || flow->fin == 3)) {
		flow->closed = 1;
		flow->closed_ns = parcel->ts_ns;
	}
}

/*
 * A bare acknowledgement, every third packet, says nothing that the parsers ask for: only how far
 * the other side has got.
 */
static bool is_bare(const struct et_segment *segment)
{
	return segment->len == 0 && !(segment->flags & (ET_TCP_SYN | ET_TCP_FIN | ET_TCP_RST));
}

/* Whether this side of the flow passes the limit by these len bytes, which are counted already. */
static bool passes(const struct et_flow *flow, unsigned side, uint32_t len, uint32_t limit)
{
	return flow->bytes_hi[side] == 0 && flow->bytes[side] >= limit &&
	       flow->bytes[side] - len < limit;
}

/* One segment. flow: what the table had for it when the burst was looked up, NULL if nothing. */
static inline void one(struct worker *w, const struct parcel *parcel, struct et_flow *flow)
{
	const struct et_segment *segment = &parcel->segment;
	uint32_t tick = et_flow_tick(parcel->clock_ns);

	/* Those before it may have begun the flow, or ended it and used its entry anew. */
	if (et_unlikely(w->changes != et_flow_changes(w->table)))
		flow = et_flow_find(w->table, &parcel->key, parcel->hash);
	ledger_minute(&w->ledger, parcel->clock_ns);
	if (flow && et_unlikely(et_flow_is_old(flow, tick))) {
		w->ledger.now.aged += !flow->closed;
		end(w, flow, aged_ns(flow));
		flow = NULL;
	} else if (flow && et_unlikely(segment->flags & ET_TCP_SYN) &&
		   is_new(flow, segment, parcel->side)) {
		end(w, flow, parcel->ts_ns);
		flow = NULL;
	}
	if (!flow) {
		ledger_minute(&w->ledger, parcel->clock_ns);
		flow = begin(w, parcel);
		if (!flow)
			return;
	}
	flow->last = tick;
	if (parcel->ts_ns > flow->end_ns)
		flow->end_ns = parcel->ts_ns;
	et_flow_count_packet(flow, parcel->side, segment->len);
	if (et_unlikely(segment->flags & (ET_TCP_SYN | ET_TCP_FIN | ET_TCP_RST)))
		note_flags(flow, parcel);
	if (flow->state != ET_FLOW_UNDECIDED) {
		if (et_unlikely(w->shed_bytes &&
				passes(flow, parcel->side, segment->len, w->shed_bytes)))
			w->shed(w->shed_ctx, segment);
		return;
	}
	if (is_bare(segment)) {
		if (et_likely(segment->flags & ET_TCP_ACK))
			et_conn_ack(et_conn_at(w->pool, flow->index), parcel->side, segment->ack);
		return;
	}
	switch (et_conn_segment(et_conn_at(w->pool, flow->index), &w->env, flow, parcel->side,
		segment, parcel->ts_ns)) {
	case ET_CONN_OPEN: break;
	case ET_CONN_DECIDED: decide(w, flow, parcel->ts_ns); break;
	case ET_CONN_IGNORE:
		et_conn_drop(et_conn_at(w->pool, flow->index), &w->env);
		et_conn_put(w->pool, flow->index);
		flow->state = ET_FLOW_IGNORED;
		break;
	}
}

/* Lets the hand walk on, and ends what it finds. */
static void sweep(struct worker *w, int64_t clock_ns)
{
	struct et_flow *old = et_flow_sweep(w->table, et_flow_tick(clock_ns), SWEEP_STEPS);

	if (!old)
		return;
	w->ledger.now.aged += !old->closed;
	end(w, old, aged_ns(old));
}

/* The flow of a parcel, whose entry was asked for before; its connection is asked for. */
static inline void look(struct worker *w, const struct parcel *parcel, unsigned i)
{
	struct et_view payload = parcel->segment.payload;
	struct et_flow *flow = w->flows[i];
	struct et_conn *conn;

	if (!flow || et_unlikely(!et_flow_key_equal(&flow->key, &parcel->key)))
		w->flows[i] = flow = et_flow_find(w->table, &parcel->key, parcel->hash);
	if (!flow || flow->state != ET_FLOW_UNDECIDED)
		return;
	conn = et_conn_at(w->pool, flow->index);
	if (is_bare(&parcel->segment)) {
		__builtin_prefetch(conn, 1);
		return;
	}
	w->conns[w->inside].conn = conn;
	w->conns[w->inside++].side = parcel->side;
	et_conn_prefetch(conn, parcel->side);
	for (size_t at = 0; at < payload.n && at < PAYLOAD_PREFETCH; at += ET_CACHE_LINE)
		__builtin_prefetch(payload.p + at);
}

void worker_push(struct worker *w, const struct parcel *parcels, unsigned i)
{
	assert(i < BURST);
	et_flow_prefetch_bucket(w->table, parcels[i].hash);
	if (et_likely(i >= ENTRY_BEHIND))
		w->flows[i - ENTRY_BEHIND] =
			et_flow_prefetch_entry(w->table, parcels[i - ENTRY_BEHIND].hash);
}

void worker_drain(struct worker *w, const struct parcel *parcels, unsigned cnt)
{
	if (cnt == 0)
		return;
	for (unsigned i = cnt > ENTRY_BEHIND ? cnt - ENTRY_BEHIND : 0; i < cnt; i++)
		w->flows[i] = et_flow_prefetch_entry(w->table, parcels[i].hash);
	w->inside = 0;
	for (unsigned i = 0; i < cnt; i++)
		look(w, &parcels[i], i);
	for (unsigned i = 0; i < w->inside; i++)
		et_conn_prefetch_parser(w->conns[i].conn, w->conns[i].side);
	w->changes = et_flow_changes(w->table);
	for (unsigned i = 0; i < cnt; i++)
		one(w, &parcels[i], w->flows[i]);
	if (++w->bursts < SWEEP_BURSTS)
		return;
	w->bursts = 0;
	sweep(w, parcels[cnt - 1].clock_ns);
}

void worker_burst(struct worker *w, const struct parcel *parcels, unsigned cnt)
{
	for (unsigned i = 0; i < cnt; i++)
		worker_push(w, parcels, i);
	worker_drain(w, parcels, cnt);
}

void worker_idle(struct worker *w, int64_t clock_ns)
{
	ledger_minute(&w->ledger, clock_ns);
	sweep(w, clock_ns);
}

struct tally *worker_now(struct worker *w)
{
	return &w->ledger.now;
}

void worker_mark(const struct worker *w, struct et_feed_mark *out)
{
	ledger_mark(&w->ledger, out, w->ledger.minute_end_ns);
	out->flows_open = worker_flows(w);
	out->undecided_open = worker_undecided(w);
}

void worker_shed(struct worker *w, uint32_t bytes,
	void (*shed)(void *ctx, const struct et_segment *segment), void *ctx)
{
	w->shed_bytes = bytes;
	w->shed = shed;
	w->shed_ctx = ctx;
}

uint32_t worker_flows(const struct worker *w)
{
	return et_flow_count(w->table);
}

uint32_t worker_undecided(const struct worker *w)
{
	return et_conn_count(w->pool);
}

void worker_finish(struct worker *w, int64_t clock_ns)
{
	struct et_flow *flow;

	while ((flow = et_flow_any(w->table)) != NULL) {
		int64_t decided_ns = aged_ns(flow);

		end(w, flow, decided_ns < clock_ns ? decided_ns : clock_ns);
	}
	ledger_finish(&w->ledger, clock_ns);
}

struct et_session *worker_records(struct worker *w, size_t *cnt)
{
	*cnt = w->ledger.cnt;
	return w->ledger.records;
}

const struct et_books *worker_books(const struct worker *w)
{
	return &w->books;
}

const struct tallies *worker_tallies(const struct worker *w)
{
	return &w->ledger.tallies;
}

bool worker_out_of_memory(const struct worker *w)
{
	return w->ledger.out_of_memory;
}
