/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a dialogue leave the same facts however it is cut and in whatever order the directions come,
 * and does no input hang, crash or make a claim that the bytes do not carry?
 */
#include "rows.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct et_dict *names;
static uint64_t drops[ET_DROP_MAX];

static struct et_mail_env env(void)
{
	return (struct et_mail_env){ .names = names, .drops = drops };
}

/* As the caller does where no TLS comes of a TLS-looking byte. */
static void feed(struct et_mail *mail, enum et_dir dir, const void *p, size_t n)
{
	struct et_mail_env e = env();
	struct et_view bytes = { p, n };

	while (bytes.n > 0) {
		size_t used = et_mail_feed(mail, &e, dir, bytes);

		CU_ASSERT_FATAL(used <= bytes.n);
		bytes.p += used;
		bytes.n -= used;
		if (bytes.n > 0)
			et_mail_force_line(mail, dir);
	}
}

static void feed_text(struct et_mail *mail, enum et_dir dir, const char *text)
{
	feed(mail, dir, text, strlen(text));
}

/* One entry of a row, cut after `cut` bytes, or after each if cut is 0. */
static void say(struct et_mail *mail, const char *text, size_t cut)
{
	enum et_dir dir = *text == 'C' || *text == 'c' ? ET_CLIENT : ET_SERVER;
	size_t n = strlen(++text);

	if (text[-1] == 'c' || text[-1] == 's') {
		et_mail_gap(mail, dir, strtoull(text, NULL, 10));
		return;
	}
	for (size_t i = 0; cut == 0 && i < n; i++)
		feed(mail, dir, text + i, 1);
	if (cut == 0)
		return;
	cut = cut < n ? cut : n;
	feed(mail, dir, text, cut);
	feed(mail, dir, text + cut, n - cut);
}

static bool is_name(uint32_t id, const char *name)
{
	struct et_view view = et_dict_get(names, id);

	if (!name)
		return id == ET_DICT_NONE;
	return view.n == strlen(name) && memcmp(view.p, name, view.n) == 0;
}

static void check(const struct row *row, const struct et_mail *mail, const char *how)
{
	struct et_mail_facts want = row->facts, got = mail->facts;
	bool ok = is_name(got.client_name, row->client_name) &&
		  is_name(got.server_name, row->server_name);

	if (row->proto_after)
		ok &= mail->proto == row->proto_after;
	ok &= got.offered == want.offered && got.masked == want.masked;
	ok &= got.requested == want.requested && got.reply == want.reply;
	ok &= got.injected == want.injected && got.reply_injected == want.reply_injected;
	ok &= got.greeting == want.greeting && got.last_reply == want.last_reply;
	ok &= got.clear_mail == want.clear_mail && got.mail_tries == want.mail_tries;
	ok &= got.auth_clear == want.auth_clear && got.quit == want.quit;
	ok &= got.confused[0] == want.confused[0] && got.confused[1] == want.confused[1];
	if (!ok)
		printf("\n%s, %s: offered %d masked %d asked %d reply %d injected %d%d greeting %d"
		       " last %d mail %u/%u auth %d quit %d confused %d%d names %u %u ",
			row->name, how, got.offered, got.masked, got.requested, got.reply,
			got.injected, got.reply_injected, got.greeting, got.last_reply,
			got.clear_mail, got.mail_tries, got.auth_clear, got.quit, got.confused[0],
			got.confused[1], got.client_name, got.server_name);
	CU_ASSERT(ok);
}

static struct et_mail *begin(const struct row *row)
{
	static struct et_mail mail;

	memset(&mail, 0xa5, sizeof(mail)); /* as a used slot of the pool */
	et_mail_init(&mail, row->proto ? row->proto : ET_MAIL_SMTP);
	return &mail;
}

static void run(const struct row *row, size_t cut, const char *how)
{
	struct et_mail *mail = begin(row);

	for (unsigned i = 0; i < ROW_SAYS && row->say[i]; i++)
		say(mail, row->say[i], cut);
	check(row, mail, how);
}

/* Whole, byte by byte, and each segment cut at each byte. */
static void run_cuts(const struct row *row)
{
	size_t longest = 0;

	run(row, SIZE_MAX, "whole");
	if (row->how & ROW_SEGMENTS)
		return;
	run(row, 0, "byte by byte");
	for (unsigned i = 0; i < ROW_SAYS && row->say[i]; i++)
		longest = strlen(row->say[i]) > longest ? strlen(row->say[i]) : longest;
	for (size_t cut = 1; cut < longest; cut++)
		run(row, cut, "cut");
}

