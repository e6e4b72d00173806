/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include "value.h"

char *text_room(struct text *text, size_t n)
{
	size_t cap = text->cap ? text->cap : 4096;
	char *p;

	if (text->failed)
		return NULL;
	if (n <= text->cap - text->n)
		return text->p + text->n;
	while (cap - text->n < n)
		cap *= 2;
	p = realloc(text->p, cap);
	if (!p) {
		text->failed = true;
		return NULL;
	}
	text->p = p;
	text->cap = cap;
	return p + text->n;
}

void text_count(struct text *text, uint64_t value)
{
	char digits[20], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	text_put(text, at, (size_t)(digits + sizeof(digits) - at));
}

/* Safe text has no control bytes: what is left to escape are these two. */
void text_quote(struct text *text, const char *s, size_t n)
{
	char *to = text_room(text, 2 * n + 2), *at = to;

	if (!to)
		return;
	*at++ = '"';
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			*at++ = '\\';
		*at++ = s[i];
	}
	*at++ = '"';
	text->n += (size_t)(at - to);
}

static bool is_plain(struct et_view bytes)
{
	for (size_t i = 0; i < bytes.n; i++)
		if (bytes.p[i] < 0x20 || bytes.p[i] >= 0x7f || bytes.p[i] == '\\')
			return false;
	return true;
}

void text_wire(struct text *text, struct et_view bytes)
{
	char safe[VAL_TEXT_CAP];

	if (bytes.n < sizeof(safe) && is_plain(bytes))
		text_quote(text, (const char *)bytes.p, bytes.n);
	else
		text_quote(text, safe, et_text_safe(safe, sizeof(safe), bytes));
}

void text_string(struct text *text, const char *s)
{
	if (!s || !s[0])
		text_puts(text, "null");
	else
		text_quote(text, s, strlen(s));
}
