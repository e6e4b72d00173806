/* SPDX-License-Identifier: BSD-3-Clause */
#include "facts.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

/* A name from the wire, null if there is none. */
static json_t *name_json(const struct et_dict *names, uint32_t id)
{
	char text[1024];

	if (id == ET_DICT_NONE)
		return json_null();
	et_text_safe(text, sizeof(text), et_dict_get(names, id));
	return json_string(text);
}

/* Policy's sentence; cut by its field it may end within a character. */
static json_t *sentence_json(const char *text)
{
	json_t *value = json_string(text);
	char safe[2 * ET_CAUSE_WHY];

	if (value)
		return value;
	et_text_safe(safe, sizeof(safe),
		(struct et_view){ .p = (const uint8_t *)text, .n = strlen(text) });
	return json_string(safe);
}

static json_t *time_json(bool known, int64_t ts_ns)
{
	char text[ET_TIME_TEXT];

	if (!known)
		return json_null();
	et_time_us(text, ts_ns);
	return json_string(text);
}

/* Who: client, server, service and names, the keys that failures and clear begin with. */
static json_t *who_json(const struct et_report *report, const struct et_addr addr[static 2],
	uint8_t service, uint32_t client_name, uint32_t server_name)
{
	const struct et_dict *names = report->run->books->names;
	char client[ET_ADDR_TEXT], server[ET_ADDR_TEXT];

	et_addr_text(client, &addr[ET_CLIENT]);
	et_addr_text(server, &addr[ET_SERVER]);
	return json_pack("{s:s, s:s, s:s?, s:o, s:o}", "client", client, "server", server,
		"service", et_service_name((enum et_service)service), "client_name",
		name_json(names, client_name), "server_name", name_json(names, server_name));
}

/* Appends `more` to `who`; both are taken over, NULL if either is. */
static json_t *joined(json_t *who, json_t *more)
{
	if (!who || !more || json_object_update(who, more) != 0) {
		json_decref(who);
		who = NULL;
	}
	json_decref(more);
	return who;
}

static json_t *failure_json(const struct et_report *report, const struct facts_failure *failure)
{
	const struct et_session *s = &report->run->sessions[failure->session];
	const struct et_cause *cause = et_policy_cause(report->run->policy, failure->session);
	int64_t first_ns = report->run->sessions[failure->first].start_ns;

	return joined(who_json(report, s->addr, s->service, s->name[ET_CLIENT], s->name[ET_SERVER]),
		json_pack("{s:s, s:s?, s:o, s:I, s:o}", "code", cause->code, "confidence",
			et_confidence_name(cause->confidence), "why", sentence_json(cause->why),
			"count", (json_int_t)failure->count, "first", time_json(true, first_ns)));
}

static json_t *clear_json(const struct et_report *report, const struct et_peer *peer)
{
	const struct et_dict *names = report->run->books->names;
	const uint32_t *c = peer->counts;

	return joined(who_json(report, peer->addr, peer->service,
			      et_peer_name(report->peers, peer, ET_CLIENT, names),
			      et_peer_name(report->peers, peer, ET_SERVER, names)),
		json_pack("{s:I, s:I, s:I, s:s?}", "mails", (json_int_t)c[ET_PEER_CLEAR_MAIL],
			"sessions", (json_int_t)c[ET_PEER_CLEAR_SESSIONS], "auth_clear",
			(json_int_t)c[ET_PEER_AUTH_CLEAR], "starttls", facts_clear_reason(peer)));
}

static json_t *tally_json(const struct facts_tally *tally)
{
	char version[FACTS_NAME], iana[FACTS_NAME], openssl[FACTS_NAME];

	facts_version(version, tally->key);
	facts_suite_iana(iana, tally->key);
	facts_suite(openssl, tally->key);
	return json_pack("{s:I, s:s, s:s, s:s}", "count", (json_int_t)tally->count, "version",
		version, "cipher", iana, "cipher_openssl", openssl);
}

static json_t *capture_json(const struct et_report *report, const struct facts *facts)
{
	bool any = report->capture.packets > 0;

	return joined(et_stats_capture_json(&report->capture),
		json_pack("{s:o, s:o, s:I, s:I, s:I, s:I}", "first",
			time_json(any, report->first_ns), "last", time_json(any, report->last_ns),
			"files", (json_int_t)report->files, "unreadable",
			(json_int_t)report->unreadable, "damaged", (json_int_t)report->damaged,
			"one_direction", (json_int_t)facts->one_direction));
}

static json_t *totals_json(const struct facts *facts)
{
	json_t *o = json_object();

	for (size_t i = 0; i < ET_PEER_COUNT_MAX; i++)
		if (json_object_set_new(o, et_peer_count_name((enum et_peer_count)i),
			    json_integer((json_int_t)facts->totals[i])) != 0) {
			json_decref(o);
			return NULL;
		}
	return o;
}

/* False when memory is short. */
static bool push_all(json_t *peers, json_t *tally, json_t *failures, json_t *clear,
	const struct et_report *report, const struct facts *facts)
{
	struct et_stats_writer *writer = et_stats_writer_new(report->run);
	bool ok = writer != NULL;

	for (size_t i = 0; ok && i < facts->peers_cnt; i++)
		ok = json_array_append_new(
			     peers, et_stats_peer_row(writer, report->peers, facts->peers[i])) == 0;
	et_stats_writer_free(writer);
	for (size_t i = 0; ok && i < facts->tally_cnt; i++)
		ok = json_array_append_new(tally, tally_json(&facts->tally[i])) == 0;
	for (size_t i = 0; ok && i < facts->failures_cnt; i++)
		ok = json_array_append_new(failures, failure_json(report, &facts->failures[i])) ==
		     0;
	for (size_t i = 0; ok && i < facts->clear_cnt; i++)
		ok = json_array_append_new(clear, clear_json(report, facts->clear[i])) == 0;
	return ok;
}

int et_report_json(const struct et_report *report, FILE *out)
{
	json_t *peers = json_array(), *tally = json_array(), *failures = json_array();
	json_t *clear = json_array(), *o = NULL;
	struct facts facts;
	int rc = facts_gather(&facts, report);

	if (rc == 0 && !push_all(peers, tally, failures, clear, report, &facts))
		rc = -ENOMEM;
	if (rc == 0) {
		o = json_pack("{s:s, s:i, s:s, s:o, s:o, s:O, s:O, s:O, s:O}", "type", "report",
			"v", 1, "sensor", report->run->sensor, "capture",
			capture_json(report, &facts), "totals", totals_json(&facts), "peers", peers,
			"version_ciphers", tally, "failures", failures, "clear", clear);
		rc = o ? 0 : -ENOMEM;
	}
	if (rc == 0 && (json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(12)) != 0 ||
			       putc('\n', out) == EOF || fflush(out) != 0))
		rc = -EIO;
	json_decref(o);
	json_decref(peers);
	json_decref(tally);
	json_decref(failures);
	json_decref(clear);
	facts_free(&facts);
	return rc;
}
