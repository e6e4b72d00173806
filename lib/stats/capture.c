/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

void et_stats_capture_init(struct et_stats_capture *capture)
{
#define X(id) capture->id = ET_STATS_NULL;
	ET_STATS_COUNTS(X)
#undef X
	capture->seconds = -1;
	for (size_t i = 0; i < ET_DROP_MAX; i++)
		capture->drops[i] = ET_STATS_NULL;
}

static json_t *count_or_null(int64_t count)
{
	return count < 0 ? json_null() : json_integer(count);
}

json_t *et_stats_capture_json(const struct et_stats_capture *capture)
{
	json_t *o = json_object(), *drops = json_object();

#define X(id) val_put(&o, #id, count_or_null(capture->id));
	ET_STATS_COUNTS(X)
#undef X
	val_put(&o, "seconds", capture->seconds < 0 ? json_null() : json_real(capture->seconds));
	for (size_t i = 0; i < ET_DROP_MAX; i++)
		if (capture->drops[i] > 0)
			val_put(&drops, et_drop_name((enum et_drop)i),
				json_integer(capture->drops[i]));
	val_put(&o, "drops", drops);
	return o;
}
