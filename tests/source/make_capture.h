/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAKE_CAPTURE_H
#define MAKE_CAPTURE_H

/* Capture files made byte by byte, in every form that the room reads. */

#include "et_base.h"

#define CAPTURE_MAX 8192
#define FRAMES_MAX  8

struct form {
	bool ng, big_endian, nano;
};

struct capture {
	struct form form;
	size_t n;
	size_t frames;
	size_t header_end;            /* what must be there for a capture without frames */
	size_t frame_end[FRAMES_MAX]; /* what must be there for each frame */
	uint8_t b[CAPTURE_MAX];
};

enum packing { PLAIN, GZIP, GZIP_MEMBERS, ZSTD, ZSTD_FRAMES, PACKINGS };

void capture_begin(struct capture *capture, struct form form, uint32_t link_type, uint32_t snap);
/* For pcapng: a further interface. */
void capture_interface(struct capture *capture, uint32_t link_type, uint32_t snap);
/* Frame number k holds capture_frame_len(k) bytes, each of value k, and was 10 bytes longer. */
void capture_frame(struct capture *capture, uint64_t sec, uint32_t ns);
void capture_put32(struct capture *capture, uint32_t value);
size_t capture_frame_len(size_t k);

/* The same bytes compressed, for _MEMBERS and _FRAMES in two halves. Returns their number. */
size_t capture_pack(
	uint8_t out[static CAPTURE_MAX], const struct capture *capture, enum packing packing);

#endif
