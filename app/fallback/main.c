/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap fallback: what clients did after TLS had failed: who went on in clear and how long after,
 * who got TLS at last, who never came back.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "print.h"

static const struct answer_program program = {
	.name = "fallback",
	.synopsis = "[OPTION]... PATH...",
	.does = "Who falls back to clear after failed TLS, how long after, and what never came "
		"back.",
	.examples = "  ehlotap fallback /var/lib/ehlotap\n"
		    "  ehlotap fallback --since 2026-11-22 --peer .example.org /var/lib/ehlotap\n"
		    "  ehlotap fallback --gateway 192.0.2.0/24 --json mx.pcap\n",
};

static bool wants(const void *options, const struct et_archive_pair *pair)
{
	return answer_wants(options, pair);
}

static void tell_losses(const struct answer_options *options, const struct tales *tales)
{
	if (options->quiet)
		return;
	if (tales->damaged > 0)
		fprintf(stderr, "%s: %llu fallback rows say what cannot be and were left out\n",
			options->program, (unsigned long long)tales->damaged);
	if (tales->refused > 0)
		fprintf(stderr,
			"%s: %llu fallback rows found no room and were left out; ask for less "
			"with --since and --until\n",
			options->program, (unsigned long long)tales->refused);
}

static int print(
	const struct answer_options *options, const struct et_archive *archive, struct tales *tales)
{
	struct answer answer = { .options = options, .archive = archive, .tales = tales };
	int rc = tales_finish(tales, archive, wants, options);

	tell_losses(options, tales);
	et_archive_totals(&answer.totals, archive);
	answer.until_ns = answer.totals.last_ns + ET_NS_PER_MIN;
	errno = 0;
	if (rc == 0)
		rc = options->json ? print_json(&answer, stdout) : print_text(&answer, stdout);
	if (rc == 0)
		return tales->damaged || tales->refused ? 1 : 0;
	fprintf(stderr, "%s: cannot print the answer: %s\n", options->program,
		strerror(rc == -EIO && errno ? errno : -rc));
	return 2;
}

int main(int argc, char **argv)
{
	struct answer_options options;
	struct et_archive *archive;
	struct tales tales;
	int code = answer_options_read(&options, argc, argv, &program), printed;

	if (code >= 0)
		return code;
	if (tales_init(&tales) != 0) {
		fprintf(stderr, "%s: not enough memory\n", options.program);
		return 2;
	}
	code = answer_load_rows(
		&archive, &options, &(struct answer_rows){ .take = tales_take, .ctx = &tales });
	if (archive) {
		printed = print(&options, archive, &tales);
		code = printed > code ? printed : code;
		et_archive_free(archive);
	}
	tales_free(&tales);
	return code;
}
