/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NAMES_TEST_H
#define NAMES_TEST_H

/* names_test.c: whole tests. */
void test_names(void);
void test_registries(void);
void test_times(void);

#endif
