/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "et_iana.h"
#include "line.h"

#define SUITES_SHOWN 12
#define TEXT         1024

/* "2026-11-22 10:31" */
static void moment(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	et_time_s(out, ts_ns);
	out[10] = ' ';
	out[16] = '\0';
}

static void safe(char out[static LINE_NAME], const char *name)
{
	line_safe(out, (struct et_view){ (const uint8_t *)name, strlen(name) });
}

__attribute__((format(printf, 2, 3))) static void add(char *to, const char *format, ...)
{
	size_t n = strlen(to);
	va_list args;

	va_start(args, format);
	vsnprintf(to + n, TEXT - n, format, args);
	va_end(args);
}

static enum line_style style_of(const struct et_grade *grade)
{
	return grade->grade >= 'D' ? LINE_BAD : grade->grade >= 'C' ? LINE_WARN : LINE_HEAD;
}

/* "C  mx.example.net  192.0.2.25  smtp (mta)" */
static void put_title(const struct line_out *to, const struct et_grade *grade)
{
	char name[LINE_NAME] = "", addr[ET_ADDR_TEXT], letter[2] = "-";

	if (grade->grade)
		letter[0] = grade->grade;
	putc('\n', to->out);
	if (grade->role != ET_GRADE_CLIENT) {
		line_styled(to, style_of(grade), letter);
		fputs("  ", to->out);
	}
	et_addr_text(addr, &grade->host->addr);
	if (grade->host->name) {
		safe(name, grade->host->name);
		line_cut_front(name, sizeof(name), 40);
		line_styled(to, LINE_HEAD, name);
		fputs("  ", to->out);
	}
	fputs(addr, to->out);
	if (et_service_name(grade->host->service))
		fprintf(to->out, "  %s", et_service_name(grade->host->service));
	if (grade->role != ET_GRADE_CLIENT)
		fprintf(to->out, " (%s)", et_grade_role_name(grade->role));
	putc('\n', to->out);
}

static void put_sessions(const struct line_out *to, const struct et_grade *grade)
{
	char text[TEXT] = "", a[LINE_COUNT], b[LINE_COUNT], c[LINE_COUNT], first[ET_TIME_TEXT],
	     last[ET_TIME_TEXT];

	moment(first, grade->host->sums.first_ns);
	moment(last, grade->host->sums.last_ns);
	add(text, "%s, %s with TLS, %s %s, %s to %s UTC", line_count(a, grade->sessions),
		line_count(b, grade->established), line_count(c, grade->host->pairs_cnt),
		grade->host->pairs_cnt == 1 ? "peer" : "peers", first, last);
	line_field(to, "sessions", text);
}

/* What made the grade. */
static void put_grade(const struct line_out *to, const struct et_grade *grade)
{
	char text[TEXT] = "";
	bool capped = false;

	if (grade->strength)
		add(text, "%c by the strength of the weakest suite", grade->strength);
	for (size_t i = 0; i < grade->findings_cnt; i++) {
		const struct et_grade_finding *finding = &grade->findings[i];

		if (finding->confidence > ET_LIKELY || finding->rule->cap <= grade->strength ||
			finding->rule->cap != grade->grade)
			continue;
		add(text, "%s%s",
			capped    ? ", "
			: text[0] ? "; held down by "
				  : "held down by ",
			finding->predicate->id);
		capped = true;
	}
	if (!text[0])
		add(text, "none: no TLS was seen");
	if (grade->few && grade->established > 0)
		add(text, "; rests on few sessions");
	line_field(to, "grade", text);
}

static void put_suites(const struct line_out *to, const struct et_grade *grade)
{
	size_t shown = grade->suites_cnt < SUITES_SHOWN ? grade->suites_cnt : SUITES_SHOWN;

	for (size_t i = 0; i < shown; i++) {
		const struct et_grade_suite *suite = &grade->suites[i];
		const struct et_iana_suite *iana =
			suite->cipher <= UINT16_MAX ? et_iana_suite((uint16_t)suite->cipher) : NULL;
		const char *version = et_iana_version(suite->version),
			   *name = iana ? iana->name : et_iana_sslv2_cipher(suite->cipher);
		char text[TEXT] = "", number[LINE_COUNT], digits[16];

		snprintf(digits, sizeof(digits), "%04x", (unsigned)suite->cipher);
		add(text, "%c  %s %s: %s", suite->grade ? suite->grade : '-',
			version ? version : "?", name ? name : digits,
			line_count(number, suite->sessions));
		if (suite->kx[0])
			add(text, ", %s", suite->kx);
		line_field(to, i == 0 ? "suites" : "", text);
	}
	if (shown < grade->suites_cnt)
		fprintf(to->out, "              ... and %zu more\n", grade->suites_cnt - shown);
}

static void put_order(
	const struct line_out *to, const char *key, const struct et_grade_preference *preference)
{
	static const char *const says[] = { "nothing tells", "the server's", "the client's",
		"now the server's, now the client's: several machines, or a change" };
	char text[TEXT] = "";

	if (preference->hellos == 0)
		return;
	add(text, "%s", says[preference->order]);
	if (preference->order == ET_GRADE_ORDER_UNKNOWN)
		add(text, ": %u %s led to a suite, and none shows that one was passed over",
			(unsigned)preference->hellos,
			preference->hellos == 1 ? "hello" : "different hellos");
	else
		add(text, " (%s): %u of %u different hellos decide",
			et_confidence_name(preference->confidence),
			(unsigned)(preference->for_server > preference->for_client
					   ? preference->for_server
					   : preference->for_client),
			(unsigned)preference->hellos);
	if (preference->hello && preference->order != ET_GRADE_ORDER_UNKNOWN)
		add(text, "; hello %.8s got %s and not %s", preference->hello,
			et_iana_suite(preference->chosen)->name,
			et_iana_suite(preference->passed)->name);
	if (preference->chacha)
		add(text, "; ChaCha20 comes first for clients that have it first");
	line_field(to, key, text);
}

