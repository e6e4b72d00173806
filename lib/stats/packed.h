/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_PACKED_H
#define ET_STATS_PACKED_H

#include <stdio.h>

/*
 * Private to the room: a stream that writes one zstd frame (RFC 8878) with a checksum to fd.
 * Closing it ends the frame and closes fd. NULL with errno; fd stays open then.
 */
FILE *packed_open(int fd, int level);

#endif
