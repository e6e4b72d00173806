/* SPDX-License-Identifier: BSD-3-Clause */
/* Does every form of capture give the same frames, and every fault all frames before it? */
#include "et_source.h"
#include "make_capture.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEC   1700000000u
#define SNAP  65535u
#define ETHER 1u

static char folder[] = "/tmp/et_source_test.XXXXXX";
static char paths[4][64];

/* What was told: the last sentence, and how many there were. */
static char told[1024];
static unsigned int told_cnt;

static void warn(void *ctx, const char *sentence)
{
	CU_ASSERT_PTR_EQUAL(ctx, told);
	snprintf(told, sizeof(told), "%s", sentence);
	told_cnt++;
}

static struct et_source *open_source(const char *const *names, size_t cnt)
{
	struct et_source *source;

	told[0] = '\0';
	told_cnt = 0;
	source = et_source_open(names, cnt, warn, told);
	CU_ASSERT_PTR_NOT_NULL_FATAL(source);
	return source;
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_EQUAL(fwrite(bytes, 1, n, file), n);
	fclose(file);
}

static struct form form_of(unsigned int i)
{
	return (struct form){ .ng = i & 1, .big_endian = i & 2, .nano = i & 4 };
}

static void make_five(struct capture *capture, struct form form)
{
	capture_begin(capture, form, ETHER, SNAP);
	for (uint32_t k = 0; k < 5; k++)
		capture_frame(capture, SEC + k, 123456789);
}

/* Whether frame is number k of make_five(). */
static bool is_frame(const struct et_frame *frame, size_t k, struct form form)
{
	int64_t ts_ns = (int64_t)(SEC + k) * ET_NS_PER_S + (form.nano ? 123456789 : 123456000);

	for (size_t i = 0; i < frame->cap_len; i++) {
		if (frame->data[i] != k)
			return false;
	}
	return frame->cap_len == capture_frame_len(k) && frame->len == frame->cap_len + 10 &&
	       frame->ts_ns == ts_ns && frame->clock_ns == ts_ns && frame->index == k + 1 &&
	       frame->link_type == ETHER;
}

/* Reads frames of make_five() to the end and closes. The number of frames; state is filled. */
static size_t read_five(struct et_source_state *state, const char *path, struct form form)
{
	struct et_source *source = open_source(&path, 1);
	struct et_frame frame;
	size_t k = 0;

	while (et_source_next(source, &frame)) {
		if (!is_frame(&frame, k, form))
			CU_FAIL("frame is not the one written");
		k++;
	}
	CU_ASSERT_FALSE(et_source_next(source, &frame));
	et_source_state(state, source);
	CU_ASSERT_EQUAL(state->frames, k);
	CU_ASSERT_EQUAL(told_cnt, state->damaged + state->unreadable);
	et_source_close(source);
	return k;
}

static void test_forms(void)
{
	struct capture capture;
	struct et_source_state state;
	uint8_t packed[CAPTURE_MAX];

	for (unsigned int i = 0; i < 8 * PACKINGS; i++) {
		struct form form = form_of(i / PACKINGS);
		size_t n;

		make_five(&capture, form);
		n = capture_pack(packed, &capture, i % PACKINGS);
		write_file(paths[0], packed, n);
		CU_ASSERT_EQUAL(read_five(&state, paths[0], form), 5);
		CU_ASSERT_EQUAL(state.readable, 1);
		CU_ASSERT_EQUAL(state.damaged + state.unreadable, 0);
		CU_ASSERT_EQUAL(state.bytes_total, n);
		CU_ASSERT_EQUAL(state.bytes_read, n);
	}
}

static void check_cut(const struct capture *capture, size_t n)
{
	struct et_source_state state;
	size_t whole = 0;
	bool at_end = n == capture->header_end;

	for (size_t k = 0; k < capture->frames; k++) {
		whole += capture->frame_end[k] <= n;
		at_end |= capture->frame_end[k] == n;
	}
	/* a pcapng section header alone is a capture without interfaces */
	if (capture->form.ng && n == 28)
		at_end = true;
	CU_ASSERT_EQUAL(read_five(&state, paths[0], capture->form), whole);
	CU_ASSERT_EQUAL(state.unreadable, n < capture->header_end && !at_end);
	CU_ASSERT_EQUAL(state.readable, n >= capture->header_end || at_end);
	CU_ASSERT_EQUAL(state.damaged, n >= capture->header_end && !at_end);
}

