/* SPDX-License-Identifier: BSD-3-Clause */
#include "grade_parts.h"

#include <stdlib.h>
#include <string.h>

static const char *const roles[] = { "mta", "msa", "mda", "client" };
static_assert(sizeof(roles) / sizeof(*roles) == ET_GRADE_ROLES, "each has a name");
static const char *const severities[] = { "off", "info", "low", "medium", "high", "critical" };
static_assert(sizeof(severities) / sizeof(*severities) == ET_GRADE_SEVERITIES, "each has a name");

const char *et_grade_role_name(enum et_grade_role role)
{
	return roles[role];
}

const char *et_grade_severity_name(enum et_grade_severity severity)
{
	return severities[severity];
}

const char *et_grade_order_name(enum et_grade_order order)
{
	static const char *const names[] = { "unknown", "server", "client", "mixed" };

	return names[order];
}

bool et_grade_role_of(enum et_grade_role *out, enum et_service service)
{
	switch (service) {
	case ET_SERVICE_SMTP:
	case ET_SERVICE_LMTP: *out = ET_GRADE_MTA; return true;
	case ET_SERVICE_SUBMISSION:
	case ET_SERVICE_SMTPS: *out = ET_GRADE_MSA; return true;
	case ET_SERVICE_IMAP:
	case ET_SERVICE_IMAPS:
	case ET_SERVICE_POP3:
	case ET_SERVICE_POP3S:
	case ET_SERVICE_SIEVE: *out = ET_GRADE_MDA; return true;
	default: return false;
	}
}

struct judge {
	struct et_grade *out;
	const struct et_grade_policy *policy;
	const struct et_archive *archive;
};

/* Keeps the peers with the most sessions; of equal ones the first, whose order is by address. */
static void add_peer(
	struct et_grade_finding *finding, const struct et_archive_pair *pair, uint64_t sessions)
{
	size_t i = finding->top_cnt;

	finding->peers++;
	if (pair->sums.last_ns > finding->last_ns || finding->peers == 1)
		finding->last_ns = pair->sums.last_ns;
	if (i == ET_GRADE_PEERS && finding->top[i - 1].sessions >= sessions)
		return;
	if (i < ET_GRADE_PEERS)
		finding->top_cnt++;
	else
		i--;
	for (; i > 0 && finding->top[i - 1].sessions < sessions; i--)
		finding->top[i] = finding->top[i - 1];
	finding->top[i] = (struct et_grade_peer){ pair, sessions };
}

static void ask(struct hit *hit, const struct judge *judge, const struct predicate *predicate,
	const struct et_archive_sums *sums, enum et_service service)
{
	struct look look = { .archive = judge->archive,
		.policy = judge->policy,
		.host = judge->out->host,
		.sums = sums,
		.service = service,
		.arg = predicate->arg };

	*hit = (struct hit){ .confidence = ET_CERTAIN };
	predicate->fn(hit, &look);
}

/* Words of a pair's detail into the whole's. */
static void merge_detail(struct hit *all, const struct hit *hit)
{
	const char *at = hit->detail;
	char word[ET_GRADE_DETAIL];

	while (*at) {
		const char *end = strstr(at, ", ");

		snprintf(word, sizeof(word), "%.*s", (int)(end ? end - at : (long)strlen(at)), at);
		detail_add(all, word);
		at = end ? end + 2 : at + strlen(at);
	}
}

/* The surest pair speaks for all: what one client was sure to meet is so. */
static void add_hit(struct hit *all, const struct hit *hit)
{
	if (hit->sessions > 0 && (all->sessions == 0 || hit->confidence < all->confidence))
		all->confidence = hit->confidence;
	all->sessions += hit->sessions;
	all->of += hit->of;
	if (hit->sessions > 0)
		merge_detail(all, hit);
}

static void judge_one(struct judge *judge, size_t number)
{
	struct et_grade *out = judge->out;
	const struct predicate *predicate = &predicates[number];
	struct et_grade_finding finding = { .predicate = &et_grade_predicates[number],
		.rule = &judge->policy->rules[out->role][number] };
	const struct et_archive_host *host = out->host;
	struct hit all = { .confidence = ET_CERTAIN }, hit;

	for (size_t i = 0; i < host->pairs_cnt; i++) {
		const struct et_archive_pair *pair = host->pairs[i];

		ask(&hit, judge, predicate, &pair->sums, pair->service);
		if (hit.sessions > 0)
			add_peer(&finding, pair, hit.sessions);
		add_hit(&all, &hit);
	}
	if (predicate->scope == SCOPE_HOST)
		ask(&all, judge, predicate, &host->sums, host->service);
	if (all.sessions == 0)
		return;
	finding.sessions = all.sessions;
	finding.of = all.of > all.sessions ? all.of : all.sessions;
	finding.confidence = all.confidence;
	memcpy(finding.detail, all.detail, sizeof(finding.detail));
	if (finding.peers == 0)
		finding.last_ns = host->sums.last_ns;
	out->findings[out->findings_cnt++] = finding;
}

