/* SPDX-License-Identifier: BSD-3-Clause */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * ET_NS_PER_S + now.tv_nsec;
}

/* The counters of all loops together. */
static struct et_feed_mark sum_up(const struct engine *engine)
{
	struct et_feed_mark sum = { 0 }, one;
	uint64_t flows = 0, undecided = 0;

	for (unsigned i = 0; i < engine->loops_cnt; i++) {
		loop_counts(engine->loops[i], &one);
		one.minutes = 1; /* a loop without a worker has none */
		flows += one.flows_open;
		undecided += one.undecided_open;
		et_feed_mark_add(&sum, &one);
	}
	sum.flows_open = flows;
	sum.undecided_open = undecided;
	sum.imissed = atomic_load(&engine->imissed);
	sum.ierrors = atomic_load(&engine->ierrors);
	sum.rx_nombuf = atomic_load(&engine->rx_nombuf);
	return sum;
}

static uint64_t lost(const struct et_feed_mark *sum)
{
	return sum->imissed + sum->ierrors + sum->rx_nombuf + sum->lane_lost;
}

/* The fullest ring, in percent. */
static unsigned ring_percent(const struct engine *engine)
{
	size_t most = 0;

	for (unsigned i = 0; i < engine->workers_cnt; i++) {
		const struct et_ring *ring = engine->workers[i]->ring;
		size_t percent = et_ring_used(ring) * 100 / et_ring_bytes(ring);

		if (percent > most)
			most = percent;
	}
	return (unsigned)most;
}

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

void show_begin(struct show *show, struct engine *engine)
{
	*show = (struct show){ .engine = engine };
	show->begin_ns = show->last_ns = monotonic_ns();
}

/* Reasons for which packets were given up since the last line; and what the ports lost, if anything. */
static void show_losses(const struct et_feed_mark *now, const struct et_feed_mark *last)
{
	const struct {
		const char *name;
		uint64_t by;
	} lost[] = {
		{ "imissed", now->imissed - last->imissed },
		{ "ierrors", now->ierrors - last->ierrors },
		{ "rx_nombuf", now->rx_nombuf - last->rx_nombuf },
		{ "lane_lost", now->lane_lost - last->lane_lost },
	};

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (lost[i].by > 0)
			fprintf(stderr, "  %s +%" PRIu64, lost[i].name, lost[i].by);
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		if (now->drops[i] > last->drops[i])
			fprintf(stderr, "  %s +%" PRIu64, et_drop_name(i),
				now->drops[i] - last->drops[i]);
	fputc('\n', stderr);
}

void show_line(struct show *show)
{
	struct et_feed_mark sum = sum_up(show->engine);
	int64_t now_ns = monotonic_ns();
	double s = (double)(now_ns - show->last_ns) / 1e9;
	uint64_t all = sum.busy_cycles + sum.idle_cycles;
	time_t clock = time(NULL);
	struct tm utc;
	char at[16];

	gmtime_r(&clock, &utc);
	strftime(at, sizeof(at), "%H:%M:%S", &utc);
	fprintf(stderr,
		"%s  packets %" PRIu64 "  %.3f Mpps  %.3f Gbit/s  lost %" PRIu64 "  flows %" PRIu64
		"  new/s %.0f  undecided %" PRIu64 "  ring %u%%  busy %.0f%%",
		at, sum.frames, (double)(sum.frames - show->last.frames) / s / 1e6,
		(double)(sum.bytes - show->last.bytes) * 8 / s / 1e9, lost(&sum), sum.flows_open,
		(double)(sum.flows_new - show->last.flows_new) / s, sum.undecided_open,
		ring_percent(show->engine),
		percent(sum.busy_cycles - show->last_busy, all - show->last_all));
	show_losses(&sum, &show->last);
	show->last = sum;
	show->last_ns = now_ns;
	show->last_busy = sum.busy_cycles;
	show->last_all = all;
}

