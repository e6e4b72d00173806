/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_base.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define HUGE_PAGE (2u << 20)
#define PAGE      4096

static _Thread_local bool wanted_ready;

void et_area_ready(bool ready)
{
	wanted_ready = ready;
}

static bool populate(uint8_t *p, size_t bytes)
{
	if (madvise(p, bytes, MADV_POPULATE_WRITE) == 0)
		return true;
	if (errno != EINVAL) /* EINVAL: an older kernel */
		return false;
	for (size_t i = 0; i < bytes; i += PAGE)
		((volatile uint8_t *)p)[i] = 0;
	return true;
}

void *et_area_new(size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (bytes >= HUGE_PAGE)
		madvise(p, bytes, MADV_HUGEPAGE);
	if (wanted_ready && !populate(p, bytes)) {
		munmap(p, bytes);
		return NULL;
	}
	return p;
}

void et_area_free(void *area, size_t bytes)
{
	if (area)
		munmap(area, bytes);
}
