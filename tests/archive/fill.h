/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILL_H
#define FILL_H

/* Archives filled with rows as text. */

#include "et_archive.h"

#define MINUTE \
	"{\"type\":\"minute\",\"v\":1,\"sensor\":\"gw\",\"minute\":\"2026-11-22T10:31:00Z\"}\n"
#define NEXT "{\"type\":\"minute\",\"v\":1,\"sensor\":\"gw\",\"minute\":\"2026-11-22T10:32:00Z\"}\n"
#define PEER                                                                                \
	"{\"type\":\"peer\",\"client\":\"192.0.2.1\",\"server\":\"192.0.2.2\",\"service\":" \
	"\"smtp\",\"sessions\":3,\"tls_failed\":1,\"versions\":{\"TLSv1.2\":2}}\n"
#define HELLO \
	"{\"type\":\"hello\",\"id\":\"a\",\"ciphers\":[\"c02f\"],\"versions\":[\"TLSv1.2\"]}\n"
#define CERT "{\"type\":\"cert\",\"sha256\":\"c\"}\n"
#define END1 "{\"type\":\"end\",\"rows\":1}\n"
#define END2 "{\"type\":\"end\",\"rows\":2}\n"
#define END3 "{\"type\":\"end\",\"rows\":3}\n"

/* What the archive that was made last has warned of, a line each. */
#define FILL_SAID 4096
extern char fill_said[FILL_SAID];

/* Limits as of et_archive_options. */
struct et_archive *fill_new(uint32_t max_cells, uint32_t max_moments);
/* As et_archive_add_rows. */
int fill_add(struct et_archive *archive, const char *text);

#endif
