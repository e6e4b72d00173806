/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer_json.h"

json_t *answer_json_count(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

json_t *answer_json_text(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

json_t *answer_json_addr(const struct et_addr *addr)
{
	char text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	return json_string(text);
}

json_t *answer_json_time(int64_t ts_ns)
{
	char text[ET_TIME_TEXT];

	et_time_s(text, ts_ns);
	return json_string(text);
}
