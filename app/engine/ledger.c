/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>

/* Kept records: so much address space is reserved, and taken as it is filled. */
#define KEEP_MAX (ET_FLOW_INDEX_MAX / 4)
#define NO_PLACE ET_FLOW_INDEX_MAX

int ledger_init(struct ledger *ledger, const struct ledger_feed *feed)
{
	*ledger = (struct ledger){ .max = KEEP_MAX, .minute_ns = INT64_MAX };
	if (feed) {
		ledger->feed = *feed;
		ledger->max = feed->closed ? feed->records : 0;
		if (ledger->max > 0)
			ledger->spare = et_area_new(ledger->max * sizeof(*ledger->spare));
		if (ledger->max > 0 && !ledger->spare)
			return -ENOMEM;
		while (ledger->spare_cnt < ledger->max) {
			ledger->spare[ledger->spare_cnt] = ledger->spare_cnt;
			ledger->spare_cnt++;
		}
	}
	if (ledger->max > 0) {
		ledger->records = et_area_new(ledger->max * sizeof(*ledger->records));
		if (!ledger->records)
			return -ENOMEM;
	}
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	et_area_free(ledger->records, ledger->max * sizeof(*ledger->records));
	et_area_free(ledger->spare, ledger->max * sizeof(*ledger->spare));
	free(ledger->tallies.v);
}

/* A stamp from a damaged file can stand at the end of time. */
static int64_t minute_end(int64_t minute_ns)
{
	return minute_ns > INT64_MAX - ET_NS_PER_MIN ? INT64_MAX : minute_ns + ET_NS_PER_MIN - 1;
}

static void keep_counts(struct ledger *ledger)
{
	struct tally *tally = tallies_at(&ledger->tallies, ledger->minute_ns);

	if (tally)
		tally_add(tally, &ledger->now);
	else
		ledger->out_of_memory = true;
}

void ledger_mark(const struct ledger *ledger, struct et_feed_mark *out, int64_t end_ns)
{
	const struct tally *now = &ledger->now;

	*out = (struct et_feed_mark){ .minute_ns = ledger->minute_ns,
		.first_ns = ledger->begin_ns,
		.end_ns = end_ns,
		.minutes = 1,
		.frames = now->frames,
		.bytes = now->bytes,
		.flows_new = now->flows,
		.flows_aged = now->aged,
		.flows_evicted = now->drops[ET_DROP_FLOW_TABLE],
		.order = now->order };
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		out->drops[i] = now->drops[i];
}

static void feed_counts(struct ledger *ledger, int64_t end_ns)
{
	struct et_feed_mark mark;

	ledger_mark(ledger, &mark, end_ns);
	ledger->feed.complete(ledger->feed.ctx, &mark);
	et_feed_mark(ledger->feed.outlet, &mark);
	if (ledger->feed.closed)
		et_feed_mark(ledger->feed.closed, &mark);
}

/* Puts the counts of the minute in progress, covered up to end_ns, where they belong. */
static void write_down(struct ledger *ledger, int64_t end_ns)
{
	if (ledger->counting && ledger->feed.outlet)
		feed_counts(ledger, end_ns);
	else if (ledger->counting)
		keep_counts(ledger);
	ledger->now = (struct tally){ 0 };
	ledger->counting = false;
	ledger->minute_ns = INT64_MAX; /* whatever comes is of another one */
}

void ledger_turn(struct ledger *ledger, int64_t ts_ns)
{
	bool first = !ledger->counting;

	if (ledger->feed.outlet && !first && ts_ns < ledger->minute_ns)
		return;
	write_down(ledger, ledger->minute_end_ns);
	ledger->counting = true;
	ledger->minute_ns = et_time_minute(ts_ns);
	ledger->minute_end_ns = minute_end(ledger->minute_ns);
	ledger->begin_ns = first ? ts_ns : ledger->minute_ns;
}

struct et_session *ledger_place(struct ledger *ledger)
{
	if (ledger->feed.outlet) {
		if (ledger->spare_cnt == 0)
			return &ledger->scratch;
		return &ledger->records[ledger->spare[--ledger->spare_cnt]];
	}
	if (ledger->cnt == ledger->max) {
		ledger->out_of_memory = true;
		return NULL;
	}
	return &ledger->records[ledger->cnt++];
}

void ledger_drop(struct ledger *ledger, struct et_session *record)
{
	if (!ledger->feed.outlet)
		ledger->cnt--;
	else if (record != &ledger->scratch)
		ledger->spare[ledger->spare_cnt++] = (uint32_t)(record - ledger->records);
}

uint32_t ledger_add(struct ledger *ledger, struct et_session *record, const struct et_flow *flow)
{
	if (ledger->feed.outlet) {
		et_conn_close(record, flow); /* as it is by now: how it ended may say why */
		et_feed_session(ledger->feed.outlet, record);
	}
	if (record == &ledger->scratch)
		return NO_PLACE;
	return (uint32_t)(record - ledger->records) & ET_FLOW_INDEX_MAX;
}

void ledger_close(struct ledger *ledger, uint32_t number, const struct et_flow *flow)
{
	struct et_session *record = &ledger->records[number];

	if (number == NO_PLACE)
		return;
	et_conn_close(record, flow);
	if (!ledger->feed.outlet)
		return;
	et_feed_session(ledger->feed.closed, record);
	ledger->spare[ledger->spare_cnt++] = number;
}

void ledger_finish(struct ledger *ledger, int64_t clock_ns)
{
	write_down(ledger, clock_ns < ledger->minute_end_ns ? clock_ns : ledger->minute_end_ns);
}
