/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialogue.h"

/* An entry is a run: what in the low 16 bits, how often in the high 16. */
static uint32_t *slot(struct et_mail *mail, unsigned i)
{
	return &mail->queue[(mail->queue_head + i) % ET_MAIL_QUEUE];
}

bool queue_push(struct et_mail *mail, uint16_t what)
{
	if (mail->queue_cnt > 0) {
		uint32_t *last = slot(mail, mail->queue_cnt - 1u);

		/* Hundreds of RCPT in one flight are common, hundreds of changes are not. */
		if ((uint16_t)*last == what && *last >> 16 < UINT16_MAX) {
			*last += 1u << 16;
			return true;
		}
	}
	if (mail->queue_cnt == ET_MAIL_QUEUE)
		return false;
	*slot(mail, mail->queue_cnt++) = 1u << 16 | what;
	return true;
}

uint16_t queue_front(const struct et_mail *mail)
{
	return (uint16_t)mail->queue[mail->queue_head % ET_MAIL_QUEUE];
}

void queue_pop(struct et_mail *mail)
{
	uint32_t *first = slot(mail, 0);

	*first -= 1u << 16;
	if (*first >> 16 == 0) {
		mail->queue_head = (uint8_t)((mail->queue_head + 1) % ET_MAIL_QUEUE);
		mail->queue_cnt--;
	}
}

void queue_clear(struct et_mail *mail)
{
	mail->queue_cnt = 0;
}

bool queue_has(struct et_mail *mail, bool (*fits)(uint16_t entry, uint16_t arg), uint16_t arg)
{
	for (unsigned i = 0; i < mail->queue_cnt; i++)
		if (fits((uint16_t)*slot(mail, i), arg))
			return true;
	return false;
}

bool queue_seek(struct et_mail *mail, bool (*fits)(uint16_t entry, uint16_t arg), uint16_t arg)
{
	if (!queue_has(mail, fits, arg))
		return false;
	while (!fits(queue_front(mail), arg)) {
		mail->queue_head = (uint8_t)((mail->queue_head + 1) % ET_MAIL_QUEUE);
		mail->queue_cnt--;
	}
	return true;
}

bool queue_join(struct et_mail *mail, uint16_t *other, uint16_t what, bool is_reply)
{
	if (mail->loose)
		return false;
	if (mail->queue_cnt > 0 && mail->queue_replies != is_reply) {
		*other = queue_front(mail);
		queue_pop(mail);
		return true;
	}
	mail->queue_replies = is_reply;
	if (queue_push(mail, what))
		return false;
	mail->loose = true;
	mail->overflow = !is_reply || mail->facts.lines[ET_CLIENT] > 0;
	mail->facts.confused[ET_SERVER] |= mail->overflow;
	mail->list_waits = false;
	queue_clear(mail);
	return false;
}
