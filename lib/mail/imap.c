/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

#include <string.h>

/*
 * IMAP (RFC 3501, RFC 9051). A command and its reply share a tag, so the queue is a list of hashes
 * of tags: commands without a reply, and replies without a command. Tags may be used again, which
 * is why every pair is taken out, not only that of STARTTLS.
 */
#define TAG_REPLY    1u /* the entry is a reply */
#define TAG_OK       2u /* to be read with TAG_REPLY */
#define TAG_BEHIND   4u /* bytes in clear behind the reply */
#define TAG_LATER    8u /* the reply came behind the list that waits: list_lacks() */
#define TAG_LOGIN    2u /* the command is LOGIN or AUTHENTICATE */
#define TAG_STARTTLS 4u /* the command is STARTTLS */
#define TAG_BITS     15u

#define FLAG_MIDLINE 1u /* of a side: what follows a literal goes on with the same line */

static const char *const commands[] = { "CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "AUTHENTICATE",
	"LOGIN", "ID", "ENABLE", "SELECT", "EXAMINE", "CREATE", "DELETE", "RENAME", "SUBSCRIBE",
	"UNSUBSCRIBE", "LIST", "LSUB", "XLIST", "NAMESPACE", "STATUS", "APPEND", "IDLE", "CHECK",
	"CLOSE", "UNSELECT", "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY", "MOVE", "UID", "SORT",
	"THREAD", "GETQUOTA", "GETQUOTAROOT", "COMPRESS", "GETACL", "GETMETADATA" };

static bool is_command(struct et_view word)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (word_is(word, commands[i]))
			return true;
	return false;
}

static bool is_tag(struct et_view word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] <= ' ' || word.p[i] >= 0x7f || strchr("(){%*\"\\+", word.p[i]))
			return false;
	return word.n > 0;
}

static uint32_t tag_hash(struct et_view tag)
{
	return (uint32_t)et_hash(tag.p, tag.n, 0) & ~TAG_BITS;
}

/* Takes the oldest entry of this tag out of the list. */
static bool tag_take(struct et_mail *mail, uint32_t *entry, uint32_t tag, uint32_t is_reply)
{
	for (unsigned i = 0; i < mail->queue_cnt; i++) {
		*entry = mail->queue[i];
		if ((*entry & (~TAG_BITS | TAG_REPLY)) != (tag | is_reply))
			continue;
		mail->queue_cnt--;
		memmove(&mail->queue[i], &mail->queue[i + 1],
			(mail->queue_cnt - i) * sizeof(*mail->queue));
		return true;
	}
	return false;
}

/* When too many wait, the oldest is forgotten: it then has no pair, never a wrong one. */
static void tag_put(struct et_mail *mail, uint32_t entry)
{
	if (mail->queue_cnt == ET_MAIL_QUEUE) {
		if (mail->queue[0] & TAG_REPLY) /* perhaps to a login */
			logged_in(mail, false);
		mail->queue_cnt--;
		memmove(mail->queue, mail->queue + 1, mail->queue_cnt * sizeof(*mail->queue));
	}
	mail->queue[mail->queue_cnt++] = entry;
}

/* Do replies that may stand in front of the list that waits still lack their commands? */
static bool has_early_reply(const struct et_mail *mail)
{
	for (unsigned i = 0; i < mail->queue_cnt; i++)
		if ((mail->queue[i] & (TAG_REPLY | TAG_LATER)) == TAG_REPLY)
			return true;
	return false;
}

/* A command and its reply, together. */
static void pair(struct et_mail *mail, uint32_t command, uint32_t reply)
{
	if (command & TAG_STARTTLS)
		stls_answered(mail, reply & TAG_OK ? 220 : 500, (reply & TAG_BEHIND) != 0);
	if (command & TAG_LOGIN && reply & TAG_OK)
		logged_in(mail, (reply & TAG_LATER) != 0);
	if (mail->list_waits && !has_early_reply(mail))
		list_is_first(mail);
}

/* At the end of a line: does a literal follow, and the line after it? */
static bool goes_on(struct et_mail_side *side, const struct line *line)
{
	uint64_t len;
	bool sync;

	side->flags = 0;
	if (line->cut || !literal_len(&len, &sync, line->text))
		return false;
	side->flags = FLAG_MIDLINE;
	begin_literal(side, len);
	return sync;
}