static void test_cut(void)
{
	struct capture capture;

	for (unsigned int i = 0; i < 8; i++) {
		make_five(&capture, form_of(i));
		for (size_t n = 0; n <= capture.n; n++) {
			write_file(paths[0], capture.b, n);
			check_cut(&capture, n);
		}
	}
}

/* A compressed file that is cut anywhere is never taken for whole. */
static void test_cut_packed(void)
{
	struct capture capture;
	struct et_source_state state;
	uint8_t packed[CAPTURE_MAX];

	make_five(&capture, form_of(0));
	for (enum packing packing = GZIP; packing < PACKINGS; packing++) {
		size_t total = capture_pack(packed, &capture, packing);
		size_t before = 0;

		for (size_t n = 0; n < total; n++) {
			size_t frames;
			bool joint;

			write_file(paths[0], packed, n);
			frames = read_five(&state, paths[0], capture.form);
			/* between two members there is nothing that tells of the second */
			joint = frames < 5 && strstr(told, "truncated dump file");
			CU_ASSERT(frames >= before);
			CU_ASSERT_EQUAL(state.damaged + state.unreadable, 1);
			CU_ASSERT(n < 8 || joint || strstr(told, "breaks off"));
			before = frames;
		}
		/* all frames are there before the check sums are */
		CU_ASSERT(before == 5 || packing == ZSTD || packing == ZSTD_FRAMES);
	}
}

static void test_damaged_packed(void)
{
	static const char junk[] = "this does not belong here", zeros[512];
	struct capture capture;
	struct et_source_state state;
	uint8_t packed[CAPTURE_MAX];
	size_t n;

	make_five(&capture, form_of(1));
	n = capture_pack(packed, &capture, GZIP);
	memcpy(packed + n, junk, sizeof(junk));
	write_file(paths[0], packed, n + sizeof(junk));
	CU_ASSERT_EQUAL(read_five(&state, paths[0], capture.form), 5);
	CU_ASSERT_EQUAL(state.damaged, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "other data follows"));
	memcpy(packed + n, zeros, sizeof(zeros));
	write_file(paths[0], packed, n + sizeof(zeros));
	CU_ASSERT_EQUAL(read_five(&state, paths[0], capture.form), 5);
	CU_ASSERT_EQUAL(state.damaged, 0);
	packed[n - 6] ^= 1; /* the check sum */
	write_file(paths[0], packed, n);
	CU_ASSERT_EQUAL(read_five(&state, paths[0], capture.form), 5);
	CU_ASSERT_EQUAL(state.damaged, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(told, "gzip data is damaged"));
}

static void test_merge(void)
{
	/* seconds of the frames, a file a row; a stamp that goes back holds up its own file only */
	static const uint32_t secs[3][4] = { { 10, 20, 30, 40 }, { 15, 5, 35, 36 },
		{ 10, 12, 40, 41 } };
	static const uint32_t links[3] = { ETHER, 113, 276 };
	static const uint32_t order[] = { 10, 10, 12, 15, 5, 20, 30, 35, 36, 40, 40, 41 };
	static const size_t files[] = { 0, 2, 2, 1, 1, 0, 0, 1, 1, 0, 2, 2 };
	const char *names[] = { paths[0], paths[1], "/nonexistent/x", paths[2] };
	struct capture capture;
	struct et_source_state state;
	struct et_source *source;
	struct et_frame frame;
	int64_t clock_ns = 0;

	for (unsigned int i = 0; i < 3; i++) {
		capture_begin(&capture, form_of(i), links[i], SNAP);
		for (unsigned int k = 0; k < 4; k++)
			capture_frame(&capture, secs[i][k], 0);
		/* the second file breaks off behind its last frame */
		if (i == 1)
			capture_put32(&capture, 6);
		write_file(paths[i], capture.b, capture.n);
	}
	source = open_source(names, 4);
	for (unsigned int i = 0; i < 12; i++) {
		CU_ASSERT_TRUE_FATAL(et_source_next(source, &frame));
		CU_ASSERT_EQUAL(frame.ts_ns, order[i] * ET_NS_PER_S);
		CU_ASSERT_EQUAL(frame.link_type, links[files[i]]);
		CU_ASSERT(frame.clock_ns >= clock_ns && frame.clock_ns >= frame.ts_ns);
		CU_ASSERT_EQUAL(frame.index, i + 1);
		clock_ns = frame.clock_ns;
	}
	CU_ASSERT_FALSE(et_source_next(source, &frame));
	et_source_state(&state, source);
	CU_ASSERT_EQUAL(state.readable, 3);
	CU_ASSERT_EQUAL(state.unreadable, 1);
	CU_ASSERT_EQUAL(state.damaged, 1);
	CU_ASSERT_EQUAL(state.bytes_read, state.bytes_total);
	et_source_close(source);
}

