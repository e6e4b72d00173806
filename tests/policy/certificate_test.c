/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "world.h"

#include <string.h>

static const struct cert_spec
	good = { .key = "P-256", .with_issuer = true },
	alone = { .key = "P-256" }, expired = { .key = "P-256", .not_after = "20260301000000Z" },
	future = { .key = "P-256", .not_before = "20261201000000Z" },
	self_signed = { .key = "RSA", .self_signed = true },
	p384 = { .key = "P-384", .with_issuer = true }, md5 = { .key = "RSA", .md5 = true },
	short_key = { .key = "RSA" }, wildcard = { .key = "P-256", .dns = "*.example.net" },
	client_auth = { .key = "P-256", .usage = "clientAuth" },
	old_client_auth = { .key = "P-256", .usage = "clientAuth", .not_after = "20260301000000Z" },
	md5_client_auth = { .key = "RSA", .usage = "clientAuth", .md5 = true },
	both_auth = { .key = "P-256", .usage = "clientAuth,serverAuth" },
	crl_key = { .key = "P-256", .key_usage = "cRLSign" },
	of_ca = { .key = "P-256", .key_usage = "digitalSignature", .ca = true };

/* What the client says of the certificate, and what the certificate says itself. */
void test_certificates(void)
{
	static const struct {
		const char *row;
		uint16_t version;
		const struct cert_spec *cert;
		const char *sni;
		int alert;
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "45, expired", ET_TLSV1_2, &expired, NULL, 45, "certificate_rejected/expired",
			ET_CERTAIN },
		{ "45, not expired", ET_TLSV1_2, &good, NULL, 45, "certificate_rejected/expired",
			ET_CERTAIN },
		{ "45, TLS 1.3", ET_TLSV1_3, NULL, NULL, 45, "certificate_rejected/expired",
			ET_CERTAIN },
		{ "42, expired", ET_TLSV1_2, &expired, NULL, 42, "certificate_rejected/expired",
			ET_LIKELY },
		{ "42, not yet valid", ET_TLSV1_2, &future, NULL, 42,
			"certificate_rejected/not_yet_valid", ET_LIKELY },
		{ "45, not yet valid", ET_TLSV1_2, &future, NULL, 45,
			"certificate_rejected/not_yet_valid", ET_CERTAIN },
		{ "48, self-signed", ET_TLSV1_2, &self_signed, NULL, 48,
			"certificate_rejected/self_signed", ET_CERTAIN },
		{ "48, leaf alone", ET_TLSV1_2, &alone, NULL, 48, "certificate_rejected/unknown_ca",
			ET_CERTAIN },
		{ "48, whole chain", ET_TLSV1_2, &good, NULL, 48, "certificate_rejected/unknown_ca",
			ET_CERTAIN },
		{ "48, TLS 1.3", ET_TLSV1_3, NULL, NULL, 48, "certificate_rejected/unknown_ca",
			ET_CERTAIN },
		{ "48, expired is no reason", ET_TLSV1_2, &expired, NULL, 48,
			"certificate_rejected/unknown_ca", ET_CERTAIN },
		{ "42, other name", ET_TLSV1_2, &good, "mail.example.org", 42,
			"certificate_rejected/name_mismatch", ET_LIKELY },
		{ "42, same name", ET_TLSV1_2, &good, "MX.example.net", 42,
			"certificate_rejected/bad_certificate", ET_CERTAIN },
		{ "42, wildcard", ET_TLSV1_2, &wildcard, "mx.example.net", 42,
			"certificate_rejected/bad_certificate", ET_CERTAIN },
		{ "42, wildcard of one label", ET_TLSV1_2, &wildcard, "a.mx.example.net", 42,
			"certificate_rejected/name_mismatch", ET_LIKELY },
		{ "42, wildcard without label", ET_TLSV1_2, &wildcard, "example.net", 42,
			"certificate_rejected/name_mismatch", ET_LIKELY },
		{ "42, MD5", ET_TLSV1_2, &md5, NULL, 42, "certificate_rejected/weak_signature",
			ET_LIKELY },
		{ "43, MD5", ET_TLSV1_2, &md5, NULL, 43, "certificate_rejected/weak_signature",
			ET_LIKELY },
		{ "48, MD5 is no reason", ET_TLSV1_2, &md5, NULL, 48,
			"certificate_rejected/unknown_ca", ET_CERTAIN },
		{ "42, RSA of 1024 bits", ET_TLSV1_2, &short_key, NULL, 42,
			"certificate_rejected/weak_key", ET_LIKELY },
		{ "43", ET_TLSV1_2, &good, NULL, 43, "certificate_rejected/unsupported",
			ET_CERTAIN },
		{ "43, clientAuth only", ET_TLSV1_2, &client_auth, NULL, 43,
			"certificate_rejected/wrong_usage", ET_CERTAIN },
		{ "42, clientAuth only", ET_TLSV1_2, &client_auth, NULL, 42,
			"certificate_rejected/wrong_usage", ET_LIKELY },
		{ "46, clientAuth only", ET_TLSV1_2, &client_auth, NULL, 46,
			"certificate_rejected/wrong_usage", ET_LIKELY },
		{ "43, clientAuth only, expired", ET_TLSV1_2, &old_client_auth, NULL, 43,
			"certificate_rejected/wrong_usage", ET_CERTAIN },
		{ "42, clientAuth only, expired", ET_TLSV1_2, &old_client_auth, NULL, 42,
			"certificate_rejected/expired", ET_LIKELY },
		{ "43, clientAuth only, MD5", ET_TLSV1_2, &md5_client_auth, NULL, 43,
			"certificate_rejected/wrong_usage", ET_LIKELY },
		{ "48, clientAuth is no reason", ET_TLSV1_2, &client_auth, NULL, 48,
			"certificate_rejected/unknown_ca", ET_CERTAIN },
		{ "43, for both", ET_TLSV1_2, &both_auth, NULL, 43,
			"certificate_rejected/unsupported", ET_CERTAIN },
		{ "43, key usage", ET_TLSV1_2, &crl_key, NULL, 43,
			"certificate_rejected/wrong_usage", ET_CERTAIN },
		{ "43, of a CA", ET_TLSV1_2, &of_ca, NULL, 43, "certificate_rejected/wrong_usage",
			ET_CERTAIN },
		{ "44", ET_TLSV1_2, &good, NULL, 44, "certificate_rejected/revoked", ET_CERTAIN },
		{ "46", ET_TLSV1_2, &good, NULL, 46, "certificate_rejected/unknown", ET_CERTAIN },
		{ "49", ET_TLSV1_2, &good, NULL, 49, "certificate_rejected/access_denied",
			ET_CERTAIN },
		{ "51", ET_TLSV1_2, &good, NULL, 51, "certificate_rejected/decrypt_error",
			ET_CERTAIN },
		{ "113", ET_TLSV1_2, &good, NULL, 113, "certificate_rejected/bad_status_response",
			ET_CERTAIN },
		{ "47, curves fit", ET_TLSV1_2, &p384, NULL, 47, "alert/illegal_parameter",
			ET_CERTAIN },
		{ "40", ET_TLSV1_2, &good, NULL, 40, "alert/handshake_failure", ET_CERTAIN },
	};
	struct et_session *s;
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world_init(&w);
		s = world_rejected(&w, rows[i].version, rows[i].cert, rows[i].alert);
		if (rows[i].sni)
			s->tls.sni = world_name(&w, rows[i].sni);
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
	/* GnuTLS serves its P-384 certificate, OpenSSL as the client does not take it */
	world_init(&w);
	s = world_rejected(&w, ET_TLSV1_2, &p384, 47);
	s->tls.hello = world_hello(&w, &exchange);
	world_expect(&w, "47, curve", "certificate_rejected/curve", ET_CERTAIN);
	s = world_rejected(&w, ET_TLSV1_2, &good, 40);
	s->tls.dh_bits = 1024;
	world_expect(&w, "40, DHE", "dh_too_small", ET_LIKELY);
	world_free(&w);
}

