/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_keys.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "et_ring.h"
#include "et_stats.h"

#define AT(field) offsetof(struct config, field)
#define KIB       1024ull
#define MIB       (1024 * KIB)
#define GIB       (1024 * MIB)

/* In the order of --help, of --check and of the manual. Reasons for defaults: docs/deploy.md. */
const struct config_key config_keys[] = {
	{ "sensor", "name", "sensor", "NAME", CONFIG_SENSOR, false, false, AT(sensor), 0, 0, NULL,
		"name in records, files and rings (default: the host's short name)" },
	{ "sensor", "mail-ports", "mail-ports", "LIST", CONFIG_MAIL_PORTS, false, false,
		AT(mail_ports_text), 0, 0, NULL,
		"more mail ports, as PORT=SERVICE[,...]; services: smtp, submission, smtps, lmtp, "
		"imap, imaps, pop3, pop3s, sieve, none" },

	{ "eal", "cores", "cores", "LIST", CONFIG_CORES, false, false, AT(cores), 0, 0, NULL,
		"CPUs for workers, one worker each, as 2,4-7 (default: one worker, on the last CPU "
		"allowed). The control thread floats over all CPUs" },
	{ "eal", "huge", "huge", NULL, CONFIG_YES, false, false, AT(huge), 0, 0, "yes",
		"hugepages; without them vdevs work, and NICs behind an IOMMU" },
	{ "eal", "memory", "memory", "SIZE", CONFIG_MIB, false, true, AT(memory_mib), 64, 1u << 20,
		"0", "memory for DPDK, as 1G; 0: as needed, or 1G without hugepages" },
	{ "eal", "file-prefix", "file-prefix", "NAME", CONFIG_TEXT, false, false, AT(file_prefix),
		0, 0, "ehlotap", "tells DPDK programs on one machine apart" },
	{ "eal", "arg", NULL, "WORD", CONFIG_ARG, false, false, AT(eal_args), 0, 0, NULL,
		"one word of a DPDK command line; repeat it for more" },

	{ "port", "port", "port", "NAME", CONFIG_PORT, false, false, AT(ports), 0, 0, NULL,
		"PCI address or vdev with its arguments, as 0000:3b:00.0 or "
		"net_af_packet0,iface=eth1. May be given several times" },
	{ "port", "queues", "queues", "N", CONFIG_NUMBER, false, false, AT(queues), 0, CONFIG_CPUS,
		"0", "RX queues of each port; 0: as many as workers where RSS allows" },
	{ "port", "rx-descriptors", "rx-descriptors", "N", CONFIG_NUMBER, false, true,
		AT(rx_descriptors), 32, 65535, "0",
		"descriptors of each RX queue; 0: what the driver proposes" },
	{ "port", "mbufs", "mbufs", "N", CONFIG_NUMBER, false, true, AT(mbufs), 512, 1u << 26, "0",
		"packet buffers per port and NUMA node; 0: from queues and descriptors" },
	{ "port", "mbuf-size", "mbuf-size", "BYTES", CONFIG_SIZE32, false, true, AT(mbuf_bytes),
		1024, 65408, "0", "room for a frame in one packet buffer; 0: 2048" },
	{ "port", "mtu", "mtu", "BYTES", CONFIG_NUMBER, false, true, AT(mtu), 68, 65535, "0",
		"largest frame without its Ethernet header; 0: as the port is set" },
	{ "port", "rss", "rss", NULL, CONFIG_YES, false, false, AT(rss), 0, 0, "yes",
		"spread by the NIC where it can bring both directions to one queue" },
	{ "port", "promiscuous", "promiscuous", NULL, CONFIG_YES, false, false, AT(promiscuous), 0,
		0, "yes", "take frames for all MAC addresses: a mirror port needs it" },
	{ "port", "flow-rules", "flow-rules", NULL, CONFIG_YES, false, false, AT(flow_rules), 0, 0,
		"no", "let the NIC keep other ports than mail away, where it can (rte_flow)" },
	{ "port", "stamps", "stamps", "WHEN", CONFIG_THREE, false, false, AT(stamps), 0, 0, "auto",
		"time stamps of the hardware: yes, no, or auto, which is where there are any" },

	{ "workers", "distributor", "distributor", "WHEN", CONFIG_THREE, false, false,
		AT(distributor), 0, 0, "auto",
		"first CPU spreads frames to the others: yes, no, or auto, which is where RSS "
		"cannot" },
	{ "workers", "flows", "flows", "N", CONFIG_NUMBER, false, false, AT(flows), 1000, 1u << 26,
		"1048576", "connections followed at a time, per worker" },
	{ "workers", "undecided", "undecided", "N", CONFIG_NUMBER, false, false, AT(undecided), 64,
		1u << 24, "65536", "of these undecided at a time, per worker" },
	{ "workers", "idle-sleep", "idle-sleep", "US", CONFIG_NUMBER, false, true, AT(idle_us), 1,
		1000000, "0", "sleep so many microseconds when no frame came; 0: poll" },
	{ "workers", "shed-bytes", "shed-bytes", "SIZE", CONFIG_SIZE32, false, true, AT(shed_bytes),
		64 * KIB, GIB, "0",
		"let the NIC drop the rest of a decided connection after so much, as 1M; 0: never. "
		"Needs flow-rules" },

	{ "ring", "size", "ring-size", "SIZE", CONFIG_SIZE, false, false, AT(ring_bytes),
		ET_RING_BYTES_MIN, ET_RING_BYTES_MAX, "64M",
		"shared memory to the exporter, per worker" },
	{ "ring", "mode", "ring-mode", "MODE", CONFIG_MODE, false, false, AT(ring_mode), 0, 0,
		"0640", "permissions of the rings: 0600, 0640 or 0660" },
	{ "ring", "owner", "ring-owner", "USER", CONFIG_USER, false, false, AT(ring_owner), 0, 0,
		NULL, "who may drain the rings: the exporter's user (default: --user)" },
	{ "ring", "group", "ring-group", "GROUP", CONFIG_GROUP, false, false, AT(ring_group), 0, 0,
		NULL, "who may look at the rings (default: --group)" },

	{ "run", "user", "user", "USER", CONFIG_USER, false, false, AT(user), 0, 0, NULL,
		"become this user when all is set up" },
	{ "run", "group", "group", "GROUP", CONFIG_GROUP, false, false, AT(group), 0, 0, NULL,
		"become this group (default: the user's)" },
	{ "run", "stats", "stats", "SECONDS", CONFIG_NUMBER, true, true, AT(stats_s), 1, 86400, "0",
		"print counters so often; 0: at the end only" },
	{ "run", "sessions", "sessions", "OUT", CONFIG_TEXT, true, false, AT(sessions), 0, 0, NULL,
		"write one JSON line per connection to OUT; - is standard output" },
};

