/* SPDX-License-Identifier: BSD-3-Clause */
#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define STAMP "-20261122T1031Z"

static size_t ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0 ? n - m : 0;
}

int64_t inputs_day_of_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *rest;
	size_t n = ends_in(name, ".jsonl"), stamp = sizeof(STAMP) - 1;
	struct tm tm = { 0 };
	char text[sizeof(STAMP)];

	if (n == 0)
		n = ends_in(name, ".jsonl.zst");
	if (n <= stamp)
		return INT64_MIN;
	memcpy(text, name + n - stamp, stamp);
	text[stamp] = '\0';
	for (size_t i = 0; i < stamp; i++)
		if (STAMP[i] >= '0' && STAMP[i] <= '9' ? text[i] < '0' || text[i] > '9'
						       : text[i] != STAMP[i])
			return INT64_MIN;
	rest = strptime(text, "-%Y%m%dT%H%MZ", &tm);
	if (!rest || *rest || tm.tm_year < 70 || tm.tm_year > 299)
		return INT64_MIN;
	return (int64_t)timegm(&tm) / 86400 * INPUTS_DAY_NS;
}

/* Takes path over. */
static int add_file(struct inputs *inputs, char *path)
{
	size_t cap = inputs->cap ? 2 * inputs->cap : 256;
	struct inputs_file *files;

	if (path && inputs->cnt == inputs->cap) {
		files = reallocarray(inputs->files, cap, sizeof(*files));
		if (files) {
			inputs->files = files;
			inputs->cap = cap;
		}
	}
	if (!path || inputs->cnt == inputs->cap) {
		free(path);
		return -ENOMEM;
	}
	inputs->files[inputs->cnt++] = (struct inputs_file){ path, inputs_day_of_name(path) };
	return 0;
}

static int is_minute_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_in(entry->d_name, ".jsonl") || ends_in(entry->d_name, ".jsonl.zst"));
}

static int add_path(struct inputs *inputs, const char *path)
{
	struct dirent **entries = NULL;
	struct stat st;
	int cnt = -1, rc = 0;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		cnt = scandir(path, &entries, is_minute_file, alphasort);
	if (cnt <= 0) {
		free(entries);
		/* an empty folder too: who reads it tells what is wrong with it */
		return add_file(inputs, strdup(path));
	}
	for (int i = 0; i < cnt; i++) {
		char *file = NULL;

		if (rc == 0 && asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			file = NULL;
		if (rc == 0)
			rc = add_file(inputs, file);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* Those whose day is not known first. Of each day, who reads them sorts them. */
static int by_day(const void *a, const void *b)
{
	const struct inputs_file *x = a, *y = b;

	if (x->day_ns != y->day_ns)
		return x->day_ns < y->day_ns ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The day, if any of it is asked for. */
static void add_day(struct inputs *inputs, int64_t day_ns)
{
	if (day_ns + INPUTS_DAY_NS > inputs->options->since_ns &&
		day_ns < inputs->options->until_ns)
		inputs->days[inputs->days_cnt++] = day_ns;
}

static void sort_days(struct inputs *inputs)
{
	size_t cnt = 0;

	qsort(inputs->days, inputs->days_cnt, sizeof(*inputs->days), by_time);
	for (size_t i = 0; i < inputs->days_cnt; i++)
		if (cnt == 0 || inputs->days[i] != inputs->days[cnt - 1])
			inputs->days[cnt++] = inputs->days[i];
	inputs->days_cnt = cnt;
}

/* Files [from, until) and those without a day, within a time. *code: as of answer_load. */
static struct et_archive *load(struct inputs *inputs, int *code, size_t from, size_t until,
	int64_t since_ns, int64_t until_ns, bool quiet)
{
	struct answer_options options = *inputs->options;
	const char **paths = calloc(inputs->unnamed + (until - from) + 1, sizeof(*paths));
	struct et_archive *archive;
	size_t cnt = 0;

	*code = 2;
	if (!paths)
		return NULL;
	for (size_t i = 0; i < inputs->unnamed; i++)
		paths[cnt++] = inputs->files[i].path;
	for (size_t i = from; i < until; i++)
		paths[cnt++] = inputs->files[i].path;
	options.paths = paths;
	options.paths_cnt = cnt;
	options.since_ns = since_ns;
	options.until_ns = until_ns;
	options.quiet = quiet;
	*code = answer_load(&archive, &options);
	free(paths);
	return archive;
}

/* Whether all that is to be read a second time can be. */
static bool is_lasting(const struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->unnamed; i++) {
		const char *path = inputs->files[i].path;
		struct stat st;

		if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode))) {
			fprintf(stderr,
				"%s: %s can be read only once, and there is more than one day: "
				"make "
				"minute files of it first, with \"ehlotap read --minutes DIR\"\n",
				inputs->options->program,
				strcmp(path, "-") == 0 ? "standard input" : path);
			return false;
		}
	}
	return true;
}

