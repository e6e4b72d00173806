/* SPDX-License-Identifier: BSD-3-Clause */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "stream.h"

struct input {
	const char *name; /* for people: the path, or "standard input" */
	char *path;
	struct stream *stream;
	bool plain; /* file reads the file itself, not the stream */
	FILE *file; /* owned by pcap once that is open */
	char *buf;
	pcap_t *pcap;
	bool classic; /* pcap, not pcapng */
	uint32_t link_type;
	uint64_t frames;
	uint64_t size;
};

__attribute__((format(printf, 2, 3))) static void tell(
	const struct input_voice *voice, const char *format, ...)
{
	char sentence[1024];
	va_list args;

	if (!voice->warn)
		return;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	voice->warn(voice->ctx, sentence);
}

/* Files that people give by mistake or in hope, by their first bytes. */
static const struct {
	struct et_view head;
	const char *what;
	const char *advice;
} others[] = {
#define HEAD(text)                                        \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
	{ HEAD("\xfd"
	       "7zXZ"),
		"is compressed by xz", "decompress it first (xz -d)" },
	{ HEAD("BZh"), "is compressed by bzip2", "decompress it first (bzip2 -d)" },
	{ HEAD("\x04\x22\x4d\x18"), "is compressed by lz4", "decompress it first (lz4 -d)" },
	{ HEAD("\x1f\x9d"), "is compressed by compress", "decompress it first (gzip -d)" },
	{ HEAD("PK\x03\x04"), "is a zip archive", "unpack it first (unzip)" },
	{ HEAD("7z\xbc\xaf\x27\x1c"), "is a 7z archive", "unpack it first" },
	{ HEAD("snoop\0\0\0"), "is a snoop capture", "convert it (editcap -F pcap IN OUT)" },
	{ HEAD("GMBU"), "is a Network Monitor capture", "convert it (editcap -F pcap IN OUT)" },
	{ HEAD("RTSS"), "is a Network Monitor capture", "convert it (editcap -F pcap IN OUT)" },
	{ HEAD("TRSNIFF data"), "is a Sniffer capture", "convert it (editcap -F pcap IN OUT)" },
	{ HEAD("XCP\0"), "is a Sniffer capture", "convert it (editcap -F pcap IN OUT)" },
#undef HEAD
};

static bool begins_with(struct et_view bytes, struct et_view head)
{
	return bytes.n >= head.n && !memcmp(bytes.p, head.p, head.n);
}

/* Told when libpcap does not take the file; error is what it says. */
static void tell_no_capture(
	const struct input *input, const char *error, const struct input_voice *voice)
{
	static const char *const magics[] = { /* of captures, in both byte orders */
		"\xa1\xb2\xc3\xd4", "\xd4\xc3\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x4d\x3c\xb2\xa1",
		"\xa1\xb2\xcd\x34", "\x34\xcd\xb2\xa1", "\x0a\x0d\x0d\x0a"
	};
	struct et_view head = source_stream_head(input->stream);
	const char *fault = source_stream_fault(input->stream);

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (begins_with(head, others[i].head)) {
			tell(voice, "%s %s, which is not read; %s.", input->name, others[i].what,
				others[i].advice);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (begins_with(head, (struct et_view){ (const uint8_t *)magics[i], 4 })) {
			tell(voice,
				"%s has a file header that is not read (%s); take the capture "
				"again.",
				input->name, fault ? fault : error);
			return;
		}
	}
	tell(voice, "%s is not a capture file (%s%s); give files in pcap or pcapng format.",
		input->name, source_stream_packing(input->stream) ? "after decompression " : "",
		fault ? fault : "neither pcap nor pcapng");
}

/* Told when the file holds nothing, or faults before its first byte. True when it has been told. */
static bool tell_no_content(const struct input *input, const struct input_voice *voice)
{
	const char *fault = source_stream_fault(input->stream);
	const char *packing = source_stream_packing(input->stream);

	if (source_stream_head(input->stream).n > 0)
		return false;
	if (fault)
		tell(voice, "%s holds nothing that can be read: %s; take it from its origin again.",
			input->name, fault);
	else
		tell(voice, "%s is empty%s%s; was the capture program stopped before it wrote?",
			input->name, packing ? " within its compression by " : "",
			packing ? packing : "");
	return true;
}

static const char *open_advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR: return "check the name";
	case EACCES:
	case EPERM: return "ask its owner for the right to read it, or run as a user who may";
	case EMFILE: return "give fewer files at once, or raise the limit (ulimit -n)";
	case ENFILE: return "give fewer files at once";
	default: return "it is left out";
	}
}

/* The file descriptor of a path, or -1 when that has been told. */
static int open_file(struct input *input, const struct input_voice *voice)
{
	bool standard = !strcmp(input->path, "-");
	struct stat stat;
	int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			  : open(input->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		tell(voice, "%s cannot be opened: %s; %s.", input->name, strerror(errno),
			open_advice(errno));
		return -1;
	}
	if (fstat(fd, &stat))
		stat = (struct stat){ 0 };
	if (S_ISDIR(stat.st_mode) || isatty(fd)) {
		tell(voice,
			isatty(fd) ? "%s is a terminal; send a capture into it, or name a file."
				   : "%s is a directory; name the capture files in it.",
			input->name);
		close(fd);
		return -1;
	}
	if (S_ISREG(stat.st_mode) && stat.st_size > 0)
		input->size = (uint64_t)stat.st_size;
	return fd;
}

static ssize_t cookie_read(void *cookie, char *out, size_t n)
{
	return source_stream_read(cookie, out, n);
}

/*
 * The stream as a FILE, which is all that libpcap takes. A plain file is a FILE of its own, which
 * copies what is buffered far faster than one made of a function (8% of a whole run). The large
 * buffer saves system calls, and the lock of each fread() is not needed by a source's one thread.
 */
