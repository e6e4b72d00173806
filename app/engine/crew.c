/* SPDX-License-Identifier: BSD-3-Clause */
#include "crew.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * A batch fills the second-level cache at the most: what the reader wrote is still there when the
 * worker reads it. A frame is at most 256 KiB (libpcap's limit) and must fit an empty batch.
 */
#define BATCH_PARCELS 256
#define BATCH_BYTES   (512u * 1024)
/* Batches per worker: one being filled, one being read, the rest to even out. */
#define BATCHES 6

struct batch {
	unsigned cnt;
	uint32_t used;
	struct parcel parcels[BATCH_PARCELS];
	uint8_t bytes[BATCH_BYTES];
};

/* A short queue of batches; the lock is taken once per batch. */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct batch *v[BATCHES + 1];
	unsigned head, cnt;
};

struct member {
	struct worker *worker;
	struct batch *batches[BATCHES];
	struct batch *filling;
	struct queue work;  /* reader to worker; NULL ends it */
	struct queue spare; /* worker to reader */
	pthread_t thread;
	bool runs;
};

struct crew {
	unsigned cnt;
	struct member members[];
};

static void queue_put(struct queue *queue, struct batch *batch)
{
	pthread_mutex_lock(&queue->lock);
	queue->v[(queue->head + queue->cnt++) % (BATCHES + 1)] = batch;
	pthread_cond_signal(&queue->filled);
	pthread_mutex_unlock(&queue->lock);
}

static struct batch *queue_get(struct queue *queue)
{
	struct batch *batch;

	pthread_mutex_lock(&queue->lock);
	while (queue->cnt == 0)
		pthread_cond_wait(&queue->filled, &queue->lock);
	batch = queue->v[queue->head];
	queue->head = (queue->head + 1) % (BATCHES + 1);
	queue->cnt--;
	pthread_mutex_unlock(&queue->lock);
	return batch;
}

static void work(struct worker *worker, struct batch *batch)
{
	for (unsigned at = 0; at < batch->cnt; at += BURST) {
		unsigned n = batch->cnt - at < BURST ? batch->cnt - at : BURST;

		worker_burst(worker, batch->parcels + at, n);
	}
	batch->cnt = 0;
	batch->used = 0;
}

static void *run(void *arg)
{
	struct member *m = arg;
	struct batch *batch;

	while ((batch = queue_get(&m->work)) != NULL) {
		work(m->worker, batch);
		queue_put(&m->spare, batch);
	}
	return NULL;
}

static bool member_start(struct member *m, bool threaded)
{
	unsigned batches = threaded ? BATCHES : 1;

	pthread_mutex_init(&m->work.lock, NULL);
	pthread_cond_init(&m->work.filled, NULL);
	pthread_mutex_init(&m->spare.lock, NULL);
	pthread_cond_init(&m->spare.filled, NULL);
	for (unsigned i = 0; i < batches; i++) {
		m->batches[i] = malloc(sizeof(*m->batches[i]));
		if (!m->batches[i])
			return false;
		m->batches[i]->cnt = 0;
		m->batches[i]->used = 0;
		if (i > 0)
			queue_put(&m->spare, m->batches[i]);
	}
	m->filling = m->batches[0];
	if (threaded)
		m->runs = pthread_create(&m->thread, NULL, run, m) == 0;
	return m->runs == threaded;
}

struct crew *crew_new(unsigned cnt, const struct worker_limits *limits,
	const struct et_match_db *db, const struct et_ports *ports, uint64_t hash_seed)
{
	struct crew *crew = calloc(1, sizeof(*crew) + cnt * sizeof(crew->members[0]));

	if (!crew)
		return NULL;
	for (crew->cnt = 0; crew->cnt < cnt;) {
		struct member *m = &crew->members[crew->cnt++];

		m->worker = worker_new(limits, db, ports, hash_seed);
		if (!m->worker || !member_start(m, cnt > 1)) {
			crew_free(crew);
			return NULL;
		}
	}
	return crew;
}

static void member_stop(struct member *m)
{
	if (!m->runs)
		return;
	queue_put(&m->work, NULL);
	pthread_join(m->thread, NULL);
	m->runs = false;
}

void crew_free(struct crew *crew)
{
	if (!crew)
		return;
	for (unsigned i = 0; i < crew->cnt; i++) {
		member_stop(&crew->members[i]);
		worker_free(crew->members[i].worker);
		for (unsigned j = 0; j < BATCHES; j++)
			free(crew->members[i].batches[j]);
	}
	free(crew);
}

static void hand_over(struct member *m)
{
	if (m->runs) {
		queue_put(&m->work, m->filling);
		m->filling = queue_get(&m->spare);
	} else {
		work(m->worker, m->filling);
	}
}

void crew_push(struct crew *crew, const struct parcel *parcel)
{
	/* The upper bits: the lower ones choose the bucket in the worker's table. */
	struct member *m = &crew->members[(parcel->hash >> 40) % crew->cnt];
	struct batch *batch = m->filling;
	size_t n = parcel->segment.payload.n;
	struct parcel *slot;

	if (batch->cnt == BATCH_PARCELS || n > BATCH_BYTES - batch->used) {
		hand_over(m);
		batch = m->filling;
	}
	assert(n <= BATCH_BYTES);
	slot = &batch->parcels[batch->cnt++];
	*slot = *parcel;
	slot->segment.payload.p = batch->bytes + batch->used;
	memcpy(batch->bytes + batch->used, parcel->segment.payload.p, n);
	batch->used += (uint32_t)n;
}

void crew_finish(struct crew *crew, int64_t clock_ns)
{
	for (unsigned i = 0; i < crew->cnt; i++)
		hand_over(&crew->members[i]);
	for (unsigned i = 0; i < crew->cnt; i++) {
		member_stop(&crew->members[i]);
		worker_finish(crew->members[i].worker, clock_ns);
	}
}

unsigned crew_cnt(const struct crew *crew)
{
	return crew->cnt;
}

struct worker *crew_worker(struct crew *crew, unsigned i)
{
	return crew->members[i].worker;
}
