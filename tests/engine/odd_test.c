/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Connections that do not go as they should, or are not seen as they went: on the wire, in the
 * capture, at the seam between dialogue and TLS.
 */

#include <stdio.h>
#include <string.h>

#include "script.h"
#include "unit.h"

#define C ET_CLIENT
#define S ET_SERVER

static void handshake_12(struct script *s)
{
	script_server_hello(s, false);
	script_server_done(s);
	script_client_finish(s);
	script_server_finish(s);
}

static void handshake_13(struct script *s)
{
	script_server_hello(s, true);
	script_sealed(s, S, ET_TLS_APPLICATION, 900);
	script_sealed(s, C, ET_TLS_APPLICATION, 53);
}

static void use(struct script *s)
{
	for (int i = 0; i < 3; i++) {
		script_sealed(s, C, ET_TLS_APPLICATION, 60);
		script_sealed(s, S, ET_TLS_APPLICATION, 80);
	}
}

static void whole_12(struct script *s)
{
	script_client_hello(s, false);
	handshake_12(s);
	use(s);
}

/* Takes segments out, as if the capture had begun later or missed them. */
static void forget(struct script *s, size_t at, size_t n)
{
	memmove(&s->parcels[at], &s->parcels[at + n], (s->cnt - at - n) * sizeof(s->parcels[0]));
	s->cnt -= n;
}

static void exchange(struct script *s, size_t i, size_t j)
{
	struct parcel t = s->parcels[i];

	s->parcels[i] = s->parcels[j];
	s->parcels[j] = t;
}

static void injection(struct script *s) /* RFC 3207 4: commands behind STARTTLS, in clear */
{
	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 STARTTLS\r\n");
	script_text(s, C, "STARTTLS\r\nMAIL FROM:<a@example.org>\r\n");
	script_text(s, S, "220 2.0.0 Ready\r\n");
	whole_12(s);
}

static void tls_to_25(struct script *s)
{
	script_open(s);
	script_client_hello(s, true);
	handshake_13(s);
	use(s);
}

static void clear_to_465(struct script *s)
{
	s->server_port = 465;
	script_open(s);
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 SIZE\r\n");
	script_text(s, C, "QUIT\r\n");
	script_fin(s, S);
	script_fin(s, C);
}

static void sslv2_hello(struct script *s)
{
	static const uint8_t hello[] = { 0x80, 28, 1, 3, 3, 0, 3, 0, 0, 0, 16, 0, 0xc0, 0x2b, 1, 2,
		3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

	script_open(s);
	script_starttls(s);
	script_say(s, C, hello, sizeof(hello));
	handshake_12(s);
	use(s);
}

static void conflict(struct script *s) /* the same bytes again, but others */
{
	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	s->seq[C] -= 22;
	script_text(s, C, "EHLO bad.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 STARTTLS\r\n");
	script_text(s, C, "STARTTLS\r\n");
	script_text(s, S, "220 2.0.0 Ready\r\n");
	whole_12(s);
}

static void snap_length(struct script *s) /* the capture kept 20 bytes of each payload */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	handshake_12(s);
	script_fin(s, S);
	script_fin(s, C);
	for (size_t i = 0; i < s->cnt; i++)
		if (s->parcels[i].segment.payload.n > 20)
			s->parcels[i].segment.payload.n = 20;
}

static void midstream_tls(struct script *s)
{
	script_open(s);
	script_starttls(s);
	whole_12(s);
	forget(s, 0, s->cnt - 6);
}

static void midstream_dialogue(struct script *s)
{
	script_open(s);
	script_starttls(s);
	whole_12(s);
	forget(s, 0, 5); /* up to EHLO */
}

static void syn_again(struct script *s)
{
	script_segment(s, C, ET_TCP_SYN, NULL, 0);
	s->seq[C]--;
	script_open(s);
	script_starttls(s);
	whole_12(s);
}

static void other_syn_ack(struct script *s)
{
	script_segment(s, C, ET_TCP_SYN, NULL, 0);
	script_segment(s, S, ET_TCP_SYN | ET_TCP_ACK, NULL, 0);
	s->seq[S] += 123456;
	script_segment(s, S, ET_TCP_SYN | ET_TCP_ACK, NULL, 0);
	script_starttls(s);
	whole_12(s);
}

static void hello_retry(struct script *s)
{
	/* RFC 8446 4.1.3: this random says that it is no ServerHello */
	static const uint8_t retry[] = { 2, 0, 0, 46, 3, 3, 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a,
		0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16,
		0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c, 0, 0x13,
		0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4 };

	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	script_record(s, S, ET_TLS_HANDSHAKE, retry, sizeof(retry));
	script_client_hello(s, true);
	handshake_13(s);
	use(s);
}

