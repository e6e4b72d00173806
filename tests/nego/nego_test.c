/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_test.h"

const char *presets_folder;

int main(int argc, char **argv)
{
	CU_TestInfo options[] = { { "options set what they say", test_options },
		{ "wrong values are refused with a sentence", test_refused },
		{ "a refused value changes nothing", test_unchanged }, { "notes", test_notes },
		{ "finish", test_finish }, { "all presets load", test_presets },
		{ "faults of a preset", test_preset_faults }, CU_TEST_INFO_NULL };
	CU_TestInfo judge[] = { { "the founding case", test_founding_case },
		{ "verdicts and causes", test_verdicts }, { "what cannot be known", test_unknown },
		{ "sentences", test_text }, { "any profile", test_odd_profiles },
		CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "options", NULL, NULL, NULL, NULL, options },
		{ "judge", NULL, NULL, NULL, NULL, judge }, CU_SUITE_INFO_NULL };

	if (argc != 2)
		return 2;
	presets_folder = argv[1];
	return unit_run_suites(suites);
}
