/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"
#include "answer_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Sets a key to a value that it takes over, NULL being no memory. */
static int set(json_t *o, const char *key, json_t *value)
{
	return json_object_set_new(o, key, value);
}

static json_t *host_json(const struct day_detail *detail)
{
	char text[DOMAIN_TEXT];

	day_host(text, detail);
	return json_string(text);
}

/* Bytes that a URI does not have are left to %XX: RFC 3986 2.1. */
static json_t *info_json(const char *info, const char *code)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	size_t n = strlen(info), cap = n + 3 * strlen(code) + 1;
	char *text = malloc(cap);
	json_t *value;

	if (!text)
		return NULL;
	memcpy(text, info, n + 1);
	for (; *code; code++)
		n += (size_t)snprintf(text + n, cap - n, strchr(plain, *code) ? "%c" : "%%%02X",
			(unsigned char)*code);
	value = json_string(text);
	free(text);
	return value;
}

static json_t *detail_json(const struct report *report, const struct day_detail *detail)
{
	json_t *o = json_object();
	int rc = set(o, "result-type", json_string(verdict_result_type(detail->verdict)));

	rc |= set(o, "sending-mta-ip", answer_json_addr(&detail->pair->client));
	rc |= set(o, "receiving-mx-hostname", host_json(detail));
	rc |= set(o, "receiving-ip", answer_json_addr(&detail->pair->server));
	rc |= set(o, "failed-session-count", answer_json_count(detail->sessions));
	if (detail->code && report->sender->info)
		rc |= set(
			o, "additional-information", info_json(report->sender->info, detail->code));
	if (detail->code)
		rc |= set(o, "failure-reason-code", json_string(detail->code));
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *policy_json(const struct report *report)
{
	const struct day_domain *domain = report->domain;
	json_t *o = json_object(), *policy = json_object(), *summary = json_object();
	json_t *details = json_array();
	int rc = set(policy, "policy-type", json_string("no-policy-found"));

	rc |= set(policy, "policy-domain", json_string(domain->name));
	rc |= set(summary, "total-successful-session-count", answer_json_count(domain->success));
	rc |= set(summary, "total-failure-session-count", answer_json_count(domain->failed));
	if (report->sender->extra) {
		rc |= set(
			summary, "x-undecided-session-count", answer_json_count(domain->undecided));
		rc |= set(
			summary, "x-not-tried-session-count", answer_json_count(domain->not_tried));
	}
	for (size_t i = 0; i < domain->details_cnt && rc == 0; i++)
		rc = json_array_append_new(details, detail_json(report, &domain->details[i]));
	rc |= set(o, "policy", policy);
	rc |= set(o, "summary", summary);
	if (domain->details_cnt > 0)
		rc |= set(o, "failure-details", details);
	else
		json_decref(details);
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *id_json(const struct report *report)
{
	const struct report_sender *sender = report->sender;
	char from[ET_TIME_TEXT];

	et_time_s(from, report->from_ns);
	return json_sprintf("%s%s%s_%s@%s", sender->id ? sender->id : "", sender->id ? "." : "",
		from, report->domain->name, sender->domain);
}

json_t *report_json(const struct report *report)
{
	json_t *o = json_object(), *range = json_object(), *policies = json_array();
	int rc = set(range, "start-datetime", answer_json_time(report->from_ns));

	rc |= set(range, "end-datetime", answer_json_time(report->until_ns - ET_NS_PER_S));
	rc |= set(o, "organization-name", json_string(report->sender->organization));
	rc |= set(o, "date-range", range);
	rc |= set(o, "contact-info", json_string(report->sender->contact));
	rc |= set(o, "report-id", id_json(report));
	rc |= json_array_append_new(policies, policy_json(report));
	rc |= set(o, "policies", policies);
	if (rc == 0)
		return o;
	json_decref(o);
	return NULL;
}

void report_name(char out[static REPORT_NAME], const struct report *report)
{
	const struct report_sender *sender = report->sender;

	snprintf(out, REPORT_NAME, "%s!%s!%lld!%lld%s%s", sender->domain, report->domain->name,
		(long long)(report->from_ns / ET_NS_PER_S),
		(long long)(report->until_ns / ET_NS_PER_S - 1), sender->unique_id ? "!" : "",
		sender->unique_id ? sender->unique_id : "");
}

/* The whole text into a file; zlib writes no time into its header. */
static int write_gzip(int fd, const char *text, size_t n)
{
	int own = dup(fd), rc = 0;
	gzFile out = own >= 0 ? gzdopen(own, "wb9") : NULL;

	if (!out) {
		rc = own >= 0 ? -ENOMEM : -errno;
		if (own >= 0)
			close(own);
		return rc;
	}
	errno = 0;
	while (n > 0 && rc == 0) {
		unsigned part = n > 1u << 30 ? 1u << 30 : (unsigned)n;

		if (gzwrite(out, text, part) != (int)part)
			rc = errno ? -errno : -EIO;
		text += part;
		n -= part;
	}
	if (gzclose(out) != Z_OK && rc == 0)
		rc = errno ? -errno : -EIO;
	return rc;
}

static int write_plain(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, text, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			text += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static int write_file(int folder, const char *name, const char *text, bool gzip)
{
	char temporary[64];
	int fd, rc;

	snprintf(temporary, sizeof(temporary), ".ehlotap-tlsrpt-%ld", (long)getpid());
	unlinkat(folder, temporary, 0); /* of a process of this number that was killed */
	fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	rc = gzip ? write_gzip(fd, text, strlen(text)) : write_plain(fd, text, strlen(text));
	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	if (close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && renameat(folder, temporary, folder, name) != 0)
		rc = -errno;
	if (rc != 0)
		unlinkat(folder, temporary, 0);
	return rc;
}

int report_write(char name[static REPORT_NAME], const struct report *report, int folder, bool gzip)
{
	json_t *o = report_json(report);
	char *dump = o ? json_dumps(o, JSON_INDENT(1)) : NULL, *text = NULL;
	size_t n;
	int rc = -ENOMEM;

	report_name(name, report);
	n = strlen(name);
	snprintf(name + n, REPORT_NAME - n, gzip ? ".json.gz" : ".json");
	if (dump && asprintf(&text, "%s\n", dump) < 0)
		text = NULL; /* it is undefined then */
	if (text)
		rc = write_file(folder, name, text, gzip);
	free(text);
	free(dump);
	json_decref(o);
	return rc;
}