const size_t config_keys_cnt = sizeof(config_keys) / sizeof(config_keys[0]);

struct config_text {
	struct config_text *next;
	char text[];
};

const char *config_keep(struct config *config, const char *text)
{
	size_t n = strlen(text) + 1;
	struct config_text *kept = malloc(sizeof(*kept) + n);

	if (!kept)
		return NULL;
	memcpy(kept->text, text, n);
	kept->next = config->texts;
	config->texts = kept;
	return kept->text;
}

void config_free(struct config *config)
{
	while (config->texts) {
		struct config_text *next = config->texts->next;

		free(config->texts);
		config->texts = next;
	}
	free(config->mail_ports);
	*config = (struct config){ 0 };
}

const char *config_show(char out[static CONFIG_SHOWN], const char *text)
{
	et_text_safe(out, CONFIG_SHOWN, (struct et_view){ (const uint8_t *)text, strlen(text) });
	return out;
}

bool config_is_list(const struct config_key *key)
{
	return key->kind == CONFIG_PORT || key->kind == CONFIG_ARG;
}

static int refuse(char error[static CONFIG_ERROR], const char *takes, const char *text)
{
	char shown[CONFIG_SHOWN];

	snprintf(error, CONFIG_ERROR, "takes %s, not \"%s\"", takes, config_show(shown, text));
	return -1;
}

static int keep(
	const char **out, struct config *config, char error[static CONFIG_ERROR], const char *text)
{
	*out = config_keep(config, text);
	if (*out)
		return 0;
	snprintf(error, CONFIG_ERROR, "finds no memory");
	return -1;
}

