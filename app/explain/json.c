/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"
#include "answer_json.h"

#include <errno.h>
#include <stdlib.h>

static json_t *map_json(const struct et_archive_map *map)
{
	json_t *o = json_object();

	for (size_t i = 0; i < map->cnt; i++)
		json_object_set_new(o, map->v[i].name, answer_json_count(map->v[i].count));
	return o;
}

static json_t *ids_json(const struct et_tls_list *list, bool versions, bool suites)
{
	json_t *o = json_array();
	char hex[8];

	for (uint16_t i = 0; i < list->n; i++) {
		const char *name = versions ? et_iana_version(list->v[i]) : NULL;

		if (suites && !et_tls_profile_is_cipher(list->v[i]))
			continue;
		snprintf(hex, sizeof(hex), "%04x", list->v[i]);
		json_array_append_new(o, json_string(name ? name : hex));
	}
	return o;
}

static json_t *offer_json(
	const struct et_archive *archive, const struct offer *offer, struct et_tls_profile *hello)
{
	json_t *o = json_object();

	json_object_set_new(o, "hello", answer_json_text(offer->hello ? offer->hello->id : NULL));
	json_object_set_new(o, "sessions", answer_json_count(offer->sessions));
	if (!offer->hello || !et_archive_profile(hello, archive, offer->hello))
		return o;
	if (!hello->has_versions)
		hello->versions = (struct et_tls_list){ 1, { hello->legacy_version } };
	json_object_set_new(o, "ja4", answer_json_text(offer->hello->ja4));
	json_object_set_new(o, "versions", ids_json(&hello->versions, true, false));
	json_object_set_new(o, "ciphers", ids_json(&hello->ciphers, false, true));
	json_object_set_new(o, "groups",
		hello->has_groups ? ids_json(&hello->groups, false, false) : json_null());
	json_object_set_new(o, "sigalgs",
		hello->has_sigalgs ? ids_json(&hello->sigalgs, false, false) : json_null());
	json_object_set_new(o, "key_shares", ids_json(&hello->key_shares, false, false));
	json_object_set_new(o, "extensions", ids_json(&hello->extensions, false, false));
	return o;
}

static json_t *offers_json(const struct et_archive *archive, const struct finding *finding)
{
	struct et_tls_profile *hello = malloc(sizeof(*hello));
	json_t *o = json_array();

	for (size_t i = 0; hello && i < finding->offers_cnt; i++)
		json_array_append_new(o, offer_json(archive, &finding->offers[i], hello));
	free(hello);
	return o;
}

static json_t *cures_json(const struct answer *answer, const struct finding *finding)
{
	struct cure cures[CURES_MAX];
	size_t cnt = cures_try(cures, answer->memo, answer->archive, finding);
	json_t *o = json_array();

	for (size_t i = 0; i < cnt; i++)
		json_array_append_new(
			o, json_pack("{s:s, s:s, s:s, s:b, s:s}", "side", cures[i].side, "change",
				   cures[i].change, "with", cures[i].with, "works", cures[i].works,
				   "verdict", cures[i].verdict));
	return o;
}

static json_t *finding_json(const struct answer *answer, const struct finding *finding)
{
	const struct et_archive *archive = answer->archive;
	const struct et_archive_pair *pair = finding->pair;
	const struct explanation *explanation = explanation_of(finding->code);
	char *why = evidence_sentence(archive, finding, explanation);
	int sure = finding_sure(finding);
	json_t *o = json_object();

	json_object_set_new(o, "client", answer_json_addr(&pair->client));
	json_object_set_new(o, "server", answer_json_addr(&pair->server));
	json_object_set_new(o, "service", answer_json_text(et_service_name(pair->service)));
	json_object_set_new(o, "client_name", answer_json_text(pair->client_name));
	json_object_set_new(o, "server_name", answer_json_text(pair->server_name));
	json_object_set_new(o, "direction", answer_json_text(pair->direction));
	json_object_set_new(o, "code", json_string(finding->code));
	json_object_set_new(o, "confidence",
		answer_json_text(sure < 0 ? NULL : et_confidence_name((enum et_confidence)sure)));
	json_object_set_new(o, "sessions", answer_json_count(finding->sessions));
	json_object_set_new(
		o, "pair_sessions", answer_json_count(pair->sums.counts[ET_PEER_SESSIONS]));
	json_object_set_new(o, "pair_established",
		answer_json_count(pair->sums.counts[ET_PEER_TLS_ESTABLISHED]));
	json_object_set_new(o, "first", answer_json_time(finding->first_ns));
	json_object_set_new(o, "last", answer_json_time(finding->last_ns));
	json_object_set_new(o, "why", answer_json_text(why));
	json_object_set_new(o, "offers", offers_json(archive, finding));
	json_object_set_new(o, "would_work", cures_json(answer, finding));
	free(why);
	return o;
}

static json_t *cert_json(const struct et_archive_entry *entry, const struct et_archive_cert *cert)
{
	json_t *o = json_object(), *names = json_array();

	json_object_set_new(o, "sha256", json_string(entry->name));
	json_object_set_new(o, "sessions", answer_json_count(entry->count));
	for (size_t i = 0; cert && i < cert->names_cnt; i++)
		json_array_append_new(names, answer_json_text(cert->names[i]));
	json_object_set_new(o, "names", names);
	if (!cert || !cert->known)
		return o;
	json_object_set_new(o, "subject", answer_json_text(cert->subject));
	json_object_set_new(o, "issuer", answer_json_text(cert->issuer));
	json_object_set_new(o, "key", answer_json_text(cert->key));
	json_object_set_new(o, "bits", cert->bits ? answer_json_count(cert->bits) : json_null());
	json_object_set_new(o, "curve", answer_json_text(cert->curve));
	json_object_set_new(o, "sigalg", answer_json_text(cert->sigalg));
	json_object_set_new(o, "not_before", answer_json_text(cert->not_before));
	json_object_set_new(o, "not_after", answer_json_text(cert->not_after));
	return o;
}

