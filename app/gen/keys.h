/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GEN_KEYS_H
#define GEN_KEYS_H

/* The profile's keys as a table: name, type, place, range. */

#include "profile.h"

#define GEN_SESSION "session" /* the one section that has a name behind it */

enum gen_key_type {
	GEN_KEY_NUMBER,
	GEN_KEY_REAL,
	GEN_KEY_FLAG,
	GEN_KEY_TEXT,
	GEN_KEY_WORD, /* index in words */
};

struct gen_key {
	const char *section, *name;
	enum gen_key_type type;
	size_t offset; /* in struct gen_profile, or struct gen_kind */
	double min, max;
	const char *const *words; /* ended by NULL */
	const char *preset, *help;
};

extern const struct gen_key gen_keys[];
extern const size_t gen_keys_cnt;
extern const char *const gen_protocols[], *const gen_stories[];

/* Sets the key's value at base + offset. 0, or -1 with what is wrong with it in why. */
int gen_key_set(
	void *base, char why[static GEN_ERROR], const struct gen_key *key, const char *value);

/* Sets all keys of a section to their presets. 0 or -1 when memory is short. */
int gen_key_presets(void *base, const char *section);

/* Frees the texts of a section. */
void gen_key_free(void *base, const char *section);

#endif
