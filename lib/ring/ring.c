/* SPDX-License-Identifier: BSD-3-Clause */
#include "ring_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

bool ring_fail(char error[static ET_RING_ERROR], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, ET_RING_ERROR, format, args);
	va_end(args);
	errno = err;
	return false;
}

bool ring_map(struct et_ring *ring, size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);

	if (p == MAP_FAILED)
		return false;
	ring->page = p;
	ring->rte = (struct rte_ring *)((uint8_t *)p + RING_AT);
	ring->slots = (uint8_t *)p + ring_slots_at();
	ring->file_len = len;
	return true;
}

const struct et_ring_id *et_ring_id(const struct et_ring *ring)
{
	return &ring->id;
}

size_t et_ring_bytes(const struct et_ring *ring)
{
	return (size_t)ring->capacity * ET_RING_SLOT;
}

size_t et_ring_used(const struct et_ring *ring)
{
	/* The reader's first: so that what comes out is never less than nothing. */
	uint32_t cons = __atomic_load_n(&ring->rte->cons.tail, __ATOMIC_ACQUIRE);
	uint32_t prod = __atomic_load_n(&ring->rte->prod.tail, __ATOMIC_ACQUIRE);
	uint32_t used = prod - cons;

	return (size_t)(used < ring->capacity ? used : ring->capacity) * ET_RING_SLOT;
}

void et_ring_close(struct et_ring *ring)
{
	if (!ring)
		return;
	if (ring->page)
		munmap(ring->page, ring->file_len);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring->scratch);
	free(ring);
}
