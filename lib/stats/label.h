/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_LABEL_H
#define ET_STATS_LABEL_H

/*
 * Private to the room: the names that stand as keys in the maps of peer rows, each made once.
 * A *label* is what a kind and a key of a cell come to, as text and ready to be written.
 */

#include "et_peer.h"

struct et_stats_writer;

/* The longest: "CODE CONFIDENCE HELLO", "VERSION SUITE GROUP HELLO KEY". */
#define LABEL_NAME 256

struct label {
	uint64_t key; /* of the cell */
	uint8_t kind; /* enum et_peer_kind */
	uint32_t len; /* of json */
	char *name;   /* "" if the cell is no name of a map, its hello or certificate is missing, or
		       it tells nothing */
	char json[];  /* "name": with its quotes and colon; the name stands behind it */
};

struct labels {
	struct label **slots; /* open addressing, at most half full */
	uint32_t cap, cnt;
};

/* Lives until labels_clear. NULL when memory is short. */
const struct label *labels_get(struct et_stats_writer *writer, const struct et_peer_table *table,
	const struct et_peer_cell *cell);

/* composite.c: names made of several things; "" for what tells nothing. */
void label_failure(char out[static LABEL_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell);
void label_accept(char out[static LABEL_NAME], struct et_stats_writer *writer,
	const struct et_peer_table *table, const struct et_peer_cell *cell);
void label_trait(char out[static LABEL_NAME], struct et_stats_writer *writer, uint64_t key);

/* Causes are numbered by each table: to be called between tables. Gives all memory back. */
void labels_clear(struct labels *labels);

#endif