static void keep_alive(struct script *s) /* RFC 9293 3.8.4: one old byte */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	for (int i = 0; i < 3; i++) {
		s->seq[C]--;
		script_segment(s, C, ET_TCP_ACK, "", 1);
		s->seq[S]--;
		script_segment(s, S, ET_TCP_ACK, "", 1);
	}
	handshake_12(s);
	use(s);
}

static void single_bytes(struct script *s)
{
	s->mss = 1;
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
}

static void rst_with_text(struct script *s) /* RFC 9293 3.5.2: not data */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_segment(s, S, ET_TCP_RST, "\x16\x03\x03 go away", 12);
}

static void fin_first(struct script *s) /* overtakes the alert */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
	script_fin(s, C);
	exchange(s, s->cnt - 3, s->cnt - 2);
	exchange(s, s->cnt - 2, s->cnt - 1);
}

static void tail_lost(struct script *s) /* the client's data, which the server acknowledged */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	handshake_13(s);
	script_sealed(s, C, ET_TLS_APPLICATION, 60);
	script_sealed(s, S, ET_TLS_APPLICATION, 80);
	script_rst(s, S);
	forget(s, s->cnt - 3, 1);
}

static void flight_lost(struct script *s) /* the whole answer to the hello, before a RST */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_skip(s, S, 3000);
	script_rst(s, S);
}

static void hello_lost(struct script *s) /* the server's, in its first segment */
{
	s->server_port = 465;
	script_open(s);
	script_client_hello(s, false);
	script_skip(s, S, 100);
	script_sealed(s, S, 0x99, 1000); /* the middle of a Certificate */
	script_sealed(s, S, 0x99, 1000);
	script_sealed(s, S, 0x99, 1000);
	script_client_finish(s);
	script_server_finish(s);
	script_fin(s, S);
	script_fin(s, C);
}

static void fin_lost(struct script *s) /* of the client, who gave up first */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_fin(s, C);
	script_fin(s, S);
	forget(s, s->cnt - 2, 1);
}

static void data_lost(struct script *s) /* the command; its 354 and the body were seen */
{
	size_t data;

	script_open(s);
	script_text(s, S, "220 mx.example.net ESMTP\r\n");
	script_text(s, C, "EHLO out.example.org\r\n");
	script_text(s, S, "250-mx.example.net\r\n250 SIZE\r\n");
	script_text(s, C, "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n");
	script_text(s, S, "250 ok\r\n250 ok\r\n");
	data = s->cnt;
	script_text(s, C, "DATA\r\n");
	script_text(s, S, "354 go\r\n");
	script_text(s, C, "Subject: x\r\n\r\nSTARTTLS\r\n.\r\n");
	script_text(s, S, "250 queued\r\n");
	script_fin(s, C);
	script_fin(s, S);
	forget(s, data, 1);
}

static void half_closed(struct script *s) /* the server's answer may be yet to come */
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, true);
	handshake_13(s);
	script_sealed(s, C, ET_TLS_APPLICATION, 60);
	script_fin(s, C);
}

