/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap advise: the smallest set of certificates and the strictest policy that keep the peers that
 * were seen.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "print.h"

enum { OPT_LOSE = ANSWER_OWN, OPT_OF };

static bool lose(struct plan_limit *limit, const char *arg)
{
	char *end;

	/* no hex, no exponent, no "nan" */
	if (*arg && arg[strspn(arg, "0123456789.")] == (strchr(arg, '%') ? '%' : '\0')) {
		limit->value = strtod(arg, &end);
		limit->percent = *end == '%';
		if (end > arg && (end[0] == '\0' || strcmp(end, "%") == 0) &&
			!(limit->percent && limit->value > 100))
			return true;
	}
	fprintf(stderr,
		"ehlotap advise: --lose takes a number or a share, as in 3 or 0.1%%, not \"%s\"\n",
		arg);
	return false;
}

static bool take(void *ctx, int opt, const char *arg)
{
	struct plan_limit *limit = ctx;

	if (opt == OPT_LOSE)
		return lose(limit, arg);
	limit->of_sessions = strcmp(arg, "sessions") == 0;
	if (limit->of_sessions || strcmp(arg, "peers") == 0)
		return true;
	fprintf(stderr, "ehlotap advise: --of takes peers or sessions, not \"%s\"\n", arg);
	return false;
}

static const struct option own[] = { { "lose", required_argument, NULL, OPT_LOSE },
	{ "of", required_argument, NULL, OPT_OF }, { 0 } };

/* Whether a host begins a site that was not planned yet: hosts are by address and service. */
static bool begins(const struct answer_options *options, const struct et_archive_host *hosts,
	size_t at, enum plan_role *role)
{
	enum plan_role other;

	if (!answer_wants_server(options, &hosts[at]) || !plan_role_of(role, hosts[at].service))
		return false;
	for (size_t i = at; i-- > 0 && et_addr_cmp(&hosts[i].addr, &hosts[at].addr) == 0;)
		if (answer_wants_server(options, &hosts[i]) &&
			plan_role_of(&other, hosts[i].service) && other == *role)
			return false;
	return true;
}

static int plan_all(
	struct answer *answer, struct plan_site *sites, char error[static ET_NEGO_ERROR])
{
	static struct plan_candidates candidates; /* too large for the stack */
	const struct answer_options *options = answer->options;
	size_t cnt;
	int made = plan_candidates(&candidates, error);
	const struct et_archive_host *hosts = et_archive_servers(answer->archive, &cnt);

	if (made != 0)
		return made;
	for (size_t i = 0; i < cnt; i++) {
		const struct et_archive_host *of_site[ET_SERVICE_MAX];
		enum plan_role role, other;
		size_t n = 0;
		int rc;

		if (!begins(options, hosts, i, &role))
			continue;
		for (size_t k = i; k < cnt && n < ET_SERVICE_MAX &&
				   et_addr_cmp(&hosts[k].addr, &hosts[i].addr) == 0;
			k++)
			if (answer_wants_server(options, &hosts[k]) &&
				plan_role_of(&other, hosts[k].service) && other == role)
				of_site[n++] = &hosts[k];
		rc = plan_make(&sites[answer->sites_cnt], error, answer->archive, options, of_site,
			n, role, &answer->limit, &candidates);
		/* without a hello there is nothing to advise from */
		if (rc == 0 && sites[answer->sites_cnt].hellos_cnt > 0)
			answer->sites_cnt++;
		else
			plan_free(&sites[answer->sites_cnt]);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void count_outbound(struct answer *answer)
{
	size_t cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(answer->archive, &cnt);

	for (size_t i = 0; i < cnt; i++)
		if (pairs[i].direction && strcmp(pairs[i].direction, "in") != 0 &&
			answer_wants(answer->options, &pairs[i]))
			answer->outbound += pairs[i].sums.counts[ET_PEER_SESSIONS];
}

static int print(const struct answer_options *options, const struct et_archive *archive,
	const struct plan_limit *limit)
{
	struct answer answer = { .options = options, .archive = archive, .limit = *limit };
	char error[ET_NEGO_ERROR] = "";
	struct plan_site *sites;
	size_t cnt;
	int rc;

	et_archive_servers(archive, &cnt);
	sites = calloc(cnt + 1, sizeof(*sites));
	answer.sites = sites;
	et_archive_totals(&answer.totals, archive);
	count_outbound(&answer);
	rc = sites ? plan_all(&answer, sites, error) : -ENOMEM;
	errno = 0;
	if (rc == 0)
		rc = options->json ? print_json(&answer, stdout) : print_text(&answer, stdout);
	for (size_t i = 0; i < answer.sites_cnt; i++)
		plan_free(&sites[i]);
	free(sites);
	if (rc == 0)
		return 0;
	fprintf(stderr, "%s: %s\n", options->program,
		*error ? error : strerror(rc == -EIO && errno ? errno : -rc));
	return 2;
}

int main(int argc, char **argv)
{
	static struct plan_limit limit;
	static const struct answer_program program = {
		.name = "advise",
		.synopsis = "[OPTION]... PATH...",
		.does = "The smallest set of certificates and the strictest policy that keep the "
			"peers.",
		.options =
			"      --lose N|P%       peers that may be lost of each server, or their "
			"share (default 0)\n"
			"      --of WHAT         count --lose in peers (default) or sessions\n",
		.own = own,
		.take = take,
		.ctx = &limit,
		.examples = "  ehlotap advise /var/lib/ehlotap\n"
			    "  ehlotap advise --server mx.example.net --lose 0.1% --of sessions "
			    "/var/lib/ehlotap\n"
			    "  ehlotap advise --gateway 192.0.2.0/24 --json mx.pcap\n",
	};
	struct answer_options options;
	struct et_archive *archive;
	int code = answer_options_read(&options, argc, argv, &program), printed;

	if (code >= 0)
		return code;
	code = answer_load(&archive, &options);
	if (archive) {
		printed = print(&options, archive, &limit);
		code = printed > code ? printed : code;
		et_archive_free(archive);
	}
	return code;
}
