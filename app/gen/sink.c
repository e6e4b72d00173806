/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"

struct file {
	struct gen_sink sink;
	struct gen_out *out;
	bool ng, nano;
};

static int put(struct file *f, const void *bytes, uint32_t len)
{
	uint8_t *to = gen_out_room(f->out, len);

	if (!to)
		return -EIO; /* closing tells the reason */
	memcpy(to, bytes, len);
	gen_out_done(f->out, len);
	return 0;
}

static int put_head(struct file *f)
{
	/* in the byte order of the machine */
	const uint32_t pcap[6] = { f->nano ? 0xa1b23c4d : 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144,
		1 };
	const uint32_t section[7] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28 };
	/* Ethernet; if_tsresol: 10^-9 or 10^-6 */
	const uint32_t interface[8] = { 1, 32, 1, 262144, 9 | 1 << 16, f->nano ? 9 : 6, 0, 32 };
	int rc;

	if (!f->ng)
		return put(f, pcap, sizeof(pcap));
	rc = put(f, section, sizeof(section));
	return rc ? rc : put(f, interface, sizeof(interface));
}

static int frame_pcap(struct gen_sink *sink, const struct gen_frame *frame)
{
	struct file *f = (struct file *)sink;
	uint32_t len = frame->len, rest = (uint32_t)(frame->ts_ns % 1000000000);
	uint8_t *to = gen_out_room(f->out, 16 + len);
	const uint32_t head[4] = { (uint32_t)(frame->ts_ns / 1000000000),
		f->nano ? rest : rest / 1000, len, len };

	if (!to)
		return -EIO;
	memcpy(to, head, 16);
	memcpy(to + 16, frame->bytes, len);
	gen_out_done(f->out, 16 + len);
	sink->frames++;
	sink->bytes += len;
	return 0;
}

static int frame_ng(struct gen_sink *sink, const struct gen_frame *frame)
{
	struct file *f = (struct file *)sink;
	uint32_t len = frame->len, padded = (len + 3) & ~3u, whole = 32 + padded;
	uint8_t *to = gen_out_room(f->out, whole);
	uint64_t ts = f->nano ? frame->ts_ns : frame->ts_ns / 1000;
	const uint32_t head[7] = { 6, whole, 0, (uint32_t)(ts >> 32), (uint32_t)ts, len, len };

	if (!to)
		return -EIO;
	memcpy(to, head, 28);
	memset(to + 28 + padded - 4, 0, 4);
	memcpy(to + 28, frame->bytes, len);
	memcpy(to + 28 + padded, &whole, 4);
	gen_out_done(f->out, whole);
	sink->frames++;
	sink->bytes += len;
	return 0;
}

static int file_close(struct gen_sink *sink)
{
	struct file *f = (struct file *)sink;
	int rc = gen_out_close(f->out);

	free(f);
	return rc;
}

struct gen_sink *gen_sink_file(const char *path, bool nano)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->nano = nano;
	f->ng = strstr(path, ".pcapng") != NULL;
	f->sink.frame = f->ng ? frame_ng : frame_pcap;
	f->sink.close = file_close;
	f->out = gen_out_open(path);
	if (!f->out) {
		free(f);
		return NULL;
	}
	put_head(f);
	return &f->sink;
}
