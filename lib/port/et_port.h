/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_PORT_H
#define ET_PORT_H

/*
 * port: the door to DPDK. Everything that includes an rte_ header of EAL, ethdev, mbuf, flow,
 * fragments or telemetry lives in this room (rte_ring's header alone is used in `ring` too).
 *
 * Life of a program:
 *
 *   et_port_eal       once: EAL with the given arguments
 *   et_port_open      the ports: abilities are asked before anything is requested of them
 *   et_port_launch    one function per worker lcore, each with its own reader
 *   et_port_join      waits for them
 *   et_port_close     ports stopped and closed, EAL cleaned up
 *
 * A program that sends opens its port by et_port_tx_open instead.
 *
 * A *reader* takes frames of one queue index from every port, for one lcore. A *lane* is a ring of
 * frames from a distributor's lcore to a worker's. The readers, lanes and their memory are made
 * before launch on the NUMA node of the lcore that will use them; nothing allocates afterwards.
 *
 * Errors of set-up: -errno and a sentence that says what is wrong and what to do. Facts that are
 * worth a line (an ability that is missing and what is done instead) go to the `say` callback.
 */

#include <stdio.h>

#include "et_packet.h"
#include "et_source.h" /* struct et_frame */

#define ET_PORT_ERROR  512
#define ET_PORT_MAX    32 /* ports */
#define ET_PORT_LCORES 128
#define ET_PORT_BURST  64
#define ET_PORT_NAME   64

/* ---- EAL ---- */

/*
 * args: as on a DPDK command line, without the program's name ("-l", "0,1", "--vdev", ...). Says in
 * plain words what is missing: hugepages (and that --no-huge works without), permission, a wrong
 * core list, an unknown driver or a vdev that did not start, a second process with the same
 * --file-prefix. EAL's own log goes to standard error at level warning and worse.
 */
int et_port_eal(char error[static ET_PORT_ERROR], int cnt, const char *const *args);

/*
 * The worker lcores in order. The main lcore is not among them: it is the thread that called
 * et_port_eal, runs no poll loop, and is what the header calls the control thread.
 */
unsigned et_port_lcores(unsigned lcores[static ET_PORT_LCORES]);

/* ---- ports ---- */

enum et_port_rss {
	ET_PORT_RSS_AUTO, /* used where it can bring both directions of a flow to one queue */
	ET_PORT_RSS_OFF,
};

struct et_port_options {
	const char *const *names; /* PCI address or vdev name; none: every port that EAL found */
	size_t names_cnt;
	unsigned workers;        /* readers that could be used, >= 1 */
	unsigned queues;         /* per port; 0: as many as workers, if the port and RSS allow */
	unsigned rx_descriptors; /* 0: what the driver proposes, at least 1024 if it allows */
	unsigned mbufs;          /* per port and NUMA node; 0: from queues and descriptors */
	unsigned mbuf_bytes;     /* data room; 0: 2048 */
	unsigned mtu;            /* 0: as it is */
	unsigned private_bytes;  /* in each mbuf for the caller, see et_port_private */
	enum et_port_rss rss;
	bool promiscuous;
	bool hardware_stamps;       /* use RX time stamps where there are any */
	bool flow_rules;            /* try rte_flow */
	bool wait;                  /* ask for RX interrupts, so that et_port_wait can sleep */
	const uint16_t *mail_ports; /* for the rules: TCP ports that must reach the queues */
	size_t mail_ports_cnt;
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
};

struct et_port_set;

/*
 * Configures and starts the ports. What was decided is in et_port_plan. Fails for an unknown name,
 * more queues than a port has, a port that does not start, no port at all.
 */
struct et_port_set *et_port_open(
	char error[static ET_PORT_ERROR], const struct et_port_options *options);

struct et_port_plan {
	unsigned ports;
	unsigned
		queues; /* per port: this many readers are to be made, with queue 0 .. queues - 1 */
	bool symmetric; /* both directions of a flow come to the same queue index on every port */
};
void et_port_plan(struct et_port_plan *out, const struct et_port_set *set);

/*
 * Stops RX, closes the ports and cleans up EAL, which cannot be started again in this process.
 * Readers and lanes must be freed before. NULL is allowed: after et_port_open failed, for EAL.
 */
void et_port_close(struct et_port_set *set);

/* ---- readers ---- */

struct et_port_reader;

/* For queue `queue` of every port, to be used on `lcore`. NULL when memory is short. */
struct et_port_reader *et_port_reader_new(struct et_port_set *set, unsigned queue, unsigned lcore);
void et_port_reader_free(struct et_port_reader *reader);

