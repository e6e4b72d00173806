/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Prints all that an archive holds, one JSON object a line, for run.py to compare:
 *
 *	archive_dump [options of the programs that answer] PATH...
 */

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "answer_inputs.h"
#include "et_iana.h"

static void put(json_t *row)
{
	if (!row || json_dumpf(row, stdout, JSON_COMPACT) != 0)
		abort();
	putchar('\n');
	json_decref(row);
}

static json_t *map_json(const struct et_archive_map *map)
{
	json_t *o = json_object();

	for (size_t i = 0; i < map->cnt; i++) {
		/* each name once, in order */
		if (i > 0 && strcmp(map->v[i - 1].name, map->v[i].name) >= 0)
			abort();
		if (et_archive_count(map, map->v[i].name) != map->v[i].count)
			abort();
		json_object_set_new(o, map->v[i].name, json_integer((json_int_t)map->v[i].count));
	}
	return o;
}

static json_t *time_json(int64_t ns)
{
	char text[ET_TIME_TEXT];

	et_time_s(text, ns);
	return json_string(text);
}

static json_t *sums_json(const struct et_archive_sums *sums)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < ET_PEER_COUNT_MAX; i++)
		json_object_set_new(o, et_peer_count_name((enum et_peer_count)i),
			json_integer((json_int_t)sums->counts[i]));
	for (unsigned i = 0; i < ET_ARCHIVE_MAP_MAX; i++)
		json_object_set_new(o, et_archive_map_name((enum et_archive_map_id)i),
			map_json(&sums->maps[i]));
	json_object_set_new(o, "first", time_json(sums->first_ns));
	json_object_set_new(o, "last", time_json(sums->last_ns));
	json_object_set_new(o, "rows", json_integer((json_int_t)sums->rows));
	json_object_set_new(o, "without", json_integer((json_int_t)sums->sessions_without_maps));
	return o;
}

static json_t *addr_json(const struct et_addr *addr)
{
	char text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	return json_string(text);
}

static void put_pair(const struct answer_options *options, const struct et_archive_pair *pair)
{
	json_t *o = sums_json(&pair->sums), *moments = json_array();

	for (size_t i = 0; i < pair->moments_cnt; i++) {
		const struct et_archive_moment *m = &pair->moments[i];

		json_array_append_new(moments,
			json_pack("[o, i, i, i, i, i, i]", time_json(m->minute_ns), m->sessions,
				m->established, m->failed, m->refused, m->clear, m->fallbacks));
	}
	json_object_set_new(o, "type", json_string("pair"));
	json_object_set_new(o, "client", addr_json(&pair->client));
	json_object_set_new(o, "server", addr_json(&pair->server));
	json_object_set_new(o, "service", json_pack("s?", et_service_name(pair->service)));
	json_object_set_new(o, "names",
		json_pack("[s?, s?, s?]", pair->client_name, pair->server_name, pair->direction));
	json_object_set_new(o, "moments", moments);
	json_object_set_new(o, "wanted", json_boolean(answer_wants(options, pair)));
	put(o);
}

static void put_host(const char *type, const struct et_archive_host *host)
{
	json_t *o = sums_json(&host->sums), *pairs = json_array();

	for (size_t i = 0; i < host->pairs_cnt; i++)
		json_array_append_new(pairs, json_pack("[o, o]", addr_json(&host->pairs[i]->client),
						     addr_json(&host->pairs[i]->server)));
	json_object_set_new(o, "type", json_string(type));
	json_object_set_new(o, "addr", addr_json(&host->addr));
	json_object_set_new(o, "service", json_pack("s?", et_service_name(host->service)));
	json_object_set_new(o, "name", json_pack("s?", host->name));
	json_object_set_new(o, "pairs", pairs);
	put(o);
}

static bool has_id(const struct et_tls_profile *profile, const char *id)
{
	uint8_t packed[ET_TLS_PROFILE_MAX];
	char own[33];

	et_tls_profile_id(own,
		(struct et_view){ packed, et_tls_profile_pack(packed, sizeof(packed), profile) });
	return strcmp(own, id) == 0;
}

