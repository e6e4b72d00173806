/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_FLOW_H
#define ET_FLOW_H

/*
 * flow: the connection table of one worker.
 *
 * A flow is two endpoints. Its key holds the lower endpoint first, so that both directions have
 * one key and one hash; a *side* is 0 for segments that the lower endpoint sent and 1 for the
 * others. Which side is the client is not the table's business.
 *
 * An entry is two cache lines: what every packet of a decided connection touches is in the first.
 * What an undecided connection needs beyond that is found by `ref` and belongs to another room.
 *
 * A worker owns its table; no other thread touches it. After et_flow_table_new nothing allocates
 * but et_flow_add, and that only when a table that may grow does so. Memory is reserved for
 * max_flows and used as flows come.
 *
 * Aging: a flow is old when the capture's clock has passed `last` by more than the timeout of its
 * state. That is judged when its next packet comes and, for flows that get no further packet, by a
 * hand that walks over the entries (et_flow_sweep). Both judge by the same clock, which depends
 * on the capture alone, so the result is the same whenever the hand comes by.
 */

#include "et_base.h"
#include "et_packet.h"

struct et_flow_key {
	struct et_addr addr[2]; /* [0] is the lower endpoint */
	uint16_t port[2];
};

enum et_flow_state {
	ET_FLOW_FREE,
	ET_FLOW_UNDECIDED, /* index: of the connection's parsers */
	ET_FLOW_DECIDED,   /* index: of the connection's record */
	ET_FLOW_IGNORED,   /* not mail: counted as packets, nothing else */
};

#define ET_FLOW_INDEX_MAX ((1u << 29) - 1)

struct et_flow {
	/* first cache line: every packet */
	struct et_flow_key key;
	uint32_t last;       /* clock of the last packet, et_flow_tick() */
	int64_t end_ns;      /* the highest time stamp of its packets */
	uint32_t bytes[2];   /* TCP payload by side; carries go to bytes_hi */
	uint16_t packets[2]; /* by side; carries go to packets_hi */
	uint32_t index : 29;
	uint32_t state : 2;  /* enum et_flow_state */
	uint32_t closed : 1; /* RST, or FIN from both */
	/* second cache line: begin, end and rare events */
	int64_t start_ns;
	int64_t closed_ns;
	uint64_t first_frame;
	uint32_t isn[2]; /* sequence number of SYN by side, valid by `syn` */
	uint32_t bytes_hi[2], packets_hi[2];
	uint8_t syn;       /* bit per side: SYN seen */
	uint8_t fin;       /* bit per side: FIN seen */
	uint8_t rst;       /* bit per side: RST seen */
	uint8_t first_end; /* what ended it first: 0 nothing, 1 + side FIN, 3 + side RST */
} __attribute__((aligned(ET_CACHE_LINE)));

static_assert(offsetof(struct et_flow, start_ns) == ET_CACHE_LINE, "hot part is one cache line");
static_assert(sizeof(struct et_flow) == 2 * ET_CACHE_LINE, "an entry is two cache lines");

/* Time-outs by state; a closed flow is kept for late segments, so that they start no new one. */
#define ET_FLOW_IDLE_S   600 /* RFC 5321 4.5.3.2: the longest wait of a dialogue is 10 minutes */
#define ET_FLOW_CLOSED_S 30

struct et_flow_table;

/*
 * A table that begins with room for `flows` and grows up to max_flows (<= 2^26) as needed; give
 * both the same value for a table that never grows. NULL when memory is short. seed: of the hashes
 * that the table will be given.
 */
struct et_flow_table *et_flow_table_new(uint32_t flows, uint32_t max_flows, uint64_t seed);
void et_flow_table_free(struct et_flow_table *table);

static inline bool et_flow_key_equal(const struct et_flow_key *a, const struct et_flow_key *b)
{
	return __builtin_memcmp(a->addr[0].b, b->addr[0].b, 16) == 0 &&
	       __builtin_memcmp(a->addr[1].b, b->addr[1].b, 16) == 0 &&
	       __builtin_memcmp(a->port, b->port, 4) == 0;
}

