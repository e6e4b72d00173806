/* SPDX-License-Identifier: BSD-3-Clause */
#include "hellos.h"

#include "et_packet.h"
#include "et_source.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>

/*
 * Hellos out of captures, read naively: a hello begins with a segment and goes on with the segments
 * that follow in sequence. What does not is left to the tests of the tls room.
 */
#define OPEN 64
struct open {
	struct et_addr src;
	uint16_t src_port, dst_port;
	uint32_t next;
	size_t n;
	uint8_t p[1 << 14];
};
static struct open opens[OPEN];
static size_t open_at;
static struct hellos *into;
static size_t found;

static bool begins_hello(struct et_view view)
{
	return (view.n > 6 && view.p[0] == 22 && view.p[1] == 3 && view.p[5] == 1) ||
	       (view.n > 11 && (view.p[0] & 0x80) && view.p[2] == 1);
}

static void offer(struct open *open)
{
	if (hellos_add(into, "capture", open->p, open->n)) {
		found++;
		open->n = 0;
	}
}

static void segment(const struct et_segment *seg)
{
	struct open *open = NULL;

	if (seg->payload.n != seg->len || seg->payload.n == 0)
		return;
	for (size_t i = 0; i < OPEN; i++)
		if (opens[i].n > 0 && opens[i].next == seg->seq &&
			opens[i].src_port == seg->src_port && opens[i].dst_port == seg->dst_port &&
			memcmp(&opens[i].src, &seg->src, sizeof(seg->src)) == 0)
			open = &opens[i];
	if (!open) {
		if (!begins_hello(seg->payload))
			return;
		open = &opens[open_at++ % OPEN];
		*open = (struct open){
			.src = seg->src, .src_port = seg->src_port, .dst_port = seg->dst_port
		};
	}
	if (seg->payload.n > sizeof(open->p) - open->n) {
		open->n = 0;
		return;
	}
	memcpy(open->p + open->n, seg->payload.p, seg->payload.n);
	open->n += seg->payload.n;
	open->next = seg->seq + seg->len;
	offer(open);
}

static void hush(void *ctx, const char *sentence)
{
	(void)ctx, (void)sentence;
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct et_source *source;
	struct et_frame frame;

	(void)st, (void)ftw;
	if (type != FTW_F)
		return 0;
	memset(opens, 0, sizeof(opens));
	source = et_source_open(&path, 1, hush, NULL);
	while (source && et_source_next(source, &frame)) {
		struct et_segment seg;

		if (et_packet_decode(&seg, &frame) == ET_KEEP)
			segment(&seg);
	}
	et_source_close(source);
	return 0;
}

size_t hellos_of_captures(struct hellos *hellos, const char *path)
{
	into = hellos;
	found = 0;
	nftw(path, one_file, 16, FTW_PHYS);
	return found;
}
