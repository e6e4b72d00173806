/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The configuration alone: config_read's exit code; to go on is 0 too. With CONFIG_AGAIN in the
 * environment standard input is waited for, and then the file is read as at SIGHUP.
 */

#include <stdio.h>
#include <stdlib.h>

#include "config.h"

static void again(struct config *config)
{
	int key = getchar();

	printf("reread %d, ", key == EOF ? -1 : config_reread(config));
	printf("stats %u, sessions %s\n", config->stats_s,
		config->sessions ? config->sessions : "none");
}

static void tell(struct config *config)
{
	const char *args[CONFIG_ARGS * 2], *names[CONFIG_PORTS];
	size_t args_cnt = config_eal(config, args), names_cnt = config_port_names(config, names);

	fputs("eal", stdout);
	for (size_t i = 0; i < args_cnt; i++)
		printf(" %s", args[i]);
	fputs("\nports", stdout);
	for (size_t i = 0; i < names_cnt; i++)
		printf(" %s", names[i]);
	printf("\nworkers %zu, 10025 is %u\n", config->cpus_cnt,
		config->mail_ports->service[10025]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct config config;
	int rc = config_read(&config, argc, argv);

	if (rc < 0) {
		tell(&config);
		if (getenv("CONFIG_AGAIN"))
			again(&config);
	}
	config_free(&config);
	return rc < 0 ? 0 : rc;
}