/* Bytes as they are written in a file: 64M where nothing is lost by it. */
static const char *size_text(char out[static 32], uint64_t bytes)
{
	static const char units[] = "KMGT";
	int unit = -1;

	while (bytes >= 1024 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, 32, "%llu%.*s", (unsigned long long)bytes, unit >= 0,
		&units[unit < 0 ? 0 : unit]);
	return out;
}

/* A number with or without a unit behind it. False when it is none, or does not fit. */
static bool number(uint64_t *out, const char *text, bool units)
{
	static const char letters[] = "KMGT";
	const char *unit;
	char *end;
	unsigned shift = 0;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (units && *end && (unit = strchr(letters, toupper((unsigned char)*end)))) {
		shift = 10 * (unsigned)(unit - letters + 1);
		end++;
		if (strcmp(end, "iB") == 0)
			end += 2;
	}
	if (*end || *out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

/* Numbers and sizes, in the unit of min and max; shift: of that unit to bytes. */
static int ranged(uint64_t *out, char error[static CONFIG_ERROR], const struct config_key *key,
	const char *text, bool size, unsigned shift)
{
	char takes[160], from[32], to[32];
	bool ok = number(out, text, size) && (*out & ((1ull << shift) - 1)) == 0;

	*out >>= shift;
	if (ok && ((*out >= key->min && *out <= key->max) || (*out == 0 && key->zero)))
		return 0;
	if (size)
		snprintf(takes, sizeof(takes), "a size from %s to %s%s%s",
			size_text(from, key->min << shift), size_text(to, key->max << shift),
			key->zero ? ", or 0" : "", shift ? ", in whole M" : "");
	else
		snprintf(takes, sizeof(takes), "a number from %llu to %llu%s",
			(unsigned long long)key->min, (unsigned long long)key->max,
			key->zero ? ", or 0" : "");
	return refuse(error, takes, text);
}

/* The three that et_ring_create takes: the owner drains the rings, so it must be able to. */
static int set_mode(mode_t *out, char error[static CONFIG_ERROR], const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end ||
		(mode != 0600 && mode != 0640 && mode != 0660))
		return refuse(error, "0600, 0640 or 0660", text);
	*out = (mode_t)mode;
	return 0;
}

static int set_word(int *out, char error[static CONFIG_ERROR], const char *const *words,
	const char *takes, const char *text)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i;
			return 0;
		}
	}
	return refuse(error, takes, text);
}

static int set_mail_ports(struct config *config, char error[static CONFIG_ERROR], const char *text)
{
	char shown[CONFIG_SHOWN], why[384];

	et_ports_default(config->mail_ports); /* the command line's list replaces the file's */
	if (et_ports_parse(config->mail_ports, why, sizeof(why), text) == 0)
		return 0;
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ') { /* not to be quoted as it is */
			snprintf(error, CONFIG_ERROR, "takes PORT=SERVICE[,...], not \"%s\"",
				config_show(shown, text));
			return -1;
		}
	}
	snprintf(error, CONFIG_ERROR, "is wrong: %.400s", why);
	return -1;
}

/* Kinds that are kept as the text they are. */
static int set_text(struct config *config, char error[static CONFIG_ERROR],
	const struct config_key *key, const char *text)
{
	char shown[CONFIG_SHOWN];
	int rc = 0;

	if (!*text) {
		snprintf(error, CONFIG_ERROR, "needs a value");
		return -1;
	}
	if (key->kind == CONFIG_SENSOR && !et_stats_sensor_ok(text))
		return refuse(error, "1 to 64 of A-Z a-z 0-9 . _ - and no dot in front", text);
	if ((key->kind == CONFIG_USER && !getpwnam(text)) ||
		(key->kind == CONFIG_GROUP && !getgrnam(text))) {
		snprintf(error, CONFIG_ERROR,
			"names the %s \"%s\", which this machine does not have: make it first "
			"(systemd-sysusers, adduser)",
			key->kind == CONFIG_USER ? "user" : "group", config_show(shown, text));
		return -1;
	}
	if (key->kind == CONFIG_MAIL_PORTS)
		rc = set_mail_ports(config, error, text);
	else if (key->kind == CONFIG_CORES)
		rc = config_cores(config, error, text);
	return rc ? rc : keep((const char **)((char *)config + key->at), config, error, text);
}

