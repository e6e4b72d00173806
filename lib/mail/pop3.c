/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

/* POP3 (RFC 1939), CAPA (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034). */
enum kind {
	KIND_OTHER,
	KIND_STLS,
	KIND_CAPA,
	KIND_LOGIN, /* the command that ends it: PASS, APOP */
	KIND_LONG,  /* +OK is followed by a listing or a mail, up to a dot */
	KIND_AUTH,  /* the command, and each line of the exchange; +OK is a login too */
};

/* A status line in the queue. */
#define STATUS_OK     1u
#define STATUS_GO_ON  2u /* "+ ", within AUTH */
#define STATUS_BEHIND 4u
#define STATUS_LATER  8u /* behind the list that waits: list_lacks() */

/* What the server's next line belongs to; in side->code. */
enum { AT_STATUS, AT_MAYBE_LIST, AT_CAPA };

#define CAPA_STLS 1u /* side->flags: seen in the listing in progress */

static const struct {
	const char *name;
	enum kind bare, with_arg; /* what it is without and with an argument */
} verbs[] = {
	{ "CAPA", KIND_CAPA, KIND_CAPA },
	{ "STLS", KIND_STLS, KIND_STLS },
	{ "USER", KIND_OTHER, KIND_OTHER },
	{ "PASS", KIND_LOGIN, KIND_LOGIN },
	{ "APOP", KIND_LOGIN, KIND_LOGIN },
	{ "AUTH", KIND_LONG, KIND_AUTH },
	{ "QUIT", KIND_OTHER, KIND_OTHER },
	{ "STAT", KIND_OTHER, KIND_OTHER },
	{ "LIST", KIND_LONG, KIND_OTHER },
	{ "UIDL", KIND_LONG, KIND_OTHER },
	{ "RETR", KIND_LONG, KIND_LONG },
	{ "TOP", KIND_LONG, KIND_LONG },
	{ "DELE", KIND_OTHER, KIND_OTHER },
	{ "NOOP", KIND_OTHER, KIND_OTHER },
	{ "RSET", KIND_OTHER, KIND_OTHER },
	{ "LAST", KIND_OTHER, KIND_OTHER },
	{ "UTF8", KIND_OTHER, KIND_OTHER },
	{ "LANG", KIND_LONG, KIND_OTHER },
};

#define VERBS (sizeof(verbs) / sizeof(*verbs))

static const char *const capabilities[] = { "TOP", "USER", "SASL", "RESP-CODES", "LOGIN-DELAY",
	"PIPELINING", "EXPIRE", "UIDL", "IMPLEMENTATION", "STLS", "AUTH-RESP-CODE", "UTF8", "LANG",
	"APOP" };

static bool is_capability(struct et_view word)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities); i++)
		if (word_is(word, capabilities[i]))
			return true;
	return false;
}

/* A command and its status line, together. */
static void pair(struct et_mail *mail, uint16_t kind, uint16_t status)
{
	if (kind == KIND_STLS)
		stls_answered(mail, status & STATUS_OK ? 220 : 500, (status & STATUS_BEHIND) != 0);
	if ((kind == KIND_LOGIN || kind == KIND_AUTH) && status & STATUS_OK)
		logged_in(mail, (status & STATUS_LATER) != 0);
	if (kind == KIND_AUTH && mail->queue_cnt == 0)
		mail->auth = status & STATUS_GO_ON ? 2 : 0;
}

static void command(struct et_mail *mail, enum kind kind)
{
	uint16_t status;

	if (!queue_join(mail, &status, (uint16_t)kind, false))
		return;
	pair(mail, (uint16_t)kind, status);
	if (mail->list_waits && (mail->queue_cnt == 0 || queue_front(mail) & STATUS_LATER))
		list_is_first(mail);
}

