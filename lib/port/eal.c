/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * EAL, and why it did not start. EAL gives one errno for many faults and tells the rest to its log,
 * so the log goes through a stream of ours, which hands warnings to standard error and keeps them
 * to be read here. EAL itself is one per process, and so is what stands at file scope.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "port_parts.h"

#define ARGS_MAX 256
#define LOG_KEEP 8192

static struct {
	char *args[ARGS_MAX + 2]; /* EAL keeps pointers into them */
	char *argv[ARGS_MAX + 2]; /* the same, for EAL to reorder */
	char kept[LOG_KEEP];      /* what the log said since the last port_complaint_forget */
	size_t kept_len;
	char line[512]; /* the answer of port_complaint */
	FILE *stream;
	bool keeping; /* only while a call of ours runs: later lines just pass */
	bool muted;
	bool up;
	pthread_mutex_t lock;
} eal = { .lock = PTHREAD_MUTEX_INITIALIZER };

void port_say(const struct et_port_set *set, const char *format, ...)
{
	char sentence[ET_PORT_ERROR];
	va_list args;

	if (!set->say)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	set->say(set->say_ctx, sentence);
}

static ssize_t log_write(void *cookie, const char *text, size_t n)
{
	size_t room;
	bool muted;

	(void)cookie;
	pthread_mutex_lock(&eal.lock);
	muted = eal.muted;
	room = sizeof(eal.kept) - 1 - eal.kept_len;
	if (eal.keeping && n <= room) { /* the first complaints matter most */
		memcpy(eal.kept + eal.kept_len, text, n);
		eal.kept_len += n;
		eal.kept[eal.kept_len] = '\0';
	}
	pthread_mutex_unlock(&eal.lock);
	/* a standard error that is closed is no reason to fail, hence what is returned */
	if (!muted && write(STDERR_FILENO, text, n) < 0)
		return (ssize_t)n;
	return (ssize_t)n;
}

void port_log_mute(bool mute)
{
	fflush(eal.stream);
	pthread_mutex_lock(&eal.lock);
	eal.muted = mute;
	pthread_mutex_unlock(&eal.lock);
}

void port_complaint_forget(void)
{
	pthread_mutex_lock(&eal.lock);
	eal.kept_len = 0;
	eal.kept[0] = '\0';
	eal.keeping = true;
	pthread_mutex_unlock(&eal.lock);
}

/* The line that ends at `end`, without "EAL: " or "function(): " before it and a stop behind. */
static const char *line_before(const char *end)
{
	const char *begin, *function;

	while (end > eal.kept && (end[-1] == '\n' || end[-1] == '.'))
		end--;
	begin = end;
	while (begin > eal.kept && begin[-1] != '\n')
		begin--;
	function = memmem(begin, (size_t)(end - begin), "(): ", 4);
	if (function)
		begin = function + 4;
	else if (end - begin > 5 && !strncmp(begin, "EAL: ", 5))
		begin += 5;
	snprintf(eal.line, sizeof(eal.line), "%.*s", (int)(end - begin), begin);
	return eal.line;
}

const char *port_complaint(void)
{
	if (eal.stream)
		fflush(eal.stream);
	eal.keeping = false;
	return line_before(eal.kept + eal.kept_len);
}

static int open_log(bool levels_given)
{
	eal.stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = log_write });
	if (!eal.stream)
		return -ENOMEM;
	setvbuf(eal.stream, NULL, _IOLBF, 0);
	rte_openlog_stream(eal.stream);
	if (!levels_given)
		rte_log_set_global_level(RTE_LOG_WARNING);
	return 0;
}

static bool has_arg(int cnt, const char *const *args, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < cnt; i++)
		if (!strncmp(args[i], name, n) && (args[i][n] == '\0' || args[i][n] == '='))
			return true;
	return false;
}

/* The value of an option as "--name value" or "--name=value"; "" when it is not there. */
static const char *arg_value(const char *name)
{
	size_t n = strlen(name);

	for (char **arg = eal.args + 1; *arg; arg++) {
		if (!strncmp(*arg, name, n) && (*arg)[n] == '=')
			return *arg + n + 1;
		if (!strcmp(*arg, name) && arg[1])
			return arg[1];
	}
	return "";
}

static void free_args(void)
{
	for (size_t i = 0; i < ARGS_MAX + 2; i++) {
		free(eal.args[i]);
		eal.args[i] = NULL;
	}
}

/*
 * --no-huge and --in-memory exclude each other in this DPDK, though they mean no harm together:
 * without hugepages, what --in-memory adds is that no files are shared.
 */
