/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER    2048
#define SEED      1
#define CONNS_MAX (1u << 20)

static void on_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "bench-rooms: %s\n", sentence);
}

static int complain(const struct corpus *c, const char *what)
{
	fprintf(stderr, "bench-rooms: %s: %s\n", c->name, what);
	return -1;
}

static bool grow(void *pointer, size_t cnt, size_t size)
{
	void *more = realloc(*(void **)pointer, cnt * size);

	if (more)
		*(void **)pointer = more;
	return more != NULL;
}

/* Frames into buffers; the pointers are set when their number is known. */
static int read_frames(struct corpus *c, const char *path)
{
	struct et_source *source = et_source_open(&path, 1, on_warning, NULL);
	uint32_t room = 0;
	struct et_frame frame;
	bool more;

	while ((more = source && et_source_next(source, &frame))) {
		if (c->cnt == room) {
			room = room ? 2 * room : 1 << 16;
			if (!grow(&c->frames, room, sizeof(frame)) ||
				!grow(&c->buffers, room, BUFFER))
				break;
		}
		if (frame.cap_len > BUFFER)
			break;
		memcpy(c->buffers + (size_t)c->cnt * BUFFER, frame.data, frame.cap_len);
		c->frames[c->cnt++] = frame;
	}
	et_source_close(source);
	if (more || c->cnt == 0)
		return complain(c, "cannot be read, is too large, or has frames beyond 2 KiB");
	for (uint32_t i = 0; i < c->cnt; i++)
		c->frames[i].data = c->buffers + (size_t)i * BUFFER;
	return 0;
}

static int decode(struct corpus *c)
{
	for (uint32_t i = 0; i < c->cnt; i++)
		if (et_packet_decode(&c->segments[i], &c->frames[i]) != ET_KEEP)
			return complain(c, "holds a frame that is no TCP segment");
	return 0;
}

/* Which connection each segment is of, and the segments of each. */
static int sort_out(struct corpus *c)
{
	struct et_flow_table *table = et_flow_table_new(CONNS_MAX, CONNS_MAX, SEED);
	uint32_t *at;

	if (!table)
		return complain(c, "not enough memory");
	for (uint32_t i = 0; i < c->cnt; i++) {
		struct et_flow_key key;
		uint64_t hash;
		unsigned side = et_flow_key(&key, &hash, &c->segments[i], SEED);
		struct et_flow *flow = et_flow_find(table, &key, hash);

		if (!flow && (flow = et_flow_add(table, &key, hash)) != NULL) {
			flow->isn[0] = c->conns++;
			flow->isn[1] = side; /* the client sends the first segment here */
		}
		if (!flow)
			break;
		c->places[i] = (struct corpus_place){ .conn = flow->isn[0],
			.side = (uint8_t)side,
			.dir = side == flow->isn[1] ? ET_CLIENT : ET_SERVER };
	}
	et_flow_table_free(table);
	c->first = calloc(c->conns + 2, sizeof(*c->first));
	c->by_conn = calloc(c->cnt, sizeof(*c->by_conn));
	at = c->first;
	if (!at || !c->by_conn)
		return complain(c, "not enough memory");
	for (uint32_t i = 0; i < c->cnt; i++)
		at[c->places[i].conn + 2]++;
	for (uint32_t n = 2; n <= c->conns + 1; n++)
		at[n] += at[n - 1];
	for (uint32_t i = 0; i < c->cnt; i++)
		c->by_conn[at[c->places[i].conn + 1]++] = i;
	return 0;
}

static void note(struct et_flow *flow, unsigned side, const struct et_segment *segment)
{
	uint8_t bit = (uint8_t)(1u << side);

	et_flow_count_packet(flow, side, segment->len);
	if (et_likely(!(segment->flags & (ET_TCP_SYN | ET_TCP_FIN | ET_TCP_RST))))
		return;
	if (segment->flags & ET_TCP_SYN) {
		flow->syn |= bit;
		flow->isn[side] = segment->seq;
	}
	if (segment->flags & ET_TCP_FIN)
		flow->fin |= bit;
	if (segment->flags & ET_TCP_RST)
		flow->rst |= bit;
	if (flow->rst || flow->fin == 3)
		flow->closed = 1;
}

