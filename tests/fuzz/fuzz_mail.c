/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Can any bytes, gaps and directions crash the dialogue parsers or make them contradict themselves?
 *
 * Input: a byte that names the protocol, then steps. A step is a byte that says what is done (bit 0
 * the direction; the values of enum step above it), a byte n, and for a segment n bytes.
 */
#include "et_mail.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step { STEP_FEED, STEP_LINE, STEP_GAP, STEP_RESUME };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t step(struct et_mail *mail, struct et_mail_env *env, const uint8_t *p, size_t n)
{
	enum et_dir dir = (enum et_dir)(p[0] & 1);
	struct et_view bytes = { p + 2, p[1] < n - 2 ? p[1] : n - 2 };

	switch (p[0] >> 1 & 3) {
	case STEP_GAP: et_mail_gap(mail, dir, p[1]); return 2;
	case STEP_RESUME: et_mail_resume(mail, dir); return 2;
	case STEP_LINE: et_mail_force_line(mail, dir); break;
	default: break;
	}
	check(et_mail_feed(mail, env, dir, bytes) <= bytes.n);
	return 2 + bytes.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t drops[ET_DROP_MAX] = { 0 };
	struct et_mail_env env = { .names = et_dict_new(16, 4096), .drops = drops };
	static struct et_mail mail;
	const struct et_mail_facts *facts = &mail.facts;
	size_t used = 1;

	if (size == 0 || !env.names) {
		et_dict_free(env.names);
		return 0;
	}
	et_mail_init(&mail, (enum et_mail_proto)(data[0] % (ET_MAIL_SIEVE + 1)));
	while (used + 2 <= size) {
		used += step(&mail, &env, data + used, size - used);
		check(mail.queue_cnt <= ET_MAIL_QUEUE);
		check(facts->reply == 0 || facts->requested);
		check(!facts->injected || facts->requested);
		check(!facts->reply_injected || facts->requested);
	}
	et_dict_free(env.names);
	return 0;
}
