/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * OpenSSL's way through a ClientHello, in its order, since the first thing that is wrong gives the
 * alert. Where it differs from what the RFCs let one expect, a comment says so.
 */

#include "nego_parts.h"

#define EXT_GROUPS         10
#define EXT_POINT_FORMATS  11
#define EXT_SIGALGS        13
#define EXT_EMS            23
#define EXT_PSK            41
#define EXT_VERSIONS       43
#define EXT_PSK_MODES      45
#define EXT_CERT_SIGALGS   50
#define EXT_KEY_SHARE      51
#define EXT_RENEGOTIATION  0xff01
#define SCSV_RENEGOTIATION 0x00ff
#define SCSV_FALLBACK      0x5600

static bool has_ext(const struct scene *scene, uint16_t type)
{
	return et_tls_list_has(&scene->hello->extensions, type);
}

bool nego_refuse(struct scene *scene, enum alert alert, enum cause cause)
{
	scene->out->result = ET_NEGO_REFUSE;
	scene->out->alert = (uint8_t)alert;
	scene->out->cause = cause_code(cause);
	return false;
}

static bool unknown(struct scene *scene, enum cause cause)
{
	scene->out->result = ET_NEGO_UNKNOWN;
	scene->out->cause = cause_code(cause);
	return false;
}

/* Whether the profile is all that the client said. */
static bool check_known(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;
	const struct et_tls_list *lists[] = { &hello->versions, &hello->ciphers, &hello->groups,
		&hello->sigalgs, &hello->key_shares, &hello->extensions };

	if (hello->legacy_version == 0)
		return unknown(scene, CAUSE_NO_HELLO);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (lists[i]->n >= ET_TLS_LIST)
			return unknown(scene, CAUSE_HELLO_CUT);
	return true;
}

/* Extensions that OpenSSL knows may come once; those that it does not know, as often as they like. */
static bool check_extensions(struct scene *scene)
{
	static const uint16_t known[] = { 0, 1, 5, 10, 11, 12, 13, 14, 16, 18, 21, 22, 23, 35, 41,
		42, 43, 44, 45, 47, 49, 50, 51, 0x3374, 0xfde8, EXT_RENEGOTIATION };
	const struct et_tls_list *exts = &scene->hello->extensions;

	for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
		unsigned cnt = 0;

		for (uint16_t i = 0; i < exts->n; i++)
			cnt += exts->v[i] == known[k];
		if (cnt > 1)
			return nego_refuse(scene, ALERT_ILLEGAL_PARAMETER, CAUSE_EXTENSION);
	}
	/* RFC 8446 4.2.11: the last one */
	for (uint16_t i = 0; i + 1 < exts->n; i++)
		if (exts->v[i] == EXT_PSK)
			return nego_refuse(scene, ALERT_ILLEGAL_PARAMETER, CAUSE_EXTENSION);
	return true;
}

static bool version_enabled(const struct et_nego_config *config, uint16_t version)
{
	return version >= ET_TLSV1_0 && version <= ET_TLSV1_3 && version >= config->min_version &&
	       version <= config->max_version && level_version(config->level, version);
}

/*
 * TLS 1.3 is not chosen by a server whose only key is ECDSA on a curve without a scheme of TLS 1.3
 * among its signature algorithms, unless a callback may yet bring another certificate.
 */
static bool is_capable_of_13(const struct et_nego_config *config)
{
	const struct et_nego_cert *certs = config->certs;

	if (config->servername_callback || certs[ET_NEGO_RSA].present ||
		certs[ET_NEGO_RSA_PSS].present || certs[ET_NEGO_ED25519].present ||
		certs[ET_NEGO_ED448].present)
		return true;
	for (uint16_t i = 0; certs[ET_NEGO_ECDSA].present && i < config->sigalg_cnt; i++) {
		const struct sign *sign = sign_find(config->sigalgs[i]);

		if (sign && sign->curve && sign->curve == certs[ET_NEGO_ECDSA].curve)
			return true;
	}
	return false;
}

/* The highest that both have, by supported_versions if it is there, else by legacy_version. */
static uint16_t common_version(const struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;
	uint16_t best = 0;

	if (!hello->has_versions) {
		for (uint16_t version = ET_TLSV1_2; version >= ET_TLSV1_0 && best == 0; version--)
			if (version <= hello->legacy_version &&
				version_enabled(scene->config, version))
				best = version;
		return best;
	}
	for (uint16_t i = 0; i < hello->versions.n; i++) {
		uint16_t version = hello->versions.v[i];

		if (version > best && version_enabled(scene->config, version) &&
			(version != ET_TLSV1_3 || is_capable_of_13(scene->config)))
			best = version;
	}
	return best;
}

static bool offers_only_sslv3(const struct et_tls_profile *hello)
{
	return hello->legacy_version == ET_SSLV3 && !hello->has_versions;
}

static bool choose_version(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;
	bool bad_list = has_ext(scene, EXT_VERSIONS) && !hello->has_versions;

	if (offers_only_sslv3(hello) && scene->config->min_version == ET_SSLV3)
		return unknown(scene, CAUSE_SSLV3);
	if (hello->sslv2 && hello->legacy_version >> 8 != 3)
		return nego_refuse(scene, ALERT_PROTOCOL_VERSION, CAUSE_PROTOCOL_VERSION);
	if (!bad_list && !(hello->has_versions && hello->legacy_version <= ET_SSLV3))
		scene->out->version = common_version(scene);
	if (scene->out->version != 0)
		return true;
	/* SSLv3 has no such alert */
	return nego_refuse(scene,
		hello->legacy_version == ET_SSLV3 ? ALERT_HANDSHAKE_FAILURE
						  : ALERT_PROTOCOL_VERSION,
		CAUSE_PROTOCOL_VERSION);
}

