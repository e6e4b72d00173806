/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef READER_H
#define READER_H

/*
 * Stands where the door to DPDK does: frames come from memory, in full bursts, and there are no
 * other lcores. What it costs is not counted as ours.
 */

#include "et_port.h"

struct et_port_reader {
	struct et_frame *frames;
	size_t cnt, at; /* at: the next one */
};

struct et_port_lane {
	int unused;
};

#endif
