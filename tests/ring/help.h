/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef HELP_H
#define HELP_H

/*
 * Rings of this process for tests, and messages whose length and bytes follow from their number,
 * so that a reader can check each without having seen the writer.
 */

#include "et_ring.h"

#define LAYOUT UINT64_C(0x1234567890abcdef)

/* A name that no other process uses. */
struct et_ring_id ring_id(uint64_t generation);
struct et_ring_options ring_options(uint64_t generation);
/* Any 64 bits from any other; the same ones each time. */
uint64_t mix(uint64_t x);

size_t pattern_len(uint64_t number);
/* False when the ring is full. */
bool pattern_put(struct et_ring *writer);
/* Writes message `number` with a length that the caller has chosen. */
bool pattern_put_len(struct et_ring *writer, size_t len);
bool pattern_ok(const struct et_ring_message *message);
bool pattern_ok_len(const struct et_ring_message *message, size_t len);

#endif
