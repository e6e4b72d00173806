/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Does a real libssl answer as the simulator says?
 *
 *     nego_proof [--made N] [--random N] [--seed N] [--captures DIR] [FILE...]
 *
 * $EHLOTAP_CAPTURES, if it is set, is used in place of DIR; a folder that is not there is left out.
 *
 * ClientHellos of real stacks, of captures, and made up, go as bytes into a libssl server of each
 * configuration; the same bytes, through the profile that ehlotap keeps of a hello, go into
 * et_nego_judge. Both must agree in all that is seen: answer or alert, version, suite, group,
 * HelloRetryRequest, key, signature, DH prime, extended master secret, secure renegotiation. Where
 * they do not, the hello must hold something that a profile does not keep (hello_beyond_profile).
 * The result is the same for the same seed. Exit status: 0 all pairs agree; 1 not; 2 not run.
 */

#include "configs.h"
#include "hellos.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHOWN  10 /* mismatches that are printed */
#define CAUSES 40

struct tally {
	size_t pairs, wrong, beyond, configs, refused_configs, unknown;
	struct {
		const char *cause;
		unsigned alert;
		size_t cnt;
	} causes[CAUSES];
};

static void print_words(FILE *to, const struct server_words *words)
{
	for (const struct server_option *o = words->options; o->name; o++)
		fprintf(to, " --%s %s", o->name, o->value);
	fputc('\n', to);
}

static void print_list(const char *name, const struct et_tls_list *list)
{
	fprintf(stderr, "  %s", name);
	for (uint16_t i = 0; i < list->n; i++)
		fprintf(stderr, " %04x", list->v[i]);
	fputc('\n', stderr);
}

static void print_pair(const struct server_words *words, const struct hello *hello,
	const struct et_nego_config *config, const struct et_nego_verdict *said,
	const struct answer *is, const char *what)
{
	const struct et_tls_profile *p = &hello->profile;
	char text[ET_NEGO_TEXT];

	fprintf(stderr, "%s differs:", what);
	print_words(stderr, words);
	fprintf(stderr, "  hello of %s: version %04x, %d %d %d %d\n", hello->from,
		p->legacy_version, p->sslv2, p->has_groups, p->has_sigalgs, p->has_versions);
	print_list("versions", &p->versions);
	print_list("ciphers", &p->ciphers);
	print_list("groups", &p->groups);
	print_list("sigalgs", &p->sigalgs);
	print_list("shares", &p->key_shares);
	print_list("extensions", &p->extensions);
	print_list("compression", &p->compression);
	et_nego_text(text, said, config, p);
	fprintf(stderr, "  said: %s [%s]\n", text, said->cause);
	fprintf(stderr,
		"  is: hello %d retry %d alert %d version %04x suite %04x group %04x dh %u key %u "
		"sigalg %04x sign %d hash %d ems %d reneg %d\n",
		is->server_hello, is->hello_retry, is->alert, is->version, is->suite, is->group,
		is->dh_bits, is->key, is->sigalg, is->sign, is->hash, is->ems,
		is->secure_renegotiation);
}

/* Whether TLS 1.3's scheme is what libssl calls it. */
static bool same_sign(uint16_t sigalg, int sign, int hash)
{
	static const struct {
		uint16_t sigalg;
		int sign, hash;
	} rows[] = { { 0x0403, EVP_PKEY_EC, NID_sha256 }, { 0x0503, EVP_PKEY_EC, NID_sha384 },
		{ 0x0603, EVP_PKEY_EC, NID_sha512 }, { 0x0804, EVP_PKEY_RSA_PSS, NID_sha256 },
		{ 0x0805, EVP_PKEY_RSA_PSS, NID_sha384 }, { 0x0806, EVP_PKEY_RSA_PSS, NID_sha512 },
		{ 0x0809, EVP_PKEY_RSA_PSS, NID_sha256 }, { 0x080a, EVP_PKEY_RSA_PSS, NID_sha384 },
		{ 0x080b, EVP_PKEY_RSA_PSS, NID_sha512 }, { 0x0807, EVP_PKEY_ED25519, 0 },
		{ 0x0808, EVP_PKEY_ED448, 0 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].sigalg == sigalg)
			return rows[i].sign == sign && rows[i].hash == hash;
	return false;
}