static json_t *server_json(const struct et_archive *archive, const struct et_archive_host *server)
{
	const struct et_archive_map *maps = server->sums.maps;
	struct evidence_key keys[EVIDENCE_KEYS];
	size_t cnt = evidence_keys(keys, archive, server);
	json_t *o = json_object(), *certs = json_array(), *by_key = json_object();

	json_object_set_new(o, "server", answer_json_addr(&server->addr));
	json_object_set_new(o, "service", answer_json_text(et_service_name(server->service)));
	json_object_set_new(o, "name", answer_json_text(server->name));
	json_object_set_new(
		o, "sessions", answer_json_count(server->sums.counts[ET_PEER_SESSIONS]));
	json_object_set_new(
		o, "established", answer_json_count(server->sums.counts[ET_PEER_TLS_ESTABLISHED]));
	json_object_set_new(o, "peers", answer_json_count(server->pairs_cnt));
	json_object_set_new(o, "first", answer_json_time(server->sums.first_ns));
	json_object_set_new(o, "last", answer_json_time(server->sums.last_ns));
	json_object_set_new(o, "versions", map_json(&maps[ET_ARCHIVE_VERSIONS]));
	json_object_set_new(o, "ciphers", map_json(&maps[ET_ARCHIVE_CIPHERS]));
	json_object_set_new(o, "groups", map_json(&maps[ET_ARCHIVE_GROUPS]));
	json_object_set_new(o, "dh_bits", map_json(&maps[ET_ARCHIVE_DH_BITS]));
	for (size_t i = 0; i < cnt; i++)
		json_object_set_new(by_key, keys[i].name, answer_json_count(keys[i].sessions));
	json_object_set_new(o, "keys", by_key);
	for (size_t i = 0; i < maps[ET_ARCHIVE_CERTS].cnt; i++)
		json_array_append_new(
			certs, cert_json(&maps[ET_ARCHIVE_CERTS].v[i],
				       et_archive_cert(archive, maps[ET_ARCHIVE_CERTS].v[i].name)));
	json_object_set_new(o, "certs", certs);
	return o;
}

/* Each server of the findings once. */
static json_t *servers_json(const struct answer *answer)
{
	const struct findings *findings = answer->findings;
	size_t cnt;
	const struct et_archive_host *servers = et_archive_servers(answer->archive, &cnt);
	bool *wanted = calloc(cnt + 1, sizeof(*wanted));
	json_t *o = wanted ? json_array() : NULL;

	for (size_t i = 0; wanted && i < findings->cnt; i++)
		wanted[findings->v[i].server - servers] = true;
	for (size_t i = 0; wanted && i < cnt; i++)
		if (wanted[i])
			json_array_append_new(o, server_json(answer->archive, &servers[i]));
	free(wanted);
	return o;
}

static json_t *remedies_json(const struct explanation *explanation)
{
	json_t *o = json_array();

	for (size_t i = 0; explanation && i < explanation->cnt; i++) {
		const struct remedy *remedy = &explanation->remedies[i];

		json_array_append_new(o, json_pack("{s:s, s:s?, s:s}", "side", remedy->side,
						 "product", remedy->product, "text", remedy->text));
	}
	return o;
}

static int dump(json_t *o, FILE *out)
{
	int rc = o ? 0 : -ENOMEM;

	if (rc == 0 && (json_dumpf(o, out, JSON_COMPACT) != 0 || putc('\n', out) == EOF ||
			       fflush(out) != 0))
		rc = -EIO;
	json_decref(o);
	return rc;
}

int print_json(const struct answer *answer, FILE *out)
{
	const struct findings *findings = answer->findings;
	json_t *o = json_pack("{s:s, s:i}", "type", "explain", "v", 1);
	json_t *causes = json_array(), *list = json_array();

	json_object_set_new(o, "first", answer_json_time(answer->totals.first_ns));
	json_object_set_new(o, "until", answer_json_time(answer->totals.last_ns + ET_NS_PER_MIN));
	json_object_set_new(o, "sessions", answer_json_count(findings->sessions));
	json_object_set_new(
		o, "sessions_without_hello", answer_json_count(findings->without_hello));
	for (size_t c = 0; c < findings->causes_cnt; c++) {
		const struct cause_sum *sum = &findings->causes[c];
		json_t *cause = json_object();

		json_object_set_new(cause, "code", json_string(sum->code));
		json_object_set_new(cause, "sessions", answer_json_count(sum->sessions));
		json_object_set_new(cause, "pairs", answer_json_count(sum->until - sum->from));
		json_object_set_new(cause, "remedies", remedies_json(explanation_of(sum->code)));
		json_array_append_new(causes, cause);
		for (size_t i = sum->from; i < sum->until; i++)
			json_array_append_new(list, finding_json(answer, &findings->v[i]));
	}
	json_object_set_new(o, "causes", causes);
	json_object_set_new(o, "findings", list);
	json_object_set_new(o, "servers", servers_json(answer));
	return dump(o, out);
}

int print_catalogue_json(FILE *out)
{
	json_t *o = json_pack("{s:s, s:i}", "type", "causes", "v", 1), *list = json_array();

	for (size_t i = 0; i < explanations_cnt; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o}", "code", explanations[i].code, "means",
				      explanations[i].means, "remedies",
				      remedies_json(&explanations[i])));
	json_object_set_new(o, "causes", list);
	return dump(o, out);
}
