/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include "et_iana.h"

#define FIRST_CAP 256u

static void alert_name(char out[static VAL_NAME], uint64_t key)
{
	const char *from = key >> 16 == ET_CLIENT ? "client" : "server";
	unsigned code = key & 0xffff;
	const char *name = code <= UINT8_MAX ? et_iana_alert((uint8_t)code) : NULL;

	if (code == ET_PEER_NO_CODE)
		name = "encrypted";
	if (name)
		snprintf(out, VAL_NAME, "%s:%s", from, name);
	else
		snprintf(out, VAL_NAME, "%s:%u", from, code);
}

static void pair_name(char out[static VAL_NAME], uint64_t key)
{
	char version[VAL_NAME], cipher[VAL_NAME];

	name_version(version, et_peer_key_version(key));
	name_cipher(cipher, et_peer_key_version(key), et_peer_key_cipher(key));
	snprintf(out, VAL_NAME, "%.15s %.75s", version, cipher);
}

static void cell_name(char out[static LABEL_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell)
{
	const char *id = NULL;

	out[0] = '\0';
	switch ((enum et_peer_kind)cell->kind) {
	case ET_PEER_VERSIONS: name_version(out, (uint16_t)cell->key); return;
	case ET_PEER_CIPHERS:
		name_cipher(out, et_peer_key_version(cell->key), et_peer_key_cipher(cell->key));
		return;
	case ET_PEER_VERSION_CIPHERS: pair_name(out, cell->key); return;
	case ET_PEER_GROUPS: name_group(out, (uint16_t)cell->key); return;
	case ET_PEER_ALERTS: alert_name(out, cell->key); return;
	case ET_PEER_CAUSES: et_text_safe(out, VAL_NAME, et_peer_cause(table, cell)); return;
	case ET_PEER_HELLOS: id = writer_hello_id(writer, (uint32_t)cell->key); break;
	case ET_PEER_CHAINS: id = writer_leaf_id(writer, (uint32_t)cell->key); break;
	case ET_PEER_FAILURES: label_failure(out, writer, table, cell); return;
	case ET_PEER_ACCEPTS: label_accept(out, writer, table, cell); return;
	case ET_PEER_SIGNATURES: name_sigalg(out, (uint16_t)cell->key); return;
	case ET_PEER_TRAITS: label_trait(out, writer, cell->key); return;
	case ET_PEER_DH_BITS:
	case ET_PEER_STARTTLS_REPLIES: snprintf(out, LABEL_NAME, "%u", (unsigned)cell->key); return;
	case ET_PEER_CLIENT_NAMES:
	case ET_PEER_SERVER_NAMES:
	case ET_PEER_HANDSHAKE_MS:
	case ET_PEER_KIND_MAX: break;
	}
	if (id)
		snprintf(out, LABEL_NAME, "%s", id);
}

static struct label *make(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer_cell *cell)
{
	struct text *row = &writer->row;
	size_t at = row->n, len, name_len;
	struct label *label = NULL;
	char name[LABEL_NAME];

	cell_name(name, writer, table, cell);
	name_len = strlen(name);
	/* put together behind the row in hand, and taken off again */
	text_quote(row, name, name_len);
	text_put(row, ":", 1);
	if (!row->failed) {
		len = row->n - at;
		label = malloc(sizeof(*label) + len + name_len + 1);
	}
	if (label) {
		*label = (struct label){
			.key = cell->key, .kind = cell->kind, .len = (uint32_t)len
		};
		memcpy(label->json, row->p + at, len);
		label->name = label->json + len;
		memcpy(label->name, name, name_len + 1);
	}
	row->n = at;
	return label;
}

static struct label **slot_of(const struct labels *labels, uint64_t key, uint8_t kind)
{
	uint64_t hash = (key ^ (uint64_t)kind << 56) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	uint32_t mask = labels->cap - 1;
	uint32_t i = (uint32_t)hash & mask;

	while (labels->slots[i] && (labels->slots[i]->key != key || labels->slots[i]->kind != kind))
		i = (i + 1) & mask;
	return &labels->slots[i];
}

static bool grow(struct labels *labels)
{
	struct labels more = { .cap = labels->cap ? 2 * labels->cap : FIRST_CAP,
		.cnt = labels->cnt };

	if ((labels->cnt + 1) * 2 <= labels->cap)
		return true;
	more.slots = calloc(more.cap, sizeof(struct label *));
	if (!more.slots)
		return false;
	for (uint32_t i = 0; i < labels->cap; i++)
		if (labels->slots[i])
			*slot_of(&more, labels->slots[i]->key, labels->slots[i]->kind) =
				labels->slots[i];
	free(labels->slots);
	*labels = more;
	return true;
}

const struct label *labels_get(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer_cell *cell)
{
	struct labels *labels = &writer->labels;
	struct label **slot;

	if (!grow(labels))
		return NULL;
	slot = slot_of(labels, cell->key, cell->kind);
	if (!*slot) {
		*slot = make(writer, table, cell);
		if (*slot)
			labels->cnt++;
	}
	return *slot;
}

void labels_clear(struct labels *labels)
{
	for (uint32_t i = 0; i < labels->cap; i++)
		free(labels->slots[i]);
	free(labels->slots);
	*labels = (struct labels){ 0 };
}
