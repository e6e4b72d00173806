/* SPDX-License-Identifier: BSD-3-Clause */
#include "policy_tests.h"
#include "world.h"

#include <string.h>

#define CLOSE (-1) /* instead of an alert */

static const struct cert_spec p256 = { .key = "P-256" }, p384 = { .key = "P-384" },
			      rsa = { .key = "RSA" }, ed25519 = { .key = "ED25519" };

/*
 * Does the case that the project began with come out with its cause and certainty, and does the
 * sentence say what to change? Do its cures not come out as that cause?
 */
void test_founding_case(void)
{
	static const struct hello_spec cured = {
		.ciphers = "c02b c02f c023 c027 c013 009d 009c 003d 003c 0035 002f 000a",
		.groups = "0017 0018",
		.sigalgs = "0401 0501 0201 0403 0503 0203 0202 0601 0603",
	};
	static const struct {
		const char *row;
		const struct cert_spec *certs[2];
		const struct hello_spec *client;
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "as it was", { &p384 }, &exchange, "no_shared_cipher/certificate_curve",
			ET_CERTAIN },
		{ "client with secp384r1", { &p384 }, &cured, "no_shared_cipher", ET_LIKELY },
		{ "RSA beside it", { &p384, &rsa }, &exchange, "no_shared_cipher", ET_LIKELY },
		{ "RSA alone", { &rsa }, &exchange, "no_shared_cipher", ET_LIKELY },
		{ "P-256 alone", { &p256 }, &exchange, "no_shared_cipher", ET_LIKELY },
		{ "P-256 beside it", { &p384, &p256 }, &exchange, "no_shared_cipher", ET_LIKELY },
		{ "nothing known", { NULL }, &exchange, "no_shared_cipher", ET_LIKELY },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world w;

		world_init(&w);
		for (size_t k = 0; k < 2 && rows[i].certs[k]; k++)
			world_established(&w, ET_TLSV1_2,
				rows[i].certs[k] == &rsa ? 0xc02f : 0xc02b, 0x0017,
				rows[i].certs[k]);
		world_refused(&w, rows[i].client, 40);
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		if (i == 0) {
			const char *why = world_cause(&w)->why;

			CU_ASSERT(strstr(why, "secp384r1") != NULL);
			CU_ASSERT(strstr(why, "secp256r1") != NULL);
			CU_ASSERT(strstr(why, "an RSA") != NULL);
			CU_ASSERT(strstr(why, "handshake_failure") != NULL);
		}
		world_free(&w);
	}
}

