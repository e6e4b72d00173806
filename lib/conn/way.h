/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WAY_H
#define WAY_H

/* Which parser a side's bytes go to, and when that changes: the STARTTLS seam. Private to conn. */

#include "et_conn.h"

enum way {
	WAY_PROBE,
	WAY_MAIL,
	WAY_TLS,
	WAY_DEAD,
};

static inline enum et_dir way_dir(const struct et_conn *conn, unsigned side)
{
	return side == conn->client_side ? ET_CLIENT : ET_SERVER;
}

/* The next bytes of a side, in order. */
void way_bytes(struct et_conn *conn, struct et_conn_env *env, unsigned side, struct et_view bytes,
	int64_t ts_ns);

/* The last bytes of a side have come. */
void way_end(struct et_conn *conn, struct et_conn_env *env, unsigned side);

/* Whether dialogue or a TLS handshake was read on this connection. */
bool way_is_recognised(const struct et_conn *conn);

#endif
