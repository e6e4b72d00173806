/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The worker's words of this stretch: its id, and the one in our books. Open addressing. */
struct pair {
	uint32_t from, to;
};

struct words {
	struct pair *v;
	uint32_t cap, cnt; /* cap: a power of two, at most half full */
};

struct et_feed_inlet {
	struct et_ring *ring;
	struct et_books *books;
	struct words words[ET_BOOK_MAX];
	struct et_peer_table *peer;
};

#define WORDS_FIRST 64

struct et_feed_inlet *et_feed_inlet_new(struct et_ring *ring, struct et_books *books)
{
	struct et_feed_inlet *inlet = calloc(1, sizeof(*inlet));

	if (!inlet)
		return NULL;
	inlet->ring = ring;
	inlet->books = books;
	inlet->peer = et_peer_table_new(1, SUMS_CELLS);
	for (unsigned i = 0; i < ET_BOOK_MAX; i++) {
		inlet->words[i].cap = WORDS_FIRST;
		inlet->words[i].v = calloc(WORDS_FIRST, sizeof(struct pair));
		if (!inlet->words[i].v || !inlet->peer) {
			et_feed_inlet_free(inlet);
			return NULL;
		}
	}
	return inlet;
}

void et_feed_inlet_free(struct et_feed_inlet *inlet)
{
	if (!inlet)
		return;
	et_peer_table_free(inlet->peer);
	for (unsigned i = 0; i < ET_BOOK_MAX; i++)
		free(inlet->words[i].v);
	free(inlet);
}

static void forget_words(struct et_feed_inlet *inlet)
{
	for (unsigned i = 0; i < ET_BOOK_MAX; i++) {
		struct words *words = &inlet->words[i];

		if (words->cnt > 0)
			memset(words->v, 0, words->cap * sizeof(*words->v));
		words->cnt = 0;
	}
}

void et_feed_inlet_books(struct et_feed_inlet *inlet, struct et_books *books)
{
	inlet->books = books;
	forget_words(inlet);
}

static struct pair *word_at(const struct words *words, uint32_t id)
{
	uint32_t i = id * 2654435761u;

	for (;; i++) {
		struct pair *pair = &words->v[i & (words->cap - 1)];

		if (pair->from == ET_DICT_NONE || pair->from == id)
			return pair;
	}
}

static bool grow_words(struct words *words)
{
	struct words more = { .cap = words->cap * 2, .cnt = words->cnt };

	more.v = calloc(more.cap, sizeof(*more.v));
	if (!more.v)
		return false;
	for (uint32_t i = 0; i < words->cap; i++)
		if (words->v[i].from != ET_DICT_NONE)
			*word_at(&more, words->v[i].from) = words->v[i];
	free(words->v);
	*words = more;
	return true;
}

static bool take_word(struct et_feed_inlet *inlet, struct et_view bytes)
{
	struct words *words;
	struct word word;
	struct pair *pair;

	if (bytes.n < sizeof(word))
		return false;
	memcpy(&word, bytes.p, sizeof(word));
	if (word.id == ET_DICT_NONE || word.book >= ET_BOOK_MAX)
		return false;
	words = &inlet->words[word.book];
	if ((words->cnt + 1) * 2 > words->cap && !grow_words(words))
		return false;
	pair = word_at(words, word.id);
	if (pair->from == ET_DICT_NONE)
		words->cnt++;
	pair->from = word.id;
	pair->to = et_dict_put(et_books_dict(inlet->books, word.book), NULL,
		(struct et_view){ bytes.p + sizeof(word), bytes.n - sizeof(word) });
	return true;
}

/* Our id for a worker's; ET_DICT_NONE for what was not told. */
static uint32_t ours(const struct et_feed_inlet *inlet, enum et_book book, uint32_t id)
{
	return id == ET_DICT_NONE ? ET_DICT_NONE : word_at(&inlet->words[book], id)->to;
}

