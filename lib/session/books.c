/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_session.h"

#include <errno.h>
#include <stdlib.h>

int et_books_init(struct et_books *books, uint32_t max_entries, size_t max_bytes)
{
	struct et_dict **dicts[] = { &books->names, &books->hellos, &books->server_hellos,
		&books->chains };

	*books = (struct et_books){ 0 };
	for (size_t i = 0; i < sizeof(dicts) / sizeof(dicts[0]); i++) {
		*dicts[i] = et_dict_new(max_entries, max_bytes);
		if (!*dicts[i]) {
			et_books_free(books);
			return -ENOMEM;
		}
	}
	return 0;
}

void et_books_free(struct et_books *books)
{
	et_dict_free(books->names);
	et_dict_free(books->hellos);
	et_dict_free(books->server_hellos);
	et_dict_free(books->chains);
	*books = (struct et_books){ 0 };
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
	uint32_t *names = translation(to->names, from->names);
	uint32_t *hellos = translation(to->hellos, from->hellos);
	uint32_t *server_hellos = translation(to->server_hellos, from->server_hellos);
	uint32_t *chains = translation(to->chains, from->chains);
	int err = names && hellos && server_hellos && chains ? 0 : -ENOMEM;

	for (size_t i = 0; i < cnt && !err; i++) {
		struct et_session *s = &sessions[i];

		for (unsigned dir = 0; dir < 2; dir++) {
			s->name[dir] = names[s->name[dir]];
			s->tls.chain[dir] = chains[s->tls.chain[dir]];
		}
		s->mail.client_name = names[s->mail.client_name];
		s->mail.server_name = names[s->mail.server_name];
		s->tls.sni = names[s->tls.sni];
		s->tls.hello = hellos[s->tls.hello];
		s->tls.server_hello = server_hellos[s->tls.server_hello];
	}
	free(names);
	free(hellos);
	free(server_hellos);
	free(chains);
	return err;
}
