/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

/* ManageSieve (RFC 5804). Each command ends in one OK, NO or BYE; what stands before it is data. */
enum kind { KIND_OTHER, KIND_STARTTLS, KIND_LOGIN };

#define STATUS_OK     1u
#define STATUS_BEHIND 2u
#define STATUS_LATER  4u /* behind the list that waits: list_lacks() */

/* side->flags */
#define FLAG_MIDLINE  1u /* what follows a literal goes on with the same line */
#define FLAG_CAPS     2u /* a capability list is in progress */
#define FLAG_STARTTLS 4u /* STARTTLS was in it */

static const char *const commands[] = { "AUTHENTICATE", "STARTTLS", "LOGOUT", "CAPABILITY",
	"HAVESPACE", "PUTSCRIPT", "LISTSCRIPTS", "SETACTIVE", "GETSCRIPT", "DELETESCRIPT",
	"RENAMESCRIPT", "CHECKSCRIPT", "NOOP", "UNAUTHENTICATE" };

static bool is_command(struct et_view word)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (word_is(word, commands[i]))
			return true;
	return false;
}

static void goes_on(struct et_mail_side *side, const struct line *line)
{
	uint64_t len;
	bool sync;

	side->flags &= (uint16_t)~FLAG_MIDLINE;
	if (line->cut || !literal_len(&len, &sync, line->text))
		return;
	side->flags |= FLAG_MIDLINE;
	begin_literal(side, len);
}

static void pair(struct et_mail *mail, uint16_t kind, uint16_t status)
{
	if (kind == KIND_STARTTLS)
		stls_answered(mail, status & STATUS_OK ? 220 : 500, (status & STATUS_BEHIND) != 0);
	if (kind == KIND_LOGIN && status & STATUS_OK)
		logged_in(mail, (status & STATUS_LATER) != 0);
}

static void client_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_CLIENT];
	struct et_view text = line->text, word;
	bool midline = side->flags & FLAG_MIDLINE;
	uint16_t status, kind;

	(void)env;
	goes_on(side, line);
	/* Strings are the lines of AUTHENTICATE; they get no status of their own. */
	if (midline || text.n == 0 || *text.p == '"' || *text.p == '{' || *text.p == '*')
		return;
	word = word_next(&text);
	if (!is_command(word)) {
		if (mail->facts.lines[ET_CLIENT] == 0 || !text_is_printable(line->text)) {
			strayed(mail, ET_CLIENT);
			mail->loose = true;
		}
	} else {
		understood(mail, ET_CLIENT);
	}
	if (word_is(word, "LOGOUT"))
		mail->facts.quit = true;
	kind = KIND_OTHER;
	if (word_is(word, "AUTHENTICATE")) {
		mail->facts.auth_clear |= text.n > 0;
		kind = KIND_LOGIN;
	} else if (word_is(word, "STARTTLS")) {
		stls_asked(mail, line);
		kind = KIND_STARTTLS;
	}
	if (!queue_join(mail, &status, kind, false))
		return;
	pair(mail, kind, status);
	if (mail->list_waits && (mail->queue_cnt == 0 || queue_front(mail) & STATUS_LATER))
		list_is_first(mail);
}

static void status_line(struct et_mail *mail, const struct line *line, bool ok)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	bool caps = side->flags & FLAG_CAPS && !mail->accepted, lacks;
	uint16_t kind, status = 0;

	if (caps && side->flags & FLAG_STARTTLS)
		mail->facts.offered = ET_YES;
	lacks = caps && !(side->flags & FLAG_STARTTLS) && ok && !side->torn;
	side->flags &= (uint16_t) ~(FLAG_CAPS | FLAG_STARTTLS);
	side->torn = false;
	if (!mail->greeted || mail->accepted || side->resumed) {
		if (lacks && !mail->greeted && !mail->greet_unsure &&
			mail->facts.offered == ET_NOT_KNOWN)
			mail->facts.offered = ET_NO;
		mail->greeted = true; /* the greeting, and what is in clear behind STARTTLS */
		side->resumed = false;
		return;
	}
	if (ok)
		status |= STATUS_OK;
	if (line->behind)
		status |= STATUS_BEHIND;
	if (mail->list_waits)
		status |= STATUS_LATER;
	if (queue_join(mail, &kind, status, true))
		pair(mail, kind, status);
	if (lacks)
		list_lacks(mail, mail->queue_cnt > 0 && mail->queue_replies);
}

/* Lists begin with "IMPLEMENTATION" (RFC 5804 1.7); the names of scripts stand in quotes too. */
static void string_line(struct et_mail *mail, struct et_view word)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view name = { word.p + 1, word.n - (word.n > 1 ? 2 : 1) };

	if (word_is(name, "IMPLEMENTATION") || word_is(name, "SIEVE") || word_is(name, "SASL"))
		side->flags |= FLAG_CAPS;
	if (word_is(name, "STARTTLS"))
		side->flags |= FLAG_STARTTLS;
	if (word_is_masked(name))
		mail->facts.masked = true;
}

static void server_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view text = line->text, word;
	bool midline = side->flags & FLAG_MIDLINE, ok;

	(void)env;
	goes_on(side, line);
	if (midline || text.n == 0)
		return;
	word = word_next(&text);
	ok = word_is(word, "OK");
	if (ok || word_is(word, "NO") || word_is(word, "BYE")) {
		understood(mail, ET_SERVER);
		status_line(mail, line, ok);
	} else if (word.n > 0 && *word.p == '"') {
		understood(mail, ET_SERVER);
		string_line(mail, word);
	} else if (word.n == 0 || *word.p != '{') {
		strayed(mail, ET_SERVER);
	}
}

/* Nothing in ManageSieve ends in a line with a dot. */
static void body_end(struct et_mail *mail, struct et_mail_env *env)
{
	(void)mail;
	(void)env;
}

const struct dialogue sieve_dialogue = {
	.line = { client_line, server_line },
	.body_end = body_end,
};
