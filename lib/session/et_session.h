/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_SESSION_H
#define ET_SESSION_H

/*
 * session: what became of one TCP connection, as one plain record of fixed size.
 *
 * Texts, hellos and certificates are ids in the dictionaries of the worker that saw them; after
 * the workers have stopped, et_books_merge() joins these and translates the ids.
 */

#include "et_dict.h"
#include "et_drop.h"
#include "et_mail.h"
#include "et_tls.h"

enum et_service {
	ET_SERVICE_NONE, /* not known: TLS on a port that is no mail port */
	ET_SERVICE_SMTP,
	ET_SERVICE_SUBMISSION,
	ET_SERVICE_SMTPS,
	ET_SERVICE_LMTP,
	ET_SERVICE_IMAP,
	ET_SERVICE_IMAPS,
	ET_SERVICE_POP3,
	ET_SERVICE_POP3S,
	ET_SERVICE_SIEVE,
	ET_SERVICE_MAX,
};

enum et_mode {
	ET_MODE_NONE, /* no byte of dialogue or TLS was seen */
	ET_MODE_CLEAR,
	ET_MODE_STARTTLS,
	ET_MODE_IMPLICIT,
};

enum et_outcome {
	ET_OUTCOME_NONE,
	ET_OUTCOME_ESTABLISHED,
	ET_OUTCOME_FAILED,
	ET_OUTCOME_INCOMPLETE,
	ET_OUTCOME_BROKEN,
	ET_OUTCOME_UNKNOWN,
	ET_OUTCOME_MAX,
};

/* Why a record is partial; a set of bits. */
enum et_partial {
	ET_PARTIAL_GAP = 1 << 0,
	ET_PARTIAL_ONE_DIRECTION = 1 << 1,
	ET_PARTIAL_MIDSTREAM = 1 << 2,
	ET_PARTIAL_TRUNCATED = 1 << 3,
};

enum et_confidence {
	ET_CERTAIN,
	ET_LIKELY,
	ET_POSSIBLE,
};

/* How the connection ended, for outcomes and causes. */
enum et_end {
	ET_END_OPEN,       /* still open at the end of the capture, or aged out */
	ET_END_FIN_CLIENT, /* who closed first */
	ET_END_FIN_SERVER,
	ET_END_RST_CLIENT,
	ET_END_RST_SERVER,
};

struct et_session {
	int64_t start_ns, end_ns;
	int64_t decided_ns;     /* when the outcome was decided: names the minute */
	int64_t handshake_ns;   /* ClientHello to the end of the handshake; -1: not known */
	uint64_t index;         /* of the connection's first frame: the last word in the order */
	struct et_addr addr[2]; /* by enum et_dir */
	uint16_t port[2];
	uint8_t service, mode, outcome, end; /* the enums above */
	uint8_t partial;                     /* enum et_partial */
	uint8_t inferred;         /* confidence + 1 of an alert that was inferred; 0: none was */
	int8_t alert_from;        /* enum et_dir; -1: no alert */
	uint8_t alert_level;      /* 0: not readable */
	int16_t alert_code;       /* -1: not readable */
	bool closed_before_alert; /* by the server; alert_from is the client, who knew of it */
	uint32_t name[2];         /* in books->names: EHLO name, greeting name */
	uint32_t gaps[2];
	uint64_t packets[2], bytes[2]; /* bytes: TCP payload */
	struct et_mail_facts mail;
	struct et_tls_facts tls;
};

/* The dictionaries that records refer to. */
struct et_books {
	struct et_dict *names, *hellos, *server_hellos, *chains;
};
int et_books_init(struct et_books *books, uint32_t max_entries, size_t max_bytes);
/* Turning dictionaries (et_dict.h). max_bytes is for chains; the others take a part of it each. */
int et_books_init_turning(struct et_books *books, uint32_t max_entries, size_t max_bytes);
void et_books_free(struct et_books *books);
/* Adds what `from` holds to `to` and translates the ids in sessions[0..cnt). 0 or -ENOMEM. */
int et_books_merge(
	struct et_books *to, const struct et_books *from, struct et_session *sessions, size_t cnt);

/* Every id in a record, and which dictionary it is of, for who translates them. */
enum et_book {
	ET_BOOK_NAMES,
	ET_BOOK_HELLOS,
	ET_BOOK_SERVER_HELLOS,
	ET_BOOK_CHAINS,
	ET_BOOK_MAX,
};
struct et_dict *et_books_dict(const struct et_books *books, enum et_book book);

#define ET_SESSION_IDS 9
struct et_session_id {
	uint32_t *id; /* points into the record */
	enum et_book book;
};
void et_session_ids(struct et_session_id out[static ET_SESSION_IDS], struct et_session *session);

/* Puts what the record refers to in `from` into `to` and changes its ids. 0 or -ENOMEM. */
int et_books_move(struct et_books *to, const struct et_books *from, struct et_session *session);

/* The order of records in every output: start, then index. As for qsort. */
int et_session_cmp(const struct et_session *a, const struct et_session *b);

/* The names of RECORDS: "smtp", "starttls", "established"; NULL where the record says null. */
const char *et_service_name(enum et_service service);
const char *et_mode_name(enum et_mode mode);
const char *et_outcome_name(enum et_outcome outcome);
const char *et_confidence_name(enum et_confidence confidence);

#endif
