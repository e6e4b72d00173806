/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap: finds the program of a subcommand and becomes it, as git does. Each subcommand is a
 * program ehlotap-NAME beside this one, else in the folder where it was installed, else in PATH.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *does;
} commands[] = {
	{ "read", "analyze capture files: who spoke TLS, who did not, and why" },
	{ "live", "capture from DPDK ports into rings in shared memory" },
	{ "export", "write what live has seen into one file per minute" },
	{ "explain", "why peers did not come to TLS, and what to change" },
	{ "whatif", "who would lose or gain TLS if the servers had other settings" },
	{ "advise", "the certificates and the policy that keep all peers" },
	{ "grade", "how good the TLS of each server is, by what it negotiated" },
	{ "fallback", "who goes on in clear after failed TLS, and how long after" },
	{ "tlsrpt", "TLS reports (RFC 8460) of what was seen on the wire" },
	{ "gen", "make mail traffic of any size, with its truth" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "Usage: ehlotap COMMAND [OPTION]...\n"
		    "Mail TLS as seen on the wire.\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].does);
	fprintf(to, "\nStart with:  ehlotap read FILE.pcap\n"
		    "Each command has --help and a manual page: man ehlotap-read\n");
}

/* Tries folder/ehlotap-name; returns only when that cannot be run. */
static void become(const char *folder, int folder_len, const char *name, char **argv)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%.*s/ehlotap-%s", folder_len, folder, name) <
		(int)sizeof(path))
		execv(path, argv);
}

static int run(const char *name, char **argv)
{
	char self[PATH_MAX], file[64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	if (slash)
		become(self, (int)(slash - self), name, argv);
	become(ET_LIBEXECDIR, (int)strlen(ET_LIBEXECDIR), name, argv);
	if (snprintf(file, sizeof(file), "ehlotap-%s", name) < (int)sizeof(file))
		execvp(file, argv);
	fprintf(stderr, "ehlotap: cannot run ehlotap-%s: %s; is the installation complete?\n", name,
		strerror(errno));
	return 2;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (!name) {
		usage(stderr);
		return 2;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		puts("ehlotap " ET_VERSION);
		return 0;
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(name, commands[i].name) == 0)
			return run(name, argv + 1);
	fprintf(stderr, "ehlotap: there is no command \"%s\"\nTry: ehlotap --help\n", name);
	return 2;
}
