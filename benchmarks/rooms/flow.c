/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * lib/flow: a table full of connections, in bursts as app/engine/worker.c does it. Which connection
 * comes next cannot be foretold; keys and hashes lie ready, as in the parcels of a burst.
 */

#include "rooms.h"

#include <stdio.h>

#define BURST        64
#define ENTRY_BEHIND 8
#define FLOW_BEHIND  20
#define BATCH        1024 /* made before the clock starts; less than a second-level cache */
#define SEED         7
#define STRIDE       2654435761u /* a prime: walks over all of any smaller number, in no order */
#define PACKETS      2000000

struct parcel {
	struct et_flow_key key;
	uint64_t hash;
};

typedef uint64_t burst_fn(struct et_flow_table *table, const struct parcel *parcels, uint32_t cnt);

static struct parcel parcel_of(uint32_t number)
{
	struct et_segment segment = {
		.src = et_addr_v4((uint8_t[]){
			10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number }),
		.dst = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 }),
		.src_port = (uint16_t)(1024 + (number >> 24)),
		.dst_port = 25,
	};
	struct parcel parcel;

	et_flow_key(&parcel.key, &parcel.hash, &segment, SEED);
	return parcel;
}

/*
 * The flows of a burst, in stages some parcels behind each other: bucket asked for, entry asked for,
 * flow known.
 */
static void look_up(struct et_flow *flows[static BURST], struct et_flow_table *table,
	const struct parcel *parcels, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt + FLOW_BEHIND; i++) {
		/* before the first: beyond cnt */
		uint32_t entry = i - ENTRY_BEHIND, flow = i - FLOW_BEHIND;

		if (i < cnt)
			et_flow_prefetch_bucket(table, parcels[i].hash);
		if (entry < cnt)
			flows[entry] = et_flow_prefetch_entry(table, parcels[entry].hash);
		if (flow < cnt && (!flows[flow] || et_unlikely(!et_flow_key_equal(
							   &flows[flow]->key, &parcels[flow].key))))
			flows[flow] = et_flow_find(table, &parcels[flow].key, parcels[flow].hash);
	}
}

/* A connection that is not there yet. */
static uint64_t insert(struct et_flow_table *table, const struct parcel *parcels, uint32_t cnt)
{
	struct et_flow *flows[BURST];
	uint64_t done = 0;

	look_up(flows, table, parcels, cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		const struct parcel *parcel = &parcels[i];

		/* the table has changed since: as a worker has to, it looks again */
		if (flows[i] || et_flow_find(table, &parcel->key, parcel->hash))
			continue;
		flows[i] = et_flow_add(table, &parcel->key, parcel->hash);
		if (!flows[i])
			continue;
		flows[i]->start_ns = flows[i]->end_ns = 1;
		flows[i]->state = ET_FLOW_DECIDED;
		done++;
	}
	return done;
}

/* A packet of a connection that is decided. */
static uint64_t packet(struct et_flow_table *table, const struct parcel *parcels, uint32_t cnt)
{
	struct et_flow *flows[BURST];
	uint64_t done = 0;

	look_up(flows, table, parcels, cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		if (!flows[i] || et_flow_is_old(flows[i], 0))
			continue;
		et_flow_count_packet(flows[i], i & 1, 1000);
		flows[i]->end_ns++;
		done++;
	}
	return done;
}

/* The same one by one: where the next key lies is known only when this flow is read. */
static uint64_t alone(struct et_flow_table *table, const struct parcel *parcels, uint32_t cnt)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < cnt;) {
		struct et_flow *flow = et_flow_find(table, &parcels[i].key, parcels[i].hash);
		uint32_t none;

		if (!flow)
			break;
		et_flow_count_packet(flow, i & 1, 1000);
		done++;
		none = flow->state == ET_FLOW_FREE; /* 0 */
		__asm__ volatile("" : "+r"(none));  /* computed, not foretold by a branch */
		i += 1 + none;
	}
	return done;
}

static uint64_t take_out(struct et_flow_table *table, const struct parcel *parcels, uint32_t cnt)
{
	struct et_flow *flows[BURST];
	uint64_t done = 0;

	look_up(flows, table, parcels, cnt);
	for (uint32_t i = 0; i < cnt; i++) {
		if (!flows[i])
			continue;
		et_flow_remove(table, flows[i]); /* the others of the burst stay where they are */
		done++;
	}
	return done;
}

/* `total` operations; `every`: each connection once, else any at random. */
static uint64_t run(struct bench *b, struct et_flow_table *table, burst_fn *fn, uint32_t flows,
	uint32_t total, bool every)
{
	static struct parcel batch[BATCH];
	uint64_t done = 0, random = flows;

	for (uint32_t at = 0; at < total; at += BATCH) {
		uint32_t n = total - at < BATCH ? total - at : BATCH;

		for (uint32_t i = 0; i < n; i++)
			batch[i] = parcel_of((uint32_t)((every ? (uint64_t)(at + i) * STRIDE
							       : bench_random(&random)) %
							flows));
		bench_start(b);
		for (uint32_t i = 0; i < n; i += BURST)
			done += fn(table, batch + i, n - i < BURST ? n - i : BURST);
		bench_stop(b);
	}
	return done;
}

static const char *size_name(char out[16], uint32_t n)
{
	if (n >= 1000000 && n % 100000 == 0)
		snprintf(out, 16, "%g M", n / 1e6);
	else if (n >= 1000 && n % 100 == 0)
		snprintf(out, 16, "%g k", n / 1e3);
	else
		snprintf(out, 16, "%u", n);
	return out;
}

static void one_size(struct bench *b, uint32_t flows)
{
	uint32_t packets = bench_options(b)->quick ? PACKETS / 20 : PACKETS;
	uint64_t before = bench_resident(), done;
	struct et_flow_table *table;
	char size[16];
	double each;

	et_area_ready(true); /* as a poll loop has it: nothing faults later */
	table = et_flow_table_new(flows, flows, SEED);
	et_area_ready(false);
	bench_check(b, table != NULL, "not enough memory for %u flows", flows);
	each = (double)(bench_resident() - before) / flows;
	size_name(size, flows);

	done = run(b, table, insert, flows, flows, true);
	bench_check(b, done == flows && et_flow_count(table) == flows, "%s not inserted", size);
	bench_memory(b, each);
	bench_row(b, "connection", flows, done, "insert, %s flows", size);

	done = run(b, table, packet, flows, packets, false);
	bench_check(b, done == packets, "%s: flows not found", size);
	bench_row(b, "packet", packets, done, "packet of a known flow, %s flows", size);

	done = run(b, table, alone, flows, packets, false);
	bench_check(b, done == packets, "%s: flows not found alone", size);
	bench_row(b, "packet", packets, done, "one by one, not prefetched, %s flows", size);

	done = run(b, table, take_out, flows, flows, true);
	bench_check(b, done == flows && et_flow_count(table) == 0, "%s not removed", size);
	bench_row(b, "connection", flows, done, "remove, %s flows", size);
	et_flow_table_free(table);
}

void room_flow(struct bench *b, struct inputs *in)
{
	(void)in;
	for (const uint32_t *flows = bench_options(b)->flows; *flows; flows++)
		one_size(b, *flows);
}
