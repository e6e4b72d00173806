/* SPDX-License-Identifier: BSD-3-Clause */
#include "fill.h"

#include <string.h>

#include "../unit.h"

char fill_said[FILL_SAID];

static void note(void *ctx, const char *sentence)
{
	size_t n = strlen(fill_said);

	(void)ctx;
	snprintf(fill_said + n, sizeof(fill_said) - n, "%s\n", sentence);
}

struct et_archive *fill_new(uint32_t max_cells, uint32_t max_moments)
{
	struct et_archive_options options = { .since_ns = INT64_MIN,
		.until_ns = INT64_MAX,
		.max_cells = max_cells,
		.max_moments = max_moments,
		.warn = note };
	struct et_archive *archive = et_archive_new(&options);

	CU_ASSERT_PTR_NOT_NULL_FATAL(archive);
	fill_said[0] = '\0';
	return archive;
}

int fill_add(struct et_archive *archive, const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int rc;

	CU_ASSERT_PTR_NOT_NULL_FATAL(in);
	rc = et_archive_add_rows(archive, in, "f");
	fclose(in);
	return rc;
}
