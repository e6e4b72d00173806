/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_match.h"

#include <hs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "patterns.h"

/* Bytes of one payload that are scanned: what decides stands in front. */
#define SCAN_MAX 4096

struct et_match_db {
	hs_database_t *hs;
};

struct et_match_scanner {
	const hs_database_t *hs;
	hs_scratch_t *scratch;
	char bytes[ET_MATCH_CARRY + SCAN_MAX];
};

static hs_database_t *compile(char *err, size_t err_cap)
{
	const char *regexes[64];
	unsigned flags[64], ids[64];
	hs_database_t *hs = NULL;
	hs_compile_error_t *error = NULL;

	static_assert(sizeof(regexes) / sizeof(regexes[0]) >= 32, "room for the table");
	assert(patterns_cnt <= sizeof(ids) / sizeof(ids[0]));
	for (unsigned i = 0; i < patterns_cnt; i++) {
		regexes[i] = patterns[i].regex;
		flags[i] = patterns[i].flags | HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
		ids[i] = i;
	}
	if (hs_compile_multi(regexes, flags, ids, patterns_cnt, HS_MODE_BLOCK, NULL, &hs, &error) !=
		HS_SUCCESS) {
		snprintf(err, err_cap, "Hyperscan cannot compile the patterns: %s",
			error ? error->message : "no reason given");
		hs_free_compile_error(error);
		return NULL;
	}
	return hs;
}

struct et_match_db *et_match_db_new(char *err, size_t err_cap, const char *cache_file)
{
	struct et_match_db *db = calloc(1, sizeof(*db));

	if (!db) {
		snprintf(err, err_cap, "not enough memory for the patterns");
		return NULL;
	}
	if (hs_valid_platform() != HS_SUCCESS) {
		snprintf(err, err_cap,
			"this CPU lacks SSSE3, which Hyperscan needs; build against Vectorscan");
		free(db);
		return NULL;
	}
	if (cache_file)
		db->hs = cache_load(cache_file);
	if (!db->hs) {
		db->hs = compile(err, err_cap);
		if (db->hs && cache_file)
			cache_store(cache_file, db->hs);
	}
	if (!db->hs) {
		free(db);
		return NULL;
	}
	return db;
}

void et_match_db_free(struct et_match_db *db)
{
	if (!db)
		return;
	hs_free_database(db->hs);
	free(db);
}

struct et_match_scanner *et_match_scanner_new(const struct et_match_db *db)
{
	struct et_match_scanner *scanner = calloc(1, sizeof(*scanner));

	if (!scanner)
		return NULL;
	scanner->hs = db->hs;
	if (hs_alloc_scratch(db->hs, &scanner->scratch) != HS_SUCCESS) {
		free(scanner);
		return NULL;
	}
	return scanner;
}

void et_match_scanner_free(struct et_match_scanner *scanner)
{
	if (!scanner)
		return;
	hs_free_scratch(scanner->scratch);
	free(scanner);
}

struct found {
	uint32_t hits;
	bool begun;
};

static int on_match(
	unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *ctx)
{
	struct found *found = ctx;

	(void)from;
	(void)to;
	(void)flags;
	if (!found->begun || !patterns[id].at_begin)
		found->hits |= patterns[id].hit;
	return 0;
}

/* Remembers the last bytes of carry and payload together. */
static void remember(struct et_match_carry *carry, struct et_view payload)
{
	size_t keep;

	if (payload.n >= ET_MATCH_CARRY) {
		carry->begun |= carry->n + payload.n > ET_MATCH_CARRY;
		memcpy(carry->b, payload.p + payload.n - ET_MATCH_CARRY, ET_MATCH_CARRY);
		carry->n = ET_MATCH_CARRY;
		return;
	}
	keep = ET_MATCH_CARRY - payload.n;
	if (keep >= carry->n) {
		keep = carry->n;
	} else {
		carry->begun = true;
		memmove(carry->b, carry->b + carry->n - keep, keep);
	}
	memcpy(carry->b + keep, payload.p, payload.n);
	carry->n = (uint8_t)(keep + payload.n);
}

uint32_t et_match_scan(
	struct et_match_scanner *scanner, struct et_match_carry *carry, struct et_view payload)
{
	struct found found = { .begun = carry->begun };
	const char *bytes = (const char *)payload.p;
	size_t n = payload.n < SCAN_MAX ? payload.n : SCAN_MAX;

	if (n == 0)
		return 0;
	if (carry->n > 0) {
		memcpy(scanner->bytes, carry->b, carry->n);
		memcpy(scanner->bytes + carry->n, payload.p, n);
		bytes = scanner->bytes;
		n += carry->n;
	}
	hs_scan(scanner->hs, bytes, (unsigned)n, 0, scanner->scratch, on_match, &found);
	remember(carry, payload);
	return found.hits;
}
