/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Interfaces of the kernel: a pair of virtual Ethernets and a TAP, in a network namespace of the
 * child's own, so that nothing is left when it ends.
 */

#include "port_child.h"
#include "unit.h"

#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NOW INT64_C(1700000000000000000)

/* False: cannot be done here, and that is said. */
static bool own_net(const char *commands)
{
	if (!unshare(CLONE_NEWNET) && !system(commands))
		return true;
	fprintf(stderr, "skipped: no network namespace or no virtual interfaces here\n");
	return false;
}

static int sender(const char *interface)
{
	struct sockaddr_ll name = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&name, sizeof(name)));
	return fd;
}

static void send_one(int fd, const struct et_segment *segment)
{
	uint8_t bytes[128];
	uint32_t n = child_tcp(bytes, segment);

	CHECK(send(fd, bytes, n, 0) == (ssize_t)n);
}

static void doze(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* Whether a frame is ours, told by the first address bytes of child_random_segment. */
static bool is_ours(const struct et_frame *frame)
{
	return frame->cap_len >= 54 && frame->data[12] == 8 && frame->data[26] == 10;
}

/* Frames of ours that come within some time, or as soon as `least` have come. */
static unsigned count_ours(struct et_port_reader *reader, unsigned least)
{
	struct et_frame frames[ET_PORT_BURST];
	unsigned cnt = 0;

	for (unsigned round = 0; round < 60 && cnt < least; round++) {
		unsigned n = et_port_read(reader, frames, NOW);

		for (unsigned i = 0; i < n; i++)
			cnt += is_ours(&frames[i]);
		et_port_done(reader);
		if (!n)
			doze();
	}
	return cnt;
}

static bool says(struct et_port_set *set, const char *words)
{
	for (unsigned i = 0; i < 100 && !strstr(child_said, words); i++) {
		et_port_watch(set);
		doze();
	}
	return strstr(child_said, words) != NULL;
}

/* The second port must go on whatever happens to the first. */
static void test_veth_removal(const void *arg)
{
	struct et_port_set *set;
	struct et_port_reader *reader;
	struct et_port_counts counts;
	struct et_segment segment = child_random_segment(false);
	int fd[2];

	(void)arg;
	if (!own_net("ip link add name a0 type veth peer name a1 && ip link add name b0 type veth "
		     "peer name b1 && for i in a0 a1 b0 b1; do ip link set $i up; done"))
		return;
	set = child_open((const char *const[CHILD_VDEVS]){ "net_af_packet0,iface=a0",
				 "net_af_packet1,iface=b0" },
		&(struct et_port_options){ .workers = 2, .promiscuous = true });
	CHECK(set);
	if (!set)
		return;
	reader = et_port_reader_new(set, 0, 1);
	fd[0] = sender("a1");
	fd[1] = sender("b1");
	send_one(fd[0], &segment);
	send_one(fd[1], &segment);
	CHECK(count_ours(reader, 2) == 2);

	CHECK(!system("ip link set a0 down"));
	CHECK(says(set, "net_af_packet0: the link went down"));
	send_one(fd[1], &segment);
	CHECK(count_ours(reader, 1) == 1);
	CHECK(!system("ip link set a0 up"));
	CHECK(says(set, "net_af_packet0: the link is up"));
	send_one(fd[0], &segment);
	CHECK(count_ours(reader, 1) == 1);

	et_port_counts(set, 0, &counts);
	CHECK(counts.present && counts.link_up && counts.packets >= 2);
	CHECK(!system("ip link del a0"));
	CHECK(says(set, "net_af_packet0 (net_af_packet) was removed"));
	et_port_counts(set, 0, &counts);
	CHECK(!counts.present && !counts.link_up && counts.packets >= 2);
	send_one(fd[1], &segment);
	CHECK(count_ours(reader, 1) == 1);
	child_said[0] = '\0';
	et_port_watch(set);
	CHECK(!child_said[0]); /* once is enough */
	et_port_reader_free(reader);
	et_port_close(set);
}

/* What the kernel had no room for is counted: read and missed are all that was sent. */
static void test_veth_drops(const void *arg)
{
	enum { FRAMES = 20000 };
	struct et_segment segment = child_random_segment(false);
	struct et_port_set *set;
	struct et_port_reader *reader;
	struct et_port_counts counts;
	unsigned got, sum = 0;
	int fd;

	(void)arg;
	if (!own_net("ip link add name a0 type veth peer name a1 && ip link set a0 up && ip link "
		     "set a1 up"))
		return;
	set = child_open(
		(const char *const[CHILD_VDEVS]){
			"net_af_packet0,iface=a0,framecnt=512,blocksz=4096,framesz=2048" },
		&(struct et_port_options){ .workers = 1, .promiscuous = true });
	CHECK(set);
	if (!set)
		return;
	reader = et_port_reader_new(set, 0, 1);
	fd = sender("a1");
	for (unsigned i = 0; i < FRAMES; i++)
		send_one(fd, &segment);
	do {
		got = count_ours(reader, FRAMES);
		sum += got;
	} while (got > 0);
	et_port_counts(set, 0, &counts);
	CHECK(counts.imissed > FRAMES / 2);
	CHECK(sum + counts.imissed >= FRAMES && sum + counts.imissed <= FRAMES + 100);
	et_port_counts(set, 0, &counts); /* asked twice, counted once */
	CHECK(sum + counts.imissed <= FRAMES + 100);
	et_port_reader_free(reader);
	et_port_close(set);
}

/* The kernel's fanout brings both directions of a flow to one queue, and uses all queues. */
static void test_veth_fanout(const void *arg)
{
	enum { FLOWS = 60 };
	struct et_port_set *set;
	struct et_port_reader *readers[2];
	struct et_port_plan plan;
	unsigned used[2] = { 0 };
	int fd;

	(void)arg;
	if (!own_net("ip link add name a0 type veth peer name a1 && ip link set a0 up && ip link "
		     "set a1 up"))
		return;
	set = child_open((const char *const[CHILD_VDEVS]){ "net_af_packet0,iface=a0,qpairs=4" },
		&(struct et_port_options){ .workers = 2, .promiscuous = true });
	CHECK(set);
	if (!set)
		return;
	et_port_plan(&plan, set);
	CHECK(plan.queues == 2 && plan.symmetric);
	fd = sender("a1");
	for (unsigned q = 0; q < 2; q++)
		readers[q] = et_port_reader_new(set, q, 1 + q);
	for (unsigned i = 0; i < FLOWS; i++) {
		struct et_segment there = child_random_segment(false);
		struct et_segment back = child_turned(&there);
		unsigned cnt[2];

		send_one(fd, &there);
		send_one(fd, &back);
		doze();
		for (unsigned q = 0; q < 2; q++) {
			struct et_frame frames[ET_PORT_BURST];
			unsigned n = et_port_read(readers[q], frames, NOW);

			cnt[q] = 0;
			for (unsigned k = 0; k < n; k++)
				cnt[q] += is_ours(&frames[k]);
			et_port_done(readers[q]);
			used[q] += cnt[q] > 0;
		}
		CHECK((cnt[0] == 2 && cnt[1] == 0) || (cnt[0] == 0 && cnt[1] == 2));
	}
	CHECK(used[0] > FLOWS / 4 && used[1] > FLOWS / 4);
	for (unsigned q = 0; q < 2; q++)
		et_port_reader_free(readers[q]);
	et_port_close(set);
}

/* TAP has RX interrupts: a reader sleeps until a frame comes. */
static void test_tap_wait(const void *arg)
{
	struct et_port_set *set;
	struct et_port_reader *reader;
	struct et_segment segment = child_random_segment(false);
	struct timespec before, after;
	int fd;

	(void)arg;
	if (access("/dev/net/tun", R_OK | W_OK) || !own_net("true"))
		return;
	set = child_open((const char *const[CHILD_VDEVS]){ "net_tap0,iface=t0" },
		&(struct et_port_options){ .workers = 2, .promiscuous = true, .wait = true });
	CHECK(set);
	if (!set)
		return;
	reader = et_port_reader_new(set, 0, 1);
	CHECK(et_port_can_wait(reader));
	CHECK(!system("ip link set t0 up"));
	fd = sender("t0");
	while (count_ours(reader, 1))
		;
	clock_gettime(CLOCK_MONOTONIC, &before);
	et_port_wait(reader, 200000);
	clock_gettime(CLOCK_MONOTONIC, &after);
	send_one(fd, &segment);
	clock_gettime(CLOCK_MONOTONIC, &before);
	et_port_wait(reader, 5000000);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK(after.tv_sec - before.tv_sec < 4);
	CHECK(count_ours(reader, 1) == 1);
	et_port_reader_free(reader);
	et_port_close(set);
}

void test_interfaces(void)
{
	if (geteuid()) {
		fprintf(stderr, "skipped: needs root for interfaces of its own ");
		return;
	}
	CU_ASSERT(child_run(test_veth_removal, NULL));
	CU_ASSERT(child_run(test_veth_drops, NULL));
	CU_ASSERT(child_run(test_veth_fanout, NULL));
	CU_ASSERT(child_run(test_tap_wait, NULL));
	CU_ASSERT(child_run(test_tx_veth, NULL));
}
