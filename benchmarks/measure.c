/*
 * measure: runs a command and writes what it cost, as one line: wall, user and system seconds,
 * peak resident KiB, exit code.
 *
 * A small parent is the point: Linux counts the memory of the process that forked into the peak of
 * the one that was executed, so that under an interpreter every small program would look as large
 * as the interpreter.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage ru;
	double start;
	FILE *out;
	pid_t pid;
	int status;

	if (argc < 3) {
		fputs("usage: measure RESULT COMMAND [ARGUMENT]...\n", stderr);
		return 2;
	}
	start = now_s();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &ru) != pid) {
		perror("measure");
		return 2;
	}
	start = now_s() - start;
	out = fopen(argv[1], "w");
	if (!out) {
		perror(argv[1]);
		return 2;
	}
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(out, "%.6f %.6f %.6f %ld %d\n", start, seconds(ru.ru_utime), seconds(ru.ru_stime),
		ru.ru_maxrss, status);
	return fclose(out) ? 2 : 0;
}
