/* SPDX-License-Identifier: BSD-3-Clause */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

/* A first row with the ranges of hundreds of rings is below that. */
#define ROW_MAX  (1u << 20)
#define NAME_CAP (ET_STATS_NAME + 48)

int folder_open(struct folder *folder, pid_t *pid, const char *path, const char *sensor)
{
	char name[96], text[16] = "";
	int err;

	*pid = 0;
	*folder = (struct folder){ .path = path, .sensor = sensor, .lock_fd = -1 };
	folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->fd < 0)
		return -errno;
	snprintf(name, sizeof(name), ".ehlotap-%.64s.lock", sensor);
	folder->lock_fd = openat(folder->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (folder->lock_fd < 0 || flock(folder->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		err = errno == EWOULDBLOCK ? EBUSY : errno;
		if (err == EBUSY && pread(folder->lock_fd, text, sizeof(text) - 1, 0) > 0)
			*pid = (pid_t)strtol(text, NULL, 10);
		folder_close(folder);
		return -err;
	}
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	/* only for the sentence that another exporter says */
	if (ftruncate(folder->lock_fd, 0) == 0 &&
		pwrite(folder->lock_fd, text, strlen(text), 0) < 0)
		ftruncate(folder->lock_fd, 0);
	return 0;
}

void folder_close(struct folder *folder)
{
	if (folder->lock_fd >= 0)
		close(folder->lock_fd);
	if (folder->fd >= 0)
		close(folder->fd);
	folder->fd = folder->lock_fd = -1;
}

/* "SENSOR-20261122T1031Z.jsonl", or that with ".zst". */
static bool parse_name(struct folder_file *file, const struct folder *folder, const char *name)
{
	size_t n = strlen(folder->sensor);
	struct tm tm = { 0 };
	char again[ET_STATS_NAME];
	const char *end;

	if (strncmp(name, folder->sensor, n) != 0 || name[n] != '-')
		return false;
	end = strptime(name + n + 1, "%Y%m%dT%H%MZ.jsonl", &tm);
	if (!end || (*end && strcmp(end, ".zst") != 0))
		return false;
	*file = (struct folder_file){ .minute_ns = (int64_t)timegm(&tm) * ET_NS_PER_S,
		.packed = *end };
	et_stats_minute_name(again, folder->sensor, file->minute_ns);
	return strncmp(again, name, (size_t)(end - name)) == 0; /* strptime takes much */
}

/* ".NAME.PID.tmp" of a process that is no more, or of one that had our number. */
static bool is_left_behind(const struct folder *folder, const char *name)
{
	char copy[NAME_CAP], *dot;
	struct folder_file file;
	size_t n = strlen(name);
	long pid;

	if (name[0] != '.' || n < 5 || n >= sizeof(copy) || strcmp(name + n - 4, ".tmp") != 0)
		return false;
	memcpy(copy, name + 1, n - 5);
	copy[n - 5] = '\0';
	dot = strrchr(copy, '.');
	if (!dot || strspn(dot + 1, "0123456789") != strlen(dot + 1))
		return false;
	pid = strtol(dot + 1, NULL, 10);
	*dot = '\0';
	return parse_name(&file, folder, copy) && pid > 0 &&
	       (pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH));
}

static DIR *open_again(const struct folder *folder)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

void folder_sweep(const struct folder *folder)
{
	DIR *dir = open_again(folder);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (is_left_behind(folder, entry->d_name))
			unlinkat(folder->fd, entry->d_name, 0);
	closedir(dir);
}

static int file_cmp(const void *a, const void *b)
{
	const struct folder_file *x = a, *y = b;

	if (x->minute_ns != y->minute_ns)
		return x->minute_ns < y->minute_ns ? -1 : 1;
	return x->packed - y->packed;
}

int folder_list(struct folder_file **files, size_t *cnt, const struct folder *folder, bool sizes)
{
	DIR *dir = open_again(folder);
	struct dirent *entry;
	size_t cap = 0;
	int err;

	*files = NULL;
	*cnt = 0;
	if (!dir)
		return -errno;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		struct folder_file file;
		struct stat st;

		if (!parse_name(&file, folder, entry->d_name))
			continue;
		if (sizes && fstatat(folder->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			file.bytes = (uint64_t)st.st_size;
		if (*cnt == cap) {
			struct folder_file *more;

			cap = cap ? cap * 2 : 1024;
			more = reallocarray(*files, cap, sizeof(*more));
			if (!more) {
				errno = ENOMEM;
				break;
			}
			*files = more;
		}
		(*files)[(*cnt)++] = file;
	}
	err = errno;
	closedir(dir);
	if (err) {
		free(*files);
		*files = NULL;
		*cnt = 0;
	} else if (*cnt > 1) {
		qsort(*files, *cnt, sizeof(**files), file_cmp);
	}
	return -err;
}

static void file_name(
	char out[static NAME_CAP], const struct folder *folder, const struct folder_file *file)
{
	char plain[ET_STATS_NAME];

	et_stats_minute_name(plain, folder->sensor, file->minute_ns);
	snprintf(out, NAME_CAP, "%s%s", plain, file->packed ? ".zst" : "");
}

/* Unpacks the beginning of a file. The number of bytes, 0 if it cannot be. */
static size_t unpack(char *out, size_t cap, const char *packed, size_t n)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	ZSTD_inBuffer from = { packed, n, 0 };
	ZSTD_outBuffer to = { out, cap, 0 };
	size_t left = 1, before;

	do {
		before = to.pos + from.pos;
		if (zstd)
			left = ZSTD_decompressStream(zstd, &to, &from);
	} while (zstd && !ZSTD_isError(left) && left > 0 && to.pos < cap &&
		 to.pos + from.pos > before);
	ZSTD_freeDCtx(zstd);
	return to.pos;
}

/* Rows are short as a rule: what is read grows until it holds the first. */
json_t *folder_first_row(const struct folder *folder, const struct folder_file *file)
{
	char name[NAME_CAP], *raw = malloc(ROW_MAX), *text = malloc(ROW_MAX);
	const char *newline = NULL;
	json_t *row = NULL;
	json_error_t error;
	int fd;

	file_name(name, folder, file);
	fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	for (size_t want = 16384; fd >= 0 && raw && text && !newline && want <= ROW_MAX;
		want *= 4) {
		ssize_t n = pread(fd, raw, want, 0);
		size_t len;

		if (n <= 0)
			break;
		len = file->packed ? unpack(text, ROW_MAX, raw, (size_t)n) : (size_t)n;
		newline = memchr(file->packed ? text : raw, '\n', len);
	}
	if (newline) {
		const char *begin = file->packed ? text : raw;

		row = json_loadb(begin, (size_t)(newline - begin), 0, &error);
	}
	if (fd >= 0)
		close(fd);
	free(raw);
	free(text);
	return row;
}

void folder_retain(const struct folder *folder, int64_t before_ns, uint64_t bytes)
{
	struct folder_file *files;
	uint64_t sum = 0;
	size_t cnt;

	if (folder_list(&files, &cnt, folder, true) != 0)
		return;
	for (size_t i = 0; i < cnt; i++)
		sum += files[i].bytes;
	for (size_t i = 0; i + 1 < cnt; i++) {
		char name[NAME_CAP];

		if (files[i].minute_ns >= before_ns && (bytes == 0 || sum <= bytes))
			break;
		file_name(name, folder, &files[i]);
		if (unlinkat(folder->fd, name, 0) == 0)
			sum -= files[i].bytes;
	}
	free(files);
}
