/* SPDX-License-Identifier: BSD-3-Clause */
#include "facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int facts_pair_cmp(const struct et_session *x, const struct et_session *y)
{
	int order = et_addr_cmp(&x->addr[ET_CLIENT], &y->addr[ET_CLIENT]);

	if (order == 0)
		order = et_addr_cmp(&x->addr[ET_SERVER], &y->addr[ET_SERVER]);
	return order ? order : (int)x->service - (int)y->service;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool facts_is_clear(const char *code)
{
	return begins(code, "starttls_not_") || begins(code, "starttls_masked");
}

bool facts_is_hidden(const char *code)
{
	return begins(code, "capture/");
}

static bool in_clear(const struct et_session *session)
{
	return session->mail.clear_mail > 0 || session->mail.auth_clear;
}

/* Whether the session belongs to the section. One that failed and went on in clear is in two. */
static bool belongs(const struct et_stats_run *run, size_t session, enum facts_section section)
{
	const struct et_session *s = &run->sessions[session];
	const char *code = et_policy_cause(run->policy, session)->code;
	bool tried = s->outcome != ET_OUTCOME_NONE && s->outcome != ET_OUTCOME_ESTABLISHED;

	switch (section) {
	case FACTS_CLEAR: return in_clear(s) || (!tried && facts_is_clear(code));
	case FACTS_HIDDEN: return facts_is_hidden(code);
	default: break;
	}
	return *code && !facts_is_hidden(code) &&
	       (tried || (!in_clear(s) && !facts_is_clear(code)));
}

static struct facts_member member_of(
	const struct et_stats_run *run, size_t session, enum facts_section section)
{
	const struct et_session *s = &run->sessions[session];
	struct et_fallback fallback = et_policy_fallback(run->policy, session);
	struct facts_member member = { .session = session,
		.sessions = 1,
		.mails = s->mail.clear_mail,
		.logins = s->mail.auth_clear,
		.soonest_ns = -1,
		.latest_ns = -1,
		.section = (uint8_t)section };

	/* a refusal on this connection says by itself why it went on in clear */
	if (section != FACTS_CLEAR || !fallback.is ||
		(fallback.same_connection && s->outcome == ET_OUTCOME_NONE))
		return member;
	member.after_failure = true;
	member.same_connection = fallback.same_connection;
	if (!fallback.same_connection)
		member.soonest_ns = member.latest_ns =
			fallback.delay_ns > 0 ? fallback.delay_ns : 0;
	return member;
}

/* Same section and group: 0. */
static int group_cmp(
	const struct et_stats_run *run, const struct facts_member *x, const struct facts_member *y)
{
	const struct et_session *s = &run->sessions[x->session], *t = &run->sessions[y->session];
	int order = (int)x->section - (int)y->section;

	if (order == 0)
		order = (int)y->after_failure - (int)x->after_failure;
	if (order == 0 && !x->after_failure)
		order = strcmp(et_policy_cause(run->policy, x->session)->code,
			et_policy_cause(run->policy, y->session)->code);
	if (order == 0 && x->section == FACTS_FAILED)
		order = et_addr_cmp(&s->addr[ET_SERVER], &t->addr[ET_SERVER]);
	if (order == 0 && x->section == FACTS_FAILED)
		order = (int)s->service - (int)t->service;
	return order;
}

static int by_group(const void *a, const void *b, void *ctx)
{
	const struct et_stats_run *run = ctx;
	const struct facts_member *x = a, *y = b;
	int order = group_cmp(run, x, y);

	if (order == 0)
		order = facts_pair_cmp(&run->sessions[x->session], &run->sessions[y->session]);
	return order ? order : x->session < y->session ? -1 : x->session > y->session;
}

static int most(uint64_t x, uint64_t y)
{
	return x > y ? -1 : x < y;
}

static int by_weight(const void *a, const void *b, void *ctx)
{
	const struct et_stats_run *run = ctx;
	const struct facts_member *x = a, *y = b;
	int order = x->section == FACTS_CLEAR ? most(x->mails, y->mails) : 0;

	if (order == 0 && x->section == FACTS_CLEAR)
		order = most(x->logins, y->logins);
	if (order == 0)
		order = most(x->sessions, y->sessions);
	return order ? order
		     : facts_pair_cmp(&run->sessions[x->session], &run->sessions[y->session]);
}

struct by_total {
	const struct et_stats_run *run;
	const struct facts *facts;
};

static int groups_by_total(const void *a, const void *b, void *ctx)
{
	const struct by_total *by = ctx;
	const struct facts_group *x = a, *y = b;
	const struct facts_member *m = &by->facts->members[x->first];
	const struct facts_member *n = &by->facts->members[y->first];
	int order = m->section == FACTS_CLEAR ? most(x->mails, y->mails) : 0;

	if (order == 0 && m->section == FACTS_CLEAR)
		order = most(x->logins, y->logins);
	if (order == 0)
		order = most(x->sessions, y->sessions);
	return order ? order : group_cmp(by->run, m, n);
}

/* Of two sessions the one with more confidence, else the earlier. */
static size_t surer(const struct et_stats_run *run, size_t a, size_t b)
{
	enum et_confidence x = et_policy_cause(run->policy, a)->confidence;
	enum et_confidence y = et_policy_cause(run->policy, b)->confidence;

	if (x != y)
		return x < y ? a : b;
	return a < b ? a : b;
}

/* Joins neighbours of the same group and pair. */
static size_t members_sum(struct facts_member *v, size_t cnt, const struct et_stats_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < cnt; i++) {
		struct facts_member *to = kept ? &v[kept - 1] : NULL, from = v[i];

		if (!to || group_cmp(run, to, &from) != 0 ||
			facts_pair_cmp(&run->sessions[to->session], &run->sessions[from.session])) {
			v[kept++] = from;
			continue;
		}
		to->session = surer(run, to->session, from.session);
		to->sessions += from.sessions;
		to->mails += from.mails;
		to->logins += from.logins;
		to->same_connection |= from.same_connection;
		if (from.soonest_ns >= 0 &&
			(to->soonest_ns < 0 || from.soonest_ns < to->soonest_ns))
			to->soonest_ns = from.soonest_ns;
		if (from.latest_ns > to->latest_ns)
			to->latest_ns = from.latest_ns;
	}
	return kept;
}

