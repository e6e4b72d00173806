/* SPDX-License-Identifier: BSD-3-Clause */

/* STARTTLS, what goes in clear, and what a server was never seen to do. */

#include "grade_parts.h"

#include <string.h>

void has_count(struct hit *hit, const struct look *look)
{
	hit->sessions = look->sums->counts[look->arg & 0xff];
	hit->of = look->sums->counts[look->arg >> 8];
}

/* arg: enum et_peer_trait. Counts ServerHellos up to TLS 1.2, of which only those are known in
 * number that led to a session. */
void has_trait(struct hit *hit, const struct look *look)
{
	hit->sessions = et_archive_count(&look->sums->maps[ET_ARCHIVE_TRAITS],
		et_peer_trait_name((enum et_peer_trait)look->arg));
	hit->of = look->sums->counts[ET_PEER_SESSIONS];
}

/* Where TLS comes first, nobody offers it. */
static bool is_implicit(enum et_service service)
{
	return service == ET_SERVICE_SMTPS || service == ET_SERVICE_IMAPS ||
	       service == ET_SERVICE_POP3S;
}

/* Never offered to anybody, and never used. */
void starttls_none(struct hit *hit, const struct look *look)
{
	const uint64_t *all = look->host->sums.counts;

	if (is_implicit(look->service) || all[ET_PEER_STARTTLS_OFFERED] > 0 ||
		all[ET_PEER_STARTTLS_MASKED] > 0 || all[ET_PEER_TLS_ESTABLISHED] > 0)
		return;
	hit->sessions = look->sums->counts[ET_PEER_STARTTLS_NOT_OFFERED];
	hit->of = look->sums->counts[ET_PEER_SESSIONS];
}

/* Offered to some clients, and never to these. */
void starttls_some(struct hit *hit, const struct look *look)
{
	bool whole = look->sums == &look->host->sums;
	const struct et_archive_host *host = look->host;

	if (is_implicit(look->service) || host->sums.counts[ET_PEER_STARTTLS_OFFERED] == 0)
		return;
	for (size_t i = 0; i < host->pairs_cnt; i++) {
		const struct et_archive_sums *sums = &host->pairs[i]->sums;
		uint64_t not_offered = sums->counts[ET_PEER_STARTTLS_NOT_OFFERED];

		if (!whole && sums != look->sums)
			continue;
		hit->of += not_offered + sums->counts[ET_PEER_STARTTLS_OFFERED];
		if (sums->counts[ET_PEER_STARTTLS_OFFERED] == 0)
			hit->sessions += not_offered;
	}
	if (hit->sessions > 0)
		detail_add(hit, "it is offered to others: stripped on the way, or by choice");
}

/* To one client now offered, now not. */
void starttls_changes(struct hit *hit, const struct look *look)
{
	uint64_t offered = look->sums->counts[ET_PEER_STARTTLS_OFFERED],
		 not_offered = look->sums->counts[ET_PEER_STARTTLS_NOT_OFFERED];

	if (is_implicit(look->service) || offered == 0)
		return;
	hit->sessions = not_offered;
	hit->of = offered + not_offered;
}

/* Sessions by highest version that the hello offers, and by what came of it. */
struct versions {
	uint64_t asked; /* hello offers it, and an older one was negotiated */
	bool had;       /* it, or a newer one, was negotiated */
};

static bool offers_version(const struct look *look, const char *hello_id, uint16_t version)
{
	const struct et_archive_hello *hello =
		hello_id[0] ? et_archive_hello(look->archive, hello_id) : NULL;
	struct et_tls_profile profile;

	return hello && et_archive_profile(&profile, look->archive, hello) &&
	       hello_highest(&profile) >= version;
}

static void count_versions(struct versions *out, const struct look *look)
{
	const struct et_archive_map *versions = &look->sums->maps[ET_ARCHIVE_VERSIONS],
				    *accepts = &look->sums->maps[ET_ARCHIVE_ACCEPTS],
				    *traits = &look->sums->maps[ET_ARCHIVE_TRAITS];
	uint16_t version = (uint16_t)look->arg;

	*out = (struct versions){ 0 };
	for (size_t i = 0; i < versions->cnt; i++) {
		uint16_t id;

		out->had |= et_archive_version_id(&id, versions->v[i].name) && id >= version;
	}
	/* the server says by itself that it could do it: RFC 8446 4.1.3 */
	out->had |= et_archive_count(traits, et_peer_trait_name(ET_PEER_TRAIT_DOWNGRADE_FROM_13));
	if (version <= ET_TLSV1_2)
		out->had |= et_archive_count(
			traits, et_peer_trait_name(ET_PEER_TRAIT_DOWNGRADE_FROM_12));
	for (size_t i = 0; i < accepts->cnt && !out->had; i++) {
		struct et_archive_accept accept;

		if (et_archive_accept_parse(&accept, accepts->v[i].name) &&
			accept.version < version && offers_version(look, accept.hello, version))
			out->asked += accepts->v[i].count;
	}
}

/* arg: a version that the server did not take, nor a newer one, though a hello offered it. */
void tls_missing(struct hit *hit, const struct look *look)
{
	struct versions seen;

	count_versions(&seen, look);
	if (seen.had)
		return;
	hit->sessions = seen.asked;
	hit->of = look->sums->counts[ET_PEER_TLS_ESTABLISHED];
}

/* The same where no client offered it: nobody knows whether the server would. */
void tls_unavailable(struct hit *hit, const struct look *look)
{
	struct versions seen;

	count_versions(&seen, look);
	if (seen.had || seen.asked > 0)
		return;
	hit->sessions = look->sums->counts[ET_PEER_TLS_ESTABLISHED];
	hit->of = hit->sessions;
	hit->confidence = ET_POSSIBLE;
}
