/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROOMS_H
#define ROOMS_H

/*
 * The benchmarks of single rooms. Each function is one round of its room: it makes what it needs,
 * measures, checks what came out, and gives all back.
 *
 * *warm*: the same few kilobytes again and again. Without that word the input is the whole corpus,
 * which is larger than a second-level cache, in the order of the capture.
 */

#include "bench.h"
#include "corpus.h"

struct inputs {
	struct parsers parsers;
	struct corpus storm, gateway;
};

void room_decode(struct bench *bench, struct inputs *in);
void room_flow(struct bench *bench, struct inputs *in);
void room_order(struct bench *bench, struct inputs *in);
void room_match(struct bench *bench, struct inputs *in);
void room_mail(struct bench *bench, struct inputs *in);
void room_tls(struct bench *bench, struct inputs *in);
void room_conn(struct bench *bench, struct inputs *in);
void room_ring(struct bench *bench, struct inputs *in);
void room_feed(struct bench *bench, struct inputs *in);
void room_peer(struct bench *bench, struct inputs *in);
void room_patterns(struct bench *bench, struct inputs *in);

/* Memory for cnt items, zeroed; the run ends without it. */
void *rooms_memory(size_t cnt, size_t size);

#endif
