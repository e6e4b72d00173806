/*
 * Play: one session's script as TCP packets, one packet per call.
 *
 * Seen from the gateway's port: what the gateway answers comes at once, what the peer answers comes
 * a round trip later. No loss, no reordering: the receiver of a benchmark is to be measured, not
 * its recovery.
 */
#ifndef ET_PLAY_H
#define ET_PLAY_H

#include "session.h"

struct et_play {
	struct et_session session;
	uint64_t next_ns; /* time of the next packet */
	uint64_t base_ns; /* of the last packet that was not a mere ACK */
	unsigned step;
	uint64_t sent;     /* bytes of the step */
	uint32_t acked[2]; /* by direction: up to where the receiver has acknowledged */
	uint32_t burst[2]; /* segments that may be under way at once */
	uint32_t burst_left;
	bool acking; /* the receiver's ACKs are next */
};

/* The session must be made before; its first packet leaves at session.start_ns. */
void et_play_start(struct et_play *p);

/* Writes the packet that is due at next_ns. 1: more to come, next_ns is set; 0: that was the last;
 * -errno when the file cannot be written. */
int et_play_next(struct et_play *p, struct et_wire *wire, const struct et_world *world);

#endif
