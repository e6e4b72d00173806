/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "print.h"
#include "snippets.h"
#include "answer_json.h"

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

static json_t *loss(const struct plan_loss *loss)
{
	return json_pack("{s:o, s:o}", "peers", answer_json_count(loss->peers), "sessions",
		answer_json_count(loss->sessions));
}

static json_t *use(const struct plan_site *site, const struct plan_use *own)
{
	const struct et_archive_pair *pair = own->pair;

	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "client", answer_json_addr(&pair->client),
		"client_name", answer_json_text(pair->client_name), "service",
		answer_json_text(et_service_name(pair->service)), "hello",
		json_string(site->hellos[own->hello].hello->id), "sessions",
		answer_json_count(own->sessions));
}

static json_t *step(const struct plan_site *site, int at)
{
	const struct plan_step *own = &plan_steps[at];
	int set = at == site->step ? site->set : site->best[at];
	json_t *losers = json_array(), *sets = json_object();

	for (size_t i = 0; i < site->uses_cnt; i++)
		if (plan_loses(site, at, set, site->uses[i].hello))
			json_array_append_new(losers, use(site, &site->uses[i]));
	for (int i = 0; i < ET_ADVICE_SETS; i++)
		json_object_set_new(sets, et_advice_sets[i], loss(&site->loss[at][i]));
	return json_pack("{s:s, s:o, s:b, s:s, s:o, s:o, s:o}", "preset", own->preset,
		"min_version", answer_json_text(own->min_version), "chosen", at == site->step,
		"cert", et_advice_sets[set], "lost", loss(&site->loss[at][set]), "losers", losers,
		"sets", sets);
}

static json_t *dh(const struct et_nego_config *config)
{
	char bits[8];

	snprintf(bits, sizeof(bits), "%u", config->dh);
	return json_string(config->dh == ET_NEGO_DH_NONE   ? "none"
			   : config->dh == ET_NEGO_DH_AUTO ? "auto"
							   : bits);
}

static json_t *advice(const struct plan_site *site)
{
	const struct et_nego_config *config = &site->config;
	char ciphers[SNIPPET_LIST], suites13[SNIPPET_LIST], groups[SNIPPET_LIST],
		sigalgs[SNIPPET_LIST];

	snippet_ciphers(ciphers, config);
	snippet_suites13(suites13, config);
	snippet_groups(groups, config);
	snippet_sigalgs(sigalgs, config);
	return json_pack("{s:s, s:b, s:o, s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:b, s:o}",
		"preset", plan_steps[site->step].preset, "within", site->within, "lost",
		loss(&site->loss[site->step][site->set]), "cert", et_advice_sets[site->set], "keys",
		keys(config), "min_version", et_iana_version(config->min_version), "max_version",
		et_iana_version(config->max_version), "ciphers", answer_json_text(ciphers),
		"ciphersuites", answer_json_text(suites13), "groups", answer_json_text(groups),
		"sigalgs", answer_json_text(sigalgs), "security_level", config->level,
		"server_order", config->server_order, "dh", dh(config));
}

static json_t *site_json(const struct plan_site *site)
{
	static struct snippet snippets[SNIPPETS_MAX]; /* too large for the stack */
	size_t cnt = snippets_make(snippets, site);
	json_t *services = json_array(), *steps = json_array(), *unserved = json_array(),
	       *texts = json_object(), *now;

	for (unsigned i = 0; i < ET_SERVICE_MAX; i++)
		if (site->services & 1u << i)
			json_array_append_new(
				services, answer_json_text(et_service_name((enum et_service)i)));
	for (int i = 0; i < PLAN_STEPS; i++)
		if (site->used[i])
			json_array_append_new(steps, step(site, i));
	for (size_t i = 0; i < site->uses_cnt; i++) {
		const struct plan_hello *hello = &site->hellos[site->uses[i].hello];

		if (hello->readable && !hello->served)
			json_array_append_new(unserved, use(site, &site->uses[i]));
	}
	for (size_t i = 0; i < cnt; i++)
		json_object_set_new(texts, snippets[i].program, json_string(snippets[i].text));
	now = json_pack("{s:s, s:o, s:s, s:o}", "base", site->belief.base, "keys",
		keys(&site->belief.config), "keys_from", site->belief.keys_from, "lost",
		loss(&site->now));
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "server",
		answer_json_addr(&site->addr), "server_name", answer_json_text(site->name), "role",
		plan_role_name(site->role), "services", services, "peers",
		answer_json_count(site->peers), "sessions", answer_json_count(site->sessions),
		"not_judged", answer_json_count(site->not_judged), "now", now, "advice",
		advice(site), "steps", steps, "unserved", unserved, "snippets", texts);
}

int print_json(const struct answer *answer, FILE *out)
{
	const struct plan_limit *limit = &answer->limit;
	json_t *servers = json_array(), *o;
	int rc = 0;

	for (size_t i = 0; i < answer->sites_cnt && rc == 0; i++)
		rc = json_array_append_new(servers, site_json(&answer->sites[i]));
	o = json_pack("{s:s, s:i, s:o, s:o, s:{s:f, s:b, s:s}, s:o, s:o}", "type", "advice", "v", 1,
		"first", answer_json_time(answer->totals.first_ns), "until",
		answer_json_time(answer->totals.last_ns + ET_NS_PER_MIN), "may_lose", "value",
		limit->value, "percent", limit->percent, "of",
		limit->of_sessions ? "sessions" : "peers", "outbound",
		answer_json_count(answer->outbound), "servers", servers);
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
