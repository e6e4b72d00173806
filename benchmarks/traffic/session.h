/*
 * One session as a script: who, which recording, and the writes of both sides in order.
 *
 * A session is drawn from its number and the seed alone. It refers to its peer and its recording,
 * which must outlive it; everything else is inside the struct, so that a slot can be used again.
 */
#ifndef ET_SESSION_H
#define ET_SESSION_H

#include "dialogue.h"
#include "peer.h"
#include "record.h"
#include "wire.h"

#define ET_STEPS       64
#define ET_SESSION_BUF 12288

enum et_step_kind {
	ET_STEP_SYN,
	ET_STEP_SYNACK,
	ET_STEP_DATA,
	ET_STEP_BULK, /* bytes come from the session's bulk */
	ET_STEP_FIN,
	ET_STEP_RST,
	ET_STEP_ACK, /* of what the other side wrote last */
};

/* One write (or TCP event) of one side. */
struct et_step {
	uint8_t kind;
	uint8_t dir;
	bool lone_ack; /* the receiver acknowledges before it answers */
	const uint8_t *data;
	uint64_t len;
	uint64_t wait_ns; /* after the packet before, as seen at the gateway */
};

/* A mail body that is made while it is sent. */
struct et_bulk {
	const uint8_t *head; /* clear mail: command and header lines */
	uint32_t head_len;
	uint32_t start; /* clear mail: place in the pool of text */
	uint64_t body_len;
	const char *tail; /* clear mail: the final dot */
	uint32_t tail_len;
	uint32_t last_wire; /* TLS: size of the last, shorter record */
};

struct et_session {
	uint64_t id;
	uint64_t start_ns;
	const struct et_peer *peer;
	const struct et_recording *rec; /* NULL in clear */
	bool inbound;
	bool timestamps;
	bool offered;
	uint64_t rtt_ns;
	struct et_end end[2]; /* ET_CLIENT, ET_SERVER */
	struct et_bulk bulk;
	unsigned step_cnt;
	struct et_step steps[ET_STEPS];
	struct et_dialogue dialogue;
	uint32_t used;
	uint8_t buf[ET_SESSION_BUF];
};

/* How a capture is mixed. */
struct et_mix {
	const char *name;
	uint32_t sessions;              /* default */
	uint32_t concurrency;           /* default */
	double share[ET_CLASS_CNT];     /* sums to 1 */
	double mail_median, mail_sigma; /* bytes of a body */
	double mail_max;
	double lone_ack; /* share of writes that are acknowledged before the answer */
};

/* What all sessions draw from; read only while they run, but for the peers' port counters. */
struct et_world {
	uint64_t seed;
	const struct et_mix *mix;
	struct et_peers peers;
	struct et_recording *recs;
	size_t rec_cnt;
	uint8_t *text; /* lines of mail, ET_TEXT_LINE bytes each */
};

#define ET_TEXT_LINE  78
#define ET_TEXT_LINES 16384

/* Fills the slot with session number id, which opens at start_ns. */
void et_session_make(struct et_session *s, struct et_world *world, uint64_t id, uint64_t start_ns);

/* Copies n bytes of the mail body from place off. */
void et_session_bulk(const struct et_session *s, const struct et_world *world, uint8_t *out,
	uint64_t off, uint32_t n);

#endif
