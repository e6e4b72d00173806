/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "line.h"

#define LIST_MAX   12 /* names of one list */
#define OFFERS_MAX 2  /* hellos of one pair */
#define CERTS_MAX  4

bool wants_product(const struct answer *answer, const struct remedy *remedy)
{
	char name[32];
	size_t n = 0;

	if (!answer->product || !remedy->product)
		return true;
	/* "Cisco ESA" is also "ciscoesa" */
	for (const char *p = remedy->product; *p && n < sizeof(name) - 1; p++)
		if (*p != ' ')
			name[n++] = *p;
	name[n] = '\0';
	return strcasecmp(name, answer->product) == 0 ||
	       strcasecmp(remedy->product, answer->product) == 0;
}

/* "2026-11-22 10:31" */
static void moment(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	et_time_s(out, ts_ns);
	out[10] = ' ';
	out[16] = '\0';
}

/* One piece of evidence: a label, and what a function of evidence.c writes. */
struct note {
	char *text;
	size_t n;
	FILE *to;
};

static bool note_open(struct note *note)
{
	*note = (struct note){ .to = NULL };
	note->to = open_memstream(&note->text, &note->n);
	return note->to != NULL;
}

static void note_close(struct note *note, const struct line_out *out, const char *label)
{
	bool good = fclose(note->to) == 0 && note->n > 0;
	char *whole = NULL;

	if (good && asprintf(&whole, "%s: %s", label, note->text) >= 0)
		line_prose(out, 6, whole);
	free(whole);
	free(note->text);
}

static void put_list(const struct line_out *out, const char *label, enum evidence_kind kind,
	const struct et_tls_list *list)
{
	struct note note;

	if (!note_open(&note))
		return;
	evidence_list(note.to, kind, list, LIST_MAX);
	note_close(&note, out, label);
}

static void put_map(const struct line_out *out, const char *label, const struct et_archive_map *map)
{
	struct note note;

	if (map->cnt == 0 || !note_open(&note))
		return;
	evidence_map(note.to, map, LIST_MAX);
	note_close(&note, out, label);
}

static void put_offer(const struct line_out *out, const struct et_archive *archive,
	const struct offer *offer, struct et_tls_profile *hello)
{
	char number[LINE_COUNT];

	fprintf(out->out, "    the client offered, in %s %s", line_count(number, offer->sessions),
		offer->sessions == 1 ? "session" : "sessions");
	if (!offer->hello || !et_archive_profile(hello, archive, offer->hello)) {
		fputs(", a hello whose row is missing\n", out->out);
		return;
	}
	fputs(" (", out->out);
	evidence_safe(out->out, offer->hello->ja4 ? offer->hello->ja4 : "SSLv2 format");
	fputs(")\n", out->out);
	if (!hello->has_versions)
		hello->versions = (struct et_tls_list){ 1, { hello->legacy_version } };
	put_list(out, hello->has_versions ? "versions" : "version, at most", EVIDENCE_VERSION,
		&hello->versions);
	put_list(out, "suites", EVIDENCE_SUITE, &hello->ciphers);
	if (hello->has_groups)
		put_list(out, "groups", EVIDENCE_GROUP, &hello->groups);
	if (hello->key_shares.n > 0)
		put_list(out, "key shares", EVIDENCE_GROUP, &hello->key_shares);
	if (hello->has_sigalgs)
		put_list(out, "signatures", EVIDENCE_SIGALG, &hello->sigalgs);
}

static void put_certs(
	const struct line_out *out, const struct et_archive *archive, const struct finding *finding)
{
	const struct et_archive_map *certs = &finding->server->sums.maps[ET_ARCHIVE_CERTS];
	char number[LINE_COUNT];

	for (size_t i = 0; i < certs->cnt && i < CERTS_MAX; i++) {
		const struct et_archive_cert *cert = et_archive_cert(archive, certs->v[i].name);
		struct note note;

		if (!cert || !note_open(&note))
			continue;
		evidence_cert(note.to, cert, finding->last_ns);
		fprintf(note.to, " (%s)", line_count(number, certs->v[i].count));
		note_close(&note, out, "certificate");
	}
}

