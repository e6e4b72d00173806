/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORIES_TEST_H
#define STORIES_TEST_H

/* stories_test.c: a whole test. */
void test_stories(void);

#endif
