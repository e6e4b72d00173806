/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PARSERS_H
#define PARSERS_H

/* What the parsers of one worker share, as app/engine makes it. */

#include "bench.h"
#include "et_conn.h"

struct parsers {
	struct et_ports ports;
	struct et_match_db *db;
	struct et_books books;
	struct et_order_counts order;
	uint64_t drops[ET_DROP_MAX];
	struct et_conn_env env;
};

/* 0, or -1 with a sentence on stderr. */
int parsers_open(struct parsers *parsers);
void parsers_close(struct parsers *parsers);

#endif
