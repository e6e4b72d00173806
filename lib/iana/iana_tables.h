/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IANA_TABLES_H
#define IANA_TABLES_H

/*
 * The tables that tools/gen_iana.py writes; for this room and its test only. Each is sorted by its
 * first member and holds no value twice.
 */

#include <stddef.h>

#include "et_iana.h"

struct iana_name {
	uint32_t id;
	const char *name;
	const char *openssl; /* NULL where it does not differ or is not known */
};

struct iana_curve {
	const char *name; /* lower case */
	uint16_t group;
};

extern const struct et_iana_suite et_iana_suites[];
extern const size_t et_iana_suites_cnt;
extern const struct iana_name et_iana_versions[];
extern const size_t et_iana_versions_cnt;
extern const struct iana_name et_iana_groups[];
extern const size_t et_iana_groups_cnt;
extern const struct iana_name et_iana_sigalgs[];
extern const size_t et_iana_sigalgs_cnt;
extern const struct iana_name et_iana_extensions[];
extern const size_t et_iana_extensions_cnt;
extern const struct iana_name et_iana_alerts[];
extern const size_t et_iana_alerts_cnt;
extern const struct iana_name et_iana_handshakes[];
extern const size_t et_iana_handshakes_cnt;
extern const struct iana_name et_iana_sslv2s[];
extern const size_t et_iana_sslv2s_cnt;
extern const struct iana_curve et_iana_curves[];
extern const size_t et_iana_curves_cnt;

#endif
