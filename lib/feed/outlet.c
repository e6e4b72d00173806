/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"

#include <stdlib.h>

/* Kept free for marks: those of a day without a reader. */
#define KEEP_FOR_MARKS ((size_t)1440 * 1024)
/* Of these, for the one that ends all. */
#define KEEP_FOR_LAST 8192
/* Slots of the sums' tables that are cleared in one step: some 3 us. */
#define CLEAR_BYTES (32u * 1024)

/* A table of sums takes sessions in, sends them out, is cleared, and takes sessions in again. */
enum phase {
	PHASE_FILL,
	PHASE_SEND,
	PHASE_CLEAR,
};

struct et_feed_outlet {
	struct et_ring *ring;
	struct et_books books;
	size_t keep;
	unsigned mark;    /* of words: the stretch in which they were told last */
	uint32_t stretch; /* number of the stretch between marks, from 1 */
	struct et_peer_table *filling, *other;
	enum phase phase; /* of `other`: PHASE_FILL when it is empty and waits for its turn */
	uint32_t at;      /* peer of `other` that is sent next */
	const struct et_peer_cell *cell; /* and its next cell; NULL: begin with its counts */
	struct et_feed_mark waiting;     /* counters of marks that found no room */
	uint64_t folded, lost;           /* since the last mark was given */
	bool last;                       /* et_feed_last */
	struct et_feed_counts counts;
};

struct et_feed_outlet *et_feed_outlet_new(
	struct et_ring *ring, const struct et_feed_outlet_options *options)
{
	struct et_feed_outlet *outlet = calloc(1, sizeof(*outlet));

	if (!outlet)
		return NULL;
	outlet->ring = ring;
	outlet->books = *options->books;
	outlet->stretch = 1;
	outlet->mark = options->mark;
	outlet->keep = et_ring_bytes(ring) / 4;
	if (outlet->keep > KEEP_FOR_MARKS)
		outlet->keep = KEEP_FOR_MARKS;
	outlet->filling = et_peer_table_new_fixed(options->max_peers, options->max_cells);
	outlet->other = et_peer_table_new_fixed(options->max_peers, options->max_cells);
	if (!outlet->filling || !outlet->other) {
		et_feed_outlet_free(outlet);
		return NULL;
	}
	return outlet;
}

void et_feed_outlet_free(struct et_feed_outlet *outlet)
{
	if (!outlet)
		return;
	et_peer_table_free(outlet->filling);
	et_peer_table_free(outlet->other);
	free(outlet);
}

/*
 * Sees to it that the reader knows the word in this stretch. False when the ring has no room. A
 * word that is too long for any message stays unknown, and is no value to the reader.
 */
static bool tell(struct et_feed_outlet *outlet, enum et_book book, uint32_t id)
{
	struct et_dict *dict = et_books_dict(&outlet->books, book);
	uint32_t *told = et_dict_mark(dict, id);
	struct word word = { .id = id, .book = book };
	struct et_view bytes;

	if (!told || told[outlet->mark] == outlet->stretch)
		return true; /* a word of a past turn has become no value */
	bytes = et_dict_get(dict, id);
	if (sizeof(word) + bytes.n > ET_RING_MESSAGE_MAX)
		return true;
	if (!et_ring_put(outlet->ring, MESSAGE_WORD, &word, sizeof(word), bytes.p, bytes.n,
		    outlet->keep))
		return false;
	told[outlet->mark] = outlet->stretch;
	return true;
}

static bool send_session(struct et_feed_outlet *outlet, const struct et_session *session)
{
	struct et_session copy = *session;
	struct et_session_id ids[ET_SESSION_IDS];

	et_session_ids(ids, &copy);
	for (unsigned i = 0; i < ET_SESSION_IDS; i++)
		if (*ids[i].id != ET_DICT_NONE && !tell(outlet, ids[i].book, *ids[i].id))
			return false;
	return et_ring_put(
		outlet->ring, MESSAGE_SESSION, session, sizeof(*session), NULL, 0, outlet->keep);
}

void et_feed_session(struct et_feed_outlet *outlet, const struct et_session *session)
{
	outlet->counts.sessions++;
	if (et_likely(send_session(outlet, session)))
		return;
	et_peer_add(outlet->filling, session, NULL, false);
	outlet->folded++;
	outlet->counts.folded++;
	outlet->counts.sessions_waiting++;
}

