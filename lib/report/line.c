/* SPDX-License-Identifier: BSD-3-Clause */
#include "line.h"

#include <string.h>

#include "et_report.h"

struct range {
	uint32_t first, last;
};

static const struct range zero_wide[] = { { 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd },
	{ 0x610, 0x61a }, { 0x64b, 0x65f }, { 0xe31, 0xe31 }, { 0xe34, 0xe3a }, { 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f } };

static const struct range two_wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0xa4cf }, { 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x1f000, 0x1faff }, { 0x20000, 0x3fffd } };

/* Marks without a shape that reorder, join or hide what stands around them, and tags. */
static const struct range hidden[] = { { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x180b, 0x180f },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0x3164, 0x3164 },
	{ 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff } };

static bool is_in(uint32_t c, const struct range *ranges, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}
#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof(*(ranges)))

/* The character at p, and its bytes. The text is well-formed: et_text_safe made it. */
static uint32_t character(size_t *len, const char *p)
{
	const uint8_t *u = (const uint8_t *)p;
	size_t n = u[0] < 0x80 ? 1 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);

	for (*len = 1; *len < n && u[*len]; ++*len)
		c = c << 6 | (u[*len] & 0x3f);
	return c;
}

static size_t cells(uint32_t c)
{
	if (c < 0x300)
		return 1;
	return IS_IN(c, zero_wide) ? 0 : IS_IN(c, two_wide) ? 2 : 1;
}

size_t line_width(const char *text)
{
	size_t width = 0, len;

	for (; *text; text += len)
		width += cells(character(&len, text));
	return width;
}

void line_safe(char out[static LINE_NAME], struct et_view name)
{
	char text[LINE_NAME];
	size_t len, at = 0;

	et_text_safe(text, sizeof(text), name);
	for (const char *p = text; *p; p += len) {
		if (IS_IN(character(&len, p), hidden)) {
			out[at++] = '?';
			continue;
		}
		memcpy(out + at, p, len);
		at += len;
	}
	out[at] = '\0';
}

void line_cut(char *text, size_t cap, size_t width)
{
	static const char more[] = "…";
	size_t used = 0, len, keep = 0;

	if (line_width(text) <= width)
		return;
	for (char *p = text; *p; p += len) {
		used += cells(character(&len, p));
		if (used + 1 > width || (size_t)(p - text) + len + sizeof(more) > cap)
			break;
		keep = (size_t)(p - text) + len;
	}
	memcpy(text + keep, more, sizeof(more));
}

void line_cut_front(char *text, size_t cap, size_t width)
{
	static const char more[] = "…";
	size_t rest = line_width(text), len, at = 0;

	if (rest <= width)
		return;
	while (text[at] && (rest + 1 > width || strlen(text + at) + sizeof(more) > cap)) {
		rest -= cells(character(&len, text + at));
		at += len;
	}
	/* marks that stood on what is cut off would now stand on the "…" */
	while (text[at] && cells(character(&len, text + at)) == 0)
		at += len;
	memmove(text + sizeof(more) - 1, text + at, strlen(text + at) + 1);
	memcpy(text, more, sizeof(more) - 1);
}

void line_padded(const struct line_out *to, enum line_style style, const char *text, size_t width)
{
	size_t used = line_width(text);

	line_styled(to, style, text);
	if (used < width)
		fprintf(to->out, "%*s", (int)(width - used), "");
}

void line_styled(const struct line_out *to, enum line_style style, const char *text)
{
	static const char *const codes[] = { "", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m" };

	if (to->colour && style != LINE_PLAIN)
		fprintf(to->out, "%s%s\x1b[0m", codes[style], text);
	else
		fputs(text, to->out);
}

void block_put(struct line_block *block, const char *piece)
{
	char text[2 * LINE_NAME];
	size_t width;

	snprintf(text, sizeof(text), "%s", piece);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	if (!text[0])
		return;
	line_cut(text, sizeof(text), ET_REPORT_WIDTH - block->indent);
	width = line_width(text);
	if (block->at && block->at + 2 + width > ET_REPORT_WIDTH)
		block_end(block);
	if (block->at) {
		fputs("  ", block->to->out);
		block->at += 2;
	} else {
		fprintf(block->to->out, "%*s", (int)block->indent, "");
		block->at = block->indent;
	}
	line_styled(block->to, block->style, text);
	block->at += width;
}

void block_end(struct line_block *block)
{
	if (block->at)
		putc('\n', block->to->out);
	block->at = 0;
}

/* Bytes of text that fill one line of `width` cells: up to a blank, or within a very long word. */
static size_t line_bytes(const char *text, size_t width)
{
	size_t used = 0, len, at = 0, blank = 0;

	for (; text[at]; at += len) {
		if (text[at] == ' ')
			blank = at;
		used += cells(character(&len, text + at));
		if (used > width)
			return blank ? blank : at;
	}
	return at;
}

/* The first line goes on behind what is printed already, in column `indent`. */
static void prose_behind(const struct line_out *to, size_t indent, const char *text)
{
	size_t gap = 0;

	while (*text) {
		size_t n = line_bytes(text, ET_REPORT_WIDTH - indent), shown = n;

		while (shown > 0 && text[shown - 1] == ' ')
			shown--;
		fprintf(to->out, "%*s%.*s\n", (int)gap, "", (int)shown, text);
		gap = indent;
		text += n;
		while (*text == ' ')
			text++;
	}
}

void line_prose(const struct line_out *to, size_t indent, const char *text)
{
	while (*text == ' ')
		text++;
	if (!*text)
		return;
	fprintf(to->out, "%*s", (int)indent, "");
	prose_behind(to, indent, text);
}

void line_field(const struct line_out *to, const char *key, const char *text)
{
	fprintf(to->out, "  %-11s ", key);
	prose_behind(to, 14, text);
}

const char *line_count(char out[static LINE_COUNT], uint64_t count)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

const char *line_short(char out[static LINE_COUNT], uint64_t count, size_t width)
{
	static const char units[] = "kMGTPE";

	line_count(out, count);
	for (size_t i = 0; strlen(out) > width && units[i]; i++) {
		count /= 1000;
		snprintf(out, LINE_COUNT, "%llu%c", (unsigned long long)count, units[i]);
	}
	return out;
}

void line_span(char out[static LINE_COUNT], int64_t from_ns, int64_t until_ns)
{
	/* unsigned: the two ends of time are further apart than 63 bits hold */
	uint64_t ns = until_ns > from_ns ? (uint64_t)until_ns - (uint64_t)from_ns : 0;
	uint64_t s = ns / (uint64_t)ET_NS_PER_S;
	unsigned long long days, hours, minutes;

	/* rounded before the unit is chosen: 59.97 s is a minute */
	if (ns < 999500000)
		ns += 500000;
	else if (s < 60)
		ns += 50000000;
	s = ns / (uint64_t)ET_NS_PER_S;
	days = s / 86400;
	hours = s / 3600 % 24;
	minutes = s / 60 % 60;
	if (s >= 86400)
		snprintf(out, LINE_COUNT, "%llu d %llu h", days, hours);
	else if (s >= 3600)
		snprintf(out, LINE_COUNT, "%llu h %llu min", hours, minutes);
	else if (s >= 60)
		snprintf(out, LINE_COUNT, "%llu min %llu s", minutes, (unsigned long long)(s % 60));
	else if (s >= 1)
		snprintf(out, LINE_COUNT, "%u.%u s", (unsigned)s, (unsigned)(ns / 100000000 % 10));
	else
		snprintf(out, LINE_COUNT, "%u ms", (unsigned)(ns / 1000000));
}
