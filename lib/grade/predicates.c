/* SPDX-License-Identifier: BSD-3-Clause */

/* The predicates: name, title, and how each is asked. */

#include "grade_parts.h"

#include <string.h>

#define BETWEEN(least, most) ((uint32_t)(least) | (uint32_t)(most) << 16)

/* X(id, title, function, scope, argument, classes) */
#define SUITES(X, id, title, class) \
	X(id, title, negotiated_class, SCOPE_PAIR, CLASS_##class, CLASS_##class)

/* clang-format off */
#define SERVER_PREDICATES(X) \
	SUITES(X, "sslv2", "SSLv2 was negotiated (DROWN)", SSLV2) \
	SUITES(X, "sslv3", "SSLv3 was negotiated (POODLE)", SSLV3) \
	SUITES(X, "tlsv1.0", "TLS 1.0 was negotiated", TLSV1_0) \
	SUITES(X, "tlsv1.1", "TLS 1.1 was negotiated", TLSV1_1) \
	SUITES(X, "null", "no encryption (NULL suite)", NULL) \
	SUITES(X, "export", "export suite (FREAK)", EXPORT) \
	SUITES(X, "anonymous", "anonymous suite: no certificate", ANONYMOUS) \
	SUITES(X, "rc4", "RC4", RC4) \
	SUITES(X, "3des", "3DES or IDEA: blocks of 64 bits (SWEET32)", 3DES) \
	SUITES(X, "des", "single DES or RC2", DES) \
	SUITES(X, "md5_mac", "suite with MD5", MD5) \
	SUITES(X, "no_forward_secrecy", "key exchange without forward secrecy", NO_FS) \
	SUITES(X, "cbc", "CBC suite", CBC) \
	SUITES(X, "cbc_tlsv1.0", "CBC in TLS 1.0 or SSLv3 (BEAST)", CBC_TLS10) \
	SUITES(X, "suite_not_listed", "suite that the policy does not list", OTHER) \
	X("dh_1024", "DHE with a prime of 1024 bits or less (Logjam)", weak_dh, SCOPE_PAIR, \
		BETWEEN(0, 1025), 0) \
	X("dh_2048", "DHE with a prime of 1025 to 2047 bits", weak_dh, SCOPE_PAIR, \
		BETWEEN(1025, 2048), 0) \
	X("dh_well_known", "DHE with a short prime that many servers share (Logjam)", has_trait, \
		SCOPE_PAIR, ET_PEER_TRAIT_DH_WELL_KNOWN, 0) \
	X("group_weak", "group weaker than RSA of 2048 bits", weak_group, SCOPE_PAIR, 0, 0) \
	X("group_not_listed", "group that the policy does not list", other_group, SCOPE_PAIR, 0, 0) \
	X("signature_md5", "key exchange signed with MD5", signed_weakly, SCOPE_PAIR, 1, 0) \
	X("signature_sha1", "key exchange signed with SHA-1", signed_weakly, SCOPE_PAIR, 0, 0) \
	X("compression", "TLS compression (CRIME)", has_trait, SCOPE_PAIR, \
		ET_PEER_TRAIT_COMPRESSION, 0) \
	X("no_extended_master_secret", "extended master secret not granted", has_trait, \
		SCOPE_PAIR, ET_PEER_TRAIT_NO_EMS, 0) \
	X("no_secure_renegotiation", "secure renegotiation not granted", has_trait, SCOPE_PAIR, \
		ET_PEER_TRAIT_NO_RENEGOTIATION, 0) \
	X("tlsv1.2_missing", "TLS 1.2 was offered by clients and not taken", tls_missing, \
		SCOPE_HOST, ET_TLSV1_2, 0) \
	X("tlsv1.2_unseen", "TLS 1.2 or newer never seen, and offered by no client", \
		tls_unavailable, SCOPE_HOST, ET_TLSV1_2, 0) \
	X("tlsv1.3_missing", "TLS 1.3 was offered by clients and not taken", tls_missing, \
		SCOPE_HOST, ET_TLSV1_3, 0) \
	X("cert_expired", "certificate expired", cert_expired, SCOPE_PAIR, 0, 0) \
	X("cert_not_yet_valid", "certificate not yet valid", cert_early, SCOPE_PAIR, 0, 0) \
	X("cert_self_signed", "certificate is its own issuer (self-signed)", cert_self_signed, \
		SCOPE_PAIR, 0, 0) \
	X("cert_name", "certificate does not hold the name in the greeting", cert_name, \
		SCOPE_PAIR, 0, 0) \
	X("cert_key_1024", "certificate's key weaker than RSA of 1024 bits", cert_key_weak, \
		SCOPE_PAIR, BETWEEN(0, 1024), 0) \
	X("cert_key_2048", "certificate's key weaker than RSA of 2048 bits", cert_key_weak, \
		SCOPE_PAIR, BETWEEN(1024, 2048), 0) \
	X("cert_key_3072", "certificate's key weaker than RSA of 3072 bits", cert_key_weak, \
		SCOPE_PAIR, BETWEEN(2048, 3072), 0) \
	X("cert_md5", "certificate signed with MD5 or MD2", cert_signature, SCOPE_PAIR, 1, 0) \
	X("cert_sha1", "certificate signed with SHA-1", cert_signature, SCOPE_PAIR, 0, 0) \
	X("starttls_never", "STARTTLS is offered to nobody", starttls_none, SCOPE_HOST, 0, 0) \
	X("starttls_not_to_all", "STARTTLS is offered to some clients, and not to these", \
		starttls_some, SCOPE_HOST, 0, 0) \
	X("starttls_changes", "STARTTLS is offered now and then, to the same client", \
		starttls_changes, SCOPE_PAIR, 0, 0) \
	X("starttls_masked", "STARTTLS is masked on the way", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_STARTTLS_MASKED, ET_PEER_SESSIONS), 0) \
	X("starttls_refused", "STARTTLS was offered, and refused", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_STARTTLS_REFUSED, ET_PEER_STARTTLS_REQUESTED), 0) \
	X("starttls_injection", "commands or replies in clear behind STARTTLS", has_count, \
		SCOPE_PAIR, COUNT_OF(ET_PEER_INJECTED, ET_PEER_STARTTLS_REQUESTED), 0) \
	X("auth_clear", "credentials were sent in clear", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_AUTH_CLEAR, ET_PEER_SESSIONS), 0) \
	X("mail_clear", "mail was taken in clear", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_CLEAR_SESSIONS, ET_PEER_SESSIONS), 0) \
	X("tls_failed", "TLS failed, or broke off behind the handshake", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_TLS_FAILED, ET_PEER_SESSIONS), 0)

