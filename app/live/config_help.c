/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_keys.h"

#include <string.h>

#define MARGIN 26
#define WIDTH  80

/* The text behind the margin, broken between words. */
static void put_wrapped(const char *text)
{
	size_t at = MARGIN;

	for (const char *word = text; *word;) {
		size_t n = strcspn(word, " ");

		if (at > MARGIN && at + 1 + n > WIDTH) {
			printf("\n%*s", MARGIN, "");
			at = MARGIN;
		}
		printf("%s%.*s", at > MARGIN ? " " : "", (int)n, word);
		at += n + (at > MARGIN);
		word += n;
		word += *word == ' ';
	}
}

/* The sentence, the default in brackets, and what the key is called in the file if that differs. */
static void put_help(const struct config_key *key)
{
	char text[400];
	bool yes = key->kind == CONFIG_YES;
	bool preset = key->preset && (yes || strcmp(key->preset, "0") != 0);
	bool renamed = key->option && strcmp(key->option, key->name) != 0;

	snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", key->help, preset ? " (" : "",
		preset ? key->preset : "", preset ? ")" : "", renamed ? "; in the file: " : "",
		renamed ? key->name : "", key->option ? "" : "; only in the file");
	put_wrapped(text);
	putchar('\n');
}

static void put_key(const struct config_key *key)
{
	char left[64];
	int n;

	if (key->kind == CONFIG_YES)
		n = snprintf(left, sizeof(left), "      --[no-]%s", key->option);
	else if (key->option)
		n = snprintf(left, sizeof(left), "      --%s %s", key->option, key->arg);
	else
		n = snprintf(left, sizeof(left), "      %s = %s", key->name, key->arg);
	printf("%s", left);
	if (n > MARGIN - 2)
		printf("\n%*s", MARGIN, "");
	else
		printf("%*s", MARGIN - n, "");
	put_help(key);
}

void config_help(void)
{
	fputs("Usage: ehlotap live [EAL ARGUMENT... --] [OPTION]...\n"
	      "Capture mail traffic from NIC queues or virtual devices by DPDK, and follow its\n"
	      "TLS. What is seen goes to rings in shared memory, which ehlotap export empties,\n"
	      "and to --sessions.\n"
	      "\n"
	      "Options are keys of the configuration file too; the command line wins over the\n"
	      "file, and its --port replaces the file's ports.\n"
	      "\n"
	      "      --config FILE       read FILE; drivers-conf/ has one for each NIC driver\n"
	      "      --check             say what would be used, and stop\n"
	      "  -h, --help              this text\n"
	      "  -V, --version           the version\n",
		stdout);
	for (size_t i = 0; i < config_keys_cnt; i++) {
		if (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0)
			printf("\n[%s]\n", config_keys[i].section);
		put_key(&config_keys[i]);
	}
	fputs("\n"
	      "SIGHUP reads the file again (for stats and another file of --sessions; the rest\n"
	      "needs a restart) and opens that file again. SIGTERM ends; what is known by then\n"
	      "is published.\n"
	      "Exit status: 0 ended as asked, or --check found nothing wrong; 1 capture had to\n"
	      "stop; 2 wrong usage, or it could not start.\n"
	      "\n"
	      "Examples:\n"
	      "  ehlotap live --no-huge --port net_pcap0,rx_pcap=mx.pcap --sessions -\n"
	      "  ehlotap live --no-huge --port net_af_packet0,iface=eth1 --stats 10\n"
	      "  ehlotap live --cores 2-5 --port 0000:3b:00.0 --port 0000:3b:00.1\n"
	      "  ehlotap live --config /etc/ehlotap/live.conf --check\n"
	      "  ehlotap live -l 0-2 -a 0000:3b:00.0 -- --sensor gw1\n",
		stdout);
}
