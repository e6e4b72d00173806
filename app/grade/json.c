/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "et_iana.h"
#include "answer_json.h"

/* One host at a time: an answer may hold a hundred thousand. */

static json_t *letter(char grade)
{
	return grade ? json_stringn(&grade, 1) : json_null();
}

static json_t *peers_json(const struct et_grade *grade, const struct et_grade_finding *finding)
{
	json_t *list = json_array();

	for (size_t i = 0; i < finding->top_cnt; i++) {
		const struct et_archive_pair *pair = finding->top[i].pair;
		bool of_client = grade->role == ET_GRADE_CLIENT;
		json_t *o = json_object();

		json_object_set_new(
			o, "ip", answer_json_addr(of_client ? &pair->server : &pair->client));
		json_object_set_new(o, "name",
			answer_json_text(of_client ? pair->server_name : pair->client_name));
		json_object_set_new(o, "sessions", answer_json_count(finding->top[i].sessions));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *findings_json(const struct et_grade *grade)
{
	json_t *list = json_array();

	for (size_t i = 0; i < grade->findings_cnt; i++) {
		const struct et_grade_finding *finding = &grade->findings[i];
		json_t *o = json_object();

		json_object_set_new(o, "id", answer_json_text(finding->predicate->id));
		json_object_set_new(o, "title", answer_json_text(finding->predicate->title));
		json_object_set_new(o, "severity",
			answer_json_text(et_grade_severity_name(finding->rule->severity)));
		json_object_set_new(o, "cap", letter(finding->rule->cap));
		json_object_set_new(o, "reference", answer_json_text(finding->rule->reference));
		json_object_set_new(
			o, "confidence", answer_json_text(et_confidence_name(finding->confidence)));
		json_object_set_new(o, "sessions", answer_json_count(finding->sessions));
		json_object_set_new(o, "of", answer_json_count(finding->of));
		json_object_set_new(o, "last", answer_json_time(finding->last_ns));
		json_object_set_new(
			o, "detail", answer_json_text(finding->detail[0] ? finding->detail : NULL));
		json_object_set_new(o, "peers", answer_json_count(finding->peers));
		json_object_set_new(o, "top_peers", peers_json(grade, finding));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *suite_id(uint32_t cipher)
{
	char id[16];

	snprintf(id, sizeof(id), cipher > UINT16_MAX ? "%06x" : "%04x", (unsigned)cipher);
	return json_string(id);
}

static json_t *suite_name(uint32_t cipher)
{
	const struct et_iana_suite *suite = NULL;

	if (cipher > UINT16_MAX)
		return answer_json_text(et_iana_sslv2_cipher(cipher));
	suite = et_iana_suite((uint16_t)cipher);
	return answer_json_text(suite ? suite->name : NULL);
}

static json_t *suites_json(const struct et_grade *grade)
{
	json_t *list = json_array();

	for (size_t i = 0; i < grade->suites_cnt; i++) {
		const struct et_grade_suite *suite = &grade->suites[i];
		json_t *o = json_object();

		json_object_set_new(
			o, "version", answer_json_text(et_iana_version(suite->version)));
		json_object_set_new(o, "cipher", suite_name(suite->cipher));
		json_object_set_new(o, "cipher_id", suite_id(suite->cipher));
		json_object_set_new(o, "grade", letter(suite->grade));
		json_object_set_new(
			o, "key_exchange", answer_json_text(suite->kx[0] ? suite->kx : NULL));
		json_object_set_new(o, "key_exchange_bits",
			suite->kx_bits ? answer_json_count(suite->kx_bits) : json_null());
		json_object_set_new(o, "cipher_bits",
			suite->cipher_bits < 0 ? json_null() : json_integer(suite->cipher_bits));
		json_object_set_new(o, "sessions", answer_json_count(suite->sessions));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *order_json(const struct et_grade_preference *preference)
{
	bool known = preference->order != ET_GRADE_ORDER_UNKNOWN;
	json_t *o = json_object();

	json_object_set_new(o, "order", answer_json_text(et_grade_order_name(preference->order)));
	json_object_set_new(o, "confidence",
		answer_json_text(known ? et_confidence_name(preference->confidence) : NULL));
	json_object_set_new(o, "hellos", answer_json_count(preference->hellos));
	json_object_set_new(o, "for_server", answer_json_count(preference->for_server));
	json_object_set_new(o, "for_client", answer_json_count(preference->for_client));
	json_object_set_new(o, "chacha20_by_client", json_boolean(preference->chacha));
	json_object_set_new(o, "hello", answer_json_text(preference->hello));
	json_object_set_new(o, "other_hello", answer_json_text(preference->other));
	json_object_set_new(
		o, "chosen", preference->hello ? suite_name(preference->chosen) : json_null());
	json_object_set_new(
		o, "passed_over", preference->hello ? suite_name(preference->passed) : json_null());
	return o;
}

static json_t *unseen_json(const struct et_grade *grade)
{
	json_t *list = json_array();

	for (size_t i = 0; i < grade->unseen_cnt; i++) {
		const struct et_grade_unseen *unseen = &grade->unseen[i];
		json_t *o = json_object();

		json_object_set_new(o, "id", answer_json_text(unseen->id));
		json_object_set_new(o, "text", answer_json_text(unseen->text));
		json_object_set_new(o, "sessions",
			unseen->sessions ? answer_json_count(unseen->sessions) : json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *host_json(const struct et_grade *grade)
{
	const struct et_archive_host *host = grade->host;
	bool of_client = grade->role == ET_GRADE_CLIENT;
	json_t *o = json_object();

	json_object_set_new(o, of_client ? "client" : "server", answer_json_addr(&host->addr));
	json_object_set_new(o, "name", answer_json_text(host->name));
	json_object_set_new(o, "service", answer_json_text(et_service_name(host->service)));
	json_object_set_new(o, "sessions", answer_json_count(grade->sessions));
	json_object_set_new(o, "established", answer_json_count(grade->established));
	json_object_set_new(o, "peers", answer_json_count(host->pairs_cnt));
	json_object_set_new(o, "first", answer_json_time(host->sums.first_ns));
	json_object_set_new(o, "last", answer_json_time(host->sums.last_ns));
	if (!of_client) {
		json_object_set_new(o, "role", answer_json_text(et_grade_role_name(grade->role)));
		json_object_set_new(o, "grade", letter(grade->grade));
		json_object_set_new(o, "strength", letter(grade->strength));
		json_object_set_new(o, "few", json_boolean(grade->few));
		json_object_set_new(o, "suites", suites_json(grade));
		json_object_set_new(
			o, "suites_left_out", answer_json_count(grade->suites_left_out));
		json_object_set_new(o, "order", order_json(&grade->before13));
		json_object_set_new(o, "order_tls13", order_json(&grade->in13));
		json_object_set_new(o, "not_visible", unseen_json(grade));
	}
	json_object_set_new(o, "findings", findings_json(grade));
	return o;
}

/* 0, -ENOMEM or -EIO. */
static int put(FILE *out, json_t *value)
{
	char *line = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	int rc = !line ? -ENOMEM : fputs(line, out) == EOF ? -EIO : 0;

	free(line);
	json_decref(value);
	return rc;
}

static int put_hosts(struct answer *answer, FILE *out, const char *key, bool of_client)
{
	const struct ranked *list = of_client ? answer->clients : answer->servers;
	size_t cnt = of_client ? answer->clients_cnt : answer->servers_cnt;
	int rc = 0;

	fprintf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < cnt && rc == 0; i++) {
		answer_judge(answer, &list[i], of_client);
		if (i > 0)
			putc(',', out);
		rc = put(out, host_json(answer->grade));
	}
	putc(']', out);
	return rc;
}

int print_json(struct answer *answer, FILE *out)
{
	const struct et_grade_policy *policy = answer->policy;
	int rc;

	fputs("{\"type\":\"grade_report\",\"v\":1,\"first\":", out);
	rc = put(out, answer_json_time(answer->totals.first_ns));
	fputs(",\"until\":", out);
	if (rc == 0)
		rc = put(out, answer_json_time(answer->totals.last_ns + ET_NS_PER_MIN));
	fputs(",\"policy\":", out);
	if (rc == 0)
		rc = put(out, json_pack("{s:s, s:s, s:s, s:i}", "name", policy->name, "summary",
				      policy->summary, "source", policy->source, "few",
				      (int)policy->few));
	fprintf(out, ",\"without_role\":%zu", answer->without_role);
	if (rc == 0)
		rc = put_hosts(answer, out, "servers", false);
	if (rc == 0 && answer->with_clients)
		rc = put_hosts(answer, out, "clients", true);
	if (rc != 0)
		return rc;
	fputs("}\n", out);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