/*
 * The key of a segment, its hash, and the side that sent it. The hash is symmetric: both directions
 * give the same. Upper bits spread over workers, lower over buckets. A seed that nobody outside can
 * guess keeps crafted addresses from meeting in one bucket.
 */
unsigned et_flow_key(
	struct et_flow_key *key, uint64_t *hash, const struct et_segment *segment, uint64_t seed);
uint64_t et_flow_hash(const struct et_flow_key *key, uint64_t seed);

/*
 * Lookup in stages that only move cache lines: the first, some other work, the second. It returns
 * what is most probably the flow, whose key is still to be compared; NULL: ask et_flow_find, as
 * well as when the key is another.
 */
void et_flow_prefetch_bucket(const struct et_flow_table *table, uint64_t hash);
struct et_flow *et_flow_prefetch_entry(const struct et_flow_table *table, uint64_t hash);
/* Counts additions and removals: as long as it stays the same, so does what was found. */
uint32_t et_flow_changes(const struct et_flow_table *table);

/* The flow of a key, NULL if there is none. Valid until the next et_flow_add or _remove. */
struct et_flow *et_flow_find(
	struct et_flow_table *table, const struct et_flow_key *key, uint64_t hash);

/*
 * A new entry, zero but for its key; the key must not be there yet. NULL when the table is full:
 * the caller makes room with et_flow_victim.
 */
struct et_flow *et_flow_add(
	struct et_flow_table *table, const struct et_flow_key *key, uint64_t hash);
void et_flow_remove(struct et_flow_table *table, struct et_flow *flow);

/*
 * The flow to give up for a new one, of a few: one that is closed and decided, which was kept for
 * late segments only, else the stalest. NULL only for an empty table.
 */
struct et_flow *et_flow_victim(struct et_flow_table *table);

/* Clock in sixteenths of a second; wraps after 8 years, which is no matter for differences. */
static inline uint32_t et_flow_tick(int64_t clock_ns)
{
	return (uint32_t)(clock_ns / (ET_NS_PER_S / 16));
}

/*
 * Whether the flow is old at tick `now`. Where several cores read, the clock that one of them has
 * seen may be a little behind the flow's last packet: then it is not.
 */
#define ET_FLOW_BEHIND_S 60
static inline bool et_flow_is_old(const struct et_flow *flow, uint32_t now)
{
	uint32_t age = now - flow->last;

	return age > (flow->closed ? ET_FLOW_CLOSED_S : ET_FLOW_IDLE_S) * 16u &&
	       age < UINT32_MAX - ET_FLOW_BEHIND_S * 16u;
}

/*
 * Looks at the next `steps` entries behind the hand and returns the first old one, NULL if none.
 * The caller ends and removes it.
 */
struct et_flow *et_flow_sweep(struct et_flow_table *table, uint32_t now, uint32_t steps);

/* Any flow that is left, NULL when the table is empty; for the end of the input. */
struct et_flow *et_flow_any(struct et_flow_table *table);

uint32_t et_flow_count(const struct et_flow_table *table);

/* Counts one packet. Called for every packet of every flow. */
static inline void et_flow_count_packet(struct et_flow *flow, unsigned side, uint32_t len)
{
	if (et_unlikely(++flow->packets[side] == 0))
		flow->packets_hi[side]++;
	flow->bytes[side] += len;
	if (et_unlikely(flow->bytes[side] < len))
		flow->bytes_hi[side]++;
}

static inline uint64_t et_flow_packets(const struct et_flow *flow, unsigned side)
{
	return (uint64_t)flow->packets_hi[side] << 16 | flow->packets[side];
}

static inline uint64_t et_flow_bytes(const struct et_flow *flow, unsigned side)
{
	return (uint64_t)flow->bytes_hi[side] << 32 | flow->bytes[side];
}

#endif
