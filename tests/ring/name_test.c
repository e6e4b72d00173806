/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "help.h"
#include "ring_tests.h"
#include "unit.h"

#define N64 "0123456789abcdef0123456789ABCDEF0123456789_-..-_0123456789abcdef"
#define G   "000649f2b1c3d4e5"

/* Which texts are names, and that a name comes back as it was. */
void test_names(void)
{
	static const struct {
		const char *text, *sensor; /* NULL: refused */
		uint64_t generation;
		uint32_t worker;
	} rows[] = {
		{ "ehlotap.gw1." G ".0", "gw1", 0x000649f2b1c3d4e5, 0 },
		{ "ehlotap.a.b." G ".4294967295", "a.b", 0x000649f2b1c3d4e5, UINT32_MAX },
		{ "ehlotap." N64 "." G ".12", N64, 0x000649f2b1c3d4e5, 12 },
		{ "ehlotap.x.ffffffffffffffff.1", "x", UINT64_MAX, 1 },
		{ "ehlotap.x." G ".0." G ".0", "x." G ".0", 0x000649f2b1c3d4e5, 0 },
		{ "", NULL, 0, 0 },
		{ "ehlotap", NULL, 0, 0 },
		{ "ehlotap.", NULL, 0, 0 },
		{ "ehlotap.0", NULL, 0, 0 },
		{ "ehlotap.gw1.lock", NULL, 0, 0 },
		{ "ehlotap." G ".0", NULL, 0, 0 },
		{ "ehlotap.." G ".0", NULL, 0, 0 },
		{ "ehlotap..a." G ".0", NULL, 0, 0 },
		{ "ehlotap." N64 "x." G ".0", NULL, 0, 0 },
		{ "ehlotap.a/b." G ".0", NULL, 0, 0 },
		{ "ehlotap.\xc3\xa4." G ".0", NULL, 0, 0 },
		{ "ehlotap.gw 1." G ".0", NULL, 0, 0 },
		{ "Ehlotap.gw1." G ".0", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".00", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".-1", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".1x", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".4294967296", NULL, 0, 0 },
		{ "ehlotap.gw1." G ".99999999999999999999999", NULL, 0, 0 },
		{ "ehlotap.gw1.000649F2b1c3d4e5.0", NULL, 0, 0 },
		{ "ehlotap.gw1.00649f2b1c3d4e5.0", NULL, 0, 0 },
		{ "ehlotap.gw1.0000649f2b1c3d4e5.0x", NULL, 0, 0 },
		{ "ehlotap.gw1.0x0649f2b1c3d4e5.0", NULL, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct et_ring_id id = { 0 };
		char name[ET_RING_NAME];
		bool ok = et_ring_parse_name(&id, rows[i].text);

		CU_ASSERT_EQUAL(ok, rows[i].sensor != NULL);
		if (!ok || !rows[i].sensor)
			continue;
		CU_ASSERT_STRING_EQUAL(id.sensor, rows[i].sensor);
		CU_ASSERT_EQUAL(id.generation, rows[i].generation);
		CU_ASSERT_EQUAL(id.worker, rows[i].worker);
		et_ring_name(name, &id);
		CU_ASSERT_STRING_EQUAL(name, rows[i].text);
	}
}

static struct et_ring *make(const char *sensor, uint64_t generation, uint32_t worker)
{
	struct et_ring_options options = ring_options(generation);
	char error[ET_RING_ERROR];

	snprintf(options.id.sensor, sizeof(options.id.sensor), "%.60s", sensor);
	options.id.worker = worker;
	return et_ring_create(error, &options);
}

/* Rings are listed in order, one sensor's or all, and nothing else is. */
void test_list(void)
{
	static const struct {
		uint64_t generation;
		uint32_t worker;
	} rows[] = { { 7, 10 }, { 7, 9 }, { 7, 11 }, { UINT64_MAX, 0 }, { 6, 0 } },
	  sorted[] = { { 6, 0 }, { 7, 9 }, { 7, 10 }, { 7, 11 }, { UINT64_MAX, 0 } };
	const char *sensor = ring_id(0).sensor;
	char other[ET_RING_SENSOR];
	struct et_ring_id *ids;
	struct et_ring *ring;
	size_t cnt;
	pid_t pid;
	int lock;

	snprintf(other, sizeof(other), "%.40s.b", sensor);
	ring = make(other, 1, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(ring);
	et_ring_close(ring); /* the files stay */
	for (int i = 0; i < 5; i++)
		et_ring_close(make(sensor, rows[i].generation, rows[i].worker));
	lock = et_ring_lock_sensor(&pid, sensor);
	CU_ASSERT_FATAL(et_ring_list(&ids, &cnt, sensor) == 0 && cnt == 5);
	for (int i = 0; i < 5; i++) {
		CU_ASSERT_STRING_EQUAL(ids[i].sensor, sensor);
		CU_ASSERT_EQUAL(ids[i].generation, sorted[i].generation);
		CU_ASSERT_EQUAL(ids[i].worker, sorted[i].worker);
		CU_ASSERT_EQUAL(et_ring_unlink(&ids[i]), 0);
		CU_ASSERT_EQUAL(et_ring_unlink(&ids[i]), -ENOENT);
	}
	free(ids);
	CU_ASSERT_FATAL(et_ring_list(&ids, &cnt, NULL) == 0);
	CU_ASSERT(cnt >= 1);
	for (size_t i = 0; i < cnt; i++) {
		CU_ASSERT_STRING_NOT_EQUAL(ids[i].sensor, sensor);
		if (strcmp(ids[i].sensor, other) == 0)
			CU_ASSERT_EQUAL(et_ring_unlink(&ids[i]), 0);
	}
	free(ids);
	CU_ASSERT_EQUAL(et_ring_list(&ids, &cnt, other), 0);
	CU_ASSERT(cnt == 0 && ids == NULL);
	CU_ASSERT_EQUAL(et_ring_unlink(&(struct et_ring_id){ .sensor = "../x" }), -EINVAL);
	close(lock);
}

/* The lock file is a file, and says who holds it and nothing of who did before. */
void test_lock_file(void)
{
	const char *sensor = ring_id(0).sensor;
	char path[ET_RING_NAME + 16], name[ET_RING_NAME], text[64] = "", want[64];
	pid_t pid;
	int fd;

	snprintf(name, sizeof(name), "/ehlotap.%s.lock", sensor);
	snprintf(path, sizeof(path), "/dev/shm%s", name);
	CU_ASSERT_EQUAL(symlink("/dev/null", path), 0);
	CU_ASSERT_EQUAL(et_ring_lock_sensor(&pid, sensor), -ELOOP);
	CU_ASSERT_EQUAL(shm_unlink(name), 0);
	fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	CU_ASSERT_EQUAL(write(fd, "123456789012345678901234567890", 30), 30);
	close(fd);
	fd = et_ring_lock_sensor(&pid, sensor);
	CU_ASSERT_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CU_ASSERT_FATAL(pread(fd, text, sizeof(text) - 1, 0) > 0);
	snprintf(want, sizeof(want), "%d\n", (int)getpid());
	CU_ASSERT_STRING_EQUAL(text, want);
	close(fd);
	CU_ASSERT_EQUAL(shm_unlink(name), 0);
}

/* One holder, whose number is told; the lock goes with the process. */
void test_lock_sensor(void)
{
	const char *sensor = ring_id(0).sensor;
	char path[ET_RING_NAME];
	int told[2], lock, status;
	pid_t child, pid = -1;
	char byte;

	CU_ASSERT_EQUAL(et_ring_lock_sensor(&pid, "no/name"), -EINVAL);
	CU_ASSERT_FATAL(pipe(told) == 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = et_ring_lock_sensor(&pid, sensor) >= 0 && pid == getpid() ? 'y' : 'n';
		if (write(told[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	CU_ASSERT_FATAL(read(told[0], &byte, 1) == 1 && byte == 'y');
	CU_ASSERT_EQUAL(et_ring_lock_sensor(&pid, sensor), -EBUSY);
	CU_ASSERT_EQUAL(pid, child);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	lock = et_ring_lock_sensor(&pid, sensor);
	CU_ASSERT(lock >= 0 && pid == getpid());
	CU_ASSERT_EQUAL(et_ring_lock_sensor(&pid, sensor), -EBUSY); /* not twice either */
	CU_ASSERT_EQUAL(pid, getpid());
	close(lock);
	lock = et_ring_lock_sensor(&pid, sensor);
	CU_ASSERT(lock >= 0);
	close(lock);
	close(told[0]);
	close(told[1]);
	snprintf(path, sizeof(path), "/ehlotap.%s.lock", sensor);
	CU_ASSERT_EQUAL(shm_unlink(path), 0);
}
