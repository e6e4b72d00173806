/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <string.h>
#include <strings.h>

#define GAP       2 /* between columns */
#define NEAR_MIN  7 /* cells that are left to a cut column */
#define NEAR_GOOD 16
#define NAME_MIN  9
#define ADDR_MAX  24 /* a longer address takes from its own row's name, not from all */

/* "192.0.2.1", "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321 4.1.3). */
static bool is_address(struct et_addr *out, const char *name)
{
	char text[ET_ADDR_TEXT + 8];
	struct et_peer_net net;
	size_t n = strlen(name);

	if (n >= sizeof(text) || strchr(name, '/'))
		return false;
	if (n > 2 && name[0] == '[' && name[n - 1] == ']') {
		snprintf(text, sizeof(text), "%.*s", (int)(n - 2), name + 1);
		if (strncasecmp(text, "IPv6:", 5) == 0)
			memmove(text, text + 5, strlen(text + 5) + 1);
	} else {
		snprintf(text, sizeof(text), "%s", name);
	}
	if (et_peer_net_parse(&net, text) != 0)
		return false;
	*out = net.addr;
	return true;
}

/* False if there is none, or none that shows. */
static bool safe_name(char out[static LINE_NAME], const struct et_report *report, uint32_t name)
{
	char text[LINE_NAME];

	if (name == ET_DICT_NONE)
		return false;
	line_safe(text, et_dict_get(report->run->books->names, name));
	/* what begins with a bracket is ours to say: no name may look like it */
	snprintf(out, LINE_NAME, "%s%.*s", text[0] == '(' ? "\\x28" : "", LINE_NAME - 8,
		text + (text[0] == '('));
	return text[strspn(text, " ")] != '\0';
}

static void says(char out[static LINE_NAME], const char *name)
{
	char text[LINE_NAME];

	snprintf(text, sizeof(text), "%s", name);
	line_cut(text, sizeof(text), 60);
	snprintf(out, LINE_NAME, "(says %.*s)", LINE_NAME - 16, text);
}

void who_name(char out[static LINE_NAME], const struct et_report *report,
	const struct et_addr addr[static 2], const uint32_t names[static 2], enum et_dir side)
{
	char name[LINE_NAME], server[LINE_NAME];
	struct et_addr given;

	if (!safe_name(name, report, names[side])) {
		snprintf(out, LINE_NAME, "(no name)");
		return;
	}
	snprintf(out, LINE_NAME, "%s", name);
	if (is_address(&given, name)) {
		if (et_addr_cmp(&given, &addr[side]) == 0)
			snprintf(out, LINE_NAME, "(its address)");
		else
			says(out, name);
	} else if (side == ET_CLIENT && safe_name(server, report, names[ET_SERVER]) &&
		   strcasecmp(name, server) == 0 &&
		   et_addr_cmp(&addr[ET_CLIENT], &addr[ET_SERVER]) != 0) {
		says(out, name);
	}
}

static void fill(struct who *out, const struct et_report *report,
	const struct et_addr addr[static 2], const uint32_t names[static 2], enum et_dir far)
{
	enum et_dir close = et_dir_other(far);

	who_name(out->name, report, addr, names, far);
	et_addr_text(out->addr, &addr[far]);
	if (!safe_name(out->near, report, names[close]))
		et_addr_text(out->near, &addr[close]);
}

static enum et_dir far_end(
	struct who *out, const struct et_report *report, const struct et_addr addr[static 2])
{
	enum et_direction direction = et_peer_direction(report->run->gateways,
		report->run->gateways_cnt, &addr[ET_CLIENT], &addr[ET_SERVER]);

	out->way = et_direction_name(direction);
	return direction == ET_DIRECTION_OUT ? ET_SERVER : ET_CLIENT;
}

void who_of_peer(struct who *out, const struct et_report *report, const struct et_peer *peer)
{
	const struct et_dict *dict = report->run->books->names;
	uint32_t names[2] = { et_peer_name(report->peers, peer, ET_CLIENT, dict),
		et_peer_name(report->peers, peer, ET_SERVER, dict) };

	out->service = et_service_name((enum et_service)peer->service);
	fill(out, report, peer->addr, names, far_end(out, report, peer->addr));
}

void who_of_session(
	struct who *out, const struct et_report *report, const struct et_session *session)
{
	out->service = et_service_name((enum et_service)session->service);
	fill(out, report, session->addr, session->name, far_end(out, report, session->addr));
}

void who_of_client(
	struct who *out, const struct et_report *report, const struct et_session *session)
{
	who_of_session(out, report, session);
	fill(out, report, session->addr, session->name, ET_CLIENT);
}

static void widen(size_t *width, const char *text)
{
	size_t n = line_width(text);

	if (n > *width)
		*width = n;
}

void who_widen(struct who_widths *widths, const struct who *who)
{
	size_t addr = strlen(who->addr), both = line_width(who->name) + GAP + addr;

	widen(&widths->name, who->name);
	widen(&widths->near, who->near);
	if (addr <= ADDR_MAX && addr > widths->addr)
		widths->addr = addr;
	if (addr > widths->longest)
		widths->longest = addr;
	if (both > widths->peer)
		widths->peer = both;
	if (who->way)
		widen(&widths->way, who->way);
}

size_t who_width(const struct who_widths *widths)
{
	return widths->peer + (widths->near ? GAP + widths->near : 0);
}

static void narrow(size_t *column, size_t *over, size_t min)
{
	size_t can = *column > min ? *column - min : 0, by = can < *over ? can : *over;

	*column -= by;
	*over -= by;
}

void who_fit(struct who_widths *widths, size_t width)
{
	size_t used, over;

	if (widths->addr == 0)
		widths->addr = widths->longest; /* there are long ones only */
	if (widths->peer < widths->name + GAP + widths->addr)
		widths->peer = widths->name + GAP + widths->addr;
	used = who_width(widths);
	over = used > width ? used - width : 0;
	narrow(&widths->near, &over, NEAR_GOOD);
	narrow(&widths->peer, &over, NAME_MIN + GAP + widths->longest);
	narrow(&widths->near, &over, NEAR_MIN);
	if (widths->name > widths->peer - GAP - widths->addr)
		widths->name = widths->peer - GAP - widths->addr;
}

void who_put(const struct line_out *to, const struct who *who, const struct who_widths *widths,
	bool follows)
{
	size_t addr = strlen(who->addr), name = widths->peer - GAP - addr;
	char text[LINE_NAME];

	if (name > widths->name)
		name = widths->name;
	snprintf(text, sizeof(text), "%s", who->name);
	line_cut_front(text, sizeof(text), name);
	line_padded(to, who->name[0] == '(' ? LINE_WARN : LINE_PLAIN, text, name + GAP);
	line_padded(to, LINE_PLAIN, who->addr,
		follows || widths->near > 0 ? widths->peer - name - GAP : 0);
	if (widths->near == 0)
		return;
	snprintf(text, sizeof(text), "%s", who->near);
	line_cut(text, sizeof(text), widths->near);
	for (size_t n = strlen(text); n > 0 && text[n - 1] == ' '; n--)
		text[n - 1] = '\0';
	fprintf(to->out, "%*s", GAP, "");
	line_padded(to, LINE_DIM, text, follows ? widths->near : 0);
}
