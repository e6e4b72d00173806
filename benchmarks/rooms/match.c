/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/match: the patterns over payloads. */

#include "rooms.h"

#include <stdlib.h>

#define WARM 16 /* connections */

struct picked {
	uint32_t *v; /* numbers of segments */
	uint32_t cnt, conns;
};

/* first_only: of each connection only the first payload, which is the server's greeting here. */
static struct picked pick(const struct corpus *c, uint32_t conns, bool first_only)
{
	struct picked p = { .v = rooms_memory(c->cnt, sizeof(*p.v)), .conns = conns };

	for (uint32_t n = 0; n < conns; n++) {
		for (uint32_t k = c->first[n]; k < c->first[n + 1]; k++) {
			if (!corpus_is_parsed(c, c->by_conn[k]))
				continue;
			p.v[p.cnt++] = c->by_conn[k];
			if (first_only)
				break;
		}
	}
	return p;
}

/* Each payload by itself, as the first of its side. */
static void measure(struct bench *b, struct inputs *in, uint32_t conns, bool first_only,
	uint32_t rounds, const char *name)
{
	struct picked p = pick(&in->storm, conns, first_only);
	uint64_t hits = 0, greetings = 0;

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++) {
		for (uint32_t i = 0; i < p.cnt; i++) {
			struct et_match_carry carry;
			uint32_t found;

			carry.n = 0;
			carry.begun = false;
			found = et_match_scan(in->parsers.env.scanner, &carry,
				in->storm.segments[p.v[i]].payload);
			hits += found != 0;
			greetings += (found & ET_MATCH_SMTP_GREETING) != 0;
		}
	}
	bench_stop(b);
	bench_check(b, greetings >= (uint64_t)rounds * p.conns, "not all greetings were found");
	bench_row(b, "segment", (uint64_t)rounds * p.cnt, hits, "%s", name);
	free(p.v);
}

void room_match(struct bench *b, struct inputs *in)
{
	uint32_t conns = in->storm.conns, few = conns < WARM ? conns : WARM;

	measure(b, in, few, false, bench_options(b)->quick ? 10 : 500, "undecided segment, warm");
	measure(b, in, conns, false, 1, "undecided segment");
	measure(b, in, conns, true, 1, "first payload of a connection");
}