void et_feed_mark(struct et_feed_outlet *outlet, const struct et_feed_mark *mark)
{
	struct et_feed_mark now = *mark;

	now.folded += outlet->folded;
	now.table_lost += outlet->lost;
	outlet->folded = outlet->lost = 0;
	et_feed_mark_add(&outlet->waiting, &now);
	outlet->counts.marks_waiting = outlet->waiting.minutes;
	if (!et_ring_put(outlet->ring, MESSAGE_MARK, &outlet->waiting, sizeof(outlet->waiting),
		    NULL, 0, 0))
		return;
	outlet->waiting.minutes = 0;
	outlet->counts.marks_waiting = 0;
	outlet->counts.marks++;
	outlet->stretch++;
}

void et_feed_note(struct et_feed_outlet *outlet, struct et_view text)
{
	et_ring_put(outlet->ring, MESSAGE_NOTE, NULL, 0, text.p, text.n, outlet->keep);
}

/* The words of the cells that one message takes. */
static bool tell_cells(
	struct et_feed_outlet *outlet, const struct et_peer *peer, const struct et_peer_cell *cell)
{
	for (unsigned n = 0; cell && n < SUMS_CELLS; n++) {
		enum et_book book = message_book((enum et_peer_kind)cell->kind);

		if (book != ET_BOOK_MAX && !tell(outlet, book, (uint32_t)cell->key))
			return false;
		cell = et_peer_next(outlet->other, peer, cell);
	}
	return true;
}

/* Sends one message of the peer whose turn it is; false when there is no room. */
static bool send_sums(struct et_feed_outlet *outlet)
{
	const struct et_peer *peer = et_peer_at(outlet->other, outlet->at);
	const struct et_peer_cell *cell = outlet->cell;
	struct sums sums = { .service = peer->service };
	struct sum cells[SUMS_CELLS];
	bool begins = !cell;

	if (begins)
		cell = et_peer_next(outlet->other, peer, NULL);
	if (!tell_cells(outlet, peer, cell))
		return false;
	for (unsigned i = 0; i < 2; i++)
		sums.addr[i] = peer->addr[i];
	for (unsigned i = 0; begins && i < ET_PEER_COUNT_MAX; i++)
		sums.counts[i] = peer->counts[i];
	for (; cell && sums.cells < SUMS_CELLS; cell = et_peer_next(outlet->other, peer, cell))
		cells[sums.cells++] =
			(struct sum){ .key = cell->key, .kind = cell->kind, .count = cell->count };
	if (!et_ring_put(outlet->ring, MESSAGE_PEER, &sums, sizeof(sums), cells,
		    sums.cells * sizeof(cells[0]), outlet->keep))
		return false;
	if (begins)
		outlet->counts.sessions_waiting -= peer->counts[ET_PEER_SESSIONS];
	outlet->cell = cell;
	if (!cell)
		outlet->at++;
	return true;
}

/* Whether the sums of `filling` should go out now: not into a ring that is about to be full again. */
static bool has_room(const struct et_feed_outlet *outlet)
{
	return outlet->last || et_ring_used(outlet->ring) < et_ring_bytes(outlet->ring) / 2;
}

void et_feed_last(struct et_feed_outlet *outlet)
{
	outlet->last = true;
	outlet->keep = KEEP_FOR_LAST;
}

bool et_feed_slice(struct et_feed_outlet *outlet, unsigned budget)
{
	for (; budget > 0; budget--) {
		switch (outlet->phase) {
		case PHASE_FILL:
			if (et_peer_cnt(outlet->filling) == 0 || !has_room(outlet))
				return false;
			struct et_peer_table *full = outlet->filling;

			outlet->filling = outlet->other;
			outlet->other = full;
			outlet->at = 0;
			outlet->cell = NULL;
			outlet->lost += et_peer_refused(full);
			outlet->phase = PHASE_SEND;
			break;
		case PHASE_SEND:
			if (outlet->at == et_peer_cnt(outlet->other))
				outlet->phase = PHASE_CLEAR;
			else if (!send_sums(outlet))
				return false;
			break;
		case PHASE_CLEAR:
			if (et_peer_clear_some(outlet->other, CLEAR_BYTES))
				outlet->phase = PHASE_FILL;
			break;
		}
	}
	return true;
}

void et_feed_counts(struct et_feed_counts *out, const struct et_feed_outlet *outlet)
{
	*out = outlet->counts;
	out->peers_waiting = et_peer_cnt(outlet->filling);
	if (outlet->phase == PHASE_SEND)
		out->peers_waiting += et_peer_cnt(outlet->other) - outlet->at;
}