/* The first thing that differs; NULL: nothing. */
static const char *compare_refusal(const struct et_nego_verdict *said, const struct answer *is)
{
	if (is->alert != said->alert)
		return "alert";
	return is->server_hello ? "a ServerHello before the alert" : NULL;
}

static const char *compare_12(const struct et_nego_verdict *said, const struct answer *is)
{
	bool exchange = is->group || is->dh_bits;

	if (is->dh_bits != said->dh_bits)
		return "DH prime";
	if (exchange && said->version == ET_TLSV1_2 &&
		is->sigalg != (is->key < ET_NEGO_KEYS ? said->sigalg : 0))
		return "scheme";
	if (is->ems != said->ems)
		return "extended master secret";
	if (is->secure_renegotiation != said->secure_renegotiation)
		return "secure renegotiation";
	return said->forward_secret != exchange ? "forward secrecy" : NULL;
}

static const char *compare(const struct et_nego_verdict *said, const struct answer *is)
{
	if (said->result == ET_NEGO_REFUSE)
		return compare_refusal(said, is);
	if (is->alert >= 0 || !is->server_hello)
		return "accepted or refused";
	if (is->version != said->version)
		return "version";
	if (is->suite != said->suite)
		return "suite";
	if (is->hello_retry != said->hello_retry)
		return "HelloRetryRequest";
	if (is->group != said->group)
		return "group";
	if (is->key != said->key)
		return "key";
	if (is->version != ET_TLSV1_3)
		return compare_12(said, is);
	return same_sign(said->sigalg, is->sign, is->hash) ? NULL : "signature";
}

static void count_cause(struct tally *tally, const struct et_nego_verdict *said)
{
	size_t i = 0;

	while (i < CAUSES && tally->causes[i].cause &&
		(strcmp(tally->causes[i].cause, said->cause) != 0 ||
			tally->causes[i].alert != said->alert))
		i++;
	if (i == CAUSES)
		return;
	tally->causes[i].cause = said->cause;
	tally->causes[i].alert = said->alert;
	tally->causes[i].cnt++;
}

/* False: the options are not for a server, and the simulator says so too. */
static bool set_up(struct et_nego_config *config, const struct server_words *words)
{
	char error[ET_NEGO_ERROR];

	if (et_nego_init(config) != 0)
		return false;
	for (const struct server_option *o = words->options; o->name; o++)
		if (et_nego_set(config, error, o->name, o->value) != 0) {
			fprintf(stderr, "%s: %s\n", o->name, error);
			return false;
		}
	return et_nego_finish(config, error) == 0;
}

static void one_config(
	struct tally *tally, const struct hellos *hellos, const struct server_words *words)
{
	static struct et_nego_config config;
	struct server server;

	if (!set_up(&config, words)) {
		tally->refused_configs++;
		return;
	}
	tally->configs++;
	if (!server_open(&server, words))
		tally->wrong++;
	for (unsigned key = 0; key < ET_NEGO_KEYS; key++)
		if (server.loaded[key] != config.certs[key].present) {
			fputs("libssl took other keys:", stderr);
			print_words(stderr, words);
			tally->wrong++;
		}
	for (size_t i = 0; i < hellos->cnt; i++) {
		const struct hello *hello = &hellos->all[i];
		struct et_nego_verdict said;
		struct answer is;
		const char *what;

		et_nego_judge(&said, &config, &hello->profile);
		count_cause(tally, &said);
		if (said.result == ET_NEGO_UNKNOWN) {
			tally->unknown++;
			continue;
		}
		tally->pairs++;
		server_ask(&is, &server, hello->p, hello->n);
		what = compare(&said, &is);
		if (what && hello_beyond_profile(hello))
			tally->beyond++;
		else if (what && tally->wrong++ < SHOWN)
			print_pair(words, hello, &config, &said, &is, what);
	}
	server_close(&server);
}

