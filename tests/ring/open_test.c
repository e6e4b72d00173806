/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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

/* Who has asked leaves no lock behind: others may ask in their own way. */
static void orphan_is_free(const struct et_ring_id *id)
{
	char name[RING_SHM_NAME];
	int fd;

	ring_shm_name(name, id);
	fd = shm_open(name, O_RDWR, 0);
	CU_ASSERT(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
	close(fd);
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
	CU_ASSERT(errno == EEXIST && strstr(error, "another process has this"));
	CU_ASSERT(exists(1));

	reader = et_ring_attach(error, &id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	CU_ASSERT_STRING_EQUAL(error, "");
	CU_ASSERT_EQUAL(memcmp(et_ring_id(reader), &id, sizeof(id)), 0);
	CU_ASSERT_EQUAL(et_ring_bytes(reader), et_ring_bytes(writer));
	CU_ASSERT_PTR_NULL(et_ring_attach(error, &id, LAYOUT));
	CU_ASSERT(errno == EBUSY && strstr(error, "one reader"));
	CU_ASSERT(!et_ring_orphan(reader) && !et_ring_read(reader, &message));
	CU_ASSERT(fcntl(writer->fd, F_GETFD) == FD_CLOEXEC &&
		  fcntl(reader->fd, F_GETFD) == FD_CLOEXEC);
	et_ring_close(reader);
	reader = et_ring_attach(error, &id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL_FATAL(reader);
	CU_ASSERT(pattern_put(writer));
	et_ring_close(writer);
	CU_ASSERT(et_ring_orphan(reader) && et_ring_orphan(reader));
	orphan_is_free(&id);
	CU_ASSERT(et_ring_read(reader, &message) && pattern_ok(&message));
	CU_ASSERT(!et_ring_read(reader, &message));
	CU_ASSERT_EQUAL(et_ring_unlink(&id), 0);
	et_ring_release(reader, UINT64_MAX); /* who is attached keeps what is there */
	CU_ASSERT_EQUAL(et_ring_released(reader), 2);
	et_ring_close(reader);
	et_ring_close(NULL);
	CU_ASSERT(!exists(1));
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

/* Sizes that agree with each other, but not with the file, or that no mask can be made of. */
static void lie_about_size(struct et_ring *writer)
{
	const uint32_t good = writer->rte->size;
	const uint32_t lies[] = { good * 2, good / 2, good + 1, good - 1, 0, 1, 1u << 31 };
	char error[ET_RING_ERROR];

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		writer->rte->size = lies[i];
		writer->rte->mask = lies[i] - 1;
		writer->rte->capacity = lies[i] - 1;
		writer->page->slots = lies[i];
		errno = 0;
		CU_ASSERT_PTR_NULL(et_ring_attach(error, et_ring_id(writer), LAYOUT));
		CU_ASSERT(errno == EPROTO && strstr(error, "size contradicts itself"));
	}
	/* so many that their bytes are few again, modulo 2^64 */
	writer->page->slots = (UINT64_C(1) << 58) + good;
	CU_ASSERT_PTR_NULL(et_ring_attach(error, et_ring_id(writer), LAYOUT));
	writer->page->slots = good;
	writer->rte->size = good;
	writer->rte->mask = good - 1;
	writer->rte->capacity = good - 1;
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
	lie_about_size(writer);
	reader = et_ring_attach(error, &options.id, LAYOUT);
	CU_ASSERT_PTR_NOT_NULL(reader);
	et_ring_close(reader);
	et_ring_close(writer);
	et_ring_unlink(&options.id);
}
