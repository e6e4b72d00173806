/* SPDX-License-Identifier: BSD-3-Clause */

/* lib/mail: the dialogue in clear. */

#include "rooms.h"

#include <stdlib.h>

#define WARM 16 /* connections */

struct script {
	uint32_t *v, cnt; /* numbers of segments, connection by connection */
	uint32_t conns;
};

/* Dialogues up to STARTTLS, or mails in clear. */
static struct script pick(const struct corpus *c, bool clear, uint32_t conns)
{
	struct script s = { .v = rooms_memory(c->cnt, sizeof(*s.v)) };

	for (uint32_t n = 0; n < c->conns && s.conns < conns; n++) {
		if ((c->sessions[n].mode == ET_MODE_CLEAR) != clear)
			continue;
		s.conns++;
		for (uint32_t k = c->first[n]; k < c->first[n + 1]; k++) {
			uint32_t i = c->by_conn[k];

			if (corpus_is_parsed(c, i) && !c->places[i].tls)
				s.v[s.cnt++] = i;
		}
	}
	return s;
}

static void measure(struct bench *b, struct inputs *in, bool clear, uint32_t conns, uint32_t rounds,
	const char *name)
{
	const struct corpus *c = &in->storm;
	struct script s = pick(c, clear, conns);
	struct et_mail mail;
	uint64_t fed = 0, bytes = 0, right = 0;
	uint32_t conn = UINT32_MAX;

	bench_start(b);
	for (uint32_t r = 0; r < rounds; r++) {
		for (uint32_t i = 0; i < s.cnt; i++) {
			const struct corpus_place *place = &c->places[s.v[i]];

			if (place->conn != conn)
				et_mail_init(&mail, ET_MAIL_SMTP);
			conn = place->conn;
			fed += et_mail_feed(&mail, &in->parsers.env.mail, (enum et_dir)place->dir,
				c->segments[s.v[i]].payload);
			if (i + 1 == s.cnt || c->places[s.v[i + 1]].conn != conn)
				right += clear ? mail.facts.clear_mail == 1
					       : mail.facts.requested && mail.facts.reply == 220;
		}
		conn = UINT32_MAX;
	}
	bench_stop(b);
	for (uint32_t i = 0; i < s.cnt; i++)
		bytes += c->segments[s.v[i]].payload.n;
	bench_check(b, fed == bytes * rounds, "bytes were not taken for dialogue");
	bench_check(b, right == (uint64_t)rounds * s.conns,
		"%s: %u of %u connections ended as they should", name, (unsigned)right, s.conns);
	bench_row(b, "segment", (uint64_t)s.cnt * rounds, fed, "%s", name);
	free(s.v);
}

void room_mail(struct bench *b, struct inputs *in)
{
	measure(b, in, false, WARM, bench_options(b)->quick ? 10 : 1000,
		"dialogue up to STARTTLS, warm");
	measure(b, in, false, UINT32_MAX, 1, "dialogue up to STARTTLS");
	measure(b, in, true, UINT32_MAX, 1, "mail in clear, with its body");
}
