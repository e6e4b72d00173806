/* SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALL   (1u << ROLE_MTA | 1u << ROLE_MSA | 1u << ROLE_MDA)
#define RELAY (1u << ROLE_MTA)

/*
 * Between mail servers weak TLS is better than none, so that their ladder goes down to TLS 1.0. For
 * users TLS is mandatory: RFC 8314 and 8996 end it at TLS 1.2.
 */
const struct plan_step plan_steps[PLAN_STEPS] = {
	{ "internetnl-good", NULL, "TLS 1.3, AES-256 and ChaCha20 only", ALL },
	{ "mozilla-modern", NULL, "TLS 1.3", ALL },
	{ "rfc9325", NULL, "TLS 1.2 with ECDHE and AES-GCM", ALL },
	{ "mozilla-intermediate", NULL, "TLS 1.2 with ECDHE, AES-GCM and ChaCha20", ALL },
	{ "internetnl", NULL, "the same and CCM, more curves", ALL },
	{ "nist-sp800-52r2", NULL, "TLS 1.2 with DHE and CBC too, without ChaCha20", ALL },
	{ "openssl-default", "TLSv1.2", "TLS 1.2 with all that OpenSSL has by itself", ALL },
	{ "postfix-default", "TLSv1.2", "TLS 1.2 with all that Postfix has by itself", RELAY },
	{ "postfix-default", "TLSv1.1", "TLS 1.1 too", RELAY },
	{ "postfix-default", "TLSv1.0", "TLS 1.0 too", RELAY },
};

const char *plan_role_name(enum plan_role role)
{
	static const char *const names[ROLE_MAX] = { "mta", "msa", "mda" };

	return names[role];
}

bool plan_role_of(enum plan_role *out, enum et_service service)
{
	switch (service) {
	case ET_SERVICE_SMTP:
	case ET_SERVICE_LMTP: *out = ROLE_MTA; return true;
	case ET_SERVICE_SUBMISSION:
	case ET_SERVICE_SMTPS: *out = ROLE_MSA; return true;
	case ET_SERVICE_IMAP:
	case ET_SERVICE_IMAPS:
	case ET_SERVICE_POP3:
	case ET_SERVICE_POP3S:
	case ET_SERVICE_SIEVE: *out = ROLE_MDA; return true;
	default: return false;
	}
}

int plan_candidates(struct plan_candidates *out, char error[static ET_NEGO_ERROR])
{
	int rc = et_advice_bases_read(&out->bases, error, et_nego_folder());

	for (int step = 0; step < PLAN_STEPS && rc == 0; step++) {
		const char *min = plan_steps[step].min_version;
		struct et_nego_config base;

		rc = et_nego_init(&base);
		rc = rc ? rc
			: et_nego_preset(&base, error, et_nego_folder(), plan_steps[step].preset);
		if (rc == 0 && min)
			rc = et_nego_set(&base, error, "min-version", min);
		for (int set = 0; set < ET_ADVICE_SETS && rc == 0; set++) {
			struct et_nego_config *config = &out->configs[step][set];

			*config = base;
			rc = et_nego_set(config, error, "cert", et_advice_sets[set]);
			rc = rc ? rc : et_nego_finish(config, error);
		}
	}
	return rc;
}

static uint8_t *refused_at(const struct plan_site *site, int step, int set)
{
	return site->refused + ((size_t)step * ET_ADVICE_SETS + (size_t)set) * site->hellos_cnt;
}

bool plan_loses(const struct plan_site *site, int step, int set, uint32_t hello)
{
	return site->hellos[hello].served && refused_at(site, step, set)[hello];
}

/* --- what the site got --- */

static int id_cmp(const void *p, const void *q)
{
	const struct plan_hello *a = p, *b = q;

	/* one array, by id */
	return a->hello < b->hello ? -1 : a->hello > b->hello;
}

static bool is_ours(const struct answer_options *options, const struct et_archive_pair *pair)
{
	return answer_wants(options, pair) &&
	       (!pair->direction || strcmp(pair->direction, "in") == 0);
}

