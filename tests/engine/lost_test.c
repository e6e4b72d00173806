/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Does a mirror that loses, delays or doubles packets change an answer? Each story is told once as
 * it went. Then every packet of it in turn comes late, which must change nothing, or is lost, which
 * may make the answer weaker and never another one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"
#include "unit.h"

#define C ET_CLIENT
#define S ET_SERVER

/* A bare acknowledgement of all that was sent so far. */
static void ack(struct script *s, enum et_dir dir)
{
	script_segment(s, dir, ET_TCP_ACK, NULL, 0);
}

static void text(struct script *s, enum et_dir dir, const char *line)
{
	script_text(s, dir, line);
	ack(s, et_dir_other(dir));
}

static void greet(struct script *s)
{
	script_open(s);
	text(s, S, "220 mx.example.net ESMTP\r\n");
	text(s, C, "EHLO out.example.org\r\n");
	text(s, S, "250-mx.example.net\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n");
}

static void asked(struct script *s)
{
	greet(s);
	text(s, C, "STARTTLS\r\n");
	text(s, S, "220 2.0.0 Ready\r\n");
}

/* Its FIN, the other side's, and the last ACK. */
static void close_by(struct script *s, enum et_dir dir)
{
	script_fin(s, dir);
	script_fin(s, et_dir_other(dir));
	ack(s, dir);
}

static void use(struct script *s)
{
	for (int i = 0; i < 4; i++) {
		script_sealed(s, C, ET_TLS_APPLICATION, 60);
		script_sealed(s, S, ET_TLS_APPLICATION, 80);
	}
}

static void shake_12(struct script *s)
{
	script_client_hello(s, false);
	ack(s, S);
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
}

static void shake_13(struct script *s)
{
	script_client_hello(s, true);
	ack(s, S);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	ack(s, C);
	script_sealed(s, C, ET_TLS_APPLICATION, 53);
}

static void established_12(struct script *s)
{
	asked(s);
	shake_12(s);
	use(s);
	close_by(s, C);
}

static void established_13(struct script *s)
{
	asked(s);
	shake_13(s);
	use(s);
	close_by(s, C);
}

static void implicit_12(struct script *s)
{
	s->server_port = 465;
	script_open(s);
	shake_12(s);
	use(s);
	close_by(s, C);
}

static void implicit_13(struct script *s)
{
	s->server_port = 465;
	script_open(s);
	shake_13(s);
	use(s);
	close_by(s, C);
}

static void server_closes(struct script *s)
{
	asked(s);
	script_client_hello(s, false);
	close_by(s, S);
}

static void client_closes(struct script *s)
{
	asked(s);
	script_client_hello(s, false);
	ack(s, S);
	close_by(s, C);
}

static void no_answer(struct script *s)
{
	asked(s);
	script_client_hello(s, false);
	ack(s, S);
}

