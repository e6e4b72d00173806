/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PLAN_H
#define PLAN_H

/*
 * The search of advise. A *site* is one server address in one role. Every candidate, that is every
 * step of the role's ladder with every set of certificates, is held against all hellos that the
 * site got; the strictest step that loses no more than is allowed wins, with the smallest set.
 *
 * A hello that no candidate serves speaks against none of them: it is listed apart.
 */

#include "answer_inputs.h"
#include "et_advice.h"

enum plan_role { ROLE_MTA, ROLE_MSA, ROLE_MDA, ROLE_MAX };
const char *plan_role_name(enum plan_role role); /* "mta", "msa", "mda" */

/* The ladder, strict steps first. */
struct plan_step {
	const char *preset;
	const char *min_version; /* NULL: the preset's */
	const char *summary;
	uint8_t roles; /* set of 1 << enum plan_role */
};
#define PLAN_STEPS 10
extern const struct plan_step plan_steps[PLAN_STEPS];

/* Sessions of one pair with one hello. */
struct plan_use {
	const struct et_archive_pair *pair;
	uint64_t sessions;
	uint32_t hello; /* of site.hellos */
};
struct plan_hello {
	const struct et_archive_hello *hello;
	bool readable, served; /* by any candidate */
};
struct plan_loss {
	uint64_t peers, sessions;
};

struct plan_site {
	struct et_addr addr;
	enum plan_role role;
	const char *name;                     /* NULL: none was given */
	uint32_t services;                    /* set of 1 << enum et_service */
	uint64_t peers, sessions, not_judged; /* sessions without a hello that can be read */
	struct plan_use *uses;                /* by pair */
	struct plan_hello *hellos;            /* by id */
	size_t uses_cnt, hellos_cnt;
	struct et_advice_belief belief;
	struct plan_loss now; /* by the belief, of those that can be served */
	struct plan_loss unserved;
	bool used[PLAN_STEPS]; /* steps of this role */
	struct plan_loss loss[PLAN_STEPS][ET_ADVICE_SETS];
	int best[PLAN_STEPS];         /* set that loses least */
	int step, set;                /* the answer */
	bool within;                  /* it loses no more than is allowed */
	struct et_nego_config config; /* of the answer */
	uint8_t *refused;             /* [step][set][hello] */
};

/* What may be lost: so many, or this share, of peers or of sessions. */
struct plan_limit {
	bool of_sessions, percent;
	double value;
};

/* All that is the same for every site: the candidates, finished. Large: not for the stack. */
struct plan_candidates {
	struct et_advice_bases bases;
	struct et_nego_config configs[PLAN_STEPS][ET_ADVICE_SETS];
};
/* 0, -ENOMEM, or -ENOENT or -EINVAL with a sentence in `error`. */
int plan_candidates(struct plan_candidates *out, char error[static ET_NEGO_ERROR]);

/*
 * Plans a site of hosts (pointers, all of one address and role). 0, or an error with a sentence in
 * `error` (-ENOMEM: without). plan_free in either case.
 */
int plan_make(struct plan_site *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct answer_options *options,
	const struct et_archive_host *const *hosts, size_t cnt, enum plan_role role,
	const struct plan_limit *limit, const struct plan_candidates *candidates);
void plan_free(struct plan_site *site);

/* Whether a candidate refuses a hello, of those that some candidate serves. */
bool plan_loses(const struct plan_site *site, int step, int set, uint32_t hello);
bool plan_role_of(enum plan_role *out, enum et_service service);

#endif
