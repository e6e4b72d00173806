/* SPDX-License-Identifier: BSD-3-Clause */

/* Runs a fuzz target over the files of a folder, so that each once found input stays a test. */

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The target reads an exact copy, so that a sanitizer sees a read beyond the end. */
static int replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	size_t n;
	long end;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0)
		return 1;
	n = (size_t)end;
	bytes = malloc(n ? n : 1);
	rewind(file);
	if (!bytes || fread(bytes, 1, n, file) != n)
		return 1;
	fclose(file);
	LLVMFuzzerTestOneInput(bytes, n);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	struct dirent *entry;
	char path[4096];
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (!dir) {
		fprintf(stderr, "usage: replay FOLDER\n");
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (replay(path) == 0)
			passed++;
		else
			failed++;
	}
	closedir(dir);
	printf("%u passed, %u failed\n", passed, failed);
	return passed == 0 || failed > 0;
}
