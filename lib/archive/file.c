/* SPDX-License-Identifier: BSD-3-Clause */
#include "archive_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

/* So many lines that are no rows, and none that is: it is another kind of file. */
#define STRANGE_MAX 100
/* Sentences about one file; the rest is counted. */
#define WARNINGS_MAX 3

/* A file while it is read. */
struct job {
	struct et_archive *archive;
	const char *name;
	struct line line;
	struct section section;
	unsigned warnings;
	uint64_t rows, bad;
	bool damaged;
};

static bool may_warn(struct job *job)
{
	return job->warnings++ < WARNINGS_MAX;
}

static int bad_line(struct job *job, const char *why)
{
	job->bad++;
	job->damaged = true;
	job->archive->totals.bad_rows++;
	if (may_warn(job))
		archive_warn(job->archive, job->name, job->line.number, "left out: %s", why);
	return 0;
}

/* The section ends here, in whatever state it is. */
static void close_section(struct job *job, const char *fault)
{
	struct section *section = &job->section;
	char minute[ET_TIME_TEXT];

	if (section->open && section->taken && fault) {
		job->damaged = true;
		job->archive->totals.truncated++;
		et_time_s(minute, section->minute_ns);
		if (may_warn(job))
			archive_warn(job->archive, job->name, job->line.number,
				"the minute %s of sensor %s %s; what was read of it counts", minute,
				section->sensor_name, fault);
	}
	*section = (struct section){ 0 };
}

static int begin_minute(struct job *job, const json_t *row)
{
	const char *why;
	char minute[ET_TIME_TEXT];
	bool twice;
	int rc;

	close_section(job, "has no end row");
	rc = row_minute(job->archive, &job->section, &why, &twice, row);
	if (rc > 0)
		return bad_line(job, why);
	job->section.rows = 1;
	if (twice && may_warn(job)) {
		et_time_s(minute, job->section.minute_ns);
		archive_warn(job->archive, job->name, job->line.number,
			"the minute %s of sensor %s was read already; this one is passed over",
			minute, job->section.sensor_name);
	}
	return rc;
}

static int end_minute(struct job *job, const json_t *row)
{
	uint64_t rows = 0;

	if (!job->section.open)
		return bad_line(job, "an end row without a minute row before it");
	if (!member_count(&rows, row, "rows") || rows != job->section.rows)
		close_section(job, "has not the rows that its end row counts");
	else
		close_section(job, NULL);
	return 0;
}

static int take_row(struct job *job, const char *type, const json_t *row)
{
	struct et_archive *archive = job->archive;
	struct section *section = &job->section;
	const char *why = "";
	int rc = 0;

	if (!section->open)
		return bad_line(job, "a row without a minute row before it");
	section->rows++;
	if (!section->taken)
		return 0;
	if (strcmp(type, "peer") == 0)
		rc = row_peer(archive, section, &why, row);
	else if (strcmp(type, "hello") == 0)
		rc = row_hello(archive, &why, row);
	else if (strcmp(type, "cert") == 0)
		rc = row_cert(archive, &why, row);
	else if (archive->options.other)
		archive->options.other(
			archive->options.ctx, type, section->sensor_name, section->minute_ns, row);
	else
		archive->totals.other_rows++;
	return rc > 0 ? bad_line(job, why) : rc;
}

