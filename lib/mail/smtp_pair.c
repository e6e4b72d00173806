/* SPDX-License-Identifier: BSD-3-Clause */
#include "smtp.h"

/* Can this be the reply to that command? */
static bool is_answer(uint16_t kind, uint16_t reply)
{
	uint16_t code = reply_code(reply);

	if (code >= 400)
		return true;
	switch (kind) {
	case KIND_STARTTLS: return code == 220;
	case KIND_DATA: return code == 354;
	case KIND_AUTH: return code == 334 || code == 235;
	case KIND_EHLO:
	case KIND_HELO: return code == 250;
	case KIND_XCLIENT: return code / 100 == 2;
	default: return code / 100 == 2 && code != 220 && code != 235;
	}
}

/* Can this reply belong to that command alone? Such pairs bring a lost order back. */
static bool is_answer_only(uint16_t kind, uint16_t reply)
{
	switch (reply_code(reply)) {
	case 220: return kind == KIND_STARTTLS;
	case 354: return kind == KIND_DATA;
	case 334:
	case 235: return kind == KIND_AUTH;
	case 250: return kind == KIND_EHLO && reply & REPLY_CAPS;
	default: return false;
	}
}

static bool reply_fits_kind(uint16_t reply, uint16_t kind)
{
	return is_answer_only(kind, reply);
}

static void learn_caps(struct et_mail *mail, uint16_t reply)
{
	struct et_mail_facts *facts = &mail->facts;

	/* What was offered when the client asked stands, also when TLS then failed. */
	if (reply & REPLY_STARTTLS)
		facts->offered = ET_YES;
	else if (reply & REPLY_WHOLE && !(facts->requested && facts->offered == ET_YES))
		facts->offered = ET_NO;
	facts->masked = mail->masked_path || reply & REPLY_MASKED;
}

static void pair_ehlo(struct et_mail *mail, uint16_t reply)
{
	if (!reply_is_2xx(reply))
		return;
	/* a second EHLO resets the session: RFC 5321 4.1.4 */
	mail->rcpt_cnt = 0;
	learn_caps(mail, reply);
}

static void pair_data(struct et_mail *mail, uint16_t reply)
{
	struct et_mail_side *client = &mail->side[ET_CLIENT];

	mail->body_cnt = 0;
	mail->mail_counted = false;
	if (client->state != SIDE_UNSURE)
		return;
	if (reply_code(reply) == 354) {
		client->state = SIDE_BODY;
		client->n = 0;
		client->cut = false;
	} else if (client->n == 0 && !client->cut) {
		client->state = SIDE_LINE;
	} else {
		mail->replay = true; /* after this segment */
	}
}

static void pair_body(struct et_mail *mail, uint16_t reply, bool chunks)
{
	mail->body_cnt++;
	if (!chunks && reply & REPLY_BODY) { /* counted as it was read */
		mail->mail_counted = reply_is_2xx(reply);
		return;
	}
	/* SMTP: the reply to a body of DATA is always the first after the 354. */
	if (!reply_is_2xx(reply) || mail->mail_counted || (!chunks && mail->proto != ET_MAIL_LMTP))
		return;
	mail->mail_counted = true;
	mail->facts.clear_mail++;
}

/* After the last reply to the body: is the transaction over? */
static bool body_is_answered(struct et_mail *mail)
{
	if (mail->proto == ET_MAIL_LMTP && mail->body_cnt < mail->rcpt_cnt)
		return false;
	mail->body_cnt = 0;
	mail->rcpt_cnt = 0;
	mail->mail_counted = false;
	return true;
}

/* One command and one reply to it. False: the same command has more replies to come. */
static bool pair(struct et_mail *mail, uint16_t kind, uint16_t reply)
{
	switch (kind) {
	case KIND_EHLO: pair_ehlo(mail, reply); break;
	case KIND_STARTTLS:
		stls_answered(mail, reply_code(reply), (reply & REPLY_TAIL) != 0);
		return true;
	case KIND_MAIL:
	case KIND_RSET: mail->rcpt_cnt = 0; break;
	case KIND_RCPT:
		if (reply_is_2xx(reply) && mail->rcpt_cnt < UINT16_MAX)
			mail->rcpt_cnt++;
		break;
	case KIND_DATA: pair_data(mail, reply); break;
	case KIND_BODY:
	case KIND_BDAT_LAST:
		pair_body(mail, reply, kind == KIND_BDAT_LAST);
		return body_is_answered(mail);
	default: break;
	}
	if (kind != KIND_EHLO && reply & REPLY_CAPS && mail->provisional)
		mail->facts.offered = ET_NOT_KNOWN; /* the answer to HELO says nothing */
	if (reply & REPLY_CAPS)
		mail->provisional = false;
	return true;
}

static void lose(struct et_mail *mail, bool overflow)
{
	mail->loose = true;
	if (overflow) {
		mail->overflow = true;
		mail->facts.confused[ET_SERVER] = true;
	}
}

