/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SOURCE_INPUT_H
#define SOURCE_INPUT_H

/*
 * An input is one capture file, or standard input, read through libpcap. Private to the source
 * room; the owner of the source is the only caller. libpcap is known to input.c only.
 */

#include "et_source.h"

struct input;

/* Where an input tells what is wrong with it. */
struct input_voice {
	et_source_warn *warn; /* may be NULL */
	void *ctx;
};

/*
 * 0; -ENOMEM when memory is short; -EINVAL when the file cannot be opened or is no capture, which
 * has been told. buf_len: how much is read ahead. path is copied.
 */
int source_input_open(
	struct input **out, const char *path, size_t buf_len, const struct input_voice *voice);
void source_input_close(struct input *input); /* NULL is allowed */

enum input_got {
	INPUT_FRAME,
	INPUT_END,
	INPUT_DAMAGED, /* has been told; nothing more comes */
};

/*
 * The next frame; fills all but clock_ns and index. Its bytes are valid until the next call for
 * this input.
 */
enum input_got source_input_next(
	struct input *input, struct et_frame *frame, const struct input_voice *voice);

uint64_t source_input_offset(const struct input *input); /* bytes read of the file on disk */
uint64_t source_input_size(const struct input *input);   /* 0 when not known */

#endif
