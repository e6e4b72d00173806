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

/* Ids of this turn and of the one before are good, older ones are no value. */
static void test_turning(void)
{
	struct et_dict *dict = et_dict_new_turning(100, 100 * sizeof(uint32_t));
	uint32_t ids[100000];
	const uint32_t cnt = sizeof(ids) / sizeof(ids[0]);
	uint8_t long_one[401] = { 0 };
	bool added;

	CU_ASSERT_PTR_NOT_NULL_FATAL(dict);
	for (uint32_t i = 0; i < cnt; i++) {
		ids[i] = et_dict_put(dict, &added, view(&i, sizeof(i)));
		CU_ASSERT_FATAL(added && ids[i] != ET_DICT_NONE);
		CU_ASSERT_EQUAL_FATAL(et_dict_put(dict, &added, view(&i, sizeof(i))), ids[i]);
		CU_ASSERT_FALSE_FATAL(added);
		for (uint32_t back = 0; back <= i && back < 300; back += 7) {
			uint32_t was = i - back, age = i / 100 - was / 100;
			struct et_view got = et_dict_get(dict, ids[was]);
			bool right = got.n == sizeof(was) && memcmp(got.p, &was, sizeof(was)) == 0;

			CU_ASSERT_EQUAL_FATAL(right, age <= 1);
			CU_ASSERT_EQUAL_FATAL(et_dict_mark(dict, ids[was]) != NULL, age <= 1);
		}
	}
	CU_ASSERT_EQUAL(et_dict_refused(dict), 0);
	CU_ASSERT_EQUAL(et_dict_count(dict), 100);
	/* what the last half held comes again under a new id */
	CU_ASSERT_NOT_EQUAL(et_dict_put(dict, &added, view("x", 1)), ET_DICT_NONE);
	CU_ASSERT_NOT_EQUAL(
		et_dict_put(dict, &added, view(&(uint32_t){ cnt - 1 }, 4)), ids[cnt - 1]);
	CU_ASSERT(added);
	*et_dict_mark(dict, ids[cnt - 1]) = 7;
	CU_ASSERT_EQUAL(*et_dict_mark(dict, ids[cnt - 1]), 7);
	CU_ASSERT_NOT_EQUAL(et_dict_put(dict, NULL, view(long_one, 400)), ET_DICT_NONE);
	CU_ASSERT_EQUAL(et_dict_put(dict, NULL, view(long_one, 401)), ET_DICT_NONE);
	CU_ASSERT_PTR_NULL(et_dict_mark(dict, ET_DICT_NONE));
	CU_ASSERT_EQUAL(et_dict_refused(dict), 1);
	et_dict_free(dict);
}

int main(void)
{
	CU_TestInfo tests[] = { { "put and get", test_put_and_get }, { "limits", test_limits },
		{ "turning", test_turning }, CU_TEST_INFO_NULL };

	return unit_run("dict", tests);
}
