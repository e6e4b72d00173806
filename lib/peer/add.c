/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <string.h>

static const char *const count_names[] = {
#define X(id, name) name,
	ET_PEER_COUNTS(X)
#undef X
};
static_assert(sizeof(count_names) / sizeof(*count_names) == ET_PEER_COUNT_MAX, "one name each");

const char *et_peer_count_name(enum et_peer_count count)
{
	return count_names[count];
}

const double et_peer_bounds_ms[ET_PEER_BUCKETS - 1] = { 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100,
	200, 500, 1000, 2000, 5000, 10000, 20000, 60000 };

static const char *const bucket_names[ET_PEER_BUCKETS] = { "0.1", "0.2", "0.5", "1", "2", "5", "10",
	"20", "50", "100", "200", "500", "1000", "2000", "5000", "10000", "20000", "60000", "inf" };

const char *et_peer_bucket_name(unsigned bucket)
{
	return bucket_names[bucket];
}

static unsigned bucket_of(int64_t ns)
{
	double ms = (double)ns / 1e6;
	unsigned i = 0;

	while (i < ET_PEER_BUCKETS - 1 && ms > et_peer_bounds_ms[i])
		i++;
	return i;
}

/* Which counters a session raises; by one, but for the mails. */
static void count_session(uint32_t *counts, const struct et_session *s, bool fallback)
{
	const struct et_mail_facts *mail = &s->mail;
	const struct {
		enum et_peer_count count;
		uint32_t add;
	} rows[] = {
		{ ET_PEER_SESSIONS, 1 },
		{ ET_PEER_STARTTLS_OFFERED, mail->offered == ET_YES },
		{ ET_PEER_STARTTLS_NOT_OFFERED, mail->offered == ET_NO },
		{ ET_PEER_STARTTLS_MASKED, mail->masked },
		{ ET_PEER_STARTTLS_REQUESTED, mail->requested },
		{ ET_PEER_STARTTLS_REFUSED, mail->requested && mail->reply >= 400 },
		{ ET_PEER_TLS_ESTABLISHED, s->outcome == ET_OUTCOME_ESTABLISHED },
		{ ET_PEER_TLS_FAILED, s->outcome == ET_OUTCOME_FAILED },
		{ ET_PEER_TLS_INCOMPLETE, s->outcome == ET_OUTCOME_INCOMPLETE },
		{ ET_PEER_TLS_BROKEN, s->outcome == ET_OUTCOME_BROKEN },
		{ ET_PEER_TLS_UNKNOWN, s->outcome == ET_OUTCOME_UNKNOWN },
		{ ET_PEER_RESUMED, s->tls.resumed },
		{ ET_PEER_HELLO_RETRY, s->tls.hello_retry },
		{ ET_PEER_INJECTED, mail->injected || mail->reply_injected },
		{ ET_PEER_CLEAR_MAIL, mail->clear_mail },
		{ ET_PEER_CLEAR_SESSIONS, mail->clear_mail > 0 },
		{ ET_PEER_AUTH_CLEAR, mail->auth_clear },
		{ ET_PEER_FALLBACKS, fallback },
	};

	static_assert(sizeof(rows) / sizeof(*rows) == ET_PEER_COUNT_MAX, "each counter has a rule");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		peer_count(&counts[rows[i].count], rows[i].add);
}

static void count_established(
	struct et_peer_table *table, uint32_t peer, const struct et_session *s)
{
	const struct et_tls_facts *tls = &s->tls;

	if (tls->version != 0) {
		peer_cell(table, peer, ET_PEER_VERSIONS, tls->version, 1);
		peer_cell(table, peer, ET_PEER_CIPHERS,
			et_peer_cipher_key(tls->version == ET_SSLV2 ? ET_SSLV2 : 0, tls->cipher),
			1);
		peer_cell(table, peer, ET_PEER_VERSION_CIPHERS,
			et_peer_cipher_key(tls->version, tls->cipher), 1);
	}
	if (tls->group != 0)
		peer_cell(table, peer, ET_PEER_GROUPS, tls->group, 1);
	if (s->handshake_ns >= 0)
		peer_cell(table, peer, ET_PEER_HANDSHAKE_MS, bucket_of(s->handshake_ns), 1);
}

static void count_id(
	struct et_peer_table *table, uint32_t peer, enum et_peer_kind kind, uint32_t id)
{
	if (id != ET_DICT_NONE)
		peer_cell(table, peer, kind, id, 1);
}

void et_peer_add(struct et_peer_table *table, const struct et_session *session,
	const struct et_cause *cause, bool fallback)
{
	uint32_t peer = peer_find(table, session->addr, session->service);
	uint64_t key;

	if (peer == UINT32_MAX)
		return;
	count_session(peer_by_index(table, peer)->counts, session, fallback);
	if (session->outcome == ET_OUTCOME_ESTABLISHED)
		count_established(table, peer, session);
	if (session->alert_from >= 0) {
		key = session->alert_code < 0 ? ET_PEER_NO_CODE : (uint64_t)session->alert_code;
		peer_cell(
			table, peer, ET_PEER_ALERTS, (uint64_t)session->alert_from << 16 | key, 1);
	}
	if (cause && cause->code[0]) {
		key = peer_cause_key(table, (struct et_view){ .p = (const uint8_t *)cause->code,
						    .n = strlen(cause->code) });
		if (key != 0)
			peer_cell(table, peer, ET_PEER_CAUSES, key, 1);
		if (key != 0 && !peer_is_fixed(table))
			peer_cell(table, peer, ET_PEER_FAILURES,
				peer_failure_key(key, cause->confidence, session->tls.hello), 1);
	}
	count_id(table, peer, ET_PEER_HELLOS, session->tls.hello);
	count_id(table, peer, ET_PEER_CHAINS, session->tls.chain[ET_SERVER]);
	count_id(table, peer, ET_PEER_CLIENT_NAMES, session->name[ET_CLIENT]);
	count_id(table, peer, ET_PEER_SERVER_NAMES, session->name[ET_SERVER]);
	if (!peer_is_fixed(table))
		peer_add_more(table, peer, session);
}

/* Whether name a is to be given before name b, both equally frequent. */
static bool stands_before(const struct et_dict *names, uint32_t a, uint32_t b)
{
	struct et_view x = et_dict_get(names, a), y = et_dict_get(names, b);
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n ? memcmp(x.p, y.p, n) : 0;

	return order ? order < 0 : x.n < y.n;
}

uint32_t et_peer_name(const struct et_peer_table *table, const struct et_peer *peer,
	enum et_dir side, const struct et_dict *names)
{
	uint64_t kind = side == ET_CLIENT ? ET_PEER_CLIENT_NAMES : ET_PEER_SERVER_NAMES;
	uint32_t best = ET_DICT_NONE, count = 0;

	for (const struct et_peer_cell *cell = et_peer_next(table, peer, NULL); cell;
		cell = et_peer_next(table, peer, cell)) {
		uint32_t id = (uint32_t)cell->key;

		if (cell->kind != kind || cell->count < count)
			continue;
		if (cell->count > count || stands_before(names, id, best)) {
			best = id;
			count = cell->count;
		}
	}
	return best;
}
