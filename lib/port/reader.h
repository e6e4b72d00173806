/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef READER_H
#define READER_H

/* A reader from inside: reader.c reads and frees, lane.c takes frames out of its burst. */

#include "fragment.h"
#include "port_parts.h"

#define READER_BURST 32U /* frames asked of a queue at once */

/* A queue of a port. */
struct reader_source {
	struct port *port;
	uint16_t id, queue;
	bool armed;       /* its interrupt wakes this thread */
	unsigned at, cnt; /* of pending, where frames are merged by their stamps */
	struct rte_mbuf *pending[READER_BURST];
	int64_t pending_ns[READER_BURST];
};

struct et_port_reader {
	struct et_port_set *set;
	unsigned cnt;  /* of the last burst */
	unsigned next; /* the source to begin with */
	unsigned polls;
	bool merging;
	bool crowded; /* few buffers are left for the port: no fragment may wait */
	uint64_t fragments_cnt;
	uint64_t index; /* of the last frame */
	int64_t clock_ns;
	struct fragments *fragments;
	struct rte_mempool *big;               /* mbufs of 64 KiB, for frames that were in pieces */
	struct rte_mbuf *mbufs[ET_PORT_BURST]; /* NULL: passed on, or a fragment that was taken */
	int64_t ts_ns[ET_PORT_BURST], clocks_ns[ET_PORT_BURST];

	struct { /* written by the reader's thread alone, read by any */
		_Atomic uint64_t frames, bytes, segments, cut, fragments_lost;
	} counts;

	unsigned sources_cnt;
	struct reader_source sources[];
};

#endif