/* Closing with frames still to come must leave nothing behind (the leak check sees to it). */
static void test_early_close(void)
{
	const char *names[] = { paths[0], paths[1] };
	struct capture capture;
	struct et_source *source;
	struct et_frame frame;

	make_five(&capture, form_of(0));
	write_file(paths[0], capture.b, capture.n);
	write_file(paths[1], capture.b, capture.n);
	source = open_source(names, 2);
	CU_ASSERT_TRUE(et_source_next(source, &frame));
	et_source_close(source);
	et_source_close(NULL);
}

static void test_stdin(void)
{
	const char *twice[] = { "-", "-" };
	int saved = dup(STDIN_FILENO);

	for (enum packing packing = PLAIN; packing < PACKINGS; packing++) {
		struct capture capture;
		struct et_source_state state;
		struct et_source *source;
		struct et_frame frame;
		uint8_t packed[CAPTURE_MAX];
		int ends[2];
		size_t n;

		make_five(&capture, form_of(packing));
		n = capture_pack(packed, &capture, packing);
		CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
		CU_ASSERT_EQUAL(write(ends[1], packed, n), (ssize_t)n); /* fits into a pipe */
		close(ends[1]);
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		source = open_source(twice, 2);
		CU_ASSERT_PTR_NOT_NULL(strstr(told, "twice"));
		for (size_t k = 0; k < 5; k++) {
			CU_ASSERT_TRUE_FATAL(et_source_next(source, &frame));
			CU_ASSERT(is_frame(&frame, k, capture.form));
		}
		CU_ASSERT_FALSE(et_source_next(source, &frame));
		et_source_state(&state, source);
		CU_ASSERT_EQUAL(state.bytes_total, 0);
		CU_ASSERT_EQUAL(state.bytes_read, n);
		CU_ASSERT_EQUAL(state.readable, 1);
		et_source_close(source);
	}
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void expect_unreadable(const char *path, const char *word)
{
	struct et_source_state state;

	CU_ASSERT_EQUAL(read_five(&state, path, form_of(0)), 0);
	CU_ASSERT_EQUAL(state.unreadable, 1);
	CU_ASSERT_EQUAL(state.readable, 0);
	if (!strstr(told, word) || !strstr(told, path)) {
		fprintf(stderr, "no \"%s\" in: %s\n", word, told);
		CU_FAIL("sentence");
	}
}

static void test_no_capture(void)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *word;
	} rows[] = {
		{ "", 0, "is empty" },
		{ "x", 1, "not a capture" },
		{ "From: a@example.net\r\nTo: b@example.net\r\n", 40, "not a capture" },
		{ "PK\003\004........", 12, "zip archive" },
		{ "\xfd"
		  "7zXZ\0........",
			14, "xz -d" },
		{ "snoop\0\0\0\0\0\0\2", 12, "editcap" },
		{ "\x1f\x8b\x08", 3, "breaks off" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20, "empty within" },
		{ "\x28\xb5\x2f\xfd", 4, "breaks off" },
		{ "\x28\xb5\x2f\xfd\x08...........", 16, "zstd data" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0", 8, "header" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file(paths[0], rows[i].bytes, rows[i].n);
		expect_unreadable(paths[0], rows[i].word);
	}
	expect_unreadable(folder, "is a directory");
	expect_unreadable("/nonexistent/file", "check the name");
	write_file(paths[3], "x", 1);
	chmod(paths[3], 0);
	if (geteuid() != 0) /* root may read everything */
		expect_unreadable(paths[3], "ask its owner");
}

