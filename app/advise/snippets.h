/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SNIPPETS_H
#define SNIPPETS_H

#include "plan.h"

/* Configuration files' lines for a plan. Programs are those that can play the site's role. */
struct snippet {
	const char *program, *file; /* "postfix", "main.cf" */
	char text[4096];
};
#define SNIPPETS_MAX 4
size_t snippets_make(struct snippet out[static SNIPPETS_MAX], const struct plan_site *site);

/* Names with colons between: what a configuration has. "" if it does not matter. */
#define SNIPPET_LIST 3072
void snippet_ciphers(char out[static SNIPPET_LIST], const struct et_nego_config *config);
void snippet_suites13(char out[static SNIPPET_LIST], const struct et_nego_config *config);
void snippet_groups(char out[static SNIPPET_LIST], const struct et_nego_config *config);
/* All of a configuration as GnuTLS has it. */
void snippet_priority(char out[static SNIPPET_LIST], const struct et_nego_config *config);
void snippet_sigalgs(char out[static SNIPPET_LIST], const struct et_nego_config *config);

#endif
