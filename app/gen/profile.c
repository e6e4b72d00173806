/* SPDX-License-Identifier: BSD-3-Clause */
#include "profile.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "keys.h"

#define NAME_MAX_LEN 40

struct reader {
	struct gen_profile *profile;
	FILE *file;
	char *line; /* of getline */
	size_t cap;
	int number;  /* of the line */
	int refused; /* number of the line that was refused; 0: none */
	char *error;
	struct gen_kind *kind; /* of the section that is read; NULL: another section */
	bool seen[128];        /* by key; those of a session since its section began */
};

__attribute__((format(printf, 4, 5))) static int complain(char error[static GEN_ERROR],
	const struct gen_profile *profile, int line, const char *format, ...)
{
	char why[400];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (line)
		snprintf(error, GEN_ERROR, "%.200s:%d: %s", profile->path, line, why);
	else
		snprintf(error, GEN_ERROR, "%.200s: %s", profile->path, why);
	return -1;
}

#define refuse(r, ...)                                                                \
	do {                                                                          \
		if (!(r)->refused)                                                    \
			complain((r)->error, (r)->profile, (r)->number, __VA_ARGS__); \
		if (!(r)->refused)                                                    \
			(r)->refused = (r)->number;                                   \
	} while (0)

/* The section's keys, or all sections if it is NULL, as a list. */
static const char *allowed(char *out, size_t cap, const char *section)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < gen_keys_cnt && n < cap; i++) {
		const struct gen_key *key = &gen_keys[i];

		if (section && strcmp(key->section, section) == 0)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", key->name);
		else if (!section && (i == 0 || strcmp(key[-1].section, key->section) != 0))
			n += (size_t)snprintf(out + n, cap - n, "%s[%s%s]", n ? ", " : "",
				key->section, strcmp(key->section, GEN_SESSION) ? "" : " NAME");
	}
	return out;
}

static bool is_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= NAME_MAX_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n;
}

static void begin_kind(struct reader *r, const char *name)
{
	struct gen_profile *p = r->profile;
	struct gen_kind *kind;

	if (!is_name(name)) {
		refuse(r, "a session's name is 1 to %d letters, digits and . _ -, not \"%.60s\"",
			NAME_MAX_LEN, name);
		return;
	}
	if (gen_profile_find(p, name) >= 0) {
		refuse(r, "there is a second [session %s]", name);
		return;
	}
	if (p->kind_cnt == GEN_KINDS_MAX) {
		refuse(r, "more than %d sections [session NAME]", GEN_KINDS_MAX);
		return;
	}
	kind = &p->kinds[p->kind_cnt];
	*kind = (struct gen_kind){ .name = strdup(name), .line = r->number };
	p->kind_cnt++;
	if (!kind->name || gen_key_presets(kind, GEN_SESSION) != 0)
		refuse(r, "no memory");
	for (size_t i = 0; i < gen_keys_cnt; i++)
		if (strcmp(gen_keys[i].section, GEN_SESSION) == 0)
			r->seen[i] = false;
	r->kind = kind;
}

/* "[name]" at the begin of a line: what inih tells only with the first key in it. */
static void begin_section(struct reader *r, const char *line)
{
	size_t n = strcspn(line + 1, "]");
	char name[64], list[256];

	if (line[1 + n] != ']')
		return; /* inih refuses it */
	snprintf(name, sizeof(name), "%.*s", (int)(n < 60 ? n : 60), line + 1);
	r->kind = NULL;
	if (strncmp(name, GEN_SESSION " ", 8) == 0) {
		begin_kind(r, name + 8 + strspn(name + 8, " "));
		return;
	}
	for (size_t i = 0; i < gen_keys_cnt; i++)
		if (strcmp(gen_keys[i].section, name) == 0 && strcmp(name, GEN_SESSION) != 0)
			return;
	refuse(r, "unknown section [%.40s]; there are %s", name, allowed(list, sizeof(list), NULL));
}

