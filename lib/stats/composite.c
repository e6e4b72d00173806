/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include "et_iana.h"

/*
 * Names in maps that are made of several things, with a blank between them and "-" for what is not
 * known. None of the things has a blank in it.
 */

static const char *hello_or_dash(struct et_stats_writer *writer, uint32_t hello)
{
	const char *id = writer_hello_id(writer, hello);

	return id ? id : "-";
}

/* "CODE CONFIDENCE HELLO" */
void label_failure(char out[static LABEL_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	struct et_peer_failure failure = et_peer_failure(table, cell);
	char code[VAL_NAME];

	et_text_safe(code, sizeof(code), failure.code);
	snprintf(out, LABEL_NAME, "%s %s %s", code, et_confidence_name(failure.confidence),
		hello_or_dash(writer, failure.hello));
}

/* "ecdsa-secp384r1", "rsa-2048", "ed25519" */
static void key_name(char out[static VAL_NAME], struct et_stats_writer *writer, uint32_t chain)
{
	const json_t *leaf = json_array_get(writer_chain(writer, chain), 0);
	const char *key = json_string_value(json_object_get(leaf, "key"));
	const char *curve = json_string_value(json_object_get(leaf, "curve"));
	unsigned bits = (unsigned)json_integer_value(json_object_get(leaf, "bits"));

	if (!key || strchr(key, ' '))
		snprintf(out, VAL_NAME, "-");
	else if (curve)
		snprintf(out, VAL_NAME, "%s-%s", key, curve);
	else if (bits == 0 || strncmp(key, "ed", 2) == 0) /* whose name says it */
		snprintf(out, VAL_NAME, "%s", key);
	else
		snprintf(out, VAL_NAME, "%s-%u", key, bits);
}

/* "VERSION SUITE GROUP HELLO KEY" */
void label_accept(char out[static LABEL_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	struct et_peer_accept accept = et_peer_accept(table, cell);
	char version[VAL_NAME], cipher[VAL_NAME], group[VAL_NAME] = "-", key[VAL_NAME];

	name_version(version, accept.version);
	name_cipher(cipher, accept.version, accept.cipher);
	if (accept.group != 0)
		name_group(group, accept.group);
	key_name(key, writer, accept.chain);
	snprintf(out, LABEL_NAME, "%.15s %.75s %.47s %s %.79s", version, cipher, group,
		hello_or_dash(writer, accept.hello), key);
}

static bool lists(json_t *hello, const char *list, const char *number)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(hello, list), i,
		entry) if (strcmp(json_string_value(entry), number) == 0) return true;
	return false;
}

/* What a server did not grant tells something of it where the client asked for it. */
void label_trait(char out[static LABEL_NAME], struct et_stats_writer *writer, uint64_t key)
{
	enum et_peer_trait trait = (enum et_peer_trait)(key >> 32);
	json_t *hello = writer_hello(writer, (uint32_t)key);

	if (trait == ET_PEER_TRAIT_NO_EMS && !lists(hello, "extensions", "0017"))
		return;
	if (trait == ET_PEER_TRAIT_NO_RENEGOTIATION && !lists(hello, "extensions", "ff01") &&
		!lists(hello, "signals", "00ff"))
		return;
	snprintf(out, LABEL_NAME, "%s", et_peer_trait_name(trait));
}
