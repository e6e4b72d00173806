/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_session.h"

#include <errno.h>
#include <stdlib.h>

static struct et_dict **dict_at(struct et_books *books, enum et_book book)
{
	switch (book) {
	case ET_BOOK_HELLOS: return &books->hellos;
	case ET_BOOK_SERVER_HELLOS: return &books->server_hellos;
	case ET_BOOK_CHAINS: return &books->chains;
	default: return &books->names;
	}
}

struct et_dict *et_books_dict(const struct et_books *books, enum et_book book)
{
	struct et_books copy = *books;

	return *dict_at(&copy, book);
}

int et_books_init(struct et_books *books, uint32_t max_entries, size_t max_bytes)
{
	*books = (struct et_books){ 0 };
	for (unsigned i = 0; i < ET_BOOK_MAX; i++) {
		struct et_dict *dict = et_dict_new(max_entries, max_bytes);

		if (!dict) {
			et_books_free(books);
			return -ENOMEM;
		}
		*dict_at(books, i) = dict;
	}
	return 0;
}

int et_books_init_turning(struct et_books *books, uint32_t max_entries, size_t max_bytes)
{
	/* a chain has some 3 KiB, a hello 300 bytes, what is kept of a ServerHello 20, a name 30 */
	static const size_t part[ET_BOOK_MAX] = {
		[ET_BOOK_NAMES] = 8,
		[ET_BOOK_HELLOS] = 4,
		[ET_BOOK_SERVER_HELLOS] = 16,
		[ET_BOOK_CHAINS] = 1,
	};

	*books = (struct et_books){ 0 };
	for (unsigned i = 0; i < ET_BOOK_MAX; i++) {
		struct et_dict *dict = et_dict_new_turning(max_entries, max_bytes / part[i]);

		if (!dict) {
			et_books_free(books);
			return -ENOMEM;
		}
		*dict_at(books, i) = dict;
	}
	return 0;
}

void et_books_free(struct et_books *books)
{
	for (unsigned i = 0; i < ET_BOOK_MAX; i++)
		et_dict_free(*dict_at(books, i));
	*books = (struct et_books){ 0 };
}

void et_session_ids(struct et_session_id out[static ET_SESSION_IDS], struct et_session *s)
{
	out[0] = (struct et_session_id){ &s->name[ET_CLIENT], ET_BOOK_NAMES };
	out[1] = (struct et_session_id){ &s->name[ET_SERVER], ET_BOOK_NAMES };
	out[2] = (struct et_session_id){ &s->mail.client_name, ET_BOOK_NAMES };
	out[3] = (struct et_session_id){ &s->mail.server_name, ET_BOOK_NAMES };
	out[4] = (struct et_session_id){ &s->tls.sni, ET_BOOK_NAMES };
	out[5] = (struct et_session_id){ &s->tls.hello, ET_BOOK_HELLOS };
	out[6] = (struct et_session_id){ &s->tls.server_hello, ET_BOOK_SERVER_HELLOS };
	out[7] = (struct et_session_id){ &s->tls.chain[ET_CLIENT], ET_BOOK_CHAINS };
	out[8] = (struct et_session_id){ &s->tls.chain[ET_SERVER], ET_BOOK_CHAINS };
}

int et_books_move(struct et_books *to, const struct et_books *from, struct et_session *session)
{
	struct et_session_id ids[ET_SESSION_IDS];

	et_session_ids(ids, session);
	for (unsigned i = 0; i < ET_SESSION_IDS; i++) {
		if (*ids[i].id == ET_DICT_NONE)
			continue;
		*ids[i].id = et_dict_put(et_books_dict(to, ids[i].book), NULL,
			et_dict_get(et_books_dict(from, ids[i].book), *ids[i].id));
		if (*ids[i].id == ET_DICT_NONE)
			return -ENOMEM;
	}
	return 0;
}

/* New ids by old ids; [0] is 0. NULL when memory is short. */
static uint32_t *translation(struct et_dict *to, const struct et_dict *from)
{
	uint32_t cnt = et_dict_count(from);
	uint32_t *ids = calloc((size_t)cnt + 1, sizeof(*ids));

	for (uint32_t id = 1; ids && id <= cnt; id++)
		ids[id] = et_dict_put(to, NULL, et_dict_get(from, id));
	return ids;
}

int et_books_merge(
	struct et_books *to, const struct et_books *from, struct et_session *sessions, size_t cnt)
{
	uint32_t *by_book[ET_BOOK_MAX];
	struct et_session_id ids[ET_SESSION_IDS];
	int err = 0;

	for (unsigned i = 0; i < ET_BOOK_MAX; i++) {
		by_book[i] = translation(et_books_dict(to, i), et_books_dict(from, i));
		if (!by_book[i])
			err = -ENOMEM;
	}
	for (size_t i = 0; i < cnt && !err; i++) {
		et_session_ids(ids, &sessions[i]);
		for (unsigned j = 0; j < ET_SESSION_IDS; j++)
			*ids[j].id = by_book[ids[j].book][*ids[j].id];
	}
	for (unsigned i = 0; i < ET_BOOK_MAX; i++)
		free(by_book[i]);
	return err;
}