/* One server, known from one session, and one client that it refuses: why? */
void test_ciphers(void)
{
	static const struct hello_spec rsa_only = {
		.ciphers = "c02f 009c 002f", .groups = "0017", .sigalgs = "0401 0403"
	};
	static const struct hello_spec ecdsa_only = {
		.ciphers = "c02b c00a", .groups = "0017", .sigalgs = "0401 0403"
	};
	static const struct hello_spec no_groups = { .ciphers = "c02b", .sigalgs = "0403" };
	static const struct hello_spec no_eddsa = {
		.ciphers = "c02b c02f", .groups = "0017", .sigalgs = "0403 0401"
	};
	static const struct hello_spec tls10 = {
		.ciphers = "c009 002f 000a", .groups = "0017", .legacy = ET_TLSV1_0
	};
	static const struct hello_spec bad_list = { .ciphers = "c02b c02f 009c",
		.legacy = ET_TLSV1_0 };
	static const struct hello_spec rc4 = { .ciphers = "0005 0004", .sigalgs = "0401" };
	static const struct hello_spec ffdhe_only = {
		.ciphers = "c02f c030", .groups = "0100", .sigalgs = "0401"
	};
	static const struct hello_spec x448 = {
		.ciphers = "c02f c030", .groups = "001e", .sigalgs = "0401"
	};
	static const struct hello_spec anon = {
		.ciphers = "c02b c02f 00a6", .groups = "0017", .sigalgs = "0403 0503 0401"
	};
	static const struct hello_spec exchange_13 = { .ciphers = "1302 c02b c02f 0035",
		.groups = "0017",
		.sigalgs = "0804 0403 0503 0401",
		.versions = "0304 0303" };
	static const struct hello_spec no_p384_13 = { .ciphers = "1302 c02b",
		.groups = "0017 0018",
		.sigalgs = "0804 0403",
		.versions = "0304 0303" };
	static const struct hello_spec grease = { .ciphers = "1a1a c02b c02f 00ff 5600",
		.groups = "2a2a 0017",
		.sigalgs = "0403 0503 0401" };
	static const struct {
		const char *row;
		const struct cert_spec *cert;
		uint16_t cipher, group; /* of the session that the server is known from */
		const struct hello_spec *client;
		int alert;
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "curve, insufficient_security", &p384, 0xc02c, 0x18, &exchange, 71,
			"no_shared_cipher/certificate_curve", ET_CERTAIN },
		{ "curve, illegal_parameter", &p384, 0xc02c, 0x18, &exchange, 47,
			"no_shared_cipher/certificate_curve", ET_LIKELY },
		{ "curve, closed", &p384, 0xc02c, 0x18, &exchange, CLOSE,
			"no_shared_cipher/certificate_curve", ET_LIKELY },
		{ "curve, GREASE and signals", &p384, 0xc02c, 0x18, &grease, 40,
			"no_shared_cipher/certificate_curve", ET_CERTAIN },
		{ "curve, anonymous suites", &p384, 0xc02c, 0x18, &anon, 40,
			"no_shared_cipher/certificate_curve", ET_LIKELY },
		{ "curve, server declines 1.3?", &p384, 0xc02c, 0x18, &exchange_13, 40,
			"no_shared_cipher/certificate_curve", ET_LIKELY },
		{ "curve, no limit", &p384, 0xc02b, 0x18, &no_groups, 40, "no_shared_cipher",
			ET_LIKELY },
		{ "RSA client", &p256, 0xc02b, 0x17, &rsa_only, 40,
			"no_shared_cipher/certificate_key_type", ET_CERTAIN },
		{ "ECDSA client", &rsa, 0xc02f, 0x17, &ecdsa_only, 40,
			"no_shared_cipher/certificate_key_type", ET_CERTAIN },
		{ "Ed25519 server", &ed25519, 0xc02b, 0x1d, &no_eddsa, 40,
			"no_shared_cipher/signature_algorithm", ET_CERTAIN },
		{ "Ed25519 server, TLS 1.0", &ed25519, 0xc02b, 0x1d, &tls10, 40,
			"no_shared_cipher/signature_algorithm", ET_CERTAIN },
		{ "P-384 server, TLS 1.0", &p384, 0xc02b, 0x18, &tls10, 40,
			"no_shared_cipher/certificate_curve", ET_CERTAIN },
		{ "suites above the version", &rsa, 0xc02f, 0x17, &bad_list, 40,
			"no_shared_cipher/suites", ET_CERTAIN },
		{ "RC4", &rsa, 0xc030, 0x17, &rc4, 40, "no_shared_cipher/suites", ET_POSSIBLE },
		{ "RC4, closed", &rsa, 0xc030, 0x17, &rc4, CLOSE, "no_shared_cipher/suites",
			ET_POSSIBLE },
		{ "no curve at all", &rsa, 0xc030, 0x17, &ffdhe_only, 40, "no_shared_cipher/group",
			ET_CERTAIN },
		{ "other curve", &rsa, 0xc030, 0x17, &x448, 40, "no_shared_cipher/group",
			ET_POSSIBLE },
		{ "nothing against it", &rsa, 0xc02f, 0x17, &rsa_only, 40, "no_shared_cipher",
			ET_LIKELY },
		{ "nothing against it, closed", &rsa, 0xc02f, 0x17, &rsa_only, CLOSE,
			"lost/closed_by_server/after_client_hello", ET_CERTAIN },
		{ "nothing against it, 47", &rsa, 0xc02f, 0x17, &rsa_only, 47,
			"alert/illegal_parameter", ET_CERTAIN },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		world_init(&w);
		world_established(&w, ET_TLSV1_2, rows[i].cipher, rows[i].group, rows[i].cert);
		world_refused(&w, rows[i].client, rows[i].alert);
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		world_free(&w);
	}

	/* what was never taken in many sessions is likely not there */
	world_init(&w);
	for (unsigned i = 0; i < 5; i++)
		world_established(&w, ET_TLSV1_2, 0xc030, 0x17, &rsa);
	world_refused(&w, &rc4, 40);
	world_expect(&w, "RC4, many sessions", "no_shared_cipher/suites", ET_LIKELY);
	world_refused(&w, &x448, 40);
	world_expect(&w, "other curve, many sessions", "no_shared_cipher/group", ET_LIKELY);
	world_free(&w);

	/* a server known to stop at TLS 1.2 makes the rule certain for a client of 1.3 too */
	world_init(&w);
	world_established(&w, ET_TLSV1_2, 0xc02c, 0x18, &p384)->tls.hello =
		world_hello(&w, &modern_13);
	world_refused(&w, &exchange_13, 40);
	world_expect(&w, "declines 1.3", "no_shared_cipher/certificate_curve", ET_CERTAIN);
	/* one that speaks 1.3 goes by other rules: there the curve is the scheme's business */
	world_established(&w, ET_TLSV1_3, 0x1302, 0x1d, NULL);
	world_established(&w, ET_TLSV1_3, 0x1302, 0x17, NULL);
	world_refused(&w, &exchange_13, 40);
	world_expect(&w, "speaks 1.3", "no_shared_cipher", ET_LIKELY);
	world_refused(&w, &no_p384_13, 40);
	world_expect(&w, "1.3 without 0503", "no_shared_cipher/signature_algorithm", ET_CERTAIN);
	world_free(&w);
}

