/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "help.h"
#include "ring_file.h"
#include "ring_tests.h"
#include "unit.h"

static bool exists(uint64_t generation)
{
	struct et_ring_id id = ring_id(generation);
	char name[RING_SHM_NAME], path[RING_SHM_NAME + sizeof(RING_FOLDER)];

	ring_shm_name(name, &id);
	snprintf(path, sizeof(path), RING_FOLDER "%s", name);
	return access(path, F_OK) == 0;
}

/* What a writer is refused, with a sentence, and that nothing is left then. */
void test_create_refused(void)
{
	static const struct {
		const char *sensor;
		size_t bytes;
		mode_t mode;
		int err;
		const char *words;
	} rows[] = {
		{ "", ET_RING_BYTES_MIN, 0640, EINVAL, "sensor's name" },
		{ "..", ET_RING_BYTES_MIN, 0640, EINVAL, "sensor's name" },
		{ "a/b", ET_RING_BYTES_MIN, 0640, EINVAL, "sensor's name" },
		{ NULL, 0, 0640, EINVAL, "from 4 MiB to 65536 MiB" },
		{ NULL, ET_RING_BYTES_MIN - 1, 0640, EINVAL, "from 4 MiB" },
		{ NULL, ET_RING_BYTES_MAX + 1, 0640, EINVAL, "from 4 MiB" },
		{ NULL, SIZE_MAX, 0640, EINVAL, "from 4 MiB" },
		{ NULL, ET_RING_BYTES_MIN, 0642, EINVAL, "0640" },
		{ NULL, ET_RING_BYTES_MIN, 04640, EINVAL, "0640" },
	};
	char error[ET_RING_ERROR];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct et_ring_options options = ring_options(1);

		if (rows[i].sensor) {
			memset(options.id.sensor, 0, sizeof(options.id.sensor));
			memcpy(options.id.sensor, rows[i].sensor, strlen(rows[i].sensor));
		}
		options.bytes = rows[i].bytes;
		options.mode = rows[i].mode;
		errno = 0;
		CU_ASSERT_PTR_NULL(et_ring_create(error, &options));
		CU_ASSERT_EQUAL(errno, rows[i].err);
		CU_ASSERT_PTR_NOT_NULL(strstr(error, rows[i].words));
		CU_ASSERT(!exists(1));
	}
}

/* A child, because its limit of file size cannot be raised again. */
static int create_beyond_limit(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	struct et_ring_options options = ring_options(1);
	char error[ET_RING_ERROR];

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return et_ring_create(error, &options) == NULL && strstr(error, "make the ring smaller")
		       ? 0
		       : 1;
}

