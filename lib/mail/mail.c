/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

#include <string.h>

static const struct dialogue *dialogue_of(const struct et_mail *mail)
{
	switch (mail->proto) {
	case ET_MAIL_SMTP:
	case ET_MAIL_LMTP: return &smtp_dialogue;
	case ET_MAIL_IMAP: return &imap_dialogue;
	case ET_MAIL_POP3: return &pop3_dialogue;
	case ET_MAIL_SIEVE: return &sieve_dialogue;
	default: return NULL;
	}
}

void et_mail_init(struct et_mail *mail, enum et_mail_proto proto)
{
	char *side = (char *)mail->side; /* of the whole array: a sanitized build warns otherwise */

	memset(mail, 0, offsetof(struct et_mail, side));
	for (unsigned dir = 0; dir < 2; dir++)
		memset(side + dir * sizeof(mail->side[0]), 0, offsetof(struct et_mail_side, buf));
	mail->proto = proto;
}

void understood(struct et_mail *mail, enum et_dir dir)
{
	mail->facts.lines[dir]++;
	mail->side[dir].adrift = false;
	mail->facts.confused[dir] = mail->missed[dir] || (dir == ET_SERVER && mail->overflow);
}

void strayed(struct et_mail *mail, enum et_dir dir)
{
	mail->side[dir].adrift = true;
	mail->facts.confused[dir] = true;
}

/* The shortest line by which TLS is asked for: STLS, or STARTTLS, and the line's end. */
static uint64_t shortest_request(const struct et_mail *mail)
{
	return mail->proto == ET_MAIL_POP3 ? 6 : 10;
}

bool et_mail_is_lost(const struct et_mail *mail, enum et_dir dir)
{
	return mail->missed[dir] && mail->side[dir].adrift;
}

bool et_mail_hides_tls(const struct et_mail *mail)
{
	/* the answer may have been in a gap, and the client said nothing since */
	if (mail->stls_wait && !mail->stls_more && et_mail_is_lost(mail, ET_SERVER))
		return true;
	return et_mail_is_lost(mail, ET_CLIENT) && (mail->facts.requested || mail->missed_stls);
}

bool et_mail_hides_request(const struct et_mail *mail)
{
	return mail->missed_stls && !mail->facts.requested;
}

void stls_asked(struct et_mail *mail, const struct line *line)
{
	mail->facts.requested = true;
	mail->stls_wait = true;
	mail->stls_more = false;
	mail->accepted = false;
	mail->side[ET_CLIENT].asked = true;
	if (line->behind)
		mail->facts.injected = true;
}

void stls_answered(struct et_mail *mail, uint16_t code, bool behind)
{
	mail->facts.reply = code;
	if (code == 220) {
		mail->facts.injected |= mail->stls_more;
		mail->facts.reply_injected |= behind;
		mail->accepted = true;
		mail->list_waits = false;
		queue_clear(mail);
	}
	mail->stls_wait = false;
	mail->stls_more = false;
}

void list_lacks(struct et_mail *mail, bool waits)
{
	/* Where the order is lost a login may have passed unseen. */
	if (mail->facts.offered != ET_NOT_KNOWN || mail->past_login || mail->loose ||
		mail->facts.reply == 220)
		return;
	if (waits)
		mail->list_waits = true;
	else
		mail->facts.offered = ET_NO;
}

void list_is_first(struct et_mail *mail)
{
	if (mail->list_waits && mail->facts.offered == ET_NOT_KNOWN)
		mail->facts.offered = ET_NO;
	mail->list_waits = false;
}

void logged_in(struct et_mail *mail, bool later)
{
	mail->past_login = true;
	if (!later)
		mail->list_waits = false;
}

void begin_literal(struct et_mail_side *side, uint64_t len)
{
	side->force = true; /* the line goes on behind it, whatever it goes on with */
	if (len == 0)
		return;
	side->state = SIDE_SKIP;
	side->match = BODY_START;
	side->skip = len;
}