static int set_arg(struct config *config, char error[static CONFIG_ERROR], const char *text)
{
	if (!*text || strpbrk(text, " \t"))
		return refuse(error, "one word; two words are two lines \"arg = \"", text);
	if (config->eal_args_cnt == CONFIG_ARGS) {
		snprintf(error, CONFIG_ERROR, "is there more than %d times", CONFIG_ARGS);
		return -1;
	}
	return keep(&config->eal_args[config->eal_args_cnt++], config, error, text);
}

int config_set(struct config *config, char error[static CONFIG_ERROR], const struct config_key *key,
	const char *text)
{
	static const char *const yes[] = { "no", "yes", NULL };
	static const char *const three[] = { "auto", "yes", "no", NULL };
	char *at = (char *)config + key->at;
	uint64_t value = 0;
	int rc, word = 0;

	switch (key->kind) {
	case CONFIG_YES:
		rc = set_word(&word, error, yes, "yes or no", text);
		*(bool *)at = word == 1;
		return rc;
	case CONFIG_THREE:
		rc = set_word(&word, error, three, "auto, yes or no", text);
		*(enum config_three *)at = (enum config_three)word;
		return rc;
	case CONFIG_NUMBER:
	case CONFIG_SIZE32:
	case CONFIG_MIB:
		rc = ranged(&value, error, key, text, key->kind != CONFIG_NUMBER,
			key->kind == CONFIG_MIB ? 20 : 0);
		*(unsigned *)at = (unsigned)value;
		return rc;
	case CONFIG_SIZE:
		rc = ranged(&value, error, key, text, true, 0);
		*(size_t *)at = value;
		return rc;
	case CONFIG_MODE: return set_mode((mode_t *)at, error, text);
	case CONFIG_PORT: return config_port(config, error, text);
	case CONFIG_ARG: return set_arg(config, error, text);
	default: return set_text(config, error, key, text);
	}
}

/* The host's short name, made one that et_stats_sensor_ok accepts. */
static const char *host(char out[static 65])
{
	char name[256] = "", *to = out;

	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	for (const char *p = name; *p && *p != '.' && to < out + 64; p++)
		*to++ = isalnum((unsigned char)*p) || strchr("_-", *p) ? *p : '-';
	*to = '\0';
	if (!et_stats_sensor_ok(out))
		snprintf(out, 65, "sensor");
	return out;
}

int config_preset(struct config *config, char error[static CONFIG_ERROR])
{
	char name[65];

	config->mail_ports = malloc(sizeof(*config->mail_ports));
	if (!config->mail_ports) {
		snprintf(error, CONFIG_ERROR, "no memory");
		return -1;
	}
	et_ports_default(config->mail_ports);
	for (size_t i = 0; i < config_keys_cnt; i++)
		if (config_keys[i].preset &&
			config_set(config, error, &config_keys[i], config_keys[i].preset) != 0)
			return -1;
	return keep(&config->sensor, config, error, host(name));
}

static void print_list(FILE *to, const struct config_key *key, const char *const *texts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		fprintf(to, "%s = %s\n", key->name, texts[i]);
	if (!cnt)
		fprintf(to, "#%s =\n", key->name);
}

void config_print(FILE *to, const struct config *config, const struct config_key *key)
{
	static const char *const three[] = { "auto", "yes", "no" };
	const char *at = (const char *)config + key->at, *text;
	char size[32];

	switch (key->kind) {
	case CONFIG_PORT: print_list(to, key, config->ports, config->ports_cnt); return;
	case CONFIG_ARG: print_list(to, key, config->eal_args, config->eal_args_cnt); return;
	case CONFIG_YES: text = *(const bool *)at ? "yes" : "no"; break;
	case CONFIG_THREE: text = three[*(const enum config_three *)at]; break;
	case CONFIG_NUMBER: fprintf(to, "%s = %u\n", key->name, *(const unsigned *)at); return;
	case CONFIG_SIZE32: text = size_text(size, *(const unsigned *)at); break;
	case CONFIG_MIB: text = size_text(size, *(const unsigned *)at * MIB); break;
	case CONFIG_SIZE: text = size_text(size, *(const size_t *)at); break;
	case CONFIG_MODE:
		fprintf(to, "%s = %04o\n", key->name, (unsigned)*(const mode_t *)at);
		return;
	default: text = *(const char *const *)at; break;
	}
	if (text)
		fprintf(to, "%s = %s\n", key->name, text);
	else
		fprintf(to, "#%s =\n", key->name);
}
