/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_WIRE_H
#define ET_WIRE_H

/*
 * wire: one bounds-checked cursor, used by every parser.
 *
 * A cursor that is asked for more than it has turns bad: it stays bad, has no bytes left, and all
 * further reads give zero. So a parser reads its fields in wire order and checks et_ok() once,
 * before it decides. A length prefix yields a child cursor (et_block), never an offset.
 *
 * The cursor borrows its bytes; nothing here copies or allocates. Any thread.
 */

#include "et_base.h"

struct et_cur {
	const uint8_t *p;
	size_t n; /* bytes left */
	bool bad;
};

static inline struct et_cur et_cur(const void *p, size_t n)
{
	return (struct et_cur){ .p = (const uint8_t *)p, .n = n };
}

static inline struct et_cur et_cur_view(struct et_view view)
{
	return et_cur(view.p, view.n);
}

static inline struct et_view et_view_cur(struct et_cur cur)
{
	return (struct et_view){ .p = cur.p, .n = cur.n };
}

static inline bool et_ok(const struct et_cur *cur)
{
	return !cur->bad;
}

/* The next n bytes as a view, and the cursor behind them. Empty and bad if they are not there. */
static inline struct et_view et_take(struct et_cur *cur, size_t n)
{
	struct et_view view = { .p = cur->p, .n = n };

	if (et_unlikely(n > cur->n)) {
		*cur = (struct et_cur){ .p = cur->p, .n = 0, .bad = true };
		view.n = 0;
		return view;
	}
	cur->p += n;
	cur->n -= n;
	return view;
}

/* Unsigned integer of n = 1..8 bytes in network byte order; 0 if the bytes are not there. */
static inline uint64_t et_be(struct et_cur *cur, size_t n)
{
	struct et_view view = et_take(cur, n);
	uint64_t value = 0;

	for (size_t i = 0; i < view.n; i++)
		value = value << 8 | view.p[i];
	return value;
}

static inline uint8_t et_u8(struct et_cur *cur)
{
	return (uint8_t)et_be(cur, 1);
}

static inline uint16_t et_u16(struct et_cur *cur)
{
	return (uint16_t)et_be(cur, 2);
}

/* A vector with a length prefix of len_bytes bytes (RFC 8446 3.4), as a child cursor. */
static inline struct et_cur et_block(struct et_cur *cur, size_t len_bytes)
{
	size_t n = (size_t)et_be(cur, len_bytes);
	struct et_view view = et_take(cur, n);

	return (struct et_cur){ .p = view.p, .n = view.n, .bad = cur->bad };
}

#endif