bool literal_untouched(const struct et_mail_side *side)
{
	return side->state == SIDE_SKIP && side->match == BODY_START;
}

static bool begins_tls(const struct et_mail *mail, enum et_dir dir, uint8_t c)
{
	return (c >= 0x14 && c <= 0x17) ||
	       (dir == ET_CLIENT && c >= 0x80 && !mail->side[dir].resumed);
}

/* Keeps what fits. */
static void hold(struct et_mail_side *side, struct et_view bytes)
{
	size_t room = sizeof(side->buf) - side->n;

	if (bytes.n > room) {
		bytes.n = room;
		side->cut = true;
	}
	if (bytes.n == 0)
		return;
	memcpy(side->buf + side->n, bytes.p, bytes.n);
	side->n = (uint16_t)(side->n + bytes.n);
}

static size_t feed_body(
	struct et_mail *mail, struct et_mail_env *env, enum et_dir dir, struct et_view bytes)
{
	struct et_mail_side *side = &mail->side[dir];
	size_t used = body_read(side, bytes);

	if (side->state == SIDE_UNSURE)
		hold(side, (struct et_view){ bytes.p, used });
	if (side->match == BODY_END) {
		side->state = SIDE_LINE;
		side->n = 0;
		side->cut = false;
		side->match = BODY_NONE;
		dialogue_of(mail)->body_end(mail, env);
	}
	return used;
}

/* Bytes up to the end of a line; the line is read in place if this call holds all of it. */
static size_t feed_line(struct et_mail *mail, struct et_mail_env *env, enum et_dir dir,
	struct et_view bytes, bool held)
{
	struct et_mail_side *side = &mail->side[dir];
	const uint8_t *end = memchr(bytes.p, '\n', bytes.n);
	size_t used = end ? (size_t)(end - bytes.p) + 1 : bytes.n;
	struct et_view text = { bytes.p, used };
	struct line line;

	if (side->n == 0 && dir == ET_CLIENT && mail->stls_wait && !side->asked)
		mail->stls_more = true;
	side->force = false;
	if (!end || side->n > 0 || used > sizeof(side->buf)) {
		hold(side, text);
		if (!end)
			return used;
		text = (struct et_view){ side->buf, side->n };
	}
	line = (struct line){ .cut = side->cut, .bare = !side->cut };
	if (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	for (; text.n > 0 && text.p[text.n - 1] == '\r'; text.n--)
		line.bare = false;
	line.text = text;
	line.behind = !held && used < bytes.n && !begins_tls(mail, dir, bytes.p[used]);
	env->drops[ET_DROP_MAIL_LINE] += side->cut;
	side->n = 0;
	side->cut = false;
	if (held)
		side->asked = false; /* what was held is not known to be one segment */
	dialogue_of(mail)->line[dir](mail, env, &line);
	return used;
}

static size_t feed_seek(struct et_mail_side *side, struct et_view bytes)
{
	const uint8_t *end = memchr(bytes.p, '\n', bytes.n);

	if (!end)
		return bytes.n;
	side->state = SIDE_LINE;
	return (size_t)(end - bytes.p) + 1;
}

static size_t feed_skip(struct et_mail_side *side, size_t len)
{
	size_t used = side->skip < len ? (size_t)side->skip : len;

	side->skip -= used;
	side->match = BODY_NONE;
	if (side->skip == 0)
		side->state = SIDE_LINE;
	return used;
}

static size_t feed_side(struct et_mail *mail, struct et_mail_env *env, enum et_dir dir,
	struct et_view bytes, bool held)
{
	struct et_mail_side *side = &mail->side[dir];
	size_t all = bytes.n;

