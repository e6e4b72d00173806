/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_child.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 60

unsigned child_failed;
char child_said[4096];

bool child_run(void (*test)(const void *arg), const void *arg)
{
	pid_t pid;
	int status = -1;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	if (!pid) {
		alarm(SECONDS);
		test(arg);
		fflush(stderr);
		exit(child_failed ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (status)
		fprintf(stderr, "the child ended with status 0x%x\n", (unsigned)status);
	return status == 0;
}

void child_say(void *ctx, const char *sentence)
{
	size_t n = strlen(child_said);

	(void)ctx;
	snprintf(child_said + n, sizeof(child_said) - n, "%s\n", sentence);
}

bool child_eal(const char *const vdevs[CHILD_VDEVS])
{
	const char *args[32] = { "--no-huge", "--no-pci", "--no-telemetry", "--in-memory", "-m",
		"256", "--lcores", "0@0,1@0,2@0" };
	char error[ET_PORT_ERROR];
	int cnt = 8;

	for (size_t i = 0; i < CHILD_VDEVS && vdevs[i]; i++) {
		args[cnt++] = "--vdev";
		args[cnt++] = vdevs[i];
	}
	if (!et_port_eal(error, cnt, args))
		return true;
	fprintf(stderr, "%s\n", error);
	return false;
}

struct et_port_set *child_open(
	const char *const vdevs[CHILD_VDEVS], const struct et_port_options *options)
{
	struct et_port_options with = *options;
	char error[ET_PORT_ERROR] = "";
	struct et_port_set *set;

	if (!child_eal(vdevs))
		return NULL;
	with.say = child_say;
	set = et_port_open(error, &with);
	if (!set)
		fprintf(stderr, "%s\n", error);
	return set;
}

bool child_load(struct child_capture *capture, const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const uint8_t *bytes;

	*capture = (struct child_capture){ 0 };
	while (pcap && pcap_next_ex(pcap, &header, &bytes) == 1) {
		struct et_frame *frame;
		uint8_t *copy = malloc(header->caplen);

		capture->frames =
			realloc(capture->frames, (capture->cnt + 1) * sizeof(capture->frames[0]));
		if (!copy || !capture->frames)
			abort();
		memcpy(copy, bytes, header->caplen);
		frame = &capture->frames[capture->cnt++];
		*frame = (struct et_frame){ .data = copy,
			.cap_len = header->caplen,
			.len = header->len,
			.ts_ns = header->ts.tv_sec * ET_NS_PER_S +
				 header->ts.tv_usec * ET_NS_PER_US };
	}
	if (pcap)
		pcap_close(pcap);
	else
		fprintf(stderr, "%s\n", error);
	return capture->cnt > 0;
}

void child_free(struct child_capture *capture)
{
	for (size_t i = 0; i < capture->cnt; i++)
		free((void *)(uintptr_t)capture->frames[i].data);
	free(capture->frames);
}

pcap_dumper_t *child_write_begin(const char *path)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 262144);
	pcap_dumper_t *dumper = pcap ? pcap_dump_open(pcap, path) : NULL;

	if (!dumper)
		abort();
	pcap_close(pcap);
	return dumper;
}

void child_write(pcap_dumper_t *dumper, const struct et_frame *frame)
{
	struct pcap_pkthdr header = { .ts = { .tv_sec = frame->ts_ns / ET_NS_PER_S,
					      .tv_usec =
						      frame->ts_ns % ET_NS_PER_S / ET_NS_PER_US },
		.caplen = frame->cap_len,
		.len = frame->len };

	pcap_dump((uint8_t *)dumper, &header, frame->data);
}

static uint8_t *put16(uint8_t *out, unsigned value)
{
	out[0] = (uint8_t)(value >> 8);
	out[1] = (uint8_t)value;
	return out + 2;
}

uint32_t child_tcp(uint8_t out[static 128], const struct et_segment *segment)
{
	bool v4 = et_addr_is_v4(&segment->src);
	uint8_t *p = out + 12, *ip;

	memset(out, 0, 128);
	memset(out, 0x02, 12);
	p = ip = put16(p, v4 ? 0x0800 : 0x86dd);
	if (v4) {
		unsigned sum = 0;

		ip[0] = 0x45;
		put16(ip + 2, 40);
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 12, segment->src.b + 12, 4);
		memcpy(ip + 16, segment->dst.b + 12, 4);
		for (unsigned i = 0; i < 20; i += 2)
			sum += (unsigned)(ip[i] << 8 | ip[i + 1]);
		sum = (sum & 0xffff) + (sum >> 16);
		put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
		p += 20;
	} else {
		ip[0] = 0x60;
		put16(ip + 4, 20);
		ip[6] = 6;
		ip[7] = 64;
		memcpy(ip + 8, segment->src.b, 16);
		memcpy(ip + 24, segment->dst.b, 16);
		p += 40;
	}
	p = put16(p, segment->src_port);
	p = put16(p, segment->dst_port);
	p[8] = 0x50;
	p[9] = ET_TCP_ACK;
	return (uint32_t)(p + 16 - out);
}

struct et_segment child_random_segment(bool v6)
{
	struct et_segment segment = { 0 };
	uint8_t b[2][16];

	for (unsigned i = 0; i < 32; i++)
		b[i / 16][i % 16] = (uint8_t)rand();
	b[0][0] = b[1][0] = v6 ? 0x20 : 10;
	if (v6) {
		memcpy(segment.src.b, b[0], 16);
		memcpy(segment.dst.b, b[1], 16);
	} else {
		segment.src = et_addr_v4(b[0]);
		segment.dst = et_addr_v4(b[1]);
	}
	segment.src_port = (uint16_t)rand();
	segment.dst_port = (uint16_t)rand();
	return segment;
}

struct et_segment child_turned(const struct et_segment *segment)
{
	return (struct et_segment){ .src = segment->dst,
		.dst = segment->src,
		.src_port = segment->dst_port,
		.dst_port = segment->src_port };
}
