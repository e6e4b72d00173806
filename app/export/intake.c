/* SPDX-License-Identifier: BSD-3-Clause */
#include "intake.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PEERS (1u << 24)
#define MAX_CELLS (1u << 27)

struct intake *intake_new(struct et_ring *ring, struct et_books *books)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return NULL;
	intake->inlet = et_feed_inlet_new(ring, books);
	if (!intake->inlet) {
		free(intake);
		return NULL;
	}
	intake->ring = ring;
	intake->books = books;
	intake->next = et_ring_released(ring);
	return intake;
}

static void forget(struct intake *intake)
{
	for (size_t i = 0; i < intake->stretches_cnt; i++) {
		et_peer_table_free(intake->stretches[i].peers);
		free(intake->stretches[i].note);
	}
	intake->stretches_cnt = 0;
	intake->sessions_cnt = 0;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	forget(intake);
	free(intake->stretches);
	free(intake->sessions);
	et_feed_inlet_free(intake->inlet);
	et_ring_close(intake->ring);
	free(intake);
}

/* The stretch that is open; a new one if the last is closed. NULL when memory is short. */
static struct stretch *open_stretch(struct intake *intake)
{
	size_t cnt = intake->stretches_cnt;

	if (cnt > 0 && !intake->stretches[cnt - 1].closed)
		return &intake->stretches[cnt - 1];
	if (cnt == intake->stretches_cap) {
		size_t cap = cnt ? cnt * 2 : 16;
		struct stretch *v = reallocarray(intake->stretches, cap, sizeof(*v));

		if (!v)
			return NULL;
		intake->stretches = v;
		intake->stretches_cap = cap;
	}
	intake->stretches[cnt] = (struct stretch){
		.first = intake->next, .end = intake->next, .sessions_at = intake->sessions_cnt
	};
	intake->stretches_cnt++;
	return &intake->stretches[cnt];
}

static bool add_session(struct intake *intake, const struct et_session *session)
{
	if (intake->sessions_cnt == intake->sessions_cap) {
		size_t cap = intake->sessions_cap ? intake->sessions_cap * 2 : 256;
		struct et_session *v = reallocarray(intake->sessions, cap, sizeof(*v));

		if (!v)
			return false;
		intake->sessions = v;
		intake->sessions_cap = cap;
	}
	intake->sessions[intake->sessions_cnt++] = *session;
	return true;
}

static bool add_peer(struct stretch *stretch, const struct et_peer_table *peer)
{
	if (!stretch->peers)
		stretch->peers = et_peer_table_new(MAX_PEERS, MAX_CELLS);
	if (!stretch->peers)
		return false;
	et_peer_merge(stretch->peers, peer);
	stretch->peers_cnt++;
	return true;
}

static bool take(struct intake *intake, struct stretch *stretch)
{
	const struct et_feed_item *item = &intake->item;

	stretch->end = intake->next = item->number + 1;
	switch (item->kind) {
	case ET_FEED_SESSION: return add_session(intake, &item->session);
	case ET_FEED_PEER: return add_peer(stretch, item->peers);
	case ET_FEED_NOTE:
		free(stretch->note);
		stretch->note = strndup((const char *)item->note.p, item->note.n);
		return stretch->note != NULL;
	case ET_FEED_MARK:
		stretch->mark = item->mark;
		stretch->closed = true;
		if (item->mark.workers > 0)
			intake->workers = item->mark.workers;
		return true;
	}
	return true;
}

bool intake_read(struct intake *intake, size_t budget)
{
	/* asked before reading: then what is found is all that will ever be */
	bool orphan = et_ring_orphan(intake->ring);

	if (intake->finished || intake->out_of_memory)
		return false;
	intake->orphan = orphan;
	for (; budget > 0; budget--) {
		uint64_t damaged = 0;
		bool more = et_feed_read(intake->inlet, &intake->item, &damaged);
		struct stretch *stretch;

		if (!more && damaged == 0) {
			intake->finished = orphan;
			return false;
		}
		stretch = open_stretch(intake);
		if (!stretch || (more && !take(intake, stretch))) {
			intake->out_of_memory = true;
			return false;
		}
		intake->stretches[intake->stretches_cnt - 1].damaged += damaged;
	}
	return true;
}

bool intake_is_live(const struct intake *intake)
{
	return !intake->finished && !et_ring_bad(intake->ring);
}

int64_t intake_shown(const struct intake *intake)
{
	int64_t shown_ns = INT64_MIN;

	for (size_t i = 0; i < intake->stretches_cnt; i++)
		if (intake->stretches[i].closed && intake->stretches[i].mark.minute_ns > shown_ns)
			shown_ns = intake->stretches[i].mark.minute_ns;
	return shown_ns;
}

void intake_release(struct intake *intake, uint64_t number)
{
	et_ring_release(intake->ring, number);
}

void intake_restart(struct intake *intake, struct et_books *books)
{
	forget(intake);
	et_ring_rewind(intake->ring);
	et_feed_inlet_books(intake->inlet, books);
	intake->books = books;
	intake->next = et_ring_released(intake->ring);
	intake->finished = false;
	intake->out_of_memory = false;
}

size_t intake_sessions(const struct intake *intake, size_t i, size_t *at)
{
	*at = intake->stretches[i].sessions_at;
	return i + 1 < intake->stretches_cnt ? intake->stretches[i + 1].sessions_at
					     : intake->sessions_cnt;
}