/*
 * The next frames, at most ET_PORT_BURST, over all ports in turn; 0 when there are none. Where
 * frames have stamps (hardware, or net_pcap's) and there are several ports, they come in the order
 * of the stamps as far as what is there tells. now_ns: the host's clock, the stamp of frames that
 * have none. clock_ns is the highest stamp so far, and now_ns at least where the host's clock is
 * the one in use. Frames of several segments are made one piece, cut at 65535
 * bytes. index counts this reader's frames.
 * They are valid until et_port_done, which must be called before the next et_port_read.
 */
unsigned et_port_read(struct et_port_reader *reader, struct et_frame frames[static ET_PORT_BURST],
	int64_t now_ns);

/* Whether frames bear the stamps of a file (net_pcap), so that the host's clock is not theirs. */
bool et_port_replays(const struct et_port_reader *reader);

/* Frees the frames of the last et_port_read that were not passed on (et_port_pass). */
void et_port_done(struct et_port_reader *reader);

/* private_bytes of the caller that go with frame i of the last burst; 16-byte aligned. */
void *et_port_private(struct et_port_reader *reader, unsigned i);

/*
 * Frame i of the last burst holds an IP fragment at offset `at` from its begin (an IPv4 or IPv6
 * header). Takes it, and gives true with `whole` filled when that completes a datagram: raw IP
 * (DLT_RAW), valid until et_port_done, with private bytes of its own. Fragments whose datagram stays incomplete for two seconds
 * are freed and counted, and so is what the table (4096 datagrams) has no room for, and what comes
 * while 7 of 8 packet buffers are taken.
 */
bool et_port_fragment(
	struct et_port_reader *reader, struct et_frame *whole, unsigned i, uint32_t at);

struct et_port_reader_counts {
	uint64_t frames, bytes;  /* read */
	uint64_t fragments_lost; /* given up, see above */
	uint64_t segments;       /* frames of more than one mbuf */
	uint64_t cut; /* of those, given with their first segment only: no 64 KiB buffer was free */
};
/* Any thread; written by the reader's only. */
void et_port_reader_counts(struct et_port_reader_counts *out, const struct et_port_reader *reader);

/* Whether RX interrupts can wake the reader; then et_port_wait sleeps until one, or us passed. */
bool et_port_can_wait(const struct et_port_reader *reader);
void et_port_wait(struct et_port_reader *reader, unsigned us);

/*
 * The queue that RSS brings this segment's flow to, by key and redirection table; -1 when the set
 * is not symmetric. For datagrams put together from fragments, which RSS hashes without ports.
 */
int et_port_queue_of(const struct et_port_set *set, const struct et_segment *segment);

/*
 * Asks the NIC to drop what still comes of this connection, of which everything is known. Does
 * nothing where rte_flow cannot do it. The rules are installed later by et_port_watch, at most 4096
 * at a time, and taken out after `seconds`.
 */
void et_port_shed(
	struct et_port_reader *reader, const struct et_segment *segment, unsigned seconds);

/* ---- lanes: frames that one lcore has read and another works on ---- */

struct et_port_lane;

/*
 * slots: a power of two. many: several lcores pass frames into it, else one. NULL when memory is
 * short. Made for the NUMA node of the lcore that takes frames out.
 */
struct et_port_lane *et_port_lane_new(unsigned slots, bool many, unsigned lcore);
void et_port_lane_free(struct et_port_lane *lane);

/*
 * Passes frames of the reader's last burst into a lane, private bytes with them: those whose
 * numbers are in frames[0..cnt). A whole datagram of et_port_fragment goes by the number of its
 * last fragment. Returns how many went: the first of them; the lane was full for the rest, which
 * stay with the reader and are freed by et_port_done.
 */
unsigned et_port_pass(struct et_port_reader *reader, struct et_port_lane *lane,
	const uint8_t *frames, unsigned cnt);

/*
 * Worker: the private bytes of up to ET_PORT_BURST frames. Frames do not move, so what was written
 * there about a frame's bytes still holds. Valid until et_port_lane_done, which frees the frames.
 */
unsigned et_port_lane_read(struct et_port_lane *lane, void *privates[static ET_PORT_BURST]);
void et_port_lane_done(struct et_port_lane *lane);
/* Frames waiting, and slots. Any thread. */
unsigned et_port_lane_used(const struct et_port_lane *lane);
unsigned et_port_lane_size(const struct et_port_lane *lane);

/* ---- sending: one queue of one port, which is opened for nothing else ---- */

#define ET_PORT_TX_BURST 32

struct et_port_tx;

