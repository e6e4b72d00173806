/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ehlotap tlsrpt: reports of RFC 8460 (SMTP TLS Reporting), one for each UTC day and policy domain,
 * of what was seen on the wire.
 */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inputs.h"
#include "report.h"
#include "text.h"

#define UNIQUE_ID_MAX  32
#define SENDER_MAX     64
#define SENDER_CONTACT (SENDER_MAX + 16)

enum {
	OPT_DIRECTION = ANSWER_OWN,
	OPT_DOMAIN,
	OPT_TO,
	OPT_GZIP,
	OPT_REPORTING_DOMAIN,
	OPT_ORGANIZATION,
	OPT_CONTACT,
	OPT_REPORT_ID,
	OPT_UNIQUE_ID,
	OPT_INFO_URI,
	OPT_EXTRA,
};

static const struct option own[] = {
	{ "direction", required_argument, NULL, OPT_DIRECTION },
	{ "domain", required_argument, NULL, OPT_DOMAIN },
	{ "to", required_argument, NULL, OPT_TO },
	{ "gzip", no_argument, NULL, OPT_GZIP },
	{ "reporting-domain", required_argument, NULL, OPT_REPORTING_DOMAIN },
	{ "organization", required_argument, NULL, OPT_ORGANIZATION },
	{ "contact", required_argument, NULL, OPT_CONTACT },
	{ "report-id", required_argument, NULL, OPT_REPORT_ID },
	{ "unique-id", required_argument, NULL, OPT_UNIQUE_ID },
	{ "info-uri", required_argument, NULL, OPT_INFO_URI },
	{ "extra", no_argument, NULL, OPT_EXTRA },
	{ NULL, 0, NULL, 0 },
};

/* What is asked for. */
struct wish {
	struct answer_options options;
	struct domain_rule rules[DOMAIN_RULES];
	size_t rules_cnt;
	enum day_direction direction;
	struct report_sender sender;
	char domain[DOMAIN_TEXT], contact[SENDER_CONTACT];
	const char *to;
	bool gzip;
	/* what became of it */
	int folder;
	uint64_t elsewhere, undecided, not_tried, sessions, reports;
};

static bool mistake(const char *name, const char *takes, const char *text)
{
	fprintf(stderr, "ehlotap tlsrpt: --%s takes %s, not \"%s\"\n", name, takes, text);
	return false;
}

static bool take_direction(struct wish *wish, const char *arg)
{
	static const char *const names[] = {
		[DAY_OUT] = "out", [DAY_IN] = "in", [DAY_ALL] = "all"
	};

	for (unsigned i = DAY_OUT; i <= DAY_ALL; i++) {
		if (strcmp(arg, names[i]) == 0) {
			wish->direction = (enum day_direction)i;
			return true;
		}
	}
	return mistake("direction", "out, in or all", arg);
}

static bool take_domain(struct wish *wish, const char *arg)
{
	if (wish->rules_cnt == DOMAIN_RULES) {
		fprintf(stderr, "ehlotap tlsrpt: more than %d --domain\n", DOMAIN_RULES);
		return false;
	}
	return domain_rule_parse(&wish->rules[wish->rules_cnt++], arg) ||
	       mistake("domain",
		       "WHO=DOMAIN, WHO being an address, ADDRESS/LENGTH, a host name or "
		       ".example.org",
		       arg);
}

static bool take_reporting_domain(struct wish *wish, const char *arg)
{
	return (domain_name(wish->domain, arg) && strlen(wish->domain) <= SENDER_MAX) ||
	       mistake("reporting-domain", "a domain name of at most 64 letters", arg);
}

static bool take_unique_id(struct wish *wish, const char *arg)
{
	size_t n = strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

	wish->sender.unique_id = arg;
	return (n > 0 && n <= UNIQUE_ID_MAX && !arg[n]) ||
	       mistake("unique-id", "1 to 32 letters and digits", arg);
}

/* Texts that go into JSON as they are. */
static bool take_text(const char **out, const char *name, const char *arg)
{
	json_t *text = json_string(arg); /* NULL if it is no UTF-8 */
	bool good = text && arg[0];

	json_decref(text);
	*out = arg;
	return good || mistake(name, "text in UTF-8 that is not empty", arg);
}

