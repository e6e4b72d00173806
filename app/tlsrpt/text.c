/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "et_report.h"
#include "line.h"

#define COUNT_WIDTH 9

static int by_failures(const void *a, const void *b)
{
	const struct day_domain *x = *(const struct day_domain *const *)a;
	const struct day_domain *y = *(const struct day_domain *const *)b;

	if (x->failed != y->failed)
		return x->failed > y->failed ? -1 : 1;
	if (x->success != y->success)
		return x->success > y->success ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_sessions(const void *a, const void *b)
{
	const struct day_detail *x = *(const struct day_detail *const *)a;
	const struct day_detail *y = *(const struct day_detail *const *)b;

	if (x->sessions != y->sessions)
		return x->sessions > y->sessions ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void put_count(const struct line_out *to, uint64_t count)
{
	char number[LINE_COUNT] = "-";

	if (count > 0)
		line_short(number, count, COUNT_WIDTH);
	fprintf(to->out, "%*s ", COUNT_WIDTH, number);
}

static size_t shown_of(const struct answer_options *options, size_t cnt)
{
	return options->top > 0 && options->top < cnt ? options->top : cnt;
}

static void put_more(const struct line_out *to, int indent, size_t cnt, size_t shown)
{
	char number[LINE_COUNT];

	if (cnt > shown)
		fprintf(to->out, "%*s... and %s more\n", indent, "",
			line_count(number, cnt - shown));
}

static void put_detail(const struct line_out *to, const struct day_detail *detail)
{
	struct line_block block = { .to = to, .indent = 4, .style = LINE_DIM };
	char text[LINE_NAME], addr[ET_ADDR_TEXT], number[LINE_COUNT], host[DOMAIN_TEXT];

	snprintf(text, sizeof(text), "%s %s", line_count(number, detail->sessions),
		verdict_result_type(detail->verdict));
	block_put(&block, text);
	if (detail->code) {
		line_safe(text,
			(struct et_view){ (const uint8_t *)detail->code, strlen(detail->code) });
		block_put(&block, text);
	}
	et_addr_text(addr, &detail->pair->client);
	snprintf(text, sizeof(text), "from %s", addr);
	block_put(&block, text);
	day_host(host, detail);
	snprintf(text, sizeof(text), "to %s", host);
	block_put(&block, text);
	block_end(&block);
}

static int put_domain(const struct line_out *to, const struct day_domain *domain,
	const struct answer_options *options)
{
	size_t cnt = domain->details_cnt, shown = shown_of(options, cnt);
	const struct day_detail **details = calloc(cnt + 1, sizeof(*details));

	if (!details)
		return -ENOMEM;
	put_count(to, domain->success);
	put_count(to, domain->failed);
	put_count(to, domain->undecided);
	put_count(to, domain->not_tried);
	putc(' ', to->out);
	line_styled(to, domain->failed > 0 ? LINE_WARN : LINE_PLAIN, domain->name);
	putc('\n', to->out);
	for (size_t i = 0; i < cnt; i++)
		details[i] = &domain->details[i];
	qsort(details, cnt, sizeof(*details), by_sessions);
	for (size_t i = 0; i < shown; i++)
		put_detail(to, details[i]);
	put_more(to, 4, cnt, shown);
	free(details);
	return 0;
}

static void put_head(const struct line_out *to, int64_t from_ns, int64_t until_ns)
{
	char from[ET_TIME_TEXT], until[ET_TIME_TEXT], text[2 * ET_TIME_TEXT + 40];

	et_time_s(from, from_ns);
	et_time_s(until, until_ns - ET_NS_PER_S);
	from[10] = until[10] = ' ';
	from[19] = until[19] = '\0';
	snprintf(text, sizeof(text), "TLS between mail servers, %s to %s UTC", from, until);
	line_styled(to, LINE_HEAD, text);
	fprintf(to->out, "\n%*s %*s %*s %*s  POLICY DOMAIN\n", COUNT_WIDTH, "SUCCESS", COUNT_WIDTH,
		"FAILED", COUNT_WIDTH, "UNDECIDED", COUNT_WIDTH, "NOT TRIED");
}

int text_day(FILE *out, const struct day *day, const struct answer_options *options,
	int64_t from_ns, int64_t until_ns)
{
	struct line_out to = { .out = out, .colour = answer_colour(options, out) };
	size_t cnt = day->domains_cnt, shown = shown_of(options, cnt);
	const struct day_domain **domains = calloc(cnt + 1, sizeof(*domains));
	int rc = domains ? 0 : -ENOMEM;

	for (size_t i = 0; i < cnt && rc == 0; i++)
		domains[i] = &day->domains[i];
	if (rc == 0) {
		qsort(domains, cnt, sizeof(*domains), by_failures);
		put_head(&to, from_ns, until_ns);
	}
	for (size_t i = 0; i < shown && rc == 0; i++)
		rc = put_domain(&to, domains[i], options);
	free(domains);
	if (rc != 0)
		return rc;
	if (cnt == 0)
		fputs("        -  no session of service smtp that is asked for\n", out);
	put_more(&to, 4 * COUNT_WIDTH + 5, cnt, shown);
	return fflush(out) == 0 ? 0 : -EIO;
}
