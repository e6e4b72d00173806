/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ARCHIVE_H
#define ET_ARCHIVE_H

/*
 * archive: minute files read back, as the sums that operators' questions are answered from.
 *
 * Fill it with et_archive_add_*, close it with et_archive_finish, then ask. What it holds is
 * bounded by what is distinct in the input: (client, server, service), hellos, certificates, names;
 * never by the number of sessions. Before et_archive_finish nothing may be asked, behind it nothing
 * may be added.
 *
 * Any bytes may come: a line that is no row that can be believed is left out, counted and told of;
 * rows and keys of no known name are passed over. A file that ends without its end row, or whose
 * end row counts other than the rows before it, is told of; what was read of it counts. The same
 * sensor and minute counts once: the one that came first, so that the caller who wants the same
 * answer for the same files gives them in one order (app/answer sorts them).
 *
 * All arrays and texts handed out belong to the archive and live until et_archive_free. Texts are
 * as they stand in the files: safe (et_text_safe) if ehlotap wrote them; print them through
 * line_safe or the like all the same. All orders depend on content only.
 *
 * One thread; what is finished may be read by several.
 */

#include <stdio.h>

#include "et_stats.h"

struct et_archive;

struct et_archive_options {
	/* Minutes outside are passed over: since <= minute < until. INT64_MIN, INT64_MAX: all. */
	int64_t since_ns, until_ns;
	const char *sensor;   /* only this one; NULL: all. Borrowed. */
	uint32_t max_cells;   /* entries of all maps of all pairs; 0: 2^26 */
	uint32_t max_moments; /* of all time lines; 0: 2^23 */
	/* One sentence each, without a line's end. NULL: none is wanted. */
	void (*warn)(void *ctx, const char *sentence);
	/*
	 * Rows of types that the archive does not keep ("fallback" ...), in minutes that count, as
	 * they are read. NULL: they are passed over.
	 */
	void (*other)(void *ctx, const char *type, const char *sensor, int64_t minute_ns,
		const struct json_t *row);
	void *ctx;
};

/* NULL when memory is short. options = NULL: all minutes, no warnings. */
struct et_archive *et_archive_new(const struct et_archive_options *options);
void et_archive_free(struct et_archive *archive); /* NULL is allowed */

/*
 * Reads the rows of one minute file, or of several joined, plain text; name is for warnings. The
 * caller closes `in`. 0; 1: something in it is damaged, and the rest was used; -EINVAL: there is no
 * row in it; -ENOMEM: the archive can only be freed.
 */
int et_archive_add_rows(struct et_archive *archive, FILE *in, const char *name);

/*
 * Opens a file and reads it, plain or of zstd. As above, and -errno with a warning if it cannot be
 * read.
 */
int et_archive_add_file(struct et_archive *archive, const char *path);

/*
 * Reads the minute files that lie in a folder (*.jsonl, *.jsonl.zst, no dot in front), by name; not
 * those in folders below. 0; 1 if any of them is damaged or not readable; -ENOENT with a warning if
 * there is none; -errno.
 */
int et_archive_add_folder(struct et_archive *archive, const char *path);

/* Builds all that is asked for below. 0 or -ENOMEM. */
int et_archive_finish(struct et_archive *archive);

/* ---- sums ---- */

/* id, key of the peer row. What each counts is in docs/records.md. */
#define ET_ARCHIVE_MAPS(X)                      \
	X(VERSIONS, "versions")                 \
	X(CIPHERS, "ciphers")                   \
	X(GROUPS, "groups")                     \
	X(ALERTS, "alerts")                     \
	X(CAUSES, "causes")                     \
	X(HELLOS, "hellos")                     \
	X(CERTS, "certs")                       \
	X(VERSION_CIPHERS, "version_ciphers")   \
	X(FAILURES, "failures")                 \
	X(ACCEPTS, "accepts")                   \
	X(DH_BITS, "dh_bits")                   \
	X(SIGNATURES, "signatures")             \
	X(TRAITS, "traits")                     \
	X(STARTTLS_REPLIES, "starttls_replies") \
	X(HANDSHAKE_MS, "handshake_ms")         \
	/* sessions of the rows that gave it */ \
	X(CLIENT_NAMES, "client_name")          \
	X(SERVER_NAMES, "server_name")          \
	X(DIRECTIONS, "direction")

enum et_archive_map_id {
#define X(id, name) ET_ARCHIVE_##id,
	ET_ARCHIVE_MAPS(X)
#undef X
		ET_ARCHIVE_MAP_MAX,
};
const char *et_archive_map_name(enum et_archive_map_id id);

