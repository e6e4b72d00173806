/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NEGO_TEST_H
#define NEGO_TEST_H

#include "et_nego.h"
#include "unit.h"

extern const char *presets_folder;

/* options_test.c */
void test_options(void);
void test_refused(void);
void test_unchanged(void);
void test_notes(void);
void test_finish(void);
void test_presets(void);
void test_preset_faults(void);

/* judge_test.c */
void test_founding_case(void);
void test_verdicts(void);
void test_unknown(void);
void test_text(void);
void test_odd_profiles(void);

#endif
