/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_SESSION_H
#define GEN_SESSION_H

/*
 * One open session: its script, its own values, and how far it has got. It has a fixed size, and is
 * drawn from its number and the seed alone.
 */

#include "frame.h"
#include "mirror.h"
#include "rng.h"
#include "script.h"

struct gen_session {
	/* of the next packet; and of the last that was not a mere ACK */
	uint64_t next_ns, base_ns;
	uint64_t id;
	const struct gen_script *script;
	struct gen_end_state end[2];
	struct gen_wire wire;
	struct gen_rng rng;
	uint32_t client, server; /* numbers of the peers */
	uint32_t rtt_ns;
	bool rst; /* ends in RST where others say goodbye */
	/* how far it has got */
	uint8_t phase;
	bool acking;
	uint16_t flight;
	uint64_t sent;     /* bytes of the flight */
	uint32_t acked[2]; /* by direction: up to where the receiver has acknowledged */
	uint32_t burst[2], burst_left;
	/* the mail's body: its size as text, and as bytes of the flight */
	uint64_t body, bulk_len;
	uint32_t bulk_last; /* TLS: size of the last, shorter record */
	uint32_t text_at;   /* clear: place in the pool of text */
	uint8_t random[2][32], id_bytes[GEN_IDS][32];
	/* what the truth says */
	struct gen_seen seen;
	uint64_t decided_ns; /* 0: never */
	uint64_t packets[2], payload[2];
	uint64_t fallback_ns; /* start of the session whose failure it follows; 0: none */
	bool same_connection;
};

/* What all sessions draw from. */
struct gen_world {
	const struct gen_profile *profile;
	uint64_t seed;
	uint8_t *text; /* GEN_TEXT_LINES lines of mail, GEN_TEXT_LINE bytes each */
};

#define GEN_TEXT_LINE  78
#define GEN_TEXT_LINES 8192

/* 0 or -1 when memory is short. gen_world_free() is due in both cases. */
int gen_world_make(struct gen_world *world, const struct gen_profile *profile, uint64_t seed);
void gen_world_free(struct gen_world *world);

/* Whether that client speaks IPv6. */
bool gen_world_is_v6(const struct gen_world *world, uint32_t client);

/* Fills a session that begins at start_ns between these peers. */
void gen_session_begin(struct gen_session *s, const struct gen_world *world, uint64_t id,
	const struct gen_script *script, uint64_t start_ns);

/* Sends the packet that is due at next_ns. 1: more to come, next_ns is set; 0: that was the last;
 * -errno. */
int gen_session_next(
	struct gen_session *s, const struct gen_world *world, struct gen_mirror *mirror);

#endif