/* RFC 7507: against the highest version that the server has enabled, with any key. */
static bool check_signals(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;

	if (hello->ciphers.n == 0 && hello->kinds_n == 0)
		return nego_refuse(scene, ALERT_ILLEGAL_PARAMETER, CAUSE_NO_SUITES);
	if (!et_tls_list_has(&hello->ciphers, SCSV_FALLBACK))
		return true;
	for (uint16_t version = ET_TLSV1_3; version > scene->out->version; version--)
		if (version_enabled(scene->config, version))
			return nego_refuse(scene, ALERT_INAPPROPRIATE_FALLBACK, CAUSE_FALLBACK);
	return true;
}

static bool check_compression(struct scene *scene)
{
	if (!scene->hello->sslv2 && !et_tls_list_has(&scene->hello->compression, 0))
		return nego_refuse(scene, ALERT_DECODE_ERROR, CAUSE_COMPRESSION);
	return true;
}

/* RFC 7301 3.1: no name is empty. OpenSSL looks even where nobody will choose one. */
static bool has_empty_protocol(const struct et_tls_profile *hello)
{
	for (uint16_t at = 0; at < hello->alpn_n; at = (uint16_t)(at + 1 + hello->alpn[at]))
		if (hello->alpn[at] == 0)
			return true;
	return false;
}

/* Lists that are there and empty, or did not fill their extension. */
static bool check_lists(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;
	bool groups = has_ext(scene, EXT_GROUPS) || hello->has_groups;
	bool sigalgs = has_ext(scene, EXT_SIGALGS) || hello->has_sigalgs;

	if ((!is_13(scene) && has_ext(scene, EXT_POINT_FORMATS) && hello->point_formats.n == 0) ||
		(groups && hello->groups.n == 0) || (sigalgs && hello->sigalgs.n == 0) ||
		has_empty_protocol(hello))
		return nego_refuse(scene, ALERT_DECODE_ERROR, CAUSE_LIST);
	return true;
}

/*
 * A key share for a group that is not in supported_groups is an error, though only as far as
 * OpenSSL looks: the shares behind the one that it takes are not compared.
 */
static bool check_key_shares(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;
	bool sent = has_ext(scene, EXT_KEY_SHARE) || hello->key_shares.n > 0;

	if (!is_13(scene))
		return true;
	if (sent && !hello->has_groups)
		return nego_refuse(scene, ALERT_MISSING_EXTENSION, CAUSE_MISSING);
	if (sent && !choose_key_share(scene))
		return false;
	if (!hello->has_sigalgs || !sent)
		return nego_refuse(scene, ALERT_MISSING_EXTENSION, CAUSE_MISSING);
	return scene->out->group != 0 || nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_GROUP);
}

/* Asked in all versions; TLS 1.2 has no alert for it. */
static bool check_psk(struct scene *scene)
{
	if (has_ext(scene, EXT_PSK) && !has_ext(scene, EXT_PSK_MODES))
		return nego_refuse(scene,
			is_13(scene) ? ALERT_MISSING_EXTENSION : ALERT_HANDSHAKE_FAILURE,
			CAUSE_MISSING_PSK_MODES);
	return true;
}

/* RFC 8446 4.1.2: exactly the null method. */
static bool check_compression_13(struct scene *scene)
{
	if (is_13(scene) && scene->hello->compression.n != 1)
		return nego_refuse(scene, ALERT_ILLEGAL_PARAMETER, CAUSE_COMPRESSION);
	return true;
}

static void grant(struct scene *scene)
{
	struct et_nego_verdict *out = scene->out;

	out->result = ET_NEGO_ACCEPT;
	out->forward_secret =
		is_13(scene) || scene->suite->kx == ET_KX_ECDHE || scene->suite->kx == ET_KX_DHE;
	out->ems = is_13(scene) || has_ext(scene, EXT_EMS);
	out->secure_renegotiation = is_13(scene) || has_ext(scene, EXT_RENEGOTIATION) ||
				    et_tls_list_has(&scene->hello->ciphers, SCSV_RENEGOTIATION);
}

void et_nego_judge(struct et_nego_verdict *out, const struct et_nego_config *config,
	const struct et_tls_profile *hello)
{
	static bool (*const steps[])(struct scene * scene) = { check_known, check_extensions,
		choose_version, check_signals, choose_suite_13, check_compression, check_lists,
		check_key_shares, check_psk, check_compression_13, share_sigalgs, choose_suite,
		choose_signature, choose_exchange };
	struct scene scene = { .config = config, .hello = hello, .out = out };

	*out = (struct et_nego_verdict){ .key = ET_NEGO_NO_KEY, .cause = "" };
	if (has_ext(&scene, EXT_CERT_SIGALGS))
		out->assumes |= ET_NEGO_ASSUMES_CERT_SIGALGS;
	if (has_ext(&scene, EXT_PSK))
		out->assumes |= ET_NEGO_ASSUMES_NO_SESSION;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (!steps[i](&scene))
			return;
	grant(&scene);
}
