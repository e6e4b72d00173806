/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_SOURCE_H
#define ET_SOURCE_H

/*
 * source: capture files as one sequence of frames.
 *
 * Reads pcap and pcapng (micro- and nanoseconds, both byte orders) through libpcap, plain or
 * compressed by gzip or zstd (told by their first bytes, not by the name), from files, and from
 * standard input by the name "-". Several files are merged in the order of their time stamps;
 * frames of one file keep their order whatever their stamps say.
 *
 * A signal with a handler, without SA_RESTART, ends the file that is waited for at that point.
 *
 * One thread owns a source. Memory: one frame per open file and the decompressor's windows.
 */

#include "et_base.h"

struct et_frame {
	const uint8_t *data;
	uint32_t cap_len; /* bytes at data */
	uint32_t
		len; /* bytes on the wire, >= cap_len; what lies between was cut by the snap length */
	int64_t ts_ns;      /* the capture's own stamp */
	int64_t clock_ns;   /* the highest stamp of all frames up to this one: never goes back */
	uint64_t index;     /* number of the frame in the order of reading, from 1 */
	uint32_t link_type; /* a DLT_ value as libpcap gives it */
};

struct et_source;

/* Called for every input that is damaged or cannot be read, with one sentence that names it. */
typedef void et_source_warn(void *ctx, const char *sentence);

/*
 * Opens all that can be opened. NULL only when memory is short. A file that cannot be opened, is
 * empty or is no capture is told through warn, counted in `unreadable` and left out.
 * warn is called from et_source_open and et_source_next only.
 */
struct et_source *et_source_open(
	const char *const *paths, size_t cnt, et_source_warn *warn, void *ctx);
void et_source_close(struct et_source *source); /* NULL is allowed */

/*
 * The next frame; false at the end of all inputs. The frame's bytes are valid until the next call.
 * A file that breaks off or contradicts itself gives all frames before the fault, then a warning,
 * is counted in `damaged`, and the other files go on.
 */
bool et_source_next(struct et_source *source, struct et_frame *frame);

struct et_source_state {
	uint64_t frames;
	uint64_t bytes_read;                    /* of the files as they lie on disk, for progress */
	uint64_t bytes_total;                   /* 0 when not known: standard input */
	uint32_t readable, unreadable, damaged; /* files */
};
void et_source_state(struct et_source_state *out, const struct et_source *source);

#endif