static void move(struct et_tls_list *list, size_t from, size_t to)
{
	uint16_t value = list->v[from];

	memmove(&list->v[from], &list->v[from + 1], (list->n - from - 1) * sizeof(list->v[0]));
	memmove(&list->v[to + 1], &list->v[to], (list->n - to - 1) * sizeof(list->v[0]));
	list->v[to] = value;
}

/*
 * The id is the digest of the profile as it was on the wire: so the profile is the same if its own
 * digest is. Signals stand at the end and may have stood anywhere: all places are tried, of two
 * signals both.
 */
static bool is_same(const struct et_tls_profile *profile, const char *id)
{
	size_t n = profile->ciphers.n;
	bool one = n >= 1 && et_iana_is_scsv(profile->ciphers.v[n - 1]);
	bool two = n >= 2 && et_iana_is_scsv(profile->ciphers.v[n - 2]);

	if (has_id(profile, id))
		return true;
	for (size_t a = 0; one && a < n; a++) {
		struct et_tls_profile first = *profile;

		move(&first.ciphers, n - 1, a);
		if (has_id(&first, id))
			return true;
		for (size_t b = 0; two && b < n; b++) {
			struct et_tls_profile second = first;

			move(&second.ciphers, a < n - 1 ? n - 1 : n - 2, b);
			if (has_id(&second, id))
				return true;
		}
	}
	return false;
}

static void put_hellos(const struct et_archive *archive)
{
	size_t cnt;
	const struct et_archive_hello *hellos = et_archive_hellos(archive, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		struct et_tls_profile profile;
		bool known = et_archive_profile(&profile, archive, &hellos[i]);

		if (et_archive_hello(archive, hellos[i].id) != &hellos[i])
			abort();
		put(json_pack("{s:s, s:s, s:b, s:b, s:s?, s:s?, s:I, s:i}", "type", "hello", "id",
			hellos[i].id, "known", known, "same",
			known && is_same(&profile, hellos[i].id), "ja3", hellos[i].ja3, "ja4",
			hellos[i].ja4, "sessions", (json_int_t)hellos[i].sessions, "ciphers",
			(int)profile.ciphers.n));
	}
}

static void put_certs(const struct et_archive *archive)
{
	size_t cnt;
	const struct et_archive_cert *certs = et_archive_certs(archive, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		const struct et_archive_cert *cert = &certs[i];
		char key[ET_ARCHIVE_KEY];
		json_t *names = json_array();

		if (et_archive_cert(archive, cert->sha256) != cert)
			abort();
		et_archive_cert_key(key, cert);
		for (size_t n = 0; n < cert->names_cnt; n++)
			json_array_append_new(names, json_string(cert->names[n]));
		put(json_pack(
			"{s:s, s:s, s:b, s:b, s:s?, s:s?, s:o, s:s, s:s?, s:s?, s:s?, s:I, s:I, "
			"s:I}",
			"type", "cert", "sha256", cert->sha256, "known", cert->known, "self_signed",
			cert->self_signed, "subject", cert->subject, "issuer", cert->issuer,
			"names", names, "kind", key, "sigalg", cert->sigalg, "not_before",
			cert->not_before, "not_after", cert->not_after, "not_before_s",
			(json_int_t)(cert->not_before_ns / ET_NS_PER_S), "not_after_s",
			(json_int_t)(cert->not_after_ns / ET_NS_PER_S), "sessions",
			(json_int_t)cert->sessions));
	}
}

