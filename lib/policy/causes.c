/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Above this many different sentences a cause comes with its code alone. */
#define CAUSES_MAX 100000

int causes_init(struct causes *causes)
{
	causes->cap = 64;
	causes->all = calloc(causes->cap, sizeof(*causes->all));
	causes->dict = et_dict_new(2 * CAUSES_MAX, SIZE_MAX);
	return causes->all && causes->dict ? 0 : -ENOMEM;
}

void causes_free(struct causes *causes)
{
	free(causes->all);
	et_dict_free(causes->dict);
}

static int64_t put(struct causes *causes, const struct et_cause *cause)
{
	size_t code_len = strlen(cause->code) + 1, why_len = strlen(cause->why);
	uint8_t key[1 + ET_CAUSE_CODE + ET_CAUSE_WHY];
	struct et_cause *all;
	bool added = false;
	uint32_t id;

	key[0] = (uint8_t)cause->confidence;
	memcpy(key + 1, cause->code, code_len);
	memcpy(key + 1 + code_len, cause->why, why_len);
	id = et_dict_put(causes->dict, &added, (struct et_view){ key, 1 + code_len + why_len });
	if (id == ET_DICT_NONE)
		return -ENOMEM;
	if (!added)
		return id;
	if (id >= causes->cap) {
		all = realloc(causes->all, 2 * (size_t)causes->cap * sizeof(*all));
		if (!all)
			return -ENOMEM;
		causes->all = all;
		causes->cap *= 2;
	}
	causes->all[id] = *cause;
	causes->cnt = id;
	return id;
}

int64_t causes_put(struct causes *causes, const struct et_cause *cause)
{
	struct et_cause plain;

	if (cause->code[0] == '\0')
		return 0;
	if (causes->cnt < CAUSES_MAX)
		return put(causes, cause);
	/* codes are few: all of them fit in what is left */
	plain = *cause;
	memset(plain.why, 0, sizeof(plain.why));
	return put(causes, &plain);
}
