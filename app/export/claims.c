/* SPDX-License-Identifier: BSD-3-Clause */
#include "claims.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

bool ring_id_equal(const struct et_ring_id *a, const struct et_ring_id *b)
{
	return a->generation == b->generation && a->worker == b->worker &&
	       strcmp(a->sensor, b->sensor) == 0;
}

int claims_add(struct claims *claims, const struct claim *claim)
{
	if (claims->cnt == claims->cap) {
		size_t cap = claims->cap ? claims->cap * 2 : 64;
		struct claim *v = reallocarray(claims->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		claims->v = v;
		claims->cap = cap;
	}
	claims->v[claims->cnt++] = *claim;
	return 0;
}

void claims_free(struct claims *claims)
{
	free(claims->v);
	*claims = (struct claims){ 0 };
}

/* One entry of "rings"; anything else than a range of a ring that is there says nothing. */
static int add_entry(struct claims *claims, json_t *entry, int64_t minute_ns,
	const struct et_ring_id *ids, size_t ids_cnt)
{
	const char *name = json_string_value(json_object_get(entry, "ring"));
	json_int_t from = json_integer_value(json_object_get(entry, "from"));
	json_int_t to = json_integer_value(json_object_get(entry, "to"));
	struct claim claim = { .minute_ns = minute_ns, .from = (uint64_t)from, .to = (uint64_t)to };

	if (!name || from <= 0 || to <= from || !et_ring_parse_name(&claim.ring, name))
		return 0;
	for (size_t i = 0; i < ids_cnt; i++)
		if (ring_id_equal(&claim.ring, &ids[i]))
			return claims_add(claims, &claim);
	return 0;
}

int claims_read(struct claims *claims, const struct folder *folder, const struct et_ring_id *ids,
	size_t ids_cnt)
{
	struct folder_file *files;
	size_t cnt;
	int rc = folder_list(&files, &cnt, folder, false);

	for (size_t i = 0; i < cnt && rc == 0 && ids_cnt > 0; i++) {
		json_t *row = folder_first_row(folder, &files[i]), *entry;
		size_t at;

		json_array_foreach(json_object_get(row, "rings"), at, entry)
		{
			if (rc == 0)
				rc = add_entry(claims, entry, files[i].minute_ns, ids, ids_cnt);
		}
		json_decref(row);
	}
	free(files);
	return rc;
}

void claims_release(struct claims *claims, const struct et_ring_id *ring, uint64_t released)
{
	int64_t newest_ns = claims_newest(claims, ring);
	size_t kept = 0;

	for (size_t i = 0; i < claims->cnt; i++) {
		const struct claim *claim = &claims->v[i];

		if (!ring_id_equal(&claim->ring, ring) || claim->to > released ||
			claim->minute_ns == newest_ns)
			claims->v[kept++] = *claim;
	}
	claims->cnt = kept;
}

void claims_forget(struct claims *claims, const struct et_ring_id *ring)
{
	size_t kept = 0;

	for (size_t i = 0; i < claims->cnt; i++)
		if (!ring_id_equal(&claims->v[i].ring, ring))
			claims->v[kept++] = claims->v[i];
	claims->cnt = kept;
}

int64_t claims_covering(const struct claims *claims, const struct et_ring_id *ring, uint64_t number)
{
	int64_t newest_ns = INT64_MIN;

	for (size_t i = 0; i < claims->cnt; i++) {
		const struct claim *claim = &claims->v[i];

		if (claim->minute_ns > newest_ns && number >= claim->from && number < claim->to &&
			ring_id_equal(&claim->ring, ring))
			newest_ns = claim->minute_ns;
	}
	return newest_ns;
}

int64_t claims_newest(const struct claims *claims, const struct et_ring_id *ring)
{
	int64_t newest_ns = INT64_MIN;

	for (size_t i = 0; i < claims->cnt; i++)
		if (claims->v[i].minute_ns > newest_ns && ring_id_equal(&claims->v[i].ring, ring))
			newest_ns = claims->v[i].minute_ns;
	return newest_ns;
}
