/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "et_report.h"
#include "line.h"
#include "offer.h"
#include "print.h"
#include "snippets.h"

#define NAMES 8 /* of losers in the table */

static void heading(const struct line_out *to, const char *title)
{
	putc('\n', to->out);
	line_styled(to, LINE_HEAD, title);
	putc('\n', to->out);
}

static void who_text(char out[static LINE_NAME], const char *name, const struct et_addr *addr)
{
	if (name)
		line_safe(out, (struct et_view){ (const uint8_t *)name, strlen(name) });
	else
		et_addr_text(out, addr);
	line_cut_front(out, LINE_NAME, 40);
}

static void step_text(char *out, size_t cap, int step)
{
	const struct plan_step *own = &plan_steps[step];

	snprintf(out, cap, "%s%s%s", own->preset, own->min_version ? " from " : "",
		own->min_version ? own->min_version : "");
}

static void put_head(const struct line_out *to, const struct plan_site *site)
{
	static const char *const roles[ROLE_MAX] = { "mail between servers (MTA)",
		"submission by users (MSA)", "mailboxes of users (MDA)" };
	char name[LINE_NAME], addr[ET_ADDR_TEXT], text[LINE_NAME];

	who_text(name, site->name, &site->addr);
	et_addr_text(addr, &site->addr);
	snprintf(text, sizeof(text), "%.300s%s%s: %s", name, site->name ? " " : "",
		site->name ? addr : "", roles[site->role]);
	heading(to, text);
}

static void loss_text(char *out, size_t cap, const struct plan_loss *loss)
{
	char a[LINE_COUNT], b[LINE_COUNT];

	if (loss->peers == 0)
		snprintf(out, cap, "none");
	else
		snprintf(out, cap, "%s %s, %s %s", line_count(a, loss->peers),
			loss->peers == 1 ? "peer" : "peers", line_count(b, loss->sessions),
			loss->sessions == 1 ? "session" : "sessions");
}

static void keys_text(char *out, size_t cap, const struct et_nego_config *config)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < ET_NEGO_KEYS && n < cap; i++) {
		char key[ET_NEGO_KEY_TEXT];

		if (!config->certs[i].present)
			continue;
		et_nego_key_text(key, config, i);
		n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", key);
	}
}

static void put_answer(const struct line_out *to, const struct plan_site *site)
{
	char text[LINE_NAME], part[128], a[LINE_COUNT], b[LINE_COUNT];

	snprintf(text, sizeof(text), "%s peers, %s sessions", line_count(a, site->peers),
		line_count(b, site->sessions));
	if (site->not_judged > 0) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, "; %s with a hello that cannot be judged",
			line_count(a, site->not_judged));
	}
	line_field(to, "seen", text);
	keys_text(part, sizeof(part), &site->belief.config);
	snprintf(text, sizeof(text), "keys %s (%s), like %s; refuses ", part,
		strcmp(site->belief.keys_from, "other_service") == 0 ? "seen at another service"
								     : site->belief.keys_from,
		site->belief.base);
	loss_text(part, sizeof(part), &site->now);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", part);
	line_field(to, "now", text);
	line_field(to, "certificates", et_advice_sets[site->set]);
	step_text(part, sizeof(part), site->step);
	snprintf(text, sizeof(text), "%s: %s", part, plan_steps[site->step].summary);
	line_field(to, "policy", text);
	loss_text(part, sizeof(part), &site->loss[site->step][site->set]);
	snprintf(text, sizeof(text), "%s%s", part,
		site->within ? "" : ": no candidate loses as little as was asked for");
	line_field(to, "lost", text);
}

/* Names of peers that a candidate loses, most of them once. */
static void put_names(const struct line_out *to, const struct plan_site *site, int step, int set)
{
	struct line_block block = { .to = to, .indent = 10, .style = LINE_DIM };
	const struct et_archive_pair *last = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < site->uses_cnt && n < NAMES; i++) {
		const struct plan_use *use = &site->uses[i];
		char name[LINE_NAME];

		if (use->pair == last || !plan_loses(site, step, set, use->hello))
			continue;
		last = use->pair;
		n++;
		who_text(name, last->client_name, &last->client);
		block_put(&block, name);
	}
	if (site->loss[step][set].peers > n)
		block_put(&block, "...");
	if (n > 0)
		block_end(&block);
}

