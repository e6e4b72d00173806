/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_BASE_H
#define ET_BASE_H

/*
 * base: the nouns that every room shares, and nothing that belongs to one room.
 *
 * A *view* is a pointer and a length over bytes that somebody else owns; it is never kept past
 * the call that received it. An *address* is always 16 bytes; IPv4 is held as the IPv4-mapped
 * form ::ffff:a.b.c.d. Times are nanoseconds since the Unix epoch, UTC.
 *
 * Everything here may be called from any thread; only et_area_ready keeps state, the thread's own.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ET_CACHE_LINE 64
#define ET_NS_PER_S   INT64_C(1000000000)
#define ET_NS_PER_US  INT64_C(1000)
#define ET_NS_PER_MIN (60 * ET_NS_PER_S)

#define et_likely(x)   __builtin_expect(!!(x), 1)
#define et_unlikely(x) __builtin_expect(!!(x), 0)

/* What a parser says of the bytes it was given. */
enum et_parse {
	ET_PARSE_OK,   /* understood, results are filled */
	ET_PARSE_MORE, /* a correct beginning; ask again with more bytes */
	ET_PARSE_BAD,  /* cannot be what the parser reads */
};

/* Who sent the bytes. Also the index of every two-element array named for the directions. */
enum et_dir {
	ET_CLIENT = 0, /* the side that opened the connection */
	ET_SERVER = 1,
};

static inline enum et_dir et_dir_other(enum et_dir dir)
{
	return (enum et_dir)(1 - (int)dir);
}

struct et_view {
	const uint8_t *p;
	size_t n;
};

struct et_addr {
	uint8_t b[16];
};

/* Room for the longest text of an address: "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255". */
#define ET_ADDR_TEXT 46

bool et_addr_is_v4(const struct et_addr *addr);
struct et_addr et_addr_v4(const uint8_t b[4]);
/*
 * The same as two stores of eight bytes: the halves are what is loaded next, and a load that spans
 * two stores just made waits until both have left the store buffer.
 */
static inline void et_addr_put_v4(struct et_addr *addr, const uint8_t b[4])
{
	uint64_t low;
	uint32_t v4;

	memcpy(&v4, b, sizeof(v4));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	low = (uint64_t)v4 << 32 | 0xffff0000;
#else
	low = UINT64_C(0xffff) << 32 | v4;
#endif
	memset(addr->b, 0, 8);
	memcpy(addr->b + 8, &low, sizeof(low));
}
/* Canonical text: dotted quad for IPv4, RFC 5952 for IPv6. */
void et_addr_text(char out[static ET_ADDR_TEXT], const struct et_addr *addr);
/* Order of addresses: IPv4 before IPv6, then by bytes. Negative, 0 or positive as memcmp. */
int et_addr_cmp(const struct et_addr *a, const struct et_addr *b);

/*
 * Times. The text forms are RFC 3339 in UTC; years outside 0000..9999 are clamped.
 * et_time_us: "2026-11-22T10:31:07.123456Z"; et_time_s: "2026-11-22T10:31:07Z".
 */
#define ET_TIME_TEXT 32
void et_time_us(char out[static ET_TIME_TEXT], int64_t ts_ns);
void et_time_s(char out[static ET_TIME_TEXT], int64_t ts_ns);
/* The start of the UTC minute that holds ts_ns; also right for times before 1970. */
int64_t et_time_minute(int64_t ts_ns);

/* Lower-case hex of n bytes; out takes 2n + 1. */
void et_hex(char *out, const uint8_t *p, size_t n);

/*
 * Text from the wire made safe: valid UTF-8 stays as it is, except that control bytes, backslash
 * and every byte that is not part of a well-formed sequence (RFC 3629) become \xNN. Always ends
 * with NUL; cut to what fits in cap, never within an escape or a sequence. Returns strlen(out).
 */
size_t et_text_safe(char *out, size_t cap, struct et_view in);

/*
 * An *area* is zeroed memory of fixed size, in huge pages where the system has them. It is taken
 * from the system as it is touched; a thread that has called et_area_ready(true) gets its areas
 * with all their pages at once, on its own NUMA node, so that nothing faults later. NULL when
 * memory is short. The caller remembers the size.
 */
void *et_area_new(size_t bytes);
void et_area_free(void *area, size_t bytes); /* NULL is allowed */
void et_area_ready(bool ready);

/*
 * The folder of data files that a program reads: what the environment variable says; else where
 * they were installed; else, for a program that runs where it was built, the folder `in_build` of
 * the build. It need not exist. A longer path is cut.
 */
#define ET_DATA_FOLDER 1024
void et_data_folder(char out[static ET_DATA_FOLDER], const char *variable, const char *installed,
	const char *in_build);

/* A fast hash of bytes for tables; not for fingerprints, not against an attacker who knows seed. */
uint64_t et_hash(const void *p, size_t n, uint64_t seed);

#endif
