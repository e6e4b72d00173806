/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_base.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The folder of the running program, or "" if the system does not tell. */
static void program_folder(char out[static ET_DATA_FOLDER])
{
	ssize_t n = readlink("/proc/self/exe", out, ET_DATA_FOLDER - 1);
	char *slash;

	out[n > 0 ? n : 0] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
}

void et_data_folder(char out[static ET_DATA_FOLDER], const char *variable, const char *installed,
	const char *in_build)
{
	const char *chosen = getenv(variable);
	char program[ET_DATA_FOLDER], beside[2 * ET_DATA_FOLDER];

	program_folder(program);
	snprintf(beside, sizeof(beside), "%s/../%s", program, in_build);
	if (!chosen || !*chosen)
		chosen = access(installed, F_OK) != 0 && access(beside, F_OK) == 0 ? beside
										   : installed;
	snprintf(out, ET_DATA_FOLDER, "%.*s", ET_DATA_FOLDER - 1, chosen);
}