static void show_worker(const struct loop *l)
{
	struct et_feed_mark one;
	uint64_t longest = atomic_load(&l->seen.longest_cycles);
	struct et_port_reader_counts reader;

	loop_counts(l, &one);
	if (!l->worker) {
		fprintf(stderr, "  distributor: %" PRIu64 " packets, ", one.frames);
	} else {
		fprintf(stderr, "  worker %u: ", l->number);
		if (l->reader)
			fprintf(stderr, "%" PRIu64 " packets, ", one.frames);
		fprintf(stderr,
			"%" PRIu64 " flows (%" PRIu64 " aged, %" PRIu64 " evicted, %" PRIu64
			" open), ring %zu of %zu KiB in use, ",
			one.flows_new, one.flows_aged, one.flows_evicted, one.flows_open,
			et_ring_used(l->ring) / 1024, et_ring_bytes(l->ring) / 1024);
		if (one.folded)
			fprintf(stderr,
				"%" PRIu64 " sessions as sums only (ring full), %" PRIu64
				" of them not told, ",
				one.folded, atomic_load(&l->seen.waiting));
	}
	if (l->reader) {
		et_port_reader_counts(&reader, l->reader);
		if (reader.cut)
			fprintf(stderr, "%" PRIu64 " frames cut (no large buffer), ", reader.cut);
	}
	if (one.lane_lost)
		fprintf(stderr, "%" PRIu64 " packets lost to full lanes, ", one.lane_lost);
	fprintf(stderr, "busy %.1f%%, longest round %.0f us\n",
		percent(one.busy_cycles, one.busy_cycles + one.idle_cycles),
		(double)longest * 1e6 / (double)et_port_cycles_per_s());
}

static void show_xstat(void *ctx, const char *name, uint64_t value)
{
	(void)ctx;
	fprintf(stderr, "    %s %" PRIu64 "\n", name, value);
}

void show_all(const struct show *show)
{
	const struct engine *engine = show->engine;
	struct et_feed_mark sum = sum_up(engine);
	struct et_port_plan plan;
	struct et_port_counts port;

	et_port_plan(&plan, engine->ports);
	fprintf(stderr, "ehlotap live: %.1f s, %" PRIu64 " packets, %" PRIu64 " bytes\n",
		(double)(monotonic_ns() - show->begin_ns) / 1e9, sum.frames, sum.bytes);
	for (unsigned i = 0; i < plan.ports; i++) {
		et_port_counts(engine->ports, i, &port);
		fprintf(stderr,
			"  port %s (%s%s): %" PRIu64 " packets, %" PRIu64 " missed, %" PRIu64
			" errors, %" PRIu64 " without a buffer\n",
			port.name, port.driver, port.present ? "" : ", removed", port.packets,
			port.imissed, port.ierrors, port.rx_nombuf);
		et_port_xstats(engine->ports, i, show_xstat, NULL);
	}
	for (unsigned i = 0; i < engine->loops_cnt; i++)
		show_worker(engine->loops[i]);
	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		if (sum.drops[i] > 0)
			fprintf(stderr, "  %" PRIu64 " %s\n", sum.drops[i], et_drop_text(i));
}

/* ---- telemetry ---- */

static void tel_info(void *ctx, struct et_port_tel *tel)
{
	const struct show *show = ctx;
	const struct engine *engine = show->engine;

	et_port_tel_text(tel, "version", ET_VERSION);
	et_port_tel_text(tel, "sensor", engine->config->sensor);
	et_port_tel_number(tel, "generation", engine->generation);
	et_port_tel_number(tel, "workers", engine->workers_cnt);
	et_port_tel_number(tel, "distributor", engine->spreads);
	et_port_tel_number(
		tel, "uptime_s", (uint64_t)((monotonic_ns() - show->begin_ns) / ET_NS_PER_S));
}