/* The worst first, then in the order of the table. */
static int compare(const void *a, const void *b)
{
	const struct et_grade_finding *x = a, *y = b;

	if (x->rule->severity != y->rule->severity)
		return x->rule->severity > y->rule->severity ? -1 : 1;
	return (x->predicate > y->predicate) - (x->predicate < y->predicate);
}

static void judge_all(struct judge *judge)
{
	struct et_grade *out = judge->out;

	for (size_t i = 0; i < predicates_cnt(); i++)
		if (judge->policy->rules[out->role][i].severity != ET_GRADE_OFF &&
			et_grade_predicates[i].of_client == (out->role == ET_GRADE_CLIENT))
			judge_one(judge, i);
	qsort(out->findings, out->findings_cnt, sizeof(out->findings[0]), compare);
}

/* Letters grow as grades fall. */
static void cap_grade(struct et_grade *out)
{
	out->grade = out->strength;
	for (size_t i = 0; i < out->findings_cnt; i++) {
		const struct et_grade_finding *finding = &out->findings[i];

		if (finding->confidence <= ET_LIKELY && finding->rule->cap > out->grade)
			out->grade = finding->rule->cap;
	}
}

static void unseen(struct et_grade *out, const char *id, const char *text, uint64_t sessions)
{
	if (out->unseen_cnt < ET_GRADE_UNSEEN)
		out->unseen[out->unseen_cnt++] = (struct et_grade_unseen){ id, text, sessions };
}

/* In the order in which they are told; each is a fact about the sums, not about the server. */
static void fill_unseen(struct et_grade *out)
{
	const struct et_archive_sums *sums = &out->host->sums;
	uint64_t certs = et_archive_total(&sums->maps[ET_ARCHIVE_CERTS]),
		 in13 = et_archive_count(&sums->maps[ET_ARCHIVE_VERSIONS], "TLSv1.3");

	if (out->established == 0)
		unseen(out, "tls",
			"no session with TLS was seen: nothing is known of versions, "
			"suites and certificates",
			0);
	else if (in13 > 0 && certs == 0)
		unseen(out, "certificate",
			"certificates are encrypted in TLS 1.3, and no other "
			"session showed one",
			0);
	else if (in13 > 0)
		unseen(out, "certificate_tls13",
			"certificates are encrypted in TLS 1.3: these "
			"sessions may have had another one",
			in13);
	else if (certs == 0)
		unseen(out, "certificate", "no session showed a certificate", 0);
	if (certs > 0 && sums->maps[ET_ARCHIVE_SERVER_NAMES].cnt == 0)
		unseen(out, "name",
			"the server's greeting gave no name to compare the certificate "
			"with",
			0);
	if (sums->sessions_without_maps > 0)
		unseen(out, "old_files",
			"sessions in files of an older ehlotap, without primes, "
			"signatures, compression and extensions",
			sums->sessions_without_maps);
}

static void begin(struct et_grade *out, const struct et_grade_policy *policy,
	const struct et_archive_host *host, enum et_grade_role role)
{
	memset(out, 0, sizeof(*out));
	out->role = role;
	out->host = host;
	out->sessions = host->sums.counts[ET_PEER_SESSIONS];
	out->established = host->sums.counts[ET_PEER_TLS_ESTABLISHED];
	out->few = out->established < policy->few;
}

bool et_grade_server(struct et_grade *out, const struct et_grade_policy *policy,
	const struct et_archive *archive, const struct et_archive_host *server)
{
	struct judge judge = { out, policy, archive };
	enum et_grade_role role;

	if (!et_grade_role_of(&role, server->service))
		return false;
	begin(out, policy, server, role);
	suites_fill(out, policy);
	judge_all(&judge);
	cap_grade(out);
	preference_fill(&out->before13, archive, &server->sums, false);
	preference_fill(&out->in13, archive, &server->sums, true);
	fill_unseen(out);
	return true;
}

void et_grade_client(struct et_grade *out, const struct et_grade_policy *policy,
	const struct et_archive *archive, const struct et_archive_host *client)
{
	struct judge judge = { out, policy, archive };

	begin(out, policy, client, ET_GRADE_CLIENT);
	judge_all(&judge);
}
