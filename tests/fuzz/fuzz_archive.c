/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Can any bytes in a minute file crash what reads it back, or make its sums contradict each other?
 *
 * Input: the file. It is read twice, the second time behind a first one and with narrow bounds, so
 * that minutes come twice and limits are reached.
 */
#include "et_archive.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void on_warning(void *ctx, const char *sentence)
{
	(void)ctx;
	for (size_t i = 0; sentence[i]; i++)
		check(i < 1024);
}

static void check_map(const struct et_archive_map *map)
{
	for (size_t i = 0; i < map->cnt; i++) {
		const char *name = map->v[i].name;

		check(map->v[i].count > 0);
		check(i == 0 || strcmp(map->v[i - 1].name, name) < 0);
		for (size_t c = 0; name[c]; c++)
			check((unsigned char)name[c] >= 0x20 && name[c] != 0x7f);
	}
}

static uint64_t check_hosts(const struct et_archive_host *hosts, size_t cnt)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < cnt; i++) {
		check(hosts[i].pairs_cnt > 0);
		for (unsigned m = 0; m < ET_ARCHIVE_MAP_MAX; m++)
			check_map(&hosts[i].sums.maps[m]);
		rows += hosts[i].sums.rows;
	}
	return rows;
}

static void check_refs(const struct et_archive *archive)
{
	size_t hellos_cnt, certs_cnt;
	const struct et_archive_hello *hellos = et_archive_hellos(archive, &hellos_cnt);
	const struct et_archive_cert *certs = et_archive_certs(archive, &certs_cnt);

	for (size_t i = 0; i < hellos_cnt; i++) {
		struct et_tls_profile profile;
		char ja4[37];

		if (et_archive_profile(&profile, archive, &hellos[i]))
			et_tls_ja4(ja4, &profile);
		check(et_archive_hello(archive, hellos[i].id) == &hellos[i]);
	}
	for (size_t i = 0; i < certs_cnt; i++) {
		char key[ET_ARCHIVE_KEY];

		et_archive_cert_key(key, &certs[i]);
		for (size_t n = 0; n < certs[i].names_cnt; n++)
			check(strlen(certs[i].names[n]) > 0);
		check(et_archive_cert(archive, certs[i].sha256) == &certs[i]);
	}
}

static void check_names(const struct et_archive_map *maps)
{
	struct et_archive_failure failure;
	struct et_archive_accept accept;

	for (size_t i = 0; i < maps[ET_ARCHIVE_FAILURES].cnt; i++)
		et_archive_failure_parse(&failure, maps[ET_ARCHIVE_FAILURES].v[i].name);
	for (size_t i = 0; i < maps[ET_ARCHIVE_ACCEPTS].cnt; i++)
		et_archive_accept_parse(&accept, maps[ET_ARCHIVE_ACCEPTS].v[i].name);
}

static void check_all(const struct et_archive *archive)
{
	const struct et_archive_sums *all = et_archive_all(archive);
	size_t pairs_cnt, servers_cnt, clients_cnt, sensors_cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(archive, &pairs_cnt);
	const struct et_archive_host *servers = et_archive_servers(archive, &servers_cnt);
	const struct et_archive_host *clients = et_archive_clients(archive, &clients_cnt);
	const struct et_archive_sensor *sensors = et_archive_sensors(archive, &sensors_cnt);
	struct et_archive_totals totals;
	uint64_t rows = 0, minutes = 0;

	for (size_t i = 0; i < pairs_cnt; i++) {
		rows += pairs[i].sums.rows;
		check(pairs[i].moments_cnt > 0 && pairs[i].moments_cnt <= pairs[i].sums.rows);
		for (size_t m = 1; m < pairs[i].moments_cnt; m++)
			check(pairs[i].moments[m].minute_ns > pairs[i].moments[m - 1].minute_ns);
	}
	check(rows == all->rows && check_hosts(servers, servers_cnt) == rows &&
		check_hosts(clients, clients_cnt) == rows);
	for (unsigned m = 0; m < ET_ARCHIVE_MAP_MAX; m++)
		check_map(&all->maps[m]);
	check_names(all->maps);
	check_refs(archive);
	for (size_t i = 0; i < sensors_cnt; i++) {
		check(sensors[i].minutes_cnt > 0);
		minutes += sensors[i].minutes_cnt;
	}
	et_archive_totals(&totals, archive);
	check(minutes == totals.minutes);
}

static void read_once(const uint8_t *data, size_t size, bool narrow)
{
	struct et_archive_options options = { .since_ns = INT64_MIN,
		.until_ns = INT64_MAX,
		.max_cells = narrow ? 3 : 0,
		.max_moments = narrow ? 1 : 0,
		.warn = on_warning };
	struct et_archive *archive = et_archive_new(&options);

	check(archive != NULL);
	for (unsigned i = 0; i < 1 + (unsigned)narrow; i++) {
		FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");

		check(in != NULL);
		et_archive_add_rows(archive, in, "input");
		fclose(in);
	}
	check(et_archive_finish(archive) == 0);
	check_all(archive);
	et_archive_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0; /* fmemopen wants a byte */
	read_once(data, size, false);
	read_once(data, size, true);
	return 0;
}
