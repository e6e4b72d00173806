/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "et_conn.h"
#include "et_peer.h"

#define GATEWAYS_MAX 64

struct options {
	const char *const *files;
	int files_cnt;
	const char *sessions; /* file or "-"; NULL: none */
	const char *minutes;  /* folder; NULL: none */
	const char *sensor;
	unsigned workers;
	uint32_t max_flows;
	uint32_t top;
	bool json, quiet;
	int colour; /* 1 always, 0 never, -1 on a terminal */
	struct et_ports ports;
	struct et_peer_net gateways[GATEWAYS_MAX];
	size_t gateways_cnt;
};

/*
 * Reads the command line. Returns -1 to go on, else the exit code: --help and --version print and
 * give 0, a mistake prints a sentence and gives 2.
 */
int options_read(struct options *options, int argc, char **argv);

#endif
