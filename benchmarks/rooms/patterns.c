/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How the cost of a scan grows with the number of patterns: a part of the table of lib/match, all of
 * it, and four times as many, of which three quarters are never hit. Only run when named.
 */

#include "rooms.h"

#include <hs.h>
#include <stdio.h>

#include "../../lib/match/patterns.h"

#define TIMES 4
#define MAX   256
#define REGEX 256

static hs_database_t *compile(const struct bench *b, unsigned cnt)
{
	static char text[MAX][REGEX];
	const char *regexes[MAX];
	unsigned flags[MAX], ids[MAX];
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;

	bench_check(b, cnt <= MAX, "more than %d patterns", MAX);
	for (unsigned i = 0; i < cnt; i++) {
		const struct pattern *pattern = &patterns[i % patterns_cnt];

		/* another ending makes another pattern of it */
		if (i < patterns_cnt)
			snprintf(text[i], REGEX, "%s", pattern->regex);
		else
			snprintf(text[i], REGEX, "(?:%s)zq%u", pattern->regex, i);
		regexes[i] = text[i];
		flags[i] = pattern->flags | HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
		ids[i] = i;
	}
	if (hs_compile_multi(regexes, flags, ids, cnt, HS_MODE_BLOCK, NULL, &db, &error) !=
		HS_SUCCESS)
		bench_check(b, false, "%s", error ? error->message : "patterns do not compile");
	return db;
}

static int on_match(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	uint64_t *hits = ctx;

	(void)id;
	(void)from;
	(void)to;
	(void)flags;
	++*hits;
	return 0;
}

static void measure(struct bench *b, const struct corpus *c, unsigned cnt, uint64_t least)
{
	hs_database_t *db = compile(b, cnt);
	hs_scratch_t *scratch = NULL;
	uint64_t hits = 0, segments = 0;

	bench_check(b, hs_alloc_scratch(db, &scratch) == HS_SUCCESS, "not enough memory");
	bench_start(b);
	for (uint32_t i = 0; i < c->cnt; i++) {
		const struct et_view *payload = &c->segments[i].payload;

		if (!corpus_is_parsed(c, i))
			continue;
		hs_scan(db, (const char *)payload->p, (unsigned)payload->n, 0, scratch, on_match,
			&hits);
		segments++;
	}
	bench_stop(b);
	bench_check(b, hits >= least, "only %u hits", (unsigned)hits);
	bench_row(b, "segment", segments, hits, "%u patterns", cnt);
	hs_free_scratch(scratch);
	hs_free_database(db);
}

void room_patterns(struct bench *b, struct inputs *in)
{
	const struct corpus *c = &in->storm;

	/* the first pattern of the table is a server's greeting, which every connection here has */
	measure(b, c, 1, c->conns);
	measure(b, c, 4, c->conns);
	measure(b, c, patterns_cnt, c->conns);
	measure(b, c, TIMES * patterns_cnt, c->conns);
}