static bool take(void *ctx, int opt, const char *arg)
{
	struct wish *wish = ctx;

	switch (opt) {
	case OPT_DIRECTION: return take_direction(wish, arg);
	case OPT_DOMAIN: return take_domain(wish, arg);
	case OPT_TO: wish->to = arg; return true;
	case OPT_GZIP: wish->gzip = true; return true;
	case OPT_REPORTING_DOMAIN: return take_reporting_domain(wish, arg);
	case OPT_ORGANIZATION: return take_text(&wish->sender.organization, "organization", arg);
	case OPT_CONTACT: return take_text(&wish->sender.contact, "contact", arg);
	case OPT_REPORT_ID: return take_text(&wish->sender.id, "report-id", arg);
	case OPT_UNIQUE_ID: return take_unique_id(wish, arg);
	case OPT_INFO_URI: return take_text(&wish->sender.info, "info-uri", arg);
	case OPT_EXTRA: wish->sender.extra = true; return true;
	default: return false;
	}
}

static const struct answer_program program = {
	.name = "tlsrpt",
	.synopsis = "[OPTION]... PATH...",
	.does = "TLS reports (RFC 8460), one for each UTC day and policy domain, of what was seen "
		"on\nthe wire between mail servers (service smtp).",
	.options =
		"      --direction WHICH out: what the gateways sent; in: what was sent to them; "
		"all\n"
		"                        (default: out, and what is of unknown direction)\n"
		"      --domain WHO=DOMAIN\n"
		"                        servers of this address, ADDR/LEN, host name or "
		".example.org\n"
		"                        take mail for DOMAIN; may be given again, the first that "
		"fits\n"
		"                        counts (else: the host name without its first label)\n"
		"      --to DIR          write a file for each report, and print their names\n"
		"      --gzip            pack the files\n"
		"      --reporting-domain DOMAIN\n"
		"                        who reports (default: from this machine's host name)\n"
		"      --organization TEXT, --contact TEXT\n"
		"                        organization-name (default: the reporting domain) and\n"
		"                        contact-info (default: its postmaster)\n"
		"      --report-id TEXT  put before the id of each report\n"
		"      --unique-id TEXT  last part of the files' names: letters and digits\n"
		"      --info-uri URI    additional-information: URI with the cause behind it\n"
		"      --extra           in the JSON, also count what is neither success nor "
		"failure\n"
		"\n"
		"Without --to it prints a table, with --json one report a line.\n",
	.examples = "  ehlotap tlsrpt --since 2026-11-21 --until 2026-11-22 /var/lib/ehlotap\n"
		    "  ehlotap tlsrpt --to reports --gzip --reporting-domain example.org "
		    "/var/lib/ehlotap\n"
		    "  ehlotap tlsrpt --direction in --gateway 192.0.2.25 "
		    "--domain 192.0.2.25=example.net mx.pcap\n",
	.own = own,
	.take = take,
};

/* Who reports, where it was not said. */
static void fill_sender(struct wish *wish)
{
	char host[256] = "", name[DOMAIN_TEXT];

	if (!wish->domain[0]) {
		gethostname(host, sizeof(host) - 1);
		if (!domain_name(name, host))
			strcpy(name, "localhost");
		snprintf(wish->domain, sizeof(wish->domain), "%s", domain_parent(name));
		if (strlen(wish->domain) > SENDER_MAX)
			strcpy(wish->domain, "localhost");
	}
	snprintf(wish->contact, sizeof(wish->contact), "postmaster@%.64s", wish->domain);
	wish->sender.domain = wish->domain;
	if (!wish->sender.organization)
		wish->sender.organization = wish->domain;
	if (!wish->sender.contact)
		wish->sender.contact = wish->contact; /* RFC 5321 4.5.1: there is one */
}

/* 2 after a sentence if the options do not fit each other, else -1. */
static int check(const struct wish *wish)
{
	const struct answer_options *options = &wish->options;
	const char *fault = NULL;

	if (wish->to && options->json)
		fault = "--to writes files and --json prints: give one of them";
	else if (wish->gzip && !wish->to)
		fault = "--gzip is for files: give --to DIR";
	else if (options->services && options->services != 1u << ET_SERVICE_SMTP)
		fault = "reports are of mail between servers: --service can only be smtp";
	else if (options->since_ns >= options->until_ns)
		fault = "--since is not before --until";
	if (fault)
		fprintf(stderr, "%s: %s\nTry: %s --help\n", options->program, fault,
			options->program);
	return fault ? 2 : -1;
}

