/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HELLOS_H
#define HELLOS_H

/* ClientHellos as bytes, from real stacks, from captures, and made up. Each profile once. */

#include "et_tls.h"

struct hello {
	uint8_t *p; /* records, as sent */
	size_t n;
	const char *from; /* "openssl", "gnutls", "capture", "made" */
	struct et_tls_profile profile;
};
struct hellos {
	struct hello *all;
	size_t cnt, cap;
	struct et_dict *seen;
};

void hellos_init(struct hellos *hellos);
void hellos_free(struct hellos *hellos);
/*
 * Adds one flight if it begins with a whole ClientHello that et_tls reads, and its profile is new.
 */
bool hellos_add(struct hellos *hellos, const char *from, const uint8_t *p, size_t n);

void hellos_of_openssl(struct hellos *hellos);
void hellos_of_gnutls(struct hellos *hellos);
/* All files below a folder, or one file; the number of hellos found, with repetitions. */
size_t hellos_of_captures(struct hellos *hellos, const char *path);
/* Variants of what is there, and some from nothing. The same for the same seed. */
void hellos_make(struct hellos *hellos, size_t cnt, uint64_t seed);

/*
 * What is in a hello's bytes that its profile does not keep, and that makes OpenSSL refuse it: such
 * hellos cannot be foretold. NULL: nothing known.
 */
const char *hello_beyond_profile(const struct hello *hello);

/* xorshift64*: for tests only. */
static inline uint32_t draw(uint64_t *state, uint32_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * UINT64_C(2685821657736338717)) >> 33) % below;
}

#endif