static void put_server(
	const struct line_out *out, const struct et_archive *archive, const struct finding *finding)
{
	const struct et_archive_sums *sums = &finding->server->sums;
	char a[LINE_COUNT], b[LINE_COUNT], from[ET_TIME_TEXT], until[ET_TIME_TEXT];

	moment(from, sums->first_ns);
	moment(until, sums->last_ns);
	fprintf(out->out, "    the server: TLS in %s of %s sessions, %s to %s UTC\n",
		line_count(a, sums->counts[ET_PEER_TLS_ESTABLISHED]),
		line_count(b, sums->counts[ET_PEER_SESSIONS]), from, until);
	put_certs(out, archive, finding);
	put_map(out, "versions", &sums->maps[ET_ARCHIVE_VERSIONS]);
	put_map(out, "suites", &sums->maps[ET_ARCHIVE_CIPHERS]);
	put_map(out, "groups", &sums->maps[ET_ARCHIVE_GROUPS]);
	put_map(out, "DHE primes, bits", &sums->maps[ET_ARCHIVE_DH_BITS]);
}

static void put_cures(
	const struct line_out *out, const struct answer *answer, const struct finding *finding)
{
	struct cure cures[CURES_MAX];
	size_t cnt = cures_try(cures, answer->memo, answer->archive, finding);
	char text[512];

	if (cnt > 0)
		fputs("    by simulation (a server with OpenSSL 3.0):\n", out->out);
	for (size_t i = 0; i < cnt; i++) {
		const char *what = strcmp(cures[i].change, "min_version") == 0
					   ? "as minimum version"
				   : strcmp(cures[i].change, "certificate_beside") == 0
					   ? "certificate beside it"
					   : "certificate in place of it";

		snprintf(text, sizeof(text), "%s %s %s: %s", cures[i].with, what,
			cures[i].works ? "would work" : "would not do", cures[i].verdict);
		line_prose(out, 6, text);
	}
}

static void put_host(FILE *to, const struct et_addr *addr, const char *name)
{
	char safe[LINE_NAME], text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	if (!name) {
		fputs(text, to);
		return;
	}
	line_safe(safe, (struct et_view){ (const uint8_t *)name, strlen(name) });
	line_cut_front(safe, sizeof(safe), 40);
	fprintf(to, "%s [%s]", safe, text);
}

/* server_told: the server's evidence was printed for another pair just now. */
static void put_finding(const struct line_out *out, const struct answer *answer,
	const struct finding *finding, bool server_told)
{
	struct et_tls_profile *hello = malloc(sizeof(*hello));
	const struct et_archive_pair *pair = finding->pair;
	const char *service = et_service_name(pair->service);
	char a[LINE_COUNT], b[LINE_COUNT], from[ET_TIME_TEXT], until[ET_TIME_TEXT];
	int sure = finding_sure(finding);

	fputs("\n  ", out->out);
	put_host(out->out, &pair->client, pair->client_name);
	fputs(" to ", out->out);
	put_host(out->out, &pair->server, pair->server_name);
	moment(from, finding->first_ns);
	moment(until, finding->last_ns);
	fprintf(out->out, "\n    %s%s%s of %s sessions, %s, %s", service ? service : "",
		service ? ", " : "", line_count(a, finding->sessions),
		line_count(b, pair->sums.counts[ET_PEER_SESSIONS]),
		sure < 0 ? "confidence not known" : et_confidence_name((enum et_confidence)sure),
		from);
	if (finding->last_ns != finding->first_ns)
		fprintf(out->out, " to %s", until);
	fputs(" UTC\n", out->out);
	for (size_t i = 0; hello && i < finding->offers_cnt && i < OFFERS_MAX; i++)
		put_offer(out, answer->archive, &finding->offers[i], hello);
	if (finding->offers_cnt > OFFERS_MAX)
		fprintf(out->out, "    and %zu more hellos\n", finding->offers_cnt - OFFERS_MAX);
	if (finding->offers_cnt > 0 && !server_told)
		put_server(out, answer->archive, finding);
	put_cures(out, answer, finding);
	free(hello);
}

