/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "world.h"

#include <string.h>

/* The general remainder of the alerts. */
void test_alerts(void)
{
	static const struct hello_spec h2 = { .ciphers = "c02f", .alpn = "h2" };
	static const struct {
		int alert;
		const char *code;
	} rows[] = {
		{ 112, "unrecognized_name" },
		{ 120, "no_application_protocol" },
		{ 50, "alert/decode_error" },
		{ 80, "alert/internal_error" },
		{ 110, "alert/unsupported_extension" },
		{ 49, "alert/access_denied" },
		{ 250, "alert/250" },
	};
	struct et_session *s;
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world_init(&w);
		s = world_refused(&w, &h2, rows[i].alert);
		s->tls.sni = world_name(&w, "mx.example.com");
		world_expect(&w, rows[i].code, rows[i].code, ET_CERTAIN);
		world_free(&w);
	}
	/* a warning about the name ends nothing */
	world_init(&w);
	s = world_refused(&w, &h2, 112);
	s->alert_level = 1;
	world_expect(&w, "warning", "lost/closed_by_server/after_client_hello", ET_CERTAIN);
	world_free(&w);
}

/* STARTTLS that did not happen, on the first session of a pair and on later ones. */
void test_starttls(void)
{
	static const struct {
		const char *row;
		struct et_mail_facts mail;
		uint8_t service, mode, outcome;
		uint8_t before; /* an earlier session had the offer: 1 of this client, 2 of another */
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "454", { .requested = true, .reply = 454, .offered = ET_YES }, ET_SERVICE_SMTP,
			ET_MODE_STARTTLS, ET_OUTCOME_NONE, 0, "starttls_refused/454", ET_CERTAIN },
		{ "offered, then unknown", { .requested = true, .reply = 502, .offered = ET_YES },
			ET_SERVICE_SMTP, ET_MODE_STARTTLS, ET_OUTCOME_NONE, 0,
			"starttls_refused/502/garbled", ET_LIKELY },
		{ "unknown", { .requested = true, .reply = 502 }, ET_SERVICE_SMTP, ET_MODE_STARTTLS,
			ET_OUTCOME_NONE, 0, "starttls_refused/502", ET_CERTAIN },
		{ "refused by IMAP", { .requested = true, .reply = 500, .offered = ET_YES },
			ET_SERVICE_IMAP, ET_MODE_STARTTLS, ET_OUTCOME_NONE, 0,
			"starttls_refused/500", ET_CERTAIN },
		{ "500 of IMAP", { .requested = true, .reply = 500 }, ET_SERVICE_IMAP,
			ET_MODE_STARTTLS, ET_OUTCOME_NONE, 0, "starttls_refused/500", ET_CERTAIN },
		{ "hello all the same", { .requested = true, .reply = 454 }, ET_SERVICE_SMTP,
			ET_MODE_STARTTLS, ET_OUTCOME_INCOMPLETE, 0, "starttls_refused/454",
			ET_CERTAIN },
		{ "no reply", { .requested = true }, ET_SERVICE_SMTP, ET_MODE_STARTTLS,
			ET_OUTCOME_NONE, 0, "starttls_unanswered", ET_CERTAIN },
		{ "no reply, holes", { .requested = true, .confused = { false, true } },
			ET_SERVICE_SMTP, ET_MODE_STARTTLS, ET_OUTCOME_NONE, 0,
			"starttls_unanswered", ET_POSSIBLE },
		{ "not offered", { .offered = ET_NO }, ET_SERVICE_SMTP, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 0, "starttls_not_offered", ET_CERTAIN },
		{ "not any more", { .offered = ET_NO }, ET_SERVICE_SMTP, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 1, "starttls_not_offered/vanished", ET_LIKELY },
		{ "not to this one", { .offered = ET_NO }, ET_SERVICE_SMTP, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 2, "starttls_not_offered/to_this_client", ET_LIKELY },
		{ "masked", { .offered = ET_NO, .masked = true }, ET_SERVICE_SMTP, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 2, "starttls_masked", ET_CERTAIN },
		{ "not used", { .offered = ET_YES, .clear_mail = 1 }, ET_SERVICE_SMTP,
			ET_MODE_CLEAR, ET_OUTCOME_NONE, 0, "starttls_not_used", ET_CERTAIN },
		{ "not known", { .offered = ET_NOT_KNOWN }, ET_SERVICE_SMTP, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 0, "", ET_CERTAIN },
		{ "plain to 465", { .lines = { 1, 1 } }, ET_SERVICE_SMTPS, ET_MODE_CLEAR,
			ET_OUTCOME_NONE, 0, "plaintext_to_tls_port", ET_CERTAIN },
		{ "TLS to 25", { .lines = { 0, 1 } }, ET_SERVICE_SMTP, ET_MODE_IMPLICIT,
			ET_OUTCOME_INCOMPLETE, 0, "tls_to_plaintext_port", ET_CERTAIN },
		{ "nothing at all", { 0 }, ET_SERVICE_SMTP, ET_MODE_NONE, ET_OUTCOME_NONE, 0, "",
			ET_CERTAIN },
		{ "established", { .requested = true, .reply = 220 }, ET_SERVICE_SMTP,
			ET_MODE_STARTTLS, ET_OUTCOME_ESTABLISHED, 0, "", ET_CERTAIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_session *s;
		struct world w;

		world_init(&w);
		if (rows[i].before) {
			s = world_session(&w, rows[i].before == 1 ? 7 : 8);
			s->mail.offered = ET_YES;
		}
		s = world_session(&w, 7);
		s->mail = rows[i].mail;
		s->service = rows[i].service;
		s->mode = rows[i].mode;
		s->outcome = rows[i].outcome;
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
}

/* Ends without a word, and outcomes that the capture hides. */
void test_lost(void)
{
	static const struct {
		const char *row;
		uint8_t outcome, end, partial;
		bool one_way;
		uint32_t client, server; /* enum et_tls_seen */
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "silence", ET_OUTCOME_INCOMPLETE, ET_END_OPEN, 0, false, ET_TLS_SAW_CLIENT_HELLO,
			0, "lost/timeout/after_client_hello", ET_LIKELY },
		{ "RST of the server", ET_OUTCOME_FAILED, ET_END_RST_SERVER, 0, false,
			ET_TLS_SAW_CLIENT_HELLO, 0, "lost/reset_by_server/after_client_hello",
			ET_CERTAIN },
		{ "FIN of the client", ET_OUTCOME_INCOMPLETE, ET_END_FIN_CLIENT, 0, false,
			ET_TLS_SAW_CLIENT_HELLO, 0, "lost/closed_by_client/after_client_hello",
			ET_CERTAIN },
		{ "RST of the client", ET_OUTCOME_FAILED, ET_END_RST_CLIENT, 0, false,
			ET_TLS_SAW_CLIENT_HELLO, ET_TLS_SAW_SERVER_HELLO,
			"lost/reset_by_client/after_server_hello", ET_CERTAIN },
		{ "with a gap", ET_OUTCOME_INCOMPLETE, ET_END_FIN_SERVER, ET_PARTIAL_GAP, false,
			ET_TLS_SAW_CLIENT_HELLO | ET_TLS_SAW_FINISHED, ET_TLS_SAW_SERVER_HELLO,
			"lost/closed_by_server/after_client_finished", ET_LIKELY },
		{ "go-ahead, then nothing", ET_OUTCOME_NONE, ET_END_FIN_CLIENT, 0, false, 0, 0,
			"lost/closed_by_client/after_starttls", ET_CERTAIN },
		{ "broken", ET_OUTCOME_BROKEN, ET_END_RST_CLIENT, 0, false, ET_TLS_SAW_FINISHED,
			ET_TLS_SAW_FINISHED, "broken/after_handshake", ET_CERTAIN },
		{ "gap", ET_OUTCOME_UNKNOWN, ET_END_OPEN, ET_PARTIAL_GAP, false, 0, 0,
			"capture/gap", ET_CERTAIN },
		{ "midstream", ET_OUTCOME_UNKNOWN, ET_END_OPEN, ET_PARTIAL_MIDSTREAM, false, 0, 0,
			"capture/midstream", ET_CERTAIN },
		{ "truncated", ET_OUTCOME_UNKNOWN, ET_END_OPEN,
			ET_PARTIAL_TRUNCATED | ET_PARTIAL_GAP, false, 0, 0, "capture/truncated",
			ET_CERTAIN },
		{ "one direction", ET_OUTCOME_UNKNOWN, ET_END_OPEN, ET_PARTIAL_MIDSTREAM, true, 0,
			0, "capture/one_direction", ET_CERTAIN },
		{ "garbage", ET_OUTCOME_UNKNOWN, ET_END_OPEN, 0, false, 0, 0, "capture/unreadable",
			ET_LIKELY },
	};
	struct et_session *s;
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world_init(&w);
		s = world_session(&w, 7);
		s->mode = ET_MODE_STARTTLS;
		s->mail.requested = true;
		s->mail.reply = 220;
		s->outcome = rows[i].outcome;
		s->end = rows[i].end;
		s->partial = rows[i].partial;
		if (rows[i].one_way)
			s->packets[ET_SERVER] = 0;
		s->tls.side[ET_CLIENT].seen = rows[i].client;
		s->tls.side[ET_SERVER].seen = rows[i].server;
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
	world_init(&w);
	s = world_session(&w, 7);
	s->outcome = ET_OUTCOME_BROKEN;
	s->tls.version = ET_TLSV1_0;
	s->tls.cipher = 0x000a;
	world_expect(&w, "3DES", "broken/after_handshake/3des", ET_POSSIBLE);
	world_free(&w);
}

