/* SPDX-License-Identifier: BSD-3-Clause */

/* Policies: files of key = value, read by inih. policies/README says what they hold. */

#include "grade_parts.h"
#include "grade_folder.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_PATH 4096
#define FEW_MAX     1000000

struct reader {
	struct et_grade_policy *policy;
	const char *folder;
	FILE *file;
	int line, refused; /* number of the line under way; of the one that was refused, 0: none */
	bool may_base;     /* `like` may stand here: in a file that is not itself a base */
	bool base_is_late; /* something stood before `like` that it would undo */
	char *error;
};

static bool refuse(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static bool refuse(struct reader *reader, const char *format, ...)
{
	va_list args;

	if (reader->refused)
		return false;
	reader->refused = reader->line;
	va_start(args, format);
	vsnprintf(reader->error, ET_GRADE_ERROR, format, args);
	va_end(args);
	return false;
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
		refuse(reader, "the line is too long");
	return line;
}

/* The next part of a value, up to the bar, without blanks around it; "" behind the last. */
static void part(char *out, size_t cap, const char **at)
{
	size_t n;

	*at += strspn(*at, " \t");
	n = strcspn(*at, "|");
	snprintf(out, cap, "%.*s", (int)n, *at);
	*at += n + ((*at)[n] == '|');
	for (n = strlen(out); n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'); n--)
		out[n - 1] = '\0';
}

/* SEVERITY [| CAP [| REFERENCE]] */
static bool read_rule(struct reader *reader, struct et_grade_rule *rule, const char *value)
{
	char word[32];
	unsigned severity = 0;

	if (strlen(value) >= ET_GRADE_REFERENCE)
		return refuse(reader, "the value is too long");
	part(word, sizeof(word), &value);
	while (severity < ET_GRADE_SEVERITIES &&
		strcmp(et_grade_severity_name((enum et_grade_severity)severity), word) != 0)
		severity++;
	if (severity == ET_GRADE_SEVERITIES)
		return refuse(reader,
			"\"%s\" is no severity: off, info, low, medium, high or critical", word);
	*rule = (struct et_grade_rule){ .severity = (enum et_grade_severity)severity };
	part(word, sizeof(word), &value);
	if (word[0] && strcmp(word, "-") != 0) {
		if (word[0] < 'A' || word[0] > 'F' || word[1])
			return refuse(reader, "\"%s\" is no grade: A to F, or - for no cap", word);
		rule->cap = word[0];
	}
	part(rule->reference, sizeof(rule->reference), &value);
	return *value == '\0' || refuse(reader, "there is more behind the reference");
}

static bool take_rule(struct reader *reader, unsigned role, const char *name, const char *value)
{
	for (size_t i = 0; et_grade_predicates[i].id; i++)
		if (strcmp(et_grade_predicates[i].id, name) == 0 &&
			et_grade_predicates[i].of_client == (role == ET_GRADE_CLIENT)) {
			reader->base_is_late = true;
			return read_rule(reader, &reader->policy->rules[role][i], value);
		}
	return refuse(reader, "there is no predicate '%.60s' in [%s]", name,
		et_grade_role_name((enum et_grade_role)role));
}

static int read_file(struct et_grade_policy *out, char *error, const char *folder, const char *name,
	bool may_base);

static bool take_base(struct reader *reader, const char *name)
{
	struct et_grade_policy *policy = reader->policy;
	char why[ET_GRADE_ERROR], summary[sizeof(policy->summary)], source[sizeof(policy->source)];

	if (!reader->may_base)
		return refuse(reader, "a policy that another one is like has no 'like' itself");
	if (reader->base_is_late)
		return refuse(reader, "'like' has to stand before all rules and lists");
	if (strchr(name, '/'))
		return refuse(reader, "'like' takes the name of a policy, not a path");
	/* what stands under [about] is each file's own */
	memcpy(summary, policy->summary, sizeof(summary));
	memcpy(source, policy->source, sizeof(source));
	/* the second file has no `like`: this goes one step deep */
	if (read_file(reader->policy, why, reader->folder, name, false) != 0)
		return refuse(reader, "like: %.200s", why);
	memcpy(policy->summary, summary, sizeof(summary));
	memcpy(policy->source, source, sizeof(source));
	return true;
}

/* Names with blanks between them, by the number that each stands for; more lines add to it. */
static bool take_list(struct reader *reader, uint16_t *list, size_t *cnt, const char *value,
	bool (*find)(uint32_t *out, const char *name))
{
	char word[96];

	reader->base_is_late = true;
	while (*(value += strspn(value, " \t"))) {
		size_t n = strcspn(value, " \t");
		uint32_t id;

		snprintf(word, sizeof(word), "%.*s", (int)n, value);
		value += n;
		if (!find(&id, word) || id > UINT16_MAX)
			return refuse(reader, "\"%.80s\" is no name of IANA's", word);
		if (*cnt == ET_GRADE_SUITES)
			return refuse(reader, "more than %d names", ET_GRADE_SUITES);
		list[(*cnt)++] = (uint16_t)id;
	}
	return true;
}

static bool find_cipher(uint32_t *out, const char *name)
{
	return et_archive_cipher_id(out, name);
}

static bool find_group(uint32_t *out, const char *name)
{
	uint16_t id = 0;
	bool found = et_archive_group_id(&id, name);

	*out = id;
	return found;
}

static bool take_policy(struct reader *reader, const char *name, const char *value)
{
	struct et_grade_policy *policy = reader->policy;
	char *end;

	if (strcmp(name, "like") == 0)
		return take_base(reader, value);
	if (strcmp(name, "few") == 0) {
		unsigned long few = strtoul(value, &end, 10);

		reader->base_is_late = true;
		if (*value < '0' || *value > '9' || *end || few > FEW_MAX)
			return refuse(reader, "few takes a number up to %d", FEW_MAX);
		policy->few = (uint32_t)few;
		return true;
	}
	if (strcmp(name, "suites") == 0)
		return take_list(reader, policy->suites, &policy->suites_cnt, value, find_cipher);
	if (strcmp(name, "groups") == 0)
		return take_list(reader, policy->groups, &policy->groups_cnt, value, find_group);
	return refuse(reader, "there is no key '%.60s' in [policy]", name);
}

static bool take_about(struct reader *reader, const char *name, const char *value)
{
	struct et_grade_policy *policy = reader->policy;
	bool source = strcmp(name, "source") == 0;
	char *to = source ? policy->source : policy->summary;
	size_t cap = source ? sizeof(policy->source) : sizeof(policy->summary), n = strlen(to);

	if (strcmp(name, "date") == 0)
		return true;
	if (!source && strcmp(name, "summary") != 0)
		return refuse(reader, "there is no key '%.60s' in [about]", name);
	if (n + 1 + strlen(value) >= cap)
		return refuse(reader, "the value is too long");
	snprintf(to + n, cap - n, "%s%s", n > 0 ? " " : "", value);
	return true;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;

	if (strcmp(section, "about") == 0)
		return take_about(reader, name, value);
	if (strcmp(section, "policy") == 0)
		return take_policy(reader, name, value);
	for (unsigned role = 0; role < ET_GRADE_ROLES; role++)
		if (strcmp(section, et_grade_role_name((enum et_grade_role)role)) == 0)
			return take_rule(reader, role, name, value);
	return refuse(reader, "there is no section [%.40s]: about, policy, mta, msa, mda, client",
		section);
}

static int read_file(struct et_grade_policy *out, char *error, const char *folder, const char *name,
	bool may_base)
{
	char path[POLICY_PATH], why[ET_GRADE_ERROR] = "";
	struct reader reader = {
		.policy = out, .folder = folder, .may_base = may_base, .error = why
	};
	int line;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.ini", folder, name);
	reader.file = fopen(path, "r");
	if (!reader.file) {
		int rc = -errno;

		snprintf(error, ET_GRADE_ERROR, "no policy '%.80s': %.120s: %s", name, path,
			strerror(-rc));
		return rc;
	}
	line = ini_parse_stream(read_line, &reader, take, &reader);
	fclose(reader.file);
	if (reader.refused || line != 0) {
		snprintf(error, ET_GRADE_ERROR, "%.120s:%d: %.180s", path,
			reader.refused ? reader.refused : line,
			reader.refused ? why : "neither [section] nor key = value");
		return -EINVAL;
	}
	return 0;
}

const char *et_grade_folder(void)
{
	static char folder[ET_DATA_FOLDER];

	et_data_folder(folder, "EHLOTAP_POLICIES", ET_GRADE_FOLDER, "lib/grade/policies");
	return folder;
}

int et_grade_policy_load(struct et_grade_policy *out, char error[static ET_GRADE_ERROR],
	const char *folder, const char *name)
{
	const char *slash = strrchr(name, '/');
	int rc;

	memset(out, 0, sizeof(*out));
	error[0] = '\0';
	rc = read_file(out, error, folder, name, true);
	snprintf(out->name, sizeof(out->name), "%s", slash ? slash + 1 : name);
	return rc;
}
