/* SPDX-License-Identifier: BSD-3-Clause */
#include "nego_parts.h"

static bool config_has_group(const struct et_nego_config *config, uint16_t id)
{
	for (uint16_t i = 0; i < config->group_cnt; i++)
		if (config->groups[i] == id)
			return true;
	return false;
}

static const struct et_nego_suite *find_suite(
	const struct et_nego_suite *suites, size_t cnt, uint16_t id)
{
	for (size_t i = 0; i < cnt; i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

/* --- suites --- */

/*
 * The suites of the side that decides, one after the other. Whether it is the client's or the
 * server's list, only those that the server has are walked.
 */
struct walk {
	const struct scene *scene;
	const struct et_nego_suite *suites; /* the server's of this version */
	size_t cnt, at;
};

static struct walk walk_begin(const struct scene *scene)
{
	const struct et_nego_config *config = scene->config;

	return (struct walk){ .scene = scene,
		.suites = is_13(scene) ? config->suites13 : config->suites,
		.cnt = is_13(scene) ? config->suite13_cnt : config->suite_cnt };
}

/* The next one that both have and version and level allow; NULL at the end. */
static const struct et_nego_suite *walk_next(struct walk *walk)
{
	const struct scene *scene = walk->scene;
	const struct et_tls_list *offered = &scene->hello->ciphers;
	bool ours = scene->config->server_order;

	while (walk->at < (ours ? walk->cnt : offered->n)) {
		size_t at = walk->at++;
		const struct et_nego_suite *suite =
			ours ? &walk->suites[at]
			     : find_suite(walk->suites, walk->cnt, offered->v[at]);

		if (suite && (!ours || et_tls_list_has(offered, suite->id)) &&
			suite->min_version <= scene->out->version &&
			suite->max_version >= scene->out->version &&
			level_suite(scene->config->level, suite))
			return suite;
	}
	return NULL;
}

/* TLS 1.3: decided before all else, and by nothing but the lists. */
bool choose_suite_13(struct scene *scene)
{
	struct walk walk = walk_begin(scene);

	if (!is_13(scene))
		return true;
	scene->suite = walk_next(&walk);
	if (!scene->suite)
		return nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_SUITES);
	scene->out->suite = scene->suite->id;
	return true;
}

/* --- groups --- */

static bool usable_group(const struct scene *scene, uint16_t id)
{
	const struct group *group = group_find(id);

	return group && config_has_group(scene->config, id) &&
	       level_group(scene->config->level, group) &&
	       group->min_version <= scene->out->version &&
	       group->max_version >= scene->out->version;
}

/*
 * The first of the client's shares that can be used, whatever the server prefers. If none can be,
 * a HelloRetryRequest asks for the first group of the *server's* list that the client has too.
 */
bool choose_key_share(struct scene *scene)
{
	const struct et_tls_profile *hello = scene->hello;

	for (uint16_t i = 0; i < hello->key_shares.n; i++) {
		uint16_t id = hello->key_shares.v[i];

		if (!et_tls_list_has(&hello->groups, id))
			return nego_refuse(scene, ALERT_ILLEGAL_PARAMETER, CAUSE_KEY_SHARE);
		if (usable_group(scene, id)) {
			scene->out->group = id;
			return true;
		}
	}
	for (uint16_t i = 0; i < scene->config->group_cnt && !scene->out->group; i++) {
		uint16_t id = scene->config->groups[i];

		if (usable_group(scene, id) && et_tls_list_has(&hello->groups, id)) {
			scene->out->group = id;
			scene->out->hello_retry = true;
		}
	}
	return true;
}

/*
 * The curve for ECDHE up to TLS 1.2; 0: none. Without supported_groups there is none: RFC 8422 4
 * leaves the choice to the server then, but OpenSSL since 1.1.1 does not choose.
 */
static uint16_t shared_curve(const struct scene *scene)
{
	const struct et_tls_list *offered = &scene->hello->groups;
	const struct et_nego_config *config = scene->config;

	if (config->server_order) {
		for (uint16_t i = 0; i < config->group_cnt; i++)
			if (et_tls_list_has(offered, config->groups[i]) &&
				usable_group(scene, config->groups[i]))
				return config->groups[i];
		return 0;
	}
	for (uint16_t i = 0; i < offered->n; i++)
		if (usable_group(scene, offered->v[i]))
			return offered->v[i];
	return 0;
}

/* --- signatures --- */

static void share(struct scene *scene, uint16_t id)
{
	const struct sign *sign = sign_find(id);

	if (!sign || sign->bits < level_bits(scene->config->level) ||
		(is_13(scene) && sign->kind == SIGN_DSA) || scene->shared_cnt >= ET_NEGO_SIGALGS)
		return;
	scene->shared[scene->shared_cnt++] = sign;
}

/* Without a common scheme there is no handshake, not even an anonymous one. */
bool share_sigalgs(struct scene *scene)
{
	const struct et_nego_config *config = scene->config;
	const struct et_tls_list *offered = &scene->hello->sigalgs;

	if (scene->out->version < ET_TLSV1_2)
		return true;
	if (!scene->hello->has_sigalgs)
		/* signature_algorithms_cert alone leaves nothing for the handshake */
		return !et_tls_list_has(&scene->hello->extensions, 50) ||
		       nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_SIGALG);
	if (config->server_order) {
		for (uint16_t i = 0; i < config->sigalg_cnt; i++)
			if (et_tls_list_has(offered, config->sigalgs[i]))
				share(scene, config->sigalgs[i]);
	} else {
		for (uint16_t i = 0; i < offered->n; i++)
			for (uint16_t j = 0; j < config->sigalg_cnt; j++)
				if (config->sigalgs[j] == offered->v[i])
					share(scene, offered->v[i]);
	}
	return scene->shared_cnt > 0 || nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_SIGALG);
}

