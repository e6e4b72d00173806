/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_OUT_H
#define GEN_OUT_H

/*
 * A stream of bytes into a file, plain or compressed by the suffix of its name (.gz, .zst); "-" is
 * standard output. Blocks are compressed and written by a thread of their own, so that a full
 * buffer costs the caller a hand-over. One thread uses a stream.
 */

#include <stdint.h>

struct gen_out;

/* NULL: the file cannot be made (errno). */
struct gen_out *gen_out_open(const char *path);

/* Room for n bytes (at most 64 KiB), NULL: writing has failed before (gen_out_close tells why). */
uint8_t *gen_out_room(struct gen_out *out, uint32_t n);

/* n bytes were put there. */
void gen_out_done(struct gen_out *out, uint32_t n);

/* Writes what is left and frees the stream. 0 or -errno of the first failure. */
int gen_out_close(struct gen_out *out);

#endif
