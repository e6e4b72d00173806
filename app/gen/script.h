/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_SCRIPT_H
#define GEN_SCRIPT_H

/*
 * A script: one kind of session as it was played once, write by write, and the truth about it. Every
 * session of the kind sends these bytes, with its own values at the patches. Scripts are made before
 * the first packet and read only from then on.
 */

#include "stack.h"

#define GEN_NAME_DIGITS 7  /* of a peer in its name */
#define GEN_SIZE_DIGITS 10 /* of a mail's size in IMAP and POP3 */
#define GEN_CLIENT_NAME "c%07u.client.example"
#define GEN_SERVER_NAME "s%07u.server.example"

/* Bytes that one side writes in one go. */
struct gen_flight {
	uint32_t off, len;
	uint16_t patch_first, patch_cnt;
	uint8_t dir;
	uint8_t think; /* enum gen_think: how long the side takes for it */
	bool bulk;     /* the mail's body: off and len are 0 */
	bool decides;  /* with it the outcome is final */
};

enum gen_think { GEN_THINK_LINE, GEN_THINK_BANNER, GEN_THINK_CRYPTO, GEN_THINK_QUEUE };

enum gen_patch_kind {
	GEN_PATCH_CLIENT, /* digits of the client's name */
	GEN_PATCH_SERVER,
	GEN_PATCH_SIZE,
	GEN_PATCH_RANDOM, /* of a hello, by direction */
	GEN_PATCH_ID,     /* session id; all that were equal stay equal */
};

struct gen_patch {
	uint32_t off;
	uint8_t len;
	uint8_t kind;
	uint8_t which; /* random: direction; id: number */
};

#define GEN_IDS 2 /* different session ids in a script */

enum gen_end { GEN_END_FIN, GEN_END_RST, GEN_END_OPEN };

/* The truth; texts are constants or belong to the script. Numbers below 0: not known. */
struct gen_truth {
	const char *service, *mode, *outcome;
	int offered; /* 0, 1, -1 */
	bool requested, masked, auth_clear;
	unsigned reply;   /* 0: none */
	uint16_t version; /* 0: no ServerHello */
	uint16_t cipher_id;
	const char *cipher; /* IANA's name */
	const char *group;
	bool group_known;
	bool resumed, hello_retry;
	int cert_requested, cert_sent; /* of the client; 0, 1, -1 */
	int alert_from;                /* -1: no alert */
	bool alert_inferred;
	uint8_t alert_level, alert_code;
	unsigned clear_mails;
	const char *cause; /* code; NULL: none is due, or it is not determined */
	bool cause_known;
	bool server_name, client_name; /* said in clear */
};

struct gen_script {
	const struct gen_kind *kind;
	unsigned pool;
	double weight;
	uint8_t *bytes;
	uint32_t len;
	struct gen_flight *flights;
	unsigned flight_cnt;
	struct gen_patch *patches;
	unsigned patch_cnt;
	enum gen_end end;
	uint8_t closer; /* who ends it */
	unsigned byes;  /* last flights that are close_notify */
	int teach;      /* script that has to come first with each server; -1: none */
	bool fails;     /* TLS was tried and not had: what a fallback counts from */
	char cause[64];
	/* the body inside TLS: bulk_cnt records of bulk_wire bytes, headers included */
	uint8_t *bulk;
	uint32_t bulk_wire, bulk_cnt, bulk_plain;
	struct gen_truth truth;
	char *fixed; /* the truth's middle, as it stands in every record */
	uint32_t fixed_len;
};

/* Appends a write. 0, or -1 when memory is short. */
int gen_script_put(struct gen_script *script, uint8_t dir, const void *bytes, uint32_t len,
	enum gen_think think);
int gen_script_patch(struct gen_script *script, uint32_t off, uint8_t len, enum gen_patch_kind kind,
	uint8_t which);

/* Sorts the patches and deals them out to the flights. 0 or -1. */
int gen_script_seal(struct gen_script *script);

void gen_script_free(struct gen_script *script);

#endif
