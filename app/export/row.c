/* SPDX-License-Identifier: BSD-3-Clause */
#include "row.h"

#include <jansson.h>

void row_capture(struct et_stats_capture *capture, const struct bin *bin, uint64_t refused)
{
	const struct et_feed_mark *sums = &bin->sums;
	int64_t us;

	et_stats_capture_init(capture);
	capture->table_lost = (int64_t)refused;
	if (bin->marks == 0)
		return;
	capture->packets = (int64_t)sums->frames;
	capture->bytes = (int64_t)sums->bytes;
	capture->imissed = (int64_t)sums->imissed;
	capture->ierrors = (int64_t)sums->ierrors;
	capture->rx_nombuf = (int64_t)sums->rx_nombuf;
	capture->duplicates = (int64_t)sums->order.duplicates;
	capture->gaps = (int64_t)sums->order.gaps;
	capture->flows_open = (int64_t)bin->open;
	capture->flows_new = (int64_t)sums->flows_new;
	capture->flows_aged = (int64_t)sums->flows_aged;
	capture->flows_evicted = (int64_t)sums->flows_evicted;
	capture->ring_lost = (int64_t)sums->folded;
	capture->table_lost += (int64_t)sums->table_lost;
	capture->cores = bin->workers_seen;
	us = bin->seconds_ns / ET_NS_PER_US; /* what lies below is noise */
	capture->seconds = (double)us / 1e6;
	for (size_t i = 0; i < ET_DROP_MAX; i++)
		capture->drops[i] = (int64_t)sums->drops[i];
}

static json_t *rings_json(const struct lot *lots, size_t cnt)
{
	json_t *rings = json_array();

	for (size_t i = 0; i < cnt; i++) {
		char name[ET_RING_NAME];

		if (lots[i].from == lots[i].to)
			continue;
		et_ring_name(name, et_ring_id(lots[i].intake->ring));
		if (json_array_append_new(rings,
			    json_pack("{s:s, s:I, s:I}", "ring", name, "from",
				    (json_int_t)lots[i].from, "to", (json_int_t)lots[i].to)) != 0) {
			json_decref(rings);
			return NULL;
		}
	}
	return rings;
}

/* One object for each mark: how busy the worker was, and how full what it has. */
static json_t *load_json(const struct bin *bin)
{
	json_t *loads = json_array();

	for (size_t i = 0; i < bin->loads_cnt; i++) {
		const struct et_feed_mark *mark = &bin->loads[i].stretch->mark;
		uint64_t cycles = mark->busy_cycles + mark->idle_cycles;
		uint64_t thousandths = cycles ? mark->busy_cycles * 1000 / cycles : 0;

		if (json_array_append_new(loads,
			    json_pack("{s:I, s:o, s:I, s:I, s:I, s:I}", "worker",
				    (json_int_t)et_ring_id(bin->loads[i].lot->intake->ring)->worker,
				    "busy",
				    cycles ? json_real((double)thousandths / 1000) : json_null(),
				    "flows_open", (json_int_t)mark->flows_open, "undecided_open",
				    (json_int_t)mark->undecided_open, "ring_used",
				    (json_int_t)mark->ring_used, "ring_bytes",
				    (json_int_t)mark->ring_bytes)) != 0) {
			json_decref(loads);
			return NULL;
		}
	}
	return loads;
}

/* What the NICs said last. */
static json_t *nic_json(const struct bin *bin)
{
	json_t *nic = NULL;

	for (size_t i = bin->loads_cnt; i-- > 0 && !nic;)
		if (bin->loads[i].stretch->note)
			nic = json_loads(bin->loads[i].stretch->note, 0, NULL);
	return nic ? nic : json_null();
}

/* What the workers counted and a capture object has no name for. */
static json_t *engine_json(const struct bin *bin)
{
	const struct et_feed_mark *sums = &bin->sums;
	const struct et_order_counts *order = &sums->order;

	if (bin->marks == 0)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "lane_lost",
		(json_int_t)sums->lane_lost, "undecided_open", (json_int_t)bin->undecided,
		"retransmissions", (json_int_t)order->retransmissions, "out_of_order",
		(json_int_t)order->out_of_order, "overlaps", (json_int_t)order->overlaps,
		"conflicts", (json_int_t)order->conflicts, "gap_bytes",
		(json_int_t)order->gap_bytes, "load", load_json(bin), "nic", nic_json(bin));
}

json_t *row_members(const struct bin *bin, const struct lot *lots, size_t cnt)
{
	return json_pack("{s:o, s:I, s:{s:I, s:I}, s:I, s:I, s:o}", "rings", rings_json(lots, cnt),
		"late", (json_int_t)bin->late, "workers", "expected",
		(json_int_t)bin->workers_expected, "seen", (json_int_t)bin->workers_seen, "damaged",
		(json_int_t)bin->damaged, "marks_missing", (json_int_t)bin->marks_missing, "engine",
		engine_json(bin));
}
