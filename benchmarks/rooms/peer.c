/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/peer: sums per (client, server, service). The sessions are those of the corpus, whose clients
 * are others. */

#include "rooms.h"

#include "et_peer.h"

#define STRIDE   2654435761u /* a prime: walks over all of any smaller number, in no order */
#define SESSIONS 500000
#define CELLS    16u /* room for each peer */

static void add(struct et_peer_table *table, const struct corpus *c, uint32_t kind, uint32_t peer)
{
	struct et_session session = c->sessions[kind % c->conns];

	session.addr[ET_CLIENT] = et_addr_v4(
		(uint8_t[]){ 10, (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer });
	session.addr[ET_SERVER] = et_addr_v4((uint8_t[]){ 192, 0, 2, 25 });
	session.service = ET_SERVICE_SMTP;
	et_peer_add(table, &session, NULL, false);
}

static uint64_t sessions_of(const struct et_peer_table *table)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < et_peer_cnt(table); i++)
		sum += et_peer_at(table, i)->counts[ET_PEER_SESSIONS];
	return sum;
}

static void one_size(struct bench *b, const struct corpus *c, uint32_t peers)
{
	uint32_t sessions = bench_options(b)->quick ? SESSIONS / 20 : SESSIONS;
	uint64_t before = bench_resident(), sum;
	struct et_peer_table *table = et_peer_table_new(peers, peers * CELLS);

	bench_check(b, table != NULL, "not enough memory for %u peers", peers);
	bench_start(b);
	for (uint32_t i = 0; i < peers; i++)
		add(table, c, i, (uint32_t)((uint64_t)i * STRIDE % peers));
	bench_stop(b);
	sum = sessions_of(table);
	bench_check(b, et_peer_cnt(table) == peers && sum == peers, "not all peers were added");
	bench_memory(b, (double)(bench_resident() - before) / peers);
	bench_row(b, "session", peers, sum, "session of a new peer, %u peers", peers);

	bench_start(b);
	for (uint32_t i = 0; i < sessions; i++) {
		/* the same kind as before: a client's TLS stays the same */
		uint32_t number = (uint32_t)((uint64_t)i * 7919 % peers);

		add(table, c, number, (uint32_t)((uint64_t)number * STRIDE % peers));
	}
	bench_stop(b);
	sum = sessions_of(table);
	bench_check(b, sum == (uint64_t)peers + sessions, "sessions are missing");
	bench_check(b, et_peer_refused(table) == 0, "the table refused some");
	bench_row(b, "session", sessions, sum, "session of a known peer, %u peers", peers);
	et_peer_table_free(table);
}

void room_peer(struct bench *b, struct inputs *in)
{
	for (const uint32_t *peers = bench_options(b)->peers; *peers; peers++)
		one_size(b, &in->storm, *peers);
}
