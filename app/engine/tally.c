/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tally *tallies_at(struct tallies *tallies, int64_t ts_ns)
{
	int64_t minute_ns = et_time_minute(ts_ns);
	size_t at = tallies->cnt;

	/* Time goes forward: the place is almost always the end. */
	while (at > 0 && tallies->v[at - 1].minute_ns > minute_ns)
		at--;
	if (at > 0 && tallies->v[at - 1].minute_ns == minute_ns)
		return &tallies->v[at - 1];
	if (tallies->cnt == tallies->cap) {
		size_t cap = tallies->cap ? tallies->cap * 2 : 16;
		struct tally *v = realloc(tallies->v, cap * sizeof(*v));

		if (!v)
			return NULL;
		tallies->v = v;
		tallies->cap = cap;
	}
	memmove(&tallies->v[at + 1], &tallies->v[at], (tallies->cnt - at) * sizeof(tallies->v[0]));
	tallies->cnt++;
	tallies->v[at] = (struct tally){ .minute_ns = minute_ns };
	return &tallies->v[at];
}

void tally_add(struct tally *to, const struct tally *from)
{
	to->frames += from->frames;
	to->bytes += from->bytes;
	to->flows += from->flows;
	to->aged += from->aged;
	to->order.duplicates += from->order.duplicates;
	to->order.retransmissions += from->order.retransmissions;
	to->order.out_of_order += from->order.out_of_order;
	to->order.overlaps += from->order.overlaps;
	to->order.conflicts += from->order.conflicts;
	to->order.gaps += from->order.gaps;
	to->order.gap_bytes += from->order.gap_bytes;
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		to->drops[i] += from->drops[i];
}

int tallies_merge(struct tallies *to, const struct tallies *from)
{
	for (size_t i = 0; i < from->cnt; i++) {
		struct tally *tally = tallies_at(to, from->v[i].minute_ns);

		if (!tally)
			return -ENOMEM;
		tally_add(tally, &from->v[i]);
	}
	return 0;
}
