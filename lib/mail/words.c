/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 255 /* RFC 5321 4.5.3.1.2 */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct et_view word_next(struct et_view *text)
{
	struct et_view word;

	while (text->n > 0 && is_blank(*text->p)) {
		text->p++;
		text->n--;
	}
	word = (struct et_view){ text->p, 0 };
	while (word.n < text->n && !is_blank(word.p[word.n]))
		word.n++;
	text->p += word.n;
	text->n -= word.n;
	if (text->n > 0) {
		text->p++;
		text->n--;
	}
	return word;
}

bool word_begins(struct et_view word, const char *upper)
{
	size_t n = strlen(upper);

	return word.n >= n && strncasecmp((const char *)word.p, upper, n) == 0;
}

bool word_has(struct et_view text, const char *upper)
{
	size_t n = strlen(upper);

	for (; text.n >= n; text.p++, text.n--)
		if (strncasecmp((const char *)text.p, upper, n) == 0)
			return true;
	return false;
}

bool word_number(uint64_t *out, struct et_view word)
{
	*out = 0;
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		if (__builtin_mul_overflow(*out, (uint64_t)10, out) ||
			__builtin_add_overflow(*out, (uint64_t)(word.p[i] - '0'), out))
			*out = UINT64_MAX / 16; /* so that the next digit cannot wrap it */
	}
	return word.n > 0;
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool word_is_base64(struct et_view word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!is_alnum(word.p[i]) && (word.p[i] == 0 || !strchr("+/=*", word.p[i])))
			return false;
	return true;
}

bool word_is_masked(struct et_view word)
{
	if (word.n < 4)
		return false;
	for (size_t i = 0; i + 1 < word.n; i++)
		if (word.p[i] != 'X')
			return false;
	return word.p[word.n - 1] >= 'A' && word.p[word.n - 1] <= 'Z';
}

bool text_is_printable(struct et_view text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < 0x20 && !is_blank(text.p[i]))
			return false;
	return true;
}

uint32_t name_put(struct et_mail_env *env, struct et_view name)
{
	uint32_t id;

	while (name.n > 0 && is_blank(name.p[name.n - 1]))
		name.n--;
	if (name.n == 0)
		return ET_DICT_NONE;
	if (name.n > NAME_MAX_LEN)
		name.n = NAME_MAX_LEN;
	id = et_dict_put(env->names, NULL, name);
	if (id == ET_DICT_NONE)
		env->drops[ET_DROP_DICT]++;
	return id;
}

bool literal_len(uint64_t *len, bool *sync, struct et_view text)
{
	size_t end, start;

	if (text.n < 3 || text.p[text.n - 1] != '}')
		return false;
	end = text.n - 1;
	*sync = text.p[end - 1] != '+';
	if (!*sync)
		end--;
	for (start = end; start > 0 && text.p[start - 1] != '{'; start--)
		if (text.p[start - 1] < '0' || text.p[start - 1] > '9')
			return false;
	return start > 0 && word_number(len, (struct et_view){ text.p + start, end - start });
}
