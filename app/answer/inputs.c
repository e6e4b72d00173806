/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer_inputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"

/* What a path is. */
enum kind {
	KIND_MINUTES,
	KIND_FOLDER,
	KIND_CAPTURE,
	KIND_MAX,
};

struct input {
	enum kind kind;
	const char *path, *base;
};

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* A minute file goes by any name if it is plain: no capture begins as a JSON object does. */
static bool begins_as_object(const char *path)
{
	FILE *in = fopen(path, "re");
	int c = in ? getc(in) : EOF;

	if (in)
		fclose(in);
	return c == '{';
}

static enum kind kind_of(const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return KIND_CAPTURE;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return KIND_FOLDER;
	if (ends_in(path, ".jsonl") || ends_in(path, ".jsonl.zst"))
		return KIND_MINUTES;
	/* not a pipe: what is taken out of it would be missing */
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && begins_as_object(path) ? KIND_MINUTES
										     : KIND_CAPTURE;
}

/* One order whatever was given first: of two files of one minute the same one counts. */
static int compare(const void *a, const void *b)
{
	const struct input *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = strcmp(x->base, y->base);
	return order ? order : strcmp(x->path, y->path);
}

static struct input *sort_inputs(const struct answer_options *options)
{
	struct input *inputs = calloc(options->paths_cnt + 1, sizeof(*inputs));

	for (size_t i = 0; inputs && i < options->paths_cnt; i++) {
		const char *path = options->paths[i], *slash = strrchr(path, '/');

		inputs[i] = (struct input){ kind_of(path), path, slash ? slash + 1 : path };
	}
	if (inputs)
		qsort(inputs, options->paths_cnt, sizeof(*inputs), compare);
	return inputs;
}

/* All captures in one reading: a connection may begin in one and end in the next. */
static int load_captures(struct et_archive *archive, const struct answer_options *options,
	const struct input *inputs)
{
	const char **paths = calloc(options->paths_cnt + 1, sizeof(*paths));
	size_t cnt = 0;
	int rc = 0;

	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < options->paths_cnt; i++)
		if (inputs[i].kind == KIND_CAPTURE)
			paths[cnt++] = inputs[i].path;
	if (cnt > 0)
		rc = capture_load(archive, options, paths, cnt);
	free(paths);
	return rc;
}

/* 0, 1 if something is damaged or not readable, -ENOMEM. */
static int load_all(struct et_archive *archive, const struct answer_options *options,
	const struct input *inputs)
{
	int worst = 0, rc = 0;

	for (size_t i = 0; i < options->paths_cnt && rc != -ENOMEM; i++) {
		if (inputs[i].kind == KIND_CAPTURE)
			continue;
		rc = inputs[i].kind == KIND_FOLDER ? et_archive_add_folder(archive, inputs[i].path)
						   : et_archive_add_file(archive, inputs[i].path);
		worst |= rc != 0;
	}
	if (rc != -ENOMEM)
		rc = load_captures(archive, options, inputs);
	return rc == -ENOMEM ? rc : worst || rc != 0;
}

/* What the archive calls back to. */
struct listener {
	const struct answer_options *options;
	const struct answer_rows *rows;
};

static void on_warning(void *ctx, const char *sentence)
{
	const struct answer_options *options = ((const struct listener *)ctx)->options;

	if (!options->quiet)
		fprintf(stderr, "%s: %s\n", options->program, sentence);
}

static void on_row(void *ctx, const char *type, const char *sensor, int64_t minute_ns,
	const struct json_t *row)
{
	const struct answer_rows *rows = ((const struct listener *)ctx)->rows;

	rows->take(rows->ctx, type, sensor, minute_ns, row);
}

static int nothing_read(
	const struct answer_options *options, const struct et_archive_totals *totals)
{
	if (totals->outside > 0)
		fprintf(stderr,
			"%s: of the %llu minutes that were read none is within --since, --until "
			"and "
			"--sensor\n",
			options->program, (unsigned long long)totals->outside);
	else
		fprintf(stderr, "%s: there is nothing to answer from: no minute could be read\n",
			options->program);
	return 2;
}

int answer_load_rows(struct et_archive **archive, const struct answer_options *options,
	const struct answer_rows *rows)
{
	struct listener listener = { options, rows };
	struct et_archive_options how = { .since_ns = options->since_ns,
		.until_ns = options->until_ns,
		.sensor = options->sensor,
		.warn = on_warning,
		.other = rows ? on_row : NULL,
		.ctx = &listener };
	struct input *inputs = sort_inputs(options);
	struct et_archive_totals totals = { 0 };
	int rc = -ENOMEM;

	*archive = inputs ? et_archive_new(&how) : NULL;
	if (*archive)
		rc = load_all(*archive, options, inputs);
	if (rc >= 0 && et_archive_finish(*archive) != 0)
		rc = -ENOMEM;
	free(inputs);
	if (rc == -ENOMEM)
		fprintf(stderr, "%s: not enough memory for all that is to be read\n",
			options->program);
	else
		et_archive_totals(&totals, *archive);
	if (rc >= 0 && totals.minutes == 0)
		rc = nothing_read(options, &totals);
	if (rc >= 0 && rc < 2)
		return rc;
	et_archive_free(*archive);
	*archive = NULL;
	return 2;
}

int answer_load(struct et_archive **archive, const struct answer_options *options)
{
	return answer_load_rows(archive, options, NULL);
}
