/* SPDX-License-Identifier: BSD-3-Clause */
#include "help.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOISE_LEN (2 * ET_RING_MESSAGE_MAX)

struct et_ring_id ring_id(uint64_t generation)
{
	static char sensor[ET_RING_SENSOR];
	struct et_ring_id id = { .generation = generation, .worker = 3 };

	if (sensor[0] == '\0') /* children keep their parent's name */
		snprintf(sensor, sizeof(sensor), "test.%d", (int)getpid());
	memcpy(id.sensor, sensor, sizeof(id.sensor));
	return id;
}

struct et_ring_options ring_options(uint64_t generation)
{
	return (struct et_ring_options){ .id = ring_id(generation),
		.bytes = ET_RING_BYTES_MIN,
		.layout = LAYOUT,
		.mode = 0640,
		.owner = (uid_t)-1,
		.group = (gid_t)-1 };
}

uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static const uint8_t *noise(uint64_t number)
{
	static uint64_t words[NOISE_LEN / 8];

	if (words[0] == 0)
		for (uint64_t i = NOISE_LEN / 8; i-- > 0;) /* the first is the last to be set */
			words[i] = mix(i);
	return (const uint8_t *)words + mix(number) % ET_RING_MESSAGE_MAX;
}

size_t pattern_len(uint64_t number)
{
	uint64_t x = mix(number ^ 0x5555);

	if (x % 2048 == 0)
		return ET_RING_MESSAGE_MAX;
	return (x >> 32) % (x % 512 == 1 ? ET_RING_MESSAGE_MAX + 1 : 1024);
}

bool pattern_put_len(struct et_ring *writer, size_t len)
{
	uint64_t number = et_ring_next_number(writer);
	size_t head_len = len == 0 ? 0 : mix(number) % (len + 1);
	const uint8_t *p = noise(number);

	return et_ring_put(writer, (uint32_t)mix(number), head_len ? p : NULL, head_len,
		len - head_len ? p + head_len : NULL, len - head_len, 0);
}

bool pattern_put(struct et_ring *writer)
{
	return pattern_put_len(writer, pattern_len(et_ring_next_number(writer)));
}

bool pattern_ok_len(const struct et_ring_message *message, size_t len)
{
	return message->kind == (uint32_t)mix(message->number) && message->bytes.n == len &&
	       (uintptr_t)message->bytes.p % 16 == 0 &&
	       memcmp(message->bytes.p, noise(message->number), len) == 0;
}

bool pattern_ok(const struct et_ring_message *message)
{
	return pattern_ok_len(message, pattern_len(message->number));
}
