/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_REPORT_LINE_H
#define ET_REPORT_LINE_H

/* Private to the room: text in columns. Widths are of the terminal's cells, not of bytes. */

#include <stdio.h>

#include "et_base.h"

enum line_style { LINE_PLAIN, LINE_HEAD, LINE_DIM, LINE_BAD, LINE_WARN };

struct line_out {
	FILE *out;
	bool colour;
};

/* Width of safe UTF-8 text: East Asian wide characters are two cells, combining marks none. */
size_t line_width(const char *text);

#define LINE_NAME 512
/* A name from the wire that may be printed: safe, and without marks that reverse or hide text. */
void line_safe(char out[static LINE_NAME], struct et_view name);

/* Cuts text in place to `width` cells, the last one "…" if anything was cut. cap: of the buffer. */
void line_cut(char *text, size_t cap, size_t width);

/* The same from the front, "…outlook.com": of a host's name the end says whose it is. */
void line_cut_front(char *text, size_t cap, size_t width);

/* Prints the text and blanks behind it up to `width` cells. */
void line_padded(const struct line_out *to, enum line_style style, const char *text, size_t width);

void line_styled(const struct line_out *to, enum line_style style, const char *text);

/*
 * Pieces on as few lines as they need between `indent` and the page's width, two blanks between
 * them; a piece that is wider than a line is cut, a blank one left out.
 */
struct line_block {
	const struct line_out *to;
	size_t indent, at; /* at: column reached; 0: the line is not begun */
	enum line_style style;
};
void block_put(struct line_block *block, const char *piece);
void block_end(struct line_block *block);

/* Prose between `indent` and the page's width, broken at blanks. */
void line_prose(const struct line_out *to, size_t indent, const char *text);

/* "  key         text": the text, not empty, goes on under its own beginning. */
void line_field(const struct line_out *to, const char *key, const char *text);

/* "12,345" */
#define LINE_COUNT 32
const char *line_count(char out[static LINE_COUNT], uint64_t count);
/* The same in at most `width` cells, >= 6: "429496k" or "4294M" where all digits do not fit. */
const char *line_short(char out[static LINE_COUNT], uint64_t count, size_t width);

/* "8 ms", "4.5 s", "13 min 53 s", "3 d 4 h"; nothing below 0. */
void line_span(char out[static LINE_COUNT], int64_t from_ns, int64_t until_ns);

#endif
