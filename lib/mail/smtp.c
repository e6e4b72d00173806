/* SPDX-License-Identifier: BSD-3-Clause */
#include "smtp.h"

enum arg { ARG_NONE, ARG_SOME, ARG_FROM, ARG_TO };

/* The verbs that are known, and what must follow them where the line's context is not known. */
static const struct verb {
	const char *name;
	enum smtp_kind kind;
	enum arg arg;
} verbs[] = {
	{ "EHLO", KIND_EHLO, ARG_SOME },
	{ "HELO", KIND_HELO, ARG_SOME },
	{ "LHLO", KIND_EHLO, ARG_SOME },
	{ "STARTTLS", KIND_STARTTLS, ARG_NONE },
	{ "X-ANONYMOUSTLS", KIND_STARTTLS, ARG_NONE }, /* between Exchange servers */
	{ "MAIL", KIND_MAIL, ARG_FROM },
	{ "RCPT", KIND_RCPT, ARG_TO },
	{ "DATA", KIND_DATA, ARG_NONE },
	{ "BDAT", KIND_BDAT, ARG_SOME },
	{ "AUTH", KIND_AUTH, ARG_SOME },
	{ "RSET", KIND_RSET, ARG_NONE },
	{ "QUIT", KIND_QUIT, ARG_NONE },
	{ "NOOP", KIND_OTHER, ARG_NONE },
	{ "VRFY", KIND_OTHER, ARG_SOME },
	{ "EXPN", KIND_OTHER, ARG_SOME },
	{ "HELP", KIND_OTHER, ARG_NONE },
	{ "ETRN", KIND_OTHER, ARG_SOME },
	{ "XCLIENT", KIND_XCLIENT, ARG_SOME },
	{ "XFORWARD", KIND_OTHER, ARG_SOME },
};

static const struct verb *verb_of(struct et_view word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (word_is(word, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static bool arg_fits(enum arg arg, struct et_view text)
{
	switch (arg) {
	case ARG_NONE: return text.n == 0; /* in a body, blanks may stand behind the word */
	case ARG_FROM: return word_begins(text, "FROM:");
	case ARG_TO: return word_begins(text, "TO:");
	default: return word_next(&text).n > 0;
	}
}

/* BDAT n [LAST]: n bytes follow at once, whatever the answer (RFC 3030 2). */
static enum smtp_kind begin_chunk(struct et_mail *mail, struct et_view text)
{
	struct et_mail_side *side = &mail->side[ET_CLIENT];
	struct et_view size = word_next(&text);
	uint64_t len;

	if (!word_number(&len, size))
		return KIND_OTHER;
	if (len > 0) {
		side->state = SIDE_SKIP;
		side->skip = len;
	}
	return word_is(word_next(&text), "LAST") ? KIND_BDAT_LAST : KIND_BDAT;
}

static void hello(
	struct et_mail *mail, struct et_mail_env *env, struct et_view word, struct et_view text)
{
	uint32_t id;

	while (text.n > 0 && (*text.p == ' ' || *text.p == '\t')) {
		text.p++;
		text.n--;
	}
	id = name_put(env, text);
	if (id != ET_DICT_NONE)
		mail->facts.client_name = id;
	if (word_is(word, "LHLO"))
		mail->proto = ET_MAIL_LMTP;
}

static void command(struct et_mail *mail, struct et_mail_env *env, const struct verb *verb,
	struct et_view text, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_CLIENT];
	enum smtp_kind kind = verb->kind;
	struct et_view word = word_next(&text), first = text;

	mail->auth = AUTH_NONE;
	switch (kind) {
	case KIND_EHLO:
	case KIND_HELO: hello(mail, env, word, text); break;
	case KIND_STARTTLS: stls_asked(mail, line); break;
	case KIND_MAIL: mail->facts.mail_tries++; break;
	case KIND_DATA: body_begin(side, SIDE_UNSURE, line->bare); break;
	case KIND_BDAT: kind = begin_chunk(mail, text); break;
	case KIND_AUTH:
		if (word_next(&first).n == 0)
			break; /* without a mechanism nothing can follow */
		mail->facts.auth_clear = true;
		mail->auth = AUTH_UNSURE;
		break;
	case KIND_QUIT: mail->facts.quit = true; break;
	default: break;
	}
	smtp_command(mail, kind);
}

/* A line of an AUTH exchange, as far as that can be told before the server's word is known. */
static bool is_auth_line(const struct et_mail *mail, struct et_view text)
{
	if (mail->auth == AUTH_CONTINUES)
		return true; /* the server has said 334 */
	return mail->auth == AUTH_UNSURE && !verb_of(word_next(&text)) && text.n == 0;
}

static bool may_precede_body(const struct verb *verb)
{
	return verb->kind == KIND_DATA || verb->kind == KIND_RCPT || verb->kind == KIND_MAIL;
}

void smtp_client_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_view text = line->text, word;
	const struct verb *verb;

	if (is_auth_line(mail, text) && (mail->auth == AUTH_CONTINUES || word_is_base64(text))) {
		mail->auth = AUTH_UNSURE;
		smtp_command(mail, KIND_AUTH);
		return;
	}
	word = word_next(&text);
	verb = verb_of(word);
	if (mail->side[ET_CLIENT].adrift && mail->after_354 && !(verb && may_precede_body(verb)))
		verb = NULL; /* a line of the body, whatever it looks like */
	if (verb && (!mail->side[ET_CLIENT].adrift || arg_fits(verb->arg, text))) {
		understood(mail, ET_CLIENT);
		command(mail, env, verb, line->text, line);
		return;
	}
	/* Before the first known command this may be the middle of anything. */
	if (mail->side[ET_CLIENT].adrift || mail->facts.lines[ET_CLIENT] == 0 ||
		!text_is_printable(line->text)) {
		strayed(mail, ET_CLIENT);
		mail->loose = true;
		if (smtp_wants_body(mail)) { /* the DATA was not seen, its 354 was */
			body_begin(&mail->side[ET_CLIENT], SIDE_BODY, line->bare);
			mail->side[ET_CLIENT].torn = true;
		}
		return;
	}
	mail->auth = AUTH_NONE;
	if (word.n == 8 && word_is_masked(word))
		mail->facts.masked = mail->masked_path = true; /* STARTTLS, overwritten */
	smtp_command(mail, KIND_OTHER); /* an unknown command is answered as well */
}

static void smtp_body_end(struct et_mail *mail, struct et_mail_env *env)
{
	(void)env;
	smtp_command(mail, KIND_BODY);
}

const struct dialogue smtp_dialogue = {
	.line = { smtp_client_line, smtp_server_line },
	.body_end = smtp_body_end,
};
