/* SPDX-License-Identifier: BSD-3-Clause */
#include "print.h"

#include <errno.h>
#include <string.h>

#include "et_report.h"
#include "line.h"
#include "offer.h"

#define NAME_WIDTH   27
#define ADDR_WIDTH   15
#define SERVER_WIDTH 24
#define INDENT       10

static void heading(const struct line_out *to, const char *title)
{
	putc('\n', to->out);
	line_styled(to, LINE_HEAD, title);
	putc('\n', to->out);
}

static size_t shown_of(const struct answer *answer, size_t cnt)
{
	uint32_t top = answer->options->top;

	return top > 0 && top < cnt ? top : cnt;
}

static void more(const struct line_out *to, uint64_t cnt, uint64_t shown)
{
	char count[LINE_COUNT];

	if (cnt > shown)
		fprintf(to->out, "          ... and %s more\n", line_count(count, cnt - shown));
}

static void moment(char out[static ET_TIME_TEXT], int64_t ts_ns)
{
	et_time_s(out, ts_ns);
	out[10] = ' ';
	out[16] = '\0';
}

static void who_text(
	char out[static LINE_NAME], const char *name, const struct et_addr *addr, size_t width)
{
	if (name)
		line_safe(out, (struct et_view){ (const uint8_t *)name, strlen(name) });
	else
		et_addr_text(out, addr);
	line_cut_front(out, LINE_NAME, width);
}

static const char *service_name(enum et_service service)
{
	const char *name = et_service_name(service);

	return name ? name : "-";
}

/* --- what is asked, of whom --- */

static void put_question(const struct line_out *to, const struct answer *answer)
{
	char text[LINE_NAME], from[ET_TIME_TEXT], until[ET_TIME_TEXT], count[LINE_COUNT];
	size_t n = 0;

	line_styled(to, LINE_HEAD, "If the servers had other settings");
	putc('\n', to->out);
	moment(from, answer->totals.first_ns);
	moment(until, answer->totals.last_ns + ET_NS_PER_MIN);
	snprintf(text, sizeof(text), "%s to %s UTC, %s sessions", from, until,
		line_count(count, answer->study->sums.sessions));
	line_field(to, "seen", text);
	text[0] = '\0';
	for (size_t i = 0; i < answer->settings_cnt && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s--%s %s", i ? " " : "",
			answer->settings[i].name, answer->settings[i].value);
	line_field(to, "settings", n ? text : "none: as the servers seem to be now");
}

static void config_text(char *out, size_t cap, const struct study_server *own)
{
	const struct et_nego_config *config = own->config;
	size_t n = 0;
	const char *min = et_iana_version(config->min_version),
		   *max = et_iana_version(config->max_version);

	n += (size_t)snprintf(out, cap, "keys");
	for (unsigned i = 0; i < ET_NEGO_KEYS && n < cap; i++) {
		char key[ET_NEGO_KEY_TEXT];

		if (!config->certs[i].present)
			continue;
		et_nego_key_text(key, config, i);
		n += (size_t)snprintf(out + n, cap - n, " %s", key);
	}
	if (n < cap)
		snprintf(out + n, cap - n,
			" (%s); the rest as %.60s, %s to %s, security level %u%s",
			strcmp(own->keys_from, "other_service") == 0 ? "seen at another service"
								     : own->keys_from,
			own->base, min ? min : "SSLv3", max ? max : "?", config->level,
			config->server_order ? ", the server's order" : "");
}

static void put_servers(const struct line_out *to, const struct answer *answer)
{
	const struct study *study = answer->study;
	size_t shown = shown_of(answer, study->servers_cnt);

	heading(to, "Servers, and the configuration that is judged");
	for (size_t i = 0; i < shown; i++) {
		const struct study_server *own = &study->servers[i];
		char text[LINE_NAME], name[LINE_NAME], a[LINE_COUNT], b[LINE_COUNT];

		who_text(name, own->host->name, &own->host->addr, 40);
		et_addr_text(text, &own->host->addr);
		fprintf(to->out, "  %s %s %s, %s session%s\n", name, own->host->name ? text : "",
			service_name(own->host->service), line_count(a, own->sums.sessions),
			own->sums.sessions == 1 ? "" : "s");
		config_text(text, sizeof(text), own);
		line_prose(to, 6, text);
		if (own->held > 0 && !own->complete) {
			snprintf(text, sizeof(text),
				"what it seems to have now explains the outcome of %s of %s "
				"sessions",
				line_count(a, own->agree), line_count(b, own->held));
			line_prose(to, 6, text);
		}
	}
	more(to, study->servers_cnt, shown);
}

/* --- the result --- */

