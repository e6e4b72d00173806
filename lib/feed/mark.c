/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"

#define VERSION 4

uint64_t et_feed_layout(void)
{
	const uint64_t sizes[] = { VERSION, sizeof(struct word), sizeof(struct et_session),
		sizeof(struct et_mail_facts), sizeof(struct et_tls_facts), sizeof(struct sums),
		sizeof(struct sum), sizeof(struct et_feed_mark), ET_PEER_COUNT_MAX,
		ET_PEER_KIND_MAX, ET_DROP_MAX, ET_SERVICE_MAX, ET_OUTCOME_MAX };

	return et_hash(sizes, sizeof(sizes), 0);
}

static void add_order(struct et_order_counts *to, const struct et_order_counts *from)
{
	to->duplicates += from->duplicates;
	to->retransmissions += from->retransmissions;
	to->out_of_order += from->out_of_order;
	to->overlaps += from->overlaps;
	to->conflicts += from->conflicts;
	to->gaps += from->gaps;
	to->gap_bytes += from->gap_bytes;
}

void et_feed_mark_add(struct et_feed_mark *to, const struct et_feed_mark *from)
{
	if (to->minutes == 0) {
		*to = *from;
		return;
	}
	to->minute_ns = from->minute_ns;
	to->end_ns = from->end_ns;
	to->minutes += from->minutes;
	to->workers = from->workers;
	to->frames += from->frames;
	to->bytes += from->bytes;
	to->flows_new += from->flows_new;
	to->flows_aged += from->flows_aged;
	to->flows_evicted += from->flows_evicted;
	to->flows_open = from->flows_open;
	to->undecided_open = from->undecided_open;
	to->folded += from->folded;
	to->table_lost += from->table_lost;
	to->lane_lost += from->lane_lost;
	to->ring_used = from->ring_used;
	to->ring_bytes = from->ring_bytes;
	to->imissed += from->imissed;
	to->ierrors += from->ierrors;
	to->rx_nombuf += from->rx_nombuf;
	to->busy_cycles += from->busy_cycles;
	to->idle_cycles += from->idle_cycles;
	to->cycles_per_s = from->cycles_per_s;
	add_order(&to->order, &from->order);
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		to->drops[i] += from->drops[i];
}

enum et_book message_book(enum et_peer_kind kind)
{
	switch (kind) {
	case ET_PEER_HELLOS: return ET_BOOK_HELLOS;
	case ET_PEER_CHAINS: return ET_BOOK_CHAINS;
	case ET_PEER_CLIENT_NAMES:
	case ET_PEER_SERVER_NAMES: return ET_BOOK_NAMES;
	default: return ET_BOOK_MAX;
	}
}
