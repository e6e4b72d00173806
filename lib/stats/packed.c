/* SPDX-License-Identifier: BSD-3-Clause */
#include "packed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

struct packed {
	int fd;
	ZSTD_CCtx *zstd;
	size_t cap;
	char out[];
};

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return false;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return true;
}

/* Until all of in is taken, or with ZSTD_e_end until the frame is out. */
static bool pack(struct packed *packed, ZSTD_inBuffer *in, ZSTD_EndDirective what)
{
	size_t left;

	do {
		ZSTD_outBuffer out = { packed->out, packed->cap, 0 };

		left = ZSTD_compressStream2(packed->zstd, &out, in, what);
		if (ZSTD_isError(left)) {
			errno = ENOMEM; /* the only thing that can go wrong here */
			return false;
		}
		if (!write_all(packed->fd, packed->out, out.pos))
			return false;
	} while (what == ZSTD_e_end ? left > 0 : in->pos < in->size);
	return true;
}

static ssize_t on_write(void *cookie, const char *p, size_t n)
{
	ZSTD_inBuffer in = { p, n, 0 };

	return pack(cookie, &in, ZSTD_e_continue) ? (ssize_t)n : 0;
}

static int on_close(void *cookie)
{
	struct packed *packed = cookie;
	ZSTD_inBuffer in = { NULL, 0, 0 };
	bool ok = pack(packed, &in, ZSTD_e_end);
	int err = errno;

	if (close(packed->fd) != 0 && ok) {
		ok = false;
		err = errno;
	}
	ZSTD_freeCCtx(packed->zstd);
	free(packed);
	errno = err;
	return ok ? 0 : -1;
}

FILE *packed_open(int fd, int level)
{
	size_t cap = ZSTD_CStreamOutSize();
	struct packed *packed = malloc(sizeof(*packed) + cap);
	FILE *out = NULL;

	if (!packed)
		return NULL;
	packed->fd = fd;
	packed->cap = cap;
	packed->zstd = ZSTD_createCCtx();
	if (packed->zstd &&
		!ZSTD_isError(
			ZSTD_CCtx_setParameter(packed->zstd, ZSTD_c_compressionLevel, level)) &&
		!ZSTD_isError(ZSTD_CCtx_setParameter(packed->zstd, ZSTD_c_checksumFlag, 1)))
		out = fopencookie(packed, "w",
			(cookie_io_functions_t){ .write = on_write, .close = on_close });
	if (out)
		return out;
	ZSTD_freeCCtx(packed->zstd);
	free(packed);
	errno = ENOMEM;
	return NULL;
}
