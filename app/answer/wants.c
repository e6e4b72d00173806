/* SPDX-License-Identifier: BSD-3-Clause */
#include "answer_inputs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* ".example.org" and "*.example.org" take in what ends so; else the whole name is meant. */
static bool is_named(const char *wanted, const char *name)
{
	size_t n, m;

	if (wanted[0] == '*')
		wanted++;
	if (wanted[0] != '.')
		return strcasecmp(wanted, name) == 0;
	n = strlen(name);
	m = strlen(wanted);
	return n > m && strcasecmp(name + n - m, wanted) == 0;
}

static bool any_named(const char *wanted, const struct et_archive_map *names)
{
	for (size_t i = 0; i < names->cnt; i++)
		if (is_named(wanted, names->v[i].name))
			return true;
	return false;
}

static bool is_who(const struct answer_who *who, const struct et_addr *addr,
	const struct et_archive_map *names)
{
	return who->name ? any_named(who->name, names) : et_peer_net_holds(&who->net, addr);
}

static bool wants_server(const struct answer_options *options, const struct et_addr *addr,
	enum et_service service, const struct et_archive_sums *sums)
{
	if (options->services && !(options->services & 1u << service))
		return false;
	for (size_t i = 0; i < options->servers_cnt; i++)
		if (is_who(&options->servers[i], addr, &sums->maps[ET_ARCHIVE_SERVER_NAMES]))
			return true;
	return options->servers_cnt == 0;
}

bool answer_wants(const struct answer_options *options, const struct et_archive_pair *pair)
{
	const struct et_archive_map *maps = pair->sums.maps;

	if (!wants_server(options, &pair->server, pair->service, &pair->sums))
		return false;
	for (size_t i = 0; i < options->peers_cnt; i++)
		if (is_who(&options->peers[i], &pair->client, &maps[ET_ARCHIVE_CLIENT_NAMES]) ||
			is_who(&options->peers[i], &pair->server, &maps[ET_ARCHIVE_SERVER_NAMES]))
			return true;
	return options->peers_cnt == 0;
}

bool answer_wants_server(const struct answer_options *options, const struct et_archive_host *server)
{
	return wants_server(options, &server->addr, server->service, &server->sums);
}

bool answer_time_parse(int64_t *out_ns, const char *text)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ",
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ" };
	const int64_t last_s = INT64_C(7258118400); /* 2200: within 64 bits of nanoseconds */
	int64_t s = -1;
	char *end;

	if (text[0] == '@' && text[1] >= '0' && text[1] <= '9') {
		s = strtoll(text + 1, &end, 10);
		if (*end)
			return false;
	}
	for (size_t i = 0; s < 0 && i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm tm = { 0 };
		const char *rest =
			text[0] >= '0' && text[0] <= '9' ? strptime(text, forms[i], &tm) : NULL;

		if (rest && !*rest)
			s = timegm(&tm);
	}
	if (s < 0 || s > last_s)
		return false;
	*out_ns = s * ET_NS_PER_S;
	return true;
}