/* All uses, with the hellos in the order in which they come; then each hello once. */
static int gather(struct plan_site *site, const struct et_archive *archive,
	const struct answer_options *options, const struct et_archive_host *const *hosts,
	size_t cnt)
{
	size_t cap = 1, n = 0;

	for (size_t h = 0; h < cnt; h++)
		for (size_t i = 0; i < hosts[h]->pairs_cnt; i++)
			cap += hosts[h]->pairs[i]->sums.maps[ET_ARCHIVE_HELLOS].cnt;
	site->uses = calloc(cap, sizeof(*site->uses));
	site->hellos = calloc(cap, sizeof(*site->hellos));
	if (!site->uses || !site->hellos)
		return -ENOMEM;
	for (size_t h = 0; h < cnt; h++) {
		for (size_t i = 0; i < hosts[h]->pairs_cnt; i++) {
			const struct et_archive_pair *pair = hosts[h]->pairs[i];
			const struct et_archive_map *map = &pair->sums.maps[ET_ARCHIVE_HELLOS];
			struct plan_hello one = { 0 };

			if (!is_ours(options, pair))
				continue;
			site->peers++;
			site->sessions += pair->sums.counts[ET_PEER_SESSIONS];
			for (size_t k = 0; k < map->cnt; k++) {
				one.hello = et_archive_hello(archive, map->v[k].name);
				if (!one.hello)
					continue;
				site->hellos[n++] = one;
				site->uses[site->uses_cnt++] =
					(struct plan_use){ pair, map->v[k].count, 0 };
			}
		}
	}
	return 0;
}

static int number_hellos(struct plan_site *site)
{
	struct plan_hello *each = calloc(site->uses_cnt + 1, sizeof(*each));
	size_t n = 0;

	if (!each)
		return -ENOMEM;
	memcpy(each, site->hellos, site->uses_cnt * sizeof(*each));
	if (site->uses_cnt > 1)
		qsort(each, site->uses_cnt, sizeof(*each), id_cmp);
	for (size_t i = 0; i < site->uses_cnt; i++)
		if (n == 0 || id_cmp(&each[n - 1], &each[i]) != 0)
			each[n++] = each[i];
	for (size_t i = 0; i < site->uses_cnt; i++) {
		const struct plan_hello *at =
			bsearch(&site->hellos[i], each, n, sizeof(*each), id_cmp);

		site->uses[i].hello = (uint32_t)(at - each);
	}
	free(site->hellos);
	site->hellos = each;
	site->hellos_cnt = n;
	return 0;
}

/* --- the candidates --- */

static int judge_all(struct plan_site *site, const struct et_archive *archive,
	const struct plan_candidates *candidates)
{
	struct et_tls_profile profile;

	site->refused = calloc((size_t)PLAN_STEPS * ET_ADVICE_SETS, site->hellos_cnt + 1);
	if (!site->refused)
		return -ENOMEM;
	for (int step = 0; step < PLAN_STEPS; step++) {
		site->used[step] = (plan_steps[step].roles & 1u << site->role) != 0;
		for (int set = 0; set < ET_ADVICE_SETS && site->used[step]; set++) {
			uint8_t *refused = refused_at(site, step, set);

			for (size_t i = 0; i < site->hellos_cnt; i++) {
				struct plan_hello *hello = &site->hellos[i];
				struct et_nego_verdict verdict;

				if (!et_archive_profile(&profile, archive, hello->hello))
					continue;
				et_nego_judge(&verdict, &candidates->configs[step][set], &profile);
				hello->readable |= verdict.result != ET_NEGO_UNKNOWN;
				hello->served |= verdict.result == ET_NEGO_ACCEPT;
				refused[i] = verdict.result != ET_NEGO_ACCEPT;
			}
		}
	}
	return 0;
}

static void add_loss(
	struct plan_loss *loss, const struct plan_use *use, const struct et_archive_pair **last)
{
	loss->sessions += use->sessions;
	if (*last != use->pair)
		loss->peers++;
	*last = use->pair;
}