static void client_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_view text = line->text, word = word_next(&text);
	bool arg = text.n > 0;
	size_t i;

	(void)env;
	for (i = 0; i < VERBS && !word_is(word, verbs[i].name); i++)
		;
	/* Within AUTH a line of one word is no command, and no secret is looked at. */
	if (mail->auth == 2 || (mail->auth == 1 && i == VERBS && !arg)) {
		mail->auth = 1;
		command(mail, KIND_AUTH);
		return;
	}
	mail->auth = 0;
	if (i == VERBS) {
		if (mail->facts.lines[ET_CLIENT] == 0 || !text_is_printable(line->text))
			strayed(mail, ET_CLIENT);
		mail->loose |= mail->side[ET_CLIENT].adrift;
		command(mail, KIND_OTHER);
		return;
	}
	understood(mail, ET_CLIENT);
	if (word_is(word, "STLS"))
		stls_asked(mail, line);
	if (word_is(word, "QUIT"))
		mail->facts.quit = true;
	if (arg && (word_is(word, "USER") || word_is(word, "PASS") || word_is(word, "APOP") ||
			   word_is(word, "AUTH")))
		mail->facts.auth_clear = true;
	mail->auth = word_is(word, "AUTH") && arg;
	command(mail, arg ? verbs[i].with_arg : verbs[i].bare);
}

static void listing_line(struct et_mail *mail, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view text = line->text, word = word_next(&text);

	if (word_is(word, ".") && text.n == 0) {
		if (!(side->flags & CAPA_STLS) && !side->torn && !mail->accepted)
			list_lacks(mail, mail->queue_cnt > 0 && mail->queue_replies);
		side->code = AT_STATUS;
		return;
	}
	mail->facts.masked |= word_is_masked(word);
	if (!word_is(word, "STLS") || mail->accepted)
		return;
	side->flags |= CAPA_STLS;
	mail->facts.offered = ET_YES;
}

static void status_line(struct et_mail *mail, const struct line *line, uint16_t status)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	bool ok = status & STATUS_OK, greeting = !mail->greeted && !(status & STATUS_GO_ON);
	uint16_t kind;

	understood(mail, ET_SERVER);
	side->code = AT_STATUS;
	side->flags = 0;
	side->torn = false;
	mail->greeted = true;
	if (greeting)
		return;
	if (line->behind)
		status |= STATUS_BEHIND;
	if (mail->list_waits)
		status |= STATUS_LATER;
	if (mail->accepted || side->resumed) {
		side->resumed = false; /* in clear behind STLS: answers nothing */
		return;
	}
	if (!queue_join(mail, &kind, status, true)) {
		side->code = ok ? AT_MAYBE_LIST : AT_STATUS;
		return;
	}
	pair(mail, kind, status);
	if (ok && kind == KIND_CAPA)
		side->code = AT_CAPA;
	else if (ok && kind == KIND_LONG)
		body_begin(side, SIDE_BODY, line->bare);
}

static void server_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view text = line->text, word;

	(void)env;
	word = word_next(&text);
	if (side->code == AT_CAPA) {
		listing_line(mail, line);
	} else if (word_is(word, "+OK")) {
		status_line(mail, line, STATUS_OK);
	} else if (word_is(word, "-ERR")) {
		status_line(mail, line, 0);
	} else if (word_is(word, "+")) {
		status_line(mail, line, STATUS_GO_ON);
	} else if (side->code == AT_MAYBE_LIST) {
		/* The command is not known, but its +OK is followed by more. */
		side->code = is_capability(word) ? AT_CAPA : AT_STATUS;
		if (side->code == AT_CAPA)
			listing_line(mail, line);
		else if (!word_is(word, "."))
			body_begin(side, SIDE_BODY, line->bare);
	} else {
		strayed(mail, ET_SERVER);
	}
}

/* The end of a listing or a mail says nothing: its status line came first. */
static void body_end(struct et_mail *mail, struct et_mail_env *env)
{
	(void)mail;
	(void)env;
}

const struct dialogue pop3_dialogue = {
	.line = { client_line, server_line },
	.body_end = body_end,
};
