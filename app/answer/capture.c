/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture.h"

/*
 * Captures are read by a program of their own, ehlotap-read, into a folder of their own: what is
 * answered rests on the very minute files that one would have kept, by the one path that is tested
 * for them; and what parses packets of strangers, with its threads and its memory, is not in the
 * process that holds the archive. The folder is removed before anything is answered, and by
 * SIGINT, SIGTERM and SIGHUP too.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALS 3
static const int signals[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* What the handler does: it notes the signal, and passes it on. */
static volatile sig_atomic_t came;
static volatile sig_atomic_t child;

static void on_signal(int signal)
{
	came = signal;
	if (child > 0)
		kill((pid_t)child, SIGTERM);
}

/* Tries folder/ehlotap-read; returns only when that cannot be run. */
static void become(const char *folder, int folder_len, char **argv)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%.*s/ehlotap-read", folder_len, folder) <
		(int)sizeof(path))
		execv(path, argv);
}

static void run(char **argv, const sigset_t *mask)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (slash)
		become(self, (int)(slash - self), argv);
	become(ET_LIBEXECDIR, (int)strlen(ET_LIBEXECDIR), argv);
	execvp("ehlotap-read", argv);
	fprintf(stderr, "ehlotap: cannot run ehlotap-read: %s; is the installation complete?\n",
		strerror(errno));
	_exit(2);
}

/* In the child: a signal before it becomes another program must end it too. */
static void forget_handlers(void)
{
	struct sigaction now;

	for (unsigned i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &now);
		if (now.sa_handler == on_signal)
			signal(signals[i], SIG_DFL);
	}
}

/* Runs it to its end; its exit code, 2 if it has none. */
static int run_and_wait(const struct answer_options *options, char **argv)
{
	sigset_t all, before;
	int status = 0;
	pid_t pid;

	/* a signal between the two must find the child's number */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = came ? -1 : fork();
	if (pid == 0) {
		forget_handlers();
		run(argv, &before);
	}
	child = pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0 && came)
		return 2;
	if (pid < 0) {
		fprintf(stderr, "%s: cannot start ehlotap-read: %s\n", options->program,
			strerror(errno));
		return 2;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (!came)
		fprintf(stderr, "%s: ehlotap-read was ended by signal %d\n", options->program,
			WTERMSIG(status));
	return 2;
}

static char **arguments(
	const struct answer_options *options, char *folder, const char *const *paths, size_t cnt)
{
	char **argv = calloc(cnt + 2 * options->gateways_cnt + 16, sizeof(*argv));
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = (char *)"ehlotap-read";
	argv[n++] = (char *)"--quiet";
	argv[n++] = (char *)"--minutes";
	argv[n++] = folder;
	argv[n++] = (char *)"--sensor";
	argv[n++] = (char *)(uintptr_t)(options->sensor ? options->sensor : "capture");
	for (size_t i = 0; i < options->gateways_cnt; i++) {
		argv[n++] = (char *)"--gateway";
		argv[n++] = (char *)(uintptr_t)options->gateways[i];
	}
	if (options->ports) {
		argv[n++] = (char *)"--ports";
		argv[n++] = (char *)(uintptr_t)options->ports;
	}
	argv[n++] = (char *)"--";
	for (size_t i = 0; i < cnt; i++)
		argv[n++] = (char *)(uintptr_t)paths[i];
	return argv;
}

static int is_file(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Reads what is in the folder, if anything is wanted of it still, and removes the folder. */
static int take_folder(struct et_archive *archive, const char *folder, bool wanted)
{
	struct dirent **entries;
	int cnt = scandir(folder, &entries, is_file, alphasort), rc = 0;

	for (int i = 0; i < cnt; i++) {
		char path[PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
			(int)sizeof(path)) {
			if (wanted && !came && rc != -ENOMEM && entries[i]->d_name[0] != '.') {
				int one = et_archive_add_file(archive, path);

				rc = one == 0 ? rc : one == -ENOMEM ? one : 1;
			}
			unlink(path);
		}
		free(entries[i]);
	}
	if (cnt >= 0)
		free(entries);
	rmdir(folder);
	return rc;
}

static void set_handlers(struct sigaction before[static SIGNALS])
{
	struct sigaction action = { .sa_handler = on_signal };

	came = 0;
	for (unsigned i = 0; i < SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN) /* nohup */
			sigaction(signals[i], &action, NULL);
	}
}

/* Puts back what was there; a signal that came meanwhile does now what it was to do. */
static void reset_handlers(const struct sigaction before[static SIGNALS])
{
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	if (came)
		raise(came);
}

int capture_load(struct et_archive *archive, const struct answer_options *options,
	const char *const *paths, size_t cnt)
{
	const char *temp = getenv("TMPDIR");
	struct sigaction before[SIGNALS];
	char folder[PATH_MAX];
	char **argv;
	int code = 2, rc;

	if (!temp || !*temp)
		temp = "/tmp";
	if (snprintf(folder, sizeof(folder), "%s/ehlotap-XXXXXX", temp) >= (int)sizeof(folder))
		return 2;
	argv = arguments(options, folder, paths, cnt);
	if (!argv)
		return -ENOMEM;
	set_handlers(before);
	if (!mkdtemp(folder)) { /* for this user alone: names of peers are nobody else's affair */
		fprintf(stderr, "%s: cannot make a folder in %s: %s\n", options->program, temp,
			strerror(errno));
	} else {
		code = run_and_wait(options, argv);
		rc = take_folder(archive, folder, code == 0 || code == 1);
		if (rc != 0 && code == 0)
			code = rc;
	}
	reset_handlers(before);
	free(argv);
	return code;
}