static void put_finding(const struct line_out *to, const struct et_grade *grade,
	const struct et_grade_finding *finding)
{
	char text[TEXT] = "", a[LINE_COUNT], b[LINE_COUNT], last[ET_TIME_TEXT], name[LINE_NAME];
	bool of_client = grade->role == ET_GRADE_CLIENT;

	moment(last, finding->last_ns);
	add(text, "%s: %s of %s %s, %llu %s, last %s", finding->predicate->title,
		line_count(a, finding->sessions), line_count(b, finding->of),
		finding->of == 1 ? "session" : "sessions", (unsigned long long)finding->peers,
		finding->peers == 1 ? "peer" : "peers", last);
	if (finding->confidence != ET_CERTAIN)
		add(text, ", %s", et_confidence_name(finding->confidence));
	if (finding->detail[0]) {
		safe(name, finding->detail);
		add(text, "; %s", name);
	}
	for (size_t i = 0; i < finding->top_cnt && i < 3; i++) {
		const struct et_archive_pair *pair = finding->top[i].pair;
		const char *peer = of_client ? pair->server_name : pair->client_name;
		char addr[ET_ADDR_TEXT];

		et_addr_text(addr, of_client ? &pair->server : &pair->client);
		safe(name, peer ? peer : addr);
		line_cut_front(name, sizeof(name), 30);
		add(text, "%s%s", i == 0 ? "; peers " : ", ", name);
	}
	if (finding->rule->reference[0])
		add(text, " [%s]", finding->rule->reference);
	line_field(to, et_grade_severity_name(finding->rule->severity), text);
}

static void put_host(const struct line_out *to, const struct et_grade *grade)
{
	put_title(to, grade);
	put_sessions(to, grade);
	if (grade->role != ET_GRADE_CLIENT) {
		put_grade(to, grade);
		put_suites(to, grade);
		put_order(to, "order", &grade->before13);
		put_order(to, "order 1.3", &grade->in13);
	}
	for (size_t i = 0; i < grade->findings_cnt; i++)
		put_finding(to, grade, &grade->findings[i]);
	for (size_t i = 0; i < grade->unseen_cnt; i++) {
		char text[TEXT] = "", number[LINE_COUNT];

		add(text, "%s", grade->unseen[i].text);
		if (grade->unseen[i].sessions > 0)
			add(text, " (%s)", line_count(number, grade->unseen[i].sessions));
		line_field(to, "not visible", text);
	}
}

/* "3 A, 1 C, 2 without" */
static void put_summary(const struct line_out *to, const struct answer *answer)
{
	char text[TEXT] = "", from[ET_TIME_TEXT], until[ET_TIME_TEXT], name[LINE_NAME];

	line_styled(to, LINE_HEAD, "Grades of what was negotiated");
	putc('\n', to->out);
	moment(from, answer->totals.first_ns);
	moment(until, answer->totals.last_ns + ET_NS_PER_MIN);
	add(text, "%s to %s UTC", from, until);
	line_field(to, "time", text);
	snprintf(text, sizeof(text), "%s", answer->policy->name);
	if (answer->policy->summary[0])
		add(text, ": %s", answer->policy->summary);
	safe(name, text);
	line_field(to, "policy", name);
	snprintf(text, sizeof(text), "%zu", answer->servers_cnt);
	for (int grade = 'A'; grade <= 'F' + 1; grade++) {
		size_t cnt = 0;

		for (size_t i = 0; i < answer->servers_cnt; i++)
			cnt += answer->servers[i].grade == (grade > 'F' ? 0 : grade);
		if (cnt > 0 && grade <= 'F')
			add(text, ", %zu %c", cnt, grade);
		else if (cnt > 0)
			add(text, ", %zu without a grade", cnt);
	}
	if (answer->without_role > 0)
		add(text, "; and %zu on ports that are no mail ports, not graded",
			answer->without_role);
	line_field(to, "servers", text);
}

static void put_more(const struct line_out *to, size_t cnt, size_t shown)
{
	if (cnt > shown)
		fprintf(to->out, "\n... and %zu more\n", cnt - shown);
}

static void put_clients(const struct line_out *to, struct answer *answer)
{
	size_t top = answer->options->top ? answer->options->top : SIZE_MAX, cnt = 0;

	while (cnt < answer->clients_cnt && answer->clients[cnt].worst != ET_GRADE_OFF)
		cnt++; /* those without a finding stand behind the others */
	putc('\n', to->out);
	line_styled(to, LINE_HEAD, "Clients");
	fprintf(to->out, "\n%zu, %zu of them with findings\n", answer->clients_cnt, cnt);
	for (size_t i = 0; i < cnt && i < top; i++) {
		answer_judge(answer, &answer->clients[i], true);
		put_host(to, answer->grade);
	}
	put_more(to, cnt, top);
}

int print_text(struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };
	size_t top = answer->options->top ? answer->options->top : SIZE_MAX;

	put_summary(&to, answer);
	for (size_t i = 0; i < answer->servers_cnt && i < top; i++) {
		answer_judge(answer, &answer->servers[i], false);
		put_host(&to, answer->grade);
	}
	put_more(&to, answer->servers_cnt, top);
	if (answer->with_clients)
		put_clients(&to, answer);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
