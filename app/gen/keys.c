/* SPDX-License-Identifier: BSD-3-Clause */
#include "keys.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const gen_protocols[] = { "smtp", "submission", "smtps", "lmtp", "imap", "imaps",
	"pop3", "pop3s", "sieve", NULL };
const char *const gen_stories[] = { "established", "no_shared_cipher", "no_common_version",
	"unknown_ca", "expired", "client_reset", "server_close", "timeout", "broken",
	"client_cert_missing", "client_cert_rejected", "refused", "not_offered", "masked", "clear",
	NULL };
static const char *const certificates[] = { "rsa:2048", "rsa:3072", "ecdsa:P-256", "ecdsa:P-384",
	"ed25519", NULL };
static const char *const client_certs[] = { "no", "asked", "sent", NULL };
static const char *const distributions[] = { "uniform", "zipf", NULL };

static_assert(sizeof(gen_protocols) / sizeof(*gen_protocols) == GEN_PROTOCOLS + 1, "a name each");
static_assert(sizeof(client_certs) / sizeof(*client_certs) == GEN_CLIENT_CERTS + 1, "a name each");
static_assert(sizeof(gen_stories) / sizeof(*gen_stories) == GEN_STORIES + 1, "a name each");

#define P(field) offsetof(struct gen_profile, field)
#define K(field) offsetof(struct gen_kind, field)
#define SHARE    GEN_KEY_REAL
#define ENCAP(i) offsetof(struct gen_profile, encap) + (i) * sizeof(double)

