/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_DICT_H
#define ET_DICT_H

/*
 * A dictionary gives each distinct byte string a small number, so that a record can hold four
 * bytes where it means a ClientHello, a certificate chain or a host name.
 *
 * Ids start at 1 and count up in order of arrival; ET_DICT_NONE (0) means "no value", and is also
 * what is given when the dictionary is full: that is counted in `refused`. Bytes are copied in and
 * live as long as the dictionary. One owner thread; others may read after the owner has stopped.
 *
 * Memory grows by doubling up to the limits given at creation, and never beyond.
 *
 * A *turning* dictionary is for a program that never ends: it takes all its memory at creation, and
 * when it is full it turns over: it starts empty, and what it held before is kept for reading until
 * it turns over once more. Ids of a turn before that give an empty view, as if there were no value.
 */

#include "et_base.h"

#define ET_DICT_NONE 0u

struct et_dict;

/* NULL when memory is short. max_entries and max_bytes bound what is kept. */
struct et_dict *et_dict_new(uint32_t max_entries, size_t max_bytes);
/*
 * A turning one: two halves (et_area_new) of max_entries <= 2^24 - 1 entries and max_bytes bytes.
 * Only what is longer than a half is refused.
 */
struct et_dict *et_dict_new_turning(uint32_t max_entries, size_t max_bytes);
void et_dict_free(struct et_dict *dict); /* NULL is allowed */

/* The id of these bytes; *added (may be NULL) tells whether they were new. */
uint32_t et_dict_put(struct et_dict *dict, bool *added, struct et_view bytes);

/* The bytes of an id; an empty view for ET_DICT_NONE or an id never given. */
struct et_view et_dict_get(const struct et_dict *dict, uint32_t id);

/*
 * ET_DICT_MARKS numbers for the caller's own use beside each entry, 0 at first; NULL for
 * ET_DICT_NONE and for ids that give an empty view because the dictionary has turned.
 */
#define ET_DICT_MARKS 2
uint32_t *et_dict_mark(struct et_dict *dict, uint32_t id);

/* Entries in all; of a turning one since it turned last. */
uint32_t et_dict_count(const struct et_dict *dict);
uint64_t et_dict_refused(const struct et_dict *dict);

#endif