static bool has_shared(const struct scene *scene, enum et_nego_key key)
{
	for (size_t i = 0; i < scene->shared_cnt; i++)
		if (scene->shared[i]->key == key)
			return true;
	return false;
}

static bool config_signs(const struct et_nego_config *config, uint16_t id)
{
	for (uint16_t i = 0; i < config->sigalg_cnt; i++)
		if (config->sigalgs[i] == id)
			return true;
	return false;
}

/*
 * Whether the default of RFC 5246 7.4.1.4.1, SHA-1, will do in TLS 1.2; level 1 already forbids it.
 */
static bool default_signs(const struct scene *scene, uint16_t id)
{
	return level_bits(scene->config->level) <= SIGN_BITS_SHA1 &&
	       config_signs(scene->config, id);
}

/* --- keys up to TLS 1.2 --- */

static bool has_key(const struct scene *scene, enum et_nego_key key)
{
	return scene->config->certs[key].present;
}

/* RFC 8422 5.1: supported_groups also says which curves a key may be on. */
static bool curve_fits(const struct scene *scene)
{
	const struct group *group = group_find(scene->config->certs[ET_NEGO_ECDSA].curve);

	return group && level_group(scene->config->level, group) &&
	       (!scene->hello->has_groups || et_tls_list_has(&scene->hello->groups, group->id));
}

/* An RSA key counts without regard to signatures: if none fits, choose_signature ends it. */
static enum cause fit_rsa(const struct scene *scene)
{
	if (has_key(scene, ET_NEGO_RSA))
		return CAUSE_NONE;
	if (!has_key(scene, ET_NEGO_RSA_PSS))
		return CAUSE_KEY_TYPE;
	/* before TLS 1.2 nobody can verify it */
	return has_shared(scene, ET_NEGO_RSA_PSS) ? CAUSE_NONE : CAUSE_SIGALG;
}

static enum cause fit_ecdsa(const struct scene *scene)
{
	bool ecdsa = has_key(scene, ET_NEGO_ECDSA);
	bool eddsa = has_key(scene, ET_NEGO_ED25519) || has_key(scene, ET_NEGO_ED448);
	bool signs = scene->out->version < ET_TLSV1_2 || has_shared(scene, ET_NEGO_ECDSA) ||
		     (!scene->hello->has_sigalgs && default_signs(scene, 0x0203));

	if ((ecdsa && signs && curve_fits(scene)) ||
		(has_key(scene, ET_NEGO_ED25519) && has_shared(scene, ET_NEGO_ED25519)) ||
		(has_key(scene, ET_NEGO_ED448) && has_shared(scene, ET_NEGO_ED448)))
		return CAUSE_NONE;
	if (ecdsa && !curve_fits(scene))
		return CAUSE_CURVE;
	return ecdsa || eddsa ? CAUSE_SIGALG : CAUSE_KEY_TYPE;
}

/* What stands against a suite up to TLS 1.2. */
static enum cause fit_suite(const struct scene *scene, const struct et_nego_suite *suite)
{
	enum cause cause = CAUSE_NONE;

	if (suite->auth == ET_AUTH_RSA)
		cause = fit_rsa(scene);
	else if (suite->auth == ET_AUTH_ECDSA)
		cause = fit_ecdsa(scene);
	if (cause != CAUSE_NONE)
		return cause;
	if (suite->kx == ET_KX_RSA && !has_key(scene, ET_NEGO_RSA))
		return CAUSE_KEY_TYPE;
	if (suite->kx == ET_KX_DHE && scene->config->dh == ET_NEGO_DH_NONE)
		return CAUSE_DHE;
	if (suite->kx == ET_KX_ECDHE && shared_curve(scene) == 0)
		return CAUSE_GROUP;
	return CAUSE_NONE;
}

/* The first that fits; else, of the reasons against all, that which comes nearest to a fit. */
bool choose_suite(struct scene *scene)
{
	const struct et_nego_suite *suite;
	struct walk walk = walk_begin(scene);
	enum cause nearest = CAUSE_SUITES;

	if (is_13(scene))
		return true;
	while (!scene->suite && (suite = walk_next(&walk)) != NULL) {
		enum cause cause = fit_suite(scene, suite);

		if (cause == CAUSE_NONE)
			scene->suite = suite;
		else if (cause > nearest)
			nearest = cause;
	}
	if (!scene->suite)
		return nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, nearest);
	scene->out->suite = scene->suite->id;
	return true;
}