static int put_json(const struct report *report)
{
	json_t *o = report_json(report);
	int rc = -ENOMEM;

	if (o)
		rc = json_dumpf(o, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF ? 0 : -EIO;
	json_decref(o);
	return rc;
}

static int put_file(const struct wish *wish, const struct report *report)
{
	char name[REPORT_NAME];
	int rc = report_write(name, report, wish->folder, wish->gzip);
	size_t n = strlen(wish->to);

	if (rc == 0 && !wish->options.quiet)
		printf("%s%s%s\n", wish->to, n > 0 && wish->to[n - 1] == '/' ? "" : "/", name);
	return rc;
}

/* The reports of a day. 0 or -errno. */
static int put_day(struct wish *wish, const struct day *day, int64_t from_ns, int64_t until_ns)
{
	int rc = 0;

	wish->elsewhere += day->elsewhere;
	for (size_t i = 0; i < day->domains_cnt && rc == 0; i++) {
		const struct day_domain *domain = &day->domains[i];
		struct report report = { &wish->sender, domain, from_ns, until_ns };

		wish->undecided += domain->undecided;
		wish->not_tried += domain->not_tried;
		wish->sessions += domain->success + domain->failed;
		/* nothing to tell whoever reads reports */
		if (domain->success + domain->failed == 0 && !wish->sender.extra)
			continue;
		wish->reports++;
		if (wish->to)
			rc = put_file(wish, &report);
		else if (wish->options.json)
			rc = put_json(&report);
	}
	if (rc == 0 && !wish->to && !wish->options.json)
		rc = text_day(stdout, day, &wish->options, from_ns, until_ns);
	return rc;
}

/* What the reports do not hold. */
static void tell_rest(const struct wish *wish)
{
	const char *name = wish->options.program;

	if (wish->options.quiet)
		return;
	if ((wish->to || wish->options.json) && wish->undecided + wish->not_tried > 0)
		fprintf(stderr,
			"%s: %llu sessions that nothing decides, and %llu in which the client did "
			"not try TLS, are in no report's counts\n",
			name, (unsigned long long)wish->undecided,
			(unsigned long long)wish->not_tried);
	if (wish->elsewhere > 0)
		fprintf(stderr, "%s: %llu sessions go in another direction; see --direction\n",
			name, (unsigned long long)wish->elsewhere);
	if (wish->elsewhere > 0 && wish->sessions == 0 && wish->direction != DAY_DEFAULT)
		fprintf(stderr,
			"%s: directions are known where gateways are: of captures by --gateway, of "
			"minute files by that of their exporter\n",
			name);
}

static int answer(struct wish *wish, struct inputs *inputs)
{
	const struct day_how how = { &wish->options, wish->direction, wish->rules,
		wish->rules_cnt };
	size_t made = 0;
	int rc = 0;

	for (size_t i = 0; i < inputs->days_cnt && rc == 0; i++) {
		int64_t from_ns, until_ns;
		struct et_archive *archive = inputs_day(inputs, &from_ns, &until_ns, i);
		struct day day;

		if (!archive)
			continue;
		rc = day_make(&day, archive, &how);
		if (rc == 0 && made++ > 0 && !wish->to && !wish->options.json)
			putchar('\n');
		errno = 0;
		if (rc == 0)
			rc = put_day(wish, &day, from_ns, until_ns);
		day_free(&day);
		et_archive_free(archive);
	}
	if (rc == 0 && fflush(stdout) != 0)
		rc = -EIO;
	/* the names are of use when the files will stay */
	if (rc == 0 && wish->to && fsync(wish->folder) != 0 && errno != EINVAL)
		rc = -errno;
	if (rc != 0) {
		fprintf(stderr, "%s: cannot write the report%s%s: %s\n", wish->options.program,
			wish->to ? " into " : "", wish->to ? wish->to : "",
			strerror(rc == -EIO && errno ? errno : -rc));
		return 2;
	}
	tell_rest(wish);
	return made > 0 ? inputs->code : 2;
}

int main(int argc, char **argv)
{
	static struct wish wish; /* large */
	struct answer_program with = program;
	struct inputs inputs;
	int code;

	with.ctx = &wish;
	code = answer_options_read(&wish.options, argc, argv, &with);
	if (code < 0)
		code = check(&wish);
	if (code >= 0)
		return code;
	fill_sender(&wish);
	wish.folder = wish.to ? open(wish.to, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (wish.to && wish.folder < 0) {
		fprintf(stderr, "%s: cannot write into %s: %s\n", wish.options.program, wish.to,
			strerror(errno));
		return 2;
	}
	code = inputs_open(&inputs, &wish.options);
	code = code == 0 ? answer(&wish, &inputs) : 2;
	inputs_free(&inputs);
	if (wish.folder >= 0)
		close(wish.folder);
	return code;
}
