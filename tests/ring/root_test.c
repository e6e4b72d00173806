/* SPDX-License-Identifier: BSD-3-Clause */

/* Owners, permissions and a full folder: what only root can set up. Skipped by others, aloud. */

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "help.h"
#include "ring_file.h"
#include "ring_tests.h"
#include "unit.h"

static bool am_root(const char *what)
{
	if (geteuid() == 0)
		return true;
	printf("SKIP %s: needs root ...", what);
	return false;
}

/* What fn gives in a child, which may change what it cannot change back. */
static int in_child(int (*fn)(const void *arg), const void *arg)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(fn(arg));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NOBODY 65534
#define GROUP  77 /* one more group that nobody is in */

static bool become_nobody(void)
{
	return setgroups(1, (const gid_t[]){ GROUP }) == 0 && setgid(NOBODY) == 0 &&
	       setuid(NOBODY) == 0;
}

struct permission {
	uid_t uid;
	gid_t gid;
	mode_t mode;
	const char *words; /* of the refusal, NULL: none */
};

static int attach_as_nobody(const void *arg)
{
	const struct permission *row = arg;
	struct et_ring_id id = ring_id(7);
	char error[ET_RING_ERROR];
	struct et_ring *ring;

	if (!become_nobody())
		return 1;
	ring = et_ring_attach(error, &id, LAYOUT);
	if (!row->words)
		return ring ? 0 : 2;
	return !ring && errno == EACCES && strstr(error, row->words) ? 0 : 3;
}

/* Who may attach is told by owner and group of the file, not by its permissions alone. */
void test_permissions(void)
{
	static const struct permission rows[] = { { 0, 0, 0640, "run as its owner" },
		{ NOBODY, 0, 0600, NULL }, { 0, NOBODY, 0660, NULL }, { 1, NOBODY, 0660, NULL },
		{ 1, GROUP, 0660, NULL }, { 1, 1, 0660, "run as its owner" },
		{ 0, 0, 0666, "left alone" }, { 1, 1, 0666, "left alone" },
		{ NOBODY, 0, 0602, "left alone" } };
	struct et_ring_options options = ring_options(7);
	char error[ET_RING_ERROR];
	struct et_ring *writer, *reader;

	if (!am_root("permissions of a reader"))
		return;
	writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT(fchown(writer->fd, rows[i].uid, rows[i].gid) == 0 &&
			  fchmod(writer->fd, rows[i].mode) == 0);
		CU_ASSERT_EQUAL(in_child(attach_as_nobody, &rows[i]), 0);
	}
	/* root reads anybody's */
	CU_ASSERT(fchown(writer->fd, 1, 1) == 0 && fchmod(writer->fd, 0640) == 0);
	reader = et_ring_attach(error, et_ring_id(writer), LAYOUT);
	CU_ASSERT_PTR_NOT_NULL(reader);
	et_ring_close(reader);
	et_ring_unlink(&options.id);
	et_ring_close(writer);
}

static int give_away_as_nobody(const void *arg)
{
	struct et_ring_options options = ring_options(5);
	char error[ET_RING_ERROR];

	(void)arg;
	options.owner = 0;
	if (!become_nobody() || et_ring_create(error, &options))
		return 1;
	return errno == EPERM && strstr(error, "start as root") ? 0 : 2;
}

/* The owner and the group that were asked for, or no ring. */
void test_owner(void)
{
	struct et_ring_options options = ring_options(5);
	char error[ET_RING_ERROR];
	struct et_ring *writer;
	struct stat st;

	if (!am_root("owner of a ring"))
		return;
	options.owner = NOBODY;
	options.group = GROUP;
	writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT_FATAL(fstat(writer->fd, &st) == 0);
	CU_ASSERT(st.st_uid == NOBODY && st.st_gid == GROUP && (st.st_mode & 07777) == 0640);
	et_ring_unlink(&options.id);
	et_ring_close(writer);
	CU_ASSERT_EQUAL(in_child(give_away_as_nobody, NULL), 0);
	CU_ASSERT_EQUAL(et_ring_unlink(&options.id), -ENOENT);
}

/* A /dev/shm of this process alone, of that size. */
static bool mount_private(const char *size)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", RING_FOLDER, "tmpfs", 0, size) == 0;
}

enum { ALL_GOOD, WRONG, NO_MOUNT };

static int create_in_small(const void *arg)
{
	struct et_ring_options options = ring_options(6);
	char error[ET_RING_ERROR];
	struct et_ring *first;

	(void)arg;
	if (!mount_private("size=6m"))
		return NO_MOUNT;
	first = et_ring_create(error, &options);
	if (!first)
		return WRONG;
	options.id.worker++; /* no room for a second one */
	if (et_ring_create(error, &options) || errno != ENOSPC ||
		!strstr(error, "has only 1 MiB free and the ring takes 5 MiB"))
		return WRONG;
	if (et_ring_unlink(&options.id) != -ENOENT || et_ring_unlink(&first->id) != 0)
		return WRONG;
	et_ring_close(first); /* and all of it comes back */
	first = et_ring_create(error, &options);
	return first && et_ring_unlink(&options.id) == 0 ? ALL_GOOD : WRONG;
}

static int create_in_unlimited(const void *arg)
{
	struct et_ring_options options = ring_options(6);
	char error[ET_RING_ERROR];

	(void)arg;
	if (!mount_private("size=0"))
		return NO_MOUNT;
	return et_ring_create(error, &options) ? ALL_GOOD : WRONG;
}

/* A /dev/shm that is full is told with what to do; one without a limit is never full. */
void test_space(void)
{
	int small, unlimited;

	if (!am_root("full " RING_FOLDER))
		return;
	small = in_child(create_in_small, NULL);
	if (small == NO_MOUNT) {
		printf("SKIP full " RING_FOLDER ": cannot mount one ...");
		return;
	}
	unlimited = in_child(create_in_unlimited, NULL);
	CU_ASSERT_EQUAL(small, ALL_GOOD);
	CU_ASSERT_EQUAL(unlimited, ALL_GOOD);
}