static void test_no_frames(void)
{
	struct capture capture;
	struct et_source_state state;
	struct et_source *source;
	struct et_frame frame;

	for (unsigned int i = 0; i < 8; i++) {
		capture_begin(&capture, form_of(i), ETHER, SNAP);
		write_file(paths[0], capture.b, capture.n);
		CU_ASSERT_EQUAL(read_five(&state, paths[0], capture.form), 0);
		CU_ASSERT_EQUAL(state.readable, 1);
		CU_ASSERT_EQUAL(told_cnt, 0);
	}
	source = open_source(NULL, 0);
	CU_ASSERT_FALSE(et_source_next(source, &frame));
	et_source_close(source);
}

static void test_stamps(void)
{
	/* seconds as written, and what is made of them */
	static const struct {
		struct form form;
		uint64_t sec;
		int64_t ts_ns;
	} rows[] = {
		{ { .ng = false }, 0, 0 },
		{ { .ng = false }, 0xffffffff, INT64_C(4294967295) * ET_NS_PER_S },
		{ { .big_endian = true }, 0xffffffff, INT64_C(4294967295) * ET_NS_PER_S },
		{ { .ng = true }, 18446744073709, INT64_MAX }, /* near the end of 64 bits of us */
		{ { .ng = true, .big_endian = true }, 18446744073709, INT64_MAX },
	};
	const char *path = paths[0];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct capture capture;
		struct et_source *source;
		struct et_frame frame;

		capture_begin(&capture, rows[i].form, ETHER, SNAP);
		capture_frame(&capture, rows[i].sec, 0);
		capture_frame(&capture, SEC, 0);
		write_file(path, capture.b, capture.n);
		source = open_source(&path, 1);
		CU_ASSERT_TRUE_FATAL(et_source_next(source, &frame));
		CU_ASSERT_EQUAL(frame.ts_ns, rows[i].ts_ns);
		CU_ASSERT_TRUE_FATAL(et_source_next(source, &frame));
		CU_ASSERT_EQUAL(frame.ts_ns, SEC * ET_NS_PER_S);
		CU_ASSERT(frame.clock_ns >= rows[i].ts_ns && frame.clock_ns >= frame.ts_ns);
		et_source_close(source);
	}
}

static void expect_damage(const struct capture *capture, const char *word)
{
	struct et_source_state state;

	write_file(paths[0], capture->b, capture->n);
	CU_ASSERT_EQUAL(read_five(&state, paths[0], capture->form), capture->frames);
	CU_ASSERT_EQUAL(state.damaged, 1);
	if (!strstr(told, word) || !strstr(told, paths[0])) {
		fprintf(stderr, "no \"%s\" in: %s\n", word, told);
		CU_FAIL("sentence");
	}
}

static void test_hostile(void)
{
	static const uint32_t lens[] = { 262145, 0x7fffffff, 0x80000000, 0xffffffff };
	struct capture capture;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		make_five(&capture, form_of(0));
		capture_put32(&capture, SEC);
		capture_put32(&capture, 0);
		capture_put32(&capture, lens[i]);
		capture_put32(&capture, lens[i]);
		expect_damage(&capture, "frames read before that: 5");
		make_five(&capture, form_of(1));
		capture_put32(&capture, 6);
		capture_put32(&capture, lens[i] & ~3u);
		expect_damage(&capture, "frames read before that: 5");
	}
	make_five(&capture, form_of(1));
	capture_interface(&capture, 101, SNAP);
	expect_damage(&capture, "different link types");
	make_five(&capture, form_of(1));
	capture_interface(&capture, ETHER, SNAP - 1);
	expect_damage(&capture, "different snap lengths");
}

static int set_up(void)
{
	if (!mkdtemp(folder))
		return 1;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%zu", folder, i);
	return 0;
}

static int clear_away(void)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		unlink(paths[i]);
	return rmdir(folder);
}

int main(void)
{
	CU_TestInfo tests[] = { { "forms", test_forms }, { "cut at every length", test_cut },
		{ "compressed, cut at every length", test_cut_packed },
		{ "compressed, damaged", test_damaged_packed }, { "merge", test_merge },
		{ "closed early", test_early_close }, { "standard input", test_stdin },
		{ "no capture", test_no_capture }, { "no frames", test_no_frames },
		{ "stamps", test_stamps }, { "hostile", test_hostile }, CU_TEST_INFO_NULL };
	CU_SuiteInfo suites[] = { { "source", set_up, clear_away, NULL, NULL, tests },
		CU_SUITE_INFO_NULL };

	return unit_run_suites(suites);
}
