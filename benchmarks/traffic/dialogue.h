/*
 * The words of SMTP: what the programs that gateways meet say before STARTTLS, and inside TLS.
 *
 * Texts are written into the dialogue itself and live as long as it does.
 */
#ifndef ET_DIALOGUE_H
#define ET_DIALOGUE_H

#include "rng.h"

#include <stdbool.h>

#define ET_DIALOGUE_LINES 20
#define ET_DIALOGUE_TEXT  3072

/* One write of one side; several lines of SMTP when they are pipelined. */
struct et_line {
	const char *text;
	uint8_t dir; /* 0 client, 1 server */
	bool bulk;   /* the mail body goes here; text is what stands before it, may be NULL */
};

struct et_dialogue {
	unsigned cnt;
	struct et_line lines[ET_DIALOGUE_LINES];
	unsigned used;
	char text[ET_DIALOGUE_TEXT];
};

enum et_mta {
	ET_MTA_POSTFIX,
	ET_MTA_EXIM,
	ET_MTA_EXCHANGE,
	ET_MTA_SENDMAIL,
	ET_MTA_CNT,
};

/* What the clear part needs to know of a session. */
struct et_scene {
	enum et_mta server;
	const char *client_name;
	const char *server_name;
	const char *client_ip;
	bool offer;     /* the server has STARTTLS */
	bool pipelined; /* MAIL, RCPT and DATA in one write */
	bool chunked;   /* BDAT instead of DATA */
	bool helo;      /* an old client that does not say EHLO */
};

/* Banner to `220 go ahead`. */
void et_dialogue_starttls(struct et_dialogue *d, const struct et_scene *scene);

/* Banner to QUIT without TLS, one mail of body_len bytes (without the final dot). */
void et_dialogue_clear(
	struct et_dialogue *d, struct et_rng *rng, const struct et_scene *scene, uint64_t body_len);

/* What goes inside TLS: EHLO again, one mail, QUIT. */
void et_dialogue_secret(
	struct et_dialogue *d, struct et_rng *rng, const char *server_name, bool pipelined);

/* A sender's or recipient's domain, or an MTA's host name, from a small stock of words. */
void et_dialogue_name(char *out, size_t size, struct et_rng *rng, bool host);

#endif
