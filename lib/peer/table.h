/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_PEER_TABLE_H
#define ET_PEER_TABLE_H

/* Private to the room: the store under et_peer_add and et_peer_merge. */

#include "et_peer.h"

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

#endif
