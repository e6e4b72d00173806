/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PATTERNS_H
#define PATTERNS_H

#include <stdint.h>

/* The pattern table. Private to match. */
struct pattern {
	const char *regex;
	uint32_t hit;   /* enum et_match_hit */
	unsigned flags; /* HS_FLAG_* beyond those that all have */
	int at_begin;   /* holds only for the first bytes of a direction */
};

extern const struct pattern patterns[];
extern const unsigned patterns_cnt;

#endif
