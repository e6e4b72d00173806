/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CORPUS_H
#define CORPUS_H

/*
 * corpus: a generated capture in memory, taken apart as far as the rooms' benchmarks need it.
 *
 * Frames lie in buffers of 2 KiB, as those of a NIC do: neighbours in the capture are no neighbours
 * in a cache. All is made before anything is measured, and read only from then on; but for the ids
 * in the sessions' records, which are of the parsers' books.
 */

#include "et_source.h"
#include "parsers.h"

struct corpus_place {
	uint32_t conn;
	uint8_t side;      /* of the flow */
	uint8_t dir;       /* enum et_dir */
	uint8_t undecided; /* it came before the outcome of its connection was final */
	uint8_t tls;       /* payload that begins or follows TLS */
};

struct corpus {
	const char *name;
	uint32_t cnt; /* frames; all are segments */
	struct et_frame *frames;
	struct et_segment *segments;
	struct corpus_place *places;
	uint8_t *buffers;
	uint32_t conns;
	uint32_t *by_conn; /* numbers of segments by connection, */
	uint32_t *first;   /* [conns + 1]: where each connection's begin in it */
	struct et_flow *flows;
	struct et_session *sessions;
	/* What the truth says. */
	uint32_t established, failed;
};

/*
 * Loads a capture and its truth. 0, or -1 with a sentence on stderr: a file cannot be read, or the
 * parsers do not find what the truth says.
 */
int corpus_load(
	struct corpus *corpus, struct parsers *parsers, const char *pcap, const char *truth);
void corpus_free(struct corpus *corpus);

/* A segment with payload, of those that a parser looks at. */
static inline bool corpus_is_parsed(const struct corpus *c, uint32_t i)
{
	return c->places[i].undecided && c->segments[i].len > 0;
}

/* Gives segment i to its connection, as a worker does: counted, its flags noted in the flow. */
enum et_conn_verdict corpus_feed(const struct corpus *corpus, struct et_conn *conn,
	struct et_conn_env *env, struct et_flow *flow, uint32_t i);

#endif
