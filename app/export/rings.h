/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RINGS_H
#define RINGS_H

/* The rings of one sensor that are attached, in the order of et_ring_list. */

#include "intake.h"

struct complaint;

struct rings {
	struct intake **v;
	size_t cnt, cap;
	struct complaint *complaints; /* rings that cannot be attached, each told once */
	size_t complaints_cnt;
	bool damaged;
};

/* Attaches those that are new. 0, or -ENOMEM. */
int rings_attach(struct rings *rings, struct et_books *books, const char *sensor);
/* Lets go of rings[i]; unlinks it if told so. */
void rings_drop(struct rings *rings, size_t i, bool unlink);
void rings_free(struct rings *rings);

#endif
