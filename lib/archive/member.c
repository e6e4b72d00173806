/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

bool member_count(uint64_t *out, const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!value || json_is_null(value))
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*out = (uint64_t)json_integer_value(value);
	return true;
}

bool member_text(const char **out, size_t *n, const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);

	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value) || json_string_length(value) > TEXT_MAX)
		return false;
	*out = json_string_value(value);
	*n = json_string_length(value);
	return true;
}

/* Digits of a number between two marks; false if there is another thing. */
static bool digits(unsigned *out, const char **at, size_t n)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		char c = (*at)[i];

		if (c < '0' || c > '9')
			return false;
		*out = *out * 10 + (unsigned)(c - '0');
	}
	*at += n;
	return true;
}

static bool mark(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar; months counted from March. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

bool time_parse(int64_t *out_ns, const char *text)
{
	const char *at = text;
	unsigned year, month, day, hour, min, s;

	if (!digits(&year, &at, 4) || !mark(&at, '-') || !digits(&month, &at, 2) ||
		!mark(&at, '-') || !digits(&day, &at, 2) || !mark(&at, 'T') ||
		!digits(&hour, &at, 2) || !mark(&at, ':') || !digits(&min, &at, 2) ||
		!mark(&at, ':') || !digits(&s, &at, 2))
		return false;
	if (mark(&at, '.'))
		at += strspn(at, "0123456789");
	if (!mark(&at, 'Z') || *at || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
		min > 59 || s > 60 || year < 1970 || year > 2199)
		return false;
	*out_ns = (days_of(year, month, day) * 86400 + (int64_t)hour * 3600 + min * 60 + s) *
		  ET_NS_PER_S;
	return true;
}
