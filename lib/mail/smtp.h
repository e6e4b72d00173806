/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_MAIL_SMTP_H
#define ET_MAIL_SMTP_H

/*
 * SMTP (RFC 5321) and LMTP (RFC 2033): client lines in smtp.c, replies in smtp_reply.c, and what a
 * command and its reply mean together in smtp_pair.c.
 */

#include "dialogue.h"

/* What a client line is to the queue. Each but the end of a body gets one reply. */
enum smtp_kind {
	KIND_OTHER, /* any command whose answer tells nothing here */
	KIND_EHLO,  /* and LHLO */
	KIND_HELO,
	KIND_STARTTLS,
	KIND_MAIL,
	KIND_RCPT,
	KIND_DATA,
	KIND_BODY, /* the end of what followed DATA; LMTP: a reply per recipient */
	KIND_BDAT,
	KIND_BDAT_LAST, /* LMTP: a reply per recipient */
	KIND_AUTH,      /* the command, and each line of the exchange */
	KIND_RSET,
	KIND_QUIT,
	KIND_XCLIENT, /* Postfix answers it with a new greeting */
};

/* A reply in the queue: its code and what its lines said. */
#define REPLY_CODE     0x03ffu
#define REPLY_TAIL     0x0400u /* bytes in clear behind it in the same segment */
#define REPLY_WHOLE    0x0800u /* no gap within it */
#define REPLY_CAPS     0x1000u /* lines that only the answer to EHLO has */
#define REPLY_STARTTLS 0x2000u
#define REPLY_MASKED   0x4000u
#define REPLY_BODY     0x8000u /* the first reply after a 354 */

/* Where the client is in an AUTH exchange (RFC 4954 4). */
enum { AUTH_NONE, AUTH_UNSURE, AUTH_CONTINUES };

static inline uint16_t reply_code(uint16_t reply)
{
	return reply & REPLY_CODE;
}

static inline bool reply_is_2xx(uint16_t reply)
{
	return reply_code(reply) / 100 == 2;
}

/* Enters a command or a reply, and joins it with its other half if that was fed before. */
void smtp_command(struct et_mail *mail, enum smtp_kind command);
void smtp_reply(struct et_mail *mail, uint16_t reply);

/* Did the server say 354 to a DATA that was not fed? */
bool smtp_wants_body(struct et_mail *mail);
/* May the reply in progress be the answer to EHLO? */
bool smtp_may_be_ehlo(struct et_mail *mail);

void smtp_client_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line);
void smtp_server_line(struct et_mail *mail, struct et_mail_env *env, const struct line *line);

#endif
