/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REMEDIES_H
#define REMEDIES_H

/*
 * What each cause means and what to change: the table that is made of remedies.ini at build time.
 * Static and const.
 */

#include <stddef.h>

struct remedy {
	const char *side;    /* "server", "client", "path" */
	const char *product; /* "Postfix"; NULL: whatever it is, then text is prose */
	const char *text;    /* of a product: settings, a line each */
};

struct explanation {
	const char *code;
	const char *means; /* with {names}: see remedies.ini */
	const struct remedy *remedies;
	size_t cnt;
};

/* By code. */
extern const struct explanation explanations[];
extern const size_t explanations_cnt;

/*
 * That of a cause code, or of the nearest code above it: "lost/timeout/after_x" may be told by
 * "lost/timeout". A part in the middle may be left out of the table: "lost/reset_by_client/
 * after_starttls" is told by "lost/after_starttls", "starttls_refused/502/garbled" by
 * "starttls_refused/garbled". NULL if there is none.
 */
const struct explanation *explanation_of(const char *code);

#endif
