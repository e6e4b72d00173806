/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_drop.h"

static const struct {
	const char *name, *text;
} drops[] = {
#define X(id, name, text) { name, text },
	ET_DROPS(X)
#undef X
};

static_assert(sizeof(drops) / sizeof(drops[0]) == ET_DROP_MAX, "every drop has a name and a text");

const char *et_drop_name(enum et_drop drop)
{
	assert(drop >= 0 && drop < ET_DROP_MAX);
	return drops[drop].name;
}

const char *et_drop_text(enum et_drop drop)
{
	assert(drop >= 0 && drop < ET_DROP_MAX);
	return drops[drop].text;
}