static int take_line(struct job *job)
{
	json_error_t error;
	json_t *row;
	const char *type;
	int rc;

	if (strspn(job->line.p, " \t\r") == job->line.n)
		return 0;
	row = json_loadb(job->line.p, job->line.n, 0, &error);
	if (!row && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	type = json_string_value(json_object_get(row, "type"));
	if (!type) {
		rc = bad_line(job, row ? "an object without a type" : "no JSON object");
		job->section.rows++; /* it stands for a row, which the end row counts */
	} else {
		job->rows++;
		job->archive->totals.rows++;
		if (strcmp(type, "minute") == 0)
			rc = begin_minute(job, row);
		else if (strcmp(type, "end") == 0)
			rc = end_minute(job, row);
		else
			rc = take_row(job, type, row);
	}
	json_decref(row);
	return rc;
}

/* What is to be said when nothing more comes. */
static int close_file(struct job *job, FILE *in)
{
	struct et_archive_totals *totals = &job->archive->totals;
	int err = errno ? errno : EIO;

	if (ferror(in)) {
		job->damaged = true;
		archive_warn(job->archive, job->name, 0, "reading breaks off: %s",
			err == EBADMSG ? "the compressed data is damaged or cut off"
				       : strerror(err));
	}
	close_section(job, "has no end row");
	if (job->warnings > WARNINGS_MAX)
		archive_warn(job->archive, job->name, 0, "%u more things are wrong in it",
			job->warnings - WARNINGS_MAX);
	if (job->rows == 0) {
		totals->unreadable++;
		archive_warn(
			job->archive, job->name, 0, "is no minute file: there is no row in it");
		return -EINVAL;
	}
	totals->damaged += job->damaged;
	return job->damaged;
}

int et_archive_add_rows(struct et_archive *archive, FILE *in, const char *name)
{
	struct job job = { .archive = archive, .name = name };
	bool more = true;
	int rc = 0;

	archive->totals.files++;
	errno = 0;
	while (rc == 0 && more) {
		switch (line_next(&job.line, in)) {
		case LINE_GOT: rc = take_line(&job); break;
		case LINE_TOO_LONG:
			rc = bad_line(&job, "a line that is too long");
			job.section.rows++;
			break;
		case LINE_NO_MEMORY: rc = -ENOMEM; break;
		case LINE_END: more = false; break;
		}
		if (job.rows == 0 && job.bad == STRANGE_MAX)
			more = false;
	}
	if (rc == 0)
		rc = close_file(&job, in);
	free(job.line.p);
	return rc;
}

/* The magic number of a frame of RFC 8878. */
static bool is_zstd(FILE *in)
{
	static const uint8_t magic[] = { 0x28, 0xb5, 0x2f, 0xfd };
	uint8_t begin[sizeof(magic)];
	size_t n = fread(begin, 1, sizeof(begin), in);

	rewind(in);
	return n == sizeof(begin) && memcmp(begin, magic, sizeof(magic)) == 0;
}

static int cannot_read(struct et_archive *archive, const char *path, int err)
{
	archive->totals.files++;
	archive->totals.unreadable++;
	archive_warn(archive, path, 0, "cannot be read: %s", strerror(err));
	return -err;
}

int et_archive_add_file(struct et_archive *archive, const char *path)
{
	FILE *in = fopen(path, "re"), *unpacked;
	int rc;

	if (!in)
		return cannot_read(archive, path, errno);
	if (is_zstd(in)) {
		unpacked = unpacked_open(in);
		if (!unpacked) {
			fclose(in);
			return -ENOMEM;
		}
		in = unpacked;
	}
	rc = et_archive_add_rows(archive, in, path);
	fclose(in);
	return rc;
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static int is_minute_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_in(entry->d_name, ".jsonl") || ends_in(entry->d_name, ".jsonl.zst"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int et_archive_add_folder(struct et_archive *archive, const char *path)
{
	struct dirent **entries;
	int cnt = scandir(path, &entries, is_minute_file, by_name), rc = 0;

	if (cnt < 0)
		return cannot_read(archive, path, errno);
	if (cnt == 0)
		archive_warn(archive, path, 0, "there is no minute file in this folder");
	for (int i = 0; i < cnt; i++) {
		char *file;

		if (rc == -ENOMEM || asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0) {
			rc = -ENOMEM;
		} else {
			int one = et_archive_add_file(archive, file);

			free(file);
			if (one != 0)
				rc = one == -ENOMEM ? one : 1;
		}
		free(entries[i]);
	}
	free(entries);
	return cnt == 0 ? -ENOENT : rc;
}
