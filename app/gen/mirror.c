/* SPDX-License-Identifier: BSD-3-Clause */
#include "mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct late {
	uint64_t ts_ns, order; /* order: of two at one time the earlier one first */
	uint8_t *bytes;
	struct gen_frame frame;
};

struct gen_mirror {
	const struct gen_profile *profile;
	struct gen_sink *sink;
	struct gen_rng rng;
	uint64_t step_ns; /* of the sink's clock */
	uint64_t order;
	struct late *heap;
	size_t cnt, cap;
	bool clean;
};

struct gen_mirror *gen_mirror_new(
	const struct gen_profile *profile, uint64_t seed, struct gen_sink *sink, uint64_t step_ns)
{
	struct gen_mirror *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->profile = profile;
	m->sink = sink;
	m->step_ns = step_ns;
	m->clean = profile->loss + profile->reorder + profile->duplicates <= 0;
	gen_rng_seed(&m->rng, seed, UINT64_MAX - 3);
	return m;
}

void gen_mirror_free(struct gen_mirror *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->cap; i++)
		free(m->heap[i].bytes);
	free(m->heap);
	free(m);
}

static bool before(const struct late *a, const struct late *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->order < b->order;
}

/* Room for one more, and for its bytes: a place behind the last one keeps the buffer that it had. */
static int make_room(struct gen_mirror *m, uint32_t len)
{
	uint8_t *bytes;

	if (m->cnt == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 256;
		struct late *more = realloc(m->heap, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		memset(more + m->cap, 0, (cap - m->cap) * sizeof(*more));
		m->heap = more;
		m->cap = cap;
	}
	bytes = realloc(m->heap[m->cnt].bytes, len);
	if (!bytes)
		return -ENOMEM;
	m->heap[m->cnt].bytes = bytes;
	return 0;
}

static int hold(struct gen_mirror *m, uint64_t ts_ns, const struct gen_frame *frame)
{
	struct late item;
	size_t at;

	if (make_room(m, frame->len) != 0)
		return -ENOMEM;
	at = m->cnt++;
	item = (struct late){ ts_ns, m->order++, m->heap[at].bytes, *frame };
	memcpy(item.bytes, frame->bytes, frame->len);
	item.frame.ts_ns = ts_ns;
	item.frame.bytes = item.bytes;
	for (; at > 0 && before(&item, &m->heap[(at - 1) / 2]); at = (at - 1) / 2)
		m->heap[at] = m->heap[(at - 1) / 2];
	m->heap[at] = item;
	return 0;
}

/* Takes the first out; what it points to stays until the next is held. */
static struct late pop(struct gen_mirror *m)
{
	struct late top = m->heap[0], item = m->heap[--m->cnt];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < m->cnt; at = child) {
		if (child + 1 < m->cnt && before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (before(&item, &m->heap[child]))
			break;
		m->heap[at] = m->heap[child];
	}
	m->heap[at] = item;
	m->heap[m->cnt] = top;
	return top;
}

static int let_out(struct gen_mirror *m, uint64_t until_ns)
{
	int rc = 0;

	while (m->cnt > 0 && m->heap[0].ts_ns <= until_ns && rc == 0) {
		struct late late = pop(m);

		rc = m->sink->frame(m->sink, &late.frame);
	}
	return rc;
}

int gen_mirror_flush(struct gen_mirror *m)
{
	return let_out(m, UINT64_MAX);
}

static void see(struct gen_seen *seen, uint64_t ts_ns)
{
	if (seen->first_ns == 0 || ts_ns < seen->first_ns)
		seen->first_ns = ts_ns;
	if (ts_ns > seen->last_ns)
		seen->last_ns = ts_ns;
}

/* By how much something is late: at least one step of the clock. */
static uint64_t delay(struct gen_mirror *m, uint64_t most_us)
{
	uint64_t ns = gen_rng_below(&m->rng, (uint32_t)(most_us * 1000));

	return ns - ns % m->step_ns + m->step_ns;
}

int gen_mirror_send(struct gen_mirror *m, struct gen_seen *seen, uint64_t *out_ns,
	const struct gen_frame *frame)
{
	const struct gen_profile *p = m->profile;
	uint64_t sent = frame->ts_ns - frame->ts_ns % m->step_ns, at = sent;
	struct gen_frame out = *frame;
	int rc;

	out.ts_ns = *out_ns = at;
	if (m->clean) {
		see(seen, at);
		return m->sink->frame(m->sink, &out);
	}
	rc = let_out(m, at);
	if (rc == 0 && gen_rng_chance(&m->rng, p->loss) && !seen->spared) {
		seen->touched = true;
		return 0;
	}
	if (gen_rng_chance(&m->rng, p->reorder))
		at += delay(m, p->reorder_us);
	*out_ns = at;
	see(seen, at);
	if (rc == 0)
		rc = at == sent ? m->sink->frame(m->sink, &out) : hold(m, at, frame);
	if (rc != 0 || !gen_rng_chance(&m->rng, p->duplicates))
		return rc;
	at += delay(m, p->duplicate_us);
	see(seen, at);
	seen->copies[frame->dir]++;
	return hold(m, at, frame);
}
