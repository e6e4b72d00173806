/* SPDX-License-Identifier: BSD-3-Clause */
#include "sensor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "rings.h"

/* Items of one ring that are read before the next gets its turn. */
#define READ_BUDGET 65536u
/* After a file could not be written. */
#define RETRY_NS ET_NS_PER_MIN
#define DAY_NS   (24 * 60 * ET_NS_PER_MIN)

struct sensor {
	const struct options *options;
	char name[ET_RING_SENSOR];
	struct folder folder;
	struct claims claims;
	struct et_books *books; /* of all that was read and not written, and of the history */
	struct history history;
	struct stories stories;
	struct rings rings;
	bool (*go_on)(void);
	int64_t shown_ns; /* the newest minute that any writer has shown */
	int64_t shown_at; /* when that was seen; monotonic */
	int64_t retry_at; /* monotonic; 0: the last try went well */
	struct sensor_state state;
};

static int64_t now_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

static struct et_books *new_books(void)
{
	struct et_books *books = malloc(sizeof(*books));

	if (books && et_books_init(books, UINT32_MAX, SIZE_MAX / 4) != 0) {
		free(books);
		return NULL;
	}
	return books;
}

static void free_books(struct et_books *books)
{
	if (books)
		et_books_free(books);
	free(books);
}

struct sensor *sensor_new(
	int *err, pid_t *pid, const struct options *options, const char *name, bool (*go_on)(void))
{
	struct sensor *sensor = calloc(1, sizeof(*sensor));
	struct et_ring_id *ids = NULL;
	size_t cnt = 0;
	int rc;

	*pid = 0;
	*err = ENOMEM;
	if (!sensor)
		return NULL;
	snprintf(sensor->name, sizeof(sensor->name), "%s", name);
	sensor->options = options;
	sensor->go_on = go_on;
	sensor->shown_ns = sensor->state.written_ns = INT64_MIN;
	sensor->books = new_books();
	sensor->folder.fd = sensor->folder.lock_fd = -1;
	rc = sensor->books ? folder_open(&sensor->folder, pid, options->dir, sensor->name)
			   : -ENOMEM;
	if (rc == 0) {
		folder_sweep(&sensor->folder);
		/* rings that come later are new: no file can name them */
		rc = et_ring_list(&ids, &cnt, sensor->name);
	}
	if (rc == 0)
		rc = claims_read(&sensor->claims, &sensor->folder, ids, cnt);
	free(ids);
	if (rc == 0)
		return sensor;
	sensor_free(sensor);
	*err = -rc;
	return NULL;
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	rings_free(&sensor->rings);
	history_free(&sensor->history);
	stories_free(&sensor->stories);
	claims_free(&sensor->claims);
	free_books(sensor->books);
	folder_close(&sensor->folder);
	free(sensor);
}

const char *sensor_name(const struct sensor *sensor)
{
	return sensor->name;
}

struct sensor_state sensor_state(const struct sensor *sensor)
{
	struct sensor_state state = sensor->state;

	state.rings = (unsigned)sensor->rings.cnt;
	state.damaged = state.damaged || sensor->rings.damaged;
	state.failing = sensor->retry_at != 0;
	return state;
}

/* True when there is more to read. */
static bool read_all(struct sensor *sensor)
{
	bool more = false;

	for (size_t i = 0; i < sensor->rings.cnt; i++)
		if (intake_read(sensor->rings.v[i], READ_BUDGET))
			more = true;
	return more;
}

/*
 * The newest minute that is over for all rings with a writer; INT64_MIN: none is. *waiting: some
 * ring is behind, and there is still time for it.
 */
static int64_t closed_minute(struct sensor *sensor, bool *waiting)
{
	int64_t low_ns = INT64_MAX, high_ns = INT64_MIN, now = now_of(CLOCK_MONOTONIC);

	for (size_t i = 0; i < sensor->rings.cnt; i++) {
		int64_t shown_ns = intake_shown(sensor->rings.v[i]);

		if (!intake_is_live(sensor->rings.v[i]))
			continue;
		if (shown_ns < low_ns)
			low_ns = shown_ns;
		if (shown_ns > high_ns)
			high_ns = shown_ns;
	}
	if (high_ns == INT64_MIN)
		return INT64_MIN;
	if (high_ns != sensor->shown_ns) {
		sensor->shown_ns = high_ns;
		sensor->shown_at = now;
	}
	if (low_ns == high_ns || now - sensor->shown_at >= sensor->options->grace_s * ET_NS_PER_S)
		return high_ns;
	*waiting = true;
	return low_ns;
}

/* Whether the clock on the wall is past the minute, or so far before it that it tells nothing. */
static bool is_past(const struct sensor *sensor, int64_t minute_ns)
{
	int64_t now = now_of(CLOCK_REALTIME);

	return minute_ns > now + 2 * ET_NS_PER_MIN ||
	       now >= minute_ns + ET_NS_PER_MIN + sensor->options->grace_s * ET_NS_PER_S;
}