static int copy_args(int cnt, const char *const *args)
{
	bool no_huge = has_arg(cnt, args, "--no-huge");

	if (cnt > ARGS_MAX)
		return -E2BIG;
	for (int i = -1; i < cnt; i++) {
		const char *arg = i < 0 ? "ehlotap" : args[i];

		if (no_huge && !strcmp(arg, "--in-memory"))
			arg = "--no-shconf";
		eal.args[i + 1] = strdup(arg);
		if (!eal.args[i + 1])
			return -ENOMEM;
		eal.argv[i + 1] = eal.args[i + 1];
	}
	return 0;
}

/* EAL answers a wrong argument with two pages of usage on standard output; they go nowhere. */
static int init_quietly(int cnt, char **args)
{
	bool help = has_arg(cnt, (const char *const *)args, "--help") ||
		    has_arg(cnt, (const char *const *)args, "-h");
	int out = help ? -1 : dup(STDOUT_FILENO);
	int null = out < 0 ? -1 : open("/dev/null", O_WRONLY | O_CLOEXEC);
	int ret;

	fflush(stdout);
	if (null >= 0)
		dup2(null, STDOUT_FILENO);
	ret = rte_eal_init(cnt, args);
	fflush(stdout);
	if (null >= 0)
		dup2(out, STDOUT_FILENO);
	if (null >= 0)
		close(null);
	if (out >= 0)
		close(out);
	return ret;
}

/* Hugepages of any size that the kernel has reserved. */
static unsigned long hugepages(void)
{
	static const char *const files[] = {
		"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
		"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
		"/proc/sys/vm/nr_hugepages",
	};
	unsigned long sum = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *file = fopen(files[i], "re");
		unsigned long n = 0;

		if (file && fscanf(file, "%lu", &n) == 1)
			sum += n;
		if (file)
			fclose(file);
	}
	return sum;
}

static void explain_hugepages(char error[static ET_PORT_ERROR])
{
	if (!hugepages())
		snprintf(error, ET_PORT_ERROR,
			"There are no hugepages; reserve some with: echo 512 > "
			"/proc/sys/vm/nr_hugepages, or run with --no-huge.");
	else if (geteuid())
		snprintf(error, ET_PORT_ERROR,
			"The hugepages are not open to this user; run as root, or mount a "
			"hugetlbfs "
			"that it may write to, or run with --no-huge.");
	else
		snprintf(error, ET_PORT_ERROR,
			"The hugepages cannot be used: all are taken, or no hugetlbfs is mounted "
			"(mount -t hugetlbfs none /dev/hugepages); or run with --no-huge.");
}

static void explain_prefix(char error[static ET_PORT_ERROR])
{
	const char *prefix = arg_value("--file-prefix");

	snprintf(error, ET_PORT_ERROR,
		"Another DPDK process uses the file prefix \"%s\"; stop it, or give this one its "
		"own by --file-prefix NAME.",
		prefix[0] ? prefix : "rte");
}

static void explain_lcores(char error[static ET_PORT_ERROR])
{
	snprintf(error, ET_PORT_ERROR,
		"The core list names a CPU that is not there or is not well written (%s); this "
		"machine has CPUs 0 to %ld, write -l 0,1 or -l 0-3.",
		line_before(eal.kept + strcspn(eal.kept, "\n")), sysconf(_SC_NPROCESSORS_CONF) - 1);
}

static void explain_memory(char error[static ET_PORT_ERROR])
{
	snprintf(error, ET_PORT_ERROR,
		"DPDK got no memory; the host has less than -m or --socket-mem asks for, or the "
		"user's limit (ulimit -v, -l) is lower.");
}

static void explain_driver(char error[static ET_PORT_ERROR])
{
	const char *name = strstr(eal.kept, "failed to parse device \"");
	size_t n;

	name = name ? strchr(name, '"') + 1 : "";
	n = strcspn(name, "\"\n");
	snprintf(error, ET_PORT_ERROR,
		"DPDK has no driver for the device \"%.*s\"; names begin with the driver's, as "
		"net_pcap0, net_af_packet0, net_null0, or are PCI addresses.",
		(int)n, name);
}

static void explain_files(char error[static ET_PORT_ERROR])
{
	snprintf(error, ET_PORT_ERROR,
		"DPDK cannot write its files for processes to share (%s); run as root, or set "
		"XDG_RUNTIME_DIR to a folder of this user, or give --in-memory.",
		port_complaint());
}

static void explain_args(char error[static ET_PORT_ERROR])
{
	const char *line = line_before(eal.kept + strcspn(eal.kept, "\n"));

	if (strstr(line, "Invalid 'command line'"))
		line = "see above";
	snprintf(error, ET_PORT_ERROR,
		"DPDK does not take these arguments (%s); --help after them lists what it takes.",
		line);
}

