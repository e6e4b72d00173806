/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_REPORT_TEXT_H
#define ET_REPORT_TEXT_H

/* Private to the room: the sections of the printed answer, one function each. */

#include "facts.h"
#include "line.h"

#define TEXT_PIECE (LINE_NAME + ET_ADDR_TEXT + 16)

void text_heading(const struct line_out *to, const char *title);
/* How many of cnt entries are shown; "and N more" is printed by text_more. */
size_t text_shown(const struct et_report *report, size_t cnt);
void text_more(const struct line_out *to, size_t cnt, size_t shown);

/* "out.example.org 198.51.100.7"; a long name is cut so that the address stays whole. */
void text_host(char out[static TEXT_PIECE], const struct et_dict *names, uint32_t name,
	const struct et_addr *addr, size_t width);

/*
 * The peer in the first line, the near end with the service in the second. The peer is the end
 * that is not the gateway; the client if that is not known.
 */
struct text_pair {
	char peer[TEXT_PIECE], near[TEXT_PIECE];
	const char *direction; /* NULL if not known */
	const char *service;
};
void text_pair(struct text_pair *out, const struct et_report *report,
	const struct et_addr addr[static 2], uint8_t service, const uint32_t names[static 2],
	size_t width);

void text_peers(
	const struct line_out *to, const struct et_report *report, const struct facts *facts);
void text_clear(
	const struct line_out *to, const struct et_report *report, const struct facts *facts);

#endif
