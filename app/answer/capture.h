/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "answer_inputs.h"

/* Private to the folder. */

/*
 * Reads captures by `ehlotap read --minutes` into the archive. The exit code of that program: 0, 1,
 * 2 if nothing could be read; -ENOMEM. A signal that ends the process ends it behind the removal
 * of all that was written.
 */
int capture_load(struct et_archive *archive, const struct answer_options *options,
	const char *const *paths, size_t cnt);

#endif
