/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define C GEN_CLIENT
#define S GEN_SERVER

static void say(struct gen_lines *out, int dir, const char *text)
{
	if (out->cnt < GEN_LINES)
		out->line[out->cnt++] = (struct gen_line){ (uint8_t)dir, text == NULL, text };
}

bool gen_protocol_sends(enum gen_protocol protocol)
{
	return protocol <= GEN_LMTP;
}

/* Where the lines of a capability reply differ. */
struct offer {
	bool made, masked;
};

static struct offer offer_of(const struct gen_kind *kind)
{
	return (struct offer){ .made = kind->story != GEN_NOT_OFFERED && kind->story != GEN_MASKED,
		.masked = kind->story == GEN_MASKED };
}

static bool asks(const struct gen_kind *kind)
{
	return gen_story_has_tls(kind->story) || kind->story == GEN_REFUSED;
}

static void before_smtp(struct gen_lines *out, const struct gen_kind *kind)
{
	static char refusal[64];
	struct offer offer = offer_of(kind);

	say(out, S,
		kind->protocol == GEN_LMTP ? "220 %s LMTP ready\r\n" : "220 %s ESMTP ready\r\n");
	say(out, C, kind->protocol == GEN_LMTP ? "LHLO %c\r\n" : "EHLO %c\r\n");
	say(out, S,
		offer.masked ? "250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-XXXXXXXA\r\n"
			       "250 8BITMIME\r\n"
		: offer.made ? "250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n"
			       "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
			     : "250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
			       "250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
	if (!asks(kind))
		return;
	say(out, C, "STARTTLS\r\n");
	if (kind->story == GEN_REFUSED) {
		snprintf(refusal, sizeof(refusal), "%u %s TLS not available\r\n",
			(unsigned)kind->reply, kind->reply < 500 ? "4.7.0" : "5.5.1");
		say(out, S, refusal);
	} else {
		say(out, S, "220 2.0.0 Ready to start TLS\r\n");
	}
}

static void before_imap(struct gen_lines *out, const struct gen_kind *kind)
{
	bool made = offer_of(kind).made;

	say(out, S, "* OK IMAP server ready\r\n");
	say(out, C, "a1 CAPABILITY\r\n");
	say(out, S,
		made ? "* CAPABILITY IMAP4rev1 LITERAL+ IDLE STARTTLS AUTH=PLAIN\r\na1 OK done\r\n"
		     : "* CAPABILITY IMAP4rev1 LITERAL+ IDLE AUTH=PLAIN\r\na1 OK done\r\n");
	if (!asks(kind))
		return;
	say(out, C, "a2 STARTTLS\r\n");
	say(out, S,
		kind->story == GEN_REFUSED ? "a2 NO TLS is not available\r\n"
					   : "a2 OK begin TLS negotiation now\r\n");
}

static void before_pop3(struct gen_lines *out, const struct gen_kind *kind)
{
	bool made = offer_of(kind).made;

	say(out, S, "+OK POP3 server ready\r\n");
	say(out, C, "CAPA\r\n");
	say(out, S,
		made ? "+OK\r\nUSER\r\nUIDL\r\nSTLS\r\nTOP\r\n.\r\n"
		     : "+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n");
	if (!asks(kind))
		return;
	say(out, C, "STLS\r\n");
	say(out, S,
		kind->story == GEN_REFUSED ? "-ERR TLS is not available\r\n"
					   : "+OK begin TLS negotiation\r\n");
}

static void before_sieve(struct gen_lines *out, const struct gen_kind *kind)
{
	say(out, S,
		offer_of(kind).made ? "\"IMPLEMENTATION\" \"sieve\"\r\n\"SIEVE\" \"fileinto\"\r\n"
				      "\"SASL\" \"PLAIN\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n"
				    : "\"IMPLEMENTATION\" \"sieve\"\r\n\"SIEVE\" \"fileinto\"\r\n"
				      "\"SASL\" \"PLAIN\"\r\nOK \"ready\"\r\n");
	if (!asks(kind))
		return;
	say(out, C, "STARTTLS\r\n");
	say(out, S,
		kind->story == GEN_REFUSED ? "NO \"TLS is not available\"\r\n"
					   : "OK \"begin TLS negotiation\"\r\n");
}

void gen_dialogue_before(struct gen_lines *out, const struct gen_kind *kind)
{
	*out = (struct gen_lines){ 0 };
	switch (kind->protocol) {
	case GEN_SMTP:
	case GEN_SUBMISSION:
	case GEN_LMTP: before_smtp(out, kind); break;
	case GEN_IMAP: before_imap(out, kind); break;
	case GEN_POP3: before_pop3(out, kind); break;
	case GEN_SIEVE: before_sieve(out, kind); break;
	default: break;
	}
}

static void after_smtp(struct gen_lines *out, enum gen_protocol protocol, bool inside)
{
	if (inside && protocol == GEN_SMTPS)
		say(out, S, "220 %s ESMTP ready\r\n");
	if (inside) {
		say(out, C, protocol == GEN_LMTP ? "LHLO %c\r\n" : "EHLO %c\r\n");
		say(out, S,
			"250-%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-AUTH PLAIN\r\n"
			"250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
	}
	if (protocol == GEN_SUBMISSION || protocol == GEN_SMTPS) {
		say(out, C, "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
		say(out, S, "235 2.7.0 ok\r\n");
	}
	say(out, C, "MAIL FROM:<a@client.example>\r\n");
	say(out, S, "250 2.1.0 ok\r\n");
	say(out, C, "RCPT TO:<b@server.example>\r\n");
	say(out, S, "250 2.1.5 ok\r\n");
	say(out, C, "DATA\r\n");
	say(out, S, "354 end with a dot\r\n");
	say(out, C, "From: a@client.example\r\nTo: b@server.example\r\nSubject: traffic\r\n\r\n");
	say(out, C, NULL);
	say(out, C, "\r\n.\r\n");
	say(out, S, "250 2.0.0 ok: queued as 4Xk0000000\r\n");
	say(out, C, "QUIT\r\n");
	say(out, S, "221 2.0.0 bye\r\n");
}

static void after_imap(struct gen_lines *out, bool greets)
{
	if (greets)
		say(out, S, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n");
	say(out, C, "b1 LOGIN user secret\r\n");
	say(out, S, "b1 OK logged in\r\n");
	say(out, C, "b2 SELECT INBOX\r\n");
	say(out, S, "* 1 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\nb2 OK [READ-WRITE] done\r\n");
	say(out, C, "b3 FETCH 1 BODY[]\r\n");
	say(out, S, "* 1 FETCH (BODY[] {%n}\r\n");
	say(out, S, NULL);
	say(out, S, ")\r\nb3 OK done\r\n");
	say(out, C, "b4 LOGOUT\r\n");
	say(out, S, "* BYE\r\nb4 OK done\r\n");
}

static void after_pop3(struct gen_lines *out, bool greets)
{
	if (greets)
		say(out, S, "+OK POP3 server ready\r\n");
	say(out, C, "USER user\r\n");
	say(out, S, "+OK\r\n");
	say(out, C, "PASS secret\r\n");
	say(out, S, "+OK 1 mail\r\n");
	say(out, C, "RETR 1\r\n");
	say(out, S, "+OK %n octets\r\n");
	say(out, S, NULL);
	say(out, S, "\r\n.\r\n");
	say(out, C, "QUIT\r\n");
	say(out, S, "+OK bye\r\n");
}

static void after_sieve(struct gen_lines *out, bool inside)
{
	/* RFC 5804 2.2: after STARTTLS the server tells its capabilities again */
	if (inside)
		say(out, S,
			"\"IMPLEMENTATION\" \"sieve\"\r\n\"SIEVE\" \"fileinto\"\r\n"
			"\"SASL\" \"PLAIN\"\r\nOK \"ready\"\r\n");
	say(out, C, "AUTHENTICATE \"PLAIN\" \"AHVzZXIAc2VjcmV0\"\r\n");
	say(out, S, "OK \"logged in\"\r\n");
	say(out, C, "LISTSCRIPTS\r\n");
	say(out, S, "\"main\" ACTIVE\r\nOK \"done\"\r\n");
	say(out, C, "LOGOUT\r\n");
	say(out, S, "OK \"bye\"\r\n");
}

void gen_dialogue_after(struct gen_lines *out, enum gen_protocol protocol, bool inside)
{
	*out = (struct gen_lines){ 0 };
	if (gen_protocol_sends(protocol))
		after_smtp(out, protocol, inside);
	else if (protocol == GEN_IMAP || protocol == GEN_IMAPS)
		after_imap(out, protocol == GEN_IMAPS);
	else if (protocol == GEN_POP3 || protocol == GEN_POP3S)
		after_pop3(out, protocol == GEN_POP3S);
	else
		after_sieve(out, inside);
}

int gen_dialogue_put(struct gen_script *script, const char *text, uint8_t dir, enum gen_think think)
{
	static const struct {
		char letter;
		enum gen_patch_kind kind;
		const char *fill;
		uint8_t digits_off, digits;
	} words[] = {
		{ 'c', GEN_PATCH_CLIENT, "c0000000.client.example", 1, GEN_NAME_DIGITS },
		{ 's', GEN_PATCH_SERVER, "s0000000.server.example", 1, GEN_NAME_DIGITS },
		{ 'n', GEN_PATCH_SIZE, "0000000000", 0, GEN_SIZE_DIGITS },
	};
	char line[512];
	uint32_t n = 0;

	for (; *text && n + 40 < sizeof(line); text++) {
		if (*text != '%') {
			line[n++] = *text;
			continue;
		}
		text++;
		for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
			if (words[i].letter != *text)
				continue;
			if (gen_script_patch(script, script->len + n + words[i].digits_off,
				    words[i].digits, words[i].kind, 0) != 0)
				return -1;
			n += (uint32_t)snprintf(line + n, sizeof(line) - n, "%s", words[i].fill);
		}
	}
	return gen_script_put(script, dir, line, n, think);
}
