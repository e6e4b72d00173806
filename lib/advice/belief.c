/* SPDX-License-Identifier: BSD-3-Clause */
#include "advice_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static enum et_nego_key key_kind(const char *key)
{
	if (strcmp(key, "rsa") == 0)
		return ET_NEGO_RSA;
	if (strncasecmp(key, "rsassa", 6) == 0 || strcasecmp(key, "rsa-pss") == 0)
		return ET_NEGO_RSA_PSS;
	if (strcmp(key, "ecdsa") == 0)
		return ET_NEGO_ECDSA;
	if (strcmp(key, "ed25519") == 0)
		return ET_NEGO_ED25519;
	return strcmp(key, "ed448") == 0 ? ET_NEGO_ED448 : ET_NEGO_KEYS;
}

/* Of several keys of one kind the one with most sessions. False: there is none. */
static bool keys_seen(struct et_nego_cert certs[static ET_NEGO_KEYS],
	const struct et_archive *archive, const struct et_archive_host *server)
{
	const struct et_archive_map *map = &server->sums.maps[ET_ARCHIVE_CERTS];
	uint64_t most[ET_NEGO_KEYS] = { 0 };
	bool any = false;

	for (size_t i = 0; i < map->cnt; i++) {
		const struct et_archive_cert *cert = et_archive_cert(archive, map->v[i].name);
		enum et_nego_key kind = cert && cert->key ? key_kind(cert->key) : ET_NEGO_KEYS;
		uint16_t curve = 0;

		if (kind == ET_NEGO_KEYS || map->v[i].count <= most[kind])
			continue;
		if (kind == ET_NEGO_ECDSA && !(curve = et_iana_group_by_curve(cert->curve)))
			continue;
		if (kind <= ET_NEGO_RSA_PSS && (cert->bits < 512 || cert->bits > 16384))
			continue;
		most[kind] = map->v[i].count;
		certs[kind] = (struct et_nego_cert){ .present = true,
			.bits = kind <= ET_NEGO_RSA_PSS ? (uint16_t)cert->bits : 0,
			.curve = curve };
		any = true;
	}
	return any;
}

/* Certificates of this server, or of another service at its address: all are often the same. */
static const char *find_keys(struct et_nego_cert certs[static ET_NEGO_KEYS],
	const struct et_archive *archive, const struct et_archive_host *server)
{
	size_t cnt;
	const struct et_archive_host *servers = et_archive_servers(archive, &cnt);

	if (keys_seen(certs, archive, server))
		return "seen";
	for (size_t i = 0; i < cnt; i++)
		if (et_addr_cmp(&servers[i].addr, &server->addr) == 0 &&
			keys_seen(certs, archive, &servers[i]))
			return "other_service";
	certs[ET_NEGO_RSA] = (struct et_nego_cert){ .present = true, .bits = 2048 };
	return "assumed";
}

/* The highest version of a hello. */
static uint16_t highest(const struct et_tls_profile *hello)
{
	uint16_t max = 0;

	for (uint16_t i = 0; i < hello->versions.n; i++)
		if (et_iana_version(hello->versions.v[i]) && hello->versions.v[i] > max)
			max = hello->versions.v[i];
	return max ? max : hello->legacy_version;
}

static bool profile(struct et_tls_profile *out, const struct et_archive *archive, const char *id)
{
	const struct et_archive_hello *hello = et_archive_hello(archive, id);

	return hello && et_archive_profile(out, archive, hello);
}

/* What a server's sessions say of its versions. */
struct range {
	uint16_t low, high; /* established */
	bool declined;      /* a client that can more than `high` got less */
	bool refused;       /* a client that can less than `low` was refused */
};

static void learn_range(
	struct range *range, const struct et_archive *archive, const struct et_archive_host *server)
{
	const struct et_archive_map *accepts = &server->sums.maps[ET_ARCHIVE_ACCEPTS],
				    *failures = &server->sums.maps[ET_ARCHIVE_FAILURES];
	struct et_tls_profile hello;
	struct et_archive_accept accept;
	struct et_archive_failure failure;

