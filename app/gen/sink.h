/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_SINK_H
#define GEN_SINK_H

/*
 * Where frames go: today a pcap or pcapng file. Another sink (a port that sends) is another pair of
 * these functions; nothing before it knows more than this.
 */

#include <stdbool.h>
#include <stdint.h>

struct gen_sink {
	/* One frame, in the order of time. 0 or -errno. The bytes are the caller's. */
	int (*frame)(struct gen_sink *sink, uint64_t ts_ns, const uint8_t *bytes, uint32_t len);
	/* Completes and frees. 0 or -errno of the first failure. */
	int (*close)(struct gen_sink *sink);
	uint64_t frames, bytes;
};

/* By the name: pcapng for .pcapng, else pcap; .gz and .zst behind that; "-" is pcap to standard
 * output. nano: stamps in nanoseconds, else microseconds. NULL: cannot be made (errno). */
struct gen_sink *gen_sink_file(const char *path, bool nano);

#endif