/* The stretches up to the last mark of closed_ns or before. */
static size_t take_closed(const struct intake *intake, int64_t closed_ns)
{
	size_t take = 0;

	while (take < intake->stretches_cnt && intake->stretches[take].closed &&
		intake->stretches[take].mark.minute_ns <= closed_ns)
		take++;
	return take;
}

/* The last file that the first `take` stretches would make. */
static int64_t last_target(const struct bins *bins, const struct lot *lot, size_t take)
{
	int64_t last_ns = INT64_MIN;

	for (size_t i = 0; i < take; i++) {
		int64_t floor_ns = lot_floor(lot, lot_stretch_minute(lot, i));

		if (floor_ns > last_ns)
			last_ns = floor_ns;
	}
	return last_ns == INT64_MIN ? last_ns : bins_target(bins, last_ns);
}

static void make_lots(const struct sensor *sensor, struct lot *lots)
{
	const struct rings *rings = &sensor->rings;
	size_t begin = 0;

	for (size_t i = 0; i < rings->cnt; i++) {
		const struct et_ring_id *id = et_ring_id(rings->v[i]->ring);
		uint32_t workers = 0;

		if (i > 0 && et_ring_id(rings->v[i - 1]->ring)->generation != id->generation)
			begin = i;
		lots[i] = (struct lot){ .intake = rings->v[i],
			.floor_ns = claims_newest(&sensor->claims, id),
			.generation = (uint32_t)begin };
		/* as the marks say; before the first one, as many as there are rings */
		for (size_t j = begin; j <= i; j++)
			if (rings->v[j]->workers > workers)
				workers = rings->v[j]->workers;
		if (workers == 0)
			workers = (uint32_t)(i - begin + 1);
		for (size_t j = begin; j <= i; j++)
			lots[j].workers = workers;
	}
}

/* Whether there is anything to decide on: the folder need not be listed every second. */
static bool has_candidates(const struct sensor *sensor, int64_t closed_ns)
{
	for (size_t i = 0; i < sensor->rings.cnt; i++) {
		const struct intake *intake = sensor->rings.v[i];

		if (intake->stretches_cnt > 0 &&
			(!intake_is_live(intake) || take_closed(intake, closed_ns) > 0))
			return true;
	}
	return false;
}

/* How many stretches of a ring go now; at_once: an end without a writer waits for no clock. */
static void choose_of_one(const struct sensor *sensor, const struct bins *bins, struct lot *lot,
	int64_t closed_ns, bool at_once)
{
	const struct intake *intake = lot->intake;
	size_t all = intake->stretches_cnt, take = take_closed(intake, closed_ns);
	int64_t last_ns = last_target(bins, lot, all);

	if (all > 0 && !intake_is_live(intake) &&
		(at_once || last_ns <= closed_ns || is_past(sensor, last_ns))) {
		lot->take = all;
		return;
	}
	last_ns = last_target(bins, lot, take);
	if (take > 0 && !et_ring_bad(intake->ring) &&
		(last_ns <= closed_ns || is_past(sensor, last_ns)))
		lot->take = take;
}

/*
 * Decides what is written now: lots[i].take. A file of a minute that is not over is not begun, for
 * it could take nothing more in: what comes late waits for the next minute's end.
 */
static bool choose(struct sensor *sensor, struct lot *lots, bool *waiting)
{
	const struct rings *rings = &sensor->rings;
	int64_t closed_ns = closed_minute(sensor, waiting);
	bool any_live = false, any = false;
	struct bins bins;

	if (!has_candidates(sensor, closed_ns))
		return false;
	if (bins_init(&bins, &sensor->folder) != 0)
		return true; /* nothing is taken, but batch_write says what is wrong */
	for (size_t i = 0; i < rings->cnt; i++)
		any_live = any_live || intake_is_live(rings->v[i]);
	for (size_t i = 0; i < rings->cnt; i++) {
		choose_of_one(
			sensor, &bins, &lots[i], closed_ns, sensor->options->once && !any_live);
		any = any || lots[i].take > 0;
	}
	bins_free(&bins);
	/* what is put aside can be read again, but not of a damaged ring */
	for (size_t i = 0; i < rings->cnt && any; i++)
		if (et_ring_bad(rings->v[i]->ring))
			lots[i].take = rings->v[i]->stretches_cnt;
	return any;
}

static void set_ranges(struct lot *lots, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct lot *lot = &lots[i];

		lot->from = lot->to = et_ring_released(lot->intake->ring);
		if (lot->take > 0)
			lot->to = lot->intake->stretches[lot->take - 1].end;
	}
}

/* Everything read is put aside, in books that hold the history alone, and read again. */
static int restart(struct sensor *sensor, const struct et_session *sessions, size_t cnt)
{
	struct et_books *books = new_books();
	struct history history;

	if (!books || history_keep(&history, books, sensor->books, sessions, cnt,
			      sensor->options->history, sensor->state.written_ns) != 0) {
		free_books(books);
		return -ENOMEM;
	}
	history_free(&sensor->history);
	sensor->history = history;
	for (size_t i = 0; i < sensor->rings.cnt; i++)
		intake_restart(sensor->rings.v[i], books);
	free_books(sensor->books);
	sensor->books = books;
	return 0;
}

