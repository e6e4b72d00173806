/* SPDX-License-Identifier: BSD-3-Clause */
#include "shared.h"

#include <stdio.h>
#include <unistd.h>

void shared_open(struct shared *s, const struct bench *bench, size_t bytes)
{
	struct et_ring_options options = { .id = { .generation = 1 },
		.bytes = bytes,
		.layout = et_feed_layout(),
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
	char error[ET_RING_ERROR] = "";

	snprintf(options.id.sensor, sizeof(options.id.sensor), "bench-rooms-%ld", (long)getpid());
	s->writer = et_ring_create(error, &options);
	s->reader = s->writer ? et_ring_attach(error, &options.id, options.layout) : NULL;
	if (s->writer)
		et_ring_unlink(&options.id);
	bench_check(bench, s->reader != NULL, "%s", error);
}

void shared_close(struct shared *s)
{
	et_ring_close(s->reader);
	et_ring_close(s->writer);
}

void shared_drain(struct shared *s)
{
	struct et_ring_message message = { 0 };

	while (et_ring_read(s->reader, &message))
		;
	et_ring_release(s->reader, message.number + 1);
}
