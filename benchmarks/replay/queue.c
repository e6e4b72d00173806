/* SPDX-License-Identifier: BSD-3-Clause */

/* Packet buffers with frames in them, handed out in turn and taken back by being freed. */

#include "slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the pool: what is freed is counted, and handed out again when its turn comes ---- */

static int pool_alloc(struct rte_mempool *pool)
{
	struct returned *returned = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*returned));

	if (!returned)
		return -ENOMEM;
	atomic_init(&returned->cnt, 0);
	pool->pool_data = returned;
	return 0;
}

static void pool_free(struct rte_mempool *pool)
{
	free(pool->pool_data);
}

/* Any thread may free; as a rule it is the queue's. */
static int pool_enqueue(struct rte_mempool *pool, void *const *objects, unsigned n)
{
	struct returned *returned = pool->pool_data;

	(void)objects;
	atomic_fetch_add_explicit(&returned->cnt, n, memory_order_release);
	return 0;
}

/* Nobody allocates from it. */
static int pool_dequeue(struct rte_mempool *pool, void **objects, unsigned n)
{
	(void)pool;
	(void)objects;
	(void)n;
	return -ENOBUFS;
}

/* Who asks wants to know whether buffers run short: they cannot. */
static unsigned pool_count(const struct rte_mempool *pool)
{
	return pool->size;
}

static const struct rte_mempool_ops replay_ops = { .name = "et_replay",
	.alloc = pool_alloc,
	.free = pool_free,
	.enqueue = pool_enqueue,
	.dequeue = pool_dequeue,
	.get_count = pool_count };
RTE_MEMPOOL_REGISTER_OPS(replay_ops)

static void take_object(struct rte_mempool *pool, void *queue, void *object, unsigned i)
{
	struct replay_queue *q = queue;

	(void)pool;
	q->slots[i].mbuf = object;
}

/* ---- making a queue ---- */

int replay_slots_make(struct replay_queue *q, char error[static REPLAY_ERROR],
	const struct replay_options *options)
{
	struct returned *returned;
	struct rte_mbuf *first;
	char name[32];

	if (q->cnt == 0)
		return refuse(error, "no connection falls to one of the queues");
	q->slots = calloc(q->cnt + AHEAD, sizeof(*q->slots));
	snprintf(name, sizeof(name), "replay%u", options->queue);
	q->pool = rte_pktmbuf_pool_create_by_ops(name, q->cnt, 0, options->private_len,
		options->data_room, options->numa, "et_replay");
	if (!q->slots || !q->pool)
		return refuse(error, "no memory for its frames; give DPDK more, by -m or --memory");
	rte_mempool_obj_iter(q->pool, take_object, q);
	for (unsigned i = 0; i < AHEAD; i++)
		q->slots[q->cnt + i].mbuf = q->slots[i % q->cnt].mbuf;
	first = q->slots[0].mbuf;
	rte_pktmbuf_reset(first);
	first->port = options->port;
	memcpy(&q->rearm, &first->rearm_data, sizeof(q->rearm));
	q->data_at = (uint32_t)(rte_pktmbuf_mtod(first, uint8_t *) - (uint8_t *)first);
	returned = q->pool->pool_data;
	atomic_store(&returned->cnt, 0); /* as if all had come back: nothing is handed out yet */
	return 0;
}

static bool is_ours(const struct replay_frame *f, const struct replay_options *options)
{
	return (f->hash >> 8) % options->queues == options->queue;
}

static int fill_from_capture(struct replay_queue *q, char error[static REPLAY_ERROR],
	const struct replay_options *options)
{
	const struct replay_capture *capture = options->capture;
	uint32_t at = 0;

	for (size_t i = 0; i < capture->cnt; i++)
		q->cnt += is_ours(&capture->frames[i], options);
	if (replay_slots_make(q, error, options) != 0)
		return -1;
	q->openers = malloc(q->cnt);
	if (!q->openers)
		return refuse(error, "no memory");
	for (size_t i = 0; i < capture->cnt; i++) {
		const struct replay_frame *f = &capture->frames[i];

		if (!is_ours(f, options))
			continue;
		q->openers[at] = f->opens;
		dress(q, &q->slots[at++], f);
	}
	return 0;
}

int replay_queue_init(struct replay_queue *queue, char error[static REPLAY_ERROR],
	const struct replay_options *options)
{
	memset(queue, 0, sizeof(*queue));
	queue->rewrites = options->rewrite;
	for (size_t i = 0; i < options->capture->cnt; i++)
		if (options->capture->frames[i].len + RTE_PKTMBUF_HEADROOM > options->data_room)
			return refuse(error, "a frame is larger than a packet buffer");
	return options->flows ? replay_flows_init(queue, error, options)
			      : fill_from_capture(queue, error, options);
}

void replay_queue_fini(struct replay_queue *queue)
{
	rte_mempool_free(queue->pool);
	free(queue->slots);
	free(queue->openers);
}

void replay_queue_counts(struct replay_counts *out, const struct replay_queue *q)
{
	uint32_t position = atomic_load_explicit(&q->position, memory_order_relaxed);
	uint32_t in_round = 0;

	*out = (struct replay_counts){ .frames = q->cnt };
	out->packets = atomic_load_explicit(&q->packets, memory_order_relaxed);
	out->bytes = atomic_load_explicit(&q->bytes, memory_order_relaxed);
	out->rounds = atomic_load_explicit(&q->rounds, memory_order_relaxed);
	for (uint32_t i = 0; q->openers && i < q->cnt; i++) {
		out->opens += q->openers[i];
		in_round += i < position && q->openers[i];
	}
	out->opened = q->openers ? out->rounds * out->opens + in_round : position;
}

/* ---- handing out ---- */

static void next_round(struct replay_queue *q)
{
	uint32_t round = (uint32_t)atomic_load_explicit(&q->rounds, memory_order_relaxed);

	q->at = 0;
	q->delta = mask_of(round) ^ mask_of(round + 1);
	add(&q->rounds, 1);
}

static inline __attribute__((always_inline)) uint16_t hand_out(
	struct replay_queue *q, struct rte_mbuf **out, uint16_t cnt, bool rewrite)
{
	uint16_t n = room(q, cnt);
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < n; i++) {
		const struct replay_slot *slot = &q->slots[q->at];

		fetch(q, q->at, rewrite);
		out[i] = arm(q, slot);
		bytes += slot->len;
		if (rewrite && slot->src_at)
			turn((uint8_t *)out[i] + q->data_at, slot, q->delta);
		if (++q->at == q->cnt)
			next_round(q);
	}
	q->handed += n;
	add(&q->packets, n);
	add(&q->bytes, bytes);
	atomic_store_explicit(&q->position, q->at, memory_order_relaxed);
	return n;
}

uint16_t replay_burst(void *queue, struct rte_mbuf **out, uint16_t cnt)
{
	struct replay_queue *q = queue;

	return q->rewrites ? hand_out(q, out, cnt, true) : hand_out(q, out, cnt, false);
}