static const struct {
	const char *name;
	void (*say)(struct script *);
	enum et_outcome outcome;
	enum et_mode mode;
	uint16_t version;
	uint8_t partial;
	uint8_t injected, sslv2, hello_retry;
	uint32_t conflicts;
} rows[] = {
	{ "injection", injection, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_STARTTLS,
		.version = 0x303, .injected = 1 },
	{ "TLS to 25", tls_to_25, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_IMPLICIT,
		.version = 0x304 },
	{ "clear to 465", clear_to_465, .outcome = ET_OUTCOME_NONE, .mode = ET_MODE_CLEAR },
	{ "SSLv2 hello", sslv2_hello, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_STARTTLS,
		.version = 0x303, .sslv2 = 1 },
	{ "conflict", conflict, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_STARTTLS,
		.version = 0x303, .conflicts = 1 },
	{ "snap length", snap_length, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_STARTTLS,
		.partial = ET_PARTIAL_TRUNCATED },
	{ "mid-stream, TLS", midstream_tls, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_NONE,
		.partial = ET_PARTIAL_MIDSTREAM },
	{ "mid-stream, dialogue", midstream_dialogue, .outcome = ET_OUTCOME_ESTABLISHED,
		.mode = ET_MODE_STARTTLS, .version = 0x303, .partial = ET_PARTIAL_MIDSTREAM },
	{ "SYN again", syn_again, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_STARTTLS,
		.version = 0x303 },
	{ "other SYN-ACK", other_syn_ack, .outcome = ET_OUTCOME_ESTABLISHED,
		.mode = ET_MODE_STARTTLS, .version = 0x303 },
	{ "HelloRetryRequest", hello_retry, .outcome = ET_OUTCOME_ESTABLISHED,
		.mode = ET_MODE_STARTTLS, .version = 0x304, .hello_retry = 1 },
	{ "keep-alive", keep_alive, .outcome = ET_OUTCOME_ESTABLISHED, .mode = ET_MODE_STARTTLS,
		.version = 0x303 },
	{ "single bytes", single_bytes, .outcome = ET_OUTCOME_FAILED, .mode = ET_MODE_STARTTLS },
	{ "RST with text", rst_with_text, .outcome = ET_OUTCOME_FAILED, .mode = ET_MODE_STARTTLS },
	{ "FIN first", fin_first, .outcome = ET_OUTCOME_FAILED, .mode = ET_MODE_STARTTLS },
	{ "tail lost", tail_lost, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_STARTTLS,
		.version = 0x304, .partial = ET_PARTIAL_GAP },
	{ "flight lost", flight_lost, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_STARTTLS,
		.partial = ET_PARTIAL_GAP },
	{ "hello lost", hello_lost, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_IMPLICIT,
		.partial = ET_PARTIAL_GAP },
	{ "FIN lost", fin_lost, .outcome = ET_OUTCOME_UNKNOWN, .mode = ET_MODE_STARTTLS },
	{ "DATA lost", data_lost, .outcome = ET_OUTCOME_NONE, .mode = ET_MODE_CLEAR,
		.partial = ET_PARTIAL_GAP },
	{ "half closed", half_closed, .outcome = ET_OUTCOME_INCOMPLETE, .mode = ET_MODE_STARTTLS,
		.version = 0x304 },
};

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct script *s = script_new(25);
		const struct et_session *r;
		size_t cnt;

		CU_ASSERT_FATAL(s && s->worker);
		rows[i].say(s);
		r = script_run(s, &cnt);
		CU_ASSERT_EQUAL_FATAL(cnt, 1);
		if (r->outcome != rows[i].outcome || r->mode != rows[i].mode ||
			r->partial != rows[i].partial)
			printf("%s: %s, mode %u, partial %u\n", rows[i].name,
				et_outcome_name(r->outcome), r->mode, r->partial);
		CU_ASSERT_EQUAL(r->outcome, rows[i].outcome);
		CU_ASSERT_EQUAL(r->mode, rows[i].mode);
		CU_ASSERT_EQUAL(r->tls.version, rows[i].version);
		CU_ASSERT_EQUAL(r->partial, rows[i].partial);
		CU_ASSERT_EQUAL(r->mail.injected, rows[i].injected);
		CU_ASSERT_EQUAL(r->tls.hello_sslv2, rows[i].sslv2);
		CU_ASSERT_EQUAL(r->tls.hello_retry, rows[i].hello_retry);
		CU_ASSERT_EQUAL(r->port[S], s->server_port);
		CU_ASSERT_EQUAL_FATAL(worker_tallies(s->worker)->cnt, 1);
		CU_ASSERT_EQUAL(worker_tallies(s->worker)->v[0].order.conflicts, rows[i].conflicts);
		script_free(s);
	}
}

static void closes_then_alert(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_fin(s, S);
	script_alert(s, C, 2, 50);
	script_fin(s, C);
}

static void closes_then_alert_in_bytes(struct script *s)
{
	s->mss = 1;
	closes_then_alert(s);
}

static void closes_then_alert_and_rst(struct script *s)
{
	closes_then_alert(s);
	s->cnt--;
	script_rst(s, S);
}

static void closes_then_goodbye_and_alert(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, C, 1, 90);
	script_fin(s, S);
	script_alert(s, C, 2, 50);
	script_fin(s, C);
}

static void fin_seen_late(struct script *s) /* two taps: the FIN came after what answers it */
{
	closes_then_alert(s);
	exchange(s, s->cnt - 3, s->cnt - 2);
	exchange(s, s->cnt - 2, s->cnt - 1);
}

static void alert_then_closes(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, C, 2, 80);
	script_fin(s, S);
	script_fin(s, C);
}

static void alert_alone(struct script *s)
{
	alert_then_closes(s);
	forget(s, s->cnt - 2, 1);
}

