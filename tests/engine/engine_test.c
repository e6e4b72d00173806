/* SPDX-License-Identifier: BSD-3-Clause */

/* What becomes of a connection, from segments to its record. */

#include <stdio.h>
#include <string.h>

#include "script.h"
#include "talks_13.h"
#include "unit.h"

#define C ET_CLIENT
#define S ET_SERVER

static void dialogue(struct script *s)
{
	for (int i = 0; i < 5; i++) {
		script_sealed(s, C, ET_TLS_APPLICATION, 60);
		script_sealed(s, S, ET_TLS_APPLICATION, 80);
	}
}

static void established_12(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
	dialogue(s);
	script_fin(s, C);
	script_fin(s, S);
}

static void established_13(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_record(s, C, ET_TLS_CCS, "\x01", 1);
	script_sealed(s, C, ET_TLS_APPLICATION, 53);
	dialogue(s);
	script_rst(s, C); /* no failure: nine in ten do it */
}

static void implicit_13(struct script *s)
{
	s->server_port = 465;
	script_open(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_sealed(s, C, ET_TLS_APPLICATION, 53);
	dialogue(s);
}

static void server_alert(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
	script_fin(s, C);
}

static void alert_then_clear(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_text(s, S, "454 4.7.0 TLS not available\r\n");
	script_text(s, C, "MAIL FROM:<a@example.org>\r\n");
	script_text(s, S, "250 ok\r\n");
	script_text(s, C, "RCPT TO:<b@example.net>\r\n");
	script_text(s, S, "250 ok\r\n");
	script_text(s, C, "DATA\r\n");
	script_text(s, S, "354 go\r\n");
	script_text(s, C, "Subject: x\r\n\r\nSTARTTLS\r\n220 x\r\n.\r\n");
	script_text(s, S, "250 queued\r\n");
	script_fin(s, C);
	script_fin(s, S);
}

static void client_refuses_13(struct script *s) /* as Go does: CCS, a lone short record, FIN */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_record(s, C, ET_TLS_CCS, "\x01", 1);
	script_sealed(s, C, ET_TLS_APPLICATION, 19);
	script_fin(s, C);
	script_fin(s, S);
}

static void client_leaves_13(struct script *s) /* as Node does: a bare FIN */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_fin(s, C);
	script_fin(s, S);
}

static void server_closes(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_fin(s, S);
	script_fin(s, C);
}

static void client_gives_up_waiting(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_fin(s, C);
	script_fin(s, S);
}

static void broken_12(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
	script_sealed(s, C, ET_TLS_APPLICATION, 60);
	script_rst(s, S);
}

static void goodbye_13(struct script *s) /* Finished, then an alert at once */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_sealed(s, C, ET_TLS_APPLICATION, 53);
	script_sealed(s, C, ET_TLS_APPLICATION, 19);
	script_sealed(s, S, ET_TLS_APPLICATION, 200); /* tickets */
	script_fin(s, C);
	script_fin(s, S);
}

static void refused(struct script *s)
{
	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 STARTTLS\r\n");
	script_text(s, C, "STARTTLS\r\n");
	script_text(s, S, "454 4.7.0 not now\r\n");
	script_text(s, C, "QUIT\r\n");
	script_text(s, S, "221 bye\r\n");
	script_fin(s, C);
	script_fin(s, S);
}

static void clear(struct script *s)
{
	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 PIPELINING\r\n");
	script_text(s, C, "QUIT\r\n");
	script_text(s, S, "221 bye\r\n");
	script_fin(s, C);
	script_fin(s, S);
}

static void gap_in_handshake(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_skip(s, S, 900); /* the server's flight */
	script_client_finish(s);
	script_fin(s, C);
	script_fin(s, S);
}

static void one_direction(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
	script_fin(s, C);
	script_fin(s, S);
	for (size_t i = 0; i < s->cnt;) { /* the server's side was not mirrored */
		if (s->parcels[i].segment.src_port == s->server_port)
			memmove(&s->parcels[i], &s->parcels[i + 1],
				(--s->cnt - i) * sizeof(s->parcels[0]));
		else
			i++;
	}
}

static void silent(struct script *s) /* nothing after the hello, and no end */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
}