static bool is_client(const char *text)
{
	return *text == 'C' || *text == 'c';
}

/* All of one direction before the other. */
static void run_apart(const struct row *row, bool client_first, size_t cut)
{
	struct et_mail *mail = begin(row);

	for (unsigned turn = 0; turn < 2; turn++)
		for (unsigned i = 0; i < ROW_SAYS && row->say[i]; i++)
			if (is_client(row->say[i]) == (client_first == (turn == 0)))
				say(mail, row->say[i], cut);
	check(row, mail, client_first ? "client first" : "server first");
}

/* Each entry that differs in direction from the one before it overtakes it. */
static void run_swapped(const struct row *row, unsigned from, size_t cut)
{
	struct et_mail *mail = begin(row);
	const char *const *said = row->say;
	unsigned i = 0;

	for (; i < from && said[i]; i++)
		say(mail, said[i], cut);
	for (; i < ROW_SAYS && said[i]; i++) {
		if (i + 1 < ROW_SAYS && said[i + 1] &&
			is_client(said[i]) != is_client(said[i + 1])) {
			say(mail, said[i + 1], cut);
			say(mail, said[i++], cut);
		} else {
			say(mail, said[i], cut);
		}
	}
	check(row, mail, "swapped");
}

static void run_orders(const struct row *row)
{
	static const size_t cuts[] = { SIZE_MAX, 0, 3, 7 };

	if (row->how & ROW_ORDER)
		return;
	for (unsigned i = 0; i < (row->how & ROW_SEGMENTS ? 1 : 4); i++) {
		run_apart(row, true, cuts[i]);
		run_apart(row, false, cuts[i]);
		run_swapped(row, 0, cuts[i]);
		run_swapped(row, 1, cuts[i]);
	}
}

static void test_smtp(void)
{
	for (size_t i = 0; i < smtp_rows_cnt; i++) {
		run_cuts(&smtp_rows[i]);
		run_orders(&smtp_rows[i]);
	}
}

static void test_others(void)
{
	for (size_t i = 0; i < other_rows_cnt; i++) {
		run_cuts(&other_rows[i]);
		run_orders(&other_rows[i]);
	}
}

