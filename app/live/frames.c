/* SPDX-License-Identifier: BSD-3-Clause */

/* From a burst of frames to the worker, or to the lanes of other workers. */

#include <string.h>

#include "loop_parts.h"

static unsigned by_hash(const struct loop *l, uint64_t hash)
{
	/* the upper bits: the lower ones choose the bucket in the worker's table */
	return (unsigned)((hash >> 40) % l->engine->workers_cnt);
}

/* The worker of a segment. whole: put together from fragments, which RSS sees without ports. */
static unsigned owner_of(const struct loop *l, const struct parcel *parcel, bool whole)
{
	int queue;

	if (l->engine->workers_cnt == 1)
		return 0;
	if (l->engine->spreads || parcel->segment.inner)
		return by_hash(l, parcel->hash);
	if (!whole)
		return l->number;
	queue = et_port_queue_of(l->engine->ports, &parcel->segment);
	return queue >= 0 && (unsigned)queue < l->engine->workers_cnt ? (unsigned)queue : l->number;
}

static void work_own(struct loop *l)
{
	if (l->own_cnt > 0)
		worker_drain(l->worker, l->own, l->own_cnt);
	l->own_cnt = 0;
}

static void pass_on(struct loop *l)
{
	for (unsigned i = 0; i < l->engine->workers_cnt; i++) {
		unsigned went;

		if (l->pass_cnt[i] == 0)
			continue;
		went = et_port_pass(
			l->reader, l->engine->workers[i]->lane, l->pass[i], l->pass_cnt[i]);
		if (went < l->pass_cnt[i])
			seen_add(&l->seen.lane_lost, l->pass_cnt[i] - went);
		l->pass_cnt[i] = 0;
	}
}

/* A fragment: the segment of the datagram that it completes. False: of none, or of none yet. */
static bool reassemble(
	struct loop *l, struct et_segment *segment, struct et_frame *frame, unsigned i)
{
	enum et_drop drop = ET_DROP_FRAGMENT;
	uint32_t at;
	bool inner;

	if (et_packet_fragment_at(&at, &inner, frame)) {
		if (!et_port_fragment(l->reader, frame, i, at))
			return false; /* the reader counts it if nothing comes of it */
		drop = et_packet_decode(segment, frame);
	}
	if (drop != ET_KEEP) {
		seen_add(&l->seen.drops[drop], 1);
		return false;
	}
	segment->inner |= inner;
	return true;
}

static void take(struct loop *l, struct et_frame *frame, unsigned i)
{
	struct parcel *parcel = &l->own[l->own_cnt];
	enum et_drop drop = et_packet_decode(&parcel->segment, frame);
	bool whole = false;
	unsigned owner;

	if (et_unlikely(drop == ET_DROP_FRAGMENT)) {
		if (!reassemble(l, &parcel->segment, frame, i))
			return;
		whole = true;
	} else if (et_unlikely(drop != ET_KEEP)) {
		seen_add(&l->seen.drops[drop], 1);
		return;
	}
	parcel->side =
		et_flow_key(&parcel->key, &parcel->hash, &parcel->segment, l->engine->hash_seed);
	parcel->frame = frame->index * l->engine->readers_cnt + l->reader_number;
	parcel->ts_ns = frame->ts_ns;
	parcel->clock_ns = frame->clock_ns;
	owner = owner_of(l, parcel, whole);
	if (l->worker && owner == l->number) {
		worker_push(l->worker, l->own, l->own_cnt++);
		return;
	}
	memcpy(et_port_private(l->reader, i), parcel, sizeof(*parcel));
	l->pass[owner][l->pass_cnt[owner]++] = (uint8_t)i;
}

/* Frames that were read and not yet counted where others see it. */
struct uncounted {
	uint64_t frames, bytes;
};

static void count(struct loop *l, struct uncounted *uncounted)
{
	seen_add(&l->seen.frames, uncounted->frames);
	seen_add(&l->seen.bytes, uncounted->bytes);
	*uncounted = (struct uncounted){ 0 };
}

/* The frames from here on are of a later minute: what came before is worked on and told first. */
static void next_minute(struct loop *l, int64_t clock_ns)
{
	int64_t minute_ns = et_time_minute(clock_ns);

	work_own(l);
	if (l->worker)
		worker_idle(l->worker, clock_ns);
	l->minute_end_ns =
		minute_ns > INT64_MAX - ET_NS_PER_MIN ? INT64_MAX : minute_ns + ET_NS_PER_MIN - 1;
}

unsigned frames_read(struct loop *l, int64_t now_ns)
{
	struct et_frame frames[ET_PORT_BURST];
	unsigned n = et_port_read(l->reader, frames, now_ns);
	struct uncounted uncounted = { 0 };

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		if (et_unlikely(frames[i].clock_ns > l->minute_end_ns)) {
			count(l, &uncounted);
			next_minute(l, frames[i].clock_ns);
		}
		uncounted.frames++;
		uncounted.bytes += frames[i].len;
		take(l, &frames[i], i);
	}
	count(l, &uncounted);
	work_own(l);
	pass_on(l);
	et_port_done(l->reader);
	atomic_store_explicit(&l->seen.clock_ns, frames[n - 1].clock_ns, memory_order_release);
	return n;
}

unsigned frames_of_lane(struct loop *l)
{
	void *privates[ET_PORT_BURST];
	unsigned n = et_port_lane_read(l->lane, privates);

	for (unsigned i = 0; i < n; i++)
		memcpy(&l->own[i], privates[i], sizeof(l->own[i]));
	if (n > 0)
		worker_burst(l->worker, l->own, n);
	et_port_lane_done(l->lane);
	return n;
}