/* Reads what has no day in its name, to learn it. 0, 2 or -ENOMEM. */
static int learn_days(struct inputs *inputs)
{
	const struct answer_options *options = inputs->options;
	bool alone = inputs->unnamed == inputs->cnt;
	int code;
	/* if others are to be read with them, what is wrong with them is told then */
	struct et_archive *archive = load(inputs, &code, 0, 0, options->since_ns, options->until_ns,
		options->quiet || !alone);
	const struct et_archive_sensor *sensors;
	size_t cnt, minutes = 0;
	int64_t *days;

	inputs->code = code;
	if (!archive) {
		inputs->code = alone ? 2 : 1;
		return alone ? 2 : 0;
	}
	sensors = et_archive_sensors(archive, &cnt);
	for (size_t i = 0; i < cnt; i++)
		minutes += sensors[i].minutes_cnt;
	days = reallocarray(inputs->days, inputs->days_cnt + minutes + 1, sizeof(*days));
	if (!days) {
		et_archive_free(archive);
		return -ENOMEM;
	}
	inputs->days = days;
	for (size_t i = 0; i < cnt; i++)
		for (size_t j = 0; j < sensors[i].minutes_cnt; j++)
			add_day(inputs, sensors[i].minutes[j] / INPUTS_DAY_NS * INPUTS_DAY_NS);
	sort_days(inputs);
	if (alone && inputs->days_cnt == 1) {
		inputs->single = archive;
		return 0;
	}
	et_archive_free(archive);
	return is_lasting(inputs) ? 0 : 2;
}

static int find_days(struct inputs *inputs)
{
	int rc = 0;

	inputs->days = calloc(inputs->cnt + 1, sizeof(*inputs->days));
	if (!inputs->days)
		return -ENOMEM;
	qsort(inputs->files, inputs->cnt, sizeof(*inputs->files), by_day);
	while (inputs->unnamed < inputs->cnt && inputs->files[inputs->unnamed].day_ns == INT64_MIN)
		inputs->unnamed++;
	for (size_t i = inputs->unnamed; i < inputs->cnt; i++)
		add_day(inputs, inputs->files[i].day_ns);
	sort_days(inputs);
	if (inputs->unnamed > 0)
		rc = learn_days(inputs);
	if (rc == 0 && inputs->days_cnt == 0) {
		fprintf(stderr, "%s: no minute file is of a day within --since and --until\n",
			inputs->options->program);
		rc = 2;
	}
	return rc;
}

int inputs_open(struct inputs *inputs, const struct answer_options *options)
{
	int rc = 0;

	*inputs = (struct inputs){ .options = options };
	for (size_t i = 0; i < options->paths_cnt && rc == 0; i++)
		rc = add_path(inputs, options->paths[i]);
	if (rc == 0)
		rc = find_days(inputs);
	if (rc == -ENOMEM)
		fprintf(stderr, "%s: not enough memory\n", options->program);
	return rc;
}

void inputs_free(struct inputs *inputs)
{
	et_archive_free(inputs->single);
	for (size_t i = 0; i < inputs->cnt; i++)
		free(inputs->files[i].path);
	free(inputs->files);
	free(inputs->days);
	*inputs = (struct inputs){ 0 };
}

/* A file that was renamed is read with the wrong day, and left out of its own. */
static void tell_strangers(
	struct inputs *inputs, const struct et_archive *archive, int64_t from_ns, int64_t until_ns)
{
	struct et_archive_totals totals;

	et_archive_totals(&totals, archive);
	if (inputs->unnamed > 0 || inputs->options->sensor || totals.outside == 0 ||
		until_ns - from_ns < INPUTS_DAY_NS)
		return;
	inputs->code = inputs->code > 1 ? inputs->code : 1;
	if (!inputs->options->quiet)
		fprintf(stderr,
			"%s: %llu minutes are of another day than their files' names tell, and "
			"were left out\n",
			inputs->options->program, (unsigned long long)totals.outside);
}

struct et_archive *inputs_day(struct inputs *inputs, int64_t *from_ns, int64_t *until_ns, size_t i)
{
	const struct answer_options *options = inputs->options;
	int64_t day = inputs->days[i], end = day + INPUTS_DAY_NS;
	size_t from = inputs->unnamed, until;
	struct et_archive *archive = inputs->single;
	int code;

	*from_ns = day > options->since_ns ? day : options->since_ns;
	*until_ns = end < options->until_ns ? end : options->until_ns;
	inputs->single = NULL;
	if (archive)
		return archive;
	while (from < inputs->cnt && inputs->files[from].day_ns < day)
		from++;
	for (until = from; until < inputs->cnt && inputs->files[until].day_ns == day;)
		until++;
	/* what is wrong with files that were read to learn their days was told then */
	archive = load(inputs, &code, from, until, *from_ns, *until_ns,
		options->quiet || inputs->unnamed == inputs->cnt);
	if (archive)
		tell_strangers(inputs, archive, *from_ns, *until_ns);
	else
		code = 1; /* other days may be there */
	inputs->code = code > inputs->code ? code : inputs->code;
	return archive;
}