/* Where a line begins with a TLS byte the room stops, and within bodies it does not. */
static void test_tls_byte(void)
{
	static const struct {
		enum et_dir dir;
		const char *text;
		size_t used;
	} rows[] = {
		{ ET_CLIENT, "\x16\x03\x01", 0 },
		{ ET_CLIENT, "\x80\x2e\x01", 0 },
		{ ET_SERVER, "\x80\x2e\x01", 3 },
		{ ET_SERVER, "\x15\x03\x01", 0 },
		{ ET_CLIENT, "STARTTLS\r\n\x16\x03\x01", 10 },
		{ ET_CLIENT, "STARTTLS\n\x16\x03\x01", 9 },
		{ ET_CLIENT, "STARTTLS\x16\x03\x01", 11 },
		{ ET_SERVER, "220 go\r\n\x16\x03\x01", 8 },
		{ ET_CLIENT, "BDAT 3\r\n\x16\x03\x01\x16", 11 },
		{ ET_CLIENT, "DATA\r\n\x16\x03\x01\r\n.\r\n\x16", 14 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_mail *mail = begin(&(struct row){ 0 });
		struct et_mail_env e = env();
		struct et_view bytes = { (const uint8_t *)rows[i].text, strlen(rows[i].text) };

		CU_ASSERT_EQUAL(et_mail_feed(mail, &e, rows[i].dir, bytes), rows[i].used);
		CU_ASSERT_FALSE(mail->facts.injected);
	}
}

/* A handshake has failed and the dialogue goes on in clear. */
static void test_resume(void)
{
	for (unsigned order = 0; order < 2; order++) {
		struct et_mail *mail = begin(&(struct row){ 0 });

		feed_text(mail, ET_SERVER, "220 mx.example.net ESMTP\r\n");
		feed_text(mail, ET_CLIENT, "EHLO a\r\n");
		feed_text(mail, ET_SERVER, "250-mx\r\n250 STARTTLS\r\n");
		feed_text(mail, ET_CLIENT, "STARTTLS\r\n");
		feed_text(mail, ET_SERVER, "220 go\r\n");
		et_mail_resume(mail, ET_SERVER);
		if (order == 0)
			feed_text(mail, ET_SERVER, "454 TLS not available\r\n");
		et_mail_resume(mail, ET_CLIENT);
		feed_text(mail, ET_CLIENT, "MAIL FROM:<>\r\n");
		if (order == 1)
			feed_text(mail, ET_SERVER, "454 TLS not available\r\n");
		feed_text(mail, ET_SERVER, "250 ok\r\n");
		feed_text(mail, ET_CLIENT, "BDAT 1 LAST\r\nx");
		feed_text(mail, ET_SERVER, "250 queued\r\n");
		CU_ASSERT_EQUAL(mail->facts.reply, 220);
		CU_ASSERT_EQUAL(mail->facts.clear_mail, 1);
		CU_ASSERT_FALSE(mail->facts.injected);
		CU_ASSERT_FALSE(mail->facts.reply_injected);
		CU_ASSERT_FALSE(mail->loose);
	}
}

/* STARTTLS was accepted, TLS failed, and the list in clear behind it has no STARTTLS. */
static void test_list_after_tls(void)
{
	static const struct {
		enum et_mail_proto proto;
		const char *greeting, *ask, *answer, *list_ask, *list;
	} rows[] = {
		{ ET_MAIL_IMAP, "* OK hi\r\n", "a STARTTLS\r\n", "a OK\r\n", "b CAPABILITY\r\n",
			"* CAPABILITY IMAP4rev1\r\nb OK\r\n" },
		{ ET_MAIL_POP3, "+OK hi\r\n", "STLS\r\n", "+OK\r\n", "CAPA\r\n",
			"+OK\r\n+OK\r\nTOP\r\n.\r\n" },
		{ ET_MAIL_SIEVE, "OK hi\r\n", "STARTTLS\r\n", "OK\r\n", "CAPABILITY\r\n",
			"OK\r\n\"SIEVE\" \"x\"\r\nOK\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_mail *mail = begin(&(struct row){ .proto = rows[i].proto });

		feed_text(mail, ET_SERVER, rows[i].greeting);
		feed_text(mail, ET_CLIENT, rows[i].ask);
		feed_text(mail, ET_SERVER, rows[i].answer);
		et_mail_resume(mail, ET_SERVER);
		et_mail_resume(mail, ET_CLIENT);
		feed_text(mail, ET_CLIENT, rows[i].list_ask);
		feed_text(mail, ET_SERVER, rows[i].list);
		CU_ASSERT_EQUAL(mail->facts.reply, 220);
		CU_ASSERT_EQUAL(mail->facts.offered, ET_NOT_KNOWN);
	}
}

/* One early reply more than is kept, and that one was to a login: no list is believed then. */
static void test_login_forgotten(void)
{
	struct et_mail *mail = begin(&(struct row){ .proto = ET_MAIL_IMAP });
	char text[32];

	feed_text(mail, ET_SERVER, "* OK hi\r\nin OK\r\n");
	for (unsigned i = 0; i + 1 < ET_MAIL_QUEUE; i++) {
		snprintf(text, sizeof(text), "x%u OK\r\n", i);
		feed_text(mail, ET_SERVER, text);
	}
	feed_text(mail, ET_SERVER, "* CAPABILITY IMAP4rev1\r\nlist OK\r\n");
	for (unsigned i = 0; i + 1 < ET_MAIL_QUEUE; i++) {
		snprintf(text, sizeof(text), "x%u NOOP\r\n", i);
		feed_text(mail, ET_CLIENT, text);
	}
	feed_text(mail, ET_CLIENT, "in LOGIN x y\r\n");
	feed_text(mail, ET_CLIENT, "list CAPABILITY\r\n");
	CU_ASSERT_EQUAL(mail->facts.offered, ET_NOT_KNOWN);
}

/* Names are kept raw, up to 255 bytes; NUL and 8-bit bytes among them. */
static void test_names(void)
{
	struct et_mail *mail = begin(&(struct row){ 0 });
	char text[400] = "EHLO a\0\xff";
	struct et_view name;

	feed(mail, ET_CLIENT, text, 8);
	feed_text(mail, ET_CLIENT, "\r\n");
	name = et_dict_get(names, mail->facts.client_name);
	CU_ASSERT_EQUAL_FATAL(name.n, 3);
	CU_ASSERT_EQUAL(memcmp(name.p, "a\0\xff", 3), 0);

	memset(text + 5, 'b', 300);
	memcpy(text + 305, "\r\n", 3);
	feed(mail, ET_CLIENT, text, 307);
	CU_ASSERT_EQUAL(et_dict_get(names, mail->facts.client_name).n, 255);
	CU_ASSERT_EQUAL(mail->facts.lines[ET_CLIENT], 2);
}

/* A thousand recipients in one flight are no reason to lose the order. */
static void test_pipeline(void)
{
	static const unsigned cnt[] = { 1, 31, 64, 65, 1000, 70000 };

	for (size_t i = 0; i < sizeof(cnt) / sizeof(*cnt); i++) {
		struct et_mail *mail = begin(&(struct row){ 0 });

		feed_text(mail, ET_SERVER, "220 mx\r\n");
		feed_text(mail, ET_CLIENT, "EHLO a\r\nMAIL FROM:<>\r\n");
		for (unsigned k = 0; k < cnt[i]; k++)
			feed_text(mail, ET_CLIENT, "RCPT TO:<a@b>\r\n");
		feed_text(mail, ET_CLIENT, "BDAT 1 LAST\r\nxSTARTTLS\r\n");
		feed_text(mail, ET_SERVER, "250 mx\r\n250 ok\r\n");
		for (unsigned k = 0; k < cnt[i]; k++)
			feed_text(mail, ET_SERVER, "550 no\r\n");
		feed_text(mail, ET_SERVER, "250 ok\r\n454 no\r\n");
		CU_ASSERT_EQUAL(mail->facts.reply, 454);
		CU_ASSERT_EQUAL(mail->facts.clear_mail, 1);
		CU_ASSERT_FALSE(mail->facts.confused[ET_SERVER]);
	}
}

/* Too many changes in one flight: the order is lost, and then no claim rests on it. */
static void test_overflow(void)
{
	struct et_mail *mail = begin(&(struct row){ 0 });

	feed_text(mail, ET_SERVER, "220 mx\r\n");
	feed_text(mail, ET_CLIENT, "EHLO a\r\n");
	for (unsigned i = 0; i < 200; i++)
		feed_text(mail, ET_CLIENT, "NOOP\r\nRSET\r\n");
	feed_text(mail, ET_CLIENT, "BDAT 1 LAST\r\nxSTARTTLS\r\n");
	CU_ASSERT_TRUE(mail->facts.confused[ET_SERVER]);
	for (unsigned i = 0; i < 403; i++)
		feed_text(mail, ET_SERVER, i % 2 ? "250 ok\r\n" : "554 no\r\n");
	CU_ASSERT_TRUE(mail->facts.confused[ET_SERVER]);
	CU_ASSERT_EQUAL(mail->facts.reply, 0);
	CU_ASSERT_EQUAL(mail->facts.clear_mail, 0);
	CU_ASSERT_EQUAL(mail->facts.offered, ET_NOT_KNOWN);
	/* What cannot be mistaken brings the order back. */
	feed_text(mail, ET_SERVER, "220 go\r\n");
	CU_ASSERT_EQUAL(mail->facts.reply, 220);
}

/* Lines without end, replies without end, bodies of many bytes. */
static void test_long(void)
{
	struct et_mail *mail = begin(&(struct row){ 0 });
	static char big[1 << 20];
	uint64_t before = drops[ET_DROP_MAIL_LINE];

	feed_text(mail, ET_SERVER, "220 mx.example.net ESMTP\r\n");
	memset(big, 'a', sizeof(big));
	feed_text(mail, ET_CLIENT, "EHLO a\r\nNOOP ");
	for (unsigned i = 0; i < 4; i++)
		feed(mail, ET_CLIENT, big, sizeof(big));
	feed_text(mail, ET_CLIENT, "\r\nMAIL FROM:<>\r\n");
	CU_ASSERT_EQUAL(drops[ET_DROP_MAIL_LINE], before + 1);
	CU_ASSERT_EQUAL(mail->facts.lines[ET_CLIENT], 3);
	feed_text(mail, ET_SERVER, "250-mx\r\n");
	for (unsigned i = 0; i < 100000; i++)
		feed_text(mail, ET_SERVER, "250-SIZE\r\n");
	CU_ASSERT_EQUAL(mail->facts.offered, ET_NOT_KNOWN);
	feed_text(mail, ET_SERVER, "250 STARTTLS\r\n250 ok\r\n250 ok\r\n");
	CU_ASSERT_EQUAL(mail->facts.offered, ET_YES);
	feed_text(mail, ET_CLIENT, "DATA\r\n");
	for (unsigned i = 0; i < 4; i++)
		feed(mail, ET_CLIENT, big, sizeof(big));
	feed_text(mail, ET_SERVER, "354 go\r\n");
	for (size_t i = 0; i + 3 < sizeof(big); i += 4)
		memcpy(big + i, "\r\n..", 4);
	for (unsigned i = 0; i < 4; i++)
		feed(mail, ET_CLIENT, big, sizeof(big));
	feed_text(mail, ET_CLIENT, "\r\n.\r\nQUIT\r\n");
	feed_text(mail, ET_SERVER, "250 ok\r\n221 bye\r\n");
	CU_ASSERT_TRUE(mail->facts.quit);
	CU_ASSERT_EQUAL(mail->facts.clear_mail, 1);
	CU_ASSERT_EQUAL(mail->queue_cnt, 0);
}

/* DATA refused when more than can be held has come behind it: the client's side is not known. */
static void test_refused_late(void)
{
	struct et_mail *mail = begin(&(struct row){ 0 });

	feed_text(mail, ET_SERVER, "220 mx\r\n");
	feed_text(mail, ET_CLIENT, "EHLO a\r\nDATA\r\n");
	for (unsigned i = 0; i < 100; i++)
		feed_text(mail, ET_CLIENT, "STARTTLS\r\n");
	feed_text(mail, ET_SERVER, "250 mx\r\n554 no\r\n");
	CU_ASSERT_TRUE(mail->facts.confused[ET_CLIENT]);
	CU_ASSERT_FALSE(mail->facts.requested);
	feed_text(mail, ET_CLIENT, "x\r\nQUIT\r\n");
	CU_ASSERT_TRUE(mail->facts.quit);
}

static uint64_t rng_state;

static uint32_t rng(uint32_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (uint32_t)(rng_state >> 32) % below;
}

static void mutate(char *bytes, size_t n)
{
	static const char tokens[] = "\r\n. -0245STARTL{}+*\"\x16\x80";

	for (uint32_t k = rng(4); k > 0 && n > 0; k--)
		bytes[rng((uint32_t)n)] = tokens[rng(sizeof(tokens))];
}

static void fuzz_row(const struct row *row)
{
	struct et_mail *mail = begin(row);

	for (unsigned i = 0; i < ROW_SAYS && row->say[i]; i++) {
		enum et_dir dir = is_client(row->say[i]) ? ET_CLIENT : ET_SERVER;
		char bytes[512];
		size_t n = strlen(row->say[i] + 1), cut;

		memcpy(bytes, row->say[i] + 1, n);
		mutate(bytes, n);
		if (rng(16) == 0)
			et_mail_gap(mail, dir, rng(64));
		if (rng(32) == 0)
			et_mail_resume(mail, dir);
		if (rng(16) == 0)
			dir = et_dir_other(dir);
		cut = rng((uint32_t)n + 1);
		feed(mail, dir, bytes, cut);
		feed(mail, dir, bytes + cut, n - cut);
	}
	CU_ASSERT(mail->queue_cnt <= ET_MAIL_QUEUE);
	CU_ASSERT(mail->facts.reply == 0 || mail->facts.requested);
	CU_ASSERT(!mail->facts.injected || mail->facts.requested);
	CU_ASSERT(!mail->facts.reply_injected || mail->facts.reply == 220);
}

static void test_mutations(void)
{
	rng_state = 0x9e3779b97f4a7c15;
	for (unsigned round = 0; round < 400; round++) {
		for (size_t i = 0; i < smtp_rows_cnt; i++)
			fuzz_row(&smtp_rows[i]);
		for (size_t i = 0; i < other_rows_cnt; i++)
			fuzz_row(&other_rows[i]);
	}
}

int main(void)
{
	CU_TestInfo tests[] = {
		{ "SMTP and LMTP dialogues", test_smtp },
		{ "IMAP, POP3, ManageSieve dialogues", test_others },
		{ "TLS bytes", test_tls_byte },
		{ "clear after TLS", test_resume },
		{ "list after TLS", test_list_after_tls },
		{ "login forgotten", test_login_forgotten },
		{ "names", test_names },
		{ "pipelining", test_pipeline },
		{ "too much pipelined", test_overflow },
		{ "long lines, replies, bodies", test_long },
		{ "DATA refused late", test_refused_late },
		{ "mutations", test_mutations },
		CU_TEST_INFO_NULL,
	};
	int failed;

	names = et_dict_new(1 << 16, 1 << 24);
	failed = names ? unit_run("mail", tests) : 2;
	et_dict_free(names);
	return failed;
}
