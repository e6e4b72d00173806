/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_TEXT_H
#define ET_STATS_TEXT_H

/*
 * Private to the room: JSON text that is put together by hand, where a tree of values for each row
 * would cost more than all the rest. Once memory is short `failed` stays set, and nothing else
 * needs a check.
 */

#include <stdlib.h>
#include <string.h>

#include "et_base.h"

struct text {
	char *p;
	size_t n, cap;
	bool failed;
};

/* Room for n more bytes; NULL when memory is short. */
char *text_room(struct text *text, size_t n);

static inline void text_put(struct text *text, const void *p, size_t n)
{
	char *to = text_room(text, n);

	if (to) {
		memcpy(to, p, n);
		text->n += n;
	}
}

static inline void text_puts(struct text *text, const char *s)
{
	text_put(text, s, strlen(s));
}

void text_count(struct text *text, uint64_t value);
/* In quotes; the text must be safe already (et_text_safe). */
void text_quote(struct text *text, const char *s, size_t n);
/* A string: from the wire, made safe; or one of ours, null for NULL or "". */
void text_wire(struct text *text, struct et_view bytes);
void text_string(struct text *text, const char *s);

#endif