static void count_losses(struct plan_site *site)
{
	const struct et_archive_pair *last = NULL;

	for (size_t i = 0; i < site->uses_cnt; i++) {
		const struct plan_use *use = &site->uses[i];

		if (!site->hellos[use->hello].readable)
			site->not_judged += use->sessions;
		else if (!site->hellos[use->hello].served)
			add_loss(&site->unserved, use, &last);
	}
	for (int step = 0; step < PLAN_STEPS; step++) {
		for (int set = 0; set < ET_ADVICE_SETS && site->used[step]; set++) {
			last = NULL;
			for (size_t i = 0; i < site->uses_cnt; i++)
				if (plan_loses(site, step, set, site->uses[i].hello))
					add_loss(&site->loss[step][set], &site->uses[i], &last);
		}
	}
}

static int count_now(struct plan_site *site, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct et_archive_host *host,
	const struct et_advice_bases *bases)
{
	uint8_t *refused = calloc(1, site->hellos_cnt + 1);
	const struct et_archive_pair *last = NULL;
	struct et_tls_profile profile;
	int rc = refused ? et_advice_believe(&site->belief, error, archive, host, bases) : -ENOMEM;

	for (size_t i = 0; i < site->hellos_cnt && rc == 0; i++) {
		struct et_nego_verdict verdict;

		if (!et_archive_profile(&profile, archive, site->hellos[i].hello))
			continue;
		et_nego_judge(&verdict, &site->belief.config, &profile);
		refused[i] = verdict.result == ET_NEGO_REFUSE;
	}
	for (size_t i = 0; i < site->uses_cnt && rc == 0; i++)
		if (refused[site->uses[i].hello] && site->hellos[site->uses[i].hello].served)
			add_loss(&site->now, &site->uses[i], &last);
	free(refused);
	return rc;
}

/* --- the choice --- */

static bool is_less(const struct plan_loss *a, const struct plan_loss *b)
{
	return a->peers != b->peers ? a->peers < b->peers : a->sessions < b->sessions;
}

static bool is_allowed(
	const struct plan_site *site, const struct plan_loss *loss, const struct plan_limit *limit)
{
	uint64_t lost = limit->of_sessions ? loss->sessions : loss->peers,
		 all = limit->of_sessions ? site->sessions : site->peers;

	if (limit->percent)
		return (double)lost * 100 <= limit->value * (double)all;
	return (double)lost <= limit->value;
}

static void choose(struct plan_site *site, const struct plan_limit *limit)
{
	site->step = site->set = -1;
	for (int step = 0; step < PLAN_STEPS; step++) {
		if (!site->used[step])
			continue;
		for (int set = 1; set < ET_ADVICE_SETS; set++)
			if (is_less(&site->loss[step][set], &site->loss[step][site->best[step]]))
				site->best[step] = set;
		for (int set = 0; set < ET_ADVICE_SETS && site->step < 0; set++) {
			if (!is_allowed(site, &site->loss[step][set], limit))
				continue;
			site->step = step;
			site->set = set;
			site->within = true;
		}
	}
	/* none keeps as many as it must: the one that loses least */
	for (int step = 0; step < PLAN_STEPS && !site->within; step++) {
		if (!site->used[step] ||
			(site->step >= 0 && !is_less(&site->loss[step][site->best[step]],
						    &site->loss[site->step][site->set])))
			continue;
		site->step = step;
		site->set = site->best[step];
	}
}

int plan_make(struct plan_site *out, char error[static ET_NEGO_ERROR],
	const struct et_archive *archive, const struct answer_options *options,
	const struct et_archive_host *const *hosts, size_t cnt, enum plan_role role,
	const struct plan_limit *limit, const struct plan_candidates *candidates)
{
	int rc;

	*out = (struct plan_site){ .addr = hosts[0]->addr, .role = role };
	for (size_t i = 0; i < cnt; i++) {
		out->services |= 1u << hosts[i]->service;
		if (!out->name)
			out->name = hosts[i]->name;
	}
	rc = gather(out, archive, options, hosts, cnt);
	rc = rc ? rc : number_hellos(out);
	rc = rc ? rc : judge_all(out, archive, candidates);
	if (rc != 0)
		return rc;
	count_losses(out);
	rc = count_now(out, error, archive, hosts[0], &candidates->bases);
	choose(out, limit);
	out->config = candidates->configs[out->step][out->set];
	return rc;
}

void plan_free(struct plan_site *site)
{
	free(site->uses);
	free(site->hellos);
	free(site->refused);
}
