/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ROWS_H
#define ROWS_H

#include "et_mail.h"

#define ROW_SAYS 32

/* What is particular about a row; all else is fed in every way there is. */
enum {
	ROW_SEGMENTS = 1, /* what counts is which bytes came in one segment */
	ROW_ORDER = 2,    /* what counts is that one side was fed before the other */
};

/* A dialogue and what must be known after it. */
struct row {
	const char *name;
	enum et_mail_proto proto;
	unsigned how;
	/* 'C' or 'S' and the bytes of one segment; 'c' or 's' and the length of a gap. */
	const char *say[ROW_SAYS];
	struct et_mail_facts facts; /* but for lines and names */
	const char *client_name, *server_name;
	enum et_mail_proto proto_after; /* if it changes */
};

extern const struct row smtp_rows[], other_rows[];
extern const size_t smtp_rows_cnt, other_rows_cnt;

#endif
