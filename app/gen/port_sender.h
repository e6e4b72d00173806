/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_PORT_SENDER_H
#define GEN_PORT_SENDER_H

/*
 * The thread that sends: takes frames out of a store, loop by loop, or from the ring behind
 * et_port_tx_put, and gives each to the port when it is due. What the port does not take is offered
 * again; the schedule waits for nothing, so that lost time is made good.
 */

#include <stdatomic.h>

#include "et_port.h"
#include "port_rate.h"
#include "port_store.h"

struct gen_sender {
	/* set before it runs */
	struct et_port_tx *tx;
	const struct gen_store *store; /* NULL: from the ring */
	struct gen_rate rate;
	uint64_t clients; /* of the profile */
	uint64_t loops;   /* 0: until it is stopped */
	uint64_t seconds; /* 0: no limit */
	bool drop;        /* what the port does not take at once is given up */
	/* by others, while it runs */
	_Atomic bool stop, made; /* made: no more frames come to the ring */
	_Atomic bool over;       /* by the sender */
	/* what became of it; to be read when it is over */
	uint64_t loops_done;    /* whole ones */
	uint64_t frames, bytes; /* taken by the port */
	uint64_t wire_bytes;
	uint64_t refused; /* frames that the port did not take at once */
	uint64_t dropped;
	uint64_t starved;         /* frames that were not there when they were due */
	uint64_t begin, end, lag; /* cycles; lag: the longest from due to taken */
	/* its own */
	struct gen_schedule schedule;
	struct gen_turn turn;
	uint64_t at; /* in the store */
	const struct gen_stored *frame;
	bool empty;       /* the ring was, when it was looked at last */
	unsigned cnt;     /* frames in the burst */
	unsigned waiting; /* the first of them were offered before */
	unsigned idle;    /* rounds in which the port took nothing */
	struct {
		uint64_t due;
		uint32_t len;
	} burst[ET_PORT_TX_BURST];
};

/* Runs on an lcore until all is sent, or it is stopped; arg: a struct gen_sender. */
int gen_sender_run(void *arg);

#endif
