/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_parts.h"

#define LEVEL_WARNING 1
#define LEVEL_FATAL   2
#define CLOSE_NOTIFY  0

/*
 * The shortest alert that a cipher can make: 2 bytes and an 8-byte tag or explicit nonce with it.
 * No suite has less than 18 bytes; what is shorter was sent in clear, whatever went before. This
 * holds without knowing the version, so also for a direction that is seen alone.
 */
#define ENCRYPTED_MIN 18

/* Which of two alerts tells more: a fatal one, then any other, then close_notify. */
static int weight(const struct et_tls_alert *alert)
{
	if (!alert->seen)
		return 0;
	if (!alert->encrypted && alert->code == CLOSE_NOTIFY)
		return 1;
	return alert->level == LEVEL_FATAL ? 3 : 2;
}

void et_tls_alert_is(struct tls_ctx *c, bool encrypted, uint8_t level, uint8_t code)
{
	struct et_tls_alert alert = {
		.seen = true, .encrypted = encrypted, .level = level, .code = code
	};

	if (!encrypted && code == CLOSE_NOTIFY)
		c->mine->close_notify = true;
	if (weight(&alert) > weight(&c->mine->alert))
		c->mine->alert = alert;
}

void et_tls_alert_record(struct tls_ctx *c)
{
	if (c->side->record_len < ENCRYPTED_MIN)
		return;
	c->side->type = 0;
	c->side->alert_n = 0;
	et_tls_alert_is(c, true, 0, 0);
}

void et_tls_alert_bytes(struct tls_ctx *c, struct et_cur *part)
{
	struct et_tls_side *side = c->side;

	while (part->n > 0) {
		uint8_t byte = et_u8(part);

		if (side->alert_n == 1) {
			side->alert_n = 0;
			et_tls_alert_is(c, false, side->alert_level, byte);
		} else if (byte == LEVEL_WARNING || byte == LEVEL_FATAL) {
			side->alert_n = 1;
			side->alert_level = byte;
		} else {
			et_tls_drop(c, ET_DROP_TLS_RECORD);
			side->type = 0; /* the rest of the record cannot be alerts either */
			et_take(part, part->n);
		}
	}
}