#define OFFERS(X, id, title, arg) X(id, title, offers, SCOPE_PAIR, arg, 0)

#define CLIENT_PREDICATES(X) \
	OFFERS(X, "offers_sslv2", "offers SSLv2", OFFER_SSLV2) \
	OFFERS(X, "offers_sslv3", "offers SSLv3", OFFER_SSLV3) \
	OFFERS(X, "no_tlsv1.2", "does not know TLS 1.2", OFFER_NO_12) \
	OFFERS(X, "no_tlsv1.3", "does not know TLS 1.3", OFFER_NO_13) \
	OFFERS(X, "offers_null", "offers suites without encryption", OFFER_CLASS(CLASS_NULL)) \
	OFFERS(X, "offers_export", "offers export suites", OFFER_CLASS(CLASS_EXPORT)) \
	OFFERS(X, "offers_anonymous", "offers anonymous suites", OFFER_CLASS(CLASS_ANONYMOUS)) \
	OFFERS(X, "offers_rc4", "offers RC4", OFFER_CLASS(CLASS_RC4)) \
	OFFERS(X, "offers_3des", "offers 3DES or IDEA", OFFER_CLASS(CLASS_3DES)) \
	OFFERS(X, "offers_des", "offers single DES or RC2", OFFER_CLASS(CLASS_DES)) \
	OFFERS(X, "no_forward_secrecy_offered", "offers no suite with forward secrecy", OFFER_NO_FS) \
	OFFERS(X, "offers_compression", "offers TLS compression", OFFER_COMPRESSION) \
	OFFERS(X, "no_extended_master_secret_offered", "does not offer extended master secret", \
		OFFER_NO_EMS) \
	OFFERS(X, "no_secure_renegotiation_offered", "does not offer secure renegotiation", \
		OFFER_NO_RENEGOTIATION) \
	SUITES(X, "used_sslv3", "used SSLv3 or SSLv2", SSLV3 | CLASS_SSLV2) \
	SUITES(X, "used_old_tls", "used TLS 1.0 or 1.1", TLSV1_0 | CLASS_TLSV1_1) \
	SUITES(X, "used_weak_suite", "used RC4, DES, 3DES, an export or a NULL suite", \
		NULL | CLASS_EXPORT | CLASS_RC4 | CLASS_3DES | CLASS_DES) \
	SUITES(X, "used_no_forward_secrecy", "used key exchange without forward secrecy", NO_FS) \
	X("used_dh_1024", "accepted DHE with a prime of 1024 bits or less", weak_dh, SCOPE_PAIR, \
		BETWEEN(0, 1025), 0) \
	X("tls_not_asked", "did not ask for TLS, which was offered", tls_not_asked, SCOPE_PAIR, 0, 0) \
	X("sent_auth_clear", "sent credentials in clear", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_AUTH_CLEAR, ET_PEER_SESSIONS), 0) \
	X("sent_mail_clear", "sent mail in clear", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_CLEAR_SESSIONS, ET_PEER_SESSIONS), 0) \
	X("falls_back", "went on in clear after failed TLS", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_FALLBACKS, ET_PEER_SESSIONS), 0) \
	X("sent_early", "bytes in clear behind STARTTLS", has_count, SCOPE_PAIR, \
		COUNT_OF(ET_PEER_INJECTED, ET_PEER_STARTTLS_REQUESTED), 0)
