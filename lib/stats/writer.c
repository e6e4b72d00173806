/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

bool et_stats_sensor_ok(const char *sensor)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(sensor);

	return n > 0 && n <= 64 && sensor[0] != '.' && strspn(sensor, allowed) == n;
}

void et_stats_count(struct et_peer_table *table, const struct et_stats_run *run)
{
	for (size_t i = 0; i < run->cnt; i++)
		et_peer_add(table, &run->sessions[i], et_policy_cause(run->policy, i),
			et_policy_fallback(run->policy, i).is);
}

struct et_stats_writer *et_stats_writer_new(const struct et_stats_run *run)
{
	struct et_stats_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return NULL;
	writer->run = *run;
	writer->hellos_cnt = et_dict_count(run->books->hellos) + 1;
	writer->server_hellos_cnt = et_dict_count(run->books->server_hellos) + 1;
	writer->chains_cnt = et_dict_count(run->books->chains) + 1;
	writer->hellos = calloc(writer->hellos_cnt, sizeof(json_t *));
	writer->server_hellos = calloc(writer->server_hellos_cnt, sizeof(json_t *));
	writer->chains = calloc(writer->chains_cnt, sizeof(json_t *));
	if (writer->hellos && writer->server_hellos && writer->chains)
		return writer;
	et_stats_writer_free(writer);
	return NULL;
}

static void free_values(json_t **values, uint32_t cnt)
{
	for (uint32_t i = 0; values && i < cnt; i++)
		json_decref(values[i]);
	free(values);
}

void et_stats_writer_free(struct et_stats_writer *writer)
{
	if (!writer)
		return;
	free_values(writer->hellos, writer->hellos_cnt);
	free_values(writer->server_hellos, writer->server_hellos_cnt);
	free_values(writer->chains, writer->chains_cnt);
	labels_clear(&writer->labels);
	free(writer->row.p);
	free(writer->pairs);
	free(writer);
}
