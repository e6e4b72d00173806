/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOURCE_STREAM_H
#define SOURCE_STREAM_H

/*
 * A stream is the content of one file or pipe, decompressed when it is compressed by gzip
 * (RFC 1952, also several members behind each other) or zstd (RFC 8878, also several frames).
 * Private to the source room.
 *
 * It never seeks, so that pipes work like files. The first bytes are kept in `head`, where
 * they can be looked at before they are read. Memory: one input block and the decompressor's
 * window, which for zstd is limited to the 128 MiB that libzstd accepts by default.
 *
 * The owner of the source is the only caller.
 */

#include <sys/types.h>

#include "et_base.h"

#define STREAM_HEAD 16

struct stream;

/*
 * Takes over fd, also when it fails. *out is NULL only when memory is short (-ENOMEM). Otherwise
 * the stream exists, and source_stream_fault() tells whether its beginning can be read.
 */
int source_stream_open(struct stream **out, int fd);
void source_stream_close(struct stream *stream); /* NULL is allowed */

/* Up to n bytes; 0 at the end, -1 at a fault. All bytes before a fault are given first. */
ssize_t source_stream_read(struct stream *stream, char *out, size_t n);

/* The first bytes of the decompressed content, before or after they have been read. */
struct et_view source_stream_head(const struct stream *stream);

/* What is wrong, as the end of a sentence; NULL when nothing is known to be wrong. */
const char *source_stream_fault(const struct stream *stream);

/* "gzip", "zstd", or NULL for content that is not compressed. */
const char *source_stream_packing(const struct stream *stream);

/*
 * For content that is neither compressed nor a pipe: a descriptor of its own, at the content's
 * begin, from which it can be read without the stream; the stream is not read after that. Else -1.
 */
int source_stream_plain(struct stream *stream);

uint64_t source_stream_offset(const struct stream *stream); /* bytes read from the file itself */

#endif