static void client_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_CLIENT];
	struct et_view text = line->text, tag, word;
	bool midline = side->flags & FLAG_MIDLINE, sync;
	uint32_t hash, reply, bits = 0;

	(void)env;
	sync = goes_on(side, line);
	if (midline)
		return;
	tag = word_next(&text);
	word = word_next(&text);
	if (!is_tag(tag) || !is_command(word)) {
		/* Lines of AUTHENTICATE and DONE are one word; all else begins with a tag. */
		if (mail->facts.lines[ET_CLIENT] == 0 || !text_is_printable(line->text))
			strayed(mail, ET_CLIENT);
		if (mail->side[ET_CLIENT].adrift || word.n == 0)
			return;
	} else {
		understood(mail, ET_CLIENT);
	}
	hash = tag_hash(tag);
	if (word_is(word, "STARTTLS")) {
		stls_asked(mail, line);
		bits = TAG_STARTTLS;
	} else if (word_is(word, "LOGOUT")) {
		mail->facts.quit = true;
	} else if (word_is(word, "LOGIN") || word_is(word, "AUTHENTICATE")) {
		mail->facts.auth_clear |= text.n > 0;
		bits = TAG_LOGIN;
	}
	mail->tag = sync ? hash : 0;
	if (!tag_take(mail, &reply, hash, TAG_REPLY))
		tag_put(mail, hash | bits);
	else
		pair(mail, bits, reply);
}

/*
 * Do untagged lines count? In clear behind the answer to STARTTLS they do not; nor while such an
 * answer, with more behind it, waits for its command.
 */
static bool is_believed(const struct et_mail *mail)
{
	const uint32_t behind = TAG_REPLY | TAG_OK | TAG_BEHIND;

	for (unsigned i = 0; i < mail->queue_cnt; i++)
		if ((mail->queue[i] & behind) == behind)
			return false;
	return !mail->accepted;
}

/* The words of a capability list, up to the end of the line or the bracket. */
static void capabilities(struct et_mail *mail, struct et_view text, bool whole, bool greeting)
{
	enum et_tristate offered = whole ? ET_NO : ET_NOT_KNOWN;
	struct et_view word;
	bool closed = false;

	while (!closed && (word = word_next(&text)).n > 0) {
		closed = word.p[word.n - 1] == ']';
		word.n -= closed;
		if (word_is(word, "STARTTLS"))
			offered = ET_YES;
		if (word_is_masked(word))
			mail->facts.masked = true;
	}
	if (offered == ET_NOT_KNOWN || !is_believed(mail))
		return;
	if (offered == ET_YES)
		mail->facts.offered = ET_YES;
	else if (greeting && !mail->past_login && mail->facts.offered == ET_NOT_KNOWN)
		mail->facts.offered = ET_NO;
	else
		/* It can belong to the reply to LOGIN, of which it then stands in front. */
		mail->list_open = true;
}

static void tagged(struct et_mail *mail, const struct line *line, uint32_t tag, bool ok)
{
	struct et_mail_side *client = &mail->side[ET_CLIENT];
	bool list = mail->list_open;
	uint32_t command, reply;

	if (!ok && mail->tag == tag && client->state == SIDE_SKIP) {
		/* The literal was refused: it does not follow (RFC 3501 7.5). */
		client->flags = 0;
		client->force = false;
		if (!literal_untouched(client))
			strayed(mail, ET_CLIENT);
		client->state = literal_untouched(client) ? SIDE_LINE : SIDE_SEEK;
		mail->tag = 0;
	}
	mail->list_open = false;
	reply = tag | TAG_REPLY | (ok ? TAG_OK : 0) | (line->behind ? TAG_BEHIND : 0) |
		(mail->list_waits ? TAG_LATER : 0);
	if (tag_take(mail, &command, tag, 0))
		pair(mail, command, reply);
	else if (!mail->loose)
		tag_put(mail, reply);
	if (list)
		list_lacks(mail, has_early_reply(mail));
}

static void server_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line)
{
	struct et_mail_side *side = &mail->side[ET_SERVER];
	struct et_view text = line->text, tag, word, code;
	bool midline = side->flags & FLAG_MIDLINE, status, untagged, greeting;

	(void)env;
	goes_on(side, line);
	if (midline)
		return;
	tag = word_next(&text);
	word = word_next(&text);
	status = word_is(word, "OK") || word_is(word, "NO") || word_is(word, "BAD");
	untagged = word_is(tag, "*");
	if (!untagged && !word_is(tag, "+") && !(status && is_tag(tag))) {
		strayed(mail, ET_SERVER);
		return;
	}
	understood(mail, ET_SERVER);
	greeting = !mail->greeted && !mail->greet_unsure && untagged;
	mail->greeted = true;
	if (untagged && word_is(word, "CAPABILITY")) {
		capabilities(mail, text, !line->cut, false);
		return;
	}
	if (greeting && word_is(word, "PREAUTH"))
		logged_in(mail, false);
	code = text;
	if (untagged ? word_is(word, "OK") || word_is(word, "PREAUTH") : word_is(word, "OK"))
		if (word_is(word_next(&code), "[CAPABILITY"))
			capabilities(
				mail, code, !line->cut || memchr(code.p, ']', code.n), greeting);
	if (!untagged && status)
		tagged(mail, line, tag_hash(tag), word_is(word, "OK"));
}

/* Nothing in IMAP ends in a line with a dot. */
static void body_end(struct et_mail *mail, struct et_mail_env *env)
{
	(void)mail;
	(void)env;
}

const struct dialogue imap_dialogue = {
	.line = { client_line, server_line },
	.body_end = body_end,
};
