/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OUTCOME_H
#define OUTCOME_H

/* Facts -> outcome, and the record made of both. Private to conn. */

#include "et_conn.h"

/* Whether TLS is established beyond doubt, so that nothing that follows changes the record. */
bool outcome_is_final(const struct et_conn *conn);

/* Fills the whole record but for what et_conn_close writes. */
void outcome_record(struct et_session *session, const struct et_conn *conn,
	const struct et_flow *flow, int64_t decided_ns);

#endif
