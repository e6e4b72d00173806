/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PEERS (1u << 24)
#define MAX_CELLS (1u << 27)

/* Which session belongs to which minute. */
struct slot {
	int64_t minute_ns;
	size_t session;
};

/* A hello or certificate that rows of the minute refer to. */
struct ref {
	const char *text; /* its id in records, borrowed from the writer */
	uint32_t id;      /* in the books */
};

struct refs {
	struct ref *v;
	size_t cnt, cap;
};

struct job {
	struct et_stats_writer *writer;
	char *error;
	int dir_fd;
	const char *dir;
	struct slot *slots; /* sorted */
	size_t slots_cnt;
	struct et_peer_table *table;
	struct refs hellos, certs;
};

void et_stats_minute_name(char out[static ET_STATS_NAME], const char *sensor, int64_t minute_ns)
{
	char t[ET_TIME_TEXT];

	et_time_s(t, minute_ns); /* 2026-11-22T10:31:00Z */
	snprintf(out, ET_STATS_NAME, "%.64s-%.4s%.2s%.2sT%.2s%.2sZ.jsonl", sensor, t, t + 5, t + 8,
		t + 11, t + 14);
}

static int ref_add(struct refs *refs, const char *text, uint32_t id)
{
	if (!text)
		return 0; /* not decodable: no row refers to it either */
	if (refs->cnt == refs->cap) {
		size_t cap = refs->cap ? refs->cap * 2 : 64;
		struct ref *v = reallocarray(refs->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		refs->v = v;
		refs->cap = cap;
	}
	refs->v[refs->cnt++] = (struct ref){ .text = text, .id = id };
	return 0;
}

static int ref_cmp(const void *a, const void *b)
{
	return strcmp(((const struct ref *)a)->text, ((const struct ref *)b)->text);
}

/* Sorted by what stands in the file, each once. */
static void refs_sort(struct refs *refs)
{
	size_t kept = 0;

	if (refs->cnt > 1)
		qsort(refs->v, refs->cnt, sizeof(*refs->v), ref_cmp);
	for (size_t i = 0; i < refs->cnt; i++)
		if (kept == 0 || ref_cmp(&refs->v[kept - 1], &refs->v[i]) != 0)
			refs->v[kept++] = refs->v[i];
	refs->cnt = kept;
}

static int note_refs(struct job *job, const struct et_peer *peer)
{
	struct et_stats_writer *writer = job->writer;
	int rc = 0;

	for (const struct et_peer_cell *cell = et_peer_next(job->table, peer, NULL);
		rc == 0 && cell; cell = et_peer_next(job->table, peer, cell)) {
		uint32_t id = (uint32_t)cell->key;

		if (cell->kind == ET_PEER_HELLOS)
			rc = ref_add(&job->hellos, writer_hello_id(writer, id), id);
		else if (cell->kind == ET_PEER_CHAINS)
			rc = ref_add(&job->certs, writer_leaf_id(writer, id), id);
	}
	return rc;
}

static int put_row(FILE *out, uint64_t *rows, json_t *row)
{
	int rc = val_line(out, row);

	json_decref(row);
	++*rows;
	return rc;
}

static json_t *minute_row(
	const struct job *job, int64_t minute_ns, const struct et_stats_capture *capture)
{
	json_t *o = json_object();
	char minute[ET_TIME_TEXT];

	et_time_s(minute, minute_ns);
	val_put(&o, "type", val_text("minute"));
	val_put(&o, "v", val_count(1));
	val_put(&o, "sensor", val_text(job->writer->run.sensor));
	val_put(&o, "minute", val_text(minute));
	val_put(&o, "capture", et_stats_capture_json(capture));
	return o;
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

/* job->table holds the minute's peers. 0, -ENOMEM, -EIO. */
static int put_rows(
	struct job *job, FILE *out, int64_t minute_ns, const struct et_stats_capture *capture)
{
	struct et_stats_writer *writer = job->writer;
	uint64_t rows = 0;
	int rc = put_row(out, &rows, minute_row(job, minute_ns, capture));

	job->hellos.cnt = 0;
	job->certs.cnt = 0;
	et_peer_sort(job->table);
	for (uint32_t i = 0; rc == 0 && i < et_peer_cnt(job->table); i++) {
		const struct et_peer *peer = et_peer_at(job->table, i);

		rc = put_row(out, &rows, et_stats_peer_row(writer, job->table, peer));
		if (rc == 0)
			rc = note_refs(job, peer);
	}
	refs_sort(&job->hellos);
	refs_sort(&job->certs);
	for (size_t i = 0; rc == 0 && i < job->hellos.cnt; i++)
		rc = put_row(
			out, &rows, ref_row("hello", writer_hello(writer, job->hellos.v[i].id)));
	for (size_t i = 0; rc == 0 && i < job->certs.cnt; i++)
		rc = put_row(out, &rows,
			ref_row("cert",
				json_array_get(writer_chain(writer, job->certs.v[i].id), 0)));
	return rc == 0 ? put_row(out, &(uint64_t){ 0 }, end_row(rows)) : rc;
}

static int fail(const struct job *job, const char *what, const char *name, int err)
{
	snprintf(job->error, ET_STATS_ERROR, "cannot %s %.200s%s%.100s: %s", what, job->dir,
		name[0] ? "/" : "", name, strerror(err));
	return -err;
}

/* Under a name of its own, synced, and only then under the name that readers look for. */
static int put_file(struct job *job, int64_t minute_ns, const struct et_stats_capture *capture)
{
	char name[ET_STATS_NAME], temp[ET_STATS_NAME + 32];
	FILE *out;
	int fd, rc;

	et_stats_minute_name(name, job->writer->run.sensor, minute_ns);
	snprintf(temp, sizeof(temp), ".%s.%ld.tmp", name, (long)getpid());
	unlinkat(job->dir_fd, temp, 0); /* left behind by a process that had our number */
	fd = openat(job->dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return fail(job, "create", name, errno);
	out = fdopen(fd, "w");
	if (!out) {
		rc = fail(job, "create", name, errno);
		close(fd);
		unlinkat(job->dir_fd, temp, 0);
		return rc;
	}
	errno = 0;
	rc = put_rows(job, out, minute_ns, capture);
	if (rc == 0 && (fflush(out) != 0 || fsync(fd) != 0))
		rc = -EIO;
	if (rc == -ENOMEM)
		errno = ENOMEM;
	if (rc != 0)
		rc = fail(job, "write", name, errno ? errno : EIO);
	if (fclose(out) != 0 && rc == 0)
		rc = fail(job, "write", name, errno);
	if (rc == 0 && renameat(job->dir_fd, temp, job->dir_fd, name) != 0)
		rc = fail(job, "rename", name, errno);
	if (rc != 0)
		unlinkat(job->dir_fd, temp, 0);
	return rc;
}

static int slot_cmp(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	if (x->minute_ns != y->minute_ns)
		return x->minute_ns < y->minute_ns ? -1 : 1;
	return x->session < y->session ? -1 : x->session > y->session;
}

/* The capture object of a minute without packets: known to be none if packets are counted at all. */
static struct et_stats_capture empty_capture(bool counted)
{
	struct et_stats_capture capture;

	et_stats_capture_init(&capture);
	if (counted) {
		capture.packets = 0;
		capture.bytes = 0;
	}
	return capture;
}

/* The minute after `now` that needs a file: the next one with something in it, or the next one. */
static int64_t minute_after(int64_t now_ns, int64_t next_ns)
{
	/* unsigned: the two ends of time are further apart than 63 bits hold */
	uint64_t hole_ns = (uint64_t)next_ns - (uint64_t)now_ns;

	if (hole_ns / (uint64_t)ET_NS_PER_MIN > ET_STATS_HOLE_MAX)
		return next_ns;
	return now_ns + ET_NS_PER_MIN;
}

/* Counts the sessions of one minute, slots[s..), into the table; the first slot behind them. */
static size_t count_minute(struct job *job, size_t s, int64_t minute_ns)
{
	const struct et_stats_run *run = &job->writer->run;

	et_peer_clear(job->table);
	for (; s < job->slots_cnt && job->slots[s].minute_ns == minute_ns; s++) {
		size_t i = job->slots[s].session;

		et_peer_add(job->table, &run->sessions[i], et_policy_cause(run->policy, i)->code,
			et_policy_fallback(run->policy, i).is);
	}
	return s;
}

static int put_files(struct job *job, const struct et_stats_minute *minutes, size_t cnt)
{
	struct et_stats_capture empty = empty_capture(cnt > 0);
	size_t s = 0, m = 0;
	int64_t now = INT64_MAX, next;
	int rc = 0;

	if (job->slots_cnt > 0)
		now = job->slots[0].minute_ns;
	if (cnt > 0 && minutes[0].minute_ns < now)
		now = minutes[0].minute_ns;
	while (rc == 0 && (s < job->slots_cnt || m < cnt)) {
		const struct et_stats_capture *capture = &empty;

		s = count_minute(job, s, now);
		if (m < cnt && minutes[m].minute_ns == now)
			capture = &minutes[m].capture;
		rc = put_file(job, now, capture);
		while (m < cnt && minutes[m].minute_ns <= now)
			m++;
		next = INT64_MAX;
		if (s < job->slots_cnt)
			next = job->slots[s].minute_ns;
		if (m < cnt && minutes[m].minute_ns < next)
			next = minutes[m].minute_ns;
		if (next != INT64_MAX)
			now = minute_after(now, next);
	}
	return rc;
}

static void sort_sessions(struct job *job)
{
	const struct et_stats_run *run = &job->writer->run;

	for (size_t i = 0; i < run->cnt; i++)
		job->slots[i] = (struct slot){
			.minute_ns = et_time_minute(run->sessions[i].decided_ns),
			.session = i,
		};
	job->slots_cnt = run->cnt;
	if (run->cnt > 1)
		qsort(job->slots, run->cnt, sizeof(*job->slots), slot_cmp);
}

int et_stats_minutes(struct et_stats_writer *writer, char error[static ET_STATS_ERROR],
	const char *dir, const struct et_stats_minute *minutes, size_t cnt)
{
	struct job job = { .writer = writer, .error = error, .dir = dir };
	int rc;

	error[0] = '\0';
	job.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job.dir_fd < 0)
		return fail(&job, "open the folder", "", errno);
	job.slots = calloc(writer->run.cnt + 1, sizeof(*job.slots));
	job.table = et_peer_table_new(MAX_PEERS, MAX_CELLS);
	if (job.slots && job.table) {
		sort_sessions(&job);
		rc = put_files(&job, minutes, cnt);
		/* once for all: the renames are on disk when we return */
		if (rc == 0 && fsync(job.dir_fd) != 0 && errno != EINVAL)
			rc = fail(&job, "sync the folder", "", errno);
	} else {
		rc = fail(&job, "write minute files to", "", ENOMEM);
	}
	et_peer_table_free(job.table);
	free(job.slots);
	free(job.hellos.v);
	free(job.certs.v);
	close(job.dir_fd);
	return rc;
}
