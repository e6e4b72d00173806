/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRINT_H
#define PRINT_H

#include "answer_inputs.h"
#include "et_grade.h"

/* A host and what it is put in order by: judged again when it is printed. */
struct ranked {
	const struct et_archive_host *host;
	uint64_t sessions;
	enum et_grade_severity worst;
	char grade;
};

struct answer {
	const struct answer_options *options;
	const struct et_archive *archive;
	const struct et_grade_policy *policy;
	struct et_archive_totals totals;
	struct ranked *servers, *clients; /* the worst first; no clients unless asked for */
	size_t servers_cnt, clients_cnt;
	size_t without_role; /* servers of services that nobody knows */
	bool with_clients;
	struct et_grade *grade; /* for the host under way */
};

/* Judges and orders all hosts that are asked for. 0 or -ENOMEM; answer_free in any case. */
int answer_rank(struct answer *answer);
void answer_free(struct answer *answer);
/* Fills answer->grade. */
void answer_judge(struct answer *answer, const struct ranked *ranked, bool of_client);

/* 0, -ENOMEM or -EIO. */
int print_text(struct answer *answer, FILE *out);
int print_json(struct answer *answer, FILE *out);

#endif