/* What indexes tables further on must be in range, whoever wrote it. */
static bool is_sound(const struct et_session *s)
{
	return s->service < ET_SERVICE_MAX && s->mode <= ET_MODE_IMPLICIT &&
	       s->outcome < ET_OUTCOME_MAX && s->end <= ET_END_RST_SERVER &&
	       s->inferred <= ET_POSSIBLE + 1 && s->alert_from >= -1 && s->alert_from <= 1 &&
	       s->mail.offered <= ET_YES;
}

static bool take_session(struct et_feed_inlet *inlet, struct et_session *out, struct et_view bytes)
{
	struct et_session_id ids[ET_SESSION_IDS];

	if (bytes.n != sizeof(*out))
		return false;
	memcpy(out, bytes.p, sizeof(*out));
	if (!is_sound(out))
		return false;
	et_session_ids(ids, out);
	for (unsigned i = 0; i < ET_SESSION_IDS; i++)
		*ids[i].id = ours(inlet, ids[i].book, *ids[i].id);
	return true;
}

static bool take_peer(struct et_feed_inlet *inlet, struct et_view bytes)
{
	struct sums sums;
	struct sum sum;

	if (bytes.n < sizeof(sums))
		return false;
	memcpy(&sums, bytes.p, sizeof(sums));
	if (sums.service >= ET_SERVICE_MAX || sums.cells > SUMS_CELLS ||
		bytes.n != sizeof(sums) + sums.cells * sizeof(sum))
		return false;
	et_peer_clear(inlet->peer);
	et_peer_add_counts(inlet->peer, sums.addr, (enum et_service)sums.service, sums.counts);
	for (uint32_t i = 0; i < sums.cells; i++) {
		enum et_book book;

		memcpy(&sum, bytes.p + sizeof(sums) + i * sizeof(sum), sizeof(sum));
		/* the kinds behind it are in no table of sums: et_peer_table_new_fixed */
		if (sum.kind > ET_PEER_HANDSHAKE_MS || sum.kind == ET_PEER_CAUSES ||
			(sum.kind == ET_PEER_HANDSHAKE_MS && sum.key >= ET_PEER_BUCKETS))
			continue;
		book = message_book((enum et_peer_kind)sum.kind);
		if (book != ET_BOOK_MAX) {
			sum.key = ours(inlet, book, (uint32_t)sum.key);
			if (sum.key == ET_DICT_NONE)
				continue;
		}
		et_peer_add_cell(inlet->peer, sums.addr, (enum et_service)sums.service,
			(enum et_peer_kind)sum.kind, sum.key, sum.count);
	}
	return true;
}

static bool take_mark(struct et_feed_inlet *inlet, struct et_feed_mark *out, struct et_view bytes)
{
	if (bytes.n != sizeof(*out))
		return false;
	memcpy(out, bytes.p, sizeof(*out));
	forget_words(inlet);
	return out->minutes > 0;
}

bool et_feed_read(struct et_feed_inlet *inlet, struct et_feed_item *item, uint64_t *bad)
{
	struct et_ring_message message;

	while (et_ring_read(inlet->ring, &message)) {
		bool good = false, is_item = true;

		item->number = message.number;
		switch (message.kind) {
		case MESSAGE_WORD:
			good = take_word(inlet, message.bytes);
			is_item = false;
			break;
		case MESSAGE_SESSION:
			item->kind = ET_FEED_SESSION;
			good = take_session(inlet, &item->session, message.bytes);
			break;
		case MESSAGE_PEER:
			item->kind = ET_FEED_PEER;
			item->peers = inlet->peer;
			good = take_peer(inlet, message.bytes);
			break;
		case MESSAGE_NOTE:
			item->kind = ET_FEED_NOTE;
			item->note = message.bytes;
			good = true;
			break;
		case MESSAGE_MARK:
			item->kind = ET_FEED_MARK;
			good = take_mark(inlet, &item->mark, message.bytes);
			break;
		default: break;
		}
		if (good && is_item)
			return true;
		if (!good && bad)
			++*bad;
	}
	return false;
}
