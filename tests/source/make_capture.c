/* SPDX-License-Identifier: BSD-3-Clause */
#include "make_capture.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

static void put(struct capture *capture, uint64_t value, size_t n)
{
	if (capture->n + n > CAPTURE_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		size_t shift = 8 * (capture->form.big_endian ? n - 1 - i : i);

		capture->b[capture->n++] = (uint8_t)(value >> shift);
	}
}

void capture_put32(struct capture *capture, uint32_t value)
{
	put(capture, value, 4);
}

size_t capture_frame_len(size_t k)
{
	return 16 + 3 * k;
}

void capture_interface(struct capture *capture, uint32_t link_type, uint32_t snap)
{
	uint32_t len = capture->form.nano ? 32 : 20;

	put(capture, 1, 4);
	put(capture, len, 4);
	put(capture, link_type, 2);
	put(capture, 0, 2);
	put(capture, snap, 4);
	if (capture->form.nano) { /* if_tsresol, then the end of the options */
		put(capture, 9, 2);
		put(capture, 1, 2);
		capture->b[capture->n++] = 9;
		capture->b[capture->n++] = 0;
		capture->b[capture->n++] = 0;
		capture->b[capture->n++] = 0;
		put(capture, 0, 4);
	}
	put(capture, len, 4);
	capture->header_end = capture->n;
}

void capture_begin(struct capture *capture, struct form form, uint32_t link_type, uint32_t snap)
{
	memset(capture, 0, sizeof(*capture));
	capture->form = form;
	if (!form.ng) {
		put(capture, form.nano ? 0xa1b23c4d : 0xa1b2c3d4, 4);
		put(capture, 2, 2);
		put(capture, 4, 2);
		put(capture, 0, 8);
		put(capture, snap, 4);
		put(capture, link_type, 4);
		capture->header_end = capture->n;
		return;
	}
	put(capture, 0x0a0d0d0a, 4);
	put(capture, 28, 4);
	put(capture, 0x1a2b3c4d, 4);
	put(capture, 1, 2);
	put(capture, 0, 2);
	put(capture, UINT64_MAX, 8);
	put(capture, 28, 4);
	capture_interface(capture, link_type, snap);
}

void capture_frame(struct capture *capture, uint64_t sec, uint32_t ns)
{
	size_t len = capture_frame_len(capture->frames);
	size_t pad = capture->form.ng ? (4 - len % 4) % 4 : 0;
	uint64_t stamp = capture->form.nano ? sec * 1000000000 + ns : sec * 1000000 + ns / 1000;

	if (capture->form.ng) {
		put(capture, 6, 4);
		put(capture, 32 + len + pad, 4);
		put(capture, 0, 4);
		put(capture, stamp >> 32, 4);
		put(capture, stamp & 0xffffffff, 4);
	} else {
		put(capture, sec, 4);
		put(capture, capture->form.nano ? ns : ns / 1000, 4);
	}
	put(capture, len, 4);
	put(capture, len + 10, 4);
	for (size_t i = 0; i < len; i++)
		put(capture, capture->frames, 1);
	put(capture, 0, pad);
	if (capture->form.ng)
		put(capture, 32 + len + pad, 4);
	capture->frame_end[capture->frames++] = capture->n;
}

static size_t pack(uint8_t *out, size_t cap, const uint8_t *in, size_t n, bool gzip)
{
	z_stream stream = { 0 };
	size_t made;

	if (!gzip)
		return ZSTD_compress(out, cap, in, n, 3);
	if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	stream.next_in = (Bytef *)(uintptr_t)in;
	stream.avail_in = (uInt)n;
	stream.next_out = out;
	stream.avail_out = (uInt)cap;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		abort();
	made = cap - stream.avail_out;
	deflateEnd(&stream);
	return made;
}

size_t capture_pack(
	uint8_t out[static CAPTURE_MAX], const struct capture *capture, enum packing packing)
{
	bool gzip = packing == GZIP || packing == GZIP_MEMBERS;
	size_t half = packing == GZIP_MEMBERS || packing == ZSTD_FRAMES ? capture->n / 2 : 0;
	size_t n = 0;

	if (packing == PLAIN) {
		memcpy(out, capture->b, capture->n);
		return capture->n;
	}
	if (half)
		n = pack(out, CAPTURE_MAX, capture->b, half, gzip);
	return n + pack(out + n, CAPTURE_MAX - n, capture->b + half, capture->n - half, gzip);
}
