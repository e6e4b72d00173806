/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packed.h"

/* stdio's own 4 KiB would be a system call for every few rows. */
#define OUT_BUFFER (256u * 1024)

/* A minute file while it is written. */
struct job {
	struct et_stats_writer *writer;
	const struct et_stats_file *file;
	char *error;
	char name[ET_STATS_NAME + 8];
};

void et_stats_minute_name(char out[static ET_STATS_NAME], const char *sensor, int64_t minute_ns)
{
	char t[ET_TIME_TEXT];

	et_time_s(t, minute_ns); /* 2026-11-22T10:31:00Z */
	snprintf(out, ET_STATS_NAME, "%.64s-%.4s%.2s%.2sT%.2s%.2sZ.jsonl", sensor, t, t + 5, t + 8,
		t + 11, t + 14);
}

static int put_row(FILE *out, uint64_t *rows, json_t *row)
{
	int rc = val_line(out, row);

	json_decref(row);
	++*rows;
	return rc;
}

static json_t *minute_row(const struct job *job)
{
	const struct et_stats_file *file = job->file;
	json_t *o = json_object();
	char minute[ET_TIME_TEXT];

	et_time_s(minute, file->minute_ns);
	val_put(&o, "type", val_text("minute"));
	val_put(&o, "v", val_count(1));
	val_put(&o, "sensor", val_text(job->writer->run.sensor));
	val_put(&o, "minute", val_text(minute));
	val_put(&o, "capture", et_stats_capture_json(file->capture));
	if (file->stories)
		val_put(&o, "stories", stories_json(file->stories));
	if (o && file->members && json_object_update_missing(o, file->members) != 0) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int put_stories(FILE *out, uint64_t *rows, const struct job *job)
{
	const struct et_stats_stories *stories = job->file->stories;
	int rc = 0;

	for (size_t i = 0; stories && i < stories->cnt && rc == 0; i++)
		rc = put_row(out, rows, story_row(&job->writer->run, &stories->rows[i]));
	return rc;
}

static json_t *ref_row(const char *type, json_t *what)
{
	json_t *o = json_object();

	val_put(&o, "type", val_text(type));
	if (o && (!what || json_object_update(o, what) != 0)) {
		json_decref(o);
		return NULL;
	}
	json_object_del(o, "sni"); /* a session's own */
	return o;
}

static json_t *end_row(uint64_t rows)
{
	json_t *o = json_object();

	val_put(&o, "type", val_text("end"));
	val_put(&o, "rows", val_count(rows));
	return o;
}

static int ref_cmp(const void *a, const void *b)
{
	return strcmp(
		(*(const struct label *const *)a)->name, (*(const struct label *const *)b)->name);
}

/*
 * The hellos or certificates that peer rows have named, sorted by what stands in the file. Two
 * labels can have one name: the same leaf in several chains.
 */
static int put_refs(
	FILE *out, uint64_t *rows, struct et_stats_writer *writer, enum et_peer_kind kind)
{
	const struct labels *labels = &writer->labels;
	const struct label **refs = calloc((size_t)labels->cnt + 1, sizeof(struct label *));
	size_t cnt = 0;
	int rc = refs ? 0 : -ENOMEM;

	for (uint32_t i = 0; refs && i < labels->cap; i++)
		if (labels->slots[i] && labels->slots[i]->kind == (uint8_t)kind &&
			labels->slots[i]->name[0])
			refs[cnt++] = labels->slots[i];
	if (cnt > 1)
		qsort(refs, cnt, sizeof(struct label *), ref_cmp);
	for (size_t i = 0; rc == 0 && i < cnt; i++) {
		uint32_t id = (uint32_t)refs[i]->key;

		if (i > 0 && ref_cmp(&refs[i - 1], &refs[i]) == 0)
			continue;
		if (kind == ET_PEER_HELLOS)
			rc = put_row(out, rows, ref_row("hello", writer_hello(writer, id)));
		else
			rc = put_row(out, rows,
				ref_row("cert", json_array_get(writer_chain(writer, id), 0)));
	}
	free(refs);
	return rc;
}

/* 0, -ENOMEM, -EIO. */
static int put_rows(struct job *job, FILE *out)
{
	struct et_stats_writer *writer = job->writer;
	struct et_peer_table *table = job->file->table;
	uint64_t rows = 0;
	int rc = put_row(out, &rows, minute_row(job));

	labels_clear(&writer->labels);
	et_peer_sort(table);
	for (uint32_t i = 0; rc == 0 && i < et_peer_cnt(table); i++, rows++) {
		if (!writer_peer_row(writer, table, et_peer_at(table, i)))
			rc = -ENOMEM;
		else if (fwrite_unlocked(writer->row.p, 1, writer->row.n, out) != writer->row.n)
			rc = -EIO;
	}
	if (rc == 0)
		rc = put_refs(out, &rows, writer, ET_PEER_HELLOS);
	if (rc == 0)
		rc = put_refs(out, &rows, writer, ET_PEER_CHAINS);
	if (rc == 0)
		rc = put_stories(out, &rows, job);
	labels_clear(&writer->labels);
	return rc == 0 ? put_row(out, &(uint64_t){ 0 }, end_row(rows)) : rc;
}

static int fail(const struct job *job, const char *what, int err)
{
	snprintf(job->error, ET_STATS_ERROR, "cannot %s %.200s/%.100s: %s", what, job->file->dir,
		job->name, strerror(err));
	return -err;
}

/* Writes all rows to fd, packed or not, and closes it. 0 or -errno with the sentence. */
static int fill(struct job *job, int fd)
{
	int level = job->file->zstd_level, copy = dup(fd), rc, err;
	FILE *out = copy < 0 ? NULL : level ? packed_open(copy, level) : fdopen(copy, "w");

	if (!out) {
		err = errno;
		if (copy >= 0)
			close(copy);
		return fail(job, "create", err);
	}
	setvbuf(out, NULL, _IOFBF, OUT_BUFFER);
	errno = 0;
	rc = put_rows(job, out);
	err = rc == -ENOMEM ? ENOMEM : errno ? errno : EIO;
	if (fclose(out) != 0 && rc == 0) {
		rc = -EIO;
		err = errno;
	}
	if (rc == 0 && fsync(fd) != 0) {
		rc = -EIO;
		err = errno;
	}
	return rc == 0 ? 0 : fail(job, "write", err);
}

/* Under the name that readers look for. */
static int publish(const struct job *job, const char *temp)
{
	const struct et_stats_file *file = job->file;
	struct stat unused;

	if (!file->keep)
		return renameat(file->dir_fd, temp, file->dir_fd, job->name) == 0 ? 0 : -errno;
	if (renameat2(file->dir_fd, temp, file->dir_fd, job->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* a file system that cannot do it in one: nobody else writes this name (et_stats.h) */
	if (fstatat(file->dir_fd, job->name, &unused, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(file->dir_fd, temp, file->dir_fd, job->name) == 0 ? 0 : -errno;
}

int et_stats_file(struct et_stats_writer *writer, char error[static ET_STATS_ERROR],
	const struct et_stats_file *file)
{
	struct job job = { .writer = writer, .file = file, .error = error };
	char plain[ET_STATS_NAME], temp[sizeof(job.name) + 32];
	int fd, rc;

	error[0] = '\0';
	et_stats_minute_name(plain, writer->run.sensor, file->minute_ns);
	snprintf(job.name, sizeof(job.name), "%s%s", plain, file->zstd_level ? ".zst" : "");
	/* Under a name of its own, synced, and only then under the right one. */
	snprintf(temp, sizeof(temp), ".%s.%ld.tmp", job.name, (long)getpid());
	unlinkat(file->dir_fd, temp, 0); /* left behind by a process that had our number */
	fd = openat(file->dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return fail(&job, "create", errno);
	rc = fill(&job, fd);
	if (close(fd) != 0 && rc == 0)
		rc = fail(&job, "write", errno);
	if (rc == 0) {
		rc = publish(&job, temp);
		if (rc != 0)
			fail(&job, "rename", -rc);
	}
	if (rc != 0)
		unlinkat(file->dir_fd, temp, 0);
	return rc;
}
