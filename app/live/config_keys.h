/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

/* The table of keys, and what is done with a key: private to config*.c. */

#include <stdio.h>

#include "config.h"

#define CONFIG_ERROR 512

enum config_kind {
	CONFIG_TEXT,       /* const char * */
	CONFIG_SENSOR,     /* const char *, a valid name */
	CONFIG_MAIL_PORTS, /* const char *, fills mail_ports */
	CONFIG_CORES,      /* const char *, fills cpus */
	CONFIG_USER,       /* const char *, exists */
	CONFIG_GROUP,      /* const char *, exists */
	CONFIG_YES,        /* bool */
	CONFIG_THREE,      /* enum config_three */
	CONFIG_NUMBER,     /* unsigned */
	CONFIG_SIZE32,     /* unsigned, bytes */
	CONFIG_SIZE,       /* size_t, bytes */
	CONFIG_MIB,        /* unsigned, MiB */
	CONFIG_MODE,       /* mode_t */
	CONFIG_PORT,       /* list: ports */
	CONFIG_ARG,        /* list: eal_args */
};

struct config_key {
	const char *section, *name; /* in the file */
	const char *option;         /* on the command line, without "--"; NULL: none */
	const char *arg;            /* what stands for the value in --help; NULL for CONFIG_YES */
	enum config_kind kind;
	bool live;          /* can change while running */
	bool zero;          /* 0 is allowed beside min to max */
	size_t at;          /* in struct config */
	uint64_t min, max;  /* of numbers and sizes */
	const char *preset; /* default, as it would stand in a file; NULL: none */
	const char *help;   /* a sentence or two */
};

extern const struct config_key config_keys[];
extern const size_t config_keys_cnt;

bool config_is_list(const struct config_key *key);

/* Sets the default of every key. 0, or -1 when memory is short. */
int config_preset(struct config *config, char error[static CONFIG_ERROR]);

/*
 * Sets a key. -1 with the predicate of a sentence in error, its subject is the key: "takes yes or
 * no, not "maybe"". Lists grow by one.
 */
int config_set(struct config *config, char error[static CONFIG_ERROR], const struct config_key *key,
	const char *text);

/* Writes the key with its value as one or more lines of a file; one that is unset as a comment. */
void config_print(FILE *to, const struct config *config, const struct config_key *key);

/* A copy that lives as long as config; NULL when memory is short. */
const char *config_keep(struct config *config, const char *text);

/* Unprintable bytes escaped and cut, for messages. */
#define CONFIG_SHOWN 128
const char *config_show(char out[static CONFIG_SHOWN], const char *text);

/* ---- config_file.c ---- */

/* Sets keys by the file. -1: the sentence in error says file and line. */
int config_file(struct config *config, char error[static CONFIG_ERROR], const char *path);

/* ---- config_eal.c ---- */

/* Adds a port; errors as config_set. */
int config_port(struct config *config, char error[static CONFIG_ERROR], const char *text);

/* "2,4-7" into cpus; errors as config_set. */
int config_cores(struct config *config, char error[static CONFIG_ERROR], const char *text);

/* Whether an EAL argument from number `from` on is one of these: NULL-terminated, "-a", "--vdev". */
bool config_eal_has(const struct config *config, size_t from, const char *const *which);
extern const char *const config_eal_ports[]; /* those that name devices */

/* When all keys are set: CPUs, memory, contradictions. -1: the sentence in error. */
int config_finish(struct config *config, char error[static CONFIG_ERROR]);

/* ---- config_help.c ---- */

void config_help(void);

#endif
