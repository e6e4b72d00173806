/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"

#include <errno.h>
#include <stdlib.h>

#define KEEP_NS (60 * ET_NS_PER_MIN)

int history_keep(struct history *history, struct et_books *to, const struct et_books *from,
	const struct et_session *sessions, size_t cnt, size_t max_cnt, int64_t minute_ns)
{
	struct history kept = { 0 };
	size_t first = cnt;

	while (first > 0 && cnt - first < max_cnt && minute_ns != INT64_MIN &&
		sessions[first - 1].start_ns >= minute_ns - KEEP_NS)
		first--;
	kept.sessions = malloc((cnt - first + 1) * sizeof(*kept.sessions));
	if (!kept.sessions)
		return -ENOMEM;
	for (size_t i = first; i < cnt; i++) {
		struct et_session *session = &kept.sessions[kept.cnt++];

		*session = sessions[i];
		if (et_books_move(to, from, session) != 0) {
			history_free(&kept);
			return -ENOMEM;
		}
	}
	*history = kept;
	return 0;
}

void history_free(struct history *history)
{
	free(history->sessions);
	*history = (struct history){ 0 };
}
