/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_H
#define UNIT_H

/* The main of every unit test. */

#include <CUnit/Basic.h>

/* Runs suites, which end with CU_SUITE_INFO_NULL. The exit code: 0 all passed, 1 not, 2 not run. */
static inline int unit_run_suites(CU_SuiteInfo *suites)
{
	unsigned int failures;

	if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
		return 2;
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	/* a suite whose set-up failed has run nothing */
	failures = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	return failures ? 1 : 0;
}

/* Runs a table of tests, which ends with CU_TEST_INFO_NULL, as one suite. */
static inline int unit_run(const char *suite, CU_TestInfo *tests)
{
	CU_SuiteInfo suites[] = { { suite, NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };

	return unit_run_suites(suites);
}

#endif
