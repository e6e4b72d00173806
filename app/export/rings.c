/* SPDX-License-Identifier: BSD-3-Clause */
#include "rings.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims.h"

/* A writer may be about to finish the ring's header: said only when it fails twice. */
struct complaint {
	struct et_ring_id id;
	int err;
	bool said;
};

static void say_permission(const struct et_ring_id *id)
{
	char name[ET_RING_NAME], path[ET_RING_NAME + 16];
	const struct passwd *user;
	const struct group *group;
	struct stat st;

	et_ring_name(name, id);
	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	if (stat(path, &st) != 0)
		return;
	user = getpwuid(st.st_uid);
	group = getgrgid(st.st_gid);
	fprintf(stderr,
		"ehlotap export: no permission for the ring %s: it belongs to user %s (%u), group "
		"%s (%u), mode %04o. An exporter must be able to write to it: run it as that user, "
		"or give ehlotap live the owner or group that rings are to have\n",
		name, user ? user->pw_name : "?", (unsigned)st.st_uid, group ? group->gr_name : "?",
		(unsigned)st.st_gid, (unsigned)st.st_mode & 07777);
}

/* True when the user is to be told now. */
static bool note(struct rings *rings, const struct et_ring_id *id, int err)
{
	struct complaint *v;

	for (size_t i = 0; i < rings->complaints_cnt; i++) {
		struct complaint *c = &rings->complaints[i];

		if (!ring_id_equal(&c->id, id) || c->err != err)
			continue;
		if (c->said)
			return false;
		c->said = true;
		return true;
	}
	v = reallocarray(rings->complaints, rings->complaints_cnt + 1, sizeof(*v));
	if (!v)
		return false;
	rings->complaints = v;
	v[rings->complaints_cnt++] =
		(struct complaint){ .id = *id, .err = err, .said = err != EPROTO };
	return err != EPROTO;
}

static void complain(
	struct rings *rings, const struct et_ring_id *id, int err, const char *sentence)
{
	if (err == ENOENT || !note(rings, id, err))
		return;
	if (err == EACCES || err == EPERM)
		say_permission(id);
	else
		fprintf(stderr, "ehlotap export: %s\n", sentence);
	rings->damaged = true;
}

static bool is_attached(const struct rings *rings, const struct et_ring_id *id)
{
	for (size_t i = 0; i < rings->cnt; i++)
		if (ring_id_equal(et_ring_id(rings->v[i]->ring), id))
			return true;
	return false;
}

/* Generations and workers count up, but a ring that could not be attached may come later. */
static bool stands_before(const struct et_ring_id *a, const struct et_ring_id *b)
{
	if (a->generation != b->generation)
		return a->generation < b->generation;
	return a->worker < b->worker;
}

static int add(struct rings *rings, struct intake *intake)
{
	size_t at = rings->cnt;

	if (rings->cnt == rings->cap) {
		size_t cap = rings->cap ? rings->cap * 2 : 16;
		struct intake **v = reallocarray(rings->v, cap, sizeof(struct intake *));

		if (!v)
			return -ENOMEM;
		rings->v = v;
		rings->cap = cap;
	}
	for (; at > 0 &&
		stands_before(et_ring_id(intake->ring), et_ring_id(rings->v[at - 1]->ring));
		at--)
		rings->v[at] = rings->v[at - 1];
	rings->v[at] = intake;
	rings->cnt++;
	return 0;
}

static int attach(struct rings *rings, struct et_books *books, const struct et_ring_id *id)
{
	char error[ET_RING_ERROR];
	struct et_ring *ring = et_ring_attach(error, id, et_feed_layout());
	struct intake *intake;

	if (!ring) {
		if (errno == ENOMEM)
			return -ENOMEM;
		complain(rings, id, errno, error);
		return 0;
	}
	intake = intake_new(ring, books);
	if (!intake)
		et_ring_close(ring);
	else if (add(rings, intake) == 0)
		return 0;
	intake_free(intake);
	return -ENOMEM;
}

int rings_attach(struct rings *rings, struct et_books *books, const char *sensor)
{
	struct et_ring_id *ids;
	size_t cnt;
	int rc = et_ring_list(&ids, &cnt, sensor);

	if (rc != 0)
		return rc == -ENOMEM ? rc : 0;
	for (size_t i = 0; i < cnt && rc == 0; i++)
		if (!is_attached(rings, &ids[i]))
			rc = attach(rings, books, &ids[i]);
	free(ids);
	return rc;
}

void rings_drop(struct rings *rings, size_t i, bool unlink)
{
	struct intake *intake = rings->v[i];
	struct et_ring_id id = *et_ring_id(intake->ring);
	char name[ET_RING_NAME];
	int rc;

	rings->cnt--;
	for (; i < rings->cnt; i++)
		rings->v[i] = rings->v[i + 1];
	/* first the name, then the lock: nobody else is to take it over in between */
	rc = unlink ? et_ring_unlink(&id) : 0;
	if (rc != 0 && rc != -ENOENT) {
		et_ring_name(name, &id);
		fprintf(stderr, "ehlotap export: cannot delete the ring %s: %s; it is empty\n",
			name, strerror(-rc));
	}
	intake_free(intake);
}

void rings_free(struct rings *rings)
{
	for (size_t i = 0; i < rings->cnt; i++)
		intake_free(rings->v[i]);
	free(rings->v);
	free(rings->complaints);
	*rings = (struct rings){ 0 };
}