#define TURNED_AWAY ET_OUTCOME_BROKEN, ET_MODE_STARTTLS, S, -1, 1 + ET_LIKELY, 0x304, 0, 0, false
#define STANDS      ET_OUTCOME_ESTABLISHED, ET_MODE_STARTTLS, -1, -1, 0, 0x304, 0, 0, false

static const struct {
	const char *name;
	void (*say)(struct script *);
	enum et_outcome outcome;
	enum et_mode mode;
	int alert_from, alert_code;
	unsigned inferred;
	uint16_t version;
	unsigned clear_mail;
	uint8_t partial;
	bool any_order; /* facts survive that each server segment is seen before the client's */
} rows[] = {
	{ "1.2", established_12, ET_OUTCOME_ESTABLISHED, ET_MODE_STARTTLS, -1, -1, 0, 0x303, 0, 0,
		true },
	{ "1.3", established_13, ET_OUTCOME_ESTABLISHED, ET_MODE_STARTTLS, -1, -1, 0, 0x304, 0, 0,
		false },
	{ "465", implicit_13, ET_OUTCOME_ESTABLISHED, ET_MODE_IMPLICIT, -1, -1, 0, 0x304, 0, 0,
		false },
	{ "server alert", server_alert, ET_OUTCOME_FAILED, ET_MODE_STARTTLS, S, 40, 0, 0, 0, 0,
		true },
	{ "alert, then clear", alert_then_clear, ET_OUTCOME_FAILED, ET_MODE_STARTTLS, S, 40, 0, 0,
		1, 0, false },
	{ "refused certificate 1.3", client_refuses_13, ET_OUTCOME_FAILED, ET_MODE_STARTTLS, C, -1,
		1 + ET_LIKELY, 0x304, 0, 0, true },
	{ "bare FIN 1.3", client_leaves_13, ET_OUTCOME_FAILED, ET_MODE_STARTTLS, -1, -1, 0, 0x304,
		0, 0, true },
	{ "server closes", server_closes, ET_OUTCOME_FAILED, ET_MODE_STARTTLS, -1, -1, 0, 0, 0, 0,
		true },
	{ "client gives up", client_gives_up_waiting, ET_OUTCOME_INCOMPLETE, ET_MODE_STARTTLS, -1,
		-1, 0, 0, 0, 0, true },
	{ "broken 1.2", broken_12, ET_OUTCOME_BROKEN, ET_MODE_STARTTLS, -1, -1, 0, 0x303, 0, 0,
		true },
	{ "goodbye 1.3", goodbye_13, ET_OUTCOME_BROKEN, ET_MODE_STARTTLS, C, -1, 1 + ET_LIKELY,
		0x304, 0, 0, false },
	{ "rejected client certificate 1.3", rejected_13, TURNED_AWAY },
	{ "missing client certificate 1.3", missing_13, TURNED_AWAY },
	{ "rejected behind EHLO 1.3", rejected_behind_ehlo_13, TURNED_AWAY },
	{ "EHLO and alert cross 1.3", rejection_crosses_13, TURNED_AWAY },
	{ "rejected, flight in one record 1.3", rejected_in_one_13, TURNED_AWAY },
	{ "rejected behind tickets and EHLO 1.3", rejected_late_13, TURNED_AWAY },
	{ "rejected behind tickets 1.3", rejected_later_13, TURNED_AWAY },
	{ "rejected behind KeyUpdate 1.3", update_then_rejected_13, TURNED_AWAY },
	{ "rejected behind early data 1.3", early_data_rejected_13, TURNED_AWAY },
	{ "rejected by RST 1.3", rejected_reset_13, ET_OUTCOME_BROKEN, ET_MODE_STARTTLS, -1, -1, 0,
		0x304, 0, 0, false },
	{ "one reply 1.3", one_reply_13, STANDS },
	{ "one reply, then RST 1.3", one_reply_and_gone_13, STANDS },
	{ "client certificate, one reply 1.3", certificate_one_reply_13, STANDS },
	{ "flight in one record 1.3", flight_in_one_13, STANDS },
	{ "early data 1.3", early_data_13, STANDS },
	{ "995, one reply 1.3", banner_13, ET_OUTCOME_ESTABLISHED, ET_MODE_IMPLICIT, -1, -1, 0,
		0x304, 0, 0, false },
	{ "refused", refused, ET_OUTCOME_NONE, ET_MODE_STARTTLS, -1, -1, 0, 0, 0, 0, true },
	{ "clear", clear, ET_OUTCOME_NONE, ET_MODE_CLEAR, -1, -1, 0, 0, 0, 0, true },
	{ "gap", gap_in_handshake, ET_OUTCOME_UNKNOWN, ET_MODE_STARTTLS, -1, -1, 0, 0, 0,
		ET_PARTIAL_GAP, false },
	{ "one direction", one_direction, ET_OUTCOME_UNKNOWN, ET_MODE_STARTTLS, -1, -1, 0, 0, 0,
		ET_PARTIAL_ONE_DIRECTION, false },
	{ "silent", silent, ET_OUTCOME_INCOMPLETE, ET_MODE_STARTTLS, -1, -1, 0, 0, 0, 0, true },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void check(size_t i, struct script *s)
{
	size_t cnt;
	const struct et_session *r = script_run(s, &cnt);

	if (cnt != 1)
		printf("%s: %zu records\n", rows[i].name, cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	if (r->outcome != rows[i].outcome)
		printf("%s: %s, not %s\n", rows[i].name, et_outcome_name(r->outcome),
			et_outcome_name(rows[i].outcome));
	CU_ASSERT_EQUAL(r->outcome, rows[i].outcome);
	CU_ASSERT_EQUAL(r->mode, rows[i].mode);
	CU_ASSERT_EQUAL(r->alert_from, rows[i].alert_from);
	CU_ASSERT_EQUAL(r->alert_code, rows[i].alert_code);
	CU_ASSERT_EQUAL(r->inferred, rows[i].inferred);
	CU_ASSERT_EQUAL(r->tls.version, rows[i].version);
	CU_ASSERT_EQUAL(r->mail.clear_mail, rows[i].clear_mail);
	CU_ASSERT_EQUAL(r->partial, rows[i].partial);
	CU_ASSERT_EQUAL(r->port[S], s->server_port);
	script_free(s);
}

static struct script *begin(size_t mss)
{
	struct script *s = script_new(25);

	CU_ASSERT_FATAL(s && s->worker);
	s->mss = mss;
	return s;
}

static void test_outcomes(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct script *s = begin(1460);

		rows[i].say(s);
		check(i, s);
	}
}

/* The same with one byte a segment where there is room for it, and with small segments. */
static void test_small_segments(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t mss = 7; mss < 100; mss += 13) {
			struct script *s = begin(mss);

			rows[i].say(s);
			check(i, s);
		}
	}
}

