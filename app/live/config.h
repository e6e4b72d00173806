/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIG_H
#define CONFIG_H

/*
 * What ehlotap live was told: by a configuration file, and over it by the command line. Both go
 * through one table of keys (config_keys.c): section, key, option, what is allowed, default, and
 * the sentence that --help says of it. Lives for the whole run; the main thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "et_conn.h"

#define CONFIG_PORTS 32
#define CONFIG_ARGS  80
#define CONFIG_CPUS  127 /* an EAL of Debian has 128 lcores, and one is the main one */

enum config_three { CONFIG_AUTO, CONFIG_ON, CONFIG_OFF };

struct config_text; /* strings that the configuration owns */

struct config {
	/* [sensor] */
	const char *sensor;          /* name; default: the host's short name */
	struct et_ports *mail_ports; /* the usual ones, and those of mail-ports */
	const char *mail_ports_text; /* 10025=smtp,...; NULL: none given */

	/* [eal] */
	const char *cores;          /* CPUs for workers, "2,4-7"; NULL: not given */
	unsigned cpus[CONFIG_CPUS]; /* the same, in order; one if not given, none if EAL args */
	size_t cpus_cnt;            /* say it (-l, --lcores ...) */
	bool huge;                  /* hugepages; no: --no-huge */
	unsigned memory_mib;        /* of EAL; 0: as needed. Without hugepages never 0 */
	const char *file_prefix;
	const char *eal_args[CONFIG_ARGS]; /* more, as on a DPDK command line */
	size_t eal_args_cnt;

	/* [port] */
	const char
		*ports[CONFIG_PORTS]; /* "0000:3b:00.0[,devarg=...]", "net_af_packet0,iface=eth1" */
	size_t ports_cnt;             /* 0: those of the EAL args */
	unsigned queues, rx_descriptors, mbufs, mbuf_bytes, mtu; /* 0: chosen */
	bool rss, promiscuous, flow_rules;
	enum config_three stamps; /* time stamps of the hardware */

	/* [workers] */
	enum config_three distributor;
	uint32_t flows;      /* connections, per worker */
	uint32_t undecided;  /* of these parsed at a time, per worker; <= flows */
	unsigned idle_us;    /* sleep so long when no frame came; 0: poll */
	unsigned shed_bytes; /* 0, or: let the NIC drop a decided flow after so many */

	/* [ring] */
	size_t ring_bytes; /* per worker */
	mode_t ring_mode;
	const char *ring_owner, *ring_group; /* names that exist; NULL: those of [run] */

	/* [run] */
	const char *user, *group; /* names that exist: become these after start; NULL: stay */
	unsigned stats_s;         /* print counters every so many seconds; 0: at exit only */
	const char *sessions;     /* file for session records, "-": standard output; NULL: none */

	const char *file; /* the configuration file, NULL if none */

	/* private */
	const char *port_names[CONFIG_PORTS];
	const char *lcores; /* for --lcores; NULL: EAL args say it */
	const char *memory; /* for -m; NULL: EAL args say it, or as needed */
	struct config_text *texts;
	int argc;
	char **argv;
};

/*
 * Reads the command line, and the file that it names. -1: go on; else an exit code, all that is to
 * be said has been said: 0 for --help, --version and --check (which prints what would be used, as
 * a configuration file), 2 for a mistake, told with file and line or the option, and what is
 * allowed. config_free is due after any of these. argv must outlive config, its strings may be
 * moved about (as getopt_long does).
 *
 * Command line: [EAL arguments --] [OPTION]...; all in front of a "--" belongs to EAL, unless the
 * first argument is one that EAL does not know. Where an EAL argument says what a key would say
 * (-l, -m, --no-huge, --file-prefix ...), the EAL argument counts. A -a or --vdev on the command
 * line without any --port replaces the file's ports, as --port does.
 */
int config_read(struct config *config, int argc, char **argv);

/*
 * SIGHUP: reads the file again and takes over what can change while running (stats, and the name in
 * sessions if it had one: it never comes from or goes to NULL); says which changed keys need a
 * restart. Opening the sessions file again is the caller's. A broken file changes nothing, and is
 * told. 0 or -1.
 */
int config_reread(struct config *config);

/*
 * The EAL arguments that the configuration comes to, without a program's name; strings live as long
 * as config.
 */
size_t config_eal(const struct config *config, const char *args[static CONFIG_ARGS * 2]);

/*
 * The names of the ports as et_port_open wants them: PCI addresses in full, vdevs without their
 * arguments. 0: every port that EAL found. Strings live as long as config.
 */
size_t config_port_names(const struct config *config, const char *names[static CONFIG_PORTS]);

void config_free(struct config *config);

#endif