static void tel_loop(struct et_port_tel *tel, const struct loop *l)
{
	struct et_port_reader_counts reader;
	struct et_feed_mark one;

	loop_counts(l, &one);
	et_port_tel_number(tel, "lcore", l->lcore);
	et_port_tel_number(tel, "packets", one.frames);
	et_port_tel_number(tel, "bytes", one.bytes);
	et_port_tel_number(tel, "lane_lost", one.lane_lost);
	if (l->reader) {
		et_port_reader_counts(&reader, l->reader);
		et_port_tel_number(tel, "frames_cut", reader.cut);
		et_port_tel_number(tel, "fragments_lost", reader.fragments_lost);
	}
	et_port_tel_number(tel, "busy_cycles", one.busy_cycles);
	et_port_tel_number(tel, "idle_cycles", one.idle_cycles);
	et_port_tel_number(tel, "longest_round_ns",
		(uint64_t)((double)atomic_load(&l->seen.longest_cycles) * 1e9 /
			   (double)et_port_cycles_per_s()));
	if (!l->lane)
		return;
	et_port_tel_number(tel, "flows_new", one.flows_new);
	et_port_tel_number(tel, "flows_open", one.flows_open);
	et_port_tel_number(tel, "flows_max", l->engine->config->flows);
	et_port_tel_number(tel, "flows_aged", one.flows_aged);
	et_port_tel_number(tel, "flows_evicted", one.flows_evicted);
	et_port_tel_number(tel, "undecided_open", one.undecided_open);
	et_port_tel_number(tel, "undecided_max", l->engine->config->undecided);
	et_port_tel_number(tel, "sessions_as_sums", one.folded);
	et_port_tel_number(tel, "sessions_waiting", atomic_load(&l->seen.waiting));
	et_port_tel_number(tel, "ring_used", et_ring_used(l->ring));
	et_port_tel_number(tel, "ring_bytes", et_ring_bytes(l->ring));
	et_port_tel_number(tel, "lane_used", et_port_lane_used(l->lane));
	et_port_tel_number(tel, "lane_size", et_port_lane_size(l->lane));
	et_port_tel_number(tel, "duplicates", one.order.duplicates);
	et_port_tel_number(tel, "retransmissions", one.order.retransmissions);
	et_port_tel_number(tel, "gaps", one.order.gaps);
}

static void tel_workers(void *ctx, struct et_port_tel *tel)
{
	const struct engine *engine = ((const struct show *)ctx)->engine;
	char name[32];

	for (unsigned i = 0; i < engine->loops_cnt; i++) {
		if (engine->loops[i]->lane)
			snprintf(name, sizeof(name), "worker_%u", engine->loops[i]->number);
		else
			snprintf(name, sizeof(name), "distributor");
		et_port_tel_begin(tel, name);
		tel_loop(tel, engine->loops[i]);
		et_port_tel_end(tel);
	}
}

static void tel_ports(void *ctx, struct et_port_tel *tel)
{
	const struct engine *engine = ((const struct show *)ctx)->engine;
	struct et_port_counts port;
	struct et_port_plan plan;

	et_port_plan(&plan, engine->ports);
	for (unsigned i = 0; i < plan.ports; i++) {
		et_port_counts(engine->ports, i, &port);
		et_port_tel_begin(tel, port.name);
		et_port_tel_text(tel, "driver", port.driver);
		et_port_tel_number(tel, "present", port.present);
		et_port_tel_number(tel, "link_up", port.link_up);
		et_port_tel_number(tel, "packets", port.packets);
		et_port_tel_number(tel, "bytes", port.bytes);
		et_port_tel_number(tel, "imissed", port.imissed);
		et_port_tel_number(tel, "ierrors", port.ierrors);
		et_port_tel_number(tel, "rx_nombuf", port.rx_nombuf);
		et_port_tel_end(tel);
	}
}

static void tel_drops(void *ctx, struct et_port_tel *tel)
{
	struct et_feed_mark sum = sum_up(((const struct show *)ctx)->engine);

	for (unsigned i = 0; i < ET_DROP_MAX; i++)
		et_port_tel_number(tel, et_drop_name(i), sum.drops[i]);
}

int show_telemetry(struct show *show)
{
	static const struct {
		const char *command, *help;
		void (*fill)(void *ctx, struct et_port_tel *tel);
	} commands[] = {
		{ "/ehlotap/info", "Sensor, workers, uptime. No parameters", tel_info },
		{ "/ehlotap/workers", "Counters of each worker. No parameters", tel_workers },
		{ "/ehlotap/ports", "Counters of each port. No parameters", tel_ports },
		{ "/ehlotap/drops", "Packets given up, by reason. No parameters", tel_drops },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && !err; i++)
		err = et_port_telemetry(
			commands[i].command, commands[i].help, commands[i].fill, show);
	return err;
}
