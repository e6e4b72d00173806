/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"

/* Names in one list of a sentence. */
#define NAMES 6

void evidence_safe(FILE *to, const char *text)
{
	char safe[LINE_NAME];

	line_safe(safe, (struct et_view){ (const uint8_t *)text, strlen(text) });
	fputs(safe, to);
}

static int more(const void *a, const void *b)
{
	const struct et_archive_entry *x = *(const struct et_archive_entry *const *)a,
				      *y = *(const struct et_archive_entry *const *)b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* A suite's OpenSSL name, since that is what logs say. */
static void put_name(FILE *to, const char *name)
{
	uint32_t id;
	const struct et_iana_suite *suite;

	if (strncmp(name, "TLS_", 4) == 0 && et_archive_cipher_id(&id, name) && id <= UINT16_MAX) {
		suite = et_iana_suite((uint16_t)id);
		if (suite && suite->openssl)
			name = suite->openssl;
	}
	evidence_safe(to, name);
}

void evidence_map(FILE *to, const struct et_archive_map *map, size_t max)
{
	const struct et_archive_entry **sorted = calloc(map->cnt + 1, sizeof(*sorted));
	char number[LINE_COUNT];

	if (!sorted)
		return;
	for (size_t i = 0; i < map->cnt; i++)
		sorted[i] = &map->v[i];
	if (map->cnt > 1)
		qsort(sorted, map->cnt, sizeof(*sorted), more);
	for (size_t i = 0; i < map->cnt && i < max; i++) {
		fputs(i ? ", " : "", to);
		put_name(to, sorted[i]->name);
		fprintf(to, " (%s)", line_count(number, sorted[i]->count));
	}
	if (map->cnt > max)
		fprintf(to, " and %zu more", map->cnt - max);
	free(sorted);
}

size_t evidence_keys(struct evidence_key out[static EVIDENCE_KEYS],
	const struct et_archive *archive, const struct et_archive_host *server)
{
	const struct et_archive_map *certs = &server->sums.maps[ET_ARCHIVE_CERTS];
	size_t cnt = 0, at;

	for (size_t i = 0; i < certs->cnt; i++) {
		const struct et_archive_cert *cert = et_archive_cert(archive, certs->v[i].name);
		char name[ET_ARCHIVE_KEY];

		if (!cert || !cert->known)
			continue;
		et_archive_cert_key(name, cert);
		for (at = 0; at < cnt && strcmp(out[at].name, name) != 0;)
			at++;
		if (strcmp(name, "-") == 0 || at == EVIDENCE_KEYS)
			continue;
		if (at == cnt) {
			memcpy(out[cnt].name, name, sizeof(name));
			out[cnt++].sessions = 0;
		}
		out[at].sessions += certs->v[i].count;
	}
	return cnt;
}

/* "2026-12-31T00:00:00Z": the day is enough */
static void put_dates(FILE *to, const struct et_archive_cert *cert, int64_t at_ns)
{
	bool early = cert->not_before && cert->not_before_ns > at_ns;
	char day[11];

	if (!early && !cert->not_after)
		return;
	snprintf(day, sizeof(day), "%.10s", early ? cert->not_before : cert->not_after);
	fputs(early                          ? ", valid only from "
		: cert->not_after_ns < at_ns ? ", expired on "
					     : ", valid until ",
		to);
	evidence_safe(to, day);
}

void evidence_cert(FILE *to, const struct et_archive_cert *cert, int64_t at_ns)
{
	char key[ET_ARCHIVE_KEY];

	if (!cert->known) {
		fputs("a certificate whose row is missing", to);
		return;
	}
	et_archive_cert_key(key, cert);
	evidence_safe(to, cert->subject && cert->subject[0] ? cert->subject : "no subject");
	if (cert->self_signed)
		fputs(", self-signed", to);
	else if (cert->issuer && cert->issuer[0]) {
		fputs(" of ", to);
		evidence_safe(to, cert->issuer);
	}
	fputs(", ", to);
	evidence_safe(to, key);
	if (cert->sigalg) {
		fputs(", ", to);
		evidence_safe(to, cert->sigalg);
	}
	put_dates(to, cert, at_ns);
	if (cert->names_cnt > 0) {
		fputs(", for ", to);
		evidence_safe(to, cert->names[0]);
		if (cert->names_cnt > 1)
			fprintf(to, " and %zu more", cert->names_cnt - 1);
	}
}

void evidence_list(FILE *to, enum evidence_kind kind, const struct et_tls_list *list, size_t max)
{
	size_t shown = 0, cnt = 0;

	for (uint16_t i = 0; i < list->n; i++) {
		const struct et_iana_suite *suite =
			kind == EVIDENCE_SUITE ? et_iana_suite(list->v[i]) : NULL;
		const char *name = NULL;

		if (kind == EVIDENCE_SUITE && !et_tls_profile_is_cipher(list->v[i]))
			continue;
		cnt++;
		if (shown == max)
			continue;
		switch (kind) {
		case EVIDENCE_SUITE: name = suite && suite->openssl ? suite->openssl : NULL; break;
		case EVIDENCE_VERSION: name = et_iana_version(list->v[i]); break;
		case EVIDENCE_GROUP: name = et_iana_group(list->v[i]); break;
		case EVIDENCE_SIGALG: name = et_iana_sigalg(list->v[i]); break;
		}
		fputs(shown++ ? ", " : "", to);
		if (!name && suite)
			name = suite->name;
		if (name)
			fputs(name, to);
		else
			fprintf(to, "%04x", list->v[i]);
	}
	if (cnt > shown)
		fprintf(to, " and %zu more", cnt - shown);
	if (cnt == 0)
		fputs("none", to);
}

static void put_versions(FILE *to, const struct et_tls_profile *hello)
{
	struct et_tls_list one = { .n = 1 };

	if (hello->has_versions && hello->versions.n > 0) {
		evidence_list(to, EVIDENCE_VERSION, &hello->versions, NAMES);
		return;
	}
	one.v[0] = hello->legacy_version;
	evidence_list(to, EVIDENCE_VERSION, &one, 1);
	fputs(" at most", to);
}

static void put_alpn(FILE *to, const struct et_tls_profile *hello)
{
	struct et_cur names = et_cur(hello->alpn, hello->alpn_n);
	const char *comma = "";
	char text[64];

	while (names.n > 0) {
		et_text_safe(text, sizeof(text), et_view_cur(et_block(&names, 1)));
		fprintf(to, "%s%s", comma, text);
		comma = ", ";
	}
}

/* What stands for {client.NAME}; false if there is no such name. */
static bool put_client(FILE *to, const char *name, const struct et_tls_profile *hello)
{
	if (!hello)
		fputs("what was not captured", to);
	else if (strcmp(name, "versions") == 0)
		put_versions(to, hello);
	else if (strcmp(name, "suites") == 0)
		evidence_list(to, EVIDENCE_SUITE, &hello->ciphers, NAMES);
	else if (strcmp(name, "groups") == 0 && !hello->has_groups)
		fputs("no such extension", to);
	else if (strcmp(name, "groups") == 0)
		evidence_list(to, EVIDENCE_GROUP, &hello->groups, NAMES);
	else if (strcmp(name, "sigalgs") == 0)
		evidence_list(to, EVIDENCE_SIGALG, &hello->sigalgs, NAMES);
	else if (strcmp(name, "shares") == 0)
		evidence_list(to, EVIDENCE_GROUP, &hello->key_shares, NAMES);
	else if (strcmp(name, "alpn") == 0)
		put_alpn(to, hello);
	else
		return false;
	return true;
}

static void put_known(FILE *to, const struct et_archive_map *map)
{
	if (map->cnt == 0)
		fputs("nothing that was readable", to);
	else
		evidence_map(to, map, NAMES);
}

static void put_keys(
	FILE *to, const struct et_archive *archive, const struct et_archive_host *server)
{
	struct evidence_key keys[EVIDENCE_KEYS];
	size_t cnt = evidence_keys(keys, archive, server);
	char number[LINE_COUNT];

	for (size_t i = 0; i < cnt; i++) {
		fputs(i ? ", " : "", to);
		evidence_safe(to, keys[i].name);
		fprintf(to, " (%s)", line_count(number, keys[i].sessions));
	}
	if (cnt == 0)
		fputs("not known", to);
}

static void put_certs(FILE *to, const struct et_archive *archive, const struct finding *finding)
{
	const struct et_archive_map *certs = &finding->pair->sums.maps[ET_ARCHIVE_CERTS];
	const struct et_archive_cert *cert;

	/* what this client was shown comes first; in TLS 1.3 only what others were is readable */
	if (certs->cnt == 0)
		certs = &finding->server->sums.maps[ET_ARCHIVE_CERTS];
	cert = certs->cnt > 0 ? et_archive_cert(archive, et_archive_top(certs)) : NULL;
	if (cert)
		evidence_cert(to, cert, finding->last_ns);
	else
		fputs("it was not readable in any session", to);
}

static void put_server(
	FILE *to, const char *name, const struct et_archive *archive, const struct finding *finding)
{
	const struct et_archive_map *maps = finding->server->sums.maps;

	if (strcmp(name, "versions") == 0)
		put_known(to, &maps[ET_ARCHIVE_VERSIONS]);
	else if (strcmp(name, "suites") == 0)
		put_known(to, &maps[ET_ARCHIVE_CIPHERS]);
	else if (strcmp(name, "groups") == 0)
		put_known(to, &maps[ET_ARCHIVE_GROUPS]);
	else if (strcmp(name, "dh") == 0)
		put_known(to, &maps[ET_ARCHIVE_DH_BITS]);
	else if (strcmp(name, "keys") == 0)
		put_keys(to, archive, finding->server);
	else if (strcmp(name, "certs") == 0)
		put_certs(to, archive, finding);
}

static void fill_in(FILE *to, const struct et_archive *archive, const struct finding *finding,
	const char *name, const struct et_tls_profile *hello)
{
	if (strcmp(name, "last") == 0)
		evidence_safe(to, strchr(finding->code, '/') ? strrchr(finding->code, '/') + 1
							     : finding->code);
	else if (strncmp(name, "client.", 7) == 0)
		put_client(to, name + 7, hello);
	else if (strncmp(name, "server.", 7) == 0)
		put_server(to, name + 7, archive, finding);
}

char *evidence_sentence(const struct et_archive *archive, const struct finding *finding,
	const struct explanation *explanation)
{
	struct et_tls_profile *hello = malloc(sizeof(*hello));
	char *out = NULL, name[32];
	size_t n;
	FILE *to = hello ? open_memstream(&out, &n) : NULL;
	bool known = to && finding_hello(hello, archive, finding);

	for (const char *p = to && explanation ? explanation->means : ""; *p; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (!end || end - p > (int)sizeof(name)) {
			putc(*p, to);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(end - p - 1), p + 1);
		fill_in(to, archive, finding, name, known ? hello : NULL);
		p = end;
	}
	free(hello);
	if (to && fclose(to) != 0) {
		free(out);
		out = NULL;
	}
	return out;
}