struct et_port_tx_options {
	const char *name;   /* PCI address or vdev name */
	unsigned frame_max; /* bytes of the longest frame */
	unsigned
		waiting; /* room for frames of another thread (et_port_tx_put); 0: it is not used */
	unsigned lcore;  /* that sends */
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
};

/*
 * Configures and starts the port to send. NULL: failed, for a reason as with et_port_open. What
 * such a port receives is not read. Buffers are enough for the driver's descriptors and `waiting`.
 */
struct et_port_tx *et_port_tx_open(
	char error[static ET_PORT_ERROR], const struct et_port_tx_options *options);

/*
 * Stops and closes the port; frames that it was given are sent if that takes no more than a second.
 * No thread may be in a function of this chapter. EAL stays, until et_port_close. NULL is allowed.
 */
void et_port_tx_close(struct et_port_tx *tx);

/* Whether there is a link: frames for a port without one are refused or lost. Control thread. */
bool et_port_tx_link(struct et_port_tx *tx);

/*
 * The sender's thread. Its burst is a list of up to ET_PORT_TX_BURST frames.
 *
 * et_port_tx_add     room for one more frame of len bytes at its end; NULL: the burst is full, or
 *                    the port still has all buffers
 * et_port_tx_send    offers all to the port, and returns how many it took: the first ones. They are
 *                    the port's; the rest stays, in order
 * et_port_tx_drop    gives the rest up; returns how many that were
 */
uint8_t *et_port_tx_add(struct et_port_tx *tx, uint32_t len);
unsigned et_port_tx_send(struct et_port_tx *tx);
unsigned et_port_tx_drop(struct et_port_tx *tx);

/*
 * Another thread, one at a time: a frame for the sender, copied, with a number that goes with it.
 * False: no room now, or no buffer.
 */
bool et_port_tx_put(struct et_port_tx *tx, const void *bytes, uint32_t len, uint64_t number);

/*
 * The sender's thread: looks at the first of these frames without taking it, and moves it to the
 * end of the burst. peek: false if there is none. take: only behind a peek that was true; false if
 * the burst is full.
 */
bool et_port_tx_peek(struct et_port_tx *tx, uint32_t *len, uint64_t *number);
bool et_port_tx_take(struct et_port_tx *tx);

struct et_port_tx_counts {
	uint64_t packets, bytes; /* that the port says it has sent */
	uint64_t errors;         /* that it took and then could not send */
};
void et_port_tx_counts(struct et_port_tx_counts *out, const struct et_port_tx *tx);

/* ---- threads ---- */

/* Runs run(args[i]) on lcores[i]; the caller's thread is the main lcore and is not used. */
int et_port_launch(unsigned lcore, int (*run)(void *arg), void *arg);
/* Waits for all that was launched. */
void et_port_join(void);

/* Cycles of the time stamp counter and how many make a second. Any thread. */
uint64_t et_port_cycles(void);
uint64_t et_port_cycles_per_s(void);

/* ---- decided flows, links, counters; the control thread ---- */

struct et_port_counts {
	char name[ET_PORT_NAME], driver[ET_PORT_NAME];
	bool present; /* false after the port was removed */
	bool link_up;
	uint64_t packets, bytes, imissed, ierrors, rx_nombuf;
};
/* Of port i, 0 <= i < ports. Keeps the last values of a port that is gone. */
void et_port_counts(struct et_port_set *set, unsigned i, struct et_port_counts *out);

/* Calls row for each extended statistic that is not 0. */
void et_port_xstats(struct et_port_set *set, unsigned i,
	void (*row)(void *ctx, const char *name, uint64_t value), void *ctx);

/*
 * To be called some times a second: notices links that went down or came up and ports that were
 * removed (their readers skip them), and says so. Ports that come back are taken up again where the
 * driver can.
 */
void et_port_watch(struct et_port_set *set);

/* ---- telemetry ---- */

/*
 * Registers a command of rte_telemetry, "/ehlotap/workers"; fill is called from its thread and
 * writes a flat list of numbers by et_port_tel_number, nested one level by et_port_tel_begin/end.
 */
struct et_port_tel;
int et_port_telemetry(const char *command, const char *help,
	void (*fill)(void *ctx, struct et_port_tel *tel), void *ctx);
void et_port_tel_number(struct et_port_tel *tel, const char *name, uint64_t value);
void et_port_tel_text(struct et_port_tel *tel, const char *name, const char *value);
void et_port_tel_begin(struct et_port_tel *tel, const char *name);
void et_port_tel_end(struct et_port_tel *tel);

#endif
