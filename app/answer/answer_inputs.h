/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_INPUTS_H
#define ANSWER_INPUTS_H

/*
 * answer: what the programs that answer questions have in common. They take minute files, folders
 * of them, and captures, in any mixture:
 *
 *	struct answer_options options;
 *	struct et_archive *archive;
 *	int code = answer_options_read(&options, argc, argv, &program);
 *
 *	if (code >= 0)
 *		return code;
 *	code = answer_load(&archive, &options);
 *	if (archive) {
 *		... print ...
 *		et_archive_free(archive);
 *	}
 *	return code;
 *
 * One thread.
 */

#include <getopt.h>

#include "et_archive.h"

#define ANSWER_WHO_MAX 64

/* --peer and --server: an address, a prefix ("192.0.2.0/24"), a host name, or ".example.org". */
struct answer_who {
	struct et_peer_net net;
	const char *name; /* NULL: net holds an address */
};

struct answer_options {
	const char *program; /* "ehlotap explain", for sentences */
	const char *const *paths;
	size_t paths_cnt;
	bool json, quiet;
	int colour;   /* 1 always, 0 never, -1 on a terminal; ask answer_colour */
	uint32_t top; /* entries of each list in the text; 0: all */
	struct answer_who peers[ANSWER_WHO_MAX], servers[ANSWER_WHO_MAX];
	size_t peers_cnt, servers_cnt;
	uint32_t services; /* a set of 1 << enum et_service; 0: all */
	int64_t since_ns, until_ns;
	const char *sensor; /* NULL: all */
	/* --gateway and --ports, as given, for captures: `ehlotap read` has the same. */
	const char *gateways[ANSWER_WHO_MAX];
	size_t gateways_cnt;
	const char *ports;
};

/* What a program says of itself. */
struct answer_program {
	const char *name;         /* "explain" */
	const char *synopsis;     /* "[OPTION]... PATH..." */
	const char *does;         /* one sentence */
	const char *options;      /* its own options, as lines of the usage text; NULL: none */
	const char *examples;     /* lines of the usage text; NULL: none */
	const struct option *own; /* its own long options, val >= ANSWER_OWN; NULL: none */
	/* Takes one of its own; false after it has printed why not. */
	bool (*take)(void *ctx, int opt, const char *arg);
	void *ctx;
};
#define ANSWER_OWN     1000
#define ANSWER_OWN_MAX 32

/*
 * Reads the command line. -1 to go on, else the exit code: --help and --version print and give 0, a
 * mistake prints a sentence and gives 2. Shared by all: PATH..., --json, --quiet, --peer, --server,
 * --service, --since, --until, --sensor, --top, --color, --gateway, --ports, --help, --version.
 */
int answer_options_read(struct answer_options *options, int argc, char **argv,
	const struct answer_program *program);

/*
 * Reads all paths into an archive, which the caller frees. Warnings go to standard error. The exit
 * code of what can be answered now: 0 all was read; 1 some of it is damaged or not readable, all
 * before the damage was used; 2 nothing could be read, then *archive is NULL and it was said why.
 *
 * --since, --until and --sensor are applied here; --peer, --server and --service are not, since
 * what others did tells of a peer too: ask answer_wants.
 */
int answer_load(struct et_archive **archive, const struct answer_options *options);

/* The same, for who wants the rows that the archive does not keep: et_archive_options.other. */
struct answer_rows {
	void (*take)(void *ctx, const char *type, const char *sensor, int64_t minute_ns,
		const struct json_t *row);
	void *ctx;
};
int answer_load_rows(struct et_archive **archive, const struct answer_options *options,
	const struct answer_rows *rows);

/*
 * Whether --peer, --server and --service let this pair be shown. A peer is either end; a host name
 * is compared without case, and with a leading dot or "*." takes in all names below.
 */
bool answer_wants(const struct answer_options *options, const struct et_archive_pair *pair);
/* The same of a server alone: --server and --service. */
bool answer_wants_server(
	const struct answer_options *options, const struct et_archive_host *server);

/* Whether to colour what goes to `out`: --color, NO_COLOR, a terminal. */
bool answer_colour(const struct answer_options *options, FILE *out);

/* "2026-11-22", "2026-11-22T10:31", with :SS, with Z; UTC. Also "@SECONDS". False if it is none. */
bool answer_time_parse(int64_t *out_ns, const char *text);

#endif
