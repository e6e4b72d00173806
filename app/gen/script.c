/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <stdlib.h>
#include <string.h>

int gen_script_put(
	struct gen_script *s, uint8_t dir, const void *bytes, uint32_t len, enum gen_think think)
{
	uint8_t *more = realloc(s->bytes, (size_t)s->len + len + 1);
	struct gen_flight *flights;

	if (!more)
		return -1;
	s->bytes = more;
	flights = realloc(s->flights, (s->flight_cnt + 1) * sizeof(*flights));
	if (!flights)
		return -1;
	s->flights = flights;
	if (len > 0)
		memcpy(s->bytes + s->len, bytes, len);
	s->flights[s->flight_cnt++] = (struct gen_flight){
		.off = s->len, .len = len, .dir = dir, .think = (uint8_t)think, .bulk = len == 0
	};
	s->len += len;
	return 0;
}

int gen_script_patch(
	struct gen_script *s, uint32_t off, uint8_t len, enum gen_patch_kind kind, uint8_t which)
{
	struct gen_patch *more = realloc(s->patches, (s->patch_cnt + 1) * sizeof(*more));

	if (!more)
		return -1;
	s->patches = more;
	s->patches[s->patch_cnt++] =
		(struct gen_patch){ .off = off, .len = len, .kind = (uint8_t)kind, .which = which };
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct gen_patch *p = a, *q = b;

	return (p->off > q->off) - (p->off < q->off);
}

int gen_script_seal(struct gen_script *s)
{
	unsigned at = 0;

	if (s->patch_cnt > UINT16_MAX)
		return -1;
	if (s->patch_cnt)
		qsort(s->patches, s->patch_cnt, sizeof(*s->patches), by_place);
	for (unsigned i = 0; i < s->flight_cnt; i++) {
		struct gen_flight *f = &s->flights[i];

		f->patch_first = (uint16_t)at;
		while (at < s->patch_cnt && s->patches[at].off < f->off + f->len)
			at++;
		f->patch_cnt = (uint16_t)(at - f->patch_first);
	}
	return 0;
}

void gen_script_free(struct gen_script *s)
{
	free(s->bytes);
	free(s->flights);
	free(s->patches);
	free(s->bulk);
	free(s->fixed);
}
