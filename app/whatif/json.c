/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"
#include "answer_json.h"

#include <errno.h>
#include <string.h>

static const char *const change_names[STUDY_CHANGES] = { "version", "suite", "forward_secrecy_lost",
	"forward_secrecy_gained" };

static json_t *version(uint16_t id)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%04x", id);
	return id ? json_string(et_iana_version(id) ? et_iana_version(id) : digits) : json_null();
}

static json_t *cipher(uint16_t version, uint32_t id)
{
	char digits[16];
	const struct et_iana_suite *suite = id <= UINT16_MAX ? et_iana_suite((uint16_t)id) : NULL;

	if (version == 0 || id == 0)
		return json_null();
	snprintf(digits, sizeof(digits), version == ET_SSLV2 ? "%06x" : "%04x", id);
	return json_string(version != ET_SSLV2 && suite ? suite->name : digits);
}

static json_t *number_name(const char *name, uint16_t id)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%04x", id);
	return id ? json_string(name ? name : digits) : json_null();
}

static json_t *share(const struct study_share *share)
{
	return json_pack("{s:o, s:o, s:o}", "peers", answer_json_count(share->peers), "sessions",
		answer_json_count(share->sessions), "clear_mail",
		answer_json_count(share->clear_mail));
}

static json_t *sums(const struct study_sums *sums)
{
	json_t *fates = json_object(), *changes = json_object(), *doubts = json_object(),
	       *habits = json_object();
	int rc = 0;

	for (unsigned i = 0; i < ET_ADVICE_FATE_MAX; i++)
		rc |= json_object_set_new(
			fates, et_advice_fate_name((enum et_advice_fate)i), share(&sums->fates[i]));
	for (unsigned i = 0; i < STUDY_CHANGES; i++)
		rc |= json_object_set_new(changes, change_names[i], share(&sums->changes[i]));
	for (unsigned i = 1; i < ET_ADVICE_DOUBT_MAX; i++)
		rc |= json_object_set_new(doubts, et_advice_doubt_name((enum et_advice_doubt)i),
			share(&sums->doubts[i]));
	for (unsigned i = 0; i < HABIT_MAX; i++)
		rc |= json_object_set_new(
			habits, study_habit_name((enum study_habit)i), share(&sums->habits[i]));
	return rc != 0 ? NULL
		       : json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "peers",
				 answer_json_count(sums->peers), "sessions",
				 answer_json_count(sums->sessions), "established",
				 answer_json_count(sums->established), "clear_mail",
				 answer_json_count(sums->clear_mail), "fates", fates, "changes",
				 changes, "unknown", doubts, "after_failure", habits);
}

static json_t *keys(const struct et_nego_config *config)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < ET_NEGO_KEYS; i++) {
		char key[ET_NEGO_KEY_TEXT];

		if (!config->certs[i].present)
			continue;
		et_nego_key_text(key, config, i);
		json_array_append_new(list, json_string(key));
	}
	return list;
}

static json_t *server(const struct study_server *own)
{
	const struct et_nego_config *config = own->config;
	json_t *explained = json_pack("{s:o, s:o, s:o}", "sessions", answer_json_count(own->held),
		"agree", answer_json_count(own->agree), "exact", answer_json_count(own->exact));

	return json_pack("{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:i, s:b, s:b, s:o, s:s, s:o}",
		"server", answer_json_addr(&own->host->addr), "service",
		answer_json_text(et_service_name(own->host->service)), "server_name",
		answer_json_text(own->host->name), "base", own->base, "keys_from", own->keys_from,
		"keys", keys(config), "min_version", version(config->min_version), "max_version",
		version(config->max_version), "security_level", config->level, "server_order",
		config->server_order, "complete", own->complete, "explained", explained, "notes",
		config->notes, "result", sums(&own->sums));
}

static json_t *next(const struct et_nego_config *config, const struct et_nego_verdict *verdict)
{
	static const char *const results[] = { "accept", "refuse", "unknown" };
	bool good = verdict->result == ET_NEGO_ACCEPT;
	char key[ET_NEGO_KEY_TEXT];

	et_nego_key_text(key, config, verdict->key);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "result",
		results[verdict->result], "version", version(verdict->version), "cipher",
		good ? cipher(verdict->version, verdict->suite) : json_null(), "group",
		good ? number_name(et_iana_group(verdict->group), verdict->group) : json_null(),
		"dh_bits",
		good && verdict->dh_bits ? answer_json_count(verdict->dh_bits) : json_null(), "key",
		good ? json_string(key) : json_null(), "forward_secret",
		good ? json_boolean(verdict->forward_secret) : json_null(), "hello_retry",
		good ? json_boolean(verdict->hello_retry) : json_null(), "cause",
		answer_json_text(verdict->cause), "alert",
		verdict->result == ET_NEGO_REFUSE ? answer_json_count(verdict->alert)
						  : json_null());
}

