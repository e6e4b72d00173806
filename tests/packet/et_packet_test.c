/* SPDX-License-Identifier: BSD-3-Clause */
/* Does every way to wrap a TCP segment give the same segment, and every fault its own reason? */
#include "et_packet.h"
#include "et_source.h"
#include "rows.h"
#include "unit.h"

#include <pcap/dlt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 512

static uint8_t nibble(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct et_frame build(uint8_t out[static FRAME_MAX], const struct row *row)
{
	size_t n = strlen(row->hex) / 2;

	for (size_t i = 0; i < n && i < FRAME_MAX; i++)
		out[i] = (uint8_t)(nibble(row->hex[2 * i]) << 4 | nibble(row->hex[2 * i + 1]));
	return (struct et_frame){ .data = out,
		.cap_len = (uint32_t)n,
		.len = (uint32_t)n + row->extra,
		.link_type = row->link_type };
}

static void fail(const struct row *row, const char *what, size_t at)
{
	fprintf(stderr, "%s: %s at %zu\n", row->name, what, at);
	CU_FAIL("see above");
}

static bool is_sound(const struct et_segment *segment, const struct et_frame *frame)
{
	const uint8_t *end = frame->data + frame->cap_len;

	return segment->payload.p >= frame->data && segment->payload.p <= end &&
	       segment->payload.n <= (size_t)(end - segment->payload.p) &&
	       segment->len >= segment->payload.n;
}

static bool has_fields(const struct et_segment *segment)
{
	static const uint8_t v6[] = { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	bool is_v4 = et_addr_is_v4(&segment->src);
	const uint8_t v4[] = { 10, 0, 0, 1 };
	struct et_addr src = et_addr_v4(v4);
	struct et_addr dst;

	if (!is_v4) {
		memcpy(src.b, v6, sizeof(v6));
		src.b[15] = 1;
	}
	dst = src;
	dst.b[15] = 2;
	return !et_addr_cmp(&segment->src, &src) && !et_addr_cmp(&segment->dst, &dst) &&
	       segment->src_port == 40000 && segment->dst_port == 25 && segment->seq == 1 &&
	       segment->ack == 2 && segment->flags == (ET_TCP_ACK | ET_TCP_PSH) &&
	       segment->window == 1024 && segment->ip_id == (is_v4 ? 0x1234 : 0);
}

static void gives_segment(const struct row *rows, size_t cnt, bool inner)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < cnt; i++) {
		struct et_frame frame = build(bytes, &rows[i]);
		struct et_segment segment;

		memset(&segment, 0xee, sizeof(segment));
		if (et_packet_decode(&segment, &frame) != ET_KEEP)
			fail(&rows[i], "dropped", 0);
		else if (!has_fields(&segment))
			fail(&rows[i], "fields", 0);
		else if (segment.payload.n != rows[i].payload || segment.len != rows[i].len)
			fail(&rows[i], "length", segment.len);
		else if (memcmp(segment.payload.p + segment.payload.n - 4, "EHLO", 4) != 0)
			fail(&rows[i], "payload", 0);
		else if (segment.inner != inner)
			fail(&rows[i], "inner", segment.inner);
	}
}

static void test_kept(void)
{
	gives_segment(kept, kept_cnt, false);
	gives_segment(carried, carried_cnt, true);
}

static void test_dropped(void)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < dropped_cnt; i++) {
		struct et_frame frame = build(bytes, &dropped[i]);
		struct et_segment segment;
		enum et_drop drop = et_packet_decode(&segment, &frame);

		if (drop != dropped[i].drop)
			fail(&dropped[i], drop == ET_KEEP ? "kept" : et_drop_name(drop), 0);
	}
}

/* A frame cut by the snap length: dropped, or the same segment with less payload. */
static void cut(const struct row *row, size_t n)
{
	uint8_t bytes[FRAME_MAX];
	struct et_frame frame = build(bytes, row);
	uint8_t *exact = malloc(n ? n : 1);
	struct et_segment segment;

	if (!exact)
		return;
	memcpy(exact, bytes, n);
	frame.data = exact;
	frame.cap_len = (uint32_t)n;
	if (et_packet_decode(&segment, &frame) == ET_KEEP) {
		if (!is_sound(&segment, &frame))
			fail(row, "view leaves the frame", n);
		else if (row->drop == ET_KEEP && (!has_fields(&segment) || segment.len != row->len))
			fail(row, "segment changes with the snap length", n);
	}
	free(exact);
}