static void put_row(const struct line_out *to, const char *what, const struct study_share *share,
	uint64_t of, enum line_style style)
{
	char a[LINE_COUNT], b[LINE_COUNT], c[LINE_COUNT], percent[16] = "";

	if (of > 0)
		snprintf(percent, sizeof(percent), "%.1f%%",
			100 * (double)share->sessions / (double)of);
	fputs("  ", to->out);
	line_padded(to, share->sessions ? style : LINE_PLAIN, what, 44);
	fprintf(to->out, " %9s %9s %7s %11s\n", line_short(a, share->peers, 9),
		line_short(b, share->sessions, 9), percent, line_short(c, share->clear_mail, 9));
}

static void put_result(const struct line_out *to, const struct study *study)
{
	static const struct {
		enum et_advice_fate fate;
		const char *words;
		enum line_style style;
	} rows[] = {
		{ ET_ADVICE_LOST, "lose TLS", LINE_BAD },
		{ ET_ADVICE_GAINED, "gain TLS", LINE_HEAD },
		{ ET_ADVICE_SAME, "keep TLS as it is", LINE_PLAIN },
		{ ET_ADVICE_CHANGED, "keep TLS, but changed", LINE_PLAIN },
		{ ET_ADVICE_REFUSED, "are refused today, and would still be", LINE_PLAIN },
		{ ET_ADVICE_OTHER, "fail for reasons that settings do not cure", LINE_PLAIN },
		{ ET_ADVICE_NO_TLS, "never try TLS", LINE_PLAIN },
		{ ET_ADVICE_UNKNOWN, "cannot be known", LINE_WARN },
	};
	static const char *const changes[STUDY_CHANGES] = { "    another version",
		"    another suite", "    lose forward secrecy", "    gain forward secrecy" };
	static const char *const doubts[ET_ADVICE_DOUBT_MAX] = { "", "    no ClientHello was seen",
		"    a hello that cannot be judged", "    the end of the session was not seen",
		"    the server does not behave as it is believed to",
		"    counted without details (older files, full rings)",
		"    outbound: the other side is the server" };
	const struct study_sums *sums = &study->sums;

	heading(to, "Result");
	fprintf(to->out, "%56s %9s %7s %11s\n", "PEERS", "SESSIONS", "", "CLEAR MAIL");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		put_row(to, rows[i].words, &sums->fates[rows[i].fate], sums->sessions,
			rows[i].style);
		for (unsigned k = 0; k < STUDY_CHANGES; k++)
			if (rows[i].fate == ET_ADVICE_CHANGED && sums->changes[k].sessions > 0)
				put_row(to, changes[k], &sums->changes[k], sums->sessions,
					k == 2 ? LINE_WARN : LINE_PLAIN);
		for (unsigned k = 1; k < ET_ADVICE_DOUBT_MAX; k++)
			if (rows[i].fate == ET_ADVICE_UNKNOWN && sums->doubts[k].sessions > 0)
				put_row(to, doubts[k], &sums->doubts[k], sums->sessions,
					LINE_PLAIN);
	}
	line_prose(to, 2,
		"A peer is one client at one server and service; it stands in each row "
		"that has a session of it. Clear mail is what these peers have already "
		"sent in clear.");
}

static void put_habits(const struct line_out *to, const struct study *study)
{
	static const char *const words[HABIT_MAX] = { "went on in clear", "came back with neither",
		"got TLS later", "not seen to fail yet" };
	const struct study_sums *sums = &study->sums;

	if (sums->fates[ET_ADVICE_LOST].sessions == 0)
		return;
	heading(to, "What those who lose TLS did after earlier failures");
	for (unsigned i = 0; i < HABIT_MAX; i++)
		put_row(to, words[i], &sums->habits[i], sums->fates[ET_ADVICE_LOST].sessions,
			LINE_PLAIN);
}

/* --- who --- */

static void put_after(const struct line_out *to, const struct study_pair *own)
{
	char text[LINE_NAME], span[LINE_COUNT];
	const char *words[HABIT_MAX] = { "after a failure it went on in clear",
		"after a failure it came back with neither TLS nor mail in clear",
		"after a failure it got TLS later", "" };

	if (own->habit == HABIT_UNKNOWN)
		return;
	line_span(span, 0, own->delay_ns);
	snprintf(text, sizeof(text), "%s%s%s%s", words[own->habit],
		own->delay_ns >= 0 ? ", after " : "", own->delay_ns >= 0 ? span : "",
		own->same_connection ? ", also on the same connection" : "");
	line_prose(to, INDENT, text);
}

