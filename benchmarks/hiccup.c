/*
 * hiccup: how long does this machine stop a program that does nothing? Spins on one CPU and reads
 * the clock, and prints the longest gap between two readings of each window, in nanoseconds, a line
 * per window. That is what a poll loop's longest round would be on this CPU without any work in it.
 *
 *   hiccup CPU WINDOW_MS WINDOWS
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* The longest gap from `*last_ns` until `end_ns`. */
static int64_t watch(int64_t *last_ns, int64_t end_ns)
{
	int64_t longest = 0;

	while (*last_ns < end_ns) {
		int64_t now = now_ns(), gap = now - *last_ns;

		if (gap > longest)
			longest = gap;
		*last_ns = now;
	}
	return longest;
}

int main(int argc, char **argv)
{
	int64_t last_ns, end_ns;
	cpu_set_t cpu;
	int windows;

	if (argc != 4) {
		fputs("usage: hiccup CPU WINDOW_MS WINDOWS\n", stderr);
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET((size_t)atoi(argv[1]), &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) != 0) {
		perror("hiccup");
		return 2;
	}
	windows = atoi(argv[3]);
	last_ns = end_ns = now_ns();
	for (int i = 0; i < windows; i++) {
		end_ns += atoi(argv[2]) * INT64_C(1000000);
		/* no output in between: writing would be a gap of its own */
		int64_t longest = watch(&last_ns, end_ns);

		printf("%" PRId64 "\n", longest);
		last_ns = now_ns();
	}
	return 0;
}