static void server_alert(struct script *s)
{
	asked(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	close_by(s, S);
}

static void client_alert(struct script *s)
{
	asked(s);
	script_client_hello(s, false);
	script_server_hello(s, false);
	script_server_done(s);
	script_alert(s, C, 2, 48);
	close_by(s, C);
}

static void client_resets(struct script *s)
{
	asked(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	ack(s, C);
	script_segment(s, C, ET_TCP_RST | ET_TCP_ACK, NULL, 0);
}

static void implicit_resets(struct script *s)
{
	s->server_port = 465;
	script_open(s);
	script_client_hello(s, false);
	ack(s, S);
	script_server_hello(s, false);
	script_server_done(s);
	ack(s, C);
	script_segment(s, C, ET_TCP_RST | ET_TCP_ACK, NULL, 0);
}

static void broken_12(struct script *s)
{
	asked(s);
	shake_12(s);
	ack(s, C);
	close_by(s, S);
}

static void refused(struct script *s)
{
	greet(s);
	text(s, C, "STARTTLS\r\n");
	text(s, S, "454 4.7.0 not now\r\n");
	text(s, C, "QUIT\r\n");
	text(s, S, "221 bye\r\n");
	close_by(s, S);
}

static void clear(struct script *s)
{
	greet(s);
	text(s, C, "AUTH PLAIN AGEAYg==\r\n");
	text(s, S, "235 in\r\n");
	text(s, C, "MAIL FROM:<a@example.org>\r\n");
	text(s, S, "250 ok\r\n");
	text(s, C, "RCPT TO:<b@example.net>\r\n");
	text(s, S, "250 ok\r\n");
	text(s, C, "DATA\r\n");
	text(s, S, "354 go\r\n");
	for (int i = 0; i < 16; i++)
		script_text(s, C, "STARTTLS\r\nSubject: x\r\n\r\nSTARTTLS\r\nAUTH PLAIN x\r\n");
	text(s, C, "\r\n.\r\n");
	text(s, S, "250 queued\r\n");
	text(s, C, "QUIT\r\n");
	text(s, S, "221 bye\r\n");
	close_by(s, S);
}

static void imap(struct script *s)
{
	s->server_port = 143;
	script_open(s);
	text(s, S, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n");
	text(s, C, "a STARTTLS\r\n");
	text(s, S, "a NO not now\r\n");
	text(s, C, "b LOGIN x y\r\n");
	text(s, S, "b OK in\r\n");
	text(s, C, "c LOGOUT\r\n");
	text(s, S, "* BYE\r\nc OK\r\n");
	close_by(s, S);
}

static const struct {
	const char *name;
	void (*say)(struct script *);
} stories[] = {
	{ "1.2", established_12 },
	{ "1.3", established_13 },
	{ "465, 1.2", implicit_12 },
	{ "465, 1.3", implicit_13 },
	{ "server closes", server_closes },
	{ "client closes", client_closes },
	{ "no answer", no_answer },
	{ "server's alert", server_alert },
	{ "client's alert", client_alert },
	{ "client resets", client_resets },
	{ "465, client resets", implicit_resets },
	{ "broken 1.2", broken_12 },
	{ "refused", refused },
	{ "clear", clear },
	{ "IMAP in clear", imap },
};

#define STORIES (sizeof(stories) / sizeof(stories[0]))

static struct script *tell(size_t story)
{
	struct script *s = script_new(25);

	CU_ASSERT_FATAL(s && s->worker);
	stories[story].say(s);
	return s;
}

/* Numbers and times as the capture gives them to packets in this order. */
static void renumber(struct script *s)
{
	int64_t ts_ns = s->now_ns - (int64_t)s->cnt * 5 * 1000 * 1000;

	for (size_t i = 0; i < s->cnt; i++) {
		struct parcel *p = &s->parcels[i];

		ts_ns += 5 * 1000 * 1000;
		p->ts_ns = p->clock_ns = ts_ns;
		p->frame = i + 1;
	}
}

/* The packet at `at` comes `by` packets later. */
static void delay(struct script *s, size_t at, size_t by)
{
	struct parcel late = s->parcels[at];

	memmove(&s->parcels[at], &s->parcels[at + 1], by * sizeof(late));
	s->parcels[at + by] = late;
	renumber(s);
}

static void lose(struct script *s, size_t at)
{
	memmove(&s->parcels[at], &s->parcels[at + 1], (s->cnt - at - 1) * sizeof(s->parcels[0]));
	s->cnt--;
	renumber(s);
}

static bool same_alert(const struct et_session *a, const struct et_session *b)
{
	return a->alert_from == b->alert_from && a->alert_code == b->alert_code &&
	       a->inferred == b->inferred;
}

/* A sentence on the first thing that is not as it was, NULL if all is. */
static const char *differs(const struct et_session *was, const struct et_session *is)
{
	if (was->outcome != is->outcome)
		return et_outcome_name((enum et_outcome)is->outcome);
	if (was->mode != is->mode)
		return "mode";
	if (was->tls.version != is->tls.version || was->tls.cipher != is->tls.cipher)
		return "version or suite";
	if (!same_alert(was, is))
		return "alert";
	/* who closes what was in use is of no interest, and not asked any more */
	if (was->end != is->end && was->outcome != ET_OUTCOME_ESTABLISHED)
		return "end";
	if (was->partial != is->partial)
		return "partial";
	if (was->mail.offered != is->mail.offered || was->mail.reply != is->mail.reply ||
		was->mail.requested != is->mail.requested ||
		was->mail.clear_mail != is->mail.clear_mail ||
		was->mail.auth_clear != is->mail.auth_clear)
		return "dialogue";
	return NULL;
}

/* The same for a capture that lost a packet: only what is definite and another answer. */
static const char *contradicts(const struct et_session *was, const struct et_session *is)
{
	bool knows[2];

	for (int dir = 0; dir < 2; dir++)
		knows[dir] = !is->mail.confused[dir] && !(is->partial & ET_PARTIAL_MIDSTREAM);
	if (was->outcome != is->outcome && is->outcome != ET_OUTCOME_UNKNOWN)
		return et_outcome_name((enum et_outcome)is->outcome);
	if (was->mode != is->mode && is->mode != ET_MODE_NONE)
		return "mode";
	if (is->tls.version != 0 && was->tls.version != is->tls.version)
		return "version";
	if (is->alert_from >= 0 && !same_alert(was, is))
		return "alert";
	if (is->mail.offered != ET_NOT_KNOWN && was->mail.offered != is->mail.offered)
		return "offered";
	if (is->mail.reply != 0 && was->mail.reply != is->mail.reply)
		return "reply";
	if (knows[C] && (was->mail.requested != is->mail.requested ||
				was->mail.auth_clear != is->mail.auth_clear))
		return "requested or auth_clear";
	if (is->mail.requested > was->mail.requested || is->mail.auth_clear > was->mail.auth_clear)
		return "requested or auth_clear, which it was not";
	if (((knows[C] && knows[S]) || is->mail.clear_mail > 0) &&
		was->mail.clear_mail != is->mail.clear_mail)
		return "clear_mail";
	return NULL;
}

/* Runs the changed story beside the whole one, and asks. */
static void compare(size_t story, struct script *changed, const char *how, size_t at, size_t by,
	const char *(*ask)(const struct et_session *was, const struct et_session *is))
{
	struct script *whole = tell(story);
	size_t was_cnt, is_cnt;
	const struct et_session *was = script_run(whole, &was_cnt), *is;
	const char *why;

	is = script_run(changed, &is_cnt);
	CU_ASSERT_EQUAL_FATAL(was_cnt, 1);
	why = is_cnt == 1 ? ask(was, is) : "not one record";
	if (why)
		printf("\n%s: packet %zu %s by %zu: %s", stories[story].name, at + 1, how, by, why);
	CU_ASSERT_PTR_NULL(why);
	script_free(whole);
	script_free(changed);
}

static void test_late(void)
{
	for (size_t story = 0; story < STORIES; story++) {
		struct script *s = tell(story);
		size_t cnt = s->cnt;

		script_free(s);
		for (size_t by = 1; by <= 4; by++) {
			for (size_t at = 0; at + by < cnt; at++) {
				s = tell(story);
				delay(s, at, by);
				compare(story, s, "late", at, by, differs);
			}
		}
	}
}

/* Does anything else of the capture tell that this packet was there? */
static bool leaves_trace(const struct script *s, size_t at)
{
	const struct et_segment *lost = &s->parcels[at].segment;
	uint32_t end = lost->seq + lost->len + ((lost->flags & (ET_TCP_FIN | ET_TCP_SYN)) != 0);

	if (lost->flags & ET_TCP_RST)
		return false;
	for (size_t i = 0; i < s->cnt; i++) {
		const struct et_segment *other = &s->parcels[i].segment;
		bool same = other->src_port == lost->src_port;

		if (i != at && (int32_t)((same ? other->seq : other->ack) - end) >= 0 &&
			(same || other->flags & ET_TCP_ACK))
			return true;
	}
	return false;
}

static void test_lost(void)
{
	for (size_t story = 0; story < STORIES; story++) {
		struct script *s = tell(story);
		size_t cnt = s->cnt;

		script_free(s);
		for (size_t at = 0; at < cnt; at++) {
			s = tell(story);
			if (!leaves_trace(s, at)) {
				script_free(s);
				continue;
			}
			lose(s, at);
			compare(story, s, "lost", at, 1, contradicts);
		}
	}
}

/* Two packets in a row, as when a queue overflows. */
static void test_two_lost(void)
{
	for (size_t story = 0; story < STORIES; story++) {
		struct script *s = tell(story);
		size_t cnt = s->cnt;

		script_free(s);
		for (size_t at = 0; at + 1 < cnt; at++) {
			bool trace;

			s = tell(story);
			trace = leaves_trace(s, at + 1);
			lose(s, at + 1);
			trace = trace && leaves_trace(s, at);
			lose(s, at);
			if (trace)
				compare(story, s, "and the next lost", at, 1, contradicts);
			else
				script_free(s);
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "late", test_late }, { "lost", test_lost },
		{ "two lost", test_two_lost }, CU_TEST_INFO_NULL };

	return unit_run("engine_lost", tests);
}