struct et_archive_entry {
	const char *name;
	uint64_t count; /* > 0 */
};
struct et_archive_map {
	const struct et_archive_entry *v; /* by name, bytewise */
	size_t cnt;
};
/* The count of a name, 0 if it is not there; the sum of all; the most frequent, first by name. */
uint64_t et_archive_count(const struct et_archive_map *map, const char *name);
uint64_t et_archive_total(const struct et_archive_map *map);
const char *et_archive_top(const struct et_archive_map *map); /* NULL if empty */

/* Sums do not wrap: they stop at 2^64 - 1. */
struct et_archive_sums {
	uint64_t counts[ET_PEER_COUNT_MAX];
	struct et_archive_map maps[ET_ARCHIVE_MAP_MAX];
	int64_t first_ns, last_ns; /* first and last minute with a row of it */
	uint64_t rows;             /* minutes (of a sensor) with a row of it */
	/*
	 * Sessions of rows without the maps that came later ("failures" and those below it in the
	 * list): of files that an older ehlotap wrote. What these maps hold is of the other ones.
	 */
	uint64_t sessions_without_maps;
};

/* ---- pairs ---- */

/* What one pair did in one minute (et_archive_grain); minutes without a row are left out. */
struct et_archive_moment {
	int64_t minute_ns;
	uint32_t sessions, established;
	uint32_t failed;  /* tls_failed + tls_broken */
	uint32_t refused; /* starttls_refused */
	uint32_t clear;   /* clear_sessions */
	uint32_t fallbacks;
};

struct et_archive_pair {
	struct et_addr client, server;
	enum et_service service;
	const char *client_name, *server_name; /* the most frequent; NULL if none was given */
	const char *direction;                 /* "in", "out", "transit"; NULL if not known */
	struct et_archive_sums sums;
	const struct et_archive_moment *moments; /* by minute */
	size_t moments_cnt;
};

/* By server, service, client. */
const struct et_archive_pair *et_archive_pairs(const struct et_archive *archive, size_t *cnt);

/*
 * Nanoseconds that one moment stands for: a minute, or 2, 4, 8 ... where all time lines together
 * would be longer than max_moments.
 */
int64_t et_archive_grain(const struct et_archive *archive);

/* ---- servers and clients: the same summed over the other end ---- */

struct et_archive_host {
	struct et_addr addr;
	enum et_service service;
	const char *name; /* the most frequent of this end; NULL if none was given */
	struct et_archive_sums sums;
	/* Its pairs, in the order of et_archive_pairs. */
	const struct et_archive_pair *const *pairs;
	size_t pairs_cnt;
};

/* By address and service. */
const struct et_archive_host *et_archive_servers(const struct et_archive *archive, size_t *cnt);
const struct et_archive_host *et_archive_clients(const struct et_archive *archive, size_t *cnt);
/* NULL if it is not there. */
const struct et_archive_host *et_archive_server(
	const struct et_archive *archive, const struct et_addr *addr, enum et_service service);

/* Everything, over all pairs. */
const struct et_archive_sums *et_archive_all(const struct et_archive *archive);

/* ---- hellos and certificates ---- */

/*
 * A ClientHello profile. Only those that a pair refers to are kept; the row of one may be missing.
 */
struct et_archive_hello {
	const char *id;
	const char *ja3, *ja4; /* NULL if there is none */
	uint64_t sessions;     /* over all pairs */
	uint32_t packed;       /* private; 0: there was no row */
};
/* By id. */
const struct et_archive_hello *et_archive_hellos(const struct et_archive *archive, size_t *cnt);
/* NULL if the id is not there, or "-". */
const struct et_archive_hello *et_archive_hello(const struct et_archive *archive, const char *id);
/*
 * The profile as lib/tls reads it off the wire, but for two things: the signals 00ff and 5600 stand
 * at the end of `ciphers`, and files of an older ehlotap tell neither them nor point_formats.
 * False, and an empty profile, if there was no row or it was damaged.
 */
bool et_archive_profile(struct et_tls_profile *out, const struct et_archive *archive,
	const struct et_archive_hello *hello);
/* Whether an extension is in the list. */
bool et_archive_has_extension(const struct et_tls_profile *profile, uint16_t type);

