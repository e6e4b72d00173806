/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_MAIL_H
#define ET_MAIL_H

/*
 * mail: the mail dialogue in clear, as far as STARTTLS, mail in clear and AUTH in clear go.
 *
 * Each direction is fed alone, in order, split anywhere; the room pairs commands with replies by
 * their order (IMAP by tag), in a bounded queue, and does not trust that a command was fed before
 * its reply. Message bodies (DATA, BDAT, literals) are skipped and never taken for dialogue.
 * Nothing of bodies, envelopes or credentials is kept.
 *
 * The room knows nothing of TLS but what a first byte of it looks like at a line's start: it then
 * stops, and the caller decides.
 *
 * The caller owns struct et_mail (a part of the connection's undecided state). One thread at a
 * time. No allocation except in the dictionary of names.
 */

#include "et_dict.h"
#include "et_drop.h"

enum et_mail_proto {
	ET_MAIL_UNKNOWN,
	ET_MAIL_SMTP,
	ET_MAIL_LMTP, /* RFC 2033: SMTP with LHLO and one reply per recipient after DATA */
	ET_MAIL_IMAP,
	ET_MAIL_POP3,
	ET_MAIL_SIEVE,
};

enum et_tristate {
	ET_NOT_KNOWN,
	ET_NO,
	ET_YES,
};

/* What was learnt; read by the caller at any time. */
struct et_mail_facts {
	/*
	 * STARTTLS/STLS among the capabilities of a whole reply. IMAP, POP3, ManageSieve: no list
	 * takes a YES back, and NO needs a list from before any login, since behind one the word is
	 * gone (RFC 3501 6.2.1, RFC 2595 4).
	 */
	enum et_tristate offered;
	bool masked;          /* a capability overwritten on the path, as XXXXXXXA */
	bool requested;       /* the client asked for it */
	bool injected;        /* bytes in clear pipelined behind the client's STARTTLS */
	bool reply_injected;  /* bytes in clear behind the server's 220 in the same flight */
	uint16_t reply;       /* to STARTTLS: SMTP code, or 220/500 for OK/refusal; 0: not seen */
	uint16_t greeting;    /* the server's first code (SMTP), 0: not seen */
	uint16_t last_reply;  /* the last reply code seen in clear (421 and such) */
	uint32_t clear_mail;  /* mails accepted in clear (2xx after the body; one per
	                              * recipient-independent transaction) */
	uint32_t mail_tries;  /* MAIL FROM commands seen in clear */
	bool auth_clear;      /* AUTH, LOGIN, USER... in clear, whatever the answer */
	bool quit;            /* the client took its leave */
	uint32_t client_name; /* of EHLO/HELO/LHLO, in env->names; 0: not seen */
	uint32_t server_name; /* of the greeting (SMTP), in env->names */
	uint32_t lines[2];    /* dialogue lines understood, per direction */
	bool confused[2];     /* a gap or garbage hides, or hid, what this direction said */
};

/* One per worker. */
struct et_mail_env {
	struct et_dict *names;
	uint64_t *drops; /* [ET_DROP_MAX] */
};

#define ET_MAIL_LINE  512 /* bytes of a line that are kept; the rest is read and forgotten */
#define ET_MAIL_QUEUE 32  /* runs of commands that wait for replies, or of replies for commands */

/* The parser of one direction. Private to the room, public for its size. */
struct et_mail_side {
	uint8_t state;             /* what the next byte belongs to */
	uint8_t match;             /* how much of the end of a body has been seen */
	bool bare;                 /* lines end in LF alone, so the body may too */
	bool cut;                  /* more bytes than buf holds */
	bool force;                /* the next byte begins a line, whatever it looks like */
	bool torn;                 /* a gap within the reply in progress */
	bool adrift;               /* a gap or garbage hides where this direction stands */
	bool resumed;              /* in clear again after TLS */
	bool asked;                /* STARTTLS was asked for in the bytes now being read */
	uint16_t n;                /* bytes in buf */
	uint16_t code;             /* of the multi-line reply in progress; 0: none */
	uint16_t flags;            /* what that reply said so far */
	uint64_t skip;             /* bytes of a chunk or literal still to pass over */
	uint8_t buf[ET_MAIL_LINE]; /* stays last: et_mail_init does not clear it */
};

