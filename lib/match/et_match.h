/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_MATCH_H
#define ET_MATCH_H

/*
 * match: Hyperscan over payloads of connections that nobody has recognised yet, on any port.
 *
 * A hit is a hint that says which parser to try; no decision rests on it. The pattern table with
 * the reason beside each pattern is in patterns.c. Block mode is used, with up to ET_MATCH_CARRY
 * bytes of the direction's earlier payload put in front, so that no hit is lost where a pattern is
 * split over segments; patterns anchored at the start of the direction's bytes know by `begin`.
 *
 * The database is shared and read only; each worker has a scanner of its own (scratch and a
 * scan buffer). Scanning does not allocate, lock or call the system.
 */

#include "et_base.h"

#define ET_MATCH_CARRY 63

/* What was recognised; a set of bits. */
enum et_match_hit {
	ET_MATCH_SMTP_GREETING = 1 << 0, /* "220 " or "220-" first: from a server */
	ET_MATCH_SMTP_EHLO = 1 << 1,     /* EHLO, HELO, LHLO line: from a client */
	ET_MATCH_SMTP_COMMAND = 1 << 2,  /* MAIL FROM:, RCPT TO:, STARTTLS, at a line's start */
	ET_MATCH_SMTP_REPLY = 1 << 3,    /* a reply line at the start: 2xx-5xx, from a server */
	ET_MATCH_TLS_CLIENT = 1 << 4,    /* record that begins with a ClientHello */
	ET_MATCH_TLS_SERVER = 1 << 5,    /* record that begins with a ServerHello */
	ET_MATCH_TLS_RECORD = 1 << 6,    /* some other record at the start of the bytes */
	ET_MATCH_SSLV2_CLIENT = 1 << 7,  /* SSLv2-format CLIENT-HELLO */
	ET_MATCH_IMAP_SERVER = 1 << 8,   /* "* OK", "* PREAUTH", "* BYE" */
	ET_MATCH_IMAP_CLIENT = 1 << 9,   /* tagged CAPABILITY, STARTTLS, LOGIN, AUTHENTICATE, ID */
	ET_MATCH_POP3_SERVER = 1 << 10,  /* "+OK" first */
	ET_MATCH_POP3_CLIENT = 1 << 11,  /* CAPA, STLS, USER, APOP, AUTH */
	ET_MATCH_SIEVE_SERVER = 1 << 12, /* "IMPLEMENTATION" capability */
	ET_MATCH_SIEVE_CLIENT = 1 << 13, /* STARTTLS, AUTHENTICATE "..." */
};

struct et_match_db;
struct et_match_scanner;

/*
 * The compiled database; from cache_file when that holds one of this table, this Hyperscan and
 * this CPU and belongs to the user, else compiled and written there (cache_file may be NULL: no
 * cache; a cache that cannot be read or written is no error). NULL on failure, with a sentence in
 * err.
 */
struct et_match_db *et_match_db_new(char *err, size_t err_cap, const char *cache_file);
void et_match_db_free(struct et_match_db *db);

struct et_match_scanner *et_match_scanner_new(const struct et_match_db *db);
void et_match_scanner_free(struct et_match_scanner *scanner);

/* Of one direction of one connection; all zero at its begin. Owned by the connection. */
struct et_match_carry {
	uint8_t n;
	uint8_t b[ET_MATCH_CARRY];
	bool begun; /* bytes were scanned that are no longer in b: anchors no longer apply */
};

/* The hits (enum et_match_hit) in payload, which follows what carry remembers. Updates carry. */
uint32_t et_match_scan(
	struct et_match_scanner *scanner, struct et_match_carry *carry, struct et_view payload);

#endif
