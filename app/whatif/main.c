/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap whatif: which peers would lose TLS, gain it, or get another version or suite, if the
 * servers that were seen were configured otherwise.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "print.h"

#define SETTINGS_MAX 64

/* What the user asks for. */
struct question {
	struct et_advice_setting settings[SETTINGS_MAX];
	size_t cnt;
	const char *names[ANSWER_OWN_MAX]; /* of the own options, by val - ANSWER_OWN */
};

static bool take(void *ctx, int opt, const char *arg)
{
	struct question *question = ctx;
	const char *name = question->names[opt - ANSWER_OWN];
	char error[ET_NEGO_ERROR] = "";
	struct et_nego_config config;
	int rc;

	if (question->cnt == SETTINGS_MAX) {
		fprintf(stderr, "ehlotap whatif: more than %d settings\n", SETTINGS_MAX);
		return false;
	}
	question->settings[question->cnt++] = (struct et_advice_setting){ name, arg };
	/* a mistake is told of before anything is read */
	rc = et_nego_init(&config);
	if (rc == 0)
		rc = strcmp(name, "preset") == 0
			     ? et_nego_preset(&config, error, et_nego_folder(), arg)
			     : et_nego_set(&config, error, name, arg);
	if (rc != 0)
		fprintf(stderr, "ehlotap whatif: --%s: %s\n", name, *error ? error : strerror(-rc));
	return rc == 0;
}

/* The options of the nego room, as options of this program. */
static void own_options(
	struct option out[static ANSWER_OWN_MAX], char *help, size_t cap, struct question *question)
{
	size_t cnt = 0, n;

	help[0] = '\0';
	question->names[cnt] = "preset";
	out[cnt] = (struct option){ "preset", required_argument, NULL, ANSWER_OWN };
	cnt++;
	snprintf(help, cap, "      %-17s %s\n", "--preset NAME",
		"a configuration that somebody recommends: mozilla-intermediate ...");
	for (const struct et_nego_option *o = et_nego_options; o->name && cnt < ANSWER_OWN_MAX - 1;
		o++, cnt++) {
		char left[64];

		question->names[cnt] = o->name;
		out[cnt] =
			(struct option){ o->name, required_argument, NULL, ANSWER_OWN + (int)cnt };
		n = strlen(help);
		snprintf(left, sizeof(left), "--%s %s", o->name, o->argument);
		snprintf(help + n, cap - n,
			strlen(left) > 17 ? "      %s\n%24s%s\n" : "      %-17s%s %s\n", left, "",
			o->help);
	}
	out[cnt] = (struct option){ 0 };
}

static bool anyone(const void *ctx, const struct et_archive_pair *pair)
{
	(void)ctx;
	return pair != NULL;
}

static int fail(const struct answer_options *options, int rc, const char *error)
{
	fprintf(stderr, "%s: %s\n", options->program, *error ? error : strerror(-rc));
	return 2;
}

static int print(const struct answer_options *options, const struct question *question,
	const struct et_archive *archive, struct tales *tales)
{
	struct study study;
	struct answer answer = { .options = options,
		.archive = archive,
		.study = &study,
		.settings = question->settings,
		.settings_cnt = question->cnt };
	char error[ET_NEGO_ERROR] = "";
	int rc = study_make(&study, error, archive, options, question->settings, question->cnt);

	et_archive_totals(&answer.totals, archive);
	rc = rc ? rc : tales_finish(tales, archive, anyone, NULL);
	rc = rc ? rc : study_habits(&study, tales);
	errno = 0;
	if (rc == 0)
		rc = options->json ? print_json(&answer, stdout) : print_text(&answer, stdout);
	if (rc == -EIO && errno)
		rc = -errno;
	if (rc == 0)
		rc = study.pairs_cnt == 0 && !options->quiet
			     ? (fprintf(stderr, "%s: no server of this kind was seen\n",
					options->program),
				       0)
			     : 0;
	else
		rc = fail(options, rc, error);
	study_free(&study);
	return rc;
}

int main(int argc, char **argv)
{
	static struct question question;
	static struct option own[ANSWER_OWN_MAX];
	static char help[4096];
	const struct answer_program program = {
		.name = "whatif",
		.synopsis = "[SETTING]... [OPTION]... PATH...",
		.does = "Who would lose TLS, gain it or get another suite, if the servers had "
			"other "
			"settings.",
		.options = help,
		.own = own,
		.take = take,
		.ctx = &question,
		.examples = "  ehlotap whatif --min-version TLSv1.2 /var/lib/ehlotap\n"
			    "  ehlotap whatif --cert rsa:2048,ecdsa:P-384 --server mx.example.net "
			    "mx.pcap\n"
			    "  ehlotap whatif --preset mozilla-intermediate --service submission "
			    "--json DIR\n",
	};
	struct answer_options options;
	struct et_archive *archive;
	struct tales tales;
	int code, printed;

	own_options(own, help, sizeof(help), &question);
	code = answer_options_read(&options, argc, argv, &program);
	if (code >= 0)
		return code;
	if (tales_init(&tales) != 0) {
		fprintf(stderr, "%s: not enough memory\n", options.program);
		return 2;
	}
	code = answer_load_rows(
		&archive, &options, &(struct answer_rows){ .take = tales_take, .ctx = &tales });
	if (archive) {
		printed = print(&options, &question, archive, &tales);
		code = printed > code ? printed : code;
		et_archive_free(archive);
	}
	tales_free(&tales);
	return code;
}
