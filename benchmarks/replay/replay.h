/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_H
#define REPLAY_H

/*
 * Frames from memory for any program that uses DPDK, without copying them: see README.md.
 * load.c reads the capture, queue.c hands its frames out, flows.c those of connections that stay,
 * replay.c puts them behind a port.
 */

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define REPLAY_ERROR 256

/* ---- the capture ---- */

struct replay_frame {
	const uint8_t *data;
	uint32_t len;
	/* where four bytes of each address are that may be rewritten; 0: the frame has none */
	uint16_t src_at, dst_at;
	uint32_t hash; /* the same for both directions of a connection */
	bool opens;    /* SYN without ACK */
};

struct replay_capture {
	struct replay_frame *frames;
	size_t cnt;
	uint8_t *bytes; /* of all frames */
	size_t bytes_cnt;
};

/* 0, or -1 with a sentence. The capture is the caller's, to be freed by replay_unload. */
int replay_load(struct replay_capture *out, char error[static REPLAY_ERROR], const char *path);
void replay_unload(struct replay_capture *capture);

/* ---- queues ---- */

/* A frame in its packet buffer. */
struct replay_slot {
	struct rte_mbuf *mbuf;
	uint32_t len;
	uint16_t src_at, dst_at;
};

struct replay_queue {
	struct replay_slot *slots; /* as many more as are prefetched: the first ones again */
	uint32_t cnt, at;
	uint32_t delta;   /* from the addresses of the round before to this one's, network order */
	uint32_t data_at; /* from an mbuf to its frame */
	uint64_t rearm;
	uint64_t handed; /* mbufs in all; those that came back are counted by the pool */
	struct rte_mempool *pool;
	bool rewrites;
	/* with flows: connections that are opened first, then a frame of any of them */
	struct replay_capture opening;
	struct replay_frame body;
	uint32_t body_src, body_dst; /* its addresses' bytes */
	uint32_t flows, first, step; /* this queue's: first, first + step, ... */
	uint32_t flow, frame;        /* the next to open, and the next frame of its opening */
	uint32_t dressed;            /* slots that hold the body */
	uint64_t picked;

	/* written by the queue's thread alone, read by any */
	alignas(RTE_CACHE_LINE_SIZE) _Atomic uint64_t packets, bytes, rounds;
	_Atomic uint32_t position; /* in the round; with flows: in opening them */
	uint8_t *openers;          /* by slot: whether its frame opens a connection */
};

struct replay_options {
	const struct replay_capture *capture;
	unsigned queue, queues;
	bool rewrite, open; /* open: with flows, open them first */
	uint32_t flows;     /* 0: the capture round after round */
	uint32_t buffers;   /* with flows */
	uint16_t port, private_len, data_room;
	int numa;
};

/* Connections whose hash falls to this queue; or its share of the flows. 0, or -1. */
int replay_queue_init(struct replay_queue *queue, char error[static REPLAY_ERROR],
	const struct replay_options *options);
void replay_queue_fini(struct replay_queue *queue);

struct replay_counts {
	uint64_t packets, bytes, rounds;
	uint64_t opened;        /* connections */
	uint32_t frames, opens; /* of a round */
};
/* Any thread. */
void replay_queue_counts(struct replay_counts *out, const struct replay_queue *queue);

/* As a driver's receive functions: the first for captures, the second for flows. */
uint16_t replay_burst(void *queue, struct rte_mbuf **out, uint16_t cnt);
uint16_t replay_burst_flows(void *queue, struct rte_mbuf **out, uint16_t cnt);

#endif
