/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HISTORY_H
#define HISTORY_H

/*
 * Sessions that are in files already, remembered for an hour: why a session failed is argued from
 * what else the same server and client were seen to do.
 */

#include "et_session.h"

struct history {
	struct et_session *sessions; /* in the order of et_session_cmp */
	size_t cnt;
};

/*
 * The newest of sessions[0..cnt), which are sorted and refer to `from`: at most max_cnt that began
 * from an hour before minute_ns on (INT64_MIN: none did), with what they refer to put into `to`. 0
 * or -ENOMEM; `history` is filled only when it succeeds.
 */
int history_keep(struct history *history, struct et_books *to, const struct et_books *from,
	const struct et_session *sessions, size_t cnt, size_t max_cnt, int64_t minute_ns);
void history_free(struct history *history);

#endif
