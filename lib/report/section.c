/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <string.h>

#define GROUP_INDENT  11 /* of a group's text */
#define MEMBER_INDENT 20 /* of a member's name */
#define NOTE          30 /* cells at most that the columns leave to a note */
#define NOTE_TEXT     128

static const char after_headline[] = "TLS had failed, and the client then sent in clear";
static const char after_sentence[] =
	"Why TLS failed with them stands above. The delay counts from the first failure since TLS "
	"last worked.";

/* "4.5 s later" */
static void put_delay(char *text, size_t cap, const struct facts_member *member)
{
	char soonest[LINE_COUNT], latest[LINE_COUNT];
	size_t at = strlen(text);

	if (member->soonest_ns < 0) {
		if (member->same_connection)
			snprintf(text + at, cap - at, "on the same connection");
		return;
	}
	line_span(soonest, 0, member->soonest_ns);
	line_span(latest, 0, member->latest_ns);
	if (strcmp(soonest, latest) == 0)
		snprintf(text + at, cap - at, "%s later", soonest);
	else
		snprintf(text + at, cap - at, "%s to %s later", soonest, latest);
}

/* What the pair did beside failing. */
static void failed_note(char note[static NOTE_TEXT], const struct et_report *report,
	const struct facts *facts, const struct facts_member *member)
{
	const struct et_stats_run *run = report->run;
	const struct et_session *session = &run->sessions[member->session];
	const struct et_peer *peer = facts_peer_of(report, session);
	int64_t after = facts_fallback_of(facts, run, session);

	note[0] = '\0';
	if (after >= 0) {
		struct et_fallback fallback = et_policy_fallback(run->policy, (size_t)after);
		struct facts_member what = { .soonest_ns = fallback.delay_ns,
			.latest_ns = fallback.delay_ns,
			.same_connection = fallback.same_connection };

		if (fallback.same_connection || fallback.delay_ns < 0)
			what.soonest_ns = -1;
		snprintf(note, NOTE_TEXT, "then in clear, ");
		put_delay(note, NOTE_TEXT, &what);
	} else if (peer && peer->counts[ET_PEER_TLS_ESTABLISHED] > 0) {
		char count[LINE_COUNT];

		snprintf(note, NOTE_TEXT, "%s with TLS",
			line_count(count, peer->counts[ET_PEER_TLS_ESTABLISHED]));
	}
}

static void clear_note(char note[static NOTE_TEXT], const struct facts_member *member)
{
	char count[LINE_COUNT];

	note[0] = '\0';
	put_delay(note, NOTE_TEXT, member);
	if (member->logins > 0)
		snprintf(note + strlen(note), NOTE_TEXT - strlen(note), "%scredentials in clear",
			note[0] ? ", " : "");
	else if (member->mails == 0)
		snprintf(note, NOTE_TEXT, "%s session%s, no mail",
			line_count(count, member->sessions), member->sessions == 1 ? "" : "s");
}

static void member_who(
	struct who *who, const struct et_report *report, const struct facts_member *member)
{
	const struct et_session *session = &report->run->sessions[member->session];

	if (member->section == FACTS_FAILED)
		who_of_client(who, report, session);
	else
		who_of_session(who, report, session);
}

static void member_note(char note[static NOTE_TEXT], const struct et_report *report,
	const struct facts *facts, const struct facts_member *member)
{
	if (member->section == FACTS_CLEAR)
		clear_note(note, member);
	else
		failed_note(note, report, facts, member);
}

static void put_member(const struct line_out *to, const struct et_report *report,
	const struct facts *facts, const struct facts_member *member,
	const struct who_widths *widths)
{
	size_t at = MEMBER_INDENT + who_width(widths) + 2;
	bool clear = member->section == FACTS_CLEAR;
	char note[NOTE_TEXT];
	struct who who;
	bool beside;

	member_note(note, report, facts, member);
	beside = note[0] && at + line_width(note) <= ET_REPORT_WIDTH;
	member_who(&who, report, member);
	fprintf(to->out, "%*s", GROUP_INDENT, "");
	text_number(to, MEMBER_INDENT - GROUP_INDENT - 2, clear ? member->mails : member->sessions,
		LINE_PLAIN);
	fputs("  ", to->out);
	who_put(to, &who, widths, beside);
	if (note[0] && !beside)
		fprintf(to->out, "\n%*s", MEMBER_INDENT, "");
	else if (note[0])
		fputs("  ", to->out);
	if (note[0])
		line_styled(to, clear && member->logins ? LINE_BAD : LINE_WARN, note);
	putc('\n', to->out);
}

