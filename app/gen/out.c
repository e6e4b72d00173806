/* SPDX-License-Identifier: BSD-3-Clause */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define BLOCK  (1u << 20)
#define BLOCKS 3

enum pack { PACK_NONE, PACK_GZIP, PACK_ZSTD };

struct gen_out {
	int fd;
	enum pack pack;
	z_stream gzip;
	ZSTD_CCtx *zstd;
	uint8_t *packed; /* of the thread */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change;
	/* under the lock */
	unsigned filled, written; /* blocks, counted on */
	bool over;
	int error;
	/* of the caller; the thread reads blocks that are filled */
	uint8_t *block[BLOCKS];
	uint32_t used[BLOCKS];
};

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int put_gzip(struct gen_out *out, const uint8_t *bytes, uint32_t len, bool last)
{
	int rc = Z_OK, err = 0;

	out->gzip.next_in = (Bytef *)bytes;
	out->gzip.avail_in = len;
	do {
		out->gzip.next_out = out->packed;
		out->gzip.avail_out = BLOCK;
		rc = deflate(&out->gzip, last ? Z_FINISH : Z_NO_FLUSH);
		err = write_all(out->fd, out->packed, BLOCK - out->gzip.avail_out);
	} while (!err && rc == Z_OK && (out->gzip.avail_out == 0 || last));
	return err;
}

static int put_zstd(struct gen_out *out, const uint8_t *bytes, uint32_t len, bool last)
{
	ZSTD_inBuffer in = { bytes, len, 0 };
	size_t left;
	int err;

	do {
		ZSTD_outBuffer to = { out->packed, BLOCK, 0 };

		left = ZSTD_compressStream2(
			out->zstd, &to, &in, last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -EIO;
		err = write_all(out->fd, out->packed, to.pos);
	} while (!err && (in.pos < in.size || (last && left > 0)));
	return err;
}

static int put(struct gen_out *out, const uint8_t *bytes, uint32_t len, bool last)
{
	switch (out->pack) {
	case PACK_GZIP: return put_gzip(out, bytes, len, last);
	case PACK_ZSTD: return put_zstd(out, bytes, len, last);
	default: return write_all(out->fd, bytes, len);
	}
}

static void *work(void *arg)
{
	struct gen_out *out = arg;
	int err = 0;

	pthread_mutex_lock(&out->lock);
	for (;;) {
		unsigned i = out->written % BLOCKS;

		while (out->filled == out->written && !out->over)
			pthread_cond_wait(&out->change, &out->lock);
		if (out->filled == out->written)
			break;
		pthread_mutex_unlock(&out->lock);
		if (!err)
			err = put(out, out->block[i], out->used[i], false);
		pthread_mutex_lock(&out->lock);
		out->error = err;
		out->written++;
		pthread_cond_broadcast(&out->change);
	}
	pthread_mutex_unlock(&out->lock);
	if (!err)
		err = put(out, (const uint8_t *)"", 0, true);
	out->error = err;
	return NULL;
}

static bool ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && strcmp(text + n - m, suffix) == 0;
}

static void release(struct gen_out *out)
{
	if (out->pack == PACK_GZIP)
		deflateEnd(&out->gzip);
	ZSTD_freeCCtx(out->zstd);
	for (unsigned i = 0; i < BLOCKS; i++)
		free(out->block[i]);
	free(out->packed);
	if (out->fd > STDERR_FILENO)
		close(out->fd);
	free(out);
}

static int prepare(struct gen_out *out, const char *path)
{
	out->fd = strcmp(path, "-") == 0
			  ? STDOUT_FILENO
			  : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out->fd < 0)
		return -errno;
	if (ends(path, ".zst")) {
		out->pack = PACK_ZSTD;
		out->zstd = ZSTD_createCCtx();
		if (!out->zstd)
			return -ENOMEM;
		ZSTD_CCtx_setParameter(out->zstd, ZSTD_c_compressionLevel, 1);
	} else if (ends(path, ".gz")) {
		if (deflateInit2(&out->gzip, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
			return -ENOMEM;
		out->pack = PACK_GZIP;
	}
	out->packed = malloc(BLOCK);
	for (unsigned i = 0; i < BLOCKS; i++)
		out->block[i] = malloc(BLOCK);
	for (unsigned i = 0; i < BLOCKS; i++)
		if (!out->block[i] || !out->packed)
			return -ENOMEM;
	return 0;
}

struct gen_out *gen_out_open(const char *path)
{
	struct gen_out *out = calloc(1, sizeof(*out));
	int rc;

	if (!out)
		return NULL;
	pthread_mutex_init(&out->lock, NULL);
	pthread_cond_init(&out->change, NULL);
	rc = prepare(out, path);
	if (rc == 0)
		rc = -pthread_create(&out->thread, NULL, work, out);
	if (rc == 0)
		return out;
	release(out);
	errno = -rc;
	return NULL;
}

/* Hands the block over and waits until the next one is free. */
static int hand_over(struct gen_out *out)
{
	int error;

	pthread_mutex_lock(&out->lock);
	out->filled++;
	pthread_cond_broadcast(&out->change);
	while (out->filled - out->written >= BLOCKS)
		pthread_cond_wait(&out->change, &out->lock);
	error = out->error;
	pthread_mutex_unlock(&out->lock);
	out->used[out->filled % BLOCKS] = 0;
	return error;
}

uint8_t *gen_out_room(struct gen_out *out, uint32_t n)
{
	if (out->used[out->filled % BLOCKS] + n > BLOCK && hand_over(out) != 0)
		return NULL;
	return out->block[out->filled % BLOCKS] + out->used[out->filled % BLOCKS];
}

void gen_out_done(struct gen_out *out, uint32_t n)
{
	out->used[out->filled % BLOCKS] += n;
}

int gen_out_close(struct gen_out *out)
{
	int error;

	if (!out)
		return 0;
	pthread_mutex_lock(&out->lock);
	if (out->used[out->filled % BLOCKS] > 0)
		out->filled++;
	out->over = true;
	pthread_cond_broadcast(&out->change);
	pthread_mutex_unlock(&out->lock);
	pthread_join(out->thread, NULL);
	error = out->error;
	release(out);
	return error;
}