struct et_mail {
	struct et_mail_facts facts;
	enum et_mail_proto proto;
	/*
	 * Either commands without a reply yet or, where the replies were fed first, replies
	 * without a command. A ring of runs; what an entry holds is the protocol's affair.
	 */
	uint32_t queue[ET_MAIL_QUEUE];
	uint8_t queue_head, queue_cnt;
	bool queue_replies; /* the entries are replies */
	bool loose;         /* pairing was lost: only unmistakable pairs are believed */
	bool overflow;      /* it was lost because too much was waiting */
	bool greeted;       /* the first reply is past */
	bool greet_unsure;  /* the first reply seen may not be the greeting */
	bool in_greeting;
	bool masked_path;  /* something other than a capability was overwritten */
	bool stls_wait;    /* STARTTLS asked, no answer yet */
	bool stls_more;    /* bytes in clear in later segments since then */
	bool accepted;     /* STARTTLS was accepted: replies in clear answer nothing */
	bool after_354;    /* the server's next reply is for a body */
	bool mail_counted; /* this transaction is in clear_mail */
	bool replay;       /* what was held for a body is dialogue */
	bool missed[2];    /* a gap hid lines of this direction */
	bool missed_stls;  /* STARTTLS may have been among them */
	bool provisional;  /* `offered` comes from a reply that has no command yet */
	bool past_login;   /* somebody has logged in, or may have */
	bool list_open;    /* IMAP: a list without STARTTLS since the last tagged reply */
	bool list_waits;   /* such a list, while replies before it have no command yet */
	uint8_t auth;      /* where the client is in an AUTH exchange */
	uint16_t rcpt_cnt; /* recipients accepted in this transaction */
	uint16_t body_cnt; /* replies seen to the body in progress */
	uint32_t tag;      /* hash of the IMAP tag of STARTTLS */
	struct et_mail_side side[2];
};

/* Forgets all that was learnt. The line buffers are not cleared: this runs per connection. */
void et_mail_init(struct et_mail *mail, enum et_mail_proto proto);

/*
 * Reads the bytes of one segment of one direction. Returns how many were used: all, or fewer when
 * a line would begin with a byte that begins TLS (0x14..0x17; from a client before any TLS also
 * 0x80 and above, the SSLv2 header): the rest is not dialogue, or the caller calls again with
 * et_mail_force_line(). One call is taken for one flight: bytes in clear behind STARTTLS or behind
 * its 220 in the same call are an injection (RFC 3207 4.2, 5).
 */
size_t et_mail_feed(
	struct et_mail *mail, struct et_mail_env *env, enum et_dir dir, struct et_view bytes);

/* The TLS-looking byte at which et_mail_feed stopped was none: read on from it as a line. */
void et_mail_force_line(struct et_mail *mail, enum et_dir dir);

/* len bytes of this direction are missing from the capture. */
void et_mail_gap(struct et_mail *mail, enum et_dir dir, uint64_t len);

/*
 * len bytes that stood somewhere in front of what was fed of this direction will not be fed. Where
 * the direction stands is as before.
 */
void et_mail_missed(struct et_mail *mail, enum et_dir dir, uint64_t len);

/* What this direction said so far was not fed: it was no dialogue, and the next bytes may begin anywhere. */
void et_mail_astray(struct et_mail *mail, enum et_dir dir);

/* Whether bytes of this direction are missing, and nothing that came behind them was understood. */
bool et_mail_is_lost(const struct et_mail *mail, enum et_dir dir);

/*
 * Whether a gap may have hidden that the client went on in TLS: no line of its came behind the gap,
 * and STARTTLS was asked for before it or could be in it; or none came behind STARTTLS, and the
 * answer was in a gap.
 */
bool et_mail_hides_tls(const struct et_mail *mail);

/*
 * Whether a gap may have hidden STARTTLS, so that a dialogue without it may have had one that was
 * refused.
 */
bool et_mail_hides_request(const struct et_mail *mail);

/* TLS has ended in an alert and the dialogue goes on in clear on the same connection. */
void et_mail_resume(struct et_mail *mail, enum et_dir dir);

#endif
