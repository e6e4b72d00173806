/* SPDX-License-Identifier: BSD-3-Clause */
#include "stories.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stories_json.h"

#define NAME_CAP 128
/* A case is below 4 KiB as a line. */
#define LINE_MAX_BYTES 65536

static void state_name(char out[static NAME_CAP], const struct folder *folder, const char *end)
{
	snprintf(out, NAME_CAP, ".ehlotap-%.64s.stories%s", folder->sensor, end);
}

static int fail(
	char *error, const struct folder *folder, const char *what, const char *name, int err)
{
	snprintf(error, ET_STATS_ERROR, "cannot %s %.200s/%.100s: %s", what, folder->path, name,
		strerror(err));
	return -err;
}

/* NULL with errno; ENOENT: there is none. */
static FILE *open_state(const struct folder *folder, const char *end)
{
	char name[NAME_CAP];
	FILE *file;
	int fd;

	state_name(name, folder, end);
	fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file && fd >= 0)
		close(fd);
	return file;
}

/* The next row; NULL at the end, or where there is none. */
static json_t *read_row(FILE *in, char line[static LINE_MAX_BYTES])
{
	return fgets(line, LINE_MAX_BYTES, in) ? json_loads(line, 0, NULL) : NULL;
}

static void forget_next(const struct folder *folder)
{
	char name[NAME_CAP];

	state_name(name, folder, ".next");
	unlinkat(folder->fd, name, 0);
}

/* Whether the file of that minute names this state. */
static bool names_state(const struct folder *folder, int64_t minute_ns, uint64_t number)
{
	bool found = false;

	for (int packed = 0; packed < 2 && !found; packed++) {
		struct folder_file file = { .minute_ns = minute_ns, .packed = packed };
		json_t *row = folder_first_row(folder, &file);
		json_t *state = json_object_get(json_object_get(row, "stories"), "state");

		found = json_is_integer(state) && (uint64_t)json_integer_value(state) == number;
		json_decref(row);
	}
	return found;
}

static int rename_next(const struct folder *folder)
{
	char from[NAME_CAP], to[NAME_CAP];

	state_name(from, folder, ".next");
	state_name(to, folder, "");
	return renameat(folder->fd, from, folder->fd, to) == 0 ? 0 : -errno;
}

/* What an exporter has left that was killed around the writing of a file. */
static int settle(char *error, const struct folder *folder)
{
	char line[LINE_MAX_BYTES];
	FILE *next = open_state(folder, ".next");
	struct stories_head head;
	json_t *row;
	bool holds;
	int rc;

	if (!next)
		return 0;
	row = read_row(next, line);
	holds = stories_head_read(&head, row) && names_state(folder, head.minute_ns, head.number);
	json_decref(row);
	fclose(next);
	if (!holds) {
		forget_next(folder);
		return 0;
	}
	rc = rename_next(folder);
	return rc == 0 ? 0 : fail(error, folder, "rename", "the state of the stories", -rc);
}

/* 0, -ENOMEM, or -EBADMSG: something is damaged. */
static int read_state(struct stories *stories, FILE *in)
{
	char line[LINE_MAX_BYTES];
	struct stories_head head;
	uint64_t rows = 0;
	bool damaged = false;
	json_t *row = read_row(in, line);

	if (!stories_head_read(&head, row)) {
		json_decref(row);
		return -EBADMSG;
	}
	json_decref(row);
	stories->number = head.number;
	for (; rows < head.cases && (row = read_row(in, line)) != NULL; rows++) {
		struct et_story_case known;
		int rc = stories_case_read(&known, row) ? et_story_restore(stories->table, &known)
							: -EINVAL;

		json_decref(row);
		if (rc == -ENOMEM)
			return rc;
		damaged = damaged || rc != 0;
	}
	return damaged || rows < head.cases ? -EBADMSG : 0;
}

int stories_load(
	struct stories *stories, char error[static ET_STATS_ERROR], const struct folder *folder)
{
	FILE *in;
	int rc;

