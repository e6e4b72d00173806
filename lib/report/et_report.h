/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ET_REPORT_H
#define ET_REPORT_H

/*
 * report: the answer that `ehlotap read` prints, as text for people or as one JSON object.
 *
 * Both say the same: what was captured and how well, the peers, how many sessions were made with
 * which version and suite, what failed and why, and who sent mail or credentials in clear.
 *
 * Text is at most 100 columns wide whatever the names are (long ones are cut, and "…" stands for
 * what is missing), plain UTF-8, coloured only when asked for. Names are safe to print: no byte from
 * the wire controls the terminal or reverses the text, and no name looks like a word of ours: a name
 * that says nothing is put as "(no name)", "(its address)" or "(says …)", and no other begins so.
 *
 * The text tells of each session that did not come to TLS where it belongs: what failed (by cause,
 * server and service), what was in clear (by reason), what the capture hides (by cause). A session
 * that failed and then carried mail in clear on the same connection is told of twice. A cause is
 * explained once, followed by the peers that it hits.
 *
 * The sentences are policy's, of the first session with the highest confidence among those that
 * are told of together: in the JSON, those that one pair lost to one cause.
 *
 * JSON, one object on one line:
 *
 *   type "report", v 1, sensor
 *   capture        as in the minute files, and first, last (times, null without packets), files,
 *                  unreadable, damaged, one_direction (sessions)
 *   totals         the counters of a peer row, over all peers
 *   peers          the peer rows of the minute files, most sessions first
 *   version_ciphers  {count, version, cipher, cipher_openssl}, most frequent first
 *   failures       {client, server, service, client_name, server_name, code, confidence, why, count,
 *                  first}, most frequent first
 *   clear          {client, server, service, client_name, server_name, mails, sessions, auth_clear,
 *                  starttls}, starttls being "not_offered", "offered", "refused", "masked",
 *                  "after_failure" (of a handshake) or null
 *
 * The caller owns all inputs. One thread.
 */

#include "et_stats.h"

#define ET_REPORT_WIDTH 100

struct et_report {
	const struct et_stats_run *run;
	struct et_peer_table *peers; /* of the whole run, et_stats_count(); is sorted here */
	struct et_stats_capture capture;
	int64_t first_ns, last_ns; /* first and last packet; of no meaning without packets */
	uint32_t files, unreadable, damaged;
	uint32_t top; /* entries of each list in the text; 0: all */
	bool colour;  /* the output is a terminal that wants it */
};

/* 0, -ENOMEM, or -EIO: see errno and ferror(out). */
int et_report_text(const struct et_report *report, FILE *out);
int et_report_json(const struct et_report *report, FILE *out);

#endif
