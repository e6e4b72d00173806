/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char failure[256] = "no reason given";

const char *gen_stack_error(void)
{
	return failure;
}

void gen_stack_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(failure, sizeof(failure), format, args);
	va_end(args);
}

static int one(uint16_t *out, const char *text, size_t n)
{
	if (n != 3 || strncmp(text, "1.", 2) != 0 || text[2] < '0' || text[2] > '3')
		return -1;
	*out = (uint16_t)(0x0301 + text[2] - '0');
	return 0;
}

int gen_stack_versions(uint16_t out[2], const char *text)
{
	const char *dash = text ? strchr(text, '-') : NULL;

	out[0] = 0x0303;
	out[1] = 0x0304;
	if (!text)
		return 0;
	if (one(&out[0], text, dash ? (size_t)(dash - text) : strlen(text)) != 0 ||
		one(&out[1], dash ? dash + 1 : text, strlen(dash ? dash + 1 : text)) != 0 ||
		out[0] > out[1]) {
		gen_stack_fail(
			"a version is 1.0, 1.1, 1.2, 1.3 or a range as 1.0-1.2, not \"%.40s\"",
			text);
		return -1;
	}
	return 0;
}
