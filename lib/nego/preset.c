/* SPDX-License-Identifier: BSD-3-Clause */

/* Presets: files of key = value, read by inih. presets/README says what they hold. */

#include "nego_parts.h"
#include "nego_folder.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRESET_PATH  4096
#define PRESET_VALUE 8192

struct reader {
	struct et_nego_config *config;
	FILE *file;
	int line, refused; /* number of the line under way; of the one that was refused, 0: none */
	char *error;
	/* a key's value goes on in lines that begin with a blank: it is set when it is whole */
	char key[64], value[PRESET_VALUE];
	int key_line;
};

static void refuse_line(struct reader *reader, int line, const char *why)
{
	if (reader->refused)
		return;
	reader->refused = line;
	snprintf(reader->error, ET_NEGO_ERROR, "%s", why);
}

/* One line for inih, which would cut a long one in two without a word. */
static char *read_line(char *out, int cap, void *stream)
{
	struct reader *reader = stream;
	char *line = fgets(out, cap, reader->file);
	size_t n = line ? strlen(line) : 0;

	if (!line)
		return NULL;
	reader->line++;
	if (n + 1 == (size_t)cap && line[n - 1] != '\n')
		refuse_line(reader, reader->line,
			"the line is too long; go on in the next one, with a blank before it");
	return line;
}

static void set_pending(struct reader *reader)
{
	char why[ET_NEGO_ERROR];

	if (reader->key[0] != '\0' && !reader->refused &&
		et_nego_set(reader->config, why, reader->key, reader->value) != 0)
		refuse_line(reader, reader->key_line, why);
	reader->key[0] = '\0';
}

static void append(struct reader *reader, const char *value)
{
	size_t n = strlen(reader->value), len = strlen(value);

	if (n + 1 + len >= sizeof(reader->value)) {
		refuse_line(reader, reader->line, "the value is too long");
		return;
	}
	snprintf(reader->value + n, sizeof(reader->value) - n, "%s%s", n > 0 ? ":" : "", value);
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;
	bool about = strcmp(section, "preset") == 0;

	if (!about && strcmp(section, "server") != 0) {
		refuse_line(
			reader, reader->line, "there are the sections [preset] and [server] only");
		return 0;
	}
	if (about)
		return 1; /* for people */
	if (strcmp(name, reader->key) == 0) {
		append(reader, value);
		return 1;
	}
	set_pending(reader);
	if (strlen(name) >= sizeof(reader->key)) {
		refuse_line(reader, reader->line, "there is no such option");
		return 0;
	}
	snprintf(reader->key, sizeof(reader->key), "%s", name);
	reader->value[0] = '\0';
	append(reader, value);
	reader->key_line = reader->line;
	return 1;
}

const char *et_nego_folder(void)
{
	static char folder[ET_DATA_FOLDER];

	et_data_folder(folder, "EHLOTAP_PRESETS", ET_NEGO_FOLDER, "lib/nego/presets");
	return folder;
}

int et_nego_preset(struct et_nego_config *config, char error[static ET_NEGO_ERROR],
	const char *folder, const char *preset)
{
	struct et_nego_config changed = *config;
	char path[PRESET_PATH], why[ET_NEGO_ERROR] = "";
	struct reader reader = { .config = &changed, .error = why };
	int line;

	error[0] = '\0';
	if (strchr(preset, '/'))
		snprintf(path, sizeof(path), "%s", preset);
	else
		snprintf(path, sizeof(path), "%s/%s.ini", folder, preset);
	reader.file = fopen(path, "r");
	if (!reader.file) {
		snprintf(error, ET_NEGO_ERROR, "no preset '%.60s': %.100s: %s", preset, path,
			strerror(errno));
		return -ENOENT;
	}
	line = ini_parse_stream(read_line, &reader, take, &reader);
	set_pending(&reader);
	fclose(reader.file);
	if (reader.refused || line != 0) {
		snprintf(error, ET_NEGO_ERROR, "%.100s:%d: %.140s", path,
			reader.refused ? reader.refused : line,
			reader.refused ? why : "neither [section] nor key = value");
		return -EINVAL;
	}
	*config = changed;
	return 0;
}