static void put_remedies(const struct line_out *out, const struct answer *answer,
	const struct explanation *explanation)
{
	const char *side = "";

	for (size_t i = 0; i < explanation->cnt; i++) {
		const struct remedy *remedy = &explanation->remedies[i];

		if (!wants_product(answer, remedy))
			continue;
		if (strcmp(side, remedy->side) != 0) {
			side = remedy->side;
			fputs("\n  ", out->out);
			line_styled(out, LINE_WARN,
				strcmp(side, "path") == 0     ? "On the path"
				: strcmp(side, "server") == 0 ? "On the server"
							      : "On the client");
			putc('\n', out->out);
		}
		if (!remedy->product) {
			line_prose(out, 4, remedy->text);
			continue;
		}
		fprintf(out->out, "    %s\n", remedy->product);
		for (const char *p = remedy->text; *p;) {
			size_t n = strcspn(p, "\n");

			fprintf(out->out, "        %.*s\n", (int)n, p);
			p += n + (p[n] == '\n');
		}
	}
}

static int put_cause(
	const struct line_out *out, const struct answer *answer, const struct cause_sum *sum)
{
	const struct finding *first = &answer->findings->v[sum->from];
	const struct explanation *explanation = explanation_of(sum->code);
	size_t cnt = sum->until - sum->from,
	       shown = answer->options->top > 0 && answer->options->top < cnt ? answer->options->top
									      : cnt;
	char *sentence = evidence_sentence(answer->archive, first, explanation);
	char number[LINE_COUNT], code[LINE_NAME];

	if (!sentence)
		return -ENOMEM;
	putc('\n', out->out);
	line_safe(code, (struct et_view){ (const uint8_t *)sum->code, strlen(sum->code) });
	line_styled(out, LINE_HEAD, code);
	fprintf(out->out, "   %s %s, %zu %s\n", line_count(number, sum->sessions),
		sum->sessions == 1 ? "session" : "sessions", cnt, cnt == 1 ? "pair" : "pairs");
	if (sentence[0])
		line_prose(out, 2, sentence);
	free(sentence);
	for (size_t i = 0; i < shown; i++)
		put_finding(
			out, answer, &first[i], i > 0 && first[i].server == first[i - 1].server);
	if (shown < cnt)
		fprintf(out->out, "\n  ... and %zu more pairs\n", cnt - shown);
	if (explanation)
		put_remedies(out, answer, explanation);
	return 0;
}

int print_text(const struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };
	const struct findings *findings = answer->findings;
	char text[256], from[ET_TIME_TEXT], until[ET_TIME_TEXT], a[LINE_COUNT];

	line_styled(&to, LINE_HEAD, "Why sessions did not come to TLS");
	putc('\n', out);
	moment(from, answer->totals.first_ns);
	moment(until, answer->totals.last_ns + ET_NS_PER_MIN);
	snprintf(text, sizeof(text), "%s to %s UTC", from, until);
	line_field(&to, "time", text);
	snprintf(text, sizeof(text), "%s, of %zu pairs and causes",
		line_count(a, findings->sessions), findings->cnt);
	line_field(&to, "sessions", findings->cnt ? text : "none with a cause to give");
	if (findings->without_hello > 0) {
		snprintf(text, sizeof(text), "%s sessions, of files that do not tell the hello",
			line_count(a, findings->without_hello));
		line_field(&to, "no hello", text);
	}
	for (size_t i = 0; i < findings->causes_cnt; i++)
		if (put_cause(&to, answer, &findings->causes[i]) != 0)
			return -ENOMEM;
	return fflush(out) == 0 ? 0 : -EIO;
}

/* "{server.keys}" has nothing to be filled in with here. */
static void put_means(const struct line_out *out, const char *means)
{
	char text[1024];
	size_t n = 0;

	for (const char *p = means; *p && n < sizeof(text) - 4; p++) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL;

		if (end) {
			memcpy(text + n, "...", 3);
			n += 3;
			p = end;
		} else {
			text[n++] = *p;
		}
	}
	text[n] = '\0';
	line_prose(out, 2, text);
}

int print_catalogue_text(const struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };

	for (size_t i = 0; i < explanations_cnt; i++) {
		if (i)
			putc('\n', out);
		line_styled(&to, LINE_HEAD, explanations[i].code);
		putc('\n', out);
		put_means(&to, explanations[i].means);
		put_remedies(&to, answer, &explanations[i]);
	}
	return fflush(out) == 0 ? 0 : -EIO;
}