static void test_cut(void)
{
	for (size_t i = 0; i < kept_cnt; i++) {
		for (size_t n = 0; n <= strlen(kept[i].hex) / 2; n++)
			cut(&kept[i], n);
	}
	for (size_t i = 0; i < carried_cnt; i++) {
		for (size_t n = 0; n <= strlen(carried[i].hex) / 2; n++)
			cut(&carried[i], n);
	}
	for (size_t i = 0; i < dropped_cnt; i++) {
		for (size_t n = 0; n <= strlen(dropped[i].hex) / 2; n++)
			cut(&dropped[i], n);
	}
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A fragment is found where the decoder gives up for one, within the frame, and nowhere else. */
static void agrees(const struct row *row, const struct et_frame *frame)
{
	struct et_segment segment;
	uint32_t at = 77;
	bool inner = false;
	bool is_fragment = et_packet_decode(&segment, frame) == ET_DROP_FRAGMENT;

	if (et_packet_fragment_at(&at, &inner, frame) != is_fragment)
		fail(row, "fragment_at decides otherwise", at);
	else if (!is_fragment && (at != 77 || inner))
		fail(row, "fragment_at fills though there is none", at);
	else if (is_fragment && (at + 20 > frame->cap_len ||
					(frame->data[at] >> 4 != 4 && frame->data[at] >> 4 != 6)))
		fail(row, "no IP header there", at);
}

static void test_fragments(void)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < fragments_cnt; i++) {
		struct row row = { .name = fragments[i].name,
			.link_type = fragments[i].link_type,
			.hex = fragments[i].hex };
		struct et_frame frame = build(bytes, &row);
		uint32_t at = 0;
		bool inner = !fragments[i].inner;

		agrees(&row, &frame);
		if (!et_packet_fragment_at(&at, &inner, &frame))
			fail(&row, "no fragment", 0);
		else if (at != fragments[i].at || inner != fragments[i].inner)
			fail(&row, "fragment elsewhere", at);
	}
}

/*
 * Ethernet with IPv4 goes a shorter way through the code than raw IPv4: both must say the same.
 */
static void same_as_raw(const struct row *row, const struct et_frame *frame)
{
	struct et_frame raw = *frame;
	struct et_segment a, b;
	enum et_drop drop;

	if (frame->link_type != DLT_EN10MB || frame->cap_len < 15 || frame->data[12] != 8 ||
		frame->data[13] != 0 || frame->data[14] >> 4 != 4)
		return;
	raw.data += 14;
	raw.cap_len -= 14;
	raw.len -= 14;
	raw.link_type = DLT_RAW;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	drop = et_packet_decode(&a, frame);
	if (drop != et_packet_decode(&b, &raw))
		fail(row, "the short way decides otherwise", 0);
	else if (drop == ET_KEEP && memcmp(&a, &b, sizeof(a)) != 0)
		fail(row, "the short way finds another segment", 0);
}

static void mutate(const struct row *rows, size_t cnt)
{
	uint32_t state = 20261122;

	for (size_t i = 0; i < cnt; i++) {
		for (unsigned int round = 0; round < 5000; round++) {
			uint8_t bytes[FRAME_MAX];
			struct et_frame frame = build(bytes, &rows[i]);
			uint8_t *exact = malloc(frame.cap_len);
			struct et_segment segment;

			if (!exact)
				return;
			for (unsigned int k = next_random(&state) % 4 + 1; k > 0; k--)
				bytes[next_random(&state) % frame.cap_len] =
					(uint8_t)next_random(&state);
			memcpy(exact, bytes, frame.cap_len);
			frame.data = exact;
			if (et_packet_decode(&segment, &frame) == ET_KEEP &&
				!is_sound(&segment, &frame))
				fail(&rows[i], "view leaves the frame, round", round);
			same_as_raw(&rows[i], &frame);
			agrees(&rows[i], &frame);
			free(exact);
		}
	}
}

static void test_mutated(void)
{
	mutate(kept, kept_cnt);
	mutate(carried, carried_cnt);
}

/* Every link type over bytes that were never meant for it. */
static void test_random(void)
{
	uint32_t state = 7;

	for (uint32_t link_type = 0; link_type < 300; link_type++) {
		for (unsigned int round = 0; round < 300; round++) {
			struct row row = kept[next_random(&state) % kept_cnt];
			uint8_t bytes[FRAME_MAX];
			struct et_segment segment;
			struct et_frame frame;

			row.link_type = link_type;
			frame = build(bytes, &row);
			if (et_packet_decode(&segment, &frame) == ET_KEEP &&
				!is_sound(&segment, &frame))
				fail(&row, "view leaves the frame, link type", link_type);
		}
	}
}

int main(void)
{
	CU_TestInfo tests[] = { { "kept", test_kept }, { "dropped", test_dropped },
		{ "fragments", test_fragments }, { "cut at every length", test_cut },
		{ "mutated", test_mutated }, { "other link types", test_random },
		CU_TEST_INFO_NULL };

	return unit_run("packet", tests);
}
