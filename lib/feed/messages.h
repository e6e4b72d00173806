/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MESSAGES_H
#define MESSAGES_H

/* Private to the room: the messages as they lie in a ring, in the byte order of the machine. */

#include "et_feed.h"

/* kind of et_ring_message */
enum message {
	MESSAGE_WORD = 1, /* struct word, then the bytes */
	MESSAGE_SESSION,  /* struct et_session, ids of the worker */
	MESSAGE_PEER,     /* struct sums, then struct sum[] */
	MESSAGE_MARK,     /* struct et_feed_mark */
	MESSAGE_NOTE,     /* text */
};

struct word {
	uint32_t id;   /* of the worker; names one dictionary entry until the next mark */
	uint32_t book; /* enum et_book */
};

/* Sums of a peer; one with many cells takes several messages, the counts are in the first. */
struct sums {
	struct et_addr addr[2];
	uint32_t counts[ET_PEER_COUNT_MAX];
	uint32_t service;
	uint32_t cells;
};

struct sum {
	uint64_t key : 56; /* as in et_peer_cell; ids are the worker's */
	uint64_t kind : 8;
	uint32_t count, unused;
};

#define SUMS_CELLS 256 /* in one message */

/* The dictionary that the keys of cells of this kind are ids of; ET_BOOK_MAX: none. */
enum et_book message_book(enum et_peer_kind kind);

#endif