static void report(const struct tally *tally, const struct hellos *hellos, double seconds)
{
	static const char *const from[] = { "openssl", "gnutls", "capture", "made" };

	printf("%zu hellos:", hellos->cnt);
	for (size_t k = 0; k < 4; k++) {
		size_t cnt = 0;

		for (size_t i = 0; i < hellos->cnt; i++)
			cnt += strcmp(hellos->all[i].from, from[k]) == 0;
		printf(" %zu %s", cnt, from[k]);
	}
	printf("\n%zu configurations, %zu more refused as such\n", tally->configs,
		tally->refused_configs);
	for (size_t i = 0; i < CAUSES && tally->causes[i].cause; i++)
		printf("%8zu %s (%u)\n", tally->causes[i].cnt,
			*tally->causes[i].cause ? tally->causes[i].cause : "accepted",
			tally->causes[i].alert);
	for (size_t i = 0; i < hellos->cnt; i++) {
		const char *what = hello_beyond_profile(&hellos->all[i]);

		if (what)
			printf("hello %zu of %s: %s\n", i, hellos->all[i].from, what);
	}
	printf("%zu pairs, %zu differ, %zu differ by what a profile does not keep, "
	       "%zu not judged, %.1f s\n",
		tally->pairs, tally->wrong, tally->beyond, tally->unknown, seconds);
}

struct plan {
	size_t made, random;
	uint64_t seed;
	const char *captures;
};

static int run(const struct plan *plan, char *const *files, int file_cnt)
{
	const struct server_words *fixed;
	struct timespec begin, end;
	struct hellos hellos;
	struct tally tally = { 0 };
	uint64_t rng = plan->seed * 2 + 1;
	size_t cnt;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	hellos_init(&hellos);
	hellos_of_openssl(&hellos);
	hellos_of_gnutls(&hellos);
	for (int i = 0; i < file_cnt; i++)
		if (hellos_of_captures(&hellos, files[i]) == 0) {
			fprintf(stderr, "%s: no ClientHello\n", files[i]);
			return 2;
		}
	if (plan->captures && access(plan->captures, R_OK) == 0)
		printf("%zu hellos in %s\n", hellos_of_captures(&hellos, plan->captures),
			plan->captures);
	else if (plan->captures)
		printf("%s is not there: without its hellos\n", plan->captures);
	hellos_make(&hellos, plan->made, plan->seed);
	fixed = configs_fixed(&cnt);
	for (size_t i = 0; i < cnt; i++)
		one_config(&tally, &hellos, &fixed[i]);
	for (size_t i = 0; i < plan->random; i++) {
		struct server_words words;

		configs_random(&words, &rng);
		one_config(&tally, &hellos, &words);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	report(&tally, &hellos,
		(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	hellos_free(&hellos);
	return tally.wrong || tally.pairs == 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "made", required_argument, NULL, 'm' },
		{ "random", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "captures", required_argument, NULL, 'c' }, { NULL, 0, NULL, 0 } };
	struct plan plan = { .made = 250, .random = 6, .seed = 20261122 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'm': plan.made = strtoul(optarg, NULL, 10); break;
		case 'r': plan.random = strtoul(optarg, NULL, 10); break;
		case 's': plan.seed = strtoull(optarg, NULL, 10); break;
		case 'c': plan.captures = optarg; break;
		default: return 2;
		}
	}
	if (plan.captures && getenv("EHLOTAP_CAPTURES"))
		plan.captures = getenv("EHLOTAP_CAPTURES");
	return run(&plan, argv + optind, argc - optind);
}