/* The way from create to attach and back: locks, modes, a second of each, orphans. */
void test_attach(void)
{
	struct et_ring_options options = ring_options(1);
	struct et_ring_id id = options.id;
	struct et_ring *writer, *reader;
	char error[ET_RING_ERROR];
	struct et_ring_message message;
	struct stat st;
	int status;

	fflush(NULL);
	if (fork() == 0)
		_exit(create_beyond_limit());
	CU_ASSERT(wait(&status) > 0 && status == 0);
	CU_ASSERT(!exists(1));

	options.bytes = ET_RING_BYTES_MIN + 1;
	writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT_EQUAL(et_ring_bytes(writer), 2 * ET_RING_BYTES_MIN - ET_RING_SLOT);
	CU_ASSERT(fstat(writer->fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	/* all of it is there already */
	CU_ASSERT((size_t)st.st_blocks * 512 >= 2 * ET_RING_BYTES_MIN);
	CU_ASSERT_EQUAL(memcmp(et_ring_id(writer), &id, sizeof(id)), 0);
	CU_ASSERT_PTR_NULL(et_ring_create(error, &options));
	CU_ASSERT(errno == EEXIST && strstr(error, "exists"));
	CU_ASSERT(exists(1));

	reader = et_ring_attach(error, &id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_EQUAL(memcmp(et_ring_id(reader), &id, sizeof(id)), 0);
	CU_ASSERT_EQUAL(et_ring_bytes(reader), et_ring_bytes(writer));
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT));
	CU_ASSERT(errno == EBUSY && strstr(error, "one reader"));
	CU_ASSERT(!et_ring_orphan(reader) && !et_ring_read(reader, &message));
	et_ring_close(reader);
	reader = et_ring_attach(error, &id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	CU_ASSERT(pattern_put(writer));
	et_ring_close(writer);
	CU_ASSERT(et_ring_orphan(reader) && et_ring_orphan(reader));
	CU_ASSERT(et_ring_read(reader, &message) && pattern_ok(&message));
	CU_ASSERT(!et_ring_read(reader, &message));
	CU_ASSERT_EQUAL(et_ring_unlink(&id), 0);
	et_ring_release(reader, UINT64_MAX); /* who is attached keeps what is there */
	CU_ASSERT_EQUAL(et_ring_released(reader), 2);
	et_ring_close(reader);
	et_ring_close(NULL);
	CU_ASSERT(!exists(1));
}

static int attach_as_nobody(const struct et_ring_id *id, int expected)
{
	char error[ET_RING_ERROR];
	struct et_ring *ring;

	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return 1;
	ring = et_ring_attach(error, id, LAYOUT);
	return (ring ? 0 : errno) == expected ? 0 : 1;
}

/* Who may attach is told by owner and group of the file, not by its permissions alone. */
static void permissions(struct et_ring *writer)
{
	static const struct {
		uid_t uid;
		gid_t gid;
		mode_t mode;
		int err;
	} rows[] = { { 0, 0, 0640, EACCES }, { 65534, 0, 0600, 0 }, { 0, 65534, 0660, 0 },
		{ 0, 0, 0666, EACCES }, { 1, 1, 0666, EACCES }, { 65534, 0, 0602, EACCES } };
	struct et_ring_id id = *et_ring_id(writer);
	int status;

	if (geteuid() != 0)
		return;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CU_ASSERT(fchown(writer->fd, rows[i].uid, rows[i].gid) == 0 &&
			  fchmod(writer->fd, rows[i].mode) == 0);
		fflush(NULL);
		if (fork() == 0)
			_exit(attach_as_nobody(&id, rows[i].err));
		CU_ASSERT(wait(&status) > 0 && status == 0);
	}
	CU_ASSERT_EQUAL(fchmod(writer->fd, 0640), 0);
}

/* What a reader is refused. */
void test_attach_refused(void)
{
	struct et_ring_options options = ring_options(2);
	struct et_ring_id id = options.id, other = ring_id(3);
	char error[ET_RING_ERROR], from[128], to[128], name[ET_RING_NAME];
	struct et_ring *writer;

	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &(struct et_ring_id){ .sensor = "." }, LAYOUT));
	CU_ASSERT_EQUAL(errno, EINVAL);
	writer = et_ring_create(error, &options);
	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT + 1));
	CU_ASSERT(errno == EPROTO && strstr(error, "another layout"));
	permissions(writer);
	et_ring_name(name, &id);
	snprintf(from, sizeof(from), RING_FOLDER "/%s", name);
	et_ring_name(name, &other);
	snprintf(to, sizeof(to), RING_FOLDER "/%s", name);
	CU_ASSERT_EQUAL(rename(from, to), 0);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &other, LAYOUT));
	CU_ASSERT(errno == EPROTO && strstr(error, "renamed"));
	for (off_t len = 0; len < 3 * 4096; len += 4000) {
		CU_ASSERT_EQUAL(truncate(to, len), 0);
		CU_ASSERT_PTR_NULL(et_ring_attach(error, &other, LAYOUT));
		CU_ASSERT_EQUAL(errno, EPROTO);
	}
	CU_ASSERT_EQUAL(truncate(to, (off_t)1 << 60), 0);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &other, LAYOUT));
	CU_ASSERT_EQUAL(errno, EPROTO);
	et_ring_unlink(&other);
	CU_ASSERT_EQUAL(symlink("/etc/passwd", from), 0);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT));
	CU_ASSERT_EQUAL(errno, ELOOP);
	et_ring_unlink(&id);
	CU_ASSERT_EQUAL(mkfifo(from, 0600), 0);
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT));
	CU_ASSERT_EQUAL(errno, EACCES);
	et_ring_unlink(&id);
	et_ring_close(writer);
}

/* Each field of the header that a reader checks: changed by one, it refuses; put back, it reads. */
void test_header_fields(void)
{
	static const struct {
		size_t at, len;
	} fields[] = {
#define PAGE(field) { offsetof(struct ring_page, field), sizeof(((struct ring_page *)0)->field) }
#define RTE(field)                                                           \
	{                                                                    \
		RING_AT + offsetof(struct rte_ring, field), sizeof(uint32_t) \
	}
		PAGE(magic), PAGE(version), PAGE(slot_len), PAGE(layout), PAGE(slots),
		PAGE(producer_at), PAGE(consumer_at), PAGE(slots_at), PAGE(generation),
		PAGE(worker), { offsetof(struct ring_page, sensor), 5 }, RTE(size), RTE(mask),
		RTE(capacity), RTE(prod.sync_type), RTE(cons.sync_type)
	};
	struct et_ring_options options = ring_options(4);
	char error[ET_RING_ERROR];
	struct et_ring *writer = et_ring_create(error, &options), *reader;
	uint8_t *file;

	CU_ASSERT_PTR_NOT_NULL_FATAL(writer);
	file = (uint8_t *)writer->page;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (size_t at = fields[i].at; at < fields[i].at + fields[i].len; at++) {
			file[at] ^= 1;
			errno = 0;
			CU_ASSERT_PTR_NULL(et_ring_attach(error, &options.id, LAYOUT));
			CU_ASSERT_EQUAL(errno, EPROTO);
			file[at] ^= 1;
		}
	}
	CU_ASSERT_EQUAL(writer->page->pid, getpid());
	reader = et_ring_attach(error, &options.id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL(reader);
	et_ring_close(reader);
	et_ring_close(writer);
	et_ring_unlink(&options.id);
}