/* A mirror's second copy of every packet. */
static void test_copies(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct script *s = begin(1460);

		rows[i].say(s);
		for (size_t j = s->cnt; j-- > 0;)
			s->parcels[2 * j] = s->parcels[2 * j + 1] = s->parcels[j];
		s->cnt *= 2;
		check(i, s);
	}
}

/* What the source makes of frames in the order in which they stand. */
static void renumber(struct script *s)
{
	for (size_t j = 0; j < s->cnt; j++) {
		struct parcel *p = &s->parcels[j];

		p->frame = j + 1;
		p->clock_ns = j > 0 && p[-1].clock_ns > p->ts_ns ? p[-1].clock_ns : p->ts_ns;
	}
}

/* Two taps: the reply can be seen before its request. */
static void test_reply_first(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct script *s = begin(1460);

		rows[i].say(s);
		for (size_t j = 3; rows[i].any_order && j + 1 < s->cnt; j++) {
			struct parcel *a = &s->parcels[j], *b = &s->parcels[j + 1], t = *a;

			if (a->segment.src_port != s->client_port ||
				b->segment.src_port == s->client_port || !a->segment.len ||
				!b->segment.len)
				continue;
			*a = *b;
			*b = t;
			j++;
		}
		renumber(s);
		check(i, s);
	}
}