static void put_members(const struct line_out *to, const struct et_report *report,
	const struct facts *facts, const struct facts_group *group)
{
	const struct facts_member *members = facts->members + group->first;
	size_t shown = text_shown(report, group->cnt), note_width = 0;
	struct who_widths widths = { 0 };
	char note[NOTE_TEXT];
	struct who who;

	for (size_t i = 0; i < shown; i++) {
		member_who(&who, report, &members[i]);
		who_widen(&widths, &who);
		member_note(note, report, facts, &members[i]);
		if (line_width(note) > note_width)
			note_width = line_width(note);
	}
	if (members->section == FACTS_FAILED)
		widths.near = 0; /* the group says it */
	if (note_width > NOTE)
		note_width = NOTE;
	who_fit(&widths, ET_REPORT_WIDTH - MEMBER_INDENT - (note_width ? note_width + 2 : 0));
	for (size_t i = 0; i < shown; i++)
		put_member(to, report, facts, &members[i], &widths);
	text_more(to, MEMBER_INDENT - 2, group->cnt, shown);
}

/* Where, and the code for those who look it up or count it. */
static void put_where(const struct line_out *to, const struct et_report *report,
	const struct facts_group *group, enum facts_section section)
{
	const struct et_session *s = &report->run->sessions[group->session];
	const struct et_cause *cause = et_policy_cause(report->run->policy, group->session);
	struct line_block block = { .to = to, .indent = GROUP_INDENT };
	char safe[LINE_NAME], text[LINE_NAME + 64], addr[ET_ADDR_TEXT];
	const char *service = et_service_name((enum et_service)s->service);

	if (section == FACTS_FAILED) {
		if (s->name[ET_SERVER] != ET_DICT_NONE) {
			who_name(safe, report, s->addr, s->name, ET_SERVER);
			line_cut_front(safe, sizeof(safe), 48);
			block_put(&block, safe);
		}
		et_addr_text(addr, &s->addr[ET_SERVER]);
		block_put(&block, addr);
		if (service)
			block_put(&block, service);
	}
	line_safe(safe,
		(struct et_view){ .p = (const uint8_t *)cause->code, .n = strlen(cause->code) });
	snprintf(text, sizeof(text), "%s (%s)", safe, et_confidence_name(cause->confidence));
	block.style = LINE_DIM;
	block_put(&block, text);
	block_end(&block);
}

/* Policy's sentence without what is of one session only: how much of its mail went in clear. */
static void put_sentence(const struct line_out *to, const char *why)
{
	static const char *const tails[] = { " Mail went on in clear (", " Credentials went in " };
	char safe[LINE_NAME];
	size_t n = strlen(why);

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		const char *tail = strstr(why, tails[i]);

		if (tail && (size_t)(tail - why) < n)
			n = (size_t)(tail - why);
	}
	line_safe(safe, (struct et_view){ .p = (const uint8_t *)why, .n = n });
	line_prose(to, GROUP_INDENT, safe);
}

static void put_group(const struct line_out *to, const struct et_report *report,
	const struct facts *facts, const struct facts_group *group, enum facts_section section)
{
	const struct et_cause *cause = et_policy_cause(report->run->policy, group->session);
	bool after = facts->members[group->first].after_failure;
	enum line_style style = section == FACTS_FAILED  ? LINE_BAD
				: section == FACTS_CLEAR ? LINE_WARN
							 : LINE_PLAIN;

	text_number(to, 9, section == FACTS_CLEAR ? group->mails : group->sessions, LINE_HEAD);
	fputs("  ", to->out);
	line_styled(to, style, after ? after_headline : facts_headline(cause->code));
	putc('\n', to->out);
	if (after) {
		line_prose(to, GROUP_INDENT, after_sentence);
	} else if (cause->code[0]) {
		put_where(to, report, group, section);
		put_sentence(to, cause->why);
	}
	if (section != FACTS_HIDDEN)
		put_members(to, report, facts, group);
}

void text_section(const struct line_out *to, const struct et_report *report,
	const struct facts *facts, enum facts_section section)
{
	static const struct {
		const char *title, *columns;
	} heads[FACTS_SECTIONS] = {
		[FACTS_FAILED] = { "What failed and why", " SESSIONS\n" },
		[FACTS_CLEAR] = { "In clear", "    MAILS\n" },
		[FACTS_HIDDEN] = { "What the capture does not show", " SESSIONS\n" },
	};
	size_t cnt = facts->groups_cnt[section], shown = text_shown(report, cnt);

	if (cnt == 0)
		return;
	text_heading(to, heads[section].title);
	line_styled(to, LINE_DIM, heads[section].columns);
	for (size_t i = 0; i < shown; i++) {
		if (i > 0)
			putc('\n', to->out);
		put_group(to, report, facts, &facts->groups[section][i], section);
	}
	text_more(to, 9, cnt, shown);
}