/* fgets for inih: one line without its margin, which inih would take for a continuation. */
static char *next_line(char *out, int room, void *stream)
{
	struct reader *r = stream;
	ssize_t n = r->refused ? -1 : getline(&r->line, &r->cap, r->file);
	const char *line = r->line;

	if (n < 0)
		return NULL;
	r->number++;
	if (memchr(line, '\0', (size_t)n)) {
		refuse(r, "a NUL byte: this is no text file");
		return NULL;
	}
	line += strspn(line, " \t\r\n");
	if (*line == '#' || *line == ';')
		line = "";
	if (*line == '[')
		begin_section(r, line);
	if (strlen(line) + 3 > (size_t)room)
		refuse(r, "the line is too long: %d bytes at most", room - 3);
	if (r->refused)
		return NULL;
	snprintf(out, (size_t)room, "%s%s", line, *line ? "" : "\n");
	return out;
}

static int take(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	const char *group = r->kind ? GEN_SESSION : section;
	void *base = r->kind ? (void *)r->kind : (void *)r->profile;
	char why[GEN_ERROR], list[512];

	for (size_t i = 0; i < gen_keys_cnt; i++) {
		if (strcmp(gen_keys[i].section, group) != 0 || strcmp(gen_keys[i].name, name) != 0)
			continue;
		if (r->seen[i])
			refuse(r, "%s is set a second time", name);
		else if (gen_key_set(base, why, &gen_keys[i], value ? value : "") != 0)
			refuse(r, "%s %.300s", name, why);
		r->seen[i] = true;
		return !r->refused;
	}
	if (*section)
		refuse(r, "unknown key \"%.40s\" in [%s]; allowed: %s", name, section,
			allowed(list, sizeof(list), group));
	else
		refuse(r, "the key \"%.40s\" stands before any section; there are %s", name,
			allowed(list, sizeof(list), NULL));
	return 0;
}

static int parse(struct reader *r)
{
	int rc = ini_parse_stream(next_line, r, take, r);

	if (r->refused && (rc <= 0 || rc >= r->refused))
		return -1;
	if (rc < 0)
		return complain(r->error, r->profile, 0, "no memory to read it");
	if (rc > 0)
		return complain(r->error, r->profile, rc,
			"neither \"[section]\" nor \"key = value\" nor a # comment");
	if (ferror(r->file))
		return complain(r->error, r->profile, 0, "cannot be read: %s", strerror(errno));
	return 0;
}

const char *gen_kind_pool(const struct gen_kind *kind)
{
	return kind->servers ? kind->servers : kind->name;
}

bool gen_story_has_tls(enum gen_story story)
{
	return story < GEN_REFUSED;
}

bool gen_protocol_is_implicit(enum gen_protocol protocol)
{
	return protocol == GEN_SMTPS || protocol == GEN_IMAPS || protocol == GEN_POP3S;
}

