/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_DIALOGUE_H
#define GEN_DIALOGUE_H

/* What clients and servers of the mail protocols say to each other, line by line. */

#include "script.h"

#define GEN_LINES 24

/* %c and %s: names of client and server, %n: the mail's size; nothing else begins with %. */
struct gen_line {
	uint8_t dir;
	bool bulk; /* the mail's body goes here */
	const char *text;
};

struct gen_lines {
	unsigned cnt;
	struct gen_line line[GEN_LINES];
};

/* Up to the reply to STARTTLS, or up to where the client would ask for it. */
void gen_dialogue_before(struct gen_lines *out, const struct gen_kind *kind);

/* From there to the end: inside TLS, or in clear. */
void gen_dialogue_after(struct gen_lines *out, enum gen_protocol protocol, bool inside);

/* Whether a mail goes from client to server. */
bool gen_protocol_sends(enum gen_protocol protocol);

/* Appends a line in clear as a write. 0 or -1. */
int gen_dialogue_put(
	struct gen_script *script, const char *text, uint8_t dir, enum gen_think think);

#endif
