/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "et_base.h"
#include "et_wire.h"
#include "unit.h"

static struct et_view view(const char *s, size_t n)
{
	return (struct et_view){ (const uint8_t *)s, n };
}

static void test_safe_text(void)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} rows[] = {
		{ "mx.example.net", 14, "mx.example.net" },
		{ "", 0, "" },
		{ "a\0b", 3, "a\\x00b" },
		{ "a\\b", 3, "a\\x5cb" },
		{ "\x1b[31m", 5, "\\x1b[31m" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "\xc3", 1, "\\xc3" },                            /* cut sequence */
		{ "\xc0\xaf", 2, "\\xc0\\xaf" },                   /* overlong */
		{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },          /* surrogate */
		{ "\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
		{ "\xf0\x9f\x93\xa7", 4, "\xf0\x9f\x93\xa7" },     /* four bytes */
		{ "\xc2\x9b"
		  "31m",
			5, "\\xc2\\x9b31m" }, /* C1: CSI */
		{ "\x7f", 1, "\\x7f" },
	};
	char out[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = et_text_safe(out, sizeof(out), view(rows[i].in, rows[i].n));

		CU_ASSERT_STRING_EQUAL(out, rows[i].out);
		CU_ASSERT_EQUAL(n, strlen(rows[i].out));
		/* Never more than the room there is, never a torn escape or sequence. */
		for (size_t cap = 1; cap <= n; cap++) {
			size_t m = et_text_safe(out, cap, view(rows[i].in, rows[i].n));

			CU_ASSERT(m < cap && out[m] == '\0');
			CU_ASSERT_EQUAL(strncmp(out, rows[i].out, m), 0);
			CU_ASSERT(m == 0 || out[m - 1] != '\\');
		}
	}
}

static void test_times(void)
{
	static const struct {
		int64_t ns;
		const char *us, *s;
		int64_t minute_ns;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000Z", "1970-01-01T00:00:00Z", 0 },
		{ INT64_C(1795343467123456789), "2026-11-22T10:31:07.123456Z",
			"2026-11-22T10:31:07Z", INT64_C(1795343460000000000) },
		{ -1, "1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59Z", -60000000000 },
		{ INT64_MAX, "2262-04-11T23:47:16.854775Z", "2262-04-11T23:47:16Z",
			INT64_C(9223372020000000000) },
	};
	char text[ET_TIME_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		et_time_us(text, rows[i].ns);
		CU_ASSERT_STRING_EQUAL(text, rows[i].us);
		et_time_s(text, rows[i].ns);
		CU_ASSERT_STRING_EQUAL(text, rows[i].s);
		CU_ASSERT_EQUAL(et_time_minute(rows[i].ns), rows[i].minute_ns);
	}
}

static void test_addresses(void)
{
	struct et_addr v4 = et_addr_v4((const uint8_t[]){ 192, 0, 2, 25 });
	struct et_addr v4b = et_addr_v4((const uint8_t[]){ 192, 0, 2, 26 });
	struct et_addr v6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	char text[ET_ADDR_TEXT];

	et_addr_text(text, &v4);
	CU_ASSERT_STRING_EQUAL(text, "192.0.2.25");
	et_addr_text(text, &v6);
	CU_ASSERT_STRING_EQUAL(text, "2001:db8::1");
	CU_ASSERT(et_addr_is_v4(&v4) && !et_addr_is_v4(&v6));
	CU_ASSERT(et_addr_cmp(&v4, &v4b) < 0 && et_addr_cmp(&v4b, &v6) < 0);
	CU_ASSERT(et_addr_cmp(&v6, &v4) > 0 && et_addr_cmp(&v6, &v6) == 0);
}

static void test_cursor(void)
{
	static const uint8_t bytes[] = { 0x12, 0x34, 0x02, 0xaa, 0xbb, 0x03, 0xcc };
	struct et_cur cur = et_cur(bytes, sizeof(bytes)), block;

	CU_ASSERT_EQUAL(et_u16(&cur), 0x1234);
	block = et_block(&cur, 1);
	CU_ASSERT(et_ok(&block) && block.n == 2 && block.p[0] == 0xaa);
	CU_ASSERT(et_ok(&cur) && cur.n == 2);
	block = et_block(&cur, 1); /* says 3, has 1 */
	CU_ASSERT(!et_ok(&block) && block.n == 0);
	CU_ASSERT(!et_ok(&cur) && cur.n == 0);
	CU_ASSERT_EQUAL(et_u8(&cur), 0); /* bad stays bad */
	CU_ASSERT_EQUAL(et_take(&cur, 0).n, 0);
	CU_ASSERT(!et_ok(&cur));
	cur = et_cur(bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(et_be(&cur, 7), 0x123402aabb03cc);
	CU_ASSERT(et_ok(&cur) && cur.n == 0);
	CU_ASSERT_EQUAL(et_be(&cur, 8), 0);
	CU_ASSERT(!et_ok(&cur));
}

int main(void)
{
	CU_TestInfo tests[] = { { "safe text", test_safe_text }, { "times", test_times },
		{ "addresses", test_addresses }, { "cursor", test_cursor }, CU_TEST_INFO_NULL };

	return unit_run("base", tests);
}