/*
 * Is a server judged by what it showed at the time? And one that does not follow the rule (GnuTLS)
 * by what it does?
 */
void test_time_of_keys(void)
{
	struct et_session *s;
	struct world w;

	world_init(&w);
	world_established(&w, ET_TLSV1_2, 0xc02c, 0x18, &p384);
	world_refused(&w, &exchange, 40);
	world_expect(&w, "before the cure", "no_shared_cipher/certificate_curve", ET_CERTAIN);
	world_established(&w, ET_TLSV1_2, 0xc02f, 0x17, &rsa);
	world_cause(&w);
	CU_ASSERT_STRING_EQUAL(
		et_policy_cause(w.policy, 1)->code, "no_shared_cipher/certificate_curve");
	CU_ASSERT_EQUAL(et_policy_cause(w.policy, 1)->confidence, ET_LIKELY);
	world_refused(&w, &exchange, 40);
	world_expect(&w, "after the cure", "no_shared_cipher", ET_LIKELY);
	world_free(&w);

	world_init(&w);
	s = world_established(&w, ET_TLSV1_2, 0xc02b, 0x17, &p384);
	s->tls.hello = world_hello(&w, &exchange);
	world_refused(&w, &exchange, 40);
	world_expect(&w, "server that ignores the curve", "no_shared_cipher", ET_LIKELY);
	world_free(&w);

	/* the certificate of another port is not this server's */
	world_init(&w);
	world_established(&w, ET_TLSV1_2, 0xc02b, 0x17, &p384)->port[ET_SERVER] = 465;
	world_refused(&w, &exchange, 40);
	world_expect(&w, "other port", "no_shared_cipher", ET_LIKELY);
	s = world_refused(&w, &exchange, 40);
	s->tls.hello = ET_DICT_NONE;
	world_expect(&w, "hello not seen", "no_shared_cipher", ET_LIKELY);
	world_free(&w);
}

/* Who may not speak what with whom? */
void test_versions(void)
{
	static const struct hello_spec sslv2 = { .legacy = ET_SSLV2, .sslv2 = true };
	static const struct hello_spec tls10 = {
		.ciphers = "c013 002f 5600", .groups = "0017", .legacy = ET_TLSV1_0
	};
	struct et_session *s;
	struct world w;

	world_init(&w);
	world_refused(&w, &tls10, 70);
	world_expect(&w, "alert 70, server unknown", "protocol_version", ET_CERTAIN);
	world_established(&w, ET_TLSV1_2, 0xc02f, 0x17, &rsa);
	world_refused(&w, &tls10, 70);
	world_expect(&w, "alert 70", "protocol_version", ET_CERTAIN);
	CU_ASSERT(strstr(world_cause(&w)->why, "TLSv1.0") != NULL);
	CU_ASSERT(strstr(world_cause(&w)->why, "TLSv1.2") != NULL);
	world_refused(&w, &tls10, 86);
	world_expect(&w, "alert 86", "inappropriate_fallback", ET_CERTAIN);
	world_refused(&w, &tls10, CLOSE);
	world_expect(&w, "closed", "protocol_version", ET_POSSIBLE);
	world_established(&w, ET_TLSV1_0, 0xc013, 0x17, &rsa);
	world_refused(&w, &tls10, CLOSE);
	world_expect(&w, "closed, but spoke 1.0", "lost/closed_by_server/after_client_hello",
		ET_CERTAIN);
	world_rejected(&w, ET_TLSV1_0, &rsa, 70);
	world_expect(&w, "the client's minimum", "protocol_version", ET_CERTAIN);
	s = world_rejected(&w, ET_TLSV1_2, &rsa, 47);
	s->tls.downgrade = 2;
	world_expect(&w, "sentinel, client of 1.2", "alert/illegal_parameter", ET_CERTAIN);
	s->tls.hello = world_hello(&w, &modern_13);
	world_expect(&w, "sentinel", "inappropriate_fallback/downgrade_sentinel", ET_LIKELY);
	world_refused(&w, &sslv2, 70);
	world_expect(&w, "SSLv2, alert 70", "protocol_version/sslv2_only", ET_CERTAIN);
	world_refused(&w, &sslv2, CLOSE);
	world_expect(&w, "SSLv2, closed", "protocol_version/sslv2_only", ET_LIKELY);
	world_free(&w);
}

