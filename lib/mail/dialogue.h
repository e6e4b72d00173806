/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_MAIL_DIALOGUE_H
#define ET_MAIL_DIALOGUE_H

/*
 * What the files of this room share: the reader that cuts bytes into lines (mail.c) and passes over
 * bodies (body.c), the queue that pairs commands with replies (queue.c), words (words.c), and one
 * descriptor per protocol that says what a line means.
 */

#include <string.h>

#include "et_mail.h"

/* What the next byte of a direction belongs to. */
enum side_state {
	SIDE_LINE,   /* a line of dialogue */
	SIDE_SEEK,   /* the rest of a line whose beginning is not known */
	SIDE_SKIP,   /* a chunk or literal: `skip` bytes, then a line */
	SIDE_BODY,   /* a body up to a line that holds a dot only */
	SIDE_UNSURE, /* a body if the server wants it; its beginning is held in buf until then */
};

/* One line, without its end. The view lives for the call. */
struct line {
	struct et_view text;
	bool cut;    /* it was longer than is kept */
	bool bare;   /* it ended in LF alone */
	bool behind; /* bytes in clear follow in the same segment */
};

struct dialogue {
	void (*line[2])(struct et_mail *mail, struct et_mail_env *env, const struct line *line);
	/* A body, as begun by body_begin(), has ended. */
	void (*body_end)(struct et_mail *mail, struct et_mail_env *env);
};

extern const struct dialogue smtp_dialogue;
extern const struct dialogue imap_dialogue;
extern const struct dialogue pop3_dialogue;
extern const struct dialogue sieve_dialogue;

/* words.c */

/* The next word: bytes up to a space or tab, which is dropped too; empty at the end. */
struct et_view word_next(struct et_view *text);
bool word_begins(struct et_view word, const char *upper); /* ASCII, any case */
/* Most words differ in the first byte already; bit 5 is the case of a letter. */
static inline bool word_is(struct et_view word, const char *upper)
{
	return word.n > 0 && ((word.p[0] ^ (uint8_t)upper[0]) & 0xdf) == 0 &&
	       word.n == strlen(upper) && word_begins(word, upper);
}
bool word_has(struct et_view text, const char *upper); /* anywhere in the text */
/* Decimal digits only, at least one; saturates. */
bool word_number(uint64_t *out, struct et_view word);
bool word_is_base64(struct et_view word);
/* A keyword overwritten on the path: XXXXXXXX, or XXXXXXXA as Cisco ASA numbers them. */
bool word_is_masked(struct et_view word);
bool text_is_printable(struct et_view text);
/* Puts a name, at most 255 bytes, into the dictionary. */
uint32_t name_put(struct et_mail_env *env, struct et_view name);
/* {123} or {123+} at the end of a line (RFC 3501 4.3, RFC 7888, RFC 5804 4). */
bool literal_len(uint64_t *len, bool *sync, struct et_view text);

/* queue.c: a ring of runs of equal entries. */

bool queue_push(struct et_mail *mail, uint16_t what); /* false: full, nothing was put in */
uint16_t queue_front(const struct et_mail *mail);
void queue_pop(struct et_mail *mail);
void queue_clear(struct et_mail *mail);
/* Is there an entry for which fits(entry, arg)? */
bool queue_has(struct et_mail *mail, bool (*fits)(uint16_t entry, uint16_t arg), uint16_t arg);
/* Drops what stands before the first entry for which fits(entry, arg). False: none, all stays. */
bool queue_seek(struct et_mail *mail, bool (*fits)(uint16_t entry, uint16_t arg), uint16_t arg);

/*
 * For protocols in which each command gets one reply and no reply shows what it answers. True: what
 * is now entered has its other half, in *other. False: it waits, or the order is lost.
 */
bool queue_join(struct et_mail *mail, uint16_t *other, uint16_t what, bool is_reply);

/* body.c: bodies up to a line that holds a dot only (RFC 5321 4.1.1.4, RFC 1939 3). */

/* How much of the end has been seen; in side->match. */
enum { BODY_NONE, BODY_CR, BODY_START, BODY_DOT, BODY_DOT_CR, BODY_END };

/* The bytes that follow are a body; they begin at the start of a line. */
void body_begin(struct et_mail_side *side, enum side_state state, bool bare);
/* Passes over a body; returns the bytes used, at most to its end (match is BODY_END then). */
size_t body_read(struct et_mail_side *side, struct et_view bytes);

/* mail.c */

/* The next len bytes are a literal; then the line goes on. */
void begin_literal(struct et_mail_side *side, uint64_t len);
/* Nothing of the literal begun has come yet. */
bool literal_untouched(const struct et_mail_side *side);
/* STARTTLS was asked for by this line; answered with this code, and with clear bytes behind it. */
void stls_asked(struct et_mail *mail, const struct line *line);
void stls_answered(struct et_mail *mail, uint16_t code, bool behind);
/*
 * A whole list of capabilities has no STARTTLS in it. waits: replies in front of it have no command
 * yet, any of which may answer a login. Such a list counts once these are known
 * (list_is_first); replies that come behind it are marked as later meanwhile.
 */
void list_lacks(struct et_mail *mail, bool waits);
/* All in front of the list that waits have got their commands, and none was a login. */
void list_is_first(struct et_mail *mail);
/* A login succeeded. later: its answer came behind the list that waits. */
void logged_in(struct et_mail *mail, bool later);
/* A line that was understood. */
void understood(struct et_mail *mail, enum et_dir dir);
/* A line that was not, or bytes that are missing. */
void strayed(struct et_mail *mail, enum et_dir dir);

#endif