/*
 * From which failure does mail in clear fall back? A story is a row of sessions, one letter each:
 * F failed, B broken, R STARTTLS refused, E established, I incomplete and open, C mail in clear,
 * r refused and mail in clear on the same connection, f failed and mail in clear; a capital O is a
 * session of another client. `from` has, for each, the index of the failure, or '-'.
 */
void test_fallback(void)
{
	static const struct {
		const char *story, *from;
	} rows[] = {
		{ "FC", "-0" },
		{ "FFC", "--0" }, /* the first failure counts */
		{ "FFCC", "--00" },
		{ "FEC", "---" },
		{ "FEFC", "---2" },
		{ "FCFC", "-0-2" }, /* a failure behind a fallback opens a new story */
		{ "C", "-" },
		{ "EC", "--" },
		{ "r", "0" },
		{ "f", "0" },
		{ "rC", "00" },
		{ "RC", "-0" },
		{ "BC", "-0" },
		{ "IC", "--" },
		{ "OC", "--" },
		{ "FOC", "--0" },
		{ "CFC", "--1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world w;

		world_init(&w);
		for (const char *p = rows[i].story; *p; p++) {
			struct et_session *s = world_session(&w, *p == 'O' ? 8 : 7);

			s->outcome = *p == 'F' || *p == 'f' || *p == 'O' ? ET_OUTCOME_FAILED
				     : *p == 'B'                         ? ET_OUTCOME_BROKEN
				     : *p == 'E'                         ? ET_OUTCOME_ESTABLISHED
				     : *p == 'I'                         ? ET_OUTCOME_INCOMPLETE
									 : ET_OUTCOME_NONE;
			s->mail.requested = *p != 'C';
			s->mail.reply = *p == 'R' || *p == 'r' ? 454 : 0;
			s->mail.clear_mail = *p == 'C' || *p == 'r' || *p == 'f';
		}
		world_cause(&w);
		for (size_t k = 0; k < w.cnt; k++) {
			struct et_fallback f = et_policy_fallback(w.policy, k);
			size_t from = (size_t)(rows[i].from[k] - '0');

			CU_ASSERT_EQUAL(f.is, rows[i].from[k] != '-');
			if (!f.is || rows[i].from[k] == '-')
				continue;
			CU_ASSERT_EQUAL(f.after_ns, w.sessions[from].start_ns);
			CU_ASSERT_EQUAL(f.delay_ns, (int64_t)(k - from) * ET_NS_PER_S);
			CU_ASSERT_EQUAL(f.same_connection, k == from);
		}
		world_free(&w);
	}
}