/* clang-format on */

#define NAME_OF_SERVER(id, title, fn, scope, arg, classes) { id, title, false },
#define NAME_OF_CLIENT(id, title, fn, scope, arg, classes) { id, title, true },
const struct et_grade_predicate et_grade_predicates[] = { SERVER_PREDICATES(NAME_OF_SERVER)
		CLIENT_PREDICATES(NAME_OF_CLIENT){ NULL, NULL, false } };

#define HOW(id, title, fn, scope, arg, classes) { fn, scope, arg, classes },
const struct predicate predicates[] = { SERVER_PREDICATES(HOW) CLIENT_PREDICATES(HOW) };

static_assert(sizeof(predicates) / sizeof(*predicates) + 1 ==
		      sizeof(et_grade_predicates) / sizeof(*et_grade_predicates),
	"one way to ask for each name");
static_assert(sizeof(predicates) / sizeof(*predicates) <= ET_GRADE_PREDICATES,
	"a policy has room for a rule of each");

size_t predicates_cnt(void)
{
	return sizeof(predicates) / sizeof(*predicates);
}

void detail_add(struct hit *hit, const char *word)
{
	size_t n = strlen(hit->detail), len = strlen(word);
	const char *found = hit->detail;

	while ((found = strstr(found, word))) {
		bool starts = found == hit->detail || found[-1] == ' ';

		if (starts && (found[len] == '\0' || found[len] == ','))
			return;
		found += len;
	}
	if (n + 2 + len < sizeof(hit->detail))
		snprintf(hit->detail + n, sizeof(hit->detail) - n, "%s%s", n > 0 ? ", " : "", word);
}
