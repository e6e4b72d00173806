/* SPDX-License-Identifier: BSD-3-Clause */
#include "reader.h"

#include <string.h>

unsigned et_port_read(
	struct et_port_reader *reader, struct et_frame frames[static ET_PORT_BURST], int64_t now_ns)
{
	size_t left = reader->cnt - reader->at;
	unsigned n = left < ET_PORT_BURST ? (unsigned)left : ET_PORT_BURST;

	(void)now_ns;
	memcpy(frames, reader->frames + reader->at, n * sizeof(*frames));
	reader->at += n;
	return n;
}

void et_port_done(struct et_port_reader *reader)
{
	(void)reader;
}

/* From here on: what frames.c and loop_open.c name, and one worker without a NIC never needs. */

void *et_port_private(struct et_port_reader *reader, unsigned i)
{
	(void)reader;
	(void)i;
	return NULL;
}

bool et_port_fragment(
	struct et_port_reader *reader, struct et_frame *whole, unsigned i, uint32_t at)
{
	(void)reader;
	(void)whole;
	(void)i;
	(void)at;
	return false;
}

int et_port_queue_of(const struct et_port_set *set, const struct et_segment *segment)
{
	(void)set;
	(void)segment;
	return -1;
}

void et_port_shed(struct et_port_reader *reader, const struct et_segment *segment, unsigned seconds)
{
	(void)reader;
	(void)segment;
	(void)seconds;
}

unsigned et_port_pass(struct et_port_reader *reader, struct et_port_lane *lane,
	const uint8_t *frames, unsigned cnt)
{
	(void)reader;
	(void)lane;
	(void)frames;
	(void)cnt;
	return 0;
}

unsigned et_port_lane_read(struct et_port_lane *lane, void *privates[static ET_PORT_BURST])
{
	(void)lane;
	(void)privates;
	return 0;
}

void et_port_lane_done(struct et_port_lane *lane)
{
	(void)lane;
}

void et_port_lane_free(struct et_port_lane *lane)
{
	(void)lane;
}

void et_port_reader_free(struct et_port_reader *reader)
{
	(void)reader;
}
