/* SPDX-License-Identifier: BSD-3-Clause */
#include "smtp.h"

#include <string.h>

/* Keywords by which the answer to EHLO is known where the command was not seen. */
static const char *const keywords[] = { "STARTTLS", "SIZE", "PIPELINING", "8BITMIME", "DSN", "AUTH",
	"AUTH=LOGIN", "ENHANCEDSTATUSCODES", "CHUNKING", "SMTPUTF8", "BINARYMIME", "DELIVERBY",
	"X-ANONYMOUSTLS", "REQUIRETLS" };

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* The code of a reply line, or 0 if it is none (RFC 5321 4.2). */
static uint16_t code_of(struct et_view text)
{
	const uint8_t *p = text.p;

	if (text.n < 3 || p[0] < '2' || p[0] > '5' || !is_digit(p[1]) || !is_digit(p[2]))
		return 0;
	if (text.n > 3 && p[3] != ' ' && p[3] != '-' && p[3] != '\t')
		return 0;
	return (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
}

/* A banner that a Cisco ASA has overwritten: `220 ****2***0**`. */
static bool is_banner_masked(struct et_view text)
{
	size_t stars = 0;

	for (size_t i = 0; i < text.n; i++)
		stars += text.p[i] == '*';
	return stars >= 8 && stars * 2 > text.n;
}

/* Names a host, where a sentence could stand as well. */
static bool is_host(struct et_view word)
{
	bool dot = false;

	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = word.p[i];

		dot |= c == '.' && i > 0 && i + 1 < word.n;
		if (!is_digit(c) && c != '.' && c != '-' && ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
			return false;
	}
	return dot && !is_digit(word.p[0]);
}

/*
 * Is the first reply that is seen the greeting? A capture may begin behind it; then a 220 can be
 * the answer to STARTTLS, and only its text can tell.
 */
static bool is_greeting(const struct et_mail *mail, uint16_t code, struct et_view text)
{
	bool asked_first = mail->facts.lines[ET_CLIENT] == 1 && mail->stls_wait;

	if (mail->greeted)
		return false;
	if (code == 220 && (mail->greet_unsure || asked_first))
		return word_has(text, "SMTP");
	return code == 220 || (code >= 400 && !mail->greet_unsure);
}

static void greeting_line(
	struct et_mail *mail, struct et_mail_env *env, uint16_t code, struct et_view text)
{
	struct et_view word;

	if (is_banner_masked(text)) {
		mail->masked_path = true;
		mail->facts.masked = true;
		return;
	}
	word = word_next(&text);
	if (code == 220 ? !word_is(word, "ESMTP") && !word_is(word, "SMTP") : is_host(word))
		mail->facts.server_name = name_put(env, word);
}

static void capability_line(struct et_mail *mail, struct et_view text)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view keyword = word_next(&text);

	for (size_t i = 0; i < KEYWORDS && !(side->flags & REPLY_CAPS); i++)
		if (word_is(keyword, keywords[i]))
			side->flags |= REPLY_CAPS;
	if (word_is_masked(keyword))
		side->flags |= REPLY_MASKED | REPLY_CAPS;
	if (!word_is(keyword, "STARTTLS"))
		return;
	side->flags |= REPLY_STARTTLS;
	if (smtp_may_be_ehlo(mail))
		mail->facts.offered = ET_YES;
}

static void reply_end(struct et_mail *mail, uint16_t code, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	uint16_t reply = (uint16_t)(side->flags | code);

	side->code = 0;
	side->flags = 0;
	mail->facts.last_reply = code;
	if (mail->in_greeting) {
		mail->in_greeting = false;
		mail->greeted = true;
		mail->facts.greeting = code;
		return;
	}
	mail->greeted = true;
	if (line->behind)
		reply |= REPLY_TAIL;
	if (!side->torn)
		reply |= REPLY_WHOLE;
	side->torn = false;
	if (mail->after_354) {
		reply |= REPLY_BODY;
		/* Needs no command to be seen: a 354 asks for a body and nothing else. */
		mail->facts.clear_mail += reply_is_2xx(reply);
	}
	mail->after_354 = code == 354;
	smtp_reply(mail, reply);
}

void smtp_server_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view text = line->text;
	uint16_t code = code_of(text);
	bool first = side->code == 0, last = text.n == 3 || (text.n > 3 && text.p[3] != '-');

	if (code == 0) {
		strayed(mail, ET_SERVER);
		return;
	}
	understood(mail, ET_SERVER);
	text.p += last && text.n == 3 ? 3 : 4;
	text.n -= last && text.n == 3 ? 3 : 4;
	side->code = code;
	if (first) {
		mail->in_greeting = is_greeting(mail, code, text);
		if (mail->in_greeting)
			greeting_line(mail, env, code, text);
	}
	/* The first line of the answer to EHLO is a greeting, unless a gap hid that line. */
	if (code == 250 && (!first || side->torn))
		capability_line(mail, text);
	if (last)
		reply_end(mail, code, line);
}
