/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_tests.h"
#include "unit.h"

int main(void)
{
	CU_TestInfo tests[] = { { "names", test_names }, { "list", test_list },
		{ "lock sensor", test_lock_sensor }, { "lock file", test_lock_file },
		{ "create refused", test_create_refused }, { "permissions", test_permissions },
		{ "owner", test_owner }, { "space", test_space }, { "attach", test_attach },
		{ "attach refused", test_attach_refused }, { "header fields", test_header_fields },
		{ "lengths", test_lengths }, { "wrap", test_wrap },
		{ "positions wrap", test_positions_wrap }, { "offsets", test_offsets },
		{ "full", test_full }, { "keep", test_keep }, { "release", test_release },
		{ "released number", test_released_number }, { "rte_ring", test_rte_ring },
		{ "bad messages", test_bad_messages }, { "bad positions", test_bad_positions },
		{ "bad reader", test_bad_reader }, { "noise", test_noise },
		{ "reader killed", test_reader_killed }, { "writer killed", test_writer_killed },
		CU_TEST_INFO_NULL };

	return unit_run("ring", tests);
}