static void put_peer(const struct line_out *to, const struct answer *answer,
	const struct study_pair *own, const struct et_advice_case *c, uint64_t sessions)
{
	const struct et_archive_pair *pair = own->pair;
	const struct study_server *server = &answer->study->servers[own->server];
	char client[LINE_NAME], at[LINE_NAME], addr[ET_ADDR_TEXT] = "", number[LINE_COUNT],
					       text[ET_NEGO_TEXT + OFFER_TEXT];
	struct et_tls_profile profile;

	who_text(client, pair->client_name, &pair->client, NAME_WIDTH);
	who_text(at, pair->server_name, &pair->server, SERVER_WIDTH);
	if (pair->client_name)
		et_addr_text(addr, &pair->client);
	fprintf(to->out, "%8s  ", line_short(number, sessions, 8));
	line_padded(to, LINE_PLAIN, client, NAME_WIDTH);
	fputs("  ", to->out);
	line_padded(to, LINE_PLAIN, strlen(addr) > ADDR_WIDTH ? "" : addr, ADDR_WIDTH);
	fputs("  ", to->out);
	line_padded(to, LINE_PLAIN, at, SERVER_WIDTH);
	fprintf(to->out, "  %s\n", service_name(pair->service));
	if (strlen(addr) > ADDR_WIDTH)
		line_prose(to, INDENT, addr);
	if (c->next.result == ET_NEGO_REFUSE)
		line_prose(to, INDENT, c->next.cause);
	if (et_archive_profile(&profile, answer->archive, c->hello)) {
		et_nego_text(text, &c->next, server->config, &profile);
		line_prose(to, INDENT, text);
		offer_text(text, &profile);
		line_prose(to, INDENT, text);
	}
}

/* All pairs with sessions of this fate: they are in order of those that lose. */
static void put_peers(const struct line_out *to, const struct answer *answer,
	enum et_advice_fate fate, const char *title)
{
	const struct study *study = answer->study;
	uint64_t all = study->sums.fates[fate].peers, n = 0, shown = shown_of(answer, all);

	if (all == 0)
		return;
	heading(to, title);
	fprintf(to->out, "SESSIONS  %-*s  %-*s  %-*s  SERVICE\n", NAME_WIDTH, "CLIENT", ADDR_WIDTH,
		"", SERVER_WIDTH, "SERVER");
	for (size_t i = 0; i < study->pairs_cnt && n < shown; i++) {
		const struct study_pair *own = &study->pairs[i];
		const struct et_advice_case *most = NULL;

		for (size_t k = own->from; k < own->until; k++)
			if (study->cases[k].fate == fate &&
				(!most || study->cases[k].sessions > most->sessions))
				most = &study->cases[k];
		if (!most)
			continue;
		n++;
		put_peer(to, answer, own, most, own->fates[fate]);
		if (fate == ET_ADVICE_LOST)
			put_after(to, own);
	}
	more(to, all, n);
}

static void cipher_text(char *out, size_t cap, uint16_t version, uint32_t id)
{
	const struct et_iana_suite *suite = id <= UINT16_MAX ? et_iana_suite((uint16_t)id) : NULL;
	const char *name = et_iana_version(version);

	if (suite && version != ET_SSLV2)
		snprintf(out, cap, "%s %s", name ? name : "?",
			suite->openssl ? suite->openssl : suite->name);
	else
		snprintf(out, cap, "%s %04x", name ? name : "?", id);
}

static void put_changes(const struct line_out *to, const struct answer *answer)
{
	const struct study *study = answer->study;
	size_t shown = shown_of(answer, study->changes_cnt);

	if (study->changes_cnt == 0)
		return;
	heading(to, "Changes of those who keep TLS");
	for (size_t i = 0; i < shown; i++) {
		const struct study_change *change = &study->changes[i];
		char number[LINE_COUNT], was[128], will[128];

		cipher_text(was, sizeof(was), change->version, change->cipher);
		cipher_text(will, sizeof(will), change->to_version, change->to_cipher);
		line_cut(was, sizeof(was), 43);
		line_cut(will, sizeof(will), 42);
		fprintf(to->out, "%8s  ", line_short(number, change->sessions, 8));
		line_padded(to, LINE_PLAIN, was, 43);
		fprintf(to->out, "  -> %s\n", will);
	}
	more(to, study->changes_cnt, shown);
}

static void put_notes(const struct line_out *to, const struct study *study)
{
	heading(to, "What this rests on");
	for (size_t i = 0; i < study->servers_cnt && i < 1; i++) {
		char note[ET_NEGO_NOTES];
		char *save = NULL, *line;

		snprintf(note, sizeof(note), "%s", study->servers[i].config->notes);
		for (line = strtok_r(note, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			line_prose(to, 2, line);
	}
	line_prose(to, 2,
		"Each server is judged as one that uses OpenSSL 3.0, with a full "
		"handshake. What is not set is as the server seems to have it. Only "
		"sessions whose server is the one configured can be judged; with "
		"gateways known (--gateway) the others are counted as outbound.");
}

int print_text(const struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };

	put_question(&to, answer);
	put_servers(&to, answer);
	put_result(&to, answer->study);
	put_habits(&to, answer->study);
	put_peers(&to, answer, ET_ADVICE_LOST, "Who would lose TLS");
	put_peers(&to, answer, ET_ADVICE_GAINED, "Who would gain TLS");
	put_peers(&to, answer, ET_ADVICE_REFUSED, "Who would still be refused");
	put_changes(&to, answer);
	put_notes(&to, answer->study);
	return fflush(out) == 0 ? 0 : -EIO;
}
