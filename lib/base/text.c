/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_base.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };

bool et_addr_is_v4(const struct et_addr *addr)
{
	return memcmp(addr->b, v4_prefix, sizeof(v4_prefix)) == 0;
}

struct et_addr et_addr_v4(const uint8_t b[4])
{
	struct et_addr addr;

	et_addr_put_v4(&addr, b);
	return addr;
}

void et_addr_text(char out[static ET_ADDR_TEXT], const struct et_addr *addr)
{
	if (et_addr_is_v4(addr))
		inet_ntop(AF_INET, addr->b + sizeof(v4_prefix), out, ET_ADDR_TEXT);
	else
		inet_ntop(AF_INET6, addr->b, out, ET_ADDR_TEXT);
}

int et_addr_cmp(const struct et_addr *a, const struct et_addr *b)
{
	bool a4 = et_addr_is_v4(a), b4 = et_addr_is_v4(b);

	if (a4 != b4)
		return a4 ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* Seconds and the nanoseconds left over, the latter never negative. */
static int64_t seconds(int64_t *rest_ns, int64_t ts_ns)
{
	int64_t s = ts_ns / ET_NS_PER_S;

	*rest_ns = ts_ns % ET_NS_PER_S;
	if (*rest_ns < 0) {
		*rest_ns += ET_NS_PER_S;
		s--;
	}
	return s;
}

void et_time_us(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	int64_t rest_ns;
	time_t s = (time_t)seconds(&rest_ns, ts_ns);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm); /* 64 bits of nanoseconds stay within the years 1677 to 2262 */
	n = strftime(out, ET_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, ET_TIME_TEXT - n, ".%06dZ", (int)(rest_ns / ET_NS_PER_US));
}

void et_time_s(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	int64_t rest_ns;
	time_t s = (time_t)seconds(&rest_ns, ts_ns);
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(out, ET_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int64_t et_time_minute(int64_t ts_ns)
{
	int64_t rest = ts_ns % ET_NS_PER_MIN;

	if (rest < 0)
		rest += ET_NS_PER_MIN;
	return ts_ns >= INT64_MIN + rest ? ts_ns - rest : INT64_MIN;
}

void et_hex(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

/* Length of the well-formed UTF-8 sequence at p, 0 if there is none: RFC 3629 4. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	/* The second byte excludes overlong forms, surrogates and what is beyond U+10FFFF. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

size_t et_text_safe(char *out, size_t cap, struct et_view in)
{
	size_t at = 0;

	if (cap == 0)
		return 0;
	for (size_t i = 0; i < in.n;) {
		uint8_t c = in.p[i];
		size_t len = utf8_len(in.p + i, in.n - i);
		bool plain = len > 1 || (len == 1 && c >= 0x20 && c != 0x7f && c != '\\');
		size_t need = plain ? len : 4;

		/* C1 controls are two bytes of UTF-8 and no less able to steer a terminal. */
		if (len == 2 && c == 0xc2 && in.p[i + 1] < 0xa0) {
			plain = false;
			need = 4;
			len = 1;
		}
		if (cap - at <= need)
			break;
		if (plain) {
			memcpy(out + at, in.p + i, len);
		} else {
			out[at] = '\\';
			out[at + 1] = 'x';
			out[at + 2] = "0123456789abcdef"[c >> 4];
			out[at + 3] = "0123456789abcdef"[c & 15];
			len = 1;
		}
		at += need;
		i += len;
	}
	out[at] = '\0';
	return at;
}

uint64_t et_hash(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}
