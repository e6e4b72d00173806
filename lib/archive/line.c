/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <stdlib.h>

#define FIRST_CAP 4096u

static bool make_room(struct line *line)
{
	size_t cap = line->cap ? 2 * line->cap : FIRST_CAP;
	char *p = realloc(line->p, cap);

	if (!p)
		return false;
	line->p = p;
	line->cap = cap;
	return true;
}

enum line_got line_next(struct line *line, FILE *in)
{
	bool too_long = false;
	int c;

	line->n = 0;
	if (line->cap == 0 && !make_room(line))
		return LINE_NO_MEMORY;
	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (line->n == LINE_MAX_BYTES) {
			too_long = true;
			continue;
		}
		if (line->n + 1 == line->cap && !make_room(line))
			return LINE_NO_MEMORY;
		line->p[line->n++] = (char)c;
	}
	line->p[line->n] = '\0';
	if (c == EOF && line->n == 0)
		return LINE_END;
	line->number++;
	return too_long ? LINE_TOO_LONG : LINE_GOT;
}
