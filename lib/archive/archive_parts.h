/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_ARCHIVE_PARTS_H
#define ET_ARCHIVE_PARTS_H

/*
 * Private to the room. While it is filled, the archive is a few stores and dictionaries; "finish"
 * turns them into sorted arrays. Texts are kept once, with their NUL, in `texts`.
 */

#include <jansson.h>
#include <string.h>

#include "et_archive.h"
#include "store.h"

#define LINE_MAX_BYTES (32u << 20) /* a peer row of some 200,000 names */
#define TEXT_MAX       2048        /* longer ones make a row one that cannot be believed */

/* Kinds of cells beyond those of et_archive_map_id. */
#define KIND_DROPS ET_ARCHIVE_MAP_MAX
/* Owners of cells: numbers of pairs; sensors have this bit set. */
#define OWNER_SENSOR (UINT32_C(1) << 31)

struct pair_key {
	struct et_addr server, client;
	uint32_t service;
};

struct pair_item {
	struct pair_key key;
	uint64_t counts[ET_PEER_COUNT_MAX];
	int64_t first_ns, last_ns;
	uint64_t rows, sessions_without_maps;
};

struct cell_key {
	uint32_t owner, name, kind; /* name: in texts */
};

struct cell_item {
	struct cell_key key;
	uint64_t count;
};

struct moment_key {
	int64_t slot; /* minute >> grain */
	uint64_t pair;
};

enum moment_count {
	MOMENT_SESSIONS,
	MOMENT_ESTABLISHED,
	MOMENT_FAILED,
	MOMENT_REFUSED,
	MOMENT_CLEAR,
	MOMENT_FALLBACKS,
	MOMENT_MAX,
};

struct moment_item {
	struct moment_key key;
	uint32_t counts[MOMENT_MAX];
};

struct minute_key {
	int64_t minute_ns;
	uint64_t sensor; /* number in `sensors` */
};

struct sensor_item {
	uint32_t name; /* in texts; the key */
	uint32_t unused;
	struct et_archive_capture capture;
};

/* Of a row; found by its id. */
struct hello_item {
	uint32_t id; /* in texts; the key */
	uint32_t ja3, ja4;
	uint32_t packed; /* in `profiles`; ET_DICT_NONE: none */
	bool whole;      /* the row has all that a profile has */
};

struct cert_item {
	uint32_t sha256; /* in texts; the key */
	uint32_t subject, issuer, key, curve, sigalg, not_before, not_after;
	uint32_t bits;
	uint32_t names; /* in texts: each with its NUL, one behind the other */
	uint32_t names_cnt;
	int64_t not_before_ns, not_after_ns;
};

struct et_archive {
	struct et_archive_options options;
	struct et_dict *texts, *profiles;
	struct store pairs, cells, moments, minutes, sensors, hellos, certs;
	unsigned grain; /* a moment is 2^grain minutes */
	struct et_archive_totals totals;
	/* what was built; see finish.c */
	void **blocks; /* all that et_archive_free gives back */
	size_t blocks_cnt, blocks_cap;
	const char **text_of; /* by id */
	uint32_t *rank_of;    /* by id of a text: its place in the order of bytes */
	uint32_t *id_of;      /* by rank */
	struct et_archive_pair *pairs_v;
	uint32_t *place_of;    /* by number in `pairs`: place in pairs_v */
	uint32_t *pair_server; /* by place: in servers_v */
	uint32_t *pair_client;
	struct et_archive_host *servers_v, *clients_v;
	size_t servers_cnt, clients_cnt;
	struct et_archive_sums all;
	struct et_archive_hello *hellos_v;
	size_t hellos_cnt;
	struct et_archive_cert *certs_v;
	size_t certs_cnt;
	struct et_archive_sensor *sensors_v;
};