static void alert_and_fin_cross(struct script *s) /* seen near the server: its FIN first */
{
	alert_then_closes(s);
	exchange(s, s->cnt - 3, s->cnt - 2);
}

static void rst_then_alert(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_rst(s, S);
	script_alert(s, C, 2, 50);
}

static void server_alert_then_alert(struct script *s)
{
	script_open(s);
	script_starttls(s);
	script_client_hello(s, false);
	script_alert(s, S, 2, 40);
	script_fin(s, S);
	script_alert(s, C, 2, 50);
	script_fin(s, C);
}

static void closes_at_wrap(struct script *s) /* of the sequence numbers */
{
	s->seq[S] = UINT32_MAX - 96; /* SYN and the dialogue: the FIN has the last one */
	closes_then_alert(s);
}

/* Which came first, the server's close or the client's alert? */
static void test_close_and_alert(void)
{
	static const struct {
		const char *name;
		void (*say)(struct script *);
		bool closed_before_alert;
		int alert_from, alert_code;
		enum et_end end;
	} cases[] = {
		{ "close, alert", closes_then_alert, true, C, 50, ET_END_FIN_SERVER },
		{ "close, alert, RST", closes_then_alert_and_rst, true, C, 50, ET_END_FIN_SERVER },
		{ "warning, close, alert", closes_then_goodbye_and_alert, true, C, 50,
			ET_END_FIN_SERVER },
		{ "close seen late", fin_seen_late, true, C, 50, ET_END_FIN_SERVER },
		{ "alert, close", alert_then_closes, false, C, 80, ET_END_FIN_SERVER },
		{ "alert alone", alert_alone, false, C, 80, ET_END_FIN_CLIENT },
		{ "alert and close cross", alert_and_fin_cross, false, C, 80, ET_END_FIN_SERVER },
		{ "RST, alert", rst_then_alert, false, -1, -1, ET_END_RST_SERVER },
		{ "close, alert, a byte each", closes_then_alert_in_bytes, true, C, 50,
			ET_END_FIN_SERVER },
		{ "server's own alert", server_alert_then_alert, false, S, 40, ET_END_FIN_SERVER },
		{ "close, alert, wrapped", closes_at_wrap, true, C, 50, ET_END_FIN_SERVER },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script *s = script_new(25);
		const struct et_session *r;
		size_t cnt;

		CU_ASSERT_FATAL(s && s->worker);
		cases[i].say(s);
		r = script_run(s, &cnt);
		CU_ASSERT_EQUAL_FATAL(cnt, 1);
		if (r->closed_before_alert != cases[i].closed_before_alert)
			printf("%s\n", cases[i].name);
		CU_ASSERT_EQUAL(r->closed_before_alert, cases[i].closed_before_alert);
		CU_ASSERT_EQUAL(r->outcome, ET_OUTCOME_FAILED);
		CU_ASSERT_EQUAL(r->alert_from, cases[i].alert_from);
		CU_ASSERT_EQUAL(r->alert_code, cases[i].alert_code);
		CU_ASSERT_EQUAL(r->end, cases[i].end);
		script_free(s);
	}
}

/* The parsers of a connection are used again: nothing of its alert stays. */
static void test_close_and_alert_again(void)
{
	struct script *s = script_new(25);
	const struct et_session *r;
	size_t cnt;

	CU_ASSERT_FATAL(s && s->worker);
	alert_then_closes(s);
	s->client_port++;
	closes_then_alert(s);
	r = script_run(s, &cnt);
	CU_ASSERT_EQUAL_FATAL(cnt, 2);
	CU_ASSERT_FALSE(r[0].closed_before_alert);
	CU_ASSERT_TRUE(r[1].closed_before_alert);
	script_free(s);
}

/* Nobody said anything: nothing to record. */
static void test_rst_before_data(void)
{
	struct script *s = script_new(25);
	size_t cnt;

	CU_ASSERT_FATAL(s && s->worker);
	script_open(s);
	script_rst(s, S);
	script_run(s, &cnt);
	CU_ASSERT_EQUAL(cnt, 0);
	CU_ASSERT_EQUAL(worker_tallies(s->worker)->v[0].flows, 1);
	script_free(s);
}

int main(void)
{
	CU_TestInfo tests[] = { { "oddities", test_rows },
		{ "RST before data", test_rst_before_data },
		{ "close and alert", test_close_and_alert },
		{ "close and alert again", test_close_and_alert_again }, CU_TEST_INFO_NULL };

	return unit_run("engine_odd", tests);
}
