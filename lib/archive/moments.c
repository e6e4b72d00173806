/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <errno.h>

/* The time lines: what each pair did in each moment. */

static void count(uint32_t *sum, uint64_t add)
{
	uint64_t value = add > UINT32_MAX ? UINT32_MAX : *sum + add;

	*sum = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static int add(struct store *store, const struct moment_key *key, const uint64_t counts[MOMENT_MAX])
{
	struct moment_item *moment;
	void *item;
	int rc = store_get(store, &item, NULL, key);

	if (rc != 0)
		return -ENOMEM;
	moment = item;
	for (unsigned i = 0; i < MOMENT_MAX; i++)
		count(&moment->counts[i], counts[i]);
	return 0;
}

/*
 * Two moments become one. What the grain is in the end depends on what there is in all, not on the
 * order in which it came: the finest of which there are not too many.
 */
static int coarsen(struct et_archive *archive)
{
	struct store more;

	store_init(&more, archive->moments.size, archive->moments.key, archive->moments.max);
	for (uint32_t i = 0; i < archive->moments.cnt; i++) {
		const struct moment_item *old = store_at(&archive->moments, i);
		struct moment_key key = { .slot = old->key.slot >> 1, .pair = old->key.pair };
		uint64_t counts[MOMENT_MAX];

		for (unsigned c = 0; c < MOMENT_MAX; c++)
			counts[c] = old->counts[c];
		if (add(&more, &key, counts) != 0) {
			store_free(&more);
			return -ENOMEM;
		}
	}
	store_free(&archive->moments);
	archive->moments = more;
	archive->grain++;
	return 0;
}

#define GRAIN_MAX 24 /* 31 years: pairs alone are too many then */

int archive_moment(struct et_archive *archive, uint32_t pair, int64_t minute_ns,
	const uint64_t counts[static MOMENT_MAX])
{
	/* whole minutes of 1970 and later: nothing is rounded */
	struct moment_key key = { .slot = minute_ns / ET_NS_PER_MIN >> archive->grain,
		.pair = pair };
	int rc = add(&archive->moments, &key, counts);

	while (rc == 0 && archive->moments.cnt > archive->options.max_moments &&
		archive->grain < GRAIN_MAX)
		rc = coarsen(archive);
	return rc;
}
