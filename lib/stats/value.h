/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_STATS_VALUE_H
#define ET_STATS_VALUE_H

/*
 * Private to the room: JSON values. Whoever makes a value owns it; val_put and val_push take it
 * over. When memory is short a value is NULL, and putting NULL into an object frees the object and
 * makes it NULL as well: so the row is NULL in the end and nothing else needs a check.
 */

#include <jansson.h>
#include <stdio.h>

#include "et_tls.h"

/* Text from the wire is cut to one byte less, for NUL. */
#define VAL_TEXT_CAP 1024

void val_put(json_t **object, const char *key, json_t *value);
void val_push(json_t **array, json_t *value);

json_t *val_wire(struct et_view bytes); /* from the wire: made safe */
json_t *val_text(const char *text);     /* made safe elsewhere; NULL or "" gives null */
json_t *val_name(const struct et_dict *dict, uint32_t id);
json_t *val_hex(uint32_t value, int digits);
json_t *val_hexes(const struct et_tls_list *list, int digits);
json_t *val_flag(bool value, bool known); /* true is always known */
json_t *val_count(uint64_t value);
json_t *val_time_us(int64_t ts_ns);
json_t *val_version(uint16_t version); /* name, digits if it has none, null for 0 */

/* One line. 0, -ENOMEM for NULL, -EIO. */
int val_line(FILE *out, json_t *row);

/* Names of numbers, digits where there is none. */
#define VAL_NAME 96
void name_version(char out[static VAL_NAME], uint16_t version);
void name_cipher(char out[static VAL_NAME], uint16_t version, uint32_t cipher);
void name_group(char out[static VAL_NAME], uint16_t group);
void name_sigalg(char out[static VAL_NAME], uint16_t sigalg);

#endif
