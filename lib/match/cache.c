/* SPDX-License-Identifier: BSD-3-Clause */
#include "cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "et_match.h"
#include "patterns.h"

#define MAGIC   "ehlotap hs cache"
#define MAX_LEN (64u << 20)

struct head {
	char magic[16];
	char version[64];  /* of Hyperscan */
	uint64_t table;    /* hash of the pattern table */
	uint64_t cpu;      /* what hs_populate_platform says of it */
	uint64_t len, sum; /* of the bytes that follow */
};

static uint64_t table_hash(void)
{
	uint64_t hash = 0;

	for (unsigned i = 0; i < patterns_cnt; i++) {
		const struct pattern *p = &patterns[i];

		hash = et_hash(p->regex, strlen(p->regex), hash ^ p->flags);
	}
	return hash;
}

static bool make_head(struct head *head, const void *bytes, size_t len)
{
	hs_platform_info_t cpu;

	*head = (struct head){ .table = table_hash(), .len = len };
	memcpy(head->magic, MAGIC, sizeof(head->magic));
	snprintf(head->version, sizeof(head->version), "%s", hs_version());
	if (hs_populate_platform(&cpu) != HS_SUCCESS)
		return false;
	head->cpu = (uint64_t)cpu.tune << 32 ^ cpu.cpu_features;
	head->sum = et_hash(bytes, len, 0);
	return true;
}

static bool is_ours(int fd, size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		st.st_mode & (S_IWGRP | S_IWOTH) || st.st_size <= (off_t)sizeof(struct head) ||
		st.st_size > (off_t)MAX_LEN)
		return false;
	*len = (size_t)st.st_size - sizeof(struct head);
	return true;
}

/* The whole of n bytes or nothing. */
static bool read_all(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, (char *)to + at, n - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t put = write(fd, (const char *)from + at, n - at);

		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

hs_database_t *cache_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct head head, want;
	hs_database_t *hs = NULL;
	char *bytes = NULL;
	size_t len = 0;

	if (fd < 0)
		return NULL;
	if (is_ours(fd, &len) && read_all(fd, &head, sizeof(head)) &&
		(bytes = malloc(len)) != NULL && read_all(fd, bytes, len) &&
		make_head(&want, bytes, len) && memcmp(&head, &want, sizeof(head)) == 0 &&
		hs_deserialize_database(bytes, len, &hs) != HS_SUCCESS)
		hs = NULL;
	free(bytes);
	close(fd);
	return hs;
}

void cache_store(const char *path, const hs_database_t *hs)
{
	char tmp[4096];
	struct head head;
	char *bytes = NULL;
	size_t len = 0;
	int fd;

	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= (int)sizeof(tmp) ||
		hs_serialize_database(hs, &bytes, &len) != HS_SUCCESS)
		return;
	fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600 */
	if (fd >= 0) {
		bool whole = make_head(&head, bytes, len) && write_all(fd, &head, sizeof(head)) &&
			     write_all(fd, bytes, len);

		close(fd);
		if (!whole || rename(tmp, path) != 0)
			unlink(tmp);
	}
	free(bytes);
}
