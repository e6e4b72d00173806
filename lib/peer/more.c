/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "et_iana.h"

/* What a server was seen to do with which hello, and what a grade of it rests on. */

static const char *const trait_names[] = {
#define X(id, name) name,
	ET_PEER_TRAIT_LIST(X)
#undef X
};
static_assert(sizeof(trait_names) / sizeof(*trait_names) == ET_PEER_TRAIT_MAX, "one name each");

const char *et_peer_trait_name(enum et_peer_trait trait)
{
	return trait_names[trait];
}

static bool is_anonymous(const struct et_tls_facts *tls)
{
	const struct et_iana_suite *suite = NULL;

	if (tls->version != 0 && tls->version != ET_SSLV2)
		suite = et_iana_suite((uint16_t)tls->cipher);
	return suite && suite->auth == ET_AUTH_ANON;
}

static void count_traits(struct et_peer_table *table, uint32_t peer, const struct et_tls_facts *tls)
{
	bool old = tls->version >= ET_SSLV3 && tls->version <= ET_TLSV1_2;
	bool asked = tls->side[ET_SERVER].seen & ET_TLS_SAW_CERTIFICATE_REQUEST;
	bool sent = (tls->side[ET_CLIENT].seen & ET_TLS_SAW_CERTIFICATE) &&
		    !tls->certificate_empty[ET_CLIENT];
	const struct {
		enum et_peer_trait trait;
		bool has;
		uint32_t hello; /* ET_DICT_NONE: it does not matter */
	} rows[] = {
		{ ET_PEER_TRAIT_COMPRESSION, old && tls->compression != 0, 0 },
		/* without a hello it is not known whether it was asked for */
		{ ET_PEER_TRAIT_NO_EMS, old && tls->version != ET_SSLV3 && !tls->ems && tls->hello,
			tls->hello },
		{ ET_PEER_TRAIT_NO_RENEGOTIATION, old && !tls->secure_renegotiation && tls->hello,
			tls->hello },
		{ ET_PEER_TRAIT_ANONYMOUS, is_anonymous(tls), 0 },
		{ ET_PEER_TRAIT_CLIENT_CERT_REQUESTED, asked, 0 },
		{ ET_PEER_TRAIT_CLIENT_CERT_SENT, sent, 0 },
		{ ET_PEER_TRAIT_EARLY_DATA, tls->early_data, 0 },
		{ ET_PEER_TRAIT_DOWNGRADE_FROM_12, old && tls->downgrade == 1, 0 },
		{ ET_PEER_TRAIT_DOWNGRADE_FROM_13, old && tls->downgrade == 2, 0 },
		{ ET_PEER_TRAIT_DH_WELL_KNOWN, tls->dh_well_known, 0 },
	};

	static_assert(sizeof(rows) / sizeof(*rows) == ET_PEER_TRAIT_MAX, "each trait has a rule");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].has)
			peer_cell(table, peer, ET_PEER_TRAITS,
				et_peer_trait_key(rows[i].trait, rows[i].hello), 1);
}

static void count_accept(struct et_peer_table *table, uint32_t peer, const struct et_tls_facts *tls)
{
	struct et_peer_accept accept = { .cipher = tls->cipher,
		.hello = tls->hello,
		.chain = tls->chain[ET_SERVER],
		.version = tls->version,
		.group = tls->group };
	uint64_t key = peer_accept_key(table, &accept);

	if (key != 0)
		peer_cell(table, peer, ET_PEER_ACCEPTS, key, 1);
}

void peer_add_more(struct et_peer_table *table, uint32_t peer, const struct et_session *session)
{
	const struct et_tls_facts *tls = &session->tls;
	const struct et_mail_facts *mail = &session->mail;

	if (session->outcome == ET_OUTCOME_ESTABLISHED && tls->version != 0)
		count_accept(table, peer, tls);
	if (tls->dh_bits != 0)
		peer_cell(table, peer, ET_PEER_DH_BITS, tls->dh_bits, 1);
	if (tls->ske_sigalg != 0)
		peer_cell(table, peer, ET_PEER_SIGNATURES, tls->ske_sigalg, 1);
	if (mail->requested && mail->reply >= 400)
		peer_cell(table, peer, ET_PEER_STARTTLS_REPLIES, mail->reply, 1);
	count_traits(table, peer, tls);
}