static json_t *capture_json(const struct et_archive_capture *capture)
{
	json_t *o = json_object();

#define X(id)                       \
	json_object_set_new(o, #id, \
		json_pack("[I, I]", (json_int_t)capture->id, (json_int_t)capture->minutes_##id));
	ET_ARCHIVE_CAPTURE(X)
#undef X
	json_object_set_new(o, "seconds", json_real(capture->seconds));
	json_object_set_new(o, "drops", map_json(&capture->drops));
	return o;
}

static void put_sensors(const struct et_archive *archive)
{
	size_t cnt;
	const struct et_archive_sensor *sensors = et_archive_sensors(archive, &cnt);

	for (size_t i = 0; i < cnt; i++) {
		const struct et_archive_sensor *sensor = &sensors[i];
		json_t *minutes = json_array(), *holes = json_array();

		for (size_t m = 0; m < sensor->minutes_cnt; m++)
			json_array_append_new(minutes, time_json(sensor->minutes[m]));
		for (size_t h = 0; h < sensor->holes_cnt; h++)
			json_array_append_new(
				holes, json_pack("[o, o]", time_json(sensor->holes[h].first_ns),
					       time_json(sensor->holes[h].end_ns)));
		put(json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "type", "sensor", "name",
			sensor->name, "first", time_json(sensor->first_ns), "last",
			time_json(sensor->last_ns), "minutes", minutes, "holes", holes, "capture",
			capture_json(&sensor->capture)));
	}
}

static void put_totals(const struct et_archive *archive)
{
	struct et_archive_totals t;
	json_t *o;

	et_archive_totals(&t, archive);
	o = json_pack("{s:s, s:o, s:o, s:I}", "type", "totals", "first", time_json(t.first_ns),
		"last", time_json(t.last_ns), "grain_s",
		(json_int_t)(et_archive_grain(archive) / ET_NS_PER_S));
#define PUT(id) json_object_set_new(o, #id, json_integer((json_int_t)t.id));
	PUT(minutes)
	PUT(files)
	PUT(unreadable)
	PUT(damaged)
	PUT(truncated)
	PUT(twice)
	PUT(outside)
	PUT(rows)
	PUT(bad_rows)
	PUT(other_rows)
	PUT(refused)
	PUT(hellos_missing)
	PUT(certs_missing)
#undef PUT
	json_object_set_new(o, "capture", capture_json(&t.capture));
	put(o);
}

/* Names made of several things come apart. */
static void check_names(const struct et_archive *archive)
{
	const struct et_archive_map *maps = et_archive_all(archive)->maps;
	struct et_archive_failure failure;
	struct et_archive_accept accept;

	for (size_t i = 0; i < maps[ET_ARCHIVE_FAILURES].cnt; i++)
		if (!et_archive_failure_parse(&failure, maps[ET_ARCHIVE_FAILURES].v[i].name))
			abort();
	for (size_t i = 0; i < maps[ET_ARCHIVE_ACCEPTS].cnt; i++)
		if (!et_archive_accept_parse(&accept, maps[ET_ARCHIVE_ACCEPTS].v[i].name))
			abort();
}

static void put_all(const struct answer_options *options, const struct et_archive *archive)
{
	size_t pairs_cnt, servers_cnt, clients_cnt;
	const struct et_archive_pair *pairs = et_archive_pairs(archive, &pairs_cnt);
	const struct et_archive_host *servers = et_archive_servers(archive, &servers_cnt);
	const struct et_archive_host *clients = et_archive_clients(archive, &clients_cnt);
	json_t *o = sums_json(et_archive_all(archive));

	json_object_set_new(o, "type", json_string("all"));
	put(o);
	for (size_t i = 0; i < pairs_cnt; i++)
		put_pair(options, &pairs[i]);
	for (size_t i = 0; i < servers_cnt; i++) {
		if (et_archive_server(archive, &servers[i].addr, servers[i].service) != &servers[i])
			abort();
		put_host("server", &servers[i]);
	}
	for (size_t i = 0; i < clients_cnt; i++)
		put_host("client", &clients[i]);
	put_hellos(archive);
	put_certs(archive);
	put_sensors(archive);
	put_totals(archive);
}

/* Rows that the archive does not keep. */
static void on_row(void *ctx, const char *type, const char *sensor, int64_t minute_ns,
	const struct json_t *row)
{
	char minute[ET_TIME_TEXT];

	(void)ctx;
	(void)row;
	et_time_s(minute, minute_ns);
	put(json_pack("{s:s, s:s, s:s, s:s}", "type", "other", "of", type, "sensor", sensor,
		"minute", minute));
}

int main(int argc, char **argv)
{
	static const struct answer_program program = { .name = "dump",
		.synopsis = "[OPTION]... PATH...",
		.does = "Print all that minute files hold." };
	const struct answer_rows rows = { .take = on_row };
	struct answer_options options;
	struct et_archive *archive;
	int code = answer_options_read(&options, argc, argv, &program);

	if (code >= 0)
		return code;
	code = answer_load_rows(&archive, &options, &rows);
	if (archive) {
		check_names(archive);
		put_all(&options, archive);
	}
	et_archive_free(archive);
	return code;
}
