/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixed.h"
#include "pairs.h"
#include "session.h"
#include "truth.h"

#define PORT_FIRST 1024
#define PORT_CNT   (65536 - PORT_FIRST)
#define NEVER      UINT64_MAX

/* When something is due, and the slot of its session or the number of a plan. */
struct due {
	uint64_t ns;
	uint32_t what;
};

struct heap {
	struct due *all;
	size_t cnt, cap;
};

/* A delivery in clear that follows a failure. */
struct plan {
	uint32_t client, server;
	int script; /* of the next free plan while it is free */
};

struct engine {
	struct gen_run *run;
	struct gen_world world;
	struct gen_mirror *mirror;
	struct gen_pairs *pairs;
	struct gen_rng rng;
	struct gen_session **slots; /* grown block by block */
	uint32_t slot_cnt, *idle, idle_cnt;
	struct heap open, planned;
	struct plan *plans;
	uint32_t plan_cnt, plan_cap;
	int plan_free;
	double arrival_ns;
	double *weights, *clients, *servers; /* cumulated; NULL: uniform */
	uint16_t *ports;                     /* by client: of its next connection */
	uint8_t *taught;                     /* by server: a bit for each family */
};

/* ---- heaps by time */

static int heap_put(struct heap *h, uint64_t ns, uint32_t what)
{
	size_t at = h->cnt;

	if (h->cnt == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 1024;
		struct due *more = realloc(h->all, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		h->all = more;
		h->cap = cap;
	}
	h->cnt++;
	for (; at > 0 && ns < h->all[(at - 1) / 4].ns; at = (at - 1) / 4)
		h->all[at] = h->all[(at - 1) / 4];
	h->all[at] = (struct due){ ns, what };
	return 0;
}

/* The earliest of up to four children; without branches where there are four, for they cannot be
 * foretold. */
static size_t earliest(const struct heap *h, size_t child)
{
	const struct due *d = h->all;
	size_t least = child, other;

	if (child + 4 <= h->cnt) {
		least += d[child + 1].ns < d[child].ns;
		other = child + 2 + (d[child + 3].ns < d[child + 2].ns);
		return d[other].ns < d[least].ns ? other : least;
	}
	for (size_t i = child + 1; i < h->cnt; i++)
		if (d[i].ns < d[least].ns)
			least = i;
	return least;
}

/* Puts the item at the top, and sinks it to its place. */
static void heap_settle(struct heap *h, struct due item)
{
	size_t at = 0;

	for (size_t child = 1; child < h->cnt; child = 4 * at + 1) {
		size_t least = earliest(h, child);

		if (item.ns <= h->all[least].ns)
			break;
		h->all[at] = h->all[least];
		at = least;
	}
	h->all[at] = item;
}

static void heap_drop(struct heap *h)
{
	struct due item = h->all[--h->cnt];

	if (h->cnt > 0)
		heap_settle(h, item);
}

static uint64_t heap_ns(const struct heap *h)
{
	return h->cnt > 0 ? h->all[0].ns : NEVER;
}

/* ---- draws */

/* Zipf: the i-th has the weight 1 / (i + 1)^s. */
static double *cumulate(const struct gen_profile *p, uint64_t cnt)
{
	double *out = malloc(cnt * sizeof(*out)), sum = 0;

	for (uint64_t i = 0; out && i < cnt; i++)
		out[i] = sum += pow((double)(i + 1), -p->zipf_exponent);
	return out;
}

/* The first whose cumulated weight is above u times the sum. */
static uint32_t draw(const double *cumulated, uint32_t cnt, double u)
{
	uint32_t low = 0, high = cnt - 1;

	u *= cumulated[cnt - 1];
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (cumulated[mid] > u)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static uint32_t draw_peer(struct engine *e, const double *cumulated, uint64_t cnt)
{
	return cumulated ? draw(cumulated, (uint32_t)cnt, gen_rng_unit(&e->rng))
			 : gen_rng_below(&e->rng, (uint32_t)cnt);
}

/* ---- sessions */

static struct gen_session *new_slot(struct engine *e, uint32_t *index)
{
	if (e->idle_cnt == 0) {
		struct gen_session **slots = realloc(e->slots, (e->slot_cnt + 1) * sizeof(*slots));
		uint32_t *idle = slots ? realloc(e->idle, (e->slot_cnt + 1) * sizeof(*idle)) : NULL;

		if (slots)
			e->slots = slots;
		if (!idle)
			return NULL;
		e->idle = idle;
		e->slots[e->slot_cnt] = calloc(1, sizeof(struct gen_session));
		if (!e->slots[e->slot_cnt])
			return NULL;
		e->idle[e->idle_cnt++] = e->slot_cnt++;
	}
	*index = e->idle[--e->idle_cnt];
	return e->slots[*index];
}

/* The delivery in clear that will follow. */
static int plan(struct engine *e, const struct gen_session *s, int script)
{
	const struct gen_kind *kind = s->script->kind;
	uint64_t at = s->next_ns + (uint64_t)(kind->fallback_s * 1e9);
	int i = e->plan_free;

	if (script < 0)
		return 0;
	if (i >= 0) {
		e->plan_free = e->plans[i].script;
	} else {
		if (e->plan_cnt == e->plan_cap) {
			uint32_t cap = e->plan_cap ? 2 * e->plan_cap : 256;
			struct plan *more = realloc(e->plans, cap * sizeof(*more));

			if (!more)
				return -ENOMEM;
			e->plans = more;
			e->plan_cap = cap;
		}
		i = (int)e->plan_cnt++;
	}
	e->plans[i] = (struct plan){ s->client, s->server, script };
	return heap_put(&e->planned, at, (uint32_t)i);
}

static int start(
	struct engine *e, uint64_t ns, int script, uint32_t client, uint32_t server, bool spared)
{
	const struct gen_scripts *scripts = e->run->scripts;
	uint32_t index;
	struct gen_session *s = new_slot(e, &index);
	int rc;

	if (!s)
		return -ENOMEM;
	s->client = client;
	s->server = server;
	s->end[GEN_CLIENT].port = (uint16_t)(PORT_FIRST + e->ports[client]);
	s->seen.spared = spared;
	e->ports[client] = (uint16_t)((e->ports[client] + 1) % PORT_CNT);
	gen_session_begin(s, &e->world, e->run->sessions++, &scripts->all[script], ns);
	rc = plan(e, s, scripts->fallback[script]);
	if (rc == 0)
		rc = heap_put(&e->open, ns, index);
	if (e->open.cnt > e->run->open_max)
		e->run->open_max = e->open.cnt;
	return rc;
}

/* One of the profile's kinds between two peers. */
static int start_drawn(struct engine *e, uint64_t ns)
{
	const struct gen_scripts *scripts = e->run->scripts;
	const struct gen_profile *p = e->run->profile;
	int script = (int)draw(e->weights, scripts->cnt, gen_rng_unit(&e->rng));
	uint32_t client = draw_peer(e, e->clients, p->clients);
	uint32_t server = scripts->all[script].pool * (uint32_t)p->servers +
			  draw_peer(e, e->servers, p->servers);
	/* to an analyzer a server's two addresses are two servers */
	uint8_t family = gen_world_is_v6(&e->world, client) ? 2 : 1;
	bool teaches = scripts->all[script].teach >= 0 && !(e->taught[server] & family);

	if (teaches) {
		script = scripts->all[script].teach;
		e->taught[server] |= family;
	}
	e->arrival_ns += gen_rng_exponential(&e->rng, 1e9 / p->rate);
	return start(e, ns, script, client, server, teaches);
}

static int start_planned(struct engine *e, uint64_t ns)
{
	uint32_t i = e->planned.all[0].what;
	struct plan plan = e->plans[i];

	heap_drop(&e->planned);
	e->plans[i].script = e->plan_free;
	e->plan_free = (int)i;
	return start(e, ns, plan.script, plan.client, plan.server, false);
}

static int end(struct engine *e, uint32_t index)
{
	struct gen_session *s = e->slots[index];

	heap_drop(&e->open);
	e->idle[e->idle_cnt++] = index;
	e->run->touched += s->seen.touched;
	if (s->seen.last_ns > e->run->last_ns)
		e->run->last_ns = s->seen.last_ns;
	return e->run->truth ? gen_truth_put(e->run->truth, s) : 0;
}

/* The packet that is due. */
static int step(struct engine *e)
{
	uint32_t index = e->open.all[0].what;
	struct gen_session *s = e->slots[index];
	bool open = s->decided_ns == 0;
	int rc = gen_session_next(s, &e->world, e->mirror);

	if (rc >= 0 && open && s->decided_ns != 0 && gen_pairs_decided(e->pairs, s) != 0)
		rc = -ENOMEM;
	if (rc > 0)
		heap_settle(&e->open, (struct due){ s->next_ns, index });
	return rc == 0 ? end(e, index) : rc < 0 ? rc : 0;
}

static void show(const struct engine *e, bool last)
{
	static uint64_t shown_ns;
	uint64_t now = gen_real_ns();

	if (!last && now - shown_ns < 200000000)
		return;
	shown_ns = now;
	fprintf(stderr, "\r\033[K");
	if (!last)
		fprintf(stderr, "%" PRIu64 " of %" PRIu64 " sessions, %" PRIu64 " packets",
			e->run->sessions, e->run->profile->sessions, e->run->sink->frames);
}

static int loop(struct engine *e)
{
	const struct gen_profile *p = e->run->profile;
	uint64_t now = (uint64_t)e->arrival_ns;
	unsigned beat = 0;
	int rc = 0;

	while (rc == 0) {
		uint64_t packet = heap_ns(&e->open), planned = heap_ns(&e->planned);
		uint64_t arrival = (uint64_t)e->arrival_ns, at;
		bool more = e->run->sessions < p->sessions && e->open.cnt < p->concurrency;

		at = planned < arrival ? planned : arrival;
		if (at < now)
			at = now; /* had to wait for its turn */
		if (more && at <= packet) {
			now = at;
			rc = planned < arrival ? start_planned(e, at) : start_drawn(e, at);
			continue;
		}
		if (packet == NEVER)
			break;
		now = packet;
		rc = step(e);
		if (e->run->progress && ++beat % 8192 == 0)
			show(e, false);
	}
	if (e->run->progress)
		show(e, true);
	return rc == 0 ? gen_mirror_flush(e->mirror) : rc;
}

static int prepare(struct engine *e)
{
	const struct gen_run *run = e->run;
	const struct gen_profile *p = run->profile;
	double sum = 0;

	e->plan_free = -1;
	e->arrival_ns = (double)p->start_s * 1e9;
	gen_rng_seed(&e->rng, run->seed, UINT64_MAX - 4);
	e->mirror = gen_mirror_new(p, run->seed, run->sink, run->step_ns);
	e->pairs = gen_pairs_new();
	e->weights = malloc(run->scripts->cnt * sizeof(*e->weights));
	e->ports = calloc(p->clients, sizeof(*e->ports));
	e->taught = calloc(run->scripts->pool_cnt * p->servers, 1);
	if (gen_world_make(&e->world, p, run->seed) != 0 || !e->mirror || !e->pairs ||
		!e->weights || !e->ports || !e->taught)
		return -ENOMEM;
	for (unsigned i = 0; i < run->scripts->cnt; i++)
		e->weights[i] = sum += run->scripts->all[i].weight;
	for (uint64_t i = 0; i < p->clients; i++)
		e->ports[i] = (uint16_t)(gen_rng_hash(run->seed ^ 0x706f, i) % PORT_CNT);
	if (!p->zipf)
		return 0;
	e->clients = cumulate(p, p->clients);
	e->servers = cumulate(p, p->servers);
	return e->clients && e->servers ? 0 : -ENOMEM;
}

int gen_run(struct gen_run *run)
{
	struct engine e = { .run = run };
	int rc = prepare(&e);

	if (rc == 0)
		rc = loop(&e);
	for (uint32_t i = 0; i < e.slot_cnt; i++)
		free(e.slots[i]);
	free(e.slots);
	free(e.idle);
	free(e.open.all);
	free(e.planned.all);
	free(e.plans);
	free(e.weights);
	free(e.clients);
	free(e.servers);
	free(e.ports);
	free(e.taught);
	gen_mirror_free(e.mirror);
	gen_pairs_free(e.pairs);
	gen_world_free(&e.world);
	return rc;
}
