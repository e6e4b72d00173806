/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

/* A report of RFC 8460, of one day and policy domain; and where it goes. */

#include "day.h"

/* Who reports; texts are borrowed. */
struct report_sender {
	const char *domain;       /* a domain_name */
	const char *organization; /* of the report, as given */
	const char *contact;
	const char *id;   /* stands before the id of each report; NULL: nothing */
	const char *info; /* a URI; the cause is put behind it. NULL: no additional-information */
	const char *unique_id; /* last part of file names; NULL: none */
	bool extra; /* say what is in neither count, in names that the RFC does not have */
};

struct report {
	const struct report_sender *sender;
	const struct day_domain *domain;
	int64_t from_ns, until_ns; /* until is behind the last moment */
};

/*
 * The report as JSON (RFC 8460 4.4), which the caller frees; NULL when memory is short. The same
 * input gives the same bytes.
 */
struct json_t *report_json(const struct report *report);

/* The file's name by RFC 8460 5.1, without its ending. */
#define REPORT_NAME 256
void report_name(char out[static REPORT_NAME], const struct report *report);

/*
 * Writes the report into a folder: under a temporary name, synced, then renamed, in place of one of
 * the same name. name: what it is called. 0 or -errno.
 */
int report_write(char name[static REPORT_NAME], const struct report *report, int folder, bool gzip);

#endif