const struct gen_key gen_keys[] = {
	{ "traffic", "sessions", GEN_KEY_NUMBER, P(sessions), 1, 1e10, NULL, "1000", "in all" },
	{ "traffic", "rate", GEN_KEY_REAL, P(rate), 1e-3, 1e7, NULL, "50",
		"sessions opened a second, at exponential gaps" },
	{ "traffic", "concurrency", GEN_KEY_NUMBER, P(concurrency), 1, 1 << 24, NULL, "100000",
		"open at a time; at the limit new ones wait" },
	{ "traffic", "start", GEN_KEY_TEXT, P(start), 0, 0, NULL, "2026-11-22T10:00:00Z",
		"time of the first packet" },
	{ "mail", "mu", GEN_KEY_REAL, P(mail_mu), 0, 25, NULL, "8",
		"of the log-normal size: exp(mu) is the median, in bytes" },
	{ "mail", "sigma", GEN_KEY_REAL, P(mail_sigma), 0, 5, NULL, "1", "of the log-normal size" },
	{ "mail", "max", GEN_KEY_REAL, P(mail_max), 1, 1e9, NULL, "1000000", "bytes" },
	{ "peers", "clients", GEN_KEY_NUMBER, P(clients), 1, 1 << 23, NULL, "200",
		"client addresses" },
	{ "peers", "servers", GEN_KEY_NUMBER, P(servers), 1, 1 << 20, NULL, "4",
		"server addresses of each pool" },
	{ "peers", "distribution", GEN_KEY_WORD, P(zipf), 0, 0, distributions, "uniform",
		"how often each is drawn" },
	{ "peers", "zipf_exponent", GEN_KEY_REAL, P(zipf_exponent), 0.1, 5, NULL, "1",
		"of distribution = zipf" },
	{ "peers", "ipv6", SHARE, P(ipv6), 0, 1, NULL, "0.1", "share of clients" },
	{ "network", "mss", GEN_KEY_NUMBER, P(mss), 88, 8960, NULL, "1460", "bytes" },
	{ "network", "rtt_ms", GEN_KEY_REAL, P(rtt_ms), 0.5, 5000, NULL, "20",
		"median over the clients" },
	{ "network", "rst", SHARE, P(rst), 0, 1, NULL, "0.08",
		"share of established sessions that end in RST" },
	{ "network", "delayed_ack", SHARE, P(delayed_ack), 0, 1, NULL, "0.5",
		"share of writes that are acknowledged before they are answered" },
	{ "network", "loss", SHARE, P(loss), 0, 1, NULL, "0",
		"share of packets that the capture misses" },
	{ "network", "reorder", SHARE, P(reorder), 0, 1, NULL, "0",
		"share of packets that arrive late" },
	{ "network", "reorder_us", GEN_KEY_NUMBER, P(reorder_us), 1, 1000000, NULL, "100",
		"by how much at most" },
	{ "network", "duplicates", SHARE, P(duplicates), 0, 1, NULL, "0",
		"share of packets that arrive twice, as mirror ports deliver them" },
	{ "network", "duplicate_us", GEN_KEY_NUMBER, P(duplicate_us), 1, 1000000, NULL, "50",
		"how much later at most" },
	{ "encapsulation", "vlan", SHARE, ENCAP(GEN_VLAN), 0, 1, NULL, "0",
		"share of sessions with an 802.1Q tag" },
	{ "encapsulation", "qinq", SHARE, ENCAP(GEN_QINQ), 0, 1, NULL, "0", "with two tags" },
	{ "encapsulation", "mpls", SHARE, ENCAP(GEN_MPLS), 0, 1, NULL, "0", "with an MPLS label" },
	{ "encapsulation", "gre", SHARE, ENCAP(GEN_GRE), 0, 1, NULL, "0", "IP in GRE" },
	{ "encapsulation", "erspan", SHARE, ENCAP(GEN_ERSPAN), 0, 1, NULL, "0",
		"Ethernet in ERSPAN type II" },
	{ "encapsulation", "vxlan", SHARE, ENCAP(GEN_VXLAN), 0, 1, NULL, "0", "Ethernet in VXLAN" },
	{ "encapsulation", "geneve", SHARE, ENCAP(GEN_GENEVE), 0, 1, NULL, "0",
		"Ethernet in GENEVE with an option" },
	{ "encapsulation", "erspan3", SHARE, ENCAP(GEN_ERSPAN3), 0, 1, NULL, "0",
		"Ethernet in ERSPAN type III" },
	{ GEN_SESSION, "weight", GEN_KEY_REAL, K(weight), 0, 1e9, NULL, "1",
		"how often, against the other sections" },
	{ GEN_SESSION, "protocol", GEN_KEY_WORD, K(protocol), 0, 0, gen_protocols, "smtp", "" },
	{ GEN_SESSION, "story", GEN_KEY_WORD, K(story), 0, 0, gen_stories, "established", "" },
	{ GEN_SESSION, "version", GEN_KEY_TEXT, K(both.version), 0, 0, NULL, "",
		"TLS version of both sides: 1.2, or 1.0-1.2" },
	{ GEN_SESSION, "client_version", GEN_KEY_TEXT, K(client.version), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "server_version", GEN_KEY_TEXT, K(server.version), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "suites", GEN_KEY_TEXT, K(both.suites), 0, 0, NULL, "",
		"by OpenSSL's names, with \":\" between" },
	{ GEN_SESSION, "client_suites", GEN_KEY_TEXT, K(client.suites), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "server_suites", GEN_KEY_TEXT, K(server.suites), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "groups", GEN_KEY_TEXT, K(both.groups), 0, 0, NULL, "",
		"by OpenSSL's names: X25519:P-256" },
	{ GEN_SESSION, "client_groups", GEN_KEY_TEXT, K(client.groups), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "server_groups", GEN_KEY_TEXT, K(server.groups), 0, 0, NULL, "", "" },
	{ GEN_SESSION, "client_sigalgs", GEN_KEY_TEXT, K(client.sigalgs), 0, 0, NULL, "",
		"by OpenSSL's names: RSA+SHA256:ECDSA+SHA256" },
	{ GEN_SESSION, "certificate", GEN_KEY_WORD, K(certificate), 0, 0, certificates, "rsa:2048",
		"the server's key" },
	{ GEN_SESSION, "client_certificate", GEN_KEY_WORD, K(client_cert), 0, 0, client_certs, "no",
		"the server asks for one; asked: the client has none" },
	{ GEN_SESSION, "sni", GEN_KEY_TEXT, K(sni), 0, 0, NULL, "", "server name in the hello" },
	{ GEN_SESSION, "resumed", SHARE, K(resumed), 0, 1, NULL, "0", "share of its sessions" },
	{ GEN_SESSION, "tickets", GEN_KEY_FLAG, K(tickets), 0, 0, NULL, "yes",
		"no: sessions are resumed by their id" },
	{ GEN_SESSION, "hello_retry", GEN_KEY_FLAG, K(hello_retry), 0, 0, NULL, "no",
		"a HelloRetryRequest comes first" },
	{ GEN_SESSION, "gnutls", SHARE, K(gnutls), 0, 1, NULL, "0",
		"share of its sessions between GnuTLS and not OpenSSL" },
	{ GEN_SESSION, "gnutls_priority", GEN_KEY_TEXT, K(gnutls_priority), 0, 0, NULL, "",
		"put behind the priority string, such as -AES-256-GCM" },
	{ GEN_SESSION, "reply", GEN_KEY_NUMBER, K(reply), 400, 599, NULL, "454",
		"of story = refused" },
	{ GEN_SESSION, "quit", GEN_KEY_FLAG, K(quit), 0, 0, NULL, "no",
		"of story = refused: no mail in clear then" },
	{ GEN_SESSION, "fallback", GEN_KEY_REAL, K(fallback_s), -1, 1e6, NULL, "-1",
		"seconds after which the client delivers in clear; -1: never" },
	{ GEN_SESSION, "servers", GEN_KEY_TEXT, K(servers), 0, 0, NULL, "",
		"pool of servers, shared with sections that name it too" },
	{ GEN_SESSION, "teach", GEN_KEY_TEXT, K(teach), 0, 0, NULL, "",
		"section that is the first session of each server, to show its certificate" },
};

