/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Whose order of suites decides, told from what the server made of different hellos.
 *
 * If the client's order decides, then all that stands before the chosen suite in its list cannot be
 * used. A hello in which a suite stands before the chosen one that this server is known to take, with
 * the same version, the same key exchange and the same kind of key, speaks for the server's order.
 *
 * If the server's order decides, then no two hellos can hold the same two suites and get one of them
 * each. Two that do speak for the client's order, if each got the one that it has first.
 */

#include "grade_parts.h"

#include <stdlib.h>
#include <string.h>

#define TAKEN_MAX 256 /* what a server made of hellos: more do not tell more */

struct taken {
	const char *hello; /* of the archive */
	uint16_t version, cipher;
	uint8_t kx, key, enc; /* enum et_iana_kx, _key, _enc */
	struct et_tls_list list;
};

struct book {
	struct taken *v;
	size_t cnt;
};

static bool is_known(const struct book *book, const struct taken *taken)
{
	for (size_t i = 0; i < book->cnt; i++)
		if (book->v[i].hello == taken->hello && book->v[i].version == taken->version &&
			book->v[i].cipher == taken->cipher)
			return true;
	return false;
}

static bool read_taken(
	struct taken *out, const struct et_archive *archive, const struct et_archive_accept *accept)
{
	const struct et_archive_hello *hello =
		accept->hello[0] ? et_archive_hello(archive, accept->hello) : NULL;
	const struct et_iana_suite *suite =
		accept->cipher <= UINT16_MAX ? et_iana_suite((uint16_t)accept->cipher) : NULL;
	struct et_tls_profile profile;

	if (!hello || !suite || !et_archive_profile(&profile, archive, hello))
		return false;
	*out = (struct taken){ .hello = hello->id,
		.version = accept->version,
		.cipher = (uint16_t)accept->cipher,
		.kx = suite->kx,
		.key = suite->cert_key,
		.enc = suite->enc,
		.list = profile.ciphers };
	return et_tls_list_has(&out->list, out->cipher);
}

static void fill(struct book *book, const struct et_archive *archive,
	const struct et_archive_map *accepts, bool in13)
{
	for (size_t i = 0; i < accepts->cnt && book->cnt < TAKEN_MAX; i++) {
		struct et_archive_accept accept;

		if (et_archive_accept_parse(&accept, accepts->v[i].name) &&
			(accept.version >= ET_TLSV1_3) == in13 &&
			read_taken(&book->v[book->cnt], archive, &accept) &&
			!is_known(book, &book->v[book->cnt]))
			book->cnt++;
	}
}

static size_t place(const struct et_tls_list *list, uint16_t cipher)
{
	size_t i = 0;

	while (i < list->n && list->v[i] != cipher)
		i++;
	return i;
}

static bool alike(const struct taken *a, const struct taken *b)
{
	return a->version == b->version && a->kx == b->kx && a->key == b->key;
}

/* A suite that stands before the chosen one and would have done; NULL if there is none. */
static const struct taken *passed_over(const struct book *book, const struct taken *taken)
{
	size_t chosen = place(&taken->list, taken->cipher);

	for (size_t i = 0; i < book->cnt; i++)
		if (alike(&book->v[i], taken) && place(&taken->list, book->v[i].cipher) < chosen)
			return &book->v[i];
	return NULL;
}

/* Another hello that holds both suites and got the other one; each has its own first. */
static const struct taken *contradicts(const struct book *book, const struct taken *taken)
{
	for (size_t i = 0; i < book->cnt; i++) {
		const struct taken *other = &book->v[i];
		size_t mine = place(&taken->list, other->cipher),
		       its = place(&other->list, taken->cipher);

		if (alike(other, taken) && other->cipher != taken->cipher && mine < taken->list.n &&
			its < other->list.n && place(&taken->list, taken->cipher) < mine &&
			place(&other->list, other->cipher) < its)
			return other;
	}
	return NULL;
}

/* OpenSSL's SSL_OP_PRIORITIZE_CHACHA, and others: not an order of the client's. */
static bool is_chacha(const struct taken *a, const struct taken *b)
{
	const struct taken *chacha = a->enc == ET_ENC_CHACHA20 ? a : b;

	return chacha->enc == ET_ENC_CHACHA20 && chacha->list.n > 0 &&
	       et_iana_suite(chacha->list.v[0]) &&
	       et_iana_suite(chacha->list.v[0])->enc == ET_ENC_CHACHA20;
}

static void note(struct et_grade_preference *out, const struct taken *taken,
	const struct taken *passed, const struct taken *other)
{
	if (out->hello)
		return;
	out->hello = taken->hello;
	out->other = other ? other->hello : NULL;
	out->chosen = taken->cipher;
	out->passed = passed->cipher;
}

static void decide(struct et_grade_preference *out, const struct book *book)
{
	uint32_t chacha = 0;

	for (size_t i = 0; i < book->cnt; i++) {
		const struct taken *taken = &book->v[i], *passed = passed_over(book, taken),
				   *other = contradicts(book, taken);

		if (passed) {
			out->for_server++;
			note(out, taken, passed, NULL);
		}
		if (other && is_chacha(taken, other))
			chacha++;
		else if (other)
			out->for_client++;
	}
	/* a contradiction by ChaCha20 alone is one only if nothing speaks for the server's order */
	out->chacha = chacha > 0 && out->for_server > 0;
	out->for_client += out->for_server > 0 ? 0 : chacha;
	for (size_t i = 0; i < book->cnt && out->for_client > 0; i++) {
		const struct taken *other = contradicts(book, &book->v[i]);

		if (other)
			note(out, &book->v[i], other, other);
	}
}

/* Different hellos among what was taken. */
static uint32_t hellos(const struct book *book)
{
	uint32_t cnt = 0;

	for (size_t i = 0; i < book->cnt; i++) {
		size_t k = 0;

		while (book->v[k].hello != book->v[i].hello)
			k++;
		cnt += k == i;
	}
	return cnt;
}

void preference_fill(struct et_grade_preference *out, const struct et_archive *archive,
	const struct et_archive_sums *sums, bool in13)
{
	struct book book = { .v = calloc(TAKEN_MAX, sizeof(*book.v)) };

	*out = (struct et_grade_preference){ .confidence = ET_POSSIBLE };
	if (!book.v)
		return; /* not known is the truth then */
	fill(&book, archive, &sums->maps[ET_ARCHIVE_ACCEPTS], in13);
	out->hellos = hellos(&book);
	decide(out, &book);
	free(book.v);
	if (out->for_server > 0 && out->for_client > 0)
		out->order = ET_GRADE_ORDER_MIXED;
	else if (out->for_server > 0)
		out->order = ET_GRADE_ORDER_SERVER;
	else if (out->for_client > 0)
		out->order = ET_GRADE_ORDER_CLIENT;
	/* one hello may be an odd one; what was usable is concluded */
	if (out->order != ET_GRADE_ORDER_UNKNOWN)
		out->confidence = ET_LIKELY;
	if (out->order != ET_GRADE_ORDER_MIXED && out->for_server + out->for_client >= 2)
		out->confidence = ET_CERTAIN;
}
