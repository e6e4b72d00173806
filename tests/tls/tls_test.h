/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TLS_TEST_H
#define TLS_TEST_H

#include "et_tls.h"
#include "peers.h"

#include <CUnit/Basic.h>

extern struct et_tls_env env; /* shared, so that the same bytes get the same ids */
extern uint64_t drops[ET_DROP_MAX];

/* Bytes of a text of hex digits; blanks are passed over. */
size_t unhex(uint8_t *out, size_t cap, const char *hex);

/* The facts after the flights, each cut as cut says. */
enum cut {
	CUT_NONE,
	CUT_BYTES, /* one byte a segment */
};
struct et_tls_facts facts_of(const struct peers_flight *flights, size_t cnt, enum cut cut);

/* True if equal; if not, says in what. */
bool facts_equal(const char *name, const struct et_tls_facts *a, const struct et_tls_facts *b);

/* The table of handshakes; made once, see handshake_test.c. */
extern const struct peers_case cases[];
extern struct peers runs[];
extern const size_t cases_cnt;
bool make_runs(void);
void free_runs(void);

/* The tests of each file, up to CU_TEST_INFO_NULL. */
extern CU_TestInfo handshake_tests[], message_tests[], sslv2_tests[], fuzz_tests[];

#endif
