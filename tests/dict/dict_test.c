/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "et_dict.h"
#include "unit.h"

static struct et_view view(const void *p, size_t n)
{
	return (struct et_view){ p, n };
}

static void test_put_and_get(void)
{
	struct et_dict *dict = et_dict_new(100000, 1 << 24);
	char text[16];
	bool added;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dict);
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 20000; i++) {
			size_t n = (size_t)snprintf(text, sizeof(text), "entry %u", i);

			CU_ASSERT_EQUAL(et_dict_put(dict, &added, view(text, n)), i + 1);
			CU_ASSERT_EQUAL(added, round == 0);
		}
	}
	CU_ASSERT_EQUAL(et_dict_count(dict), 20000);
	for (uint32_t i = 0; i < 20000; i++) {
		size_t n = (size_t)snprintf(text, sizeof(text), "entry %u", i);
		struct et_view got = et_dict_get(dict, i + 1);

		CU_ASSERT(got.n == n && memcmp(got.p, text, n) == 0);
	}
	CU_ASSERT_EQUAL(et_dict_get(dict, ET_DICT_NONE).n, 0);
	CU_ASSERT_EQUAL(et_dict_get(dict, 20001).n, 0);
	CU_ASSERT_EQUAL(et_dict_refused(dict), 0);
	et_dict_free(dict);
}

static void test_limits(void)
{
	struct et_dict *few = et_dict_new(2, 1000), *small = et_dict_new(1000, 8);

	CU_ASSERT_FATAL(few && small);
	CU_ASSERT_EQUAL(et_dict_put(few, NULL, view("a", 1)), 1);
	CU_ASSERT_EQUAL(et_dict_put(few, NULL, view("", 0)), 2); /* empty is a value, too */
	CU_ASSERT_EQUAL(et_dict_put(few, NULL, view("c", 1)), ET_DICT_NONE);
	CU_ASSERT_EQUAL(et_dict_put(few, NULL, view("a", 1)), 1);
	CU_ASSERT_EQUAL(et_dict_put(few, NULL, view("", 0)), 2);
	CU_ASSERT_EQUAL(et_dict_refused(few), 1);
	CU_ASSERT_EQUAL(et_dict_put(small, NULL, view("12345", 5)), 1);
	CU_ASSERT_EQUAL(et_dict_put(small, NULL, view("6789", 4)), ET_DICT_NONE);
	CU_ASSERT_EQUAL(et_dict_put(small, NULL, view("678", 3)), 2);
	CU_ASSERT_EQUAL(et_dict_refused(small), 1);
	et_dict_free(few);
	et_dict_free(small);
}

int main(void)
{
	CU_TestInfo tests[] = { { "put and get", test_put_and_get }, { "limits", test_limits },
		CU_TEST_INFO_NULL };

	return unit_run("dict", tests);
}
