/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "unit.h"

int main(void)
{
	CU_TestInfo tests[] = { { "founding case", test_founding_case },
		{ "ciphers", test_ciphers }, { "time of keys", test_time_of_keys },
		{ "versions", test_versions }, { "echo", test_echo }, { "hellos", test_hellos },
		{ "first 64", test_first_64 }, { "certificates", test_certificates },
		{ "inferred", test_inferred }, { "client certificates", test_client_certificates },
		{ "alerts", test_alerts }, { "starttls", test_starttls }, { "lost", test_lost },
		{ "fallback", test_fallback }, { "chains", test_chains },
		{ "any numbers", test_any_numbers }, { "many", test_many }, CU_TEST_INFO_NULL };

	return unit_run("policy", tests);
}
