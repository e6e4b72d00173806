/* SPDX-License-Identifier: BSD-3-Clause */
#include "remedies.h"

#include <stdio.h>
#include <string.h>

#define CODE_MAX 128

static const struct explanation *exact(const char *code)
{
	for (size_t i = 0; i < explanations_cnt; i++)
		if (strcmp(explanations[i].code, code) == 0)
			return &explanations[i];
	return NULL;
}

const struct explanation *explanation_of(const char *code)
{
	char text[CODE_MAX], shorter[CODE_MAX];
	const struct explanation *found = exact(code);

	if (strlen(code) >= sizeof(text))
		return NULL;
	memcpy(text, code, strlen(code) + 1);
	while (!found) {
		char *last = strrchr(text, '/'), *before;

		if (!last)
			return NULL;
		*last = '\0';
		before = strrchr(text, '/');
		if (before) {
			snprintf(shorter, sizeof(shorter), "%.*s/%s", (int)(before - text), text,
				last + 1);
			found = exact(shorter);
		}
		if (!found)
			found = exact(text);
	}
	return found;
}
