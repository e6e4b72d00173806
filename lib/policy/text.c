/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in one list; the rest is counted. */
#define NAMES_MAX 4

void why(struct et_cause *cause, const char *format, ...)
{
	size_t at = strlen(cause->why);
	va_list args;

	va_start(args, format);
	vsnprintf(cause->why + at, sizeof(cause->why) - at, format, args);
	va_end(args);
	at = strlen(cause->why);
	if (at + 1 < sizeof(cause->why))
		return;
	/* cut: no half of a UTF-8 sequence may stay */
	while (at > 0 && (cause->why[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && (cause->why[at - 1] & 0x80))
		at--;
	cause->why[at] = '\0';
}

void set_code(struct et_cause *cause, enum et_confidence confidence, const char *format, ...)
{
	va_list args;

	*cause = (struct et_cause){ .confidence = confidence };
	va_start(args, format);
	vsnprintf(cause->code, sizeof(cause->code), format, args);
	va_end(args);
}

void name_text(char out[static NAME_TEXT], enum name_kind kind, uint16_t id)
{
	const struct et_iana_suite *suite = kind == NAME_SUITE ? et_iana_suite(id) : NULL;
	const char *name = NULL;

	switch (kind) {
	case NAME_SUITE:
		if (suite)
			name = suite->openssl ? suite->openssl : suite->name;
		break;
	case NAME_GROUP: name = et_iana_group(id); break;
	case NAME_SIGALG: name = et_iana_sigalg(id); break;
	case NAME_VERSION: name = et_iana_version(id); break;
	}
	if (name)
		snprintf(out, NAME_TEXT, "%s", name);
	else
		snprintf(out, NAME_TEXT, "0x%04x", id);
}

void why_names(struct et_cause *cause, enum name_kind kind, const uint16_t *ids, size_t cnt)
{
	char text[NAME_TEXT];
	/* "and 1 more" is longer than most names */
	size_t shown = cnt > NAMES_MAX + 1 ? NAMES_MAX : cnt;

	for (size_t i = 0; i < shown; i++) {
		name_text(text, kind, ids[i]);
		why(cause, "%s%s", i ? ", " : "", text);
	}
	if (shown < cnt)
		why(cause, " and %zu more", cnt - shown);
}
