/*
 * The other ends: a few thousand mail servers, each with its address, name, system and habits.
 *
 * A peer keeps to one class (it does TLS 1.3, or 1.2, or fails, or knows no TLS) and one direction,
 * as real ones do. The set is made once; only the port counters change afterwards.
 */
#ifndef ET_PEER_H
#define ET_PEER_H

#include "dialogue.h"
#include "record.h"

struct et_peer {
	uint8_t ip[16];
	char ip_text[48];
	char name[64];
	bool v6;
	bool inbound; /* it connects to the gateway */
	bool windows; /* no timestamp option, TTL from 128 */
	bool chunked; /* clear mail by BDAT */
	uint8_t hops;
	uint8_t mta;           /* enum et_mta of the server's side */
	uint16_t service_port; /* 25, for some clients 587 */
	uint16_t next_port;    /* of its connections' client side, counted up: no 4-tuple twice */
	uint64_t rtt_ns;
	const struct et_recording *full;    /* NULL: clear */
	const struct et_recording *resumed; /* NULL: has none */
};

/* Peers of one class stand together: [first, first + cnt). */
struct et_peers {
	struct et_peer *all;
	uint32_t first[ET_CLASS_CNT];
	uint32_t cnt[ET_CLASS_CNT];
};

/* 0 or -1 when memory is short. Recordings must outlive the peers. */
int et_peers_make(
	struct et_peers *p, uint64_t seed, const struct et_recording *recs, size_t rec_cnt);
void et_peers_free(struct et_peers *p);

/* One of the class, some much more often than others. Resumed classes use the peers of the full
 * ones that have something to resume. */
struct et_peer *et_peers_draw(struct et_peers *p, struct et_rng *rng, enum et_class class);

#endif
