/* SPDX-License-Identifier: BSD-3-Clause */
#include "et_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"

/*
 * Read-ahead: more than 256 KiB was not faster in measurements, 4 KiB was slower by a fifth.
 * The total keeps a thousand files from taking a thousand large buffers.
 */
#define BUF_TOTAL (32u * 1024 * 1024)
#define BUF_MAX   (256u * 1024)
#define BUF_MIN   (64u * 1024)

struct et_source {
	struct input_voice voice;
	struct et_source_state state; /* bytes_read: of the inputs that are closed */
	int64_t clock_ns;
	bool stale; /* the frame of heap[0] has been given; its input is asked first */
	size_t cnt;
	/*
	 * The open inputs as a binary heap: the one with the earliest next frame is heap[0]. With
	 * one input there is nothing to compare.
	 */
	struct slot {
		struct input *input;
		size_t order; /* of the command line; decides between equal stamps */
		struct et_frame frame;
	} heap[];
};

static bool is_before(const struct slot *a, const struct slot *b)
{
	if (a->frame.ts_ns != b->frame.ts_ns)
		return a->frame.ts_ns < b->frame.ts_ns;
	return a->order < b->order;
}

/* Moves heap[at] down to where it belongs. */
static void sift_down(struct et_source *source, size_t at)
{
	struct slot slot = source->heap[at];

	for (size_t child; (child = 2 * at + 1) < source->cnt; at = child) {
		if (child + 1 < source->cnt &&
			is_before(&source->heap[child + 1], &source->heap[child]))
			child++;
		if (!is_before(&source->heap[child], &slot))
			break;
		source->heap[at] = source->heap[child];
	}
	source->heap[at] = slot;
}

/* Asks a slot's input for its next frame. False when it has none: the input is closed then. */
static bool refill(struct et_source *source, struct slot *slot)
{
	enum input_got got = source_input_next(slot->input, &slot->frame, &source->voice);

	if (et_likely(got == INPUT_FRAME))
		return true;
	if (got == INPUT_DAMAGED)
		source->state.damaged++;
	source->state.bytes_read += source_input_offset(slot->input);
	source_input_close(slot->input);
	return false;
}

/* Opens paths[order] and adds it to the heap's array, not yet in order. False: memory is short. */
static bool add_input(
	struct et_source *source, bool *total_known, const char *path, size_t order, size_t buf_len)
{
	struct slot *slot = &source->heap[source->cnt];
	int ret = source_input_open(&slot->input, path, buf_len, &source->voice);

	if (ret == -ENOMEM)
		return false;
	if (ret) {
		source->state.unreadable++;
		return true;
	}
	source->state.readable++;
	source->state.bytes_total += source_input_size(slot->input);
	if (source_input_size(slot->input) == 0)
		*total_known = false;
	slot->order = order;
	if (refill(source, slot))
		source->cnt++;
	return true;
}

/* Standard input is one sequence of bytes: two readers would take them from each other. */
static bool repeats_stdin(const struct et_source *source, const char *const *paths, size_t i)
{
	if (strcmp(paths[i], "-") != 0)
		return false;
	for (size_t k = 0; k < i; k++) {
		if (strcmp(paths[k], "-") != 0)
			continue;
		if (source->voice.warn)
			source->voice.warn(source->voice.ctx,
				"standard input is named twice; it is read once.");
		return true;
	}
	return false;
}

struct et_source *et_source_open(
	const char *const *paths, size_t cnt, et_source_warn *warn, void *ctx)
{
	struct et_source *source;
	size_t buf_len = BUF_TOTAL / (cnt ? cnt : 1);
	bool total_known = true;

	if (cnt > (SIZE_MAX - sizeof(*source)) / sizeof(source->heap[0]))
		return NULL;
	source = calloc(1, sizeof(*source) + cnt * sizeof(source->heap[0]));
	if (!source)
		return NULL;
	source->voice = (struct input_voice){ .warn = warn, .ctx = ctx };
	source->clock_ns = INT64_MIN;
	buf_len = buf_len > BUF_MAX ? BUF_MAX : buf_len < BUF_MIN ? BUF_MIN : buf_len;
	for (size_t i = 0; i < cnt; i++) {
		if (repeats_stdin(source, paths, i)) {
			source->state.unreadable++;
		} else if (!add_input(source, &total_known, paths[i], i, buf_len)) {
			et_source_close(source);
			return NULL;
		}
	}
	if (!total_known)
		source->state.bytes_total = 0;
	for (size_t i = source->cnt / 2; i-- > 0;)
		sift_down(source, i);
	return source;
}

void et_source_close(struct et_source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->cnt; i++)
		source_input_close(source->heap[i].input);
	free(source);
}

/* Replaces the frame that was given last; drops its input when that is at its end. */
static void advance(struct et_source *source)
{
	if (!refill(source, &source->heap[0]))
		source->heap[0] = source->heap[--source->cnt];
	if (source->cnt > 1)
		sift_down(source, 0);
}

bool et_source_next(struct et_source *source, struct et_frame *frame)
{
	if (et_likely(source->stale))
		advance(source);
	source->stale = source->cnt > 0;
	if (!source->stale)
		return false;
	*frame = source->heap[0].frame;
	if (frame->ts_ns > source->clock_ns)
		source->clock_ns = frame->ts_ns;
	frame->clock_ns = source->clock_ns;
	frame->index = ++source->state.frames;
	return true;
}

void et_source_state(struct et_source_state *out, const struct et_source *source)
{
	*out = source->state;
	for (size_t i = 0; i < source->cnt; i++)
		out->bytes_read += source_input_offset(source->heap[i].input);
}
