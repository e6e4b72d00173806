/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PACKET_ROWS_H
#define PACKET_ROWS_H

/* The frames of the tests, as hex digits. */

#include "et_packet.h"

struct row {
	const char *name;
	uint32_t link_type;
	const char *hex;
	enum et_drop drop;
	unsigned int extra; /* bytes on the wire behind what was captured */
	size_t payload;     /* captured bytes of it */
	uint32_t len;       /* bytes of it on the wire */
};

struct fragment_row {
	const char *name;
	uint32_t link_type;
	const char *hex;
	uint32_t at;
	bool inner;
};

/* A segment, always the same: as such, carried by another IP packet; and frames without one. */
extern const struct row kept[], carried[], dropped[];
extern const size_t kept_cnt, carried_cnt, dropped_cnt;
extern const struct fragment_row fragments[];
extern const size_t fragments_cnt;

#endif
