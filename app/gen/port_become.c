/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_become.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "ehlotap-gen-port"

bool gen_port_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--port") == 0 || strncmp(argv[i], "--port=", 7) == 0)
			return true;
	return false;
}

/* Beside this program, else where both were installed, else in PATH: as `ehlotap` finds it. */
int gen_port_become(char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	if (slash) {
		snprintf(path, sizeof(path), "%.*s/" NAME, (int)(slash - self), self);
		execv(path, argv);
	}
	execv(ET_LIBEXECDIR "/" NAME, argv);
	execvp(NAME, argv);
	fprintf(stderr,
		"ehlotap gen: --port needs the program " NAME
		", which cannot be run (%s); is it installed?\n",
		strerror(errno));
	return 2;
}