static void regain(struct et_mail *mail)
{
	mail->loose = false;
	mail->overflow = false;
}

static void auth_answered(struct et_mail *mail, uint16_t reply)
{
	if (mail->queue_cnt > 0 && !mail->queue_replies)
		return; /* the client has sent more since */
	if (mail->auth != AUTH_NONE)
		mail->auth = reply_code(reply) == 334 ? AUTH_CONTINUES : AUTH_NONE;
}

static void push(struct et_mail *mail, uint16_t what, bool is_reply)
{
	if (mail->queue_cnt == 0)
		mail->queue_replies = is_reply;
	if (queue_push(mail, what))
		return;
	/* A server seen alone fills the queue too, and nothing is lost by that. */
	lose(mail, !is_reply || mail->facts.lines[ET_CLIENT] > 0);
	queue_clear(mail);
	mail->queue_replies = is_reply;
	queue_push(mail, what);
}

void smtp_command(struct et_mail *mail, enum smtp_kind command)
{
	uint16_t kind = (uint16_t)command;

	while (mail->queue_cnt > 0 && mail->queue_replies) {
		uint16_t reply = queue_front(mail);

		if (mail->loose || !is_answer(kind, reply)) {
			if (!queue_seek(mail, reply_fits_kind, kind)) {
				queue_clear(mail);
				lose(mail, false);
				break;
			}
			regain(mail);
			continue;
		}
		queue_pop(mail);
		if (kind == KIND_AUTH)
			mail->auth = reply_code(reply) == 334 ? AUTH_CONTINUES : AUTH_NONE;
		if (pair(mail, kind, reply))
			return;
	}
	push(mail, kind, false);
}

/* A reply whose command was not fed yet, or will never be. */
static void keep_reply(struct et_mail *mail, uint16_t reply)
{
	uint16_t code = reply_code(reply);

	if (mail->accepted)
		return; /* in clear after the 220 of STARTTLS: answers nothing */
	if (mail->loose && mail->queue_cnt == 0 && !(reply & REPLY_CAPS) && code != 220 &&
		code != 354 && code != 334)
		return; /* nothing will tell which command it answers */
	if (code == 250 && reply & REPLY_CAPS && smtp_may_be_ehlo(mail)) {
		learn_caps(mail, reply);
		mail->provisional = true;
	}
	push(mail, reply, true);
}

/* The server's side of a failed handshake, such as `454 TLS not available`, answers no command. */
static bool is_unasked(struct et_mail *mail, uint16_t code)
{
	struct et_mail_side *server = &mail->side[ET_SERVER];
	bool waiting = mail->queue_cnt > 0 && !mail->queue_replies;
	bool first = server->resumed;

	server->resumed = false;
	if (!first || code < 400)
		return false;
	if (!waiting)
		return true;
	return code == 454 && queue_front(mail) != KIND_STARTTLS && queue_front(mail) != KIND_AUTH;
}

void smtp_reply(struct et_mail *mail, uint16_t reply)
{
	struct et_mail_side *client = &mail->side[ET_CLIENT];
	uint16_t kind;

	if (is_unasked(mail, reply_code(reply)))
		return;
	if (mail->queue_cnt == 0 || mail->queue_replies) {
		if (client->state == SIDE_BODY && client->torn && reply & REPLY_BODY) {
			/* The end of the body was in the gap, and perhaps more. */
			mail->missed[ET_CLIENT] = mail->missed_stls = true;
			client->state = SIDE_LINE;
			client->cut = false;
			mail->loose = true;
			return;
		}
		keep_reply(mail, reply);
		return;
	}
	kind = queue_front(mail);
	if (mail->loose || !is_answer(kind, reply)) {
		if (!queue_seek(mail, is_answer_only, reply)) {
			lose(mail, false);
			return;
		}
		regain(mail);
		kind = queue_front(mail);
	}
	if (kind != KIND_BODY && kind != KIND_BDAT_LAST)
		queue_pop(mail);
	if (kind == KIND_AUTH)
		auth_answered(mail, reply);
	if (pair(mail, kind, reply) && (kind == KIND_BODY || kind == KIND_BDAT_LAST))
		queue_pop(mail);
}

bool smtp_wants_body(struct et_mail *mail)
{
	return mail->after_354 || (mail->queue_cnt > 0 && mail->queue_replies &&
					  queue_has(mail, reply_fits_kind, KIND_DATA));
}

bool smtp_may_be_ehlo(struct et_mail *mail)
{
	if (mail->queue_cnt == 0 || mail->queue_replies)
		/* nor is it believed behind a 220 that can be the answer to STARTTLS only */
		return !mail->accepted && !queue_has(mail, reply_fits_kind, KIND_STARTTLS);
	return mail->loose || queue_front(mail) == KIND_EHLO;
}