/* Neighbours of one direction change places. */
static void test_out_of_order(void)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct script *s = begin(40);

		rows[i].say(s);
		for (size_t j = 3; j + 1 < s->cnt; j++) {
			struct parcel *a = &s->parcels[j], *b = &s->parcels[j + 1], t = *a;

			if (a->segment.src_port != b->segment.src_port || a->segment.len == 0 ||
				b->segment.len == 0)
				continue;
			*a = *b;
			*b = t;
			j++;
		}
		renumber(s);
		check(i, s);
	}
}

/* The same endpoints again at once: two connections. */
static void test_reuse(void)
{
	struct script *s = begin(1460);
	const struct et_session *r;
	size_t cnt;

	server_alert(s);
	s->seq[C] += 100000;
	s->seq[S] += 100000;
	clear(s);
	r = script_run(s, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 2);
	CU_ASSERT_EQUAL(r[0].outcome, ET_OUTCOME_FAILED);
	CU_ASSERT_EQUAL(r[1].outcome, ET_OUTCOME_NONE);
	CU_ASSERT_EQUAL(r[1].mode, ET_MODE_CLEAR);
	script_free(s);
}

/* An idle connection ends after its time, whatever comes later. */
static void test_aging(void)
{
	struct script *s = begin(1460);
	const struct et_session *r;
	int64_t last_ns;
	size_t cnt;

	silent(s);
	last_ns = s->now_ns;
	script_wait(s, ET_FLOW_IDLE_S + 10);
	s->client_port++;
	clear(s);
	r = script_run(s, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 2);
	CU_ASSERT_EQUAL(r[0].outcome, ET_OUTCOME_INCOMPLETE);
	CU_ASSERT_EQUAL(r[0].end_ns, last_ns);
	CU_ASSERT_EQUAL(r[0].decided_ns, last_ns + ET_FLOW_IDLE_S * ET_NS_PER_S);
	CU_ASSERT_EQUAL(r[0].end, ET_END_OPEN);
	CU_ASSERT_EQUAL(r[1].end, ET_END_FIN_CLIENT);
	script_free(s);
}

static void test_counts(void)
{
	struct script *s = begin(1460);
	const struct et_session *r;
	const struct tallies *tallies;
	size_t cnt;

	established_12(s);
	script_text(s, C, "late"); /* behind the FIN: counted, no new connection */
	r = script_run(s, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 1);
	CU_ASSERT_EQUAL(r->packets[C] + r->packets[S], s->cnt);
	CU_ASSERT_EQUAL(r->bytes[C] + r->bytes[S], s->used);
	CU_ASSERT_EQUAL(r->start_ns, s->parcels[0].ts_ns);
	CU_ASSERT_EQUAL(r->handshake_ns > 0, true);
	tallies = worker_tallies(s->worker);
	CU_ASSERT_EQUAL_FATAL(tallies->cnt, 1);
	CU_ASSERT_EQUAL(tallies->v[0].flows, 1);
	script_free(s);
}

/* What is no mail leaves no record; what is TLS on any port does. */
static void test_other_ports(void)
{
	struct script *s = begin(1460);
	size_t cnt;

	s->server_port = 80;
	script_open(s);
	script_text(s, C, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
	for (int i = 0; i < 10; i++)
		script_sealed(s, S, 0, 1000);
	script_run(s, &cnt);
	CU_ASSERT_EQUAL(cnt, 0);
	script_free(s);
	s = begin(1460);
	s->server_port = 8025;
	established_12(s);
	CU_ASSERT_EQUAL(script_run(s, &cnt)->service, ET_SERVICE_SMTP);
	CU_ASSERT_EQUAL(cnt, 1);
	script_free(s);
	s = begin(1460);
	s->server_port = 443;
	script_open(s);
	script_client_hello(s, true);
	script_server_hello(s, true);
	CU_ASSERT_EQUAL(script_run(s, &cnt)->service, ET_SERVICE_NONE);
	CU_ASSERT_EQUAL(cnt, 1);
	script_free(s);
}

int main(void)
{
	CU_TestInfo tests[] = { { "outcomes", test_outcomes },
		{ "small segments", test_small_segments }, { "copies", test_copies },
		{ "reply first", test_reply_first }, { "out of order", test_out_of_order },
		{ "reuse", test_reuse }, { "aging", test_aging }, { "counts", test_counts },
		{ "other ports", test_other_ports }, CU_TEST_INFO_NULL };

	return unit_run("engine", tests);
}
