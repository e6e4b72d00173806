/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#define BLOCK_LEN (128u * 1024) /* what one read() asks for when the content is compressed */

enum packing {
	PACKING_NONE,
	PACKING_GZIP,
	PACKING_ZSTD,
};

struct stream {
	int fd;
	enum packing packing;
	bool at_end;     /* the file has no more bytes */
	bool between;    /* behind a complete gzip member or zstd frame */
	uint64_t offset; /* bytes read from fd */
	char fault[160]; /* empty: none */
	size_t head_len; /* bytes of content read ahead... */
	size_t head_pos; /* ... and how many of them have been given */
	uint8_t head[STREAM_HEAD];
	size_t in_len, in_pos;
	uint8_t *in; /* compressed bytes, BLOCK_LEN */
	z_stream gzip;
	ZSTD_DStream *zstd;
};

static void set_fault(struct stream *stream, const char *what, const char *detail)
{
	snprintf(stream->fault, sizeof(stream->fault), "%s%s%s", what, *detail ? ": " : "", detail);
}

/* As read(2); a signal that somebody handles is the end, so that one can stop a silent pipe. */
static ssize_t read_file(struct stream *stream, void *out, size_t n)
{
	ssize_t got = read(stream->fd, out, n);

	if (got < 0 && errno == EINTR)
		got = 0;
	if (got < 0)
		set_fault(stream, "the file cannot be read", strerror(errno));
	else if (got == 0)
		stream->at_end = true;
	else
		stream->offset += (uint64_t)got;
	return got;
}

/* Makes sure that there is input unless the file is at its end. False at a fault. */
static bool fill_input(struct stream *stream)
{
	ssize_t got;

	if (stream->in_pos < stream->in_len || stream->at_end)
		return true;
	stream->in_pos = 0;
	stream->in_len = 0;
	got = read_file(stream, stream->in, BLOCK_LEN);
	if (got > 0)
		stream->in_len = (size_t)got;
	return got >= 0;
}

/*
 * What follows a gzip member: another member, zeros (padding to a block, as tapes and some
 * devices write it), or something that does not belong there. False when no member follows.
 */
static bool next_member(struct stream *stream)
{
	while (stream->in_pos < stream->in_len && stream->in[stream->in_pos] == 0)
		stream->in_pos++;
	if (stream->in_pos == stream->in_len)
		return false;
	if (stream->in[stream->in_pos] != 0x1f) {
		set_fault(stream, "other data follows the gzip data", "");
		return false;
	}
	inflateReset(&stream->gzip);
	stream->between = false;
	return true;
}

/* One step of inflate: bytes made, which may be none; *more is false when it cannot go on. */
static size_t step_gzip(struct stream *stream, bool *more, char *out, size_t n)
{
	z_stream *gzip = &stream->gzip;
	int ret;

	*more = false;
	if (stream->in_pos == stream->in_len && stream->between)
		return 0;
	if (stream->between && !next_member(stream)) {
		*more = !stream->fault[0];
		return 0;
	}
	gzip->next_in = stream->in + stream->in_pos;
	gzip->avail_in = (uInt)(stream->in_len - stream->in_pos);
	gzip->next_out = (Bytef *)out;
	gzip->avail_out = (uInt)n;
	ret = inflate(gzip, Z_SYNC_FLUSH);
	stream->in_pos = stream->in_len - gzip->avail_in;
	if (ret == Z_STREAM_END)
		stream->between = true;
	else if (ret != Z_OK && ret != Z_BUF_ERROR)
		set_fault(stream, "the gzip data is damaged", gzip->msg ? gzip->msg : "");
	*more = ret == Z_OK || ret == Z_STREAM_END || (ret == Z_BUF_ERROR && !stream->at_end);
	return n - gzip->avail_out;
}

static size_t step_zstd(struct stream *stream, bool *more, char *out, size_t n)
{
	ZSTD_inBuffer in = { stream->in, stream->in_len, stream->in_pos };
	ZSTD_outBuffer made = { out, n, 0 };
	size_t ret;

	*more = false;
	if (stream->in_pos == stream->in_len && stream->between)
		return 0;
	ret = ZSTD_decompressStream(stream->zstd, &made, &in);
	if (ZSTD_isError(ret)) {
		set_fault(stream, "the zstd data is damaged", ZSTD_getErrorName(ret));
		return made.pos;
	}
	*more = in.pos > stream->in_pos || made.pos > 0;
	stream->in_pos = in.pos;
	stream->between = ret == 0;
	return made.pos;
}