const size_t gen_keys_cnt = sizeof(gen_keys) / sizeof(gen_keys[0]);

static int refuse(char why[static GEN_ERROR], const char *takes, const char *value)
{
	snprintf(why, GEN_ERROR, "takes %s, not \"%.60s\"", takes, value);
	return -1;
}

static int set_number(
	void *at, char why[static GEN_ERROR], const struct gen_key *key, const char *value)
{
	char *end, takes[80];
	double n;

	errno = 0;
	n = strtod(value, &end);
	snprintf(takes, sizeof(takes), "a %snumber from %g to %g",
		key->type == GEN_KEY_NUMBER ? "whole " : "", key->min, key->max);
	if (errno || end == value || *end || !isfinite(n) || n < key->min || n > key->max ||
		(key->type == GEN_KEY_NUMBER && n != floor(n)))
		return refuse(why, takes, value);
	if (key->type == GEN_KEY_NUMBER)
		*(uint64_t *)at = (uint64_t)n;
	else
		*(double *)at = n;
	return 0;
}

static int set_text(char **at, char why[static GEN_ERROR], const char *value)
{
	char *copy = *value ? strdup(value) : NULL;

	if (*value && !copy) {
		snprintf(why, GEN_ERROR, "no memory");
		return -1;
	}
	free(*at);
	*at = copy;
	return 0;
}

static int set_word(
	void *at, char why[static GEN_ERROR], const struct gen_key *key, const char *value)
{
	char takes[256];
	size_t n = 0;

	for (size_t i = 0; key->words[i]; i++) {
		if (strcmp(key->words[i], value) != 0)
			continue;
		if (key->words == certificates)
			return set_text(at, why, value);
		if (key->words == distributions)
			*(bool *)at = i == 1;
		else
			*(uint64_t *)at = i;
		return 0;
	}
	for (size_t i = 0; key->words[i] && n < sizeof(takes); i++)
		n += (size_t)snprintf(takes + n, sizeof(takes) - n, "%s%s",
			i == 0              ? "one of "
			: key->words[i + 1] ? ", "
					    : " or ",
			key->words[i]);
	return refuse(why, takes, value);
}

int gen_key_set(
	void *base, char why[static GEN_ERROR], const struct gen_key *key, const char *value)
{
	void *at = (char *)base + key->offset;

	switch (key->type) {
	case GEN_KEY_TEXT: return set_text(at, why, value);
	case GEN_KEY_WORD: return set_word(at, why, key, value);
	case GEN_KEY_FLAG:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return refuse(why, "yes or no", value);
		*(bool *)at = *value == 'y';
		return 0;
	default: return set_number(at, why, key, value);
	}
}

int gen_key_presets(void *base, const char *section)
{
	char why[GEN_ERROR];

	for (size_t i = 0; i < gen_keys_cnt; i++)
		if ((!section ? strcmp(gen_keys[i].section, GEN_SESSION) != 0
			      : strcmp(gen_keys[i].section, section) == 0) &&
			gen_key_set(base, why, &gen_keys[i], gen_keys[i].preset) != 0)
			return -1;
	return 0;
}

void gen_key_free(void *base, const char *section)
{
	for (size_t i = 0; i < gen_keys_cnt; i++) {
		const struct gen_key *key = &gen_keys[i];
		bool mine = section ? strcmp(key->section, section) == 0
				    : strcmp(key->section, GEN_SESSION) != 0;

		if (mine && (key->type == GEN_KEY_TEXT || key->words == certificates))
			free(*(char **)(void *)((char *)base + key->offset));
	}
}

void gen_profile_print_keys(void)
{
	const char *section = "";

	for (size_t i = 0; i < gen_keys_cnt; i++) {
		const struct gen_key *key = &gen_keys[i];

		if (strcmp(section, key->section) != 0)
			printf("%s[%s%s]\n", i ? "\n" : "", key->section,
				strcmp(key->section, GEN_SESSION) == 0 ? " NAME" : "");
		section = key->section;
		printf("%-16s = %-20s ", key->name, key->preset);
		for (size_t n = 0; key->words && key->words[n]; n++)
			printf("%s%s", n ? ", " : "# ", key->words[n]);
		if (*key->help)
			printf("%s%s", key->words ? ": " : "# ", key->help);
		putchar('\n');
	}
}
