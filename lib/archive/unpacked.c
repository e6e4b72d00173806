/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

/* What a frame may ask for to be read: more than any level of ours writes with. */
#define WINDOW_LOG_MAX 27

struct unpacked {
	FILE *packed;
	ZSTD_DCtx *zstd;
	ZSTD_inBuffer in;
	bool within; /* a frame has begun and is not at its end */
	bool full;   /* there may be more than there was room for */
	size_t cap;
	char bytes[];
};

/* Fills the input; 0 at the file's end, negative with errno. */
static int refill(struct unpacked *u)
{
	size_t n = fread(u->bytes, 1, u->cap, u->packed);

	u->in = (ZSTD_inBuffer){ u->bytes, n, 0 };
	if (n > 0)
		return 1;
	if (ferror(u->packed)) {
		errno = errno ? errno : EIO;
		return -1;
	}
	if (!u->within)
		return 0;
	errno = EBADMSG; /* the frame is cut off */
	return -1;
}

static ssize_t on_read(void *cookie, char *p, size_t n)
{
	struct unpacked *u = cookie;
	ZSTD_outBuffer out = { p, n, 0 };

	for (;;) {
		int got;

		while (u->in.pos < u->in.size || u->full) {
			size_t left = ZSTD_decompressStream(u->zstd, &out, &u->in);

			if (ZSTD_isError(left)) {
				errno = EBADMSG;
				return -1;
			}
			u->within = left > 0;
			u->full = u->within && out.pos == out.size;
			if (out.pos > 0)
				return (ssize_t)out.pos;
		}
		got = refill(u);
		if (got <= 0)
			return got;
	}
}

static int on_close(void *cookie)
{
	struct unpacked *u = cookie;
	int rc = fclose(u->packed);

	ZSTD_freeDCtx(u->zstd);
	free(u);
	return rc;
}

FILE *unpacked_open(FILE *packed)
{
	size_t cap = ZSTD_DStreamInSize();
	struct unpacked *u = malloc(sizeof(*u) + cap);
	FILE *in = NULL;

	if (!u)
		return NULL;
	*u = (struct unpacked){ .packed = packed, .cap = cap, .zstd = ZSTD_createDCtx() };
	if (u->zstd &&
		!ZSTD_isError(ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
		in = fopencookie(
			u, "r", (cookie_io_functions_t){ .read = on_read, .close = on_close });
	if (in)
		return in;
	ZSTD_freeDCtx(u->zstd);
	free(u);
	errno = ENOMEM;
	return NULL;
}
