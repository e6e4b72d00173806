/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap explain: for each pair of peers that failed, why, by what evidence, and what to change.
 */

#include "explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { OPT_CAUSE = ANSWER_OWN, OPT_PRODUCT, OPT_CATALOGUE };

/* What its own options say. */
struct own {
	const char *cause, *product;
	bool catalogue;
};

static const struct option own_options[] = {
	{ "cause", required_argument, NULL, OPT_CAUSE },
	{ "product", required_argument, NULL, OPT_PRODUCT },
	{ "catalogue", no_argument, NULL, OPT_CATALOGUE },
	{ NULL, 0, NULL, 0 },
};

static bool is_product(const char *name)
{
	const struct answer any = { .product = name };

	for (size_t i = 0; i < explanations_cnt; i++)
		for (size_t j = 0; j < explanations[i].cnt; j++)
			if (explanations[i].remedies[j].product &&
				wants_product(&any, &explanations[i].remedies[j]))
				return true;
	return false;
}

static bool take(void *ctx, int opt, const char *arg)
{
	struct own *own = ctx;

	switch (opt) {
	case OPT_CAUSE: own->cause = arg; return true;
	case OPT_CATALOGUE: own->catalogue = true; return true;
	default: break;
	}
	own->product = arg;
	if (is_product(arg))
		return true;
	fprintf(stderr,
		"ehlotap explain: --product takes postfix, exim, dovecot, cyrus, ciscoesa, "
		"ciscoasa "
		"or exchange, not \"%s\"\n",
		arg);
	return false;
}

static int print(const struct answer_options *options, const struct et_archive *archive,
	const struct own *own)
{
	struct findings findings;
	struct answer answer = { .options = options,
		.archive = archive,
		.findings = &findings,
		.memo = cures_memo_new(),
		.product = own->product };
	int rc = findings_collect(&findings, archive, options, own->cause);

	et_archive_totals(&answer.totals, archive);
	if (!answer.memo)
		rc = -ENOMEM;
	errno = 0;
	if (rc == 0)
		rc = options->json ? print_json(&answer, stdout) : print_text(&answer, stdout);
	findings_free(&findings);
	cures_memo_free(answer.memo);
	if (rc == 0)
		return 0;
	fprintf(stderr, "%s: cannot print the answer: %s\n", options->program,
		strerror(rc == -EIO && errno ? errno : -rc));
	return 2;
}

/* --catalogue needs no PATH, which all other uses do. */
static int catalogue(int argc, char **argv)
{
	struct answer_options options = { .colour = -1 };
	struct answer answer = { .options = &options };
	bool json = false, asked = false;

	for (int i = 1; i < argc; i++) {
		asked |= strcmp(argv[i], "--catalogue") == 0;
		json |= strcmp(argv[i], "--json") == 0;
	}
	if (!asked)
		return -1;
	return (json ? print_catalogue_json(stdout) : print_catalogue_text(&answer, stdout)) ? 2
											     : 0;
}

int main(int argc, char **argv)
{
	struct own own = { 0 };
	const struct answer_program program = {
		.name = "explain",
		.synopsis = "[OPTION]... PATH...\n       ehlotap explain --catalogue [--json]",
		.does = "Why peers did not come to TLS, by what evidence, and what to change on "
			"which "
			"side.",
		.options = "      --cause PREFIX    only causes that begin so: no_shared_cipher, "
			   "lost\n"
			   "      --product NAME    settings of this product only: postfix, exim, "
			   "dovecot,\n"
			   "                        cyrus, ciscoesa, ciscoasa, exchange\n"
			   "      --catalogue       all causes, with what to do about each, and "
			   "nothing "
			   "else\n",
		.examples = "  ehlotap explain /var/lib/ehlotap\n"
			    "  ehlotap explain --peer .example.org --product postfix mx.pcap\n"
			    "  ehlotap explain --cause no_shared_cipher --json /var/lib/ehlotap\n",
		.own = own_options,
		.take = take,
		.ctx = &own,
	};
	struct answer_options options;
	struct et_archive *archive;
	int code = catalogue(argc, argv), printed;

	if (code >= 0)
		return code;
	code = answer_options_read(&options, argc, argv, &program);
	if (code >= 0)
		return code;
	code = answer_load(&archive, &options);
	if (archive) {
		printed = print(&options, archive, &own);
		code = printed > code ? printed : code;
		et_archive_free(archive);
	}
	return code;
}
