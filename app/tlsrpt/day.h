/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAY_H
#define DAY_H

/*
 * The sessions of one day, by policy domain: what the reports of that day say.
 *
 * Each session of service smtp whose direction is asked for counts once in its domain: as a success,
 * as a failure in one of the details, as undecided, or as not tried. One thread.
 */

#include "answer_inputs.h"
#include "domain.h"
#include "verdict.h"

enum day_direction {
	DAY_DEFAULT, /* what goes out, and what is not known to go anywhere else */
	DAY_OUT,
	DAY_IN,
	DAY_ALL,
};

struct day_how {
	const struct answer_options *options; /* --peer, --server */
	enum day_direction direction;
	const struct domain_rule *rules;
	size_t rules_cnt;
};

struct day_detail {
	enum verdict verdict; /* a failure */
	const char *code;     /* NULL: not known. Of the archive. */
	const struct et_archive_pair *pair;
	const char *host;  /* the server's name for itself; NULL: it gave none. Of the archive. */
	uint64_t sessions; /* > 0 */
};

struct day_domain {
	char name[DOMAIN_TEXT];
	uint64_t success, failed, undecided, not_tried;
	struct day_detail *details; /* by server, client, verdict, code; their sum is `failed` */
	size_t details_cnt;
};

struct day {
	struct day_domain *domains; /* by name */
	size_t domains_cnt;
	uint64_t elsewhere; /* sessions of service smtp in a direction that is not asked for */
	/* private */
	struct day_detail *details;
	size_t cnt, cap;
};

/* Free it with day_free, before the archive. 0 or -ENOMEM. */
int day_make(struct day *day, const struct et_archive *archive, const struct day_how *how);
void day_free(struct day *day);

/* The name that the receiving server gave itself, else its address literal. */
void day_host(char out[static DOMAIN_TEXT], const struct day_detail *detail);

#endif
