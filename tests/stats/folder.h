/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>
#include <stddef.h>

/* A file as text; the caller frees it. */
char *folder_slurp(const char *dir, const char *name);
/* How many files are in it; removes them and the folder if told so. */
size_t folder_files(const char *dir, bool remove);

#endif
