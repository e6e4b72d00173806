/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_PEER_TABLE_H
#define ET_PEER_TABLE_H

/* Private to the room: the store under et_peer_add and et_peer_merge. */

#include "et_peer.h"

#define CAUSES_MAX 4096u

static inline void peer_count(uint32_t *sum, uint64_t add)
{
	uint64_t value = *sum + add;

	*sum = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* Index of the peer, added if need be; UINT32_MAX when it does not fit (counted). */
uint32_t peer_find(
	struct et_peer_table *table, const struct et_addr addr[static 2], uint8_t service);
struct et_peer *peer_by_index(struct et_peer_table *table, uint32_t index);

/* Adds to the cell (peer, kind, key), which is made if need be. */
void peer_cell(struct et_peer_table *table, uint32_t peer, enum et_peer_kind kind, uint64_t key,
	uint64_t add);

/* The key of a cause's code; 0 when it does not fit (counted). */
uint64_t peer_cause_key(struct et_peer_table *table, struct et_view code);

/* The key of a failure whose code has this one; 0 for 0. */
static inline uint64_t peer_failure_key(
	uint64_t cause, enum et_confidence confidence, uint32_t hello)
{
	static_assert(CAUSES_MAX < 1 << 16, "a key has 56 bits");
	return cause == 0 ? 0 : cause << 40 | (uint64_t)confidence << 32 | hello;
}

/* The key of what a session came to; 0 when it does not fit (counted). */
uint64_t peer_accept_key(struct et_peer_table *table, const struct et_peer_accept *accept);

/* Whether the table takes sums only: et_peer_table_new_fixed. */
bool peer_is_fixed(const struct et_peer_table *table);

/* The kinds behind ET_PEER_FAILURES, of a session. */
void peer_add_more(struct et_peer_table *table, uint32_t peer, const struct et_session *session);

#endif