/* --- the key that signs --- */

/* Whether the key that goes with a scheme is there and can make it: RFC 8017 9.1.1 for PSS. */
static bool key_signs(const struct scene *scene, const struct sign *sign)
{
	const struct et_nego_cert *cert = &scene->config->certs[sign->key];

	return cert->present && (sign->kind != SIGN_PSS || cert->bits / 8 >= 2 * sign->hash + 2);
}

static bool signs_13(const struct scene *scene, const struct sign *sign)
{
	bool old = sign->hash == 20 || sign->hash == 28 || sign->kind == SIGN_PKCS1;

	if (sign->kind == SIGN_DSA || old || !key_signs(scene, sign))
		return false;
	return sign->curve == 0 || sign->curve == scene->config->certs[ET_NEGO_ECDSA].curve;
}

/* Here the curve does not belong to the scheme: RFC 5246 7.4.1.4.1. */
static bool signs_12(const struct scene *scene, const struct sign *sign)
{
	bool rsa = sign->key == ET_NEGO_RSA || sign->key == ET_NEGO_RSA_PSS;

	if (sign->kind == SIGN_DSA || !key_signs(scene, sign) ||
		rsa != (scene->suite->auth == ET_AUTH_RSA))
		return false;
	if (sign->key == ET_NEGO_RSA_PSS && scene->suite->kx == ET_KX_RSA)
		return false;
	return sign->key != ET_NEGO_ECDSA || curve_fits(scene);
}

static bool sign_with(struct scene *scene, enum et_nego_key key, uint16_t sigalg)
{
	scene->out->key = (uint8_t)key;
	scene->out->sigalg = sigalg;
	return true;
}

/*
 * A client that names no schemes: up to TLS 1.1 OpenSSL then ends with internal_error, in 1.2 with
 * handshake_failure. Also where the suite needs no signature of the server.
 */
static bool sign_default(struct scene *scene)
{
	bool rsa = scene->suite->auth == ET_AUTH_RSA;
	enum et_nego_key key = rsa ? ET_NEGO_RSA : ET_NEGO_ECDSA;
	uint16_t sigalg = rsa ? 0x0201 : 0x0203;

	if (scene->out->version < ET_TLSV1_2) {
		unsigned bits = rsa ? SIGN_BITS_MD5_SHA1 : SIGN_BITS_SHA1;

		if (level_bits(scene->config->level) > bits)
			return nego_refuse(scene, ALERT_INTERNAL_ERROR, CAUSE_LEGACY_SIGNATURE);
		return sign_with(scene, key, 0);
	}
	if (!default_signs(scene, sigalg) || !has_key(scene, key))
		return nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_LEGACY_SIGNATURE);
	return sign_with(scene, key, sigalg);
}

bool choose_signature(struct scene *scene)
{
	bool any_12 = scene->out->version == ET_TLSV1_2 && scene->hello->has_sigalgs;

	if (scene->suite->auth == ET_AUTH_ANON)
		return true;
	if (!is_13(scene) && !any_12)
		return sign_default(scene);
	for (size_t i = 0; i < scene->shared_cnt; i++) {
		const struct sign *sign = scene->shared[i];

		if (is_13(scene) ? signs_13(scene, sign) : signs_12(scene, sign))
			return sign_with(scene, (enum et_nego_key)sign->key, sign->id);
	}
	return nego_refuse(scene, ALERT_HANDSHAKE_FAILURE, CAUSE_SIGALG);
}

/* --- key exchange up to TLS 1.2 --- */

/* OpenSSL's automatic prime: as strong as the key, or as the cipher of an anonymous suite. */
static uint16_t auto_prime(const struct scene *scene)
{
	unsigned bits = scene->suite->bits == 256 ? 128 : 80;
	unsigned level = level_bits(scene->config->level);

	if (scene->suite->auth != ET_AUTH_ANON)
		bits = cert_bits(
			&scene->config->certs[scene->out->key], (enum et_nego_key)scene->out->key);
	bits = bits > level ? bits : level;
	if (bits >= 192)
		return 8192;
	if (bits >= 152)
		return 4096;
	if (bits >= 128)
		return 3072;
	return bits >= 112 ? 2048 : 1024;
}

bool choose_exchange(struct scene *scene)
{
	struct et_nego_verdict *out = scene->out;

	if (is_13(scene))
		return true;
	if (scene->suite->kx == ET_KX_ECDHE)
		out->group = shared_curve(scene);
	if (scene->suite->kx != ET_KX_DHE)
		return true;
	out->dh_bits = scene->config->dh == ET_NEGO_DH_AUTO ? auto_prime(scene) : scene->config->dh;
	return true;
}
