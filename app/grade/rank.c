/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"

#include <errno.h>
#include <stdlib.h>

/* --peer: a host that any of its pairs lets in. */
static bool is_wanted(const struct answer *answer, const struct et_archive_host *host)
{
	for (size_t i = 0; i < host->pairs_cnt; i++)
		if (answer_wants(answer->options, host->pairs[i]))
			return true;
	return false;
}

void answer_judge(struct answer *answer, const struct ranked *ranked, bool of_client)
{
	if (of_client)
		et_grade_client(answer->grade, answer->policy, answer->archive, ranked->host);
	else
		et_grade_server(answer->grade, answer->policy, answer->archive, ranked->host);
}

/* The lowest grade first, then the worst finding, then the most sessions; equal ones by address. */
static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int order;

	if (x->grade != y->grade)
		return x->grade > y->grade ? -1 : 1;
	if (x->worst != y->worst)
		return x->worst > y->worst ? -1 : 1;
	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	order = et_addr_cmp(&x->host->addr, &y->host->addr);
	return order ? order : (int)x->host->service - (int)y->host->service;
}

static struct ranked *rank(struct answer *answer, size_t *out_cnt,
	const struct et_archive_host *hosts, size_t cnt, bool of_client)
{
	struct ranked *list = calloc(cnt + 1, sizeof(*list));

	*out_cnt = 0;
	for (size_t i = 0; i < cnt && list; i++) {
		struct ranked *ranked = &list[*out_cnt];
		enum et_grade_role role;

		if (!is_wanted(answer, &hosts[i]))
			continue;
		if (!of_client && !et_grade_role_of(&role, hosts[i].service)) {
			answer->without_role++;
			continue;
		}
		*ranked = (struct ranked){ .host = &hosts[i],
			.sessions = hosts[i].sums.counts[ET_PEER_SESSIONS] };
		answer_judge(answer, ranked, of_client);
		ranked->grade = answer->grade->grade;
		if (answer->grade->findings_cnt > 0)
			ranked->worst = answer->grade->findings[0].rule->severity;
		++*out_cnt;
	}
	if (list)
		qsort(list, *out_cnt, sizeof(*list), compare);
	return list;
}

int answer_rank(struct answer *answer)
{
	const struct et_archive_host *hosts;
	size_t cnt;

	answer->grade = malloc(sizeof(*answer->grade));
	if (!answer->grade)
		return -ENOMEM;
	hosts = et_archive_servers(answer->archive, &cnt);
	answer->servers = rank(answer, &answer->servers_cnt, hosts, cnt, false);
	if (!answer->servers)
		return -ENOMEM;
	if (!answer->with_clients)
		return 0;
	hosts = et_archive_clients(answer->archive, &cnt);
	answer->clients = rank(answer, &answer->clients_cnt, hosts, cnt, true);
	return answer->clients ? 0 : -ENOMEM;
}

void answer_free(struct answer *answer)
{
	free(answer->servers);
	free(answer->clients);
	free(answer->grade);
}
