/* SPDX-License-Identifier: BSD-3-Clause */
#include "domain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63 /* RFC 1035 2.3.4 */

static bool is_of_names(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool domain_name(char out[static DOMAIN_TEXT], const char *name)
{
	size_t n = strlen(name), label = 0;

	out[0] = '\0';
	if (n > 0 && name[n - 1] == '.')
		n--;
	if (n == 0 || n > DOMAIN_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];

		label = c == '.' ? 0 : label + 1;
		if (c == '.' ? i == 0 || out[i - 1] == '.' : !is_of_names(c) || label > LABEL_MAX) {
			out[0] = '\0';
			return false;
		}
		out[i] = c;
	}
	out[n] = '\0';
	/* digits and dots only: an address, or one that is broken */
	if (label == 0 || out[strspn(out, "0123456789.")] == '\0') {
		out[0] = '\0';
		return false;
	}
	return true;
}

void domain_literal(char out[static DOMAIN_TEXT], const struct et_addr *addr)
{
	char text[ET_ADDR_TEXT];

	et_addr_text(text, addr);
	snprintf(out, DOMAIN_TEXT, et_addr_is_v4(addr) ? "[%s]" : "[IPv6:%s]", text);
}

/* "co.uk": under a country's letters, names that stand for no owner. */
static bool is_registry(const char *domain)
{
	static const char *const seconds[] = { "ac", "co", "com", "edu", "go", "gov", "gv", "mil",
		"ne", "net", "or", "org" };
	size_t n = strcspn(domain, ".");

	if (strlen(domain + n) != 3 || strchr(domain + n + 1, '.'))
		return false;
	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++)
		if (strlen(seconds[i]) == n && memcmp(seconds[i], domain, n) == 0)
			return true;
	return false;
}

const char *domain_parent(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && strchr(dot + 1, '.') && !is_registry(dot + 1) ? dot + 1 : name;
}

bool domain_rule_parse(struct domain_rule *out, const char *text)
{
	const char *equals = strchr(text, '=');
	char who[DOMAIN_TEXT + 2];
	size_t n = equals ? (size_t)(equals - text) : 0;
	const char *name = who;

	*out = (struct domain_rule){ 0 };
	if (n == 0 || n >= sizeof(who) || !domain_name(out->domain, equals + 1))
		return false;
	memcpy(who, text, n);
	who[n] = '\0';
	if (et_peer_net_parse(&out->net, who) == 0)
		return true;
	if (who[0] == '*' && who[1] == '.')
		name++;
	if (name[0] == '.') {
		out->who[0] = '.';
		return domain_name(out->who + 1, name + 1);
	}
	return domain_name(out->who, name);
}

static bool fits(const struct domain_rule *rule, const struct et_addr *addr, const char *name)
{
	size_t n = strlen(name), m = strlen(rule->who);

	if (m == 0)
		return et_peer_net_holds(&rule->net, addr);
	if (rule->who[0] != '.')
		return strcmp(rule->who, name) == 0;
	return n > m && strcmp(name + n - m, rule->who) == 0;
}

void domain_of(char out[static DOMAIN_TEXT], const struct domain_rule *rules, size_t cnt,
	const struct et_addr *addr, const char *name)
{
	char host[DOMAIN_TEXT] = "";
	bool named = name && domain_name(host, name);

	for (size_t i = 0; i < cnt; i++) {
		if (fits(&rules[i], addr, host)) {
			memcpy(out, rules[i].domain, DOMAIN_TEXT);
			return;
		}
	}
	if (named)
		snprintf(out, DOMAIN_TEXT, "%s", domain_parent(host));
	else
		domain_literal(out, addr);
}
