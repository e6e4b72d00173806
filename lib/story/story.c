/* SPDX-License-Identifier: BSD-3-Clause */
#include "story_parts.h"

#include <errno.h>
#include <string.h>

/* --- what a session says --- */

bool et_story_concerns(const struct et_session *session)
{
	switch (session->service) {
	case ET_SERVICE_SMTP:
	case ET_SERVICE_SUBMISSION:
	case ET_SERVICE_SMTPS:
	case ET_SERVICE_LMTP: return true;
	default: return false;
	}
}

bool et_story_failed(const struct et_session *session)
{
	switch (session->outcome) {
	case ET_OUTCOME_FAILED:
	case ET_OUTCOME_BROKEN: return true;
	case ET_OUTCOME_INCOMPLETE:
		return session->end != ET_END_OPEN || session->mail.clear_mail > 0;
	case ET_OUTCOME_NONE: return session->mail.requested && session->mail.reply >= 400;
	default: return false;
	}
}

static bool is_clear(const struct et_session *session)
{
	return session->mail.clear_mail > 0 && session->outcome != ET_OUTCOME_ESTABLISHED;
}

int et_story_cmp(const struct et_session *a, const struct et_session *b)
{
	int rc;

	if (a->decided_ns != b->decided_ns)
		return a->decided_ns < b->decided_ns ? -1 : 1;
	rc = et_session_cmp(a, b);
	/* workers of a live capture number their connections each for itself */
	for (unsigned i = 0; i < 2 && rc == 0; i++)
		rc = et_addr_cmp(&a->addr[i], &b->addr[i]);
	for (unsigned i = 0; i < 2 && rc == 0; i++)
		rc = (int)a->port[i] - (int)b->port[i];
	return rc;
}

/* --- the pair --- */

/* After so long a failure explains nothing any more. */
static bool is_stale(const struct et_story_pair *pair, int64_t now_ns)
{
	return time_between(pair->failed_ns, now_ns) >= STORY_NS;
}

static struct et_fallback pair_failed(struct et_story_pair *pair, const struct et_session *s)
{
	struct et_fallback out = { 0 };

	/* the connection's own failure is the nearest one; for later ones the first counts */
	if (is_clear(s))
		out = (struct et_fallback){ true, true, s->start_ns, 0 };
	if (!pair->failed || pair->fell_back || is_stale(pair, s->start_ns)) {
		pair->failed = true;
		pair->failed_ns = s->start_ns;
	}
	pair->fell_back = is_clear(s);
	return out;
}

struct et_fallback et_story_pair_step(struct et_story_pair *pair, const struct et_session *s)
{
	struct et_fallback out = { 0 };

	if (et_story_failed(s))
		return pair_failed(pair, s);
	if (!pair->failed || s->start_ns < pair->failed_ns) /* it had begun before */
		return out;
	if (is_stale(pair, s->start_ns) || s->outcome == ET_OUTCOME_ESTABLISHED) {
		*pair = (struct et_story_pair){ 0 };
	} else if (is_clear(s)) {
		out = (struct et_fallback){ true, false, pair->failed_ns,
			time_between(pair->failed_ns, s->start_ns) };
		pair->fell_back = true;
	}
	return out;
}

/* --- the story --- */

static void copy(char *out, size_t cap, const char *text)
{
	size_t n = text ? strnlen(text, cap - 1) : 0;

	if (n > 0)
		memcpy(out, text, n);
	memset(out + n, 0, cap - n);
}

static void begin_story(
	struct et_story_table *table, uint32_t at, const struct et_story_event *event)
{
	struct et_story_case *known = &table->entries[at].known;
	struct et_story *story = &known->story;

	*story = (struct et_story){ .client = story->client,
		.service = story->service,
		.how = ET_STORY_OPEN,
		.stories = 1,
		.opened_ns = event->session->start_ns,
		.last_ns = event->session->start_ns };
	copy(story->cause, sizeof(story->cause), event->cause);
	copy(story->hello, sizeof(story->hello), event->hello);
	known->open = true;
	table->open++;
	cases_renew(table, at, event->session->decided_ns);
}

static void add_attempt(struct et_story *story, const struct et_session *s)
{
	if (story->attempts < UINT32_MAX)
		story->attempts++;
	if (s->start_ns > story->last_ns)
		story->last_ns = s->start_ns;
	for (unsigned i = 0; i < story->servers_cnt; i++)
		if (memcmp(&story->servers[i], &s->addr[ET_SERVER], sizeof(s->addr[0])) == 0)
			return;
	if (story->servers_cnt < ET_STORY_SERVERS)
		story->servers[story->servers_cnt++] = s->addr[ET_SERVER];
}

static int end_story(struct et_story_table *table, struct entry *entry, const struct et_session *s,
	enum et_story_how how, bool same_connection)
{
	struct et_story *story = &entry->known.story;

	story->closed_ns = s->start_ns;
	story->closed_by = s->addr[ET_SERVER];
	story->same_connection = same_connection;
	story->delay_ns = story->delay_max_ns = time_between(story->opened_ns, s->start_ns);
	return rows_close(table, entry, how);
}

static bool is_idle(const struct et_story_case *known)
{
	if (known->open)
		return false;
	for (unsigned i = 0; i < known->servers_cnt; i++)
		if (known->servers[i].pair.failed)
			return false;
	return true;
}

static int step_failed(struct et_story_table *table, struct et_fallback *out, uint32_t at,
	const struct et_story_event *event)
{
	const struct et_session *s = event->session;
	struct et_story_server *server;
	struct entry *entry;

	if (at == 0)
		at = keys_begin(table, event);
	server = at ? keys_join(table, at, event) : NULL;
	if (!server)
		return -ENOMEM;
	entry = &table->entries[at];
	*out = et_story_pair_step(&server->pair, s);
	if (!entry->known.open)
		begin_story(table, at, event);
	add_attempt(&entry->known.story, s);
	if (rows_touch(table, entry) != 0)
		return -ENOMEM;
	return is_clear(s) ? end_story(table, entry, s, ET_STORY_CLEAR, true) : 0;
}

static int step_went_on(struct et_story_table *table, struct et_fallback *out, uint32_t at,
	const struct et_story_event *event)
{
	const struct et_session *s = event->session;
	struct entry *entry = &table->entries[at];
	struct et_story_server *server = keys_server(&entry->known, &s->addr[ET_SERVER]);
	int rc = 0;

	if (server) {
		struct et_story_pair before = server->pair;

		*out = et_story_pair_step(&server->pair, s);
		if (before.failed != server->pair.failed ||
			before.fell_back != server->pair.fell_back)
			table->changed = true;
	}
	if (entry->known.open && s->start_ns >= entry->known.story.opened_ns)
		rc = end_story(table, entry, s, is_clear(s) ? ET_STORY_CLEAR : ET_STORY_TLS, false);
	if (rc == 0 && is_idle(&entry->known))
		cases_free(table, at);
	return rc;
}

int et_story_step(
	struct et_story_table *table, struct et_fallback *out, const struct et_story_event *event)
{
	const struct et_session *s = event->session;
	bool failed = et_story_failed(s);
	uint32_t at;

	*out = (struct et_fallback){ 0 };
	if (!et_story_concerns(s))
		return 0;
	if (cases_expire(table, s->decided_ns) != 0)
		return -ENOMEM;
	at = table->cnt ? keys_find(table, event) : 0;
	if (failed)
		return step_failed(table, out, at, event);
	if (at != 0 && (is_clear(s) || s->outcome == ET_OUTCOME_ESTABLISHED))
		return step_went_on(table, out, at, event);
	return 0;
}