/* What an encrypted alert or a bare close behind the certificate means, and how sure that is. */
void test_inferred(void)
{
	static const struct {
		const char *row;
		uint16_t version;
		const struct cert_spec *cert;
		bool known; /* an expired certificate of the server, from elsewhere */
		bool alert; /* an encrypted one was inferred */
		uint8_t end;
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "1.3, encrypted alert", ET_TLSV1_3, NULL, false, true, ET_END_FIN_CLIENT,
			"certificate_rejected", ET_LIKELY },
		{ "1.3, bare FIN", ET_TLSV1_3, NULL, false, false, ET_END_FIN_CLIENT,
			"certificate_rejected", ET_POSSIBLE },
		{ "1.3, bare RST", ET_TLSV1_3, NULL, false, false, ET_END_RST_CLIENT,
			"lost/reset_by_client/after_server_flight", ET_CERTAIN },
		{ "1.3, encrypted alert, known leaf", ET_TLSV1_3, NULL, true, true,
			ET_END_FIN_CLIENT, "certificate_rejected/expired", ET_LIKELY },
		{ "1.3, bare FIN, known leaf", ET_TLSV1_3, NULL, true, false, ET_END_FIN_CLIENT,
			"certificate_rejected/expired", ET_POSSIBLE },
		{ "1.2, bare FIN", ET_TLSV1_2, &good, false, false, ET_END_FIN_CLIENT,
			"certificate_rejected", ET_POSSIBLE },
		{ "1.2, bare FIN, expired", ET_TLSV1_2, &expired, false, false, ET_END_FIN_CLIENT,
			"certificate_rejected/expired", ET_LIKELY },
		{ "1.2, anonymous", ET_TLSV1_2, NULL, false, false, ET_END_FIN_CLIENT,
			"lost/closed_by_client/after_server_hello", ET_CERTAIN },
	};
	struct et_session *s;
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world_init(&w);
		if (rows[i].known)
			world_established(&w, ET_TLSV1_2, 0xc02b, 0x17, &expired);
		s = world_rejected(&w, rows[i].version, rows[i].cert, -1);
		s->end = rows[i].end;
		if (rows[i].alert) {
			s->alert_from = ET_CLIENT;
			s->inferred = 1 + ET_LIKELY;
		}
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
	/* resumed: no certificate was sent that could be rejected */
	world_init(&w);
	s = world_rejected(&w, ET_TLSV1_3, NULL, -1);
	s->tls.psk_selected = s->tls.resumed = true;
	world_expect(&w, "1.3, resumed", "lost/closed_by_client/after_server_flight", ET_CERTAIN);
	world_free(&w);
}