	while (bytes.n > 0) {
		size_t used;

		switch (side->state) {
		case SIDE_SKIP: used = feed_skip(side, bytes.n); break;
		case SIDE_SEEK: used = feed_seek(side, bytes); break;
		case SIDE_BODY:
		case SIDE_UNSURE: used = feed_body(mail, env, dir, bytes); break;
		default:
			if (side->n == 0 && !side->force && begins_tls(mail, dir, *bytes.p))
				return all - bytes.n;
			used = feed_line(mail, env, dir, bytes, held);
		}
		bytes.p += used;
		bytes.n -= used;
	}
	return all;
}

/*
 * The server did not want the body: what the client sent after DATA was dialogue. A TLS hello among
 * it was consumed and cannot be given back, so the client's side is then not known.
 */
static void replay(struct et_mail *mail, struct et_mail_env *env)
{
	struct et_mail_side *side = &mail->side[ET_CLIENT];
	uint8_t held[ET_MAIL_LINE];
	size_t n = side->n;

	mail->replay = false;
	memcpy(held, side->buf, n);
	side->state = SIDE_LINE;
	side->n = 0;
	if (!side->cut && feed_side(mail, env, ET_CLIENT, (struct et_view){ held, n }, true) == n)
		return;
	side->cut = false;
	side->state = SIDE_SEEK;
	mail->loose = true;
	strayed(mail, ET_CLIENT);
}

size_t et_mail_feed(
	struct et_mail *mail, struct et_mail_env *env, enum et_dir dir, struct et_view bytes)
{
	size_t used;

	if (dialogue_of(mail) == NULL)
		return bytes.n;
	mail->side[dir].asked = false;
	used = feed_side(mail, env, dir, bytes, false);
	if (mail->replay)
		replay(mail, env);
	return used;
}

void et_mail_force_line(struct et_mail *mail, enum et_dir dir)
{
	mail->side[dir].force = true;
}

void et_mail_astray(struct et_mail *mail, enum et_dir dir)
{
	struct et_mail_side *side = &mail->side[dir];

	strayed(mail, dir);
	side->torn = true;
	if (side->state == SIDE_BODY || side->state == SIDE_UNSURE) {
		side->match = BODY_NONE;
		side->cut = true;
		return;
	}
	side->state = SIDE_LINE; /* segments mostly begin where lines do */
	side->n = 0;
	side->cut = false;
	side->force = false;
	side->code = 0;
	side->flags = 0;
	mail->loose = true;
	if (dir == ET_CLIENT) {
		mail->auth = 0;
		return;
	}
	mail->after_354 = false;
	mail->in_greeting = false;
	mail->greet_unsure |= !mail->greeted;
}

void et_mail_missed(struct et_mail *mail, enum et_dir dir, uint64_t len)
{
	mail->missed[dir] = true;
	mail->missed_stls |= dir == ET_CLIENT && len >= shortest_request(mail);
	mail->facts.confused[dir] = true;
}

void et_mail_gap(struct et_mail *mail, enum et_dir dir, uint64_t len)
{
	struct et_mail_side *side = &mail->side[dir];

	if (side->state == SIDE_SKIP) { /* counted bytes need not be seen */
		uint64_t passed = side->skip < len ? side->skip : len;

		side->skip -= passed;
		len -= passed;
		if (side->skip == 0)
			side->state = SIDE_LINE;
	}
	if (len == 0)
		return;
	/* in a body nothing is missed, unless it turns out that its end was in the gap */
	if (side->state != SIDE_BODY)
		et_mail_missed(mail, dir, len);
	et_mail_astray(mail, dir);
}

void et_mail_resume(struct et_mail *mail, enum et_dir dir)
{
	struct et_mail_side *side = &mail->side[dir];

	side->state = SIDE_LINE;
	side->n = 0;
	side->cut = false;
	side->resumed = true;
	side->code = 0;
	side->flags = 0;
	if (dir == ET_CLIENT) {
		mail->auth = 0;
		return;
	}
	if (mail->stls_wait) { /* there was TLS, so the answer to STARTTLS is past */
		mail->stls_wait = false;
		queue_clear(mail);
	}
	mail->accepted = false;
	mail->after_354 = false;
}