/* a + b, at most 2^64 - 1. */
static inline uint64_t sum_of(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* --- archive.c --- */

/* Tells the user; name and line (0: none) stand before the sentence. */
__attribute__((format(printf, 4, 5))) void archive_warn(
	struct et_archive *archive, const char *name, uint64_t line, const char *format, ...);

/* The id of a text, without control bytes. 0 and an id, or -ENOMEM. */
int archive_text(struct et_archive *archive, uint32_t *id, const char *text, size_t n);

/* Adds to a cell. 0 or -ENOMEM; cells beyond the limit are counted as refused. */
int archive_cell(struct et_archive *archive, uint32_t owner, uint32_t kind, const char *name,
	uint64_t count);

/* --- moments.c --- */

/* Adds to the time line of a pair. 0 or -ENOMEM. */
int archive_moment(struct et_archive *archive, uint32_t pair, int64_t minute_ns,
	const uint64_t counts[static MOMENT_MAX]);

/* --- rows.c --- */

/* The minute whose rows are being read. */
struct section {
	bool open, taken;
	uint64_t rows;
	uint32_t sensor; /* number */
	char sensor_name[65];
	int64_t minute_ns;
};

/*
 * Takes one row. 0; 1: it cannot be believed, *why says why; -ENOMEM. row_minute opens the section,
 * and tells in *twice of a minute that is there already.
 */
int row_minute(struct et_archive *archive, struct section *section, const char **why, bool *twice,
	const json_t *row);
int row_peer(struct et_archive *archive, const struct section *section, const char **why,
	const json_t *row);
int row_hello(struct et_archive *archive, const char **why, const json_t *row);
int row_cert(struct et_archive *archive, const char **why, const json_t *row);

/* Members of a row. Absent or null: *out stays. False: of another type, or out of bounds. */
bool member_count(uint64_t *out, const json_t *row, const char *key);
bool member_text(const char **out, size_t *n, const json_t *row, const char *key);
/* "2026-11-22T10:31:00Z" with or without a fraction; years 1970 to 2199. */
bool time_parse(int64_t *out_ns, const char *text);

/* --- line.c --- */

struct line {
	char *p;
	size_t n, cap;
	uint64_t number; /* from 1 */
};

enum line_got {
	LINE_GOT,
	LINE_TOO_LONG, /* and passed over */
	LINE_END,
	LINE_NO_MEMORY,
};
/* The next line without its end; NUL stands behind it. */
enum line_got line_next(struct line *line, FILE *in);

/* --- unpacked.c --- */

/*
 * A stream of what a zstd frame (RFC 8878) in `packed` holds; closing it closes `packed`, failing to
 * read sets errno (EBADMSG: damaged). NULL with errno; `packed` stays open then.
 */
FILE *unpacked_open(FILE *packed);

/* --- finish.c --- */

/* Zeroed memory that lives as long as the archive, for at least one item. NULL when it is short. */
void *archive_alloc(struct et_archive *archive, size_t cnt, size_t size);
/* A text by id; NULL for ET_DICT_NONE. */
const char *archive_text_of(const struct et_archive *archive, uint32_t id);

/* --- tuples.c: cells on their way into maps --- */

/* A count of a name in a map of an owner. */
struct tuple {
	uint32_t owner, kind, rank;
	uint32_t unused;
	uint64_t count;
};
/* Sorts them, and makes one of those that are of the same. Returns how many are left. */
size_t tuples_join(struct tuple *tuples, size_t cnt);
/*
 * The entries of all tuples, in their order; NULL when memory is short. Then tuples_map cuts out
 * the map of an owner and kind; *at goes on behind it. Owners and kinds are asked for in order.
 */
struct et_archive_entry *tuples_entries(
	struct et_archive *archive, const struct tuple *tuples, size_t cnt);
struct et_archive_map tuples_map(const struct et_archive_entry *entries, const struct tuple *tuples,
	size_t cnt, size_t *at, uint32_t owner, uint32_t kind);

/* --- refs.c, coverage.c: each 0 or -ENOMEM --- */

int build_hellos(struct et_archive *archive);
int build_certs(struct et_archive *archive);
int build_sensors(struct et_archive *archive);

#endif