/* A leaf certificate; texts are NULL where the row says null. */
struct et_archive_cert {
	const char *sha256;
	bool known;       /* there was a row; else only sha256 and sessions are set */
	bool self_signed; /* subject and issuer are known and the same */
	const char *subject, *issuer;
	const char *const *names;
	size_t names_cnt;
	const char *key; /* "rsa", "ecdsa" ... */
	uint32_t bits;   /* 0: not known */
	const char *curve, *sigalg;
	const char *not_before, *not_after;  /* as written: "2026-01-01T00:00:00Z" */
	int64_t not_before_ns, not_after_ns; /* INT64_MIN and INT64_MAX if not known; clamped */
	uint64_t sessions;                   /* over all pairs */
};
/* By sha256. */
const struct et_archive_cert *et_archive_certs(const struct et_archive *archive, size_t *cnt);
const struct et_archive_cert *et_archive_cert(const struct et_archive *archive, const char *sha256);
/* "ecdsa-secp384r1", "rsa-2048", "ed25519": as KEY in `accepts`. "-" if it is not known. */
#define ET_ARCHIVE_KEY 64
void et_archive_cert_key(char out[static ET_ARCHIVE_KEY], const struct et_archive_cert *cert);

/* ---- the composite names ---- */

/* "CODE CONFIDENCE HELLO", a name of `failures`. */
struct et_archive_failure {
	char code[ET_CAUSE_CODE];
	enum et_confidence confidence;
	char hello[33]; /* "" if there was none */
};
bool et_archive_failure_parse(struct et_archive_failure *out, const char *name);

/* "VERSION SUITE GROUP HELLO KEY", a name of `accepts`. */
struct et_archive_accept {
	uint16_t version;         /* ET_TLSV1_2 */
	uint32_t cipher;          /* suite, or 3-byte kind of SSLv2 */
	uint16_t group;           /* 0: not readable, or none */
	char hello[33];           /* "" if it is not known */
	char key[ET_ARCHIVE_KEY]; /* "" if it is not readable */
};
bool et_archive_accept_parse(struct et_archive_accept *out, const char *name);

/* Numbers of names in maps, IANA's or hex digits. False if they are neither. */
bool et_archive_version_id(uint16_t *out, const char *name);
bool et_archive_cipher_id(uint32_t *out, const char *name);
bool et_archive_group_id(uint16_t *out, const char *name);

/* ---- what was covered, and how well ---- */

/*
 * id. Sums over the minutes of what capture objects say; a null adds nothing. minutes_* count the
 * minutes in which the value was known.
 */
#define ET_ARCHIVE_CAPTURE(X) \
	X(packets)            \
	X(bytes)              \
	X(imissed)            \
	X(ierrors)            \
	X(rx_nombuf)          \
	X(duplicates)         \
	X(gaps)               \
	X(flows_new)          \
	X(flows_evicted)      \
	X(ring_lost)          \
	X(table_lost)

struct et_archive_capture {
#define X(id) uint64_t id, minutes_##id;
	ET_ARCHIVE_CAPTURE(X)
#undef X
	double seconds; /* covered */
	struct et_archive_map drops;
};

/* Minutes that are missing between two that are there: first_ns <= minute < end_ns. */
struct et_archive_hole {
	int64_t first_ns, end_ns;
};

struct et_archive_sensor {
	const char *name;
	int64_t first_ns, last_ns; /* first and last minute */
	const int64_t *minutes;    /* sorted */
	size_t minutes_cnt;
	const struct et_archive_hole *holes;
	size_t holes_cnt;
	struct et_archive_capture capture;
};
/* By name. */
const struct et_archive_sensor *et_archive_sensors(const struct et_archive *archive, size_t *cnt);

struct et_archive_totals {
	int64_t first_ns, last_ns; /* first and last minute; 0 if there is none */
	uint64_t minutes;          /* of all sensors */
	uint64_t files;            /* read, or tried */
	uint64_t unreadable;       /* of these, not read at all */
	uint64_t damaged;          /* read, with something wrong in them */
	uint64_t truncated;        /* minutes without an end row, or with fewer rows than it says */
	uint64_t twice;            /* minutes that were there already and were passed over */
	uint64_t outside;          /* minutes that the options leave out */
	uint64_t rows, bad_rows;   /* read; left out because they cannot be believed */
	uint64_t other_rows;       /* of no known type */
	uint64_t refused;          /* counts that found the limits reached */
	uint64_t hellos_missing, certs_missing; /* referred to, and without a row */
	struct et_archive_capture capture;      /* of all sensors */
};
void et_archive_totals(struct et_archive_totals *out, const struct et_archive *archive);

#endif