static json_t *one_case(
	const struct study *study, const struct study_pair *own, const struct et_advice_case *c)
{
	bool judged = c->next.result != ET_NEGO_ACCEPT || c->next.version != 0;
	struct et_archive_failure failure;
	bool failed = c->code && et_archive_failure_parse(&failure, c->code);
	json_t *names = json_array();

	for (unsigned i = 0; i < STUDY_CHANGES; i++)
		if (c->changed & 1u << i)
			json_array_append_new(names, json_string(change_names[i]));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "hello",
		answer_json_text(c->hello ? c->hello->id : NULL), "sessions",
		answer_json_count(c->sessions), "fate",
		et_advice_fate_name((enum et_advice_fate)c->fate), "unknown",
		c->fate == ET_ADVICE_UNKNOWN
			? json_string(et_advice_doubt_name((enum et_advice_doubt)c->doubt))
			: json_null(),
		"version", version(c->version), "cipher", cipher(c->version, c->cipher), "group",
		number_name(et_iana_group(c->group), c->group), "failure",
		answer_json_text(failed ? failure.code : NULL), "changes", names, "next",
		judged ? next(study->servers[own->server].config, &c->next) : json_null());
}

static json_t *peer(const struct study *study, const struct study_pair *own)
{
	const struct et_archive_pair *pair = own->pair;
	const struct et_advice_case *worst =
		own->worst == SIZE_MAX ? NULL : &study->cases[own->worst];
	json_t *cases = json_array(), *fates = json_object();
	int rc = 0;

	for (unsigned i = 0; i < ET_ADVICE_FATE_MAX; i++)
		rc |= json_object_set_new(fates, et_advice_fate_name((enum et_advice_fate)i),
			answer_json_count(own->fates[i]));
	for (size_t i = own->from; i < own->until; i++)
		rc |= json_array_append_new(cases, one_case(study, own, &study->cases[i]));
	return rc != 0 ? NULL
		       : json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}",
				 "client", answer_json_addr(&pair->client), "server",
				 answer_json_addr(&pair->server), "service",
				 answer_json_text(et_service_name(pair->service)), "client_name",
				 answer_json_text(pair->client_name), "server_name",
				 answer_json_text(pair->server_name), "sessions",
				 answer_json_count(pair->sums.counts[ET_PEER_SESSIONS]),
				 "clear_mail",
				 answer_json_count(pair->sums.counts[ET_PEER_CLEAR_MAIL]), "fates",
				 fates, "cause",
				 answer_json_text(worst && worst->next.result == ET_NEGO_REFUSE
							  ? worst->next.cause
							  : NULL),
				 "after_failure", study_habit_name((enum study_habit)own->habit),
				 "delay_s",
				 own->delay_ns < 0 ? json_null()
						   : json_real((double)own->delay_ns / 1e9),
				 "cases", cases);
}

static json_t *change(const struct study_change *own)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "sessions", answer_json_count(own->sessions),
		"version", version(own->version), "cipher", cipher(own->version, own->cipher),
		"to_version", version(own->to_version), "to_cipher",
		cipher(own->to_version, own->to_cipher));
}

/* Lost sessions by the cause of the refusal. */
static json_t *causes(const struct study *study)
{
	json_t *o = json_object();

	for (size_t i = 0; i < study->cases_cnt; i++) {
		const struct et_advice_case *c = &study->cases[i];
		json_int_t before;

		if (c->fate != ET_ADVICE_LOST)
			continue;
		before = json_integer_value(json_object_get(o, c->next.cause));
		json_object_set_new(
			o, c->next.cause, answer_json_count((uint64_t)before + c->sessions));
	}
	return o;
}

int print_json(const struct answer *answer, FILE *out)
{
	const struct study *study = answer->study;
	json_t *settings = json_array(), *servers = json_array(), *changes = json_array(),
	       *peers = json_array(), *o;
	int rc = 0;

	for (size_t i = 0; i < answer->settings_cnt; i++)
		rc |= json_array_append_new(
			settings, json_pack("{s:s, s:o}", "name", answer->settings[i].name, "value",
					  answer_json_text(answer->settings[i].value)));
	for (size_t i = 0; i < study->servers_cnt && rc == 0; i++)
		rc |= json_array_append_new(servers, server(&study->servers[i]));
	for (size_t i = 0; i < study->changes_cnt && rc == 0; i++)
		rc |= json_array_append_new(changes, change(&study->changes[i]));
	for (size_t i = 0; i < study->pairs_cnt && rc == 0; i++)
		rc |= json_array_append_new(peers, peer(study, &study->pairs[i]));
	o = json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "type", "whatif", "v",
		1, "first", answer_json_time(answer->totals.first_ns), "until",
		answer_json_time(answer->totals.last_ns + ET_NS_PER_MIN), "settings", settings,
		"totals", sums(&study->sums), "causes", causes(study), "changes", changes,
		"servers", servers, "peers", peers);
	if (rc != 0 || !o) {
		json_decref(o);
		return -ENOMEM;
	}
	rc = json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0 &&
			     putc('\n', out) != EOF && fflush(out) == 0
		     ? 0
		     : -EIO;
	json_decref(o);
	return rc;
}