/* The group that begins at member `first`. */
static struct facts_group group_at(
	const struct facts *facts, size_t members, size_t first, const struct et_stats_run *run)
{
	const struct facts_member *m = facts->members;
	struct facts_group group = { .session = m[first].session, .first = first };

	for (size_t i = first; i < members && group_cmp(run, &m[first], &m[i]) == 0; i++) {
		group.session = surer(run, group.session, m[i].session);
		group.cnt++;
		group.sessions += m[i].sessions;
		group.mails += m[i].mails;
		group.logins += m[i].logins;
	}
	return group;
}

static int groups_make(struct facts *facts, size_t members, const struct et_stats_run *run)
{
	struct by_total by = { .run = run, .facts = facts };
	size_t cnt[FACTS_SECTIONS] = { 0 };

	for (size_t i = 0; i < members; i++)
		cnt[facts->members[i].section]++;
	for (size_t i = 0; i < FACTS_SECTIONS; i++) {
		facts->groups[i] = calloc(cnt[i] + 1, sizeof(*facts->groups[i]));
		if (!facts->groups[i])
			return -ENOMEM;
	}
	for (size_t i = 0; i < members;) {
		struct facts_group group = group_at(facts, members, i, run);
		size_t section = facts->members[i].section;

		facts->groups[section][facts->groups_cnt[section]++] = group;
		i += group.cnt;
	}
	for (size_t i = 0; i < FACTS_SECTIONS; i++) {
		struct facts_group *groups = facts->groups[i];

		for (size_t g = 0; g < facts->groups_cnt[i]; g++)
			qsort_r(facts->members + groups[g].first, groups[g].cnt,
				sizeof(*facts->members), by_weight, (void *)run);
		qsort_r(groups, facts->groups_cnt[i], sizeof(*groups), groups_by_total, &by);
	}
	return 0;
}

static int by_pair(const void *a, const void *b, void *ctx)
{
	const struct et_stats_run *run = ctx;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = facts_pair_cmp(&run->sessions[x], &run->sessions[y]);

	return order ? order : x < y ? -1 : x > y;
}

int facts_group_all(struct facts *facts, const struct et_stats_run *run)
{
	size_t members = 0, fallbacks = 0;

	for (size_t i = 0; i < run->cnt; i++) {
		for (size_t section = 0; section < FACTS_SECTIONS; section++)
			members += belongs(run, i, (enum facts_section)section);
		fallbacks += et_policy_fallback(run->policy, i).is;
	}
	facts->members = calloc(members + 1, sizeof(*facts->members));
	facts->fallbacks = calloc(fallbacks + 1, sizeof(*facts->fallbacks));
	if (!facts->members || !facts->fallbacks)
		return -ENOMEM;
	members = 0;
	for (size_t i = 0; i < run->cnt; i++) {
		for (size_t section = 0; section < FACTS_SECTIONS; section++)
			if (belongs(run, i, (enum facts_section)section))
				facts->members[members++] =
					member_of(run, i, (enum facts_section)section);
		if (et_policy_fallback(run->policy, i).is)
			facts->fallbacks[facts->fallbacks_cnt++] = i;
	}
	qsort_r(facts->fallbacks, facts->fallbacks_cnt, sizeof(size_t), by_pair, (void *)run);
	qsort_r(facts->members, members, sizeof(*facts->members), by_group, (void *)run);
	return groups_make(facts, members_sum(facts->members, members, run), run);
}

int64_t facts_fallback_of(
	const struct facts *facts, const struct et_stats_run *run, const struct et_session *pair)
{
	size_t low = 0, high = facts->fallbacks_cnt;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (facts_pair_cmp(&run->sessions[facts->fallbacks[at]], pair) < 0)
			low = at + 1;
		else
			high = at;
	}
	if (low == facts->fallbacks_cnt ||
		facts_pair_cmp(&run->sessions[facts->fallbacks[low]], pair) != 0)
		return -1;
	return (int64_t)facts->fallbacks[low];
}
