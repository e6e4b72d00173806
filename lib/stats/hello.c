/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include "et_iana.h"

static json_t *alpn_json(const struct et_tls_profile *profile)
{
	struct et_cur cur = et_cur(profile->alpn, profile->alpn_n);
	json_t *array = json_array();

	while (cur.n > 0) {
		struct et_view name = et_view_cur(et_block(&cur, 1));

		if (!et_ok(&cur))
			break; /* a list cut to what the profile keeps */
		val_push(&array, val_wire(name));
	}
	return array;
}

static json_t *versions_json(const struct et_tls_profile *profile)
{
	json_t *array = json_array();

	if (!profile->has_versions)
		val_push(&array, val_version(profile->legacy_version));
	for (size_t i = 0; profile->has_versions && i < profile->versions.n; i++)
		val_push(&array, val_version(profile->versions.v[i]));
	return array;
}

static json_t *ciphers_json(const struct et_tls_profile *profile)
{
	json_t *array = json_array();

	for (size_t i = 0; i < profile->ciphers.n; i++)
		if (!et_iana_is_scsv(profile->ciphers.v[i]))
			val_push(&array, val_hex(profile->ciphers.v[i], 4));
	for (size_t i = 0; i < profile->kinds_n; i++) /* of SSLv2: three bytes */
		val_push(&array, val_hex(profile->kinds[i], 6));
	return array;
}

/* What stands among the ciphers and is none: RFC 5746 3.3, RFC 7507. */
static json_t *signals_json(const struct et_tls_profile *profile)
{
	json_t *array = json_array();

	for (size_t i = 0; i < profile->ciphers.n; i++)
		if (et_iana_is_scsv(profile->ciphers.v[i]))
			val_push(&array, val_hex(profile->ciphers.v[i], 4));
	return array;
}

static json_t *hello_json(struct et_view bytes)
{
	struct et_tls_profile profile;
	char id[33], ja3[33], ja4[37];
	json_t *o;

	if (!et_tls_profile_decode(&profile, bytes))
		return NULL;
	et_tls_profile_id(id, bytes);
	et_tls_ja3(ja3, &profile);
	et_tls_ja4(ja4, &profile);
	o = json_object();
	val_put(&o, "id", val_text(id));
	val_put(&o, "sni", json_null());
	val_put(&o, "alpn", alpn_json(&profile));
	val_put(&o, "record_version", val_version(profile.record_version));
	val_put(&o, "legacy_version", val_version(profile.legacy_version));
	val_put(&o, "versions", versions_json(&profile));
	val_put(&o, "ciphers", ciphers_json(&profile));
	val_put(&o, "groups", val_hexes(&profile.groups, 4));
	val_put(&o, "sigalgs", val_hexes(&profile.sigalgs, 4));
	val_put(&o, "key_shares", val_hexes(&profile.key_shares, 4));
	val_put(&o, "extensions", val_hexes(&profile.extensions, 4));
	val_put(&o, "compression", val_hexes(&profile.compression, 2));
	val_put(&o, "signals", signals_json(&profile));
	val_put(&o, "point_formats", val_hexes(&profile.point_formats, 2));
	val_put(&o, "ja3", val_text(ja3));
	val_put(&o, "ja4", val_text(ja4));
	return o;
}

static json_t *server_hello_json(struct et_view bytes)
{
	struct et_tls_server_profile profile;
	char ja3s[33];
	json_t *o;

	if (!et_tls_server_hello_decode(&profile, bytes))
		return NULL;
	et_tls_ja3s(ja3s, &profile);
	o = json_object();
	val_put(&o, "extensions", val_hexes(&profile.extensions, 4));
	val_put(&o, "session_id_len", json_null());
	val_put(&o, "ja3s", val_text(ja3s));
	return o;
}

static json_t *cert_json(const struct et_cert *cert)
{
	json_t *o = json_object(), *names = json_array();

	for (size_t i = 0; i < cert->names_cnt; i++)
		val_push(&names, json_string(cert->names[i]));
	if (!cert->parsed) { /* nothing can be said of its names */
		json_decref(names);
		names = json_null();
	}
	/* a parsed certificate may have an empty subject: that is known */
	val_put(&o, "subject",
		cert->parsed && !cert->subject[0] ? json_string("") : val_text(cert->subject));
	val_put(&o, "issuer",
		cert->parsed && !cert->issuer[0] ? json_string("") : val_text(cert->issuer));
	val_put(&o, "names", names);
	val_put(&o, "key", val_text(cert->key));
	val_put(&o, "bits", cert->bits ? val_count(cert->bits) : json_null());
	val_put(&o, "curve", val_text(cert->curve));
	val_put(&o, "sigalg", val_text(cert->sigalg));
	val_put(&o, "not_before", val_text(cert->not_before));
	val_put(&o, "not_after", val_text(cert->not_after));
	val_put(&o, "sha256", val_text(cert->sha256));
	return o;
}

json_t *writer_hello(struct et_stats_writer *writer, uint32_t id)
{
	if (id == ET_DICT_NONE || id >= writer->hellos_cnt)
		return NULL;
	if (!writer->hellos[id])
		writer->hellos[id] = hello_json(et_dict_get(writer->run.books->hellos, id));
	return writer->hellos[id];
}

json_t *writer_server_hello(struct et_stats_writer *writer, uint32_t id)
{
	if (id == ET_DICT_NONE || id >= writer->server_hellos_cnt)
		return NULL;
	if (!writer->server_hellos[id])
		writer->server_hellos[id] =
			server_hello_json(et_dict_get(writer->run.books->server_hellos, id));
	return writer->server_hellos[id];
}

json_t *writer_chain(struct et_stats_writer *writer, uint32_t id)
{
	const struct et_chain *chain;
	json_t *array;

	if (id == ET_DICT_NONE || id >= writer->chains_cnt)
		return NULL;
	if (writer->chains[id])
		return writer->chains[id];
	chain = et_policy_chain(writer->run.policy, id);
	if (!chain)
		return NULL;
	array = json_array();
	for (size_t i = 0; i < chain->cnt; i++)
		val_push(&array, cert_json(chain->certs[i]));
	writer->chains[id] = array;
	return array;
}

const char *writer_hello_id(struct et_stats_writer *writer, uint32_t id)
{
	return json_string_value(json_object_get(writer_hello(writer, id), "id"));
}

const char *writer_leaf_id(struct et_stats_writer *writer, uint32_t id)
{
	json_t *leaf = json_array_get(writer_chain(writer, id), 0);

	return json_string_value(json_object_get(leaf, "sha256"));
}
