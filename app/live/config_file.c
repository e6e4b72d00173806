/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The configuration file. inih cuts lines into section, key and value; it is handed one line at a
 * time, so that every refusal has its line number and reading ends with the first.
 */

#include "config_keys.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
	struct config *config;
	const char *path;
	FILE *file;
	char *line; /* of getline */
	size_t cap;
	int number;  /* of the line */
	int refused; /* number of the line that was refused; 0: none */
	char *error;
	bool *seen; /* [config_keys_cnt] */
};

__attribute__((format(printf, 2, 3))) static void refuse(
	struct reader *reader, const char *format, ...)
{
	char why[CONFIG_ERROR];
	va_list args;

	if (reader->refused)
		return;
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	reader->refused = reader->number;
	snprintf(reader->error, CONFIG_ERROR, "%.200s:%d: %.300s", reader->path, reader->number,
		why);
}

/* The section's keys, or all sections if it is NULL, as a list. */
static const char *allowed(char out[static 256], const char *section)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < config_keys_cnt && n < 256; i++) {
		const struct config_key *key = &config_keys[i];
		const char *word = section ? key->name : key->section;

		if (section ? strcmp(key->section, section) != 0
			    : i > 0 && strcmp(key[-1].section, key->section) == 0)
			continue;
		n += (size_t)snprintf(out + n, 256 - n, "%s%s%s%s", n ? ", " : "",
			section ? "" : "[", word, section ? "" : "]");
	}
	return out;
}

static bool known(const char *section)
{
	for (size_t i = 0; i < config_keys_cnt; i++)
		if (strcmp(config_keys[i].section, section) == 0)
			return true;
	return false;
}

/* "[name]" at the begin of a line: what inih tells only with the first key in it. */
static void check_section(struct reader *reader, const char *line)
{
	size_t n = strcspn(line + 1, "]");
	char name[CONFIG_SHOWN], shown[CONFIG_SHOWN], list[256];

	if (line[1 + n] != ']')
		return; /* inih refuses it */
	snprintf(name, sizeof(name), "%.*s", (int)(n < 100 ? n : 100), line + 1);
	if (!known(name))
		refuse(reader, "unknown section [%.40s]; there are %s", config_show(shown, name),
			allowed(list, NULL));
}

/* fgets for inih: one line without its margin, which inih would take for a continuation. */
static char *next_line(char *out, int room, void *stream)
{
	struct reader *reader = stream;
	ssize_t n = reader->refused ? -1 : getline(&reader->line, &reader->cap, reader->file);
	const char *line = reader->line;

	if (n < 0)
		return NULL;
	reader->number++;
	if (memchr(line, '\0', (size_t)n)) {
		refuse(reader, "a NUL byte: this is no text file");
		return NULL;
	}
	if (reader->number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0)
		line += 3;
	line += strspn(line, " \t\r\n");
	if (*line == '#' || *line == ';')
		line = "";
	if (*line == '[')
		check_section(reader, line);
	if (strlen(line) + 3 > (size_t)room)
		refuse(reader, "the line is too long: %d bytes at most", room - 3);
	if (reader->refused)
		return NULL;
	snprintf(out, (size_t)room, "%s%s", line, *line ? "" : "\n");
	return out;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;
	char shown[CONFIG_SHOWN], why[CONFIG_ERROR], list[256];

	for (size_t i = 0; i < config_keys_cnt; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0)
			continue;
		if (reader->seen[i] && !config_is_list(key))
			refuse(reader, "%s is set a second time", name);
		else if (config_set(reader->config, why, key, value ? value : "") != 0)
			refuse(reader, "%s %.270s", name, why);
		reader->seen[i] = true;
		return !reader->refused;
	}
	config_show(shown, name);
	if (*section)
		refuse(reader, "unknown key \"%.40s\" in [%s]; allowed: %s", shown, section,
			allowed(list, section));
	else
		refuse(reader, "the key \"%.40s\" stands before any section; there are %s", shown,
			allowed(list, NULL));
	return 0;
}

static int parse(struct reader *reader)
{
	int rc = ini_parse_stream(next_line, reader, take, reader);

	if (rc < 0)
		snprintf(reader->error, CONFIG_ERROR, "%.200s: no memory to read it", reader->path);
	else if (rc > 0 && (!reader->refused || rc < reader->refused))
		snprintf(reader->error, CONFIG_ERROR,
			"%.200s:%d: neither \"[section]\" nor \"key = value\" nor a # comment",
			reader->path, rc);
	else if (!reader->refused && ferror(reader->file))
		snprintf(reader->error, CONFIG_ERROR, "cannot read %.200s: %s", reader->path,
			strerror(errno));
	else
		return reader->refused ? -1 : 0;
	return -1;
}

int config_file(struct config *config, char error[static CONFIG_ERROR], const char *path)
{
	struct reader reader = { .config = config, .path = path, .error = error };
	struct stat st;
	int rc = -1;

	reader.file = fopen(path, "re");
	reader.seen = calloc(config_keys_cnt, sizeof(*reader.seen));
	if (!reader.file)
		snprintf(error, CONFIG_ERROR, "cannot read %.200s: %s", path, strerror(errno));
	else if (fstat(fileno(reader.file), &st) == 0 && S_ISDIR(st.st_mode))
		snprintf(error, CONFIG_ERROR, "cannot read %.200s: it is a folder", path);
	else if (!reader.seen)
		snprintf(error, CONFIG_ERROR, "%.200s: no memory to read it", path);
	else
		rc = parse(&reader);
	if (reader.file)
		fclose(reader.file);
	free(reader.line);
	free(reader.seen);
	return rc;
}