static void explain_rights(char error[static ET_PORT_ERROR])
{
	snprintf(error, ET_PORT_ERROR,
		"There are hugepages, but this user cannot make files in their folder. Run as "
		"root, "
		"give the user a folder of its own (mount -t hugetlbfs -o uid=USER ... and "
		"--huge-dir), or go without: --no-huge.");
}

/* From words in the log to a sentence; the first that is found. */
static const struct {
	const char *words;
	void (*explain)(char error[static ET_PORT_ERROR]);
} faults[] = {
	{ "Is another primary process running", explain_prefix },
	{ "failed to parse device", explain_driver },
	{ "Cannot get hugepage information", explain_hugepages },
	{ "Couldn't get fd on hugepage file", explain_rights },
	{ "core list", explain_lcores },
	{ "coremask", explain_lcores },
	{ "Main lcore is not enabled", explain_lcores },
	{ "Invalid 'command line' arguments", explain_args },
	{ "Cannot init memory", explain_memory },
	{ "rte_service_init() failed", explain_memory },
	{ "Cannot init memzone", explain_memory },
	{ "mmap() failed", explain_memory },
	{ "Cannot create lock", explain_files },
	{ "runtime directory", explain_files },
	{ "Cannot init config", explain_files },
};

static void explain(char error[static ET_PORT_ERROR], int reason)
{
	const char *last = port_complaint();

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strstr(eal.kept, faults[i].words)) {
			faults[i].explain(error);
			return;
		}
	}
	snprintf(error, ET_PORT_ERROR, "DPDK's EAL did not start: %s.",
		last[0] ? last : rte_strerror(reason));
}

/*
 * EAL counts a vdev that did not start as no failure; who named one wants it. True when there was
 * such a device.
 */
static bool explain_vdev(char error[static ET_PORT_ERROR])
{
	static const char words[] = "failed to initialize ";
	const char *at = strstr(eal.kept, words), *begin = at, *reason;
	int n;

	if (!at)
		return false;
	while (begin > eal.kept && begin[-1] != '\n')
		begin--;
	reason = line_before(begin);
	at += sizeof(words) - 1;
	n = (int)strcspn(at, " \n");
	if (strstr(reason, "ermission") || strstr(reason, "not permitted") ||
		(geteuid() && strstr(reason, "AF_PACKET socket")))
		snprintf(error, ET_PORT_ERROR,
			"The device %.*s did not start for want of rights (%s); run as root, or "
			"with CAP_NET_RAW and CAP_NET_ADMIN.",
			n, at, reason);
	else if (reason[0])
		snprintf(error, ET_PORT_ERROR,
			"The device %.*s did not start: %s; check the names in its --vdev.", n, at,
			reason);
	else
		snprintf(error, ET_PORT_ERROR,
			"The device %.*s did not start; its --vdev has an argument that the driver "
			"does not know.",
			n, at);
	return true;
}

static int explain_lonely(char error[static ET_PORT_ERROR])
{
	snprintf(error, ET_PORT_ERROR,
		"No lcore is left for work: the first one only controls; give at least two, as "
		"-l 0,1, or -l 0@0,1@0 where there is one CPU.");
	return -EINVAL;
}

int et_port_eal(char error[static ET_PORT_ERROR], int cnt, const char *const *args)
{
	int ret = copy_args(cnt, args);

	error[0] = '\0';
	if (!ret)
		ret = open_log(has_arg(cnt, args, "--log-level"));
	if (ret) {
		snprintf(error, ET_PORT_ERROR, "DPDK's arguments: %s.", strerror(-ret));
		free_args();
		return ret;
	}
	port_complaint_forget();
	optind = 1;
	ret = init_quietly(cnt + 1, eal.argv);
	if (ret < 0) {
		explain(error, rte_errno);
		ret = rte_errno > 0 ? -rte_errno : -EINVAL;
	} else {
		port_complaint();
		ret = 0;
		if (explain_vdev(error))
			ret = -ENODEV;
		else if (rte_lcore_count() < 2)
			ret = explain_lonely(error);
		eal.up = true;
		if (ret)
			port_eal_cleanup();
	}
	return ret;
}

/* The arguments and the stream stay: threads of EAL that outlive its cleanup may use them. */
void port_eal_cleanup(void)
{
	if (eal.up)
		rte_eal_cleanup();
	eal.up = false;
}

unsigned et_port_lcores(unsigned lcores[static ET_PORT_LCORES])
{
	unsigned cnt = 0;

	for (unsigned lcore = 0; lcore < RTE_MAX_LCORE && cnt < ET_PORT_LCORES; lcore++)
		if (rte_lcore_is_enabled(lcore) && lcore != rte_get_main_lcore())
			lcores[cnt++] = lcore;
	return cnt;
}
