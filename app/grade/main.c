/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap grade: servers and clients judged by what they were seen to negotiate, by a policy that is
 * a file.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum { OPT_POLICY = ANSWER_OWN, OPT_CLIENTS, OPT_PREDICATES };

struct own {
	const char *policy;
	bool clients;
};

static const struct option own_options[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "clients", no_argument, NULL, OPT_CLIENTS },
	{ "predicates", no_argument, NULL, OPT_PREDICATES },
	{ NULL, 0, NULL, 0 },
};

static void print_predicates(void)
{
	puts("Of servers, for the sections [mta], [msa] and [mda]:");
	for (const struct et_grade_predicate *p = et_grade_predicates; p->id; p++) {
		if (p->of_client && !p[-1].of_client)
			puts("\nOf clients, for the section [client]:");
		printf("  %-32s  %s\n", p->id, p->title);
	}
}

static bool take(void *ctx, int opt, const char *arg)
{
	struct own *own = ctx;

	switch (opt) {
	case OPT_POLICY: own->policy = arg; return true;
	case OPT_CLIENTS: own->clients = true; return true;
	case OPT_PREDICATES:
		print_predicates();
		exit(fflush(stdout) == 0 ? 0 : 2); /* as --help does, with no path given */
	default: return false;
	}
}

static int print(const struct answer_options *options, const struct et_archive *archive,
	const struct et_grade_policy *policy, bool clients)
{
	struct answer answer = {
		.options = options, .archive = archive, .policy = policy, .with_clients = clients
	};
	int rc;

	et_archive_totals(&answer.totals, archive);
	rc = answer_rank(&answer);
	errno = 0;
	if (rc == 0)
		rc = options->json ? print_json(&answer, stdout) : print_text(&answer, stdout);
	answer_free(&answer);
	if (rc == 0)
		return 0;
	fprintf(stderr, "%s: cannot print the answer: %s\n", options->program,
		strerror(rc == -EIO && errno ? errno : -rc));
	return 2;
}

int main(int argc, char **argv)
{
	struct own own = { .policy = "default" };
	const struct answer_program program = {
		.name = "grade",
		.synopsis = "[OPTION]... PATH...",
		.does = "How good is the TLS of each server, by what it was seen to negotiate.",
		.options =
			"      --policy NAME     rules: default, strict, internetnl, "
			"bsi-tr-03108, or a file\n"
			"                        by a path with a slash in it (default: default)\n"
			"      --clients         weaknesses of each client too\n"
			"      --predicates      print what a policy can have rules for\n",
		.examples =
			"  ehlotap grade /var/lib/ehlotap\n"
			"  ehlotap grade --server 192.0.2.0/24 --policy strict /var/lib/ehlotap\n"
			"  ehlotap grade --clients --peer .example.org mx.pcap\n",
		.own = own_options,
		.take = take,
		.ctx = &own,
	};
	static struct et_grade_policy policy; /* too large for some stacks */
	char error[ET_GRADE_ERROR];
	struct answer_options options;
	struct et_archive *archive;
	int code = answer_options_read(&options, argc, argv, &program), printed;

	if (code >= 0)
		return code;
	if (et_grade_policy_load(&policy, error, et_grade_folder(), own.policy) != 0) {
		fprintf(stderr, "%s: %s\nTry: %s --help\n", options.program, error,
			options.program);
		return 2;
	}
	code = answer_load(&archive, &options);
	if (archive) {
		printed = print(&options, archive, &policy, own.clients);
		code = printed > code ? printed : code;
		et_archive_free(archive);
	}
	return code;
}
