/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIGS_H
#define CONFIGS_H

#include "server.h"

const struct server_words *configs_fixed(size_t *cnt);
/* A combination of options; it may be one that et_nego_finish refuses. */
void configs_random(struct server_words *out, uint64_t *rng);

#endif
