/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_SINK_H
#define GEN_SINK_H

/*
 * Where frames go: a pcap or pcapng file here, a port that sends in port_sink.h. Nothing before a
 * sink knows more than this.
 */

#include "frame.h"

struct gen_sink {
	/* One frame, in the order of time. 0 or -errno. The bytes are the caller's. */
	int (*frame)(struct gen_sink *sink, const struct gen_frame *frame);
	/* Completes and frees. 0 or -errno of the first failure. */
	int (*close)(struct gen_sink *sink);
	uint64_t frames, bytes;
};

/* By the name: pcapng for .pcapng, else pcap; .gz and .zst behind that; "-" is pcap to standard
 * output. nano: stamps in nanoseconds, else microseconds. NULL: cannot be made (errno). */
struct gen_sink *gen_sink_file(const char *path, bool nano);

#endif
