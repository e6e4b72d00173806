/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"

#define PROGRAM "ehlotap live"

/* getopt_long's values: keys from OPT_KEY, two each; the second one is --no-KEY */
enum { OPT_CONFIG = 256, OPT_CHECK, OPT_KEY };

#define OPTIONS_MAX 96

/* What the command line says, before it is said to the configuration. */
struct line {
	int eal; /* argv[1 .. eal] belongs to EAL */
	bool check;
	const char *file;
	size_t cnt; /* of settings */
	struct {
		int key, no;
		const char *text;
	} * settings; /* room for argc */
};

__attribute__((format(printf, 1, 2))) static int mistake(const char *format, ...)
{
	va_list args;

	fputs(PROGRAM ": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs("\n", stderr);
	return 2;
}

static int usage_mistake(void)
{
	fputs("Try: " PROGRAM " --help\n", stderr);
	return 2;
}

/* All options, and below `names` the text of those that begin with no-. */
static void make_options(struct option options[static OPTIONS_MAX], char names[][40])
{
	size_t n = 0;

	for (size_t i = 0; i < config_keys_cnt; i++) {
		const struct config_key *key = &config_keys[i];
		int yes = key->kind == CONFIG_YES;

		if (!key->option)
			continue;
		options[n++] = (struct option){ key->option, yes ? no_argument : required_argument,
			NULL, OPT_KEY + 2 * (int)i };
		if (!yes)
			continue;
		snprintf(names[i], sizeof(names[i]), "no-%s", key->option);
		options[n++] =
			(struct option){ names[i], no_argument, NULL, OPT_KEY + 2 * (int)i + 1 };
	}
	options[n++] = (struct option){ "config", required_argument, NULL, OPT_CONFIG };
	options[n++] = (struct option){ "check", no_argument, NULL, OPT_CHECK };
	options[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	options[n++] = (struct option){ "version", no_argument, NULL, 'V' };
	options[n] = (struct option){ NULL, 0, NULL, 0 };
}

/* Whether EAL cannot mean this argument: it is one of our options and none of EAL's. */
static bool ours(const char *arg, const struct option *options)
{
	static const char *const both[] = { "file-prefix", "no-huge", "help", "version", NULL };
	size_t n = strcspn(arg, "=");

	if (strncmp(arg, "--", 2) != 0)
		return false;
	for (const char *const *name = both; *name; name++)
		if (strlen(*name) == n - 2 && strncmp(*name, arg + 2, n - 2) == 0)
			return false;
	for (; options->name; options++)
		if (strlen(options->name) == n - 2 && strncmp(options->name, arg + 2, n - 2) == 0)
			return true;
	return false;
}

/* How many arguments in front of a "--" belong to EAL. */
static int eal_part(int argc, char **argv, const struct option *options)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return i > 1 && ours(argv[1], options) ? 0 : i - 1;
	return 0;
}

/* -1 to go on, else the exit code. */
static int read_options(struct line *line, int argc, char **argv, const struct option *options)
{
	int opt;

	opterr = 1;
	optind = 0; /* start anew, and so does a second call */
	while ((opt = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (opt) {
		case 'h': config_help(); return 0;
		case 'V': puts("ehlotap " ET_VERSION); return 0;
		case OPT_CONFIG: line->file = optarg; break;
		case OPT_CHECK: line->check = true; break;
		case '?':
			fputs("Arguments for EAL stand in front of a \"--\": " PROGRAM
			      " -l 0,1 -- --port ...\n",
				stderr);
			return usage_mistake();
		default:
			line->settings[line->cnt].key = (opt - OPT_KEY) / 2;
			line->settings[line->cnt].no = (opt - OPT_KEY) % 2;
			line->settings[line->cnt++].text = optarg;
		}
	}
	if (optind < argc) {
		char shown[CONFIG_SHOWN];

		mistake("there is no argument \"%s\"; ports are given by --port, and captures are "
			"read by ehlotap read",
			config_show(shown, argv[optind]));
		return usage_mistake();
	}
	return -1;
}

static int read_line(struct line *line, int argc, char **argv)
{
	static char names[OPTIONS_MAX][40];
	struct option options[OPTIONS_MAX];
	char **rest;
	int rc;

	make_options(options, names);
	line->eal = eal_part(argc, argv, options);
	line->settings = calloc((size_t)argc + 1, sizeof(*line->settings));
	rest = calloc((size_t)argc + 2, sizeof(*rest));
	if (!line->settings || !rest) {
		free(rest);
		return mistake("no memory");
	}
	/* a copy: getopt moves arguments about, and SIGHUP reads them again */
	rest[0] = (char *)PROGRAM;
	int skip = line->eal > 0 ? line->eal + 1 : 0; /* and the "--" */
	for (int i = 1 + skip; i < argc; i++)
		rest[i - skip] = argv[i];
	rc = read_options(line, argc - skip > 0 ? argc - skip : 1, rest, options);
	free(rest);
	return rc;
}

/* Over what the file has said. */
static int apply_line(struct config *config, const struct line *line, char **argv)
{
	char error[CONFIG_ERROR];
	size_t file_args = config->eal_args_cnt;
	bool ports = false;

	for (int i = 1; i <= line->eal; i++) {
		const char *kept = config_keep(config, argv[i]);

		if (!kept || config->eal_args_cnt == CONFIG_ARGS)
			return mistake("more than %d arguments for EAL", CONFIG_ARGS);
		config->eal_args[config->eal_args_cnt++] = kept;
	}
	if (config_eal_has(config, file_args, config_eal_ports))
		config->ports_cnt = 0;
	for (size_t i = 0; i < line->cnt; i++) {
		const struct config_key *key = &config_keys[line->settings[i].key];
		const char *text = line->settings[i].text;

		if (key->kind == CONFIG_YES)
			text = line->settings[i].no ? "no" : "yes";
		if (key->kind == CONFIG_PORT && !ports) {
			config->ports_cnt = 0;
			ports = true;
		}
		if (config_set(config, error, key, text) != 0) {
			mistake("--%s %s", key->option, error);
			return usage_mistake();
		}
	}
	return -1;
}

/* What would be used, as a file that can be read again. */
static void print_check(const struct config *config)
{
	const char *args[CONFIG_ARGS * 2];
	size_t cnt = config_eal(config, args);

	for (size_t i = 0; i < config_keys_cnt; i++) {
		if (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0)
			printf("%s[%s]\n", i ? "\n" : "", config_keys[i].section);
		config_print(stdout, config, &config_keys[i]);
	}
	printf("\n# for EAL:");
	for (size_t i = 0; i < cnt; i++)
		printf(" %s", args[i]);
	putchar('\n');
}

static int read_all(struct config *config, struct line *line)
{
	char error[CONFIG_ERROR];
	int rc = read_line(line, config->argc, config->argv);

	if (rc >= 0)
		return rc;
	if (config_preset(config, error) != 0)
		return mistake("%s", error);
	config->file = line->file;
	if (line->file && config_file(config, error, line->file) != 0)
		return mistake("%s", error);
	rc = apply_line(config, line, config->argv);
	if (rc >= 0)
		return rc;
	if (config_finish(config, error) != 0)
		return mistake("%s", error);
	return -1;
}

int config_read(struct config *config, int argc, char **argv)
{
	struct line line = { 0 };
	int rc;

	*config = (struct config){ .argc = argc, .argv = argv };
	rc = read_all(config, &line);
	free(line.settings);
	if (rc < 0 && line.check) {
		print_check(config);
		rc = 0;
	}
	return rc;
}

/* The key's value as text; NULL when memory is short. */
static char *printed(const struct config *config, const struct config_key *key)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	config_print(to, config, key);
	return fclose(to) == 0 ? text : (free(text), NULL);
}

static bool same(const struct config *a, const struct config *b, const struct config_key *key)
{
	char *left = printed(a, key), *right = printed(b, key);
	bool equal = left && right && strcmp(left, right) == 0;

	free(left);
	free(right);
	return equal;
}

/* stats, and another file for sessions; whether there is one at all is settled at the start. */
static void take_over(struct config *config, const struct config *now)
{
	const char *kept;

	config->stats_s = now->stats_s;
	if (!config->sessions != !now->sessions) {
		mistake("sessions in [run] was %s: that needs a restart",
			now->sessions ? "none" : "a file");
		return;
	}
	if (!now->sessions || strcmp(config->sessions, now->sessions) == 0)
		return;
	/* the old name is kept until the end, for who is about to open it */
	kept = config_keep(config, now->sessions);
	if (kept)
		config->sessions = kept;
}

int config_reread(struct config *config)
{
	struct config now = { .argc = config->argc, .argv = config->argv };
	struct line line = { 0 };
	int rc = read_all(&now, &line);

	free(line.settings);
	if (rc >= 0) {
		mistake("goes on as it was");
		config_free(&now);
		return -1;
	}
	for (size_t i = 0; i < config_keys_cnt; i++) {
		const struct config_key *key = &config_keys[i];

		if (!key->live && !same(config, &now, key))
			mistake("%s in [%s] has changed: that needs a restart", key->name,
				key->section);
	}
	take_over(config, &now);
	config_free(&now);
	return 0;
}