static ssize_t read_packed(struct stream *stream, char *out, size_t n)
{
	size_t got = 0;
	bool more = true;

	if (n > BLOCK_LEN)
		n = BLOCK_LEN; /* also keeps the lengths within zlib's unsigned int */
	while (got == 0 && !stream->fault[0]) {
		if (!fill_input(stream))
			break;
		got = stream->packing == PACKING_GZIP ? step_gzip(stream, &more, out, n)
						      : step_zstd(stream, &more, out, n);
		if (got > 0 || more || !stream->at_end || stream->fault[0])
			continue;
		if (stream->between)
			return 0;
		set_fault(stream, "the compressed data breaks off", "");
	}
	return got > 0 ? (ssize_t)got : -1;
}

static ssize_t read_content(struct stream *stream, char *out, size_t n)
{
	if (stream->fault[0])
		return -1;
	if (stream->packing == PACKING_NONE)
		return stream->at_end ? 0 : read_file(stream, out, n);
	return read_packed(stream, out, n);
}

ssize_t source_stream_read(struct stream *stream, char *out, size_t n)
{
	size_t left = stream->head_len - stream->head_pos;

	if (left == 0)
		return read_content(stream, out, n);
	if (n > left)
		n = left;
	memcpy(out, stream->head + stream->head_pos, n);
	stream->head_pos += n;
	return (ssize_t)n;
}

/* Reads content into `head` until it is full, the content ends or a fault is met. */
static void fill_head(struct stream *stream)
{
	ssize_t got;

	do {
		got = read_content(stream, (char *)stream->head + stream->head_len,
			STREAM_HEAD - stream->head_len);
		if (got > 0)
			stream->head_len += (size_t)got;
	} while (got > 0 && stream->head_len < STREAM_HEAD);
}

static enum packing tell_packing(const struct stream *stream)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b, 8 };
	static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };

	if (stream->head_len >= sizeof(gzip) && !memcmp(stream->head, gzip, sizeof(gzip)))
		return PACKING_GZIP;
	if (stream->head_len >= sizeof(zstd) && !memcmp(stream->head, zstd, sizeof(zstd)))
		return PACKING_ZSTD;
	return PACKING_NONE;
}

/* The bytes at hand turn out to be compressed: they become input, and the head is read anew. */
static int start_unpacking(struct stream *stream, enum packing packing)
{
	stream->in = malloc(BLOCK_LEN);
	if (!stream->in)
		return -ENOMEM;
	if (packing == PACKING_ZSTD) {
		stream->zstd = ZSTD_createDStream();
		if (!stream->zstd)
			return -ENOMEM;
	} else if (inflateInit2(&stream->gzip, 15 + 16) != Z_OK) { /* 16: gzip header only */
		return -ENOMEM;
	}
	stream->packing = packing;
	memcpy(stream->in, stream->head, stream->head_len);
	stream->in_len = stream->head_len;
	stream->head_len = 0;
	fill_head(stream);
	return 0;
}

int source_stream_open(struct stream **out, int fd)
{
	struct stream *stream = calloc(1, sizeof(*stream));
	enum packing packing;

	*out = NULL;
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	stream->fd = fd;
	fill_head(stream);
	packing = tell_packing(stream);
	if (packing != PACKING_NONE && start_unpacking(stream, packing)) {
		source_stream_close(stream);
		return -ENOMEM;
	}
	*out = stream;
	return 0;
}

void source_stream_close(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->packing == PACKING_GZIP)
		inflateEnd(&stream->gzip);
	ZSTD_freeDStream(stream->zstd);
	close(stream->fd);
	free(stream->in);
	free(stream);
}

struct et_view source_stream_head(const struct stream *stream)
{
	return (struct et_view){ .p = stream->head, .n = stream->head_len };
}

const char *source_stream_fault(const struct stream *stream)
{
	return stream->fault[0] ? stream->fault : NULL;
}

const char *source_stream_packing(const struct stream *stream)
{
	static const char *const names[] = {
		[PACKING_NONE] = NULL, [PACKING_GZIP] = "gzip", [PACKING_ZSTD] = "zstd"
	};

	return names[stream->packing];
}

int source_stream_plain(struct stream *stream)
{
	if (stream->packing != PACKING_NONE || stream->fault[0] ||
		lseek(stream->fd, -(off_t)stream->head_len, SEEK_CUR) < 0)
		return -1;
	return fcntl(stream->fd, F_DUPFD_CLOEXEC, 0);
}

uint64_t source_stream_offset(const struct stream *stream)
{
	return stream->offset;
}
