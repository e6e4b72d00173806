/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "et_peer.h"

#define GATEWAYS_MAX 64

struct options {
	const char *dir;
	const char *sensor; /* NULL: all */
	bool once, quiet;
	int zstd_level;      /* 0: plain */
	uint32_t keep_days;  /* 0: for ever */
	uint64_t keep_bytes; /* 0: all */
	uint32_t grace_s;
	uint32_t history; /* sessions */
	struct et_peer_net gateways[GATEWAYS_MAX];
	size_t gateways_cnt;
};

/*
 * Reads the command line. Returns -1 to go on, else the exit code: --help and --version print and
 * give 0, a mistake prints a sentence and gives 2.
 */
int options_read(struct options *options, int argc, char **argv);

#endif