int gen_profile_find(const struct gen_profile *profile, const char *name)
{
	for (size_t i = 0; i < profile->kind_cnt; i++)
		if (strcmp(profile->kinds[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool has_mask(enum gen_protocol protocol)
{
	return protocol == GEN_SMTP || protocol == GEN_SUBMISSION || protocol == GEN_LMTP;
}

static bool kind_client_cert_fits(const struct gen_kind *kind)
{
	switch ((enum gen_story)kind->story) {
	case GEN_CLIENT_CERT_MISSING: return kind->client_cert == GEN_CLIENT_CERT_ASKED;
	case GEN_CLIENT_CERT_REJECTED: return kind->client_cert == GEN_CLIENT_CERT_SENT;
	default: return true;
	}
}

static int check_teach(const struct gen_profile *p, char *error, const struct gen_kind *kind)
{
	int i = gen_profile_find(p, kind->teach);
	const struct gen_kind *other = i < 0 ? NULL : &p->kinds[i];

	if (!other)
		return complain(error, p, kind->line,
			"[session %s] teach: there is no [session %s]", kind->name, kind->teach);
	if (other->story != GEN_ESTABLISHED || other->protocol != kind->protocol ||
		strcmp(gen_kind_pool(other), gen_kind_pool(kind)) != 0)
		return complain(error, p, kind->line,
			"[session %s] teach: [session %s] has to be established, of the same "
			"protocol "
			"and the same pool of servers",
			kind->name, other->name);
	return 0;
}

static int check_kind(const struct gen_profile *p, char *error, const struct gen_kind *kind)
{
	bool implicit = gen_protocol_is_implicit(kind->protocol);
	const char *story = gen_stories[kind->story];

	if (implicit && !gen_story_has_tls(kind->story))
		return complain(error, p, kind->line, "[session %s] story %s: %s has no STARTTLS",
			kind->name, story, gen_protocols[kind->protocol]);
	if (kind->story == GEN_MASKED && !has_mask(kind->protocol))
		return complain(error, p, kind->line,
			"[session %s] story masked: only smtp, submission and lmtp are masked",
			kind->name);
	if (kind->fallback_s >= 0 && (implicit || kind->protocol > GEN_LMTP))
		return complain(error, p, kind->line,
			"[session %s] fallback: only smtp, submission and lmtp carry mail in clear "
			"later",
			kind->name);
	if (kind->resumed > 0 && kind->story != GEN_ESTABLISHED)
		return complain(error, p, kind->line,
			"[session %s] resumed: only where TLS is "
			"established",
			kind->name);
	if (!kind_client_cert_fits(kind))
		return complain(error, p, kind->line,
			"[session %s] story %s: needs client_certificate = %s", kind->name, story,
			kind->story == GEN_CLIENT_CERT_MISSING ? "asked" : "sent");
	for (size_t i = 0; i < p->kind_cnt; i++)
		if (strcmp(gen_kind_pool(&p->kinds[i]), gen_kind_pool(kind)) == 0 &&
			strcmp(p->kinds[i].certificate, kind->certificate) != 0)
			return complain(error, p, kind->line,
				"[session %s] and [session %s] share servers, and have to have the "
				"same certificate",
				kind->name, p->kinds[i].name);
	return kind->teach ? check_teach(p, error, kind) : 0;
}

static int check(struct gen_profile *p, char error[static GEN_ERROR])
{
	struct tm tm = { 0 };
	const char *end = p->start ? strptime(p->start, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;
	double sum = 0, encap = 0;

	if (!end || *end)
		return complain(error, p, 0,
			"start takes a time such as 2026-11-22T10:00:00Z, not \"%s\"",
			p->start ? p->start : "");
	p->start_s = (uint64_t)timegm(&tm);
	for (unsigned i = 0; i < GEN_ENCAPS; i++)
		encap += p->encap[i];
	if (encap > 1 + 1e-9)
		return complain(
			error, p, 0, "the shares of [encapsulation] are more than 1 together");
	if (p->kind_cnt == 0)
		return complain(error, p, 0, "there is no [session NAME]: nothing to make");
	for (size_t i = 0; i < p->kind_cnt; i++) {
		sum += p->kinds[i].weight;
		if (check_kind(p, error, &p->kinds[i]) != 0)
			return -1;
	}
	if (sum <= 0)
		return complain(error, p, 0, "the weights of all sessions are 0");
	return 0;
}

int gen_profile_load(struct gen_profile *profile, char error[static GEN_ERROR], const char *path)
{
	struct reader r = { .profile = profile, .error = error };
	struct stat st;
	int rc = -1;

	*profile = (struct gen_profile){ .path = strdup(path) };
	profile->kinds = calloc(GEN_KINDS_MAX, sizeof(*profile->kinds));
	static_assert(sizeof(r.seen) >= 80, "a flag for each key");
	if (!profile->path || !profile->kinds || gen_key_presets(profile, NULL) != 0) {
		snprintf(error, GEN_ERROR, "no memory");
		return -1;
	}
	r.file = fopen(path, "re");
	if (!r.file)
		snprintf(error, GEN_ERROR, "cannot read %.200s: %s", path, strerror(errno));
	else if (fstat(fileno(r.file), &st) == 0 && S_ISDIR(st.st_mode))
		snprintf(error, GEN_ERROR, "cannot read %.200s: it is a folder", path);
	else
		rc = parse(&r);
	if (r.file)
		fclose(r.file);
	free(r.line);
	return rc == 0 ? check(profile, error) : -1;
}

void gen_profile_free(struct gen_profile *profile)
{
	for (size_t i = 0; i < profile->kind_cnt; i++) {
		gen_key_free(&profile->kinds[i], GEN_SESSION);
		free(profile->kinds[i].name);
	}
	gen_key_free(profile, NULL);
	free(profile->kinds);
	free(profile->path);
	*profile = (struct gen_profile){ 0 };
}
