/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_REPORT_TEXT_H
#define ET_REPORT_TEXT_H

/* Private to the room: the sections of the printed answer, one function each. */

#include "facts.h"
#include "line.h"

void text_heading(const struct line_out *to, const char *title);
/* How many of cnt entries are shown; "and N more" is printed by text_more. */
size_t text_shown(const struct et_report *report, size_t cnt);
void text_more(const struct line_out *to, size_t indent, size_t cnt, size_t shown);
/* A count in `width` cells, "-" for none. */
void text_number(const struct line_out *to, int width, uint64_t count, enum line_style style);

/* --- who.c: hosts in columns --- */

/*
 * The name that a side gave, safe to print. One that says nothing is put in words: "(no name)",
 * "(its address)"; a client that calls itself by the server's name or another's address is
 * "(says mx.example.net)".
 */
void who_name(char out[static LINE_NAME], const struct et_report *report,
	const struct et_addr addr[static 2], const uint32_t names[static 2], enum et_dir side);

/* The peer by name and address, and the near end by name, or address if it gave none. */
struct who {
	char name[LINE_NAME], near[LINE_NAME], addr[ET_ADDR_TEXT];
	const char *way; /* NULL if not known */
	const char *service;
};
/* The peer is the end that is not the gateway; the client if that is not known. */
void who_of_peer(struct who *out, const struct et_report *report, const struct et_peer *peer);
void who_of_session(
	struct who *out, const struct et_report *report, const struct et_session *session);
/* The peer is the client, whose ever it is. */
void who_of_client(
	struct who *out, const struct et_report *report, const struct et_session *session);

/* Cells of the columns; all 0, then who_widen for each row, then who_fit once. */
struct who_widths {
	size_t peer; /* name and address together */
	size_t name, addr, near, way;
	size_t longest; /* address, private to who.c */
};
void who_widen(struct who_widths *widths, const struct who *who);
/* Makes them fit into `width` cells, >= 59, or >= 50 without a near end; `way` is not in it. */
void who_fit(struct who_widths *widths, size_t width);
/* Cells of a row without `way`. */
size_t who_width(const struct who_widths *widths);
/*
 * Prints name, address and near end; without a near column if its width is 0. Pads the last one
 * only if something is to follow.
 */
void who_put(const struct line_out *to, const struct who *who, const struct who_widths *widths,
	bool follows);

/* --- sections --- */

void text_peers(
	const struct line_out *to, const struct et_report *report, const struct facts *facts);
void text_section(const struct line_out *to, const struct et_report *report,
	const struct facts *facts, enum facts_section section);

#endif