	*range = (struct range){ 0 };
	for (size_t i = 0; i < accepts->cnt; i++) {
		if (!et_archive_accept_parse(&accept, accepts->v[i].name) ||
			accept.version < ET_TLSV1_0)
			continue;
		if (accept.version > range->high)
			range->high = accept.version;
		if (!range->low || accept.version < range->low)
			range->low = accept.version;
	}
	for (size_t i = 0; i < accepts->cnt && range->high < ET_TLSV1_3 && !range->declined; i++)
		range->declined = et_archive_accept_parse(&accept, accepts->v[i].name) &&
				  profile(&hello, archive, accept.hello) &&
				  highest(&hello) > range->high;
	for (size_t i = 0; i < failures->cnt && range->low > ET_TLSV1_0 && !range->refused; i++)
		range->refused = et_archive_failure_parse(&failure, failures->v[i].name) &&
				 strcmp(failure.code, "protocol_version") == 0 &&
				 profile(&hello, archive, failure.hello) &&
				 highest(&hello) < range->low;
}

static void score_one(struct et_advice_belief *belief, const struct et_tls_profile *hello,
	uint64_t count, const struct et_archive_accept *seen)
{
	struct et_nego_verdict verdict;

	et_nego_judge(&verdict, &belief->config, hello);
	if (verdict.result == ET_NEGO_UNKNOWN)
		return;
	belief->sessions += count;
	if ((verdict.result == ET_NEGO_ACCEPT) != (seen != NULL))
		return;
	belief->agree += count;
	if (!seen || (verdict.version == seen->version && verdict.suite == seen->cipher))
		belief->exact += count;
}

/* Holds a belief against all that was seen of the server. */
static void score(struct et_advice_belief *belief, const struct et_archive *archive,
	const struct et_archive_host *server)
{
	const struct et_archive_map *accepts = &server->sums.maps[ET_ARCHIVE_ACCEPTS],
				    *failures = &server->sums.maps[ET_ARCHIVE_FAILURES];
	struct et_tls_profile hello;
	struct et_archive_accept accept;
	struct et_archive_failure failure;

	belief->sessions = belief->agree = belief->exact = 0;
	for (size_t i = 0; i < accepts->cnt; i++)
		if (et_archive_accept_parse(&accept, accepts->v[i].name) &&
			profile(&hello, archive, accept.hello))
			score_one(belief, &hello, accepts->v[i].count, &accept);
	for (size_t i = 0; i < failures->cnt; i++)
		if (et_archive_failure_parse(&failure, failures->v[i].name) &&
			et_advice_class(failure.code) == ET_ADVICE_NEGOTIATION &&
			profile(&hello, archive, failure.hello))
			score_one(belief, &hello, failures->v[i].count, NULL);
}

static bool is_better(const struct et_advice_belief *a, const struct et_advice_belief *b)
{
	return a->agree != b->agree ? a->agree > b->agree : a->exact > b->exact;
}

int et_advice_bases_read(
	struct et_advice_bases *out, char error[static ET_NEGO_ERROR], const char *folder)
{
	static const char *const names[ET_ADVICE_BASES] = { "postfix-default", "openssl-default" };
	int rc = 0;

	for (unsigned i = 0; i < ET_ADVICE_BASES && rc == 0; i++) {
		out->names[i] = names[i];
		rc = et_nego_init(&out->configs[i]);
		rc = rc ? rc : et_nego_preset(&out->configs[i], error, folder, names[i]);
	}
	return rc;
}

int et_advice_believe(struct et_advice_belief *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct et_archive_host *server,
	const struct et_advice_bases *bases)
{
	/* Postfix first where both explain as much; users' services are Dovecot's as a rule */
	unsigned first = server->service >= ET_SERVICE_LMTP;
	struct et_nego_cert certs[ET_NEGO_KEYS] = { { 0 } };
	const char *from = find_keys(certs, archive, server);
	struct range range;

	learn_range(&range, archive, server);
	for (unsigned i = 0; i < 2 * ET_ADVICE_BASES; i++) {
		unsigned base = (first + i / 2) % ET_ADVICE_BASES;
		struct et_advice_belief next = {
			.base = bases->names[base], .keys_from = from, .raw = bases->configs[base]
		};
		int rc;

		next.raw.server_order = i % 2 == 1;
		if (range.declined)
			next.raw.max_version = range.high;
		if (range.refused)
			next.raw.min_version = range.low;
		memcpy(next.raw.certs, certs, sizeof(certs));
		next.config = next.raw;
		rc = et_nego_finish(&next.config, error);
		if (rc != 0)
			return rc;
		score(&next, archive, server);
		if (i == 0 || is_better(&next, out))
			*out = next;
	}
	return 0;
}