static void release(struct sensor *sensor, const struct lot *lots, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct intake *intake = lots[i].intake;

		if (lots[i].take == 0)
			continue;
		/* behind the last item of a ring there may be words that nobody needed */
		if (intake->finished && lots[i].take == intake->stretches_cnt)
			intake_release(intake, UINT64_MAX);
		else
			intake_release(intake, lots[i].to);
		claims_release(
			&sensor->claims, et_ring_id(intake->ring), et_ring_released(intake->ring));
	}
}

static void retain(const struct sensor *sensor)
{
	const struct options *options = sensor->options;
	int64_t before_ns = INT64_MIN;

	if (options->keep_days > 0)
		before_ns = now_of(CLOCK_REALTIME) - (int64_t)options->keep_days * DAY_NS;
	if (options->keep_days > 0 || options->keep_bytes > 0)
		folder_retain(&sensor->folder, before_ns, options->keep_bytes);
}

static enum sensor_step failed(struct sensor *sensor, int rc, const char *error)
{
	if (rc == -EINTR)
		return SENSOR_IDLE;
	if (sensor->retry_at == 0)
		fprintf(stderr,
			"ehlotap export: %s; what is not written stays in the rings, and the next "
			"try is in a minute\n",
			error);
	sensor->retry_at = now_of(CLOCK_MONOTONIC) + RETRY_NS;
	return rc == -ENOMEM ? SENSOR_FATAL : SENSOR_IDLE;
}

static enum sensor_step commit(struct sensor *sensor, struct lot *lots)
{
	char error[ET_STATS_ERROR];
	struct batch batch = { .options = sensor->options,
		.folder = &sensor->folder,
		.books = sensor->books,
		.history = &sensor->history,
		.claims = &sensor->claims,
		.stories = &sensor->stories,
		.lots = lots,
		.lots_cnt = sensor->rings.cnt,
		.go_on = sensor->go_on };
	int rc;

	set_ranges(lots, sensor->rings.cnt);
	rc = batch_write(&batch, error);
	sensor->state.files += batch.files;
	sensor->state.items += batch.items;
	if (batch.newest_ns > sensor->state.written_ns)
		sensor->state.written_ns = batch.newest_ns;
	if (rc == 0) {
		if (sensor->retry_at != 0)
			fprintf(stderr, "ehlotap export: %s can be written again\n",
				sensor->options->dir);
		sensor->retry_at = 0;
		release(sensor, lots, sensor->rings.cnt);
		rc = restart(sensor, batch.sessions, batch.sessions_cnt);
		if (rc == 0)
			retain(sensor);
		else
			snprintf(error, sizeof(error), "not enough memory");
	}
	batch_free(&batch);
	return rc == 0 ? SENSOR_BUSY : failed(sensor, rc, error);
}

/* Rings that nobody writes and that have given all back. */
static void let_go(struct sensor *sensor)
{
	for (size_t i = sensor->rings.cnt; i-- > 0;) {
		struct intake *intake = sensor->rings.v[i];
		struct et_ring *ring = intake->ring;
		struct et_ring_id id = *et_ring_id(ring);
		char name[ET_RING_NAME];

		if (et_ring_bad(ring) && !sensor->state.damaged) {
			et_ring_name(name, &id);
			fprintf(stderr,
				"ehlotap export: the ring %s is damaged; what was read before the "
				"damage is used\n",
				name);
		}
		sensor->state.damaged = sensor->state.damaged || et_ring_bad(ring);
		if (!intake->finished || intake->stretches_cnt > 0)
			continue;
		intake_release(intake, UINT64_MAX);
		if (et_ring_used(ring) > 0 && !et_ring_bad(ring))
			continue;
		claims_forget(&sensor->claims, &id);
		rings_drop(&sensor->rings, i, true);
	}
}

enum sensor_step sensor_step(struct sensor *sensor)
{
	enum sensor_step step = SENSOR_IDLE;
	bool more, waiting = false;
	struct lot *lots;

	if (rings_attach(&sensor->rings, sensor->books, sensor->name) != 0)
		return SENSOR_FATAL;
	more = read_all(sensor);
	for (size_t i = 0; i < sensor->rings.cnt; i++)
		if (sensor->rings.v[i]->out_of_memory)
			return SENSOR_FATAL;
	let_go(sensor);
	if (more)
		return SENSOR_BUSY;
	if (sensor->retry_at != 0 && now_of(CLOCK_MONOTONIC) < sensor->retry_at)
		return SENSOR_IDLE;
	lots = calloc(sensor->rings.cnt + 1, sizeof(*lots));
	if (!lots)
		return SENSOR_FATAL;
	make_lots(sensor, lots);
	if (choose(sensor, lots, &waiting))
		step = commit(sensor, lots);
	else if (waiting)
		step = SENSOR_WAITING;
	free(lots);
	return step;
}