/*
 * The server closed without a word, and the client's library then sent an alert: is the cause that
 * of the close? And where the alert is the client's own word, does it stay the cause?
 */
void test_echo(void)
{
	static const struct hello_spec tls10 = {
		.ciphers = "c013 002f 5600", .groups = "0017", .legacy = ET_TLSV1_0
	};
	static const struct hello_spec rc4 = { .ciphers = "0005 0004", .sigalgs = "0401" };
	const uint32_t certificate = ET_TLS_SAW_SERVER_HELLO | ET_TLS_SAW_CERTIFICATE;
	const struct {
		const char *row;
		const struct cert_spec *cert; /* the server's, from an established session */
		const struct hello_spec *client;
		int alert;
		bool closed_before; /* the alert */
		uint8_t partial;
		uint32_t server; /* enum et_tls_seen */
		const char *code;
		enum et_confidence sure;
	} rows[] = {
		{ "nothing known", NULL, &modern_12, 50, true, 0, 0,
			"lost/closed_by_server/after_client_hello", ET_CERTAIN },
		{ "with a gap", NULL, &modern_12, 50, true, ET_PARTIAL_GAP, 0,
			"lost/closed_by_server/after_client_hello", ET_LIKELY },
		{ "another alert", &rsa, &modern_12, 80, true, 0, 0,
			"lost/closed_by_server/after_client_hello", ET_CERTAIN },
		{ "version", &rsa, &tls10, 50, true, 0, 0, "protocol_version", ET_POSSIBLE },
		{ "curve", &p384, &exchange, 50, true, 0, 0, "no_shared_cipher/certificate_curve",
			ET_LIKELY },
		{ "curve, close_notify", &p384, &exchange, 0, true, 0, 0,
			"no_shared_cipher/certificate_curve", ET_LIKELY },
		{ "suites", &rsa, &rc4, 50, true, 0, 0, "no_shared_cipher/suites", ET_POSSIBLE },
		{ "within the flight", &rsa, &modern_12, 50, true, 0, certificate,
			"lost/closed_by_server/after_certificate", ET_CERTAIN },
		{ "the alert came first", &p384, &exchange, 50, false, 0, 0, "alert/decode_error",
			ET_CERTAIN },
		{ "of the certificate", &rsa, &modern_12, 48, true, 0, certificate,
			"certificate_rejected/unknown_ca", ET_CERTAIN },
		{ "behind the flight", &rsa, &modern_12, 50, true, 0,
			certificate | ET_TLS_SAW_SERVER_HELLO_DONE, "alert/decode_error",
			ET_CERTAIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct et_session *s;
		struct world w;

		world_init(&w);
		if (rows[i].cert)
			world_established(&w, ET_TLSV1_2, rows[i].cert == &rsa ? 0xc02f : 0xc02b,
				0x0017, rows[i].cert);
		s = world_refused(&w, rows[i].client, CLOSE);
		s->alert_from = ET_CLIENT;
		s->alert_code = (int16_t)rows[i].alert;
		s->alert_level = rows[i].alert ? 2 : 1;
		s->closed_before_alert = rows[i].closed_before;
		s->partial = rows[i].partial;
		s->tls.side[ET_SERVER].seen = rows[i].server;
		if (rows[i].server) {
			s->tls.version = ET_TLSV1_2;
			s->tls.chain[ET_SERVER] = world_chain(&w, rows[i].cert);
		}
		world_expect(&w, rows[i].row, rows[i].code, rows[i].sure);
		if (i == 0)
			CU_ASSERT(strstr(world_cause(&w)->why, "client's decode_error") != NULL);
		world_free(&w);
	}
}