static int open_stdio(struct input *input, size_t buf_len)
{
	int fd = source_stream_plain(input->stream);

	if (fd >= 0)
		input->file = fdopen(fd, "r");
	else
		input->file = fopencookie(
			input->stream, "r", (cookie_io_functions_t){ .read = cookie_read });
	if (fd >= 0 && !input->file)
		close(fd);
	input->plain = fd >= 0;
	input->buf = malloc(buf_len);
	if (!input->file || !input->buf || setvbuf(input->file, input->buf, _IOFBF, buf_len))
		return -ENOMEM;
	__fsetlocking(input->file, FSETLOCKING_BYCALLER);
	return 0;
}

static int open_pcap(struct input *input, const struct input_voice *voice)
{
	static const uint8_t section_header[] = { 0x0a, 0x0d, 0x0d, 0x0a };
	char error[PCAP_ERRBUF_SIZE] = "";

	input->classic = !begins_with(source_stream_head(input->stream),
		(struct et_view){ section_header, sizeof(section_header) });
	input->pcap = pcap_fopen_offline_with_tstamp_precision(
		input->file, PCAP_TSTAMP_PRECISION_NANO, error);
	if (input->pcap) {
		input->link_type = (uint32_t)pcap_datalink(input->pcap);
		return 0;
	}
	/* A pcapng file whose capture ended before the first packet: valid, without frames. */
	if (!input->classic && !source_stream_fault(input->stream) &&
		strstr(error, "has no Interface Description Blocks"))
		return 0;
	tell_no_capture(input, error, voice);
	return -EINVAL;
}

static int open_all(
	struct input *input, const char *path, size_t buf_len, const struct input_voice *voice)
{
	int fd;

	input->path = strdup(path);
	if (!input->path)
		return -ENOMEM;
	input->name = strcmp(path, "-") ? input->path : "standard input";
	fd = open_file(input, voice);
	if (fd < 0)
		return -EINVAL;
	if (source_stream_open(&input->stream, fd))
		return -ENOMEM;
	if (tell_no_content(input, voice))
		return -EINVAL;
	if (open_stdio(input, buf_len))
		return -ENOMEM;
	return open_pcap(input, voice);
}

int source_input_open(
	struct input **out, const char *path, size_t buf_len, const struct input_voice *voice)
{
	struct input *input = calloc(1, sizeof(*input));
	int ret = input ? open_all(input, path, buf_len, voice) : -ENOMEM;

	if (ret) {
		source_input_close(input);
		input = NULL;
	}
	*out = input;
	return ret;
}

void source_input_close(struct input *input)
{
	if (!input)
		return;
	if (input->pcap)
		pcap_close(input->pcap);
	else if (input->file)
		fclose(input->file);
	free(input->buf);
	source_stream_close(input->stream);
	free(input->path);
	free(input);
}

/* Nanoseconds since 1970, held at the ends of the range where the stamp leaves it. */
static int64_t stamp(const struct input *input, const struct timeval *tv)
{
	/* pcap has 32 bits without a sign; libpcap's sign depends on the file's byte order */
	int64_t sec = input->classic ? (int64_t)(uint32_t)tv->tv_sec : (int64_t)tv->tv_sec;
	int64_t ns;

	/* tv_usec holds nanoseconds: the precision asked for */
	if (__builtin_mul_overflow(sec, ET_NS_PER_S, &ns) ||
		__builtin_add_overflow(ns, (int64_t)tv->tv_usec, &ns))
		return sec < 0 ? INT64_MIN : INT64_MAX;
	return ns;
}

/* What libpcap finds wrong; for what it only does not support, the way around it. */
static void tell_damage(const struct input *input, const struct input_voice *voice)
{
	static const struct {
		const char *error, *what, *advice;
	} limits[] = {
		{ "snapshot length of the first interface", "snap lengths",
			"Convert it (editcap -F pcap IN OUT)" },
		{ "of the first interface", "link types",
			"Capture each interface into a file of its own" },
	};
	const char *fault = source_stream_fault(input->stream);
	const char *error = fault ? fault : pcap_geterr(input->pcap);
	unsigned long long frames = input->frames;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (!fault && strstr(error, limits[i].error)) {
			tell(voice,
				"%s has interfaces of different %s, which libpcap does not read; "
				"frames read before the second of them: %llu. %s.",
				input->name, limits[i].what, frames, limits[i].advice);
			return;
		}
	}
	tell(voice, "%s is damaged (%s); frames read before that: %llu.", input->name, error,
		frames);
}

enum input_got source_input_next(
	struct input *input, struct et_frame *frame, const struct input_voice *voice)
{
	struct pcap_pkthdr *header;
	const u_char *data;
	int ret = input->pcap ? pcap_next_ex(input->pcap, &header, &data) : PCAP_ERROR_BREAK;

	if (et_unlikely(ret != 1)) {
		if (ret == PCAP_ERROR_BREAK)
			return INPUT_END;
		tell_damage(input, voice);
		return INPUT_DAMAGED;
	}
	input->frames++;
	frame->data = data;
	frame->cap_len = header->caplen;
	frame->len = header->len > header->caplen ? header->len : header->caplen;
	frame->ts_ns = stamp(input, &header->ts);
	frame->link_type = input->link_type;
	return INPUT_FRAME;
}

uint64_t source_input_offset(const struct input *input)
{
	off_t at = input->plain && input->file ? lseek(fileno(input->file), 0, SEEK_CUR) : -1;

	return at >= 0 ? (uint64_t)at : source_stream_offset(input->stream);
}

uint64_t source_input_size(const struct input *input)
{
	return input->size;
}
