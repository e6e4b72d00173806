/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ANSWER_JSON_H
#define ANSWER_JSON_H

/*
 * Values as all answering programs write them to JSON, by jansson. Each result is new and the
 * caller's; NULL when memory is short, which jansson's setters take for a failure.
 */

#include <jansson.h>

#include "et_base.h"

json_t *answer_json_count(uint64_t value);            /* up to 2^63 - 1 */
json_t *answer_json_text(const char *text);           /* NULL or empty: null */
json_t *answer_json_addr(const struct et_addr *addr); /* canonical text */
json_t *answer_json_time(int64_t ts_ns);              /* "2026-11-22T10:31:07Z" */

#endif