	if (stories->table)
		return 0;
	rc = settle(error, folder);
	if (rc != 0)
		return rc;
	*stories = (struct stories){ .table = et_story_new(ET_STORY_MAX) };
	if (!stories->table)
		return fail(error, folder, "read", "the state of the stories", ENOMEM);
	in = open_state(folder, "");
	if (!in && errno == ENOENT)
		return 0;
	rc = in ? read_state(stories, in) : -errno;
	if (in)
		fclose(in);
	if (rc == -EBADMSG) {
		fprintf(stderr,
			"ehlotap export: the state of the stories of sensor %s is damaged; what "
			"could be read of it is used\n",
			folder->sensor);
		rc = 0;
	}
	if (rc != 0) {
		stories_free(stories);
		return fail(error, folder, "read", "the state of the stories", -rc);
	}
	stories->dropped = et_story_dropped_cnt(stories->table);
	et_story_changed(stories->table); /* it is as on disk */
	return 0;
}

void stories_free(struct stories *stories)
{
	et_story_free(stories->table);
	*stories = (struct stories){ 0 };
}

/* All rows; false with errno. */
static bool put_state(FILE *out, const struct stories *stories, const struct stories_head *head)
{
	const struct et_story_case *known = NULL;
	json_t *row = stories_head_row(head);
	bool ok = true;

	do {
		ok = row && json_dumpf(row, out, JSON_COMPACT) == 0 && putc('\n', out) != EOF;
		if (!row)
			errno = ENOMEM;
		json_decref(row);
		known = et_story_next_case(stories->table, known);
		row = known && ok ? stories_case_row(known) : NULL;
	} while (ok && known);
	return ok;
}

static int write_next(char *error, const struct folder *folder, const struct stories *stories,
	const struct stories_head *head)
{
	char name[NAME_CAP];
	FILE *out;
	bool ok;
	int fd, err;

	state_name(name, folder, ".next");
	fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return fail(error, folder, "create", name, err);
	}
	errno = 0;
	ok = put_state(out, stories, head) && fflush(out) == 0 && fsync(fd) == 0;
	err = errno ? errno : EIO;
	if (fclose(out) != 0 && ok) {
		ok = false;
		err = errno;
	}
	/* its name has to be there before the minute's */
	if (ok && fsync(folder->fd) != 0 && errno != EINVAL) {
		ok = false;
		err = errno;
	}
	return ok ? 0 : fail(error, folder, "write", name, err);
}

int stories_write(struct stories *stories, struct et_stats_stories *out,
	char error[static ET_STATS_ERROR], const struct folder *folder, int64_t minute_ns)
{
	struct stories_head head = {
		.sensor = folder->sensor, .number = stories->number + 1, .minute_ns = minute_ns
	};
	uint64_t dropped;
	int rc;

	/* the last one's rename failed: its state must not be lost */
	if (stories->step == STORIES_PUBLISHED)
		stories_publish(stories, folder);
	if (stories->step == STORIES_PUBLISHED)
		return fail(error, folder, "rename", "the state of the stories", errno);
	out->rows = et_story_minute(stories->table, &out->cnt, minute_ns + ET_NS_PER_MIN);
	if (!out->rows)
		return fail(error, folder, "write to", "", ENOMEM);
	out->open = et_story_open_cnt(stories->table);
	dropped = et_story_dropped_cnt(stories->table);
	out->dropped = dropped - stories->dropped;
	stories->dropped = dropped;
	if (et_story_changed(stories->table)) {
		head.cases = et_story_cases(stories->table);
		stories->step = STORIES_WRITTEN;
		rc = write_next(error, folder, stories, &head);
		if (rc != 0)
			return rc;
		stories->number++;
	}
	out->state = stories->number;
	return 0;
}

void stories_publish(struct stories *stories, const struct folder *folder)
{
	if (stories->step == STORIES_SAVED)
		return;
	stories->step = STORIES_PUBLISHED;
	/* first the minute's name on disk, then that its state holds */
	if (fsync(folder->fd) != 0 && errno != EINVAL)
		return;
	if (rename_next(folder) == 0)
		stories->step = STORIES_SAVED;
}

void stories_undo(struct stories *stories, const struct folder *folder)
{
	if (stories->step == STORIES_WRITTEN)
		forget_next(folder);
	stories_free(stories);
}
