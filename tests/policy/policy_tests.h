/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POLICY_TESTS_H
#define POLICY_TESTS_H

/* What each file of this folder asks; see the comment above each test. */

void test_founding_case(void);
void test_ciphers(void);
void test_time_of_keys(void);
void test_versions(void);
void test_echo(void);
void test_hellos(void);
void test_first_64(void);
void test_certificates(void);
void test_inferred(void);
void test_client_certificates(void);
void test_alerts(void);
void test_starttls(void);
void test_lost(void);
void test_fallback(void);
void test_chains(void);
void test_any_numbers(void);
void test_many(void);

#endif