/* What the server holds of the client's certificate. */
void test_client_certificates(void)
{
	static const struct {
		const char *row;
		bool requested, sent, md5;
		int alert; /* -1: encrypted */
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "116", true, false, false, 116, "client_certificate/missing", ET_CERTAIN },
		{ "40, none sent", true, false, false, 40, "client_certificate/missing",
			ET_CERTAIN },
		{ "48, sent", true, true, false, 48, "client_certificate/rejected", ET_CERTAIN },
		{ "encrypted, sent", true, true, false, -1, "client_certificate/rejected",
			ET_LIKELY },
		{ "42, MD5", true, true, true, 42, "client_certificate/weak_signature", ET_LIKELY },
		{ "encrypted, MD5", true, true, true, -1, "client_certificate/weak_signature",
			ET_LIKELY },
		{ "51, not asked for", false, false, false, 51, "alert/decrypt_error", ET_CERTAIN },
		{ "20, asked for", true, true, false, 20, "alert/bad_record_mac", ET_CERTAIN },
		{ "encrypted, not asked for", false, false, false, -1, "alert/encrypted",
			ET_POSSIBLE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_session *s;
		struct world w;

		world_init(&w);
		s = world_rejected(&w, ET_TLSV1_2, &good, -1);
		s->alert_from = ET_SERVER;
		s->alert_code = (int16_t)rows[i].alert;
		s->alert_level = 2;
		s->inferred = (uint8_t)(rows[i].alert < 0 ? 1 + ET_CERTAIN : 0);
		s->end = ET_END_FIN_SERVER;
		if (rows[i].requested) {
			s->tls.side[ET_SERVER].seen |= ET_TLS_SAW_CERTIFICATE_REQUEST;
			s->tls.side[ET_CLIENT].seen |= ET_TLS_SAW_CERTIFICATE;
			s->tls.certificate_empty[ET_CLIENT] = !rows[i].sent;
		}
		s->tls.side[ET_CLIENT].seen |= ET_TLS_SAW_CLIENT_KEY_EXCHANGE;
		if (rows[i].sent)
			s->tls.chain[ET_CLIENT] =
				world_chain(&w, rows[i].md5 ? &md5 : &self_signed);
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}
}

/* Are chains read once, in order, and never past their end? */
void test_chains(void)
{
	static const uint8_t damaged[] = { 0, 0, 9, 1, 2 };
	const struct et_chain *chain;
	struct et_view bytes;
	struct world w;
	uint32_t ids[3];

	world_init(&w);
	world_session(&w, 1);
	ids[0] = world_chain(&w, &good);
	bytes = et_dict_get(w.books.chains, ids[0]);
	ids[1] = et_dict_put(w.books.chains, NULL, (struct et_view){ bytes.p, bytes.n - 1 });
	ids[2] = et_dict_put(w.books.chains, NULL, (struct et_view){ damaged, sizeof(damaged) });
	world_cause(&w);
	chain = et_policy_chain(w.policy, ids[0]);
	CU_ASSERT_EQUAL_FATAL(chain->cnt, 2);
	CU_ASSERT_STRING_EQUAL(chain->certs[0]->subject, "CN=mx.example.net");
	CU_ASSERT_STRING_EQUAL(chain->certs[1]->subject, "CN=Example CA");
	CU_ASSERT_EQUAL(et_policy_chain(w.policy, ids[1])->cnt, 1);
	CU_ASSERT_PTR_EQUAL(et_policy_chain(w.policy, ids[1])->certs[0], chain->certs[0]);
	CU_ASSERT_EQUAL(et_policy_chain(w.policy, ids[2])->cnt, 0);
	CU_ASSERT_PTR_NULL(et_policy_chain(w.policy, ET_DICT_NONE));
	CU_ASSERT_PTR_NULL(et_policy_chain(w.policy, 99));
	world_free(&w);
}