static void put_steps(const struct line_out *to, const struct plan_site *site)
{
	heading(to, "What each policy costs, strict ones first, with the certificates that lose "
		    "least");
	fprintf(to->out, "     PEERS SESSIONS  %-38s CERTIFICATES\n", "POLICY");
	for (int step = 0; step < PLAN_STEPS; step++) {
		bool chosen = step == site->step;
		int set = chosen ? site->set : site->best[step];
		char a[LINE_COUNT], b[LINE_COUNT], text[128];

		if (!site->used[step])
			continue;
		step_text(text, sizeof(text), step);
		fprintf(to->out, "%s %7s %8s  ", chosen ? " >" : "  ",
			line_short(a, site->loss[step][set].peers, 7),
			line_short(b, site->loss[step][set].sessions, 8));
		line_padded(to, chosen ? LINE_HEAD : LINE_PLAIN, text, 38);
		fprintf(to->out, " %s\n", et_advice_sets[set]);
		put_names(to, site, step, set);
	}
}

static void put_unserved(
	const struct line_out *to, const struct answer *answer, const struct plan_site *site)
{
	uint32_t top = answer->options->top, n = 0;

	if (site->unserved.peers == 0)
		return;
	heading(to, "No candidate serves these; they count nowhere above");
	for (size_t i = 0; i < site->uses_cnt && (top == 0 || n < top); i++) {
		const struct plan_use *use = &site->uses[i];
		const struct plan_hello *hello = &site->hellos[use->hello];
		struct et_tls_profile profile;
		char name[LINE_NAME], a[LINE_COUNT], text[OFFER_TEXT];

		if (hello->served || !hello->readable ||
			!et_archive_profile(&profile, answer->archive, hello->hello))
			continue;
		n++;
		who_text(name, use->pair->client_name, &use->pair->client);
		fprintf(to->out, "%9s  %s\n", line_short(a, use->sessions, 8), name);
		offer_text(text, &profile);
		line_prose(to, 11, text);
	}
}

static void put_snippets(const struct line_out *to, const struct plan_site *site)
{
	static struct snippet snippets[SNIPPETS_MAX]; /* too large for the stack */
	size_t cnt = snippets_make(snippets, site);

	for (size_t i = 0; i < cnt; i++) {
		char title[128];

		snprintf(title, sizeof(title), "For %s, %s", snippets[i].program, snippets[i].file);
		heading(to, title);
		fputs(snippets[i].text, to->out);
	}
}

int print_text(const struct answer *answer, FILE *out)
{
	struct line_out to = { .out = out, .colour = answer_colour(answer->options, out) };
	const struct plan_limit *limit = &answer->limit;
	char text[LINE_NAME], a[LINE_COUNT];

	line_styled(&to, LINE_HEAD, "Certificates and policies that keep the peers");
	putc('\n', out);
	snprintf(text, sizeof(text), "%g%s of the %s of each server", limit->value,
		limit->percent ? "%" : "", limit->of_sessions ? "sessions" : "peers");
	line_field(&to, "may be lost", limit->value > 0 ? text : "none");
	if (answer->outbound > 0) {
		snprintf(text, sizeof(text), "%s sessions, left out: the other side is the server",
			line_count(a, answer->outbound));
		line_field(&to, "outbound", text);
	}
	if (answer->sites_cnt == 0)
		line_prose(&to, 2, "No server got a hello that can be judged.");
	for (size_t i = 0; i < answer->sites_cnt; i++) {
		const struct plan_site *site = &answer->sites[i];

		put_head(&to, site);
		put_answer(&to, site);
		put_steps(&to, site);
		put_unserved(&to, answer, site);
		put_snippets(&to, site);
	}
	putc('\n', out);
	line_prose(&to, 2,
		"Judged as OpenSSL 3.0 decides, with full handshakes. A peer is one "
		"client at one server and service, and is lost if any hello that it "
		"sent would be refused. What clients think of the certificates' names "
		"and issuers is not judged.");
	return fflush(out) == 0 ? 0 : -EIO;
}