enum et_conn_verdict corpus_feed(const struct corpus *c, struct et_conn *conn,
	struct et_conn_env *env, struct et_flow *flow, uint32_t i)
{
	const struct et_segment *segment = &c->segments[i];
	unsigned side = c->places[i].side;

	note(flow, side, segment);
	if (segment->len > 0 || segment->flags & (ET_TCP_SYN | ET_TCP_FIN | ET_TCP_RST))
		return et_conn_segment(conn, env, flow, side, segment, c->frames[i].ts_ns);
	et_conn_ack(conn, side, segment->ack);
	return ET_CONN_OPEN;
}

static bool begins_tls(struct et_view v)
{
	return v.n > 2 && v.p[0] >= 0x14 && v.p[0] <= 0x17 && v.p[1] == 3;
}

/* One connection through all parsers: what it is decided by, and its record. */
static void follow(struct corpus *c, struct parsers *p, struct et_conn *conn, uint32_t n)
{
	struct et_flow *flow = &c->flows[n];
	enum et_conn_verdict verdict = ET_CONN_OPEN;
	bool tls[2] = { false, false };
	int64_t ts_ns = 0;
	uint64_t hash;

	et_conn_init(conn);
	for (uint32_t k = c->first[n]; k < c->first[n + 1]; k++) {
		uint32_t i = c->by_conn[k];
		struct corpus_place *place = &c->places[i];
		const struct et_segment *segment = &c->segments[i];

		if (k == c->first[n])
			et_flow_key(&flow->key, &hash, segment, SEED);
		tls[place->side] |= begins_tls(segment->payload);
		place->tls = segment->len > 0 && tls[place->side];
		if (verdict != ET_CONN_OPEN)
			continue;
		place->undecided = 1;
		ts_ns = c->frames[i].ts_ns;
		verdict = corpus_feed(c, conn, &p->env, flow, i);
	}
	et_conn_finish(conn, &p->env, &c->sessions[n], flow, ts_ns);
	et_conn_close(&c->sessions[n], flow);
}

static int read_truth(struct corpus *c, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	uint32_t sessions = 0;

	if (!file)
		return complain(c, "the truth cannot be read");
	while (getline(&line, &room, file) > 0) {
		sessions++;
		c->established += strstr(line, "\"outcome\":\"established\"") != NULL;
		c->failed += strstr(line, "\"outcome\":\"failed\"") != NULL;
	}
	free(line);
	fclose(file);
	return sessions == c->conns ? 0 : complain(c, "the truth is of another capture");
}

static int check(const struct corpus *c)
{
	uint32_t established = 0, failed = 0;

	for (uint32_t n = 0; n < c->conns; n++) {
		established += c->sessions[n].outcome == ET_OUTCOME_ESTABLISHED;
		failed += c->sessions[n].outcome == ET_OUTCOME_FAILED;
	}
	return established == c->established && failed == c->failed
		       ? 0
		       : complain(c, "the parsers do not find what the truth says");
}

int corpus_load(struct corpus *c, struct parsers *p, const char *pcap, const char *truth)
{
	struct et_conn *conn = aligned_alloc(ET_CACHE_LINE, sizeof(*conn));

	*c = (struct corpus){ .name = pcap };
	if (!conn || read_frames(c, pcap) != 0) {
		free(conn);
		return -1;
	}
	c->segments = calloc(c->cnt, sizeof(*c->segments));
	c->places = calloc(c->cnt, sizeof(*c->places));
	if (!c->segments || !c->places || decode(c) != 0 || sort_out(c) != 0 ||
		read_truth(c, truth) != 0) {
		free(conn);
		return -1;
	}
	c->flows = aligned_alloc(ET_CACHE_LINE, c->conns * sizeof(*c->flows));
	c->sessions = calloc(c->conns, sizeof(*c->sessions));
	for (uint32_t n = 0; c->flows && c->sessions && n < c->conns; n++) {
		memset(&c->flows[n], 0, sizeof(c->flows[n]));
		follow(c, p, conn, n);
	}
	free(conn);
	return c->flows && c->sessions ? check(c) : complain(c, "not enough memory");
}

void corpus_free(struct corpus *c)
{
	free(c->frames);
	free(c->segments);
	free(c->places);
	free(c->buffers);
	free(c->by_conn);
	free(c->first);
	free(c->flows);
	free(c->sessions);
}
